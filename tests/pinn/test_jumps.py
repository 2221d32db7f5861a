"""Corners where given values disagree: which are found, the weights there, and a field that is right despite them."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from geoembed import sdf
from geoembed.pinn import Dirichlet, HeatEquation, Initial, NavierStokes2D, Neumann, Poisson, Problem, solve
from geoembed.pinn._rows import inside_rows, side_rows

SQUARE = sdf.Box((1.0, 1.0)).translate((0.5, 0.5))
STILL = [Dirichlet(side, field="u") for side in ("left", "right", "bottom")]
LID = Problem(
    SQUARE,
    NavierStokes2D(0.01),
    [Dirichlet("top", 1.0, field="u", hard=False), *STILL, Dirichlet("all", field="v")],
)
ENDS = [(0.0, 1.0), (1.0, 1.0)]
ORIGIN = sdf.Box((2.0, 2.0)).translate((1.0, 1.0))  # a corner at 0, reach 2
AT_ORIGIN = Problem(ORIGIN, Poisson(), [Dirichlet("left", 1.0, hard=False), Dirichlet("bottom", hard=False)])


def found(problem):
    """The corners with a jump, in order."""
    jumps = problem.in_fields.jumps
    return None if jumps is None else sorted(map(tuple, np.round(jumps.points, 9).tolist()))


def step_at_the_top(x):
    return jnp.where(x[1] > 1 - 1e-9, 1.0, 0.0)


def right_half_of_the_top(points):
    return (points[:, 0] > 0.5) & (points[:, 1] > 1 - 1e-9)


def test_a_lid_jumps_at_its_two_ends():
    jumps = LID.in_fields.jumps
    assert jumps is not None
    assert found(LID) == ENDS
    assert jumps.orders.tolist() == [2, 2, 1]  # momentum twice, divergence


@pytest.mark.parametrize(
    ("conditions", "corners"),
    [
        ([Dirichlet("all", step_at_the_top)], ENDS),
        ([Dirichlet("left", lambda x: x[1]), Dirichlet("top")], ENDS[:1]),
        ([Dirichlet("left", lambda x: x[1]), Dirichlet("top", lambda x: 1 - x[0])], None),
        ([Dirichlet("left"), Dirichlet("top", lambda x: jnp.sin(np.pi * x[0]))], None),
        ([Dirichlet("left", 1.0), Neumann("top", 2.0), Dirichlet("right")], None),
        ([Dirichlet("half", 1.0, hard=False), Dirichlet("left"), Dirichlet("right")], ENDS[1:]),
    ],
)
def test_values_are_compared_beside_the_corners(conditions, corners):
    half = {"half": right_half_of_the_top} if conditions[0].piece == "half" else {}
    assert found(Problem(SQUARE, Poisson(), conditions, half)) == corners


def test_values_of_different_unknowns_do_not_disagree():
    conditions = [Dirichlet("top", 1.0, field="u"), Dirichlet("left", 0.0, field="v")]
    assert found(Problem(SQUARE, NavierStokes2D(0.01), conditions)) is None


def test_values_that_disagree_later_are_found():
    conditions = [Initial(0.0), Dirichlet("left", lambda x: x[2]), Dirichlet("top")]
    problem = Problem(SQUARE, HeatEquation(1.0, capacity=1.0), conditions, time=(0.0, 1.0))
    assert found(problem) == ENDS[:1]


def test_weighted_residual_has_a_finite_mean_square():
    """A field as long as the distance r to the corner has a residual like r^−2."""
    rows = inside_rows(AT_ORIGIN.in_fields, lambda network: network)

    def size(r):
        def field(x):
            return jnp.sin(x[0] / r + 2 * x[1] / r)

        with jax.enable_x64(True):
            return abs(float(rows(field, jnp.array([0.7 * r, 0.4 * r]))[0]))

    assert size(1e-6) / size(1e-4) == pytest.approx(100**0.5, rel=1e-3)  # 100² without the weight


def test_rows_far_away_keep_their_weight_and_rows_at_the_corner_lose_it():
    problem = AT_ORIGIN.in_fields
    row = side_rows(problem, lambda network: network, problem.soft[0])
    zero, normal = (lambda x: jnp.zeros((), x.dtype)), jnp.array([-1.0, 0.0])
    far, near = (float(row(zero, (jnp.array([0.0, y]), normal))[0]) for y in (2.0, 2e-4))
    reach = 0.2  # a tenth of the sides
    assert far == pytest.approx(-((4 / (4 + reach**2)) ** 0.25), rel=1e-5)
    assert near == pytest.approx(-((2e-4 / reach) ** 0.5), rel=1e-3)


def test_problems_without_jumps_are_untouched():
    problem = Problem(SQUARE, Poisson(1.5), [Dirichlet("all", lambda x: x[0] * x[1], hard=False)]).in_fields
    assert problem.jumps is None
    field, x = (lambda x: jnp.exp(x[0] - 2 * x[1])), jnp.array([0.01, 0.02])
    raw = problem.equation.residual(field, x)
    assert inside_rows(problem, lambda network: network)(field, x).tolist() == raw.tolist()


def test_relevance_falls_towards_the_corners():
    jumps = LID.in_fields.jumps
    assert jumps is not None
    worth = jumps.relevance(np.array([[0.0, 1.0], [0.01, 0.99], [0.1, 0.9], [0.5, 0.5]]))
    assert worth[0] == 0
    assert np.all(np.diff(worth) > 0)
    assert worth[-1] > 0.95


def potential(points):
    """Δu = 0 in the square, 1 on its top and 0 on the other sides: a series."""
    n = np.arange(1, 400, 2)[None] * np.pi
    x, y = points[:, :1], points[:, 1:]
    rise = np.exp(n * (y - 1)) * (1 - np.exp(-2 * n * y)) / (1 - np.exp(-2 * n))
    return np.sum(4 / n * np.sin(n * x) * rise, axis=1)


@pytest.mark.slow
def test_a_potential_with_two_jumps_is_found():
    sides = [Dirichlet(side, hard=False) for side in ("left", "right", "bottom")]
    problem = Problem(SQUARE, Poisson(), [Dirichlet("top", 1.0, hard=False), *sides])
    result = solve(problem, key=jax.random.key(0), tolerance=2e-3)
    points = np.random.default_rng(0).uniform(0.05, 0.95, (500, 2))
    with jax.enable_x64(True):
        values = np.asarray(jax.vmap(result.value)(jnp.asarray(points)))
    exact = potential(points)
    assert result.status == "converged"
    assert np.linalg.norm(values - exact) < 2e-4 * np.linalg.norm(exact)
