"""The energy against hand-worked integrals, and its least-squares form."""

import jax
import numpy as np
import pytest

from geoembed.pinn import Convection, HeatFlux, Problem, SteadyHeat, Temperature
from geoembed.pinn._energy import dimensionless_source
from geoembed.pinn._grids import build_grid, grid_spacing, ladder
from geoembed.pinn._heldout import hold_out
from geoembed.pinn._surface_conditions import HOLD
from geoembed.train import ConjugateGradient
from tests.pinn.parts import ENDS, box

KEY = jax.random.key(3)
SIZE = np.array([2.0, 1.0, 1.0])  # the longest side is the unit of length: dimensionless 1 × 0.5 × 0.5
SLOPE = np.array([0.7, -0.4, 0.2])


def made(conditions, equation=None, cells=1500):
    problem = Problem(box(SIZE, (1.0, 2.0, 3.0)), equation or SteadyHeat(2.0), conditions, ENDS)
    points = hold_out(problem, 4096, key=KEY)
    return problem, build_grid(problem, points, cells, key=KEY)


def linear(grid, slope=SLOPE, level=0.3):
    """The output layer of θ = level + slope · (x − corner)/2: the middles of the supports."""
    (splines,) = grid.features.grids  # a box has no singular edges
    cells = splines.cells
    local = np.stack(np.meshgrid(*[np.arange(3) - 0.5] * 3, indexing="ij"), axis=-1).reshape(-1, 3)
    middle = cells.origin + cells.spacing * (cells.index[:, None] + local[None])
    coefficients = np.empty(grid.features.count)
    coefficients[splines.cell_features] = level + (middle - [1.0, 2.0, 3.0]) @ slope / 2
    return coefficients


@pytest.fixture(scope="module")
def robin():
    """Left held at 350 K, right convecting with Bi = 3, the rest heated; k = 2, L = 2 m; a source."""
    conditions = [Temperature("left", 350.0), Convection("right", 3.0, 300.0), HeatFlux("rest", 20.0)]
    return made(conditions, SteadyHeat(2.0, 40.0))


def test_a_linear_field_is_linear(robin):
    _, grid = robin
    points = 1e-3 + np.random.default_rng(0).uniform(0, 0.998, (200, 3)) * SIZE + [[1.0, 2.0, 3.0]]
    theta = grid.features.values(points) @ linear(grid)
    np.testing.assert_allclose(theta, 0.3 + (points - [[1.0, 2.0, 3.0]]) @ SLOPE / 2, atol=1e-12)


def by_hand(problem, contact):
    """J of the linear field over 1 × 0.5 × 0.5: each integral of a linear or squared linear function."""
    span = problem.scales.span
    assert span == (20.0 * 2 + 40.0 * 4) / 2.0
    a, b, c = SLOPE
    mean = 0.3 + 0.5 * a + 0.25 * (b + c)  # at the centre

    def squared(level):  # ∫ (level + b y + c z)² over y, z in 0…0.5
        y, yy = 0.25, 0.25 / 3  # means of y and y²
        inner = level**2 + 2 * level * (b * y + c * y) + (b**2 + c**2) * yy + 2 * b * c * y * y
        return 0.25 * inner

    held = 0.5 * contact * squared(0.3 - 50.0 / span)
    convecting = 0.5 * 3.0 * squared(0.3 + a)
    sides = (20.0 * 2 / (2.0 * span)) * 4 * 0.5 * mean
    source = (40.0 * 4 / (2.0 * span)) * 0.25 * mean
    return held, 0.5 * SLOPE @ SLOPE * 0.25 + convecting - sides - source


def test_the_energy_of_a_linear_field_is_that_by_hand(robin):
    problem, grid = robin
    for energy, contact in ((grid.energy, HOLD), (grid.held_out, 1e4)):
        held, others = by_hand(problem, contact)
        assert abs(energy(linear(grid)) - held - others) < 3e-3 * held


def test_each_part_of_the_energy_has_its_size():
    """Without the held face, whose penalty hides the others."""
    conditions = [Convection("right", 3.0, 300.0), HeatFlux("rest", 20.0), Convection("left", 1e-9, 350.0)]
    problem, grid = made(conditions, SteadyHeat(2.0, 40.0))
    expected = by_hand(problem, HOLD)[1]
    np.testing.assert_allclose(grid.energy(linear(grid)), expected, rtol=1e-2)
    np.testing.assert_allclose(grid.held_out(linear(grid)), expected, rtol=1e-2)
    np.testing.assert_allclose(grid.held_out.dissipation(linear(grid)), 0.125 * SLOPE @ SLOPE, rtol=1e-9)


def test_the_matrix_is_symmetric_and_positive(robin):
    matrix = robin[1].energy.matrix
    assert abs(matrix - matrix.T).max() < 1e-12 * abs(matrix).max()
    few = made([Temperature("left", 300.0)], cells=150)[1].energy.matrix.toarray()
    assert np.linalg.eigvalsh(few).min() > 0


def test_the_gradient_is_that_of_the_energy(robin):
    energy = robin[1].energy
    c, step = linear(robin[1]), 1e-4 * np.random.default_rng(0).normal(size=len(energy.load))
    slope = (energy(c + step) - energy(c - step)) / 2
    np.testing.assert_allclose(slope, (energy.matrix @ c - energy.load) @ step, rtol=1e-6)


def test_level_is_the_matrix_times_one(robin):
    energy = robin[1].energy
    np.testing.assert_allclose(energy.level, energy.matrix @ np.ones(len(energy.load)), atol=1e-10)
    np.testing.assert_allclose(energy.level.sum(), (HOLD + 3.0) * 0.25, rtol=1e-9)


def test_levelling_lowers_the_energy_and_balances_the_heat(robin):
    energy = robin[1].energy
    c = linear(robin[1])
    level = energy.levelled(c)
    assert np.ptp(level - c) < 1e-12
    assert energy(level) < energy(c)
    for other in (-1e-3, 1e-3):
        assert energy(level) < energy(level + other)
    np.testing.assert_allclose(energy.levelled(level), level, atol=1e-9)


def test_the_source_releases_exactly_its_heat(robin):
    problem, grid = robin
    no_source = Problem(problem.domain, SteadyHeat(2.0), problem.conditions, problem.patches)
    load = build_grid(no_source, hold_out(no_source, 64, key=KEY), 1500, key=KEY).energy.load
    released = grid.energy.load.sum() - load.sum() * no_source.scales.span / problem.scales.span
    # the held face's load scales with its target 50 K/span; so does the flux
    np.testing.assert_allclose(released, dimensionless_source(problem) * 0.25, rtol=1e-6)


def test_the_count_of_cells_is_about_what_was_asked_for(robin):
    problem, _ = robin
    for cells in (500, 3000):
        grid = build_grid(problem, hold_out(problem, 64, key=KEY), cells, key=KEY)
        assert 0.7 * cells < grid.features.cells.leaves < 1.4 * cells


def test_spacing_follows_the_mended_mesh(robin):
    assert 0.05 < grid_spacing(robin[0], 1500) < 0.2


@pytest.mark.parametrize(
    ("first", "last", "expected"),
    [
        (5000, 120_000, [5000, 15_000, 45_000, 120_000]),
        (200, 600, [200, 600]),
        (5000, 5000, [5000]),
        (5000, 1000, [1000]),
        (100, 350, [100, 350]),
        (100, 1000, [100, 300, 1000]),
    ],
)
def test_the_ladder_grows_to_its_end(first, last, expected):
    assert ladder(first, last) == expected


def test_the_key_moves_the_grid(robin):
    problem, grid = robin
    points = hold_out(problem, 64, key=KEY)
    again = build_grid(problem, points, 1500, key=KEY)
    moved = build_grid(problem, points, 1500, key=jax.random.key(4))
    assert np.array_equal(again.energy.matrix.data, grid.energy.matrix.data)
    assert not np.allclose(moved.features.cells.grids[0].origin, grid.features.cells.grids[0].origin)


def test_a_held_face_has_its_temperature():
    """Of a bar that is heated at its other end by 20 K; what the contact drops is missing in the whole part."""
    problem, grid = made([Temperature("left", 350.0), HeatFlux("right", 20.0)])
    state = grid.solver.advance(grid.solver.start(np.zeros(grid.parameters)), 200)
    points = np.random.default_rng(0).uniform(0.01, 0.99, (200, 3)) * SIZE * [0.0, 1.0, 1.0] + [
        1.0001,
        2.0,
        3.0,
    ]
    temperature = 350.0 + problem.scales.span * (grid.features.values(points) @ state.x)
    np.testing.assert_allclose(temperature, 350.0 + 20.0 / 2.0 * 1e-4, rtol=0.0, atol=2.5e-5 * 20.0)


def test_the_stiffness_of_a_contact_costs_no_steps(robin):
    """With the diagonal alone the steps grow with the square root of the stiffness."""
    energy = robin[1].energy

    def steps(inverse):
        solver = ConjugateGradient(energy.matrix, energy.load, inverse)
        state = solver.start(np.zeros(len(energy.load)))
        while solver.relative_residual(state) > 1e-8 and state.iteration < 2000:
            state = solver.advance(state, 5)
        return state.iteration

    assert 3 * steps(energy.inverse) < steps(None)
