"""Normals, curvatures and foot points against closed forms, in jax.numpy functions written here."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from scipy.optimize import minimize

from geoembed.sdf import Sphere, closest_point, curvatures, plane_curvature, unit_normal

pytestmark = pytest.mark.usefixtures("compiled_quickly")  # formulas of a few numbers

AXES = (1.5, 1.0, 0.7)


def sphere(x):
    return jnp.sqrt(jnp.sum(x**2)) - 0.8


def cylinder(x):
    return jnp.sqrt(x[0] ** 2 + x[1] ** 2) - 0.5


def torus(x):
    return jnp.sqrt((jnp.sqrt(x[0] ** 2 + x[1] ** 2) - 1.0) ** 2 + x[2] ** 2) - 0.3


def ellipsoid(x):
    return (x[0] / AXES[0]) ** 2 + (x[1] / AXES[1]) ** 2 + (x[2] / AXES[2]) ** 2 - 1.0


def saddle(x):
    return x[2] - x[0] * x[1]


def on_sphere(u, v):
    n = np.array([np.cos(u) * np.cos(v), np.sin(u) * np.cos(v), np.sin(v)])
    return 0.8 * n, n, 1 / 0.8, 1 / 0.64


def on_cylinder(u, v):
    n = np.array([np.cos(u), np.sin(u), 0.0])
    return 0.5 * n + np.array([0, 0, v]), n, 1.0, 0.0


def on_torus(u, v):
    n = np.array([np.cos(u) * np.cos(v), np.sin(u) * np.cos(v), np.sin(v)])
    rho = 1.0 + 0.3 * np.cos(v)
    around = np.cos(v) / rho
    return np.array([np.cos(u), np.sin(u), 0]) + 0.3 * n, n, 0.5 * (1 / 0.3 + around), around / 0.3


def on_ellipsoid(u, v):
    a, b, c = AXES
    p = np.array([a * np.cos(u) * np.cos(v), b * np.sin(u) * np.cos(v), c * np.sin(v)])
    steep = np.sum(p**2 / np.array(AXES) ** 4)
    mean = (a**2 + b**2 + c**2 - p @ p) / (2 * (a * b * c) ** 2 * steep**1.5)
    return p, p / np.array(AXES) ** 2 / np.sqrt(steep), mean, 1 / ((a * b * c) * steep) ** 2


def on_saddle(u, v):
    square = 1 + u**2 + v**2
    n = np.array([-v, -u, 1]) / np.sqrt(square)
    # ½ div n for z = xy
    return np.array([u, v, u * v]), n, u * v / square**1.5, -1 / square**2


CASES = {
    "sphere": (sphere, on_sphere),
    "cylinder": (cylinder, on_cylinder),
    "torus": (torus, on_torus),
    "ellipsoid": (ellipsoid, on_ellipsoid),
    "saddle": (saddle, on_saddle),
}


@pytest.mark.parametrize("name", CASES)
def test_closed_forms(name, precision):
    f, parametrised = CASES[name]
    angles = np.random.default_rng(0).uniform(-1.4, 1.4, (40, 2))
    angles[:3] = [(0.0, 0.0), (0.3, 0.0), (0.0, 0.5)]
    points, normals, mean, gaussian = map(np.array, zip(*[parametrised(*a) for a in angles], strict=True))
    both = jax.jit(jax.vmap(lambda x: (curvatures(f, x), unit_normal(f, x))))
    found, normal = both(jnp.asarray(points, precision))
    tolerance = 1e-10 if precision == np.float64 else 3e-5  # in float32, of curvatures up to 3.3
    assert found.mean.dtype == precision
    np.testing.assert_allclose(found.mean, mean, atol=tolerance, rtol=tolerance)
    np.testing.assert_allclose(found.gaussian, gaussian, atol=tolerance, rtol=tolerance)
    half = np.sqrt(np.maximum(mean**2 - gaussian, 0.0))
    loose = 1e-7 if precision == np.float64 else 1e-3  # the reference's own root at equal curvatures
    np.testing.assert_allclose(found.principal, np.stack([mean + half, mean - half], 1), atol=loose)
    np.testing.assert_allclose(found.normal, normals, atol=1e-13 if precision == np.float64 else 1e-6)
    np.testing.assert_allclose(normal, found.normal, atol=1e-13 if precision == np.float64 else 1e-6)


def test_equal_curvatures_come_out_equal(precision):
    points = jnp.asarray(np.random.default_rng(1).normal(size=(50, 3)), precision)
    pair = jax.jit(jax.vmap(lambda x: curvatures(sphere, x).principal))(points)
    np.testing.assert_allclose(pair[:, 0], pair[:, 1], rtol=40 * np.finfo(precision).eps)


def test_zero_gradient_gives_zero_and_finite_derivatives(precision):
    @jax.jit
    def everything(x):
        def parts(x):
            return jnp.concatenate([jnp.ravel(part) for part in curvatures(ellipsoid, x)])

        flat = plane_curvature(lambda p: jnp.vdot(p, p), x[:2])
        return unit_normal(ellipsoid, x), parts(x), flat, jax.jacrev(parts)(x)

    *values, slope = everything(jnp.zeros(3, precision))
    assert not any(np.any(value) for value in values)
    assert np.all(np.isfinite(slope))


def test_derivatives_in_shape_parameters():
    """Of a torus r about R, on its moving outer and inner equators: H = (1/r ± 1/(R ± r))/2, K = ±1/(r (R ± r))."""

    def on_equator(radii, side):
        f = lambda x: jnp.sqrt((jnp.sqrt(x[0] ** 2 + x[1] ** 2) - radii[0]) ** 2 + x[2] ** 2) - radii[1]  # noqa: E731
        found = curvatures(f, jnp.stack([radii[0] + side * radii[1], 0.0 * side, 0.0 * side]))
        return jnp.stack([found.mean, found.gaussian])

    def closed_form(radii, side):
        r, far = radii[1], radii[0] + side * radii[1]
        return jnp.stack([0.5 * (1 / r + side / far), side / (r * far)])

    with jax.enable_x64(True):
        radii, sides = jnp.asarray([1.0, 0.3]), jnp.asarray([1.0, -1.0])
        both = jax.jit(jax.vmap(lambda s: tuple(jax.jacrev(g)(radii, s) for g in (on_equator, closed_form))))
        found, exact = both(sides)
        np.testing.assert_allclose(found, exact, rtol=1e-9)


def test_curves_in_the_plane(precision):
    t = np.linspace(0.1, 6, 17)
    points = jnp.asarray(np.stack([1.5 * np.cos(t), 0.6 * np.sin(t)], 1), precision)
    ellipse = lambda p: (p[0] / 1.5) ** 2 + (p[1] / 0.6) ** 2 - 1.0  # noqa: E731
    found = jax.jit(jax.vmap(lambda x: plane_curvature(ellipse, x)))(points)
    exact = 0.9 / ((1.5 * np.sin(t)) ** 2 + (0.6 * np.cos(t)) ** 2) ** 1.5
    np.testing.assert_allclose(found, exact, rtol=1e-10 if precision == np.float64 else 1e-5)


def nearest_by_search(x):
    """The nearest point of the ellipsoid by minimising over its two angles from many starts."""

    def square(a):
        return np.sum((on_ellipsoid(*a)[0] - x) ** 2)

    starts = [(u, v) for u in np.linspace(-3, 3, 9) for v in np.linspace(-1.4, 1.4, 5)]
    best = min(starts, key=square)
    return np.sqrt(minimize(square, best, tol=1e-14).fun)


def test_foot_points_of_an_implicit_ellipsoid():
    with jax.enable_x64(True):
        points = np.random.default_rng(3).uniform(-1.6, 1.6, (40, 3))
        values = np.array([float(ellipsoid(p)) for p in points])
        points = points[values > -0.5]  # deeper inside a foot point need not be the nearest
        found = jax.jit(jax.vmap(lambda x: closest_point(ellipsoid, x)))(jnp.asarray(points))
        assert np.all(found.converged)
        assert np.max(found.residual) < 1e-13
        exact = np.array([nearest_by_search(p) for p in points])
        np.testing.assert_allclose(np.abs(found.distance), exact, atol=1e-7)
        np.testing.assert_array_equal(np.sign(found.distance), np.sign(values[values > -0.5]))


def test_exact_distances_project_in_one_step(precision):
    x = jnp.asarray([1.0, 2.0, 2.0], precision)
    found, stretched = jax.jit(
        lambda x: (
            closest_point(Sphere(1.5), x, exact=True),
            closest_point(lambda p: 2.0 * sphere(p), x, exact=True),
        )
    )(x)
    np.testing.assert_allclose(found.point, [0.5, 1.0, 1.0], rtol=1e-6)
    assert found.distance == pytest.approx(1.5, rel=1e-6)
    assert bool(found.converged)
    assert not bool(stretched.converged)  # a promise that does not hold is noticed


def test_foot_points_in_float32_and_in_the_plane(precision):
    found = jax.jit(lambda x: closest_point(lambda p: jnp.vdot(p, p) - 1.0, x))(
        jnp.asarray([3.0, 4.0], precision)
    )
    np.testing.assert_allclose(found.point, [0.6, 0.8], rtol=1e-6)
    assert bool(found.converged)
    assert found.point.dtype == precision


def test_derivatives_of_the_foot_point():
    """By finite differences, in the point and in a parameter."""
    with jax.enable_x64(True):
        x = jnp.asarray([1.2, 0.9, -0.6])

        def foot(x, a):
            return closest_point(lambda p: ellipsoid(p * a), x).point

        jacobian, slope = jax.jit(jax.jacrev(foot, argnums=(0, 1)))(x, jnp.asarray(1.1))
        h, values = 1e-5, jax.jit(foot)
        differences = np.stack(
            [(values(x + h * e, 1.1) - values(x - h * e, 1.1)) / (2 * h) for e in jnp.eye(3)], 1
        )
        np.testing.assert_allclose(jacobian, differences, atol=1e-8)
        np.testing.assert_allclose(slope, (values(x, 1.1 + h) - values(x, 1.1 - h)) / (2 * h), atol=1e-8)


@pytest.mark.parametrize("precision", ["float32"], indirect=True)
def test_no_gradient_no_foot_point(precision):
    found, slope = jax.jit(
        lambda x: (
            closest_point(ellipsoid, x, steps=3),
            jax.grad(lambda x: jnp.sum(closest_point(ellipsoid, x, steps=3).point))(x),
        )
    )(jnp.zeros(3, precision))
    assert not bool(found.converged)
    assert np.all(np.isfinite(found.point))
    assert np.all(np.isfinite(slope))
    with pytest.raises(ValueError, match="steps"):
        closest_point(sphere, jnp.ones(3, precision), steps=0)
