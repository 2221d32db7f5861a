"""The boundary function of an edge that ends in a corner: the corner's function near it, the distance far away."""

import math

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from geoembed import sdf

pytestmark = pytest.mark.usefixtures("compiled_quickly")  # formulas of a few numbers

ANGLES = {"crack": 2 * math.pi, "re-entrant": 1.5 * math.pi, "straight": math.pi, "blunt": 2.1, "sharp": 0.7}
EDGE = sdf.WedgeBoundary((0.3, -0.2), (3.0, 4.0), 1.5 * math.pi, 2.0)


def polar(r, turn, angle=1.0):
    """The point of EDGE at this distance and angle from it, towards the domain for an edge of this angle."""
    first = math.atan2(4.0, 3.0)
    turn = first + np.sign(angle) * np.asarray(turn)
    return np.stack([0.3 + r * np.cos(turn), -0.2 + r * np.sin(turn)], axis=-1)


@jax.jit
def jets(phi, points):
    """Values, gradients and Hessians, forward over forward."""
    gradient = jax.jacfwd(phi)
    return jax.vmap(lambda x: (phi(x), gradient(x), jax.jacfwd(gradient)(x)))(points)


def at(phi, points, dtype):
    points = np.atleast_2d(points)
    padded = np.concatenate([points, np.broadcast_to(points[:1], (256 - len(points), 2))])
    return [np.asarray(rows)[: len(points)] for rows in jets(phi, jnp.asarray(padded, dtype))]


@pytest.mark.parametrize("side", [1.0, -1.0])
@pytest.mark.parametrize("name", ANGLES)
def test_it_is_the_function_of_the_corner(name, side, precision):
    angle = ANGLES[name]
    beta = min(1.0, math.pi / (2 * angle))
    phi = sdf.WedgeBoundary((0.3, -0.2), (3.0, 4.0), side * angle, 2.0)
    r, turn = (a.ravel() for a in np.meshgrid([0.01, 0.4, 3.0], angle * np.linspace(0.05, 0.95, 7)))
    values, _, _ = at(phi, polar(r, turn, side), precision)
    expected = 2 / beta * (r / 2) ** beta * (1 + r**2 / 4) ** ((1 - beta) / 2) * np.sin(beta * turn)
    np.testing.assert_allclose(values, expected, rtol=1e-11 if precision == np.float64 else 2e-4)


def test_both_edges_together_are_r_to_alpha_times_a_smooth_function():
    with jax.enable_x64(True):
        other = sdf.WedgeBoundary((0.3, -0.2), (4.0, -3.0), -1.5 * math.pi, 2.0)  # EDGE turned by 3π/2
        r, turn = (a.ravel() for a in np.meshgrid([1e-6, 1e-3], 1.5 * math.pi * np.linspace(0.02, 0.98, 9)))
        points = polar(r, turn)
        product = at(EDGE, points, np.float64)[0] * at(other, points, np.float64)[0]
    ratio = product / (r ** (2 / 3) * np.sin(2 * turn / 3))
    np.testing.assert_allclose(ratio, 9 * 2 ** (4 / 3) / 2, rtol=1e-5)


def test_far_from_the_corner_it_is_the_distance(precision):
    for share in (20.0, 200.0):
        value, gradient, _ = at(EDGE, polar(share, 0.0), precision)
        assert value[0] < 1e-4 * share
        slope = (1 + (2.0 / share) ** 2) ** (1 / 3)
        np.testing.assert_allclose(gradient[0], slope * np.array([-0.8, 0.6]), rtol=1e-3, atol=1e-3)


@pytest.mark.parametrize("name", ANGLES)
def test_it_is_positive_off_the_edge_and_its_hessian_has_no_jump(name):
    angle = ANGLES[name]
    phi = sdf.WedgeBoundary((0.3, -0.2), (3.0, 4.0), angle, 2.0)
    step = 1e-3
    turn = np.arange(0.01, 2 * math.pi - 0.01, step * 30)
    joins = np.array([max(angle, math.pi / 2), min(2 * max(angle, math.pi / 2), 2 * math.pi)])
    turn = np.concatenate([turn, joins[joins < 6.0]])
    with jax.enable_x64(True):
        value, gradient, hessian = at(phi, polar(1.0, turn), np.float64)
        ahead = at(phi, polar(1.0, turn + step), np.float64)[2]
        behind = at(phi, polar(1.0, turn - step), np.float64)[2]
    assert value.min() > 0
    assert np.isfinite(gradient).all()
    assert (
        np.abs(ahead - 2 * hessian + behind).max() < 2e-3
    )  # a jump of the third derivative would give 1e-3 · jump
    assert np.abs(ahead - behind).max() < 0.3


def test_at_the_corner_it_is_zero_with_finite_derivatives(precision):
    for derivative in at(EDGE, [[0.3, -0.2]], precision):
        assert np.all(derivative == 0)


def test_on_the_edge_the_gradient_points_into_the_domain(precision):
    points = polar(np.linspace(0.1, 5.0, 40), 0.0)
    for phi, normal in (
        (EDGE, (-0.8, 0.6)),
        (sdf.WedgeBoundary((0.3, -0.2), (3.0, 4.0), -4.0, 2.0), (0.8, -0.6)),
    ):
        value, gradient, hessian = at(phi, points, precision)
        assert value.max() < (1e-14 if precision == np.float64 else 1e-5)
        assert (gradient @ np.array(normal)).min() > 0.99
        assert np.isfinite(hessian).all()


@pytest.mark.parametrize("angle", [0.0, 6.5, -7.0])
def test_angles_beyond_a_turn_are_refused(angle):
    with pytest.raises(ValueError, match="angle must lie between"):
        sdf.WedgeBoundary((0.0, 0.0), (1.0, 0.0), angle, 1.0)
