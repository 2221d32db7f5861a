"""The smoothed field against integrals in closed form or by quadrature."""

import functools

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from scipy.interpolate import BSpline

from geoembed.core import InputError
from geoembed.sdf import mollify
from geoembed.sdf._bspline._bake_measure import field_derivatives

KEY = jax.random.key(0)
CUBE = ((-1.0, -1.0, -1.0), (1.0, 1.0, 1.0))
WIDTH = 0.15


def ball(x):
    return jnp.sqrt(jnp.sum(x**2) + 1e-300) - 0.8


def slab(x):
    return jnp.abs(x[0] - 0.013) - 0.5


def quadrant(x):
    """An edge of 90°: x, y < 0 is inside."""
    q = jnp.maximum(x[:2], 0)
    outside = jnp.sum(q * q)
    length = jnp.where(outside > 0, jnp.sqrt(jnp.where(outside > 0, outside, 1)), 0)
    return length + jnp.minimum(jnp.max(x[:2]), 0)


@functools.cache
def smooth(function):
    return mollify(function, WIDTH, bounds=CUBE, key=KEY, dtype="float64")


def jets(field, points):
    """By the library's own loop over chunks: one compilation for the grid."""
    return field_derivatives(field.field, points)


def kernel(order=400):
    """Nodes and weights of the average with the cubic B-spline of width WIDTH (midpoint rule)."""
    nodes = (np.arange(order) + 0.5) / order * 4 - 2
    weights = BSpline.basis_element([-2, -1, 0, 1, 2])(nodes)
    return WIDTH * nodes, weights / weights.sum()


def test_a_kink_becomes_the_average_over_the_kernel():
    nodes, weights = kernel()
    x = np.linspace(-0.6, 0.6, 41)
    points = np.stack([x, 0.1 + 0 * x, -0.2 + 0 * x], axis=1)
    value, gradient, laplacian = jets(smooth(slab), points)
    shifted = x[:, None] - 0.013 - nodes[None]
    np.testing.assert_allclose(value, np.abs(shifted) @ weights - 0.5, atol=2e-2 * WIDTH)
    np.testing.assert_allclose(gradient[:, 0], np.sign(shifted) @ weights, atol=5e-2)
    np.testing.assert_allclose(gradient[:, 1:], 0, atol=1e-9)
    peak = 2 * 2 / 3 / WIDTH  # the jump is 2, the spline's largest value 2/3
    assert 0.8 * peak < laplacian.max() < 1.2 * peak


def test_planes_stay():
    """Farther than the kernel reaches from the kink, planes are reproduced exactly."""
    rng = np.random.default_rng(0)
    points = rng.uniform([0.45, -1, -1], [1, 1, 1], (200, 3))
    value, gradient, laplacian = jets(smooth(slab), points)
    np.testing.assert_allclose(value, points[:, 0] - 0.513, atol=1e-13)
    np.testing.assert_allclose(gradient, np.broadcast_to([1.0, 0, 0], gradient.shape), atol=1e-11)
    np.testing.assert_allclose(laplacian, 0, atol=1e-8)
    assert smooth(slab).report.surface.largest < 1e-13


def test_a_sphere_moves_by_its_curvature():
    """Mean curvature 1/R; the variance of the kernel is w²/3 along each axis."""
    shift = smooth(ball).report.surface
    assert shift.median == pytest.approx(WIDTH**2 / 3 / 0.8, rel=0.05)
    value, _, _ = jets(smooth(ball), np.array([[0.8, 0.0, 0.0], [0.0, -0.8, 0.0]]))
    assert np.all(value > 0)  # it shrinks


def test_an_edge_moves_by_the_stated_part_of_the_width():
    nodes, weights = kernel(60)
    x, y = np.meshgrid(-nodes, -nodes, indexing="ij")
    q = np.maximum([x, y], 0)
    exact = np.hypot(*q) + np.minimum(np.maximum(x, y), 0)
    value, gradient, _ = jets(smooth(quadrant), np.array([[0.0, 0.0, 0.1]]))
    assert value[0] == pytest.approx(weights @ exact @ weights, rel=0.1)
    assert value[0] / np.linalg.norm(gradient[0]) == pytest.approx(0.45 * WIDTH, rel=0.2)


def test_second_derivatives_are_bounded_and_gradients_do_not_exceed_one():
    points = np.random.default_rng(0).uniform(-1, 1, (20_000, 3))
    _, gradient, laplacian = jets(smooth(quadrant), points)
    assert np.linalg.norm(gradient, axis=1).max() < 1.01
    assert np.abs(laplacian).max() < 1.3 * 2 * np.sqrt(2) / (3 * WIDTH) * np.sqrt(2)


def test_the_report_names_the_width_of_the_grid():
    report = smooth(ball).report
    assert report.status == "fixed spacing"
    assert report.spacing == (WIDTH / 2,)
    assert report.tolerance is None


def test_wrong_arguments():
    with pytest.raises(ValueError, match="width must be positive"):
        mollify(ball, 0.0, bounds=CUBE, key=KEY)
    with pytest.raises(InputError, match="more than memory=1000"):
        mollify(ball, 0.1, bounds=CUBE, key=KEY, memory=1000)
