"""Points drawn in, on and near shapes: integrals over them against closed forms."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from jaxtyping import TypeCheckError
from scipy.stats import qmc

from geoembed.sdf import (
    Box,
    Circle,
    Sphere,
    draw_boundary,
    draw_interior,
    draw_near,
    draw_weighted,
    halton,
    resample,
)
from geoembed.sdf import sobol as sobol_points
from geoembed.sdf._sequences import _directions

BALL, BRICK = Sphere(0.8), Box((1.0, 0.6, 0.8))
METHODS = ("random", "sobol", "halton")


def estimates(draw, integrand, keys=600):
    """Σ w φ for many keys, in one compiled program."""

    def one(key):
        found = draw(key)
        return jnp.sum(found.weights * jax.vmap(integrand)(found.points))

    return np.asarray(jax.jit(jax.vmap(one))(jax.random.split(jax.random.key(0), keys)))


def check_unbiased(values, exact, spread):
    """The mean over keys within 4.5 standard errors, which themselves are small enough to notice a bias."""
    error = values.std(ddof=1) / np.sqrt(len(values))
    assert error < spread * abs(exact)
    assert abs(values.mean() - exact) < 4.5 * error + 1e-6 * abs(exact)


@pytest.mark.parametrize("dimension", range(1, 9))
def test_sobol_numbers_are_scipys(dimension):
    """Unshifted, the points are those of scipy's generator, built from the same published table."""
    directions = _directions(dimension)
    index = np.arange(256)
    gray = index ^ (index >> 1)
    numbers = np.zeros((256, dimension), np.uint32)
    for bit in range(8):
        numbers ^= np.where((gray >> bit & 1)[:, None] == 1, directions[:, bit][None], np.uint32(0))
    with np.errstate(all="ignore"):
        reference = qmc.Sobol(dimension, scramble=False, bits=30).random_base2(8)
    np.testing.assert_allclose(numbers / 2.0**32, reference, atol=2.0**-30)


def test_halton_points_are_scipys():
    with jax.enable_x64(True):
        points = np.asarray(halton(200, 5, key=jax.random.key(1)))
    moved = (points - points[:1]) % 1.0  # the first point of the sequence is 0: this takes the shift away
    reference = qmc.Halton(5, scramble=False).random(200)
    gap = np.abs(moved - reference)
    np.testing.assert_allclose(np.minimum(gap, 1 - gap), 0, atol=1e-12)


@pytest.mark.parametrize("points", [sobol_points, halton])
def test_sequences(points, precision):
    draw = jax.jit(lambda key: points(1000, 6, key=key))
    found = draw(jax.random.key(2))
    assert found.dtype == precision
    assert 0 <= float(found.min()) < 0.01
    assert 0.99 < float(found.max()) < 1
    np.testing.assert_allclose(found.mean(axis=0), 0.5, atol=0.005)  # a Monte Carlo mean is 0.009 off
    assert points(0, 2, key=jax.random.key(2)).shape == (0, 2)
    assert points(1, 2, key=jax.random.key(2)).shape == (1, 2)
    assert not np.array_equal(found, draw(jax.random.key(3)))
    for wrong in ((-1, 2), (4, 0), (4, 9)):
        with pytest.raises(ValueError, match="must lie between"):
            points(*wrong, key=jax.random.key(0))


def test_each_box_of_a_net_holds_one_sobol_point():
    found = np.asarray(sobol_points(64, 2, key=jax.random.key(5)))
    for split in range(7):
        cells = np.floor(found * np.array([2**split, 2 ** (6 - split)])).astype(int)
        assert len(np.unique(cells, axis=0)) == 64


@pytest.mark.parametrize("method", METHODS)
def test_interior_integrals(method):
    """∫ x² over a ball is 4πr⁵/15."""
    draw = lambda key: draw_interior(BALL, 256, key=key, candidates=256, method=method)  # noqa: E731
    check_unbiased(estimates(draw, lambda x: x[0] ** 2), 4 * np.pi * 0.8**5 / 15, 0.006)


def test_more_candidates_than_places_leave_random_draws_unbiased():
    few = lambda key: draw_interior(BALL, 32, key=key, candidates=256, method="random")  # noqa: E731
    check_unbiased(estimates(few, lambda x: x[0] ** 2, 4000), 4 * np.pi * 0.8**5 / 15, 0.006)


def test_interior_points(precision):
    found = jax.jit(lambda shape: draw_interior(shape, 300, key=jax.random.key(0)))(BALL)
    assert found.points.shape == (300, 3)
    assert found.points.dtype == found.weights.dtype == precision
    assert np.all(np.linalg.norm(found.points, axis=1) < 0.8 + 1e-6)
    assert np.all(found.valid)
    assert float(found.measure) == pytest.approx(4 / 3 * np.pi * 0.8**3, rel=0.02)
    disc = jax.jit(lambda shape: draw_interior(shape, 300, key=jax.random.key(0)))(Circle(1.0))
    assert disc.points.shape == (300, 2)
    assert float(disc.measure) == pytest.approx(np.pi, rel=0.02)


def test_too_few_candidates_are_told():
    found = jax.jit(lambda key: draw_interior(BALL, 100, key=key, candidates=100))(jax.random.key(0))
    taken = int(found.valid.sum())
    assert 30 < taken < 70
    np.testing.assert_array_equal(found.points[taken], found.points[0])  # repeated, inside as well
    assert not np.any(found.weights[taken:])
    box = (jnp.zeros(3), jnp.ones(3))
    empty = jax.jit(lambda key: draw_interior(lambda x: x[0] + 9.0, 8, key=key, bounds=box))
    nothing = empty(jax.random.key(0))
    assert not np.any(nothing.valid)
    assert float(nothing.measure) == 0


@pytest.mark.parametrize("spread", ["uniform", "normal"])
def test_near_integrals(spread):
    """∫ |x|² over the layer r ± t of a ball is 4π/5 ((r + t)⁵ − (r − t)⁵)."""
    width, reach = (0.15, 0.15) if spread == "uniform" else (0.1, 0.3)
    exact = 0.8 * np.pi * ((0.8 + reach) ** 5 - (0.8 - reach) ** 5)

    def draw(key):
        return draw_near(BALL, 512, width=width, spread=spread, key=key, candidates=1024, method="random")

    check_unbiased(estimates(draw, lambda x: jnp.sum(x**2)), exact, 0.01)


def test_near_offsets_follow_the_density():
    found = jax.jit(
        lambda key: draw_near(BALL, 4096, width=0.05, spread="normal", key=key, candidates=65536)
    )(jax.random.key(0))
    offsets = np.linalg.norm(found.points, axis=1)[np.asarray(found.valid)] - 0.8
    # Against the volume, the density ∝ exp(−t²/2σ²)(0.8 + t)² has nearly this spread.
    assert offsets.std() == pytest.approx(0.05, rel=0.05)
    assert np.abs(offsets).max() < 0.1501


@pytest.mark.parametrize("side", ["both", "outside", "inside"])
def test_boundary_integrals_of_a_ball(side):
    """∫ x² dA = 4πr⁴/3, exact for a wide band."""

    def draw(key):
        return draw_boundary(BALL, 512, width=0.4, side=side, key=key, candidates=2048, method="random")

    check_unbiased(estimates(draw, lambda x: x[0] ** 2, 300), 4 / 3 * np.pi * 0.8**4, 0.008)


def test_boundary_integrals_of_a_box_from_outside():
    """Convex: exact for any width, though edges and corners lie in the band. ∫ x² dA by sides."""

    def draw(key):
        return draw_boundary(BRICK, 512, width=0.2, side="outside", key=key, candidates=2048, method="random")

    sides = 2 * 0.6 * 0.8 * 0.25 + 2 * (0.6 + 0.8) * 1.0 / 12
    check_unbiased(estimates(draw, lambda x: x[0] ** 2, 300), sides, 0.008)


def test_boundary_points_and_normals(precision):
    found = jax.jit(lambda key: draw_boundary(BALL, 200, width=0.1, key=key))(jax.random.key(4))
    np.testing.assert_allclose(np.linalg.norm(found.points, axis=1), 0.8, rtol=1e-5)
    np.testing.assert_allclose(found.normals, found.points / 0.8, atol=1e-5)
    assert found.points.dtype == precision
    rim = jax.jit(lambda key: draw_boundary(Circle(0.5), 200, width=0.1, key=key))(jax.random.key(4))
    assert float(rim.measure) == pytest.approx(np.pi, rel=0.03)


@pytest.mark.parametrize("method", METHODS)
def test_weights_undo_the_density(method):
    """∫ x y over the unit square is 1/4, whatever the density of the points."""
    box = (jnp.zeros(2), jnp.ones(2))

    def draw(key):
        density = lambda x: 0.2 + x[0] ** 2  # noqa: E731
        return draw_weighted(density, box, 512, peak=1.0, key=key, candidates=512, method=method)

    check_unbiased(estimates(draw, lambda x: x[0] * x[1]), 0.25, 0.004)


def test_the_drawn_density():
    box = (jnp.zeros(2), jnp.ones(2))
    found = jax.jit(
        lambda key: draw_weighted(lambda x: x[0], box, 4096, peak=1.0, key=key, candidates=16384)
    )(jax.random.key(0))
    assert np.all(found.valid)
    assert float(found.points[:, 0].mean()) == pytest.approx(2 / 3, abs=0.01)  # density 2x


def test_resampling_is_unbiased(precision):
    scores = np.random.default_rng(0).random(50) ** 4
    scores[7] = 0.0
    scores = jnp.asarray(scores, precision)
    values = jnp.asarray(np.random.default_rng(1).normal(1.0, 1.0, 50), precision)

    def one(key, floor):
        picked, weights = resample(scores, 20, key=key, floor=floor)
        return jnp.sum(weights * values[picked]), picked

    keys = jax.random.split(jax.random.key(0), 4000)
    both = jax.jit(jax.vmap(lambda key: (one(key, 0.2)[0], one(key, 0.0)[1])))
    sums, picked = map(np.asarray, both(keys))
    check_unbiased(sums, float(values.sum()), 0.006)
    counts = np.stack([np.bincount(row, minlength=50) for row in picked])
    expected = 20 * np.asarray(scores / scores.sum())
    np.testing.assert_allclose(counts.mean(axis=0), expected, atol=4.5 * 0.5 / np.sqrt(len(keys)))
    assert np.abs(counts - expected[None]).max() < 1 + 1e-4  # rounded up or down, never farther off
    assert not counts[:, 7].any()
    even, weights = resample(jnp.zeros(4), 4, key=jax.random.key(0))
    assert even.tolist() == [0, 1, 2, 3]
    np.testing.assert_allclose(weights, 1)
    with pytest.raises(ValueError, match="floor"):
        resample(scores, 4, key=jax.random.key(0), floor=1.5)


def test_arguments_are_checked():
    key, box = jax.random.key(0), (jnp.zeros(3), jnp.ones(3))
    with pytest.raises(ValueError, match="no bounds"):
        draw_interior(lambda x: x[0], 8, key=key)
    with pytest.raises(ValueError, match="candidates expected"):
        draw_interior(BALL, 8, key=key, candidates=4)
    wrong = (ValueError, TypeCheckError)  # type checking, where it is on, notices first
    with pytest.raises(wrong, match="spread"):
        draw_near(BALL, 8, width=0.1, spread="wide", key=key)  # pyright: ignore[reportArgumentType]
    with pytest.raises(wrong, match="side"):
        draw_boundary(BALL, 8, width=0.1, side="left", key=key)  # pyright: ignore[reportArgumentType]
    with pytest.raises(wrong, match="method"):
        draw_weighted(lambda x: x[0], box, 8, peak=1.0, key=key, method="grid")  # pyright: ignore[reportArgumentType]
