"""Splines on one axis and their products, against scipy's; the band matrix, against dense ones."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from scipy.interpolate import BSpline

from geoembed.core import load, save
from geoembed.pinn import TensorSpline
from geoembed.pinn._banded import BandMatrix
from geoembed.pinn._spline_axis import SplineAxis
from geoembed.pinn._spline_grid import SplineGrid

RNG = np.random.default_rng(3)
BREAKS = np.array([-1.0, -0.7, -0.65, 0.1, 0.4, 1.0])
PLACES = np.linspace(-1, 1, 57)
AXES = [(degree, periodic) for degree in (2, 3, 7) for periodic in (False, True)]


def of_scipy(axis, coefficients):
    """The same spline, with knots made in another way."""
    breaks, degree = axis.breaks, axis.degree
    if not axis.periodic:
        knots = np.r_[[breaks[0]] * degree, breaks, [breaks[-1]] * degree]
        return BSpline(knots, coefficients, degree)
    several = np.unique(np.concatenate([breaks + 2 * turn for turn in range(-4, 5)]).round(12))
    first = int(np.searchsorted(several, -1.0)) - degree
    knots = several[first : first + axis.intervals + 2 * degree + 1]
    return BSpline(knots, np.resize(coefficients, axis.intervals + degree), degree)


@pytest.mark.parametrize(("degree", "periodic"), AXES)
def test_an_axis_has_the_splines_of_scipy(degree, periodic):
    axis = SplineAxis(BREAKS, degree, periodic)
    coefficients = RNG.normal(size=axis.count)
    assert axis.basis(PLACES) @ coefficients == pytest.approx(of_scipy(axis, coefficients)(PLACES), abs=1e-12)


@pytest.mark.parametrize(("degree", "periodic"), AXES)
def test_halved_intervals_hold_the_same_function(degree, periodic):
    axis = SplineAxis(BREAKS, degree, periodic)
    finer = axis.halved(np.array([False, True, False, False, False]))
    assert np.all(np.isin(BREAKS, finer.breaks)), "no end of an interval is moved"
    even = SplineAxis(np.linspace(-1, 1, 6), degree, periodic)
    for _ in range(4):
        even = even.halved(np.arange(even.intervals) == 3)
    ratios = even.widths[1:] / even.widths[:-1]
    assert max(np.max(ratios), np.max(1 / ratios)) < 2.11, "neighbours are halved with an interval"
    assert even.intervals < 5 * 2**4, "but not all of them"
    coefficients = RNG.normal(size=axis.count)
    lifted = axis.lift(finer) @ coefficients
    assert finer.basis(PLACES) @ lifted == pytest.approx(axis.basis(PLACES) @ coefficients, abs=1e-9)


def test_the_coefficients_of_a_line_are_its_values_at_the_greville_places():
    axis = SplineAxis(BREAKS, 5, periodic=False)
    assert axis.basis(PLACES) @ axis.greville == pytest.approx(PLACES, abs=1e-13)


def test_the_highest_derivative_of_a_monomial():
    """The spline xᵖ has the derivative p! everywhere, so it does not jump."""
    axis = SplineAxis(BREAKS, 4, periodic=False)
    coefficients = np.linalg.lstsq(axis.basis(PLACES), PLACES**4, rcond=None)[0]
    highest = axis.highest @ coefficients * 24
    assert highest == pytest.approx(np.full(5, 24.0), rel=1e-6)
    assert np.max(axis.jumps(highest)) < 1e-6


def test_jumps_are_those_of_a_kink():
    """A spline of degree 1 with the slopes 0 and 3 on both sides of 0.1."""
    axis = SplineAxis(BREAKS, 1, periodic=False)
    kink = 3 * np.maximum(BREAKS - 0.1, 0)
    assert axis.jumps(axis.highest @ kink) == pytest.approx(
        3 * axis.widths * np.array([0, 0, 1, 1, 0]), abs=1e-12
    )


def product(degree, periodic=(False, True)):
    other = SplineAxis(np.array([-1.0, 0.2, 0.3, 1.0]), degree, periodic[1])
    axes = (SplineAxis(BREAKS, degree, periodic[0]), other)
    grid = SplineGrid(axes, 2)
    return grid, RNG.normal(size=grid.size)


def test_a_product_of_splines(precision):
    """Two functions of two coordinates, also beyond the seam of a period, with their derivatives."""
    grid, vector = product(3)
    spline = grid.spline(vector)
    with jax.enable_x64(True):
        spline = TensorSpline(np.asarray(spline.coefficients), spline.breaks, 3, spline.periodic)
    points = RNG.uniform(-1, 1, (20, 2))
    outside = points + np.array([0.0, 2.0])
    coefficients = grid.coefficients(vector)
    lines = [axis.basis(points[:, number]) for number, axis in enumerate(grid.axes)]
    wanted = np.einsum("na,nb,abm->nm", *lines, coefficients)
    tolerance = 1e-12 if precision == np.float64 else 3e-5
    for place in (points, outside):
        found = jax.jit(jax.vmap(spline))(jnp.asarray(place, precision))
        assert found.dtype == precision
        assert np.asarray(found) == pytest.approx(wanted, abs=tolerance)


@pytest.mark.slow
def test_derivatives_of_a_product_of_splines():
    grid, vector = product(3)
    step, points = 1e-5, RNG.uniform(-0.99, 0.99, (20, 2))
    with jax.enable_x64(True):
        spline = grid.spline(vector)
        slopes = np.asarray(jax.vmap(jax.jacfwd(spline))(jnp.asarray(points)))
        for axis in range(2):
            ahead, behind = (
                jax.vmap(spline)(jnp.asarray(points + s * np.eye(2)[axis])) for s in (step, -step)
            )
            differences = np.asarray(ahead - behind) / (2 * step)
            assert slopes[:, :, axis] == pytest.approx(differences, abs=1e-7)


def test_a_spline_is_saved(tmp_path):
    grid, vector = product(2)
    spline = grid.spline(vector)
    save(tmp_path / "spline", spline)
    again = load(tmp_path / "spline")
    assert (again.breaks, again.degree, again.periodic) == (spline.breaks, spline.degree, spline.periodic)
    assert np.array_equal(again.coefficients, spline.coefficients)


def test_coefficients_of_another_shape_are_refused():
    with pytest.raises(ValueError, match="these breaks have 4 splines, received coefficients of shape"):
        TensorSpline(jnp.zeros((3, 1)), ((-1.0, 0.0, 1.0),), 2, (False,))


def test_coefficients_that_meet_in_a_cell_lie_within_the_band():
    for periodic in ((False, True), (True, False), (False, False)):
        grid, vector = product(3, periodic)
        places = grid.places(grid.cells)
        reach = int(np.max(places.max(axis=1) - places.min(axis=1))) + grid.unknowns - 1
        assert reach <= grid.band
        assert np.array_equal(grid.vector(grid.coefficients(vector)), vector)


# --- the band matrix


def small(rng, size=40, width=5):
    """Dense blocks along the diagonal and the same sum as a dense matrix."""
    places = np.arange(size - width + 1)[:, None] + np.arange(width)
    factors = rng.normal(size=(len(places), 7, width))
    parts = np.einsum("bra,brc->bac", factors, factors)
    dense = np.zeros((size, size))
    for place, part in zip(places, parts, strict=True):
        dense[np.ix_(place, place)] += part
    matrix = BandMatrix(size, width - 1)
    matrix.add(places[:20], parts[:20])
    matrix.add(places[20:], parts[20:])
    return matrix, dense


def test_a_band_matrix_is_solved_as_a_dense_one():
    matrix, dense = small(RNG)
    free = np.ones(40, bool)
    free[[3, 4, 20]] = False
    right = RNG.normal(size=40)
    factor = matrix.scaled(free)
    found = factor * matrix.solve(factor * right, 1e-2)
    inner = dense[np.ix_(free, free)]
    wanted = np.linalg.solve(inner + 1e-2 * np.diag(np.diagonal(inner)), right[free])
    assert found[free] == pytest.approx(wanted, rel=1e-9)
    assert np.all(found[~free] == 0)


def test_conjugate_gradients_take_the_excess_damping_away():
    """A matrix that is singular but for rounding, with a solution: it needs more damping to be factored at all."""
    smooth = np.sin(np.arange(40.0))
    line = np.zeros((40, 40))
    for place in range(39):
        line[np.ix_([place, place + 1], [place, place + 1])] += np.array([[1.0, -1.0], [-1.0, 1.0]])
    matrix = BandMatrix(40, 1)
    places = np.arange(39)[:, None] + np.arange(2)
    matrix.add(places, np.broadcast_to([[1.0, -1.0], [-1.0, 1.0]], (39, 2, 2)))
    factor = matrix.scaled(np.ones(40, bool))
    right = factor * (line @ smooth)
    matrix.entries[:, 0] -= 1e-13  # as rounding does
    found = factor * matrix.solve(right, 0.0)
    assert line @ found == pytest.approx(line @ smooth, abs=1e-6)
