import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
import pytest
from scipy import stats

from geoembed import check
from geoembed.cyclic import CircleFeatures, Cyclic, VonMises, WrappedGaussian

KEY = jax.random.key(0)
PERIODS = (24.0, 7.0)
KERNELS = (VonMises(2.0), WrappedGaussian(0.15))
POINTS = np.random.default_rng(0).uniform(0, 1, (40, 2)) * np.array([PERIODS])


@eqx.filter_jit
def encode_all(features, points):
    """The codes of many points; compiled once for all features of one shape."""
    return jax.vmap(features)(points)


def exact(points):
    """The product kernel by numpy."""
    apart = (points[:, None] - points[None]) / np.array(PERIODS)
    first = np.exp(2 * (np.cos(2 * np.pi * apart[..., 0]) - 1))
    images = np.exp(-0.5 * ((apart[..., 1, None] + np.arange(-6, 7)) / 0.15) ** 2).sum(axis=-1)
    return first * images / np.exp(-0.5 * (np.arange(-6, 7) / 0.15) ** 2).sum()


def gram(count, seed, points=POINTS):
    features = CircleFeatures(PERIODS, KERNELS, count, key=jax.random.key(seed))
    code = np.asarray(encode_all(features, jnp.asarray(points, jnp.float32)), float)
    return code @ code.T


def test_the_inner_product_is_the_kernel_on_average():
    """Unbiased: the mean over seeds is within five of its standard errors."""
    grams = np.stack([gram(128, seed) for seed in range(40)])
    off = ~np.eye(len(POINTS), dtype=bool)
    deviation = np.abs(grams.mean(axis=0) - exact(POINTS))[off]
    error = grams.std(axis=0, ddof=1)[off] / np.sqrt(len(grams))
    assert (deviation / error).max() < 5
    assert error.max() < 0.02


def test_the_error_falls_as_one_over_the_root_of_count():
    counts = [64, 256, 1024, 4096]
    errors = [
        np.sqrt(np.mean([(gram(count, seed) - exact(POINTS)) ** 2 for seed in range(5)])) for count in counts
    ]
    slope = np.polyfit(np.log(counts), np.log(errors), 1)[0]
    assert -0.6 < slope < -0.4
    assert all(error < count**-0.5 for count, error in zip(counts, errors, strict=True))


@pytest.mark.parametrize(
    "kernel", [VonMises(0.5), VonMises(40.0), WrappedGaussian(0.05), WrappedGaussian(0.5)], ids=str
)
def test_frequencies_follow_the_spectrum(kernel):
    drawn = CircleFeatures((1.0,), kernel, 20_000, key=KEY).frequencies[:, 0]
    assert drawn.dtype == np.int32
    p = kernel.spectrum(60)
    both = np.concatenate([p[:0:-1], p])
    found = np.bincount(drawn + 60, minlength=121)
    common = both * len(drawn) >= 5
    rest = len(drawn) - both[common].sum() * len(drawn)
    observed, expected = [*found[common], found[~common].sum()], [*both[common] * len(drawn), rest]
    keep = np.asarray(expected) > 1e-3
    assert (
        stats.chisquare(np.asarray(observed)[keep], np.asarray(expected)[keep], sum_check=False).pvalue > 1e-3
    )


def test_codes_have_length_one(precision):
    code = jax.jit(jax.vmap(CircleFeatures(PERIODS, KERNELS, 100, key=KEY)))(jnp.asarray(POINTS, precision))
    assert code.dtype == precision
    np.testing.assert_allclose(
        np.sum(np.square(code), axis=1), 1, atol=2e-6 if precision == np.float32 else 1e-14
    )


def test_whole_periods_change_nothing():
    """Bit for bit where x, the period and x + p have few digits."""
    features = CircleFeatures((8.0, 0.5), VonMises(4.0), 64, key=KEY)
    x = jnp.array([1.25, 0.375])
    for shift in ([8.0, 0.0], [-16.0, 0.5], [800.0, -50.0]):
        assert np.array_equal(features(x + jnp.array(shift)), features(x))


def test_real_frequencies_have_no_period():
    """The features that are usual on the line fail the same check."""
    line = jax.random.normal(KEY, (64, 2))
    items = [jnp.asarray(p, jnp.float32) for p in POINTS[:8]]
    lattice = ((24.0, 0.0), (0.0, 7.0))
    features = CircleFeatures(PERIODS, KERNELS, 64, key=KEY)
    assert check.periodic(features, lattice, items, key=KEY, tolerance=1e-4)
    assert not check.periodic(lambda x: jnp.cos(jnp.sum(line * x[None], axis=1)), lattice, items, key=KEY)


def test_harmonics_are_better_in_one_dimension():
    """The best features of a kernel on the circle are its first harmonics: 12 of them against 12 and 1,200 random."""
    kernel, x = VonMises(2.0), np.linspace(0, 1, 100, endpoint=False)
    target = np.exp(2 * (np.cos(2 * np.pi * np.subtract.outer(x, x)) - 1))
    p = kernel.spectrum(6)
    harmonics = np.asarray(
        Cyclic(1.0, 6, weights=tuple(np.sqrt(2 * p[1:])))(jnp.asarray(x, jnp.float32)), float
    )
    best = np.abs(harmonics @ harmonics.T + p[0] - target).max()

    def random(count):
        features = CircleFeatures((1.0,), kernel, count, key=KEY)
        code = np.asarray(jax.jit(jax.vmap(features))(jnp.asarray(x[:, None], jnp.float32)), float)
        return np.abs(code @ code.T - target).max()

    assert best < 1e-3
    assert random(6) > 100 * best
    assert random(600) > 10 * best


def test_no_optimiser_moves_the_frequencies():
    features = CircleFeatures(PERIODS, KERNELS, 8, key=KEY)
    assert type(features.frequencies) is np.ndarray
    assert not jax.tree.leaves(eqx.filter(features, eqx.is_inexact_array))


def test_the_key_decides(precision):
    """Not the precision in which they are made; and one kernel serves all coordinates."""
    one = CircleFeatures(PERIODS, VonMises(2.0), 16, key=KEY)
    with jax.enable_x64(False):
        two = CircleFeatures(PERIODS, (VonMises(2.0), VonMises(2.0)), 16, key=KEY)
    other = CircleFeatures(PERIODS, VonMises(2.0), 16, key=jax.random.key(1))
    assert np.array_equal(one.frequencies, two.frequencies)
    assert not np.array_equal(one.frequencies, other.frequencies)


def test_it_serves_jit_directly():
    features = CircleFeatures(PERIODS, KERNELS, 8, key=KEY)
    x = jnp.asarray(POINTS[0], jnp.float32)
    np.testing.assert_allclose(jax.jit(features)(x), features(x), atol=1e-6)


@pytest.mark.parametrize(
    ("periods", "kernel", "count", "message"),
    [
        ((), VonMises(1.0), 4, "at least one period"),
        ((0.0,), VonMises(1.0), 4, "finite period above 0"),
        ((1.0,), VonMises(1.0), 0, "count of at least 1"),
        ((1.0, 2.0), (VonMises(1.0),), 4, "one for each of 2 periods"),
        ((1.0,), WrappedGaussian(1e-9), 4, "too narrow"),
    ],
)
def test_arguments_out_of_range_are_refused(periods, kernel, count, message):
    with pytest.raises(ValueError, match=message):
        CircleFeatures(periods, kernel, count, key=KEY)
