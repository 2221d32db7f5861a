"""What the table of all shapes does not say about primitives: precision, arguments, closed forms, mistakes."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

import geoembed
from geoembed import sdf
from geoembed.sdf._shapes._shape import point_of


@jax.jit
def values_and_slopes(shape, points):
    return jax.vmap(jax.value_and_grad(shape))(points)


def test_a_shape_made_without_float64_serves_float64_points():
    """0.1 is not a float32 number: the parameter must not have been rounded on the way."""
    sphere = sdf.Sphere(0.1)
    assert float(sphere(jnp.zeros(3))) == -np.float32(0.1)
    with jax.enable_x64(True):
        x = jnp.zeros(3, jnp.float64)
        for value in (sphere(x), jax.jit(sphere)(x), jax.jit(lambda s, x: s(x))(sphere, x)):
            assert value.dtype == jnp.float64
            assert float(value) == -0.1
    assert float(jax.jit(sphere)(jnp.zeros(3))) == -np.float32(0.1)


@pytest.mark.parametrize("given", [0.1, np.float32(0.1), np.array(0.1), jnp.asarray(0.1), 1], ids=repr)
def test_parameters_of_every_kind_are_differentiated(given, precision):
    x = jnp.asarray([1.0, 2.0, 2.0], precision)
    sphere = sdf.Sphere(given)
    assert sphere(x).dtype == precision
    assert float(jax.grad(lambda s: s(x))(sphere).radius) == -1.0


def test_shapes_are_made_inside_transformations():
    """A family of boxes at one point, and a derivative through the constructor."""
    sizes = jnp.asarray([[1.0, 1.0], [2.0, 3.0]])
    x = jnp.asarray([2.0, 0.0])
    np.testing.assert_allclose(jax.vmap(lambda size: sdf.Box(size)(x))(sizes), [1.5, 1.0])
    mixed = jax.jit(jax.grad(lambda width: sdf.Box((width, 1.0))(x)))
    assert float(mixed(1.0)) == -0.5


def test_a_batch_of_shapes_is_a_shape_with_longer_leaves():
    balls = jax.vmap(sdf.Sphere)(jnp.asarray([1.0, 2.0]))
    np.testing.assert_allclose(jax.vmap(lambda s, x: s(x), (0, None))(balls, jnp.zeros(3)), [-1.0, -2.0])


def root(x, axes):
    """The distances to an ellipsoid by bisection of its equation, in float64."""
    x, shortest = np.abs(x), axes.min()
    low, high = np.full(len(x), -(shortest**2)), np.linalg.norm(axes * x, axis=1) + 1
    for _ in range(200):
        t = 0.5 * (low + high)
        outside = np.sum((axes * x / (t[:, None] + axes**2)) ** 2, axis=1) > 1
        low, high = np.where(outside, t, low), np.where(outside, high, t)
    return high * np.linalg.norm(x / (high[:, None] + axes**2), axis=1)


@pytest.mark.parametrize("aspect", [1.0, 3.0, 30.0, 1000.0])
@pytest.mark.parametrize("d", [2, 3])
def test_an_ellipsoid_of_any_aspect_is_exact(d, aspect, precision):
    random = np.random.default_rng(3)
    axes = np.exp(-random.uniform(0, np.log(aspect), d)).astype(precision).astype(float)
    x = random.normal(size=(300, d)) * np.where(
        np.arange(300)[:, None] % 2, 1.0, axes[None]
    )  # half near the inside
    x = (x + 1e-3).astype(precision).astype(float)
    shape = sdf.Ellipse(axes) if d == 2 else sdf.Ellipsoid(axes)
    got, slopes = values_and_slopes(shape, jnp.asarray(x, precision))
    expected = root(x, axes)
    tolerance = 2e-6 if precision == np.float32 else 1e-13
    np.testing.assert_allclose(got, expected, rtol=tolerance, atol=tolerance)
    np.testing.assert_allclose(np.linalg.norm(slopes, axis=1), 1, rtol=tolerance)


def test_curvature_of_an_ellipsoid_comes_from_its_second_derivatives():
    """At the end of the half axis a the two principal curvatures are a/b² and a/c²."""
    a, b, c = 1.5, 1.0, 0.6
    with jax.enable_x64(True):
        hessian = jax.jit(jax.hessian(sdf.Ellipsoid((a, b, c))))(jnp.asarray([a, 0.0, 0.0]))
    np.testing.assert_allclose(hessian, np.diag([0, a / b**2, a / c**2]), atol=1e-10)


def test_an_ellipsoid_with_equal_axes_is_a_sphere(precision):
    x = jnp.asarray(np.random.default_rng(0).normal(size=(50, 3)), precision)
    (got, _), (expected, _) = (
        values_and_slopes(f, x) for f in (sdf.Ellipsoid((0.7, 0.7, 0.7)), sdf.Sphere(0.7))
    )
    np.testing.assert_allclose(got, expected, atol=1e-6 if precision == np.float32 else 1e-14)


@pytest.mark.parametrize("surface", [sdf.Gyroid, sdf.SchwarzP, sdf.SchwarzD])
def test_a_periodic_surface_attains_its_lipschitz_constant(surface):
    """The steepest gradient on a fine grid is 1: the constant is not larger than it must be."""
    grid = np.linspace(0, 1, 24, endpoint=False)
    points = jnp.asarray(np.stack(np.meshgrid(grid, grid, grid), -1).reshape(-1, 3))
    slopes = jnp.linalg.norm(jax.jit(jax.vmap(jax.grad(surface(1.0))))(points), axis=1)
    assert 0.999 < float(slopes.max()) < 1 + 1e-6


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: sdf.Sphere(-1.0), "Sphere: radius must be above 0"),
        (lambda: sdf.Sphere(np.nan), "Sphere: radius must be finite"),
        (lambda: sdf.Sphere((1.0, 2.0)), "Sphere: radius must be one number"),
        (lambda: sdf.Box((1.0, 0.0)), "Box: size must be above 0"),
        (lambda: sdf.Box((1.0,)), "Box: size must be 2 or 3 numbers"),
        (lambda: sdf.RoundedBox((1.0, 1.0), 0.6), "at most half the shortest side"),
        (lambda: sdf.BoxFrame((1.0, 1.0, 1.0), 0.6), "at most half the shortest side"),
        (lambda: sdf.HalfSpace((0.0, 0.0, 0.0)), "normal must have a length"),
        (lambda: sdf.RegularPolygon(2, 1.0), "at least 3, received 2"),
        (lambda: sdf.Star(0, 1.0, 0.5), "whole number"),
        (lambda: sdf.Arc(1.0, 6.2, 0.4), "ends overlap"),
        (lambda: sdf.Arc(1.0, 7.0, 0.4), "at most 2π"),
        (lambda: sdf.Torus(0.3, 0.5), "thicker than its hole"),
        (lambda: sdf.CappedCone(0.0, 0.0, 1.0), "both 0"),
        (lambda: sdf.RoundedCone(2.0, 0.5, 1.0), "one ball contains the other"),
        (lambda: sdf.Capsule((0.0, 0.0), (1.0, 0.0, 0.0), 1.0), "differ in length"),
        (lambda: sdf.Polygon([(0, 0), (1, 0)]), "at least 3 points"),
        (lambda: sdf.Polygon([(0, 0), (1, 1), (2, 2)]), "encloses no area"),
        (lambda: sdf.Polygon([(0, 0), (1, 0), (0, 1)], [[(0, 0), (1, np.inf), (2, 2)]]), "hole 0"),
    ],
)
def test_impossible_shapes_are_refused(make, message):
    with pytest.raises(ValueError, match=message):
        make()


def test_a_point_must_fit_the_shape():
    """Asked of the check itself: in a test run the type checker would come first."""
    with pytest.raises(ValueError, match=r"one point of shape \(3,\), received \(2, 3\): use jax.vmap"):
        point_of(jnp.zeros((2, 3)), sdf.Sphere(1.0))
    with pytest.raises(ValueError, match="floating-point"):
        point_of(jnp.zeros(3, int), sdf.Sphere(1.0))


def test_a_damaged_artefact_is_refused(tmp_path):
    """A loaded shape passes the same checks as a new one."""
    geoembed.save(tmp_path / "ball", jax.tree.map(lambda leaf: -leaf, sdf.Ellipsoid((1.0, 2.0, 3.0))))
    with pytest.raises(geoembed.core.ArtefactError, match="must be above 0"):
        geoembed.load(tmp_path / "ball")


def test_examples_lie_on_the_exact_side_off_surface_and_kinks():
    shape = sdf.Box((2.0, 2.0)) | sdf.Circle(0.5).translate((1.0, 0.0))
    items = np.array(shape.examples(40, key=jax.random.key(0)))
    values = np.asarray(jax.vmap(shape)(jnp.asarray(items)))
    assert items.shape == (40, 2)
    assert np.all(values > 0.01)
    again = np.array(shape.examples(40, key=jax.random.key(0)))
    assert np.array_equal(items, again)


def test_a_batch_far_away_is_still_right(precision):
    """Large coordinates lose digits in proportion, and nothing overflows."""
    far = jnp.asarray([[1e6, -2e6, 3e6]], precision)
    length = float(np.linalg.norm(np.asarray(far, float)))
    for shape in (sdf.Sphere(1.0), sdf.Ellipsoid((1.0, 0.5, 0.2)), sdf.Torus(0.5, 0.2), sdf.Octahedron(1.0)):
        np.testing.assert_allclose(jax.jit(jax.vmap(shape))(far), [length], rtol=2e-6)


@jax.jit
def values_of(shape, points):
    return jax.vmap(shape)(points)


def test_the_sign_far_from_a_polygon_is_right(precision):
    """Farther than 1/rounding of its size all edges are equally near; the side of the nearest would decide wrongly."""
    corners = np.array([(0, 0), (2, 0), (2, 1), (1, 1), (1, 2), (0, 2)], float)
    turns = np.linspace(0.1, 6.2, 30)
    far = 1e12 / (1e-8 if precision == np.float64 else 1.0) * np.stack([np.cos(turns), np.sin(turns)], 1)
    upwards = np.array([[1.0, 1e12], [0.5, -1e20], [1e10, 0.7], [-1e20, 1.3]])
    points = jnp.asarray(np.concatenate([far, upwards]), precision)
    values = values_of(sdf.Polygon(corners), points)
    np.testing.assert_allclose(values, np.hypot(*np.asarray(points, float).T), rtol=1e-6)


def test_at_the_centre_of_a_wedge_nothing_is_nan():
    """The angle of two subnormal numbers, which a processor may take for zeros, is 0/0."""
    tiny = jnp.full((3, 2), 1e-44)
    for shape in (sdf.RegularPolygon(5, 1.0), sdf.Star(5, 1.0, 0.5)):
        values, slopes = values_and_slopes(shape, tiny)
        assert np.isfinite(values).all()
        assert np.isfinite(slopes).all()
