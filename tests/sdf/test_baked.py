"""BakedSDF against scipy's splines, cubic polynomials and automatic differentiation."""

import functools

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
import pytest
from scipy import ndimage

from geoembed.sdf import bake

KEY = jax.random.key(0)
CUBE = ((-1.0, -1.0, -1.0), (1.0, 1.0, 1.0))
QUICKLY = {"xla_backend_optimization_level": 0}  # compiled in half the time: these measure formulas


@functools.partial(jax.jit, compiler_options=QUICKLY)
def bricks_jets(bricks, x):
    """Of the bricks alone: fields on one grid share the compiled function, whatever their reports say."""
    return jax.vmap(bricks.jet)(x)


@functools.partial(jax.jit, compiler_options=QUICKLY)
def differentiated(bricks, x):
    """Value, gradient and second derivatives by automatic differentiation; forward, which compiles sooner."""
    first = jax.jacfwd(bricks)
    return jax.vmap(lambda y: (bricks(y), first(y), jax.jacfwd(first)(y)))(x)


@functools.partial(jax.jit, compiler_options=QUICKLY)
def slopes(bricks, x):
    """Values and gradients, backward."""
    return jax.vmap(jax.value_and_grad(bricks))(x)


def ball(x):
    """A sphere of radius 0.8; the root is kept from 0, where it has no derivative."""
    return jnp.sqrt(jnp.sum(x**2) + 1e-300) - 0.8


def slab(x):
    """A solid with a kink in its middle plane, oblique to the grid."""
    return jnp.abs(0.6 * x[0] + 0.8 * x[2] - 0.03) - 0.5


def halfspace(x):
    return 0.6 * x[0] + 0.8 * x[1] - 0.1


def cubic(x):
    a, b, c = x
    return 0.3 + a - 2 * b * c + a**3 - 2 * b**2 * c + 0.3 * a * b * c + 0.5 * a**2 * c**3 * b


def cubic_gradient(x):
    a, b, c = x.T
    return np.stack(
        [
            1 + 3 * a**2 + 0.3 * b * c + a * c**3 * b,
            -2 * c - 4 * b * c + 0.3 * a * c + 0.5 * a**2 * c**3,
            -2 * b - 2 * b**2 + 0.3 * a * b + 1.5 * a**2 * c**2 * b,
        ],
        axis=1,
    )


def cubic_laplacian(x):
    a, b, c = x.T
    return 6 * a - 4 * c + c**3 * b + 3 * a**2 * c * b


@functools.cache
def baked(function, dtype="float64", **options):
    return bake(function, bounds=CUBE, key=KEY, dtype=dtype, **options)


def dense(function, **options):
    return baked(function, spacing=0.1, **options)


def points_in(field, count, seed=0):
    lower, upper = field.bounds
    return np.random.default_rng(seed).uniform(lower, upper, (count, 3))


def jets(field, points):
    value, gradient, laplacian = bricks_jets(field.field, jnp.asarray(points))
    return np.asarray(value), np.asarray(gradient), np.asarray(laplacian)


def edge_points(field):
    """Corners, edge and face points of the box, and points just inside of them."""
    lower, upper = field.bounds
    sides = np.stack(np.meshgrid(*[[0.0, 1e-9, 0.37, 1.0]] * 3, indexing="ij"), axis=-1).reshape(-1, 3)
    return lower + (upper - lower) * sides


def test_values_are_those_of_scipys_splines():
    """The coefficients cⱼ = (8fⱼ − fⱼ₋₁ − fⱼ₊₁)/6 made and evaluated by scipy.ndimage on one large array."""
    with jax.enable_x64(True):
        field = dense(slab)
        lower, upper = field.bounds
        count = np.rint((upper - lower) / 0.1).astype(int) + 9
        nodes = np.stack(np.meshgrid(*[np.arange(n) - 4 for n in count], indexing="ij"), axis=-1)
        values = np.asarray(jax.vmap(slab)(jnp.asarray(lower + 0.1 * nodes.reshape(-1, 3))))
        coefficients = values.reshape(nodes.shape[:3])
        for axis in range(3):
            coefficients = ndimage.correlate1d(coefficients, np.array([-1, 8, -1]) / 6, axis=axis)
        points = np.concatenate([points_in(field, 500), edge_points(field)])
        expected = ndimage.map_coordinates(
            coefficients, ((points - lower) / 0.1 + 4).T, order=3, prefilter=False
        )
        np.testing.assert_allclose(jets(field, points)[0], expected, atol=1e-13)


def test_cubic_polynomials_are_reproduced_up_to_the_edge_of_the_box():
    """Also across the edges of the narrow band: refined coarse splines are the same cubic."""
    with jax.enable_x64(True):
        field = baked(cubic, spacing=0.02, band=0.02)
        points = np.concatenate([points_in(field, 500), edge_points(field)])
        value, gradient, laplacian = jets(field, points)
        exact = np.asarray(jax.vmap(cubic)(jnp.asarray(points)))
        spacing = np.asarray(jax.vmap(field.spacing)(jnp.asarray(points)))
        assert len(np.unique(spacing)) == len(field.report.spacing)  # every level was met
        np.testing.assert_allclose(value, exact, atol=1e-13 * 10)
        np.testing.assert_allclose(gradient, cubic_gradient(points), atol=1e-11)
        np.testing.assert_allclose(laplacian, cubic_laplacian(points), atol=1e-8)


def faces(field, level, count, seed):
    """Points on faces between cells of a level, one third of them between bricks."""
    rng = np.random.default_rng(seed)
    lower, upper = field.bounds
    step = field.field.grid.step(level)
    points = rng.uniform(lower + 0.1, upper - 0.1, (count, 3))
    axis = rng.integers(0, 3, count)
    rows = np.arange(count)
    cell = np.rint((points[rows, axis] - lower[axis]) / step)
    most = np.array(field.field.grid.shape(level))[axis] - 1
    cell = np.where(rows % 3 == 0, 13 * np.clip(np.rint(cell / 13), 1, most), cell)
    points[rows, axis] = lower[axis] + step * cell
    return points, axis


@pytest.mark.slow
def test_second_derivatives_do_not_jump():
    """Across faces of cells, bricks and levels, for a function with a kink. The third derivatives do jump."""
    with jax.enable_x64(True):
        field = baked(slab, spacing=0.02, band=0.02)
        finest = len(field.report.spacing) - 1
        # as close as float64 coordinates allow without losing which side a point is on
        step = 1e-10

        def up_to_third(x):
            """On a face all second derivatives but the normal one follow from the gradient there."""
            jet = field.field.jet(x)
            return *jet, jax.jacfwd(lambda y: field.field.jet(y).laplacian)(x)

        derivatives = jax.jit(jax.vmap(up_to_third))
        jumps = [0.0] * 4
        for level in range(finest + 1):
            points, axis = faces(field, level, 300, level)
            shift = step * np.eye(3)[axis]
            sides = [derivatives(jnp.asarray(points + sign * shift)) for sign in (-1, 1)]
            for order, (before, behind) in enumerate(zip(*sides, strict=True)):
                jumps[order] = max(jumps[order], float(jnp.max(jnp.abs(behind - before))))
        spacing = field.report.spacing[finest]
        assert jumps[0] < 1e-9
        assert jumps[1] < 1e-8
        assert jumps[2] < 1e-9 / spacing**2
        assert jumps[3] > 0.1 / spacing**2  # the test does look at faces where something happens


@pytest.mark.parametrize("function", [ball, slab, halfspace])
def test_jet_equals_automatic_differentiation(function, precision):
    field = dense(function)
    lower, upper = field.bounds
    around = lower + (upper - lower) * np.random.default_rng(1).uniform(-0.4, 1.4, (300, 3))
    points = jnp.asarray(around, precision)
    value, gradient, laplacian = bricks_jets(field.field, points)
    wanted, slope, bend = differentiated(field.field, points)
    expected = wanted, slope, np.trace(bend, axis1=1, axis2=2)
    tolerance = 2e-4 if precision == np.float32 else 1e-11
    for got, wanted, scale in zip((value, gradient, laplacian), expected, (0.01, 0.1, 10), strict=True):
        assert got.dtype == precision
        np.testing.assert_allclose(got, wanted, rtol=tolerance, atol=tolerance * scale)


def test_outside_the_box_it_is_a_lower_bound_without_a_step(precision):
    field = dense(ball, dtype="float32")
    lower, upper = field.bounds
    rng = np.random.default_rng(0)
    points = rng.uniform(lower - 3, upper + 3, (2000, 3))
    points = points[np.any((points < lower) | (points > upper), axis=1)][:1500]
    face = rng.uniform(lower, upper, (200, 3))
    face[:, 1] = upper[1]
    beyond = face + np.array([0, 1e-5, 0])
    found = slopes(field.field, jnp.asarray(np.concatenate([points, face, beyond]), precision))
    value, slope = (np.asarray(part, np.float64) for part in found)
    exact = np.linalg.norm(points, axis=1) - 0.8
    assert np.all(value[:1500] <= exact + 1e-5)
    assert np.all(value[:1500] >= 0.7 * exact)
    np.testing.assert_allclose(value[1700:], value[1500:1700], atol=2e-5)
    assert np.linalg.norm(slope[:1500], axis=1).max() <= 1 + 1e-3


def test_where_the_box_cuts_the_inside_the_field_stays_continuous():
    """The half space reaches through the box: outside, the box ends it, and the sign changes where f(q) = −r."""
    with jax.enable_x64(True):
        field = dense(halfspace)
        lower, _ = field.bounds
        corner = np.array([lower[0], lower[1], 0.1])
        way = np.linspace(0, 3, 61)[:, None] * np.array([-1.0, 0.0, 0.0])
        value = np.asarray(jax.vmap(field)(jnp.asarray(corner + way)))
        start = 0.6 * lower[0] + 0.8 * lower[1] - 0.1
        np.testing.assert_allclose(value, start + 3 * np.linspace(0, 1, 61), atol=1e-12)


def test_float32_rounds_little():
    field = dense(ball, dtype="float32")
    points = points_in(field, 2000)
    with jax.enable_x64(True):
        exact = np.asarray(jax.vmap(field)(jnp.asarray(points.astype(np.float32), jnp.float64)))
    rounded = np.asarray(jax.vmap(field)(jnp.asarray(points, jnp.float32)))
    assert np.abs(rounded - exact).max() < 1e-6


def test_float64_coefficients_serve_float32_points():
    field = dense(ball)
    points = jnp.asarray(points_in(field, 100), jnp.float32)
    with jax.enable_x64(True):
        exact = jax.vmap(field)(points.astype(jnp.float64))
    np.testing.assert_allclose(jax.vmap(field)(points), exact, atol=1e-6)


def test_feared_points_are_finite(precision):
    field = baked(ball, dtype="float32", spacing=0.02, band=0.02)
    lower, upper = field.bounds
    feared = [np.zeros(3), lower, upper, (lower + upper) / 2, upper + 1e-30, 1e6 * np.ones(3), -upper]
    points = jnp.asarray(np.array(feared), precision)
    for derivatives in (bricks_jets, differentiated, slopes):
        assert all(np.isfinite(part).all() for part in derivatives(field.field, points))


def test_the_coefficients_can_be_trained():
    field = dense(ball, dtype="float32")
    x = jnp.asarray([0.33, 0.21, 0.14], jnp.float32)
    slope = eqx.filter_grad(lambda f: f(x))(field)
    weights = np.asarray(slope.field.tables.coefficients)
    assert np.count_nonzero(weights) == 64
    np.testing.assert_allclose(weights.sum(), 1, atol=1e-6)  # the splines sum to 1
