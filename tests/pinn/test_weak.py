"""The weak form: what it integrates, its matrix, and problems with closed forms solved with it."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from geoembed import sdf
from geoembed.core import InputError
from geoembed.pinn import (
    AdvectionDiffusion,
    AllenCahn,
    Burgers,
    Dirichlet,
    FieldDependent,
    HeatEquation,
    Helmholtz,
    Initial,
    Interval,
    KdV,
    Lame,
    LinearElasticity,
    Neumann,
    Periodic,
    Poisson,
    Problem,
    Robin,
    Training,
    solve,
)
from geoembed.pinn._band_lu import BandLU
from geoembed.pinn._collocation import Collocation
from geoembed.pinn._equations._divergence import fluxes
from geoembed.pinn._field_problem import FieldProblem
from geoembed.pinn._spline_problem import SplineProblem
from geoembed.pinn._weak_bumps import bumps, jet_of
from geoembed.pinn._weak_problem import WeakProblem
from tests.pinn.test_solve_field import deviation, places

KEY = jax.random.key(0)
UNIT = Interval(0.0, 1.0)


def graded(x):
    return 1.0 + x[0] ** 2


def skew(x):
    return jnp.stack([jnp.stack([2.0 + x[1], 0.3 * x[0]]), jnp.stack([0.3 * x[0], 1.0 + x[0] ** 2])])


def hill(x):
    """A field that solves none of the equations."""
    return jnp.sin(x[0]) * jnp.exp(0.3 * x[1]) + x[-1] ** 2 * x[0]


def pair(x):
    return jnp.stack([hill(x), x[0] ** 3 * x[1]])


EQUATIONS = {
    "poisson": (Poisson(graded, skew, graded), hill, 2),
    "helmholtz": (Helmholtz(graded, 2.0), hill, 2),
    "heat": (HeatEquation(FieldDependent(lambda x, u: x[0] + u**2), graded, capacity=graded), hill, 3),
    "advection": (AdvectionDiffusion(np.array([1.0, 2.0]), skew, graded), hill, 3),
    "burgers": (Burgers(0.3), hill, 2),
    "allen-cahn": (AllenCahn(0.2, 3.0), hill, 3),
    "elasticity": (LinearElasticity(Lame(graded, graded), 2, force=np.array([1.0, 2.0])), pair, 2),
}


@jax.jit
def parts(points):
    """For each equation: residual, s − ∇·F of the field, s and F, and the same from the value and the slopes alone."""
    found = {}
    for name, (equation, field, _) in EQUATIONS.items():
        x, flows = points[name], jax.jacfwd(lambda y, e=equation, f=field: fluxes(e, f, y))(points[name])
        balance = equation.balance(field, x)
        both = jnp.concatenate([balance[:, None], fluxes(equation, field, x)], axis=1)
        divergence = sum(flows[:, axis, axis] for axis in range(flows.shape[1]))
        found[name] = equation.residual(field, x), balance - divergence, both, jet_of(equation, field, x)
    return found


@pytest.mark.slow
def test_the_divergence_of_the_flux_is_the_balance_where_the_residual_is_zero():
    with jax.enable_x64(True):
        points = {name: jnp.asarray(0.5 + np.arange(case[2]) / 4) for name, case in EQUATIONS.items()}
        found = jax.tree.map(np.asarray, parts(points))
    for name, (residual, missing, both, jets) in found.items():
        sign = -1.0 if name == "heat" else 1.0
        np.testing.assert_allclose(missing, sign * residual, rtol=1e-12, err_msg=name)
        assert np.all(np.abs(residual) > 0.05), name
        np.testing.assert_allclose(jets, both, rtol=1e-12, err_msg=name)


def test_a_coefficient_whose_derivative_would_be_missing_is_refused():
    with pytest.raises(ValueError, match="constant viscosity"):
        Burgers(graded).balance(hill, jnp.ones(2))
    with pytest.raises(ValueError, match="at rest"):
        LinearElasticity(Lame(1.0, 1.0), 2, density=1.0).balance(pair, jnp.ones(3))


def test_a_band_matrix_is_solved():
    rng = np.random.default_rng(0)
    size, band = 30, 4
    dense, matrix = np.zeros((size, size)), BandLU(size, band)
    rows = np.array([[i, i + 1] for i in range(0, size - band - 1)])
    columns = np.array([[i, i + 2, i + 3] for i in range(0, size - band - 1)])
    parts = rng.normal(size=(len(rows), 2, 3))
    for row, column, part in zip(rows, columns, parts, strict=True):
        dense[np.ix_(row, column)] += part
    matrix.add(rows, columns, parts)
    matrix.add(np.arange(size)[:, None], np.arange(size)[:, None], np.full((size, 1, 1), 5.0))
    dense += 5.0 * np.eye(size)
    free = np.ones(size, bool)
    free[[0, 7]] = False
    right = rng.normal(size=size)
    expected = np.zeros(size)
    expected[free] = np.linalg.solve(dense[np.ix_(free, free)], right[free])
    np.testing.assert_allclose(matrix.solve(right, free), expected, atol=1e-12)
    assert BandLU(3, 1).solve(np.ones(3), np.ones(3, bool)).tolist() == [0.0, 0.0, 0.0]


def test_bumps_integrate_like_the_closed_form(precision):
    """v = (1 − s²)² in a box of half-width h: ∫v = 16h/15, ∫v′² = 256/(105 h)."""
    problem = FieldProblem(UNIT, Poisson(), (Dirichlet("all"),))
    points, tests = bumps(problem)(jnp.asarray([0.4], precision))
    half = 0.05 * 0.99
    scale = np.sqrt(256 / 105 / half * 2 * half)
    assert tests.dtype == points.dtype == precision
    tight = 1e-5 if precision == jnp.float32 else 1e-12
    np.testing.assert_allclose(jnp.sum(tests[:, 0, 0]), 16 * half / 15 / scale, rtol=tight)
    slope = jnp.sum(tests[:, 1, 1] * points[:, 0])  # ∫ x v′ = −∫ v of the second one, which is odd
    np.testing.assert_allclose(slope, 0.0, atol=1e-6 if precision == jnp.float32 else 1e-14)
    near = bumps(problem)(jnp.asarray([0.01], precision))[0]
    assert jnp.all(near > 0)


RAMP = Problem(
    UNIT,
    Poisson(lambda x: -2.0 - 4.0 * x[0], lambda x: 1.0 + x[0]),
    [Dirichlet("left"), Robin("right", 3.0, 7.0)],
)


@pytest.fixture(scope="module")
def ramp():
    """−((1 + x) u′)′ = −2 − 4x, u(0) = 0, 2u′ + 3u = 7 at 1: u = x²."""
    return solve(RAMP, key=KEY, tolerance=1e-9, form="weak")


@pytest.mark.slow
def test_a_flux_that_depends_on_the_field_is_taken_in(ramp):
    points = places(200)
    assert ramp.status == "converged"
    assert deviation(ramp, points, points[:, 0] ** 2) < 1e-11
    assert ramp.held_out_residual < 1e-11


def test_what_has_no_weak_form_is_refused():
    kdv = Problem(UNIT, KdV(), [Initial(), Periodic(0)], time=(0.0, 1.0))
    soft = Problem(UNIT, Poisson(), [Dirichlet("all", hard=False)])
    free = Problem(UNIT, HeatEquation(1.0, capacity=1.0), [Dirichlet("all")], time=(0.0, 1.0))
    kink = Problem(UNIT, AllenCahn(), [Initial(lambda x: x[0]), Periodic(0)], time=(0.0, 1.0))
    round_one = Problem(sdf.Circle(1.0), Poisson(), [Neumann("rim")])
    for problem, reason in (
        (kdv, "divergence of a flux"),
        (soft, "not built into"),
        (free, "one value at the first moment"),
        (kink, "seam of a period"),
        (round_one, "no box"),
    ):
        draw = Collocation(problem.in_fields, key=KEY)
        with pytest.raises(InputError, match=reason):
            WeakProblem(SplineProblem(problem.in_fields, 4, draw))
    with pytest.raises(InputError, match="divergence of a flux"):
        solve(kdv, key=KEY, form="weak", training=Training(64, 1))


@pytest.mark.slow
def test_a_boundary_across_cells_is_refused():
    disc = Problem(sdf.Circle(1.0), Poisson(1.0), [Dirichlet("all")])
    with pytest.raises(InputError, match="cuts cells"):
        solve(disc, key=KEY, form="weak")


@pytest.mark.slow
def test_a_coefficient_that_jumps_is_no_trouble():
    """−(a u′)′ = 1 with a = 1 left of ½ and 10 right of it: the flux is k − x, k the same on both sides."""
    problem = Problem(UNIT, Poisson(1.0, lambda x: jnp.where(x[0] < 0.5, 1.0, 10.0)), [Dirichlet("all")])
    result = solve(problem, key=KEY, tolerance=3e-5, form="weak")
    points = places(500)
    x = points[:, 0]
    middle = np.minimum(x, 0.5)
    right = np.maximum(x - 0.5, 0.0)
    k = (0.125 + 0.375 / 10) / (0.5 + 0.05)
    exact = k * (middle + right / 10) - middle**2 / 2 - (right + right**2) / 20
    assert result.status == "converged"
    assert deviation(result, points, exact) < 1e-4


@pytest.mark.slow
def test_heat_flows_through_a_wall_over_time():
    """A field of the heat equation with k = 1 + x and a flux of its own at the right end."""

    def warm(x):
        return x[0] * jnp.exp(-x[1])

    def source(x):
        return -(x[0] + 1.0) * jnp.exp(-x[1])

    problem = Problem(
        UNIT,
        HeatEquation(lambda x: 1.0 + x[0], source, capacity=1.0),
        [Initial(lambda x: x[0]), Dirichlet("left"), Neumann("right", lambda x: -2.0 * jnp.exp(-x[1]))],
        time=(0.0, 1.0),
    )
    result = solve(problem, key=KEY, tolerance=1e-7, form="weak")
    points = places(300, (0.0, 0.0), (1.0, 1.0))
    assert result.status == "converged"
    assert deviation(result, points, points[:, 0] * np.exp(-points[:, 1])) < 1e-8


@pytest.mark.slow
def test_layers_are_tested_in_boxes():
    """The same jump for tanh layers; the residual at points does not see it."""
    problem = Problem(UNIT, Poisson(1.0, lambda x: jnp.where(x[0] < 0.5, 1.0, 2.0)), [Dirichlet("all")])
    result = solve(problem, key=KEY, training=Training(200, 60), tolerance=1e-9, form="weak")
    points = places(500)
    low, high = np.minimum(points[:, 0], 0.5), np.maximum(points[:, 0] - 0.5, 0.0)
    k = (0.125 + 0.375 / 2) / 0.75
    exact = k * (low + high / 2) - low**2 / 2 - (high + high**2) / 4
    assert deviation(result, points, exact) < 3e-2
