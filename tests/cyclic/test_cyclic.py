import math

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from geoembed import check
from geoembed.cyclic import CircleFeatures, Cyclic, CyclicSpline, PeriodicLayer, Time2Vec, Torus, VonMises
from geoembed.cyclic._promises import Rotations

KEY = jax.random.key(0)
HOURS = np.linspace(-30.0, 60.0, 181)
WEIGHTED = Cyclic(24.0, 3, origin=6.0, weights=(1.0, 0.5, 0.25))


def reference(x):
    """WEIGHTED, by numpy."""
    angles = 2 * np.pi * np.arange(1, 4) * (x[..., None] - 6.0) / 24.0
    pairs = np.stack([np.sin(angles), np.cos(angles)], axis=-1) * np.array([1.0, 0.5, 0.25])[:, None]
    return pairs.reshape(*x.shape, 6)


def test_the_code_is_a_weighted_fourier_basis(precision):
    code = jax.jit(WEIGHTED)(jnp.asarray(HOURS, precision))
    assert code.dtype == precision
    np.testing.assert_allclose(
        code, reference(HOURS), atol=5e-6 if precision == np.float32 else 1e-14
    )  # the rounding of (x − 6) / 24 counts


@pytest.mark.parametrize("shape", [(), (5,), (2, 3), (0,)])
def test_any_shape(shape):
    code = jax.eval_shape(WEIGHTED, jnp.ones(shape))
    assert code.shape == (*shape, 6)
    assert jax.eval_shape(WEIGHTED.metric, jnp.ones(shape)).shape == shape
    assert all(part.shape == shape for part in jax.eval_shape(WEIGHTED.decode, code))


def test_the_distance_of_codes():
    """|e(x) − e(y)|² = 4 Σ w² sin² πk(x − y)/p."""
    code = np.asarray(jax.jit(WEIGHTED)(jnp.asarray(HOURS, jnp.float32)), float)
    apart = np.linalg.norm(code[:, None] - code[None], axis=-1)
    terms = [
        w * np.sin(np.pi * k * (HOURS[:, None] - HOURS[None]) / 24) for k, w in ((1, 1), (2, 0.5), (3, 0.25))
    ]
    np.testing.assert_allclose(apart, 2 * np.linalg.norm(terms, axis=0), atol=1e-5)


@pytest.mark.parametrize("encoder", [WEIGHTED, Cyclic(7.0), Cyclic(0.5, 5, origin=-3)], ids=str)
def test_the_metric_is_the_square_of_the_derivative(precision, encoder):
    x = jnp.asarray(encoder.origin + encoder.period * np.linspace(-1, 1, 13), precision)
    speed = jax.jit(jax.vmap(jax.jacfwd(encoder)))(x)
    metric = encoder.metric(x)
    assert metric.dtype == precision
    np.testing.assert_allclose(metric, np.sum(np.square(speed, dtype=float), axis=1), rtol=2e-6)


def test_the_metric_measures_lengths():
    """A circle of radius w runs through a length of 2πw in one period."""
    speed = math.sqrt(float(Cyclic(24.0, weights=(3.0,)).metric(jnp.array(1.0))))
    assert math.isclose(24 * speed, 2 * math.pi * 3, rel_tol=1e-6)


def test_decode_inverts(precision):
    x = jnp.asarray(np.linspace(6.0, 29.99, 100), precision)
    there, confidence = jax.jit(lambda x: WEIGHTED.decode(WEIGHTED(x)))(x)
    assert there.dtype == precision
    tolerance = 5e-6 if precision == np.float32 else 1e-14
    np.testing.assert_allclose(there, x, atol=24 * tolerance)
    np.testing.assert_allclose(confidence, 1, atol=tolerance)


def test_decode_stays_in_its_period(precision):
    encoder = Cyclic(360.0, origin=-180)
    angles = np.array([-1e-7, -1e-30, -0.0, 0.0, 1e-30, 0.5, np.pi, -np.pi], precision)
    code = jnp.asarray(np.stack([np.sin(angles), np.cos(angles)], axis=-1))
    there, _ = jax.jit(encoder.decode)(code)
    assert np.all((np.asarray(there) >= -180) & (np.asarray(there) < 180))


def test_the_confidence_of_an_average_falls():
    average = jax.jit(lambda x: WEIGHTED.decode(jnp.mean(WEIGHTED(x), axis=0)))
    there, confidence = average(jnp.array([8.0, 16.0]))
    assert math.isclose(there, 12.0, abs_tol=1e-4)
    assert math.isclose(confidence, 0.5, abs_tol=1e-6)  # two codes a third of a turn apart


@pytest.mark.parametrize(
    ("encoder", "low", "high"),
    [
        (WEIGHTED, 6.0, 30.0),
        (CyclicSpline(7.0, 5, origin=-1), -1.0, 6.0),
        (Torus((24.0, 7.0), origins=(6.0, 0.0)), [6.0, 0.0], [30.0, 7.0]),
        (CircleFeatures((24.0, 7.0), VonMises(1.0), 4, key=KEY), [0.0, 0.0], [24.0, 7.0]),
        (PeriodicLayer((2.7, None), 4, key=KEY), [0.0, 0.0], [2.7, 1.0]),
        (Time2Vec(4, key=KEY), 0.0, math.inf),
    ],
    ids=lambda part: type(part).__name__,
)
def test_examples_fill_the_domain(encoder, low, high):
    examples = np.stack(encoder.examples(200, key=KEY))
    assert np.all((examples >= low) & (examples <= high))
    assert jax.eval_shape(encoder, jnp.asarray(examples[0])).dtype == examples.dtype
    if np.all(np.isfinite(high)):
        assert np.all(np.ptp(examples, axis=0) > 0.9 * np.subtract(high, low))


def test_a_periodic_check_that_must_fail():
    items = Cyclic(24.0).examples(8, key=KEY)
    assert check.periodic(Cyclic(24.0), 24.0, items, key=KEY)
    assert not check.periodic(Cyclic(24.0), 23.9, items, key=KEY)


def test_an_equivariance_that_must_fail():
    encoder, items = Cyclic(24.0, 2), Cyclic(24.0).examples(8, key=KEY)

    def measured(representation):
        return check.equivariant(encoder, "translations", items, key=KEY, representation=representation)

    assert measured(Rotations((24.0,), ((1,), (2,))))
    assert not measured(Rotations((-24.0,), ((1,), (2,))))
    assert not measured(Rotations((24.0,), ((1,), (1,))))


def test_rotations_are_a_representation(precision):
    rotations = Rotations((24.0, 7.0), ((1, 0), (0, 2), (3, -1)))
    tolerance = 2e-6 if precision == np.float32 else 5e-15
    s, t = jnp.asarray([5.0, -1.5], precision), jnp.asarray([-9.25, 2.0], precision)
    turn = jax.jit(lambda t: rotations(t))
    first, second, both, none = map(np.asarray, map(turn, (s, t, s + t, 0 * s)))
    np.testing.assert_allclose(first @ second, both, atol=tolerance)
    np.testing.assert_allclose(first @ first.T, np.eye(6), atol=tolerance)
    assert np.array_equal(none, np.eye(6))


def test_the_lipschitz_constant_is_reached():
    declared = {p.kind: p for p in WEIGHTED.properties}["lipschitz"].constant
    x = np.array([1.0, 1.0 + 1e-2], np.float32)
    slope = float(np.linalg.norm(np.diff(jax.jit(WEIGHTED)(jnp.asarray(x)), axis=0))) / float(x[1] - x[0])
    assert 0.999 < slope / declared <= 1.0001


def test_plain_numbers_are_kept():
    encoder = Cyclic(np.float64(24), 2, origin=np.float64(1), weights=[np.float64(1), 2])
    assert encoder == Cyclic(24, 2, origin=1, weights=(1, 2))
    assert all(type(number) is float for number in (encoder.period, encoder.origin, *encoder.weights))
    assert hash(encoder) == hash(Cyclic(24.0, 2, origin=1.0, weights=(1.0, 2.0)))


def test_weights_of_a_kernel():
    """e(x)·e(y) + p₀ is the kernel, up to the harmonics left out."""
    kernel = VonMises(2.0)
    p = kernel.spectrum(40)
    encoder = Cyclic(1.0, 8, weights=tuple(np.sqrt(2 * p[1:9])))
    code = np.asarray(jax.jit(encoder)(np.linspace(0, 1, 50, dtype=np.float32)), float)
    gap = (
        code @ code.T
        + p[0]
        - np.exp(2 * (np.cos(2 * np.pi * np.subtract.outer(*[np.linspace(0, 1, 50)] * 2)) - 1))
    )
    assert np.abs(gap).max() < 2 * p[9:].sum() + 1e-5


@pytest.mark.parametrize("period", [0, -1.0, math.nan, math.inf, None, "day", True], ids=repr)
def test_a_period_that_is_none_is_refused(period):
    with pytest.raises(ValueError, match=r"finite period above 0.*24\.0 for hours"):
        Cyclic(period)


def test_there_is_no_default_period():
    with pytest.raises(TypeError):
        Cyclic()


@pytest.mark.parametrize(
    ("harmonics", "arguments", "message"),
    [
        (0, {}, "harmonics of at least 1"),
        (-2, {}, "harmonics of at least 1"),
        (True, {}, "harmonics of at least 1"),
        (1, {"origin": math.nan}, "finite origin"),
        (1, {"origin": "noon"}, "finite origin"),
        (2, {"weights": (1.0,)}, "one weight"),
        (2, {"weights": (1.0, -1.0)}, "one weight"),
        (2, {"weights": (0.0, 0.0)}, "not all 0"),
        (2, {"weights": (1.0, math.inf)}, "one weight"),
        (1, {"weights": 1.0}, "one weight"),
    ],
)
def test_other_arguments_out_of_range_are_refused(harmonics, arguments, message):
    with pytest.raises(ValueError, match=message):
        Cyclic(24.0, harmonics, **arguments)


def test_whole_numbers_are_refused():
    with pytest.raises(
        Exception, match=r"(?i)floating|parameter"
    ):  # the test run's type check may come first
        Cyclic(24.0)(jnp.arange(3))


def test_a_code_without_first_harmonic_has_no_inverse():
    silent = Cyclic(24.0, 2, weights=(0.0, 1.0))
    with pytest.raises(ValueError, match="first harmonic"):
        silent.decode(silent(jnp.array(1.0)))


def test_numbers_many_periods_away_are_as_good_as_they_are_given():
    """x / 24 in float32 would be 0.004 turns off at a million hours."""
    hours = np.array([1_000_003, 999_999.5, -1_000_003], np.float32)
    expected = 2 * np.pi * (hours.astype(np.float64) % 24) / 24
    got = np.asarray(Cyclic(24.0)(jnp.asarray(hours)), np.float64)
    assert np.abs(got - np.stack([np.sin(expected), np.cos(expected)], axis=1)).max() < 5e-7
