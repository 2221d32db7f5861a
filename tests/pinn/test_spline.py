"""The splines of one cell against scipy's, and their integrals against a finer rule."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from scipy.interpolate import BSpline

from geoembed.pinn._cell_moments import slope_products, spline_moments, whole_moments
from geoembed.pinn._spline import FEATURES, spline_gradients, spline_values

POINTS = np.random.default_rng(0).uniform(0, 1, (50, 3))


def reference(t):
    """scipy's quadratic B-spline on the knots 0, 1, 2, 3, seen from a cell that is its last, middle or first."""
    basis = BSpline.basis_element([0, 1, 2, 3], extrapolate=False)
    one = [np.stack([basis(t[:, axis] + shift) for shift in (2, 1, 0)], axis=1) for axis in range(3)]
    return np.einsum("ni,nj,nk->nijk", *one).reshape(-1, 27)


def test_values_are_those_of_scipy():
    np.testing.assert_allclose(spline_values(POINTS, np), reference(POINTS), atol=1e-14)


def test_values_sum_to_one_and_slopes_to_zero():
    np.testing.assert_allclose(spline_values(POINTS, np).sum(axis=1), 1, atol=1e-14)
    np.testing.assert_allclose(spline_gradients(POINTS, np).sum(axis=1), 0, atol=1e-14)


def test_gradients_are_differences():
    step = 1e-5
    for axis in range(3):
        shift = step * np.eye(3)[axis]
        slope = (spline_values(POINTS + shift, np) - spline_values(POINTS - shift, np)) / (2 * step)
        np.testing.assert_allclose(spline_gradients(POINTS, np)[..., axis], slope, atol=1e-10)


def test_a_linear_function_is_reproduced():
    """With the middles of the supports as coefficients: local feature i is centred at i − 1/2."""
    centres = np.stack(np.meshgrid(*[np.arange(3) - 0.5] * 3, indexing="ij"), axis=-1).reshape(-1, 3)
    np.testing.assert_allclose(spline_values(POINTS, np) @ centres, POINTS, atol=1e-14)
    jacobian = np.einsum("nfi,fj->nij", spline_gradients(POINTS, np), centres)
    np.testing.assert_allclose(jacobian, np.broadcast_to(np.eye(3), jacobian.shape), atol=1e-13)


def test_neighbouring_cells_join_with_their_first_derivatives():
    """On a common face, feature (i + 1, j, k) of one cell is feature (i, j, k) of the next one."""
    face = POINTS.copy()
    face[:, 0] = 1.0
    beyond = face.copy()
    beyond[:, 0] = 0.0
    for evaluate in (spline_values, spline_gradients):
        here, there = evaluate(face, np), evaluate(beyond, np)
        here, there = (v.reshape(len(v), 3, 9, -1) for v in (here, there))
        np.testing.assert_allclose(here[:, 1:], there[:, :2], atol=1e-14)
        np.testing.assert_allclose(here[:, 0], 0, atol=1e-14)
        np.testing.assert_allclose(there[:, 2], 0, atol=1e-14)


def test_integrals_match_a_finer_rule():
    products = sum(slope_products(axis, axis) for axis in range(3))
    stiffness = np.einsum("m,mab->ab", whole_moments(), products)
    integral = whole_moments() @ spline_moments()
    nodes, weights = np.polynomial.legendre.leggauss(6)
    t = np.stack(np.meshgrid(*[0.5 * (nodes + 1)] * 3, indexing="ij"), axis=-1).reshape(-1, 3)
    w = np.einsum("a,b,c->abc", *[0.5 * weights] * 3).ravel()
    slopes = spline_gradients(t, np)
    np.testing.assert_allclose(stiffness, np.einsum("q,qai,qbi->ab", w, slopes, slopes), atol=1e-14)
    np.testing.assert_allclose(integral, w @ reference(t), atol=1e-14)
    np.testing.assert_allclose(stiffness.sum(axis=1), 0, atol=1e-14)
    np.testing.assert_allclose(integral.sum(), 1, atol=1e-14)
    assert np.linalg.eigvalsh(stiffness).min() > -1e-14


def test_numpy_and_jax_agree(precision):
    tolerance = 1e-6 if precision == np.float32 else 1e-14
    t = jnp.asarray(POINTS, precision)
    values, slopes = jax.jit(lambda t: (spline_values(t, jnp), spline_gradients(t, jnp)))(t)
    assert values.dtype == precision
    assert values.shape == (50, FEATURES)
    np.testing.assert_allclose(values, spline_values(POINTS, np), atol=tolerance)
    np.testing.assert_allclose(slopes, spline_gradients(POINTS, np), atol=tolerance)


@pytest.mark.parametrize("shape", [(3,), (2, 3), (2, 4, 3)])
def test_leading_axes_are_kept(shape):
    assert spline_values(np.zeros(shape), np).shape == (*shape[:-1], 27)
    assert spline_gradients(np.zeros(shape), np).shape == (*shape[:-1], 27, 3)
