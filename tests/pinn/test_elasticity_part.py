"""Elastic parts against displacements that are known in closed form."""

from functools import cache

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from scipy import sparse

import geoembed
from geoembed.core import InputError
from geoembed.pinn import (
    Displacement,
    ElasticFoundation,
    Pressure,
    Problem,
    SteadyElasticity,
    SteadyHeat,
    Temperature,
    Traction,
    elastic_reference,
    judge_elastic,
    solve,
)
from geoembed.pinn._block_matrix import PAIRS, BlockMatrix
from geoembed.pinn._cell_moments import moments
from geoembed.pinn._coarser_cells import coarser_cells
from geoembed.pinn._elastic_assemble import elastic_integrals
from geoembed.pinn._elastic_grid import build_elastic_grid, hold_out_elastic
from geoembed.pinn._fem_elasticity import Material, solve_elasticity
from geoembed.pinn._fem_mesh import tetrahedralise
from geoembed.pinn._williams import edge_exponents
from geoembed.sdf import evaluate, facing
from geoembed.train import ConjugateGradient
from tests.pinn.parts import box
from tests.pinn.test_certificate import needs_fem

SIZE = np.array([2.0, 1.0, 1.0])
BAR = box(SIZE)
SIDES = {
    "left": facing((-1, 0, 0)),
    "right": facing((1, 0, 0)),
    "front": facing((0, -1, 0)),
    "back": facing((0, 1, 0)),
    "bottom": facing((0, 0, -1)),
    "top": facing((0, 0, 1)),
}
STEEL = SteadyElasticity(young=2e11, poisson=0.3)
CORK = SteadyElasticity(young=2e7, poisson=0.0)
ROLLERS = [
    Displacement("left", (0.0, None, None)),
    Displacement("front", (None, 0.0, None)),
    Displacement("bottom", (None, None, 0.0)),
]
PULL = 1e8  # Pa


@cache
def inside():
    return 0.02 + 0.96 * np.random.default_rng(0).uniform(size=(200, 3)) * SIZE


def problem_of(conditions, equation=STEEL):
    return Problem(BAR, equation, conditions, SIDES)


def solved(conditions, equation=STEEL):
    return solve(problem_of(conditions, equation), key=jax.random.key(1), cells=500, first_cells=500)


def error(result, exact):
    found = evaluate(result.value, inside())
    return np.linalg.norm(found - exact) / np.linalg.norm(exact)


@pytest.fixture(scope="module")
def tension():
    return solved([*ROLLERS, Traction("right", (PULL, 0.0, 0.0))])


def test_uniaxial_tension(tension):
    strain = PULL / STEEL.young * np.array([1.0, -0.3, -0.3])
    assert error(tension, inside() * strain) < 3e-3
    off = evaluate(tension.stress, inside()) - np.diag([PULL, 0, 0])[None]
    assert np.sqrt(np.mean(off**2)) < 1e-2 * PULL
    assert np.abs(np.mean(off, axis=0)).max() < 1e-3 * PULL
    np.testing.assert_allclose(evaluate(tension.von_mises, inside()), PULL, rtol=5e-2)


def test_forces_of_uniaxial_tension(tension):
    forces = dict(tension.forces)
    np.testing.assert_allclose(forces["right"], [PULL, 0.0, 0.0], rtol=1e-3)  # Monte Carlo areas
    np.testing.assert_allclose(forces["left"], [-PULL, 0.0, 0.0], atol=2e-2 * PULL)
    assert tension.energy_balance < 1e-2
    assert tension.status == "cell limit"
    assert tension.iterations > 0


@pytest.mark.slow
def test_simple_shear():
    shear = STEEL.lame[1]
    slope = PULL / shear
    result = solved(
        [
            Displacement("bottom"),
            Displacement("top", (slope, 0.0, 0.0)),
            Traction("right", (0.0, 0.0, PULL)),
            Traction("left", (0.0, 0.0, -PULL)),
        ]
    )
    exact = np.zeros((len(inside()), 3))
    exact[:, 0] = slope * inside()[:, 2]
    assert error(result, exact) < 2e-3
    np.testing.assert_allclose(dict(result.forces)["top"], [2 * PULL, 0.0, 0.0], atol=4e-2 * PULL)


@pytest.mark.slow
def test_pressure_all_around():
    result = solved([*ROLLERS, *(Pressure(side, PULL) for side in ("right", "back", "top"))])
    assert error(result, -PULL * (1 - 2 * 0.3) / STEEL.young * inside()) < 1e-2


@pytest.mark.slow
def test_weight_on_springs():
    """A column without lateral strain: p on its foot is all that it weighs, f H."""
    weight, spring = 1e4, 1e6
    conditions = [
        ElasticFoundation("bottom", (0.0, 0.0, spring)),
        Displacement("left", (0.0, None, None)),
        Displacement("front", (None, 0.0, None)),
    ]
    result = solved(conditions, SteadyElasticity(2e7, 0.0, (0.0, 0.0, -weight)))
    z = inside()[:, 2]
    exact = np.zeros((len(z), 3))
    exact[:, 2] = -weight / spring - weight / 2e7 * (z - z**2 / 2)
    assert error(result, exact) < 2e-3
    forces = dict(result.forces)
    np.testing.assert_allclose(forces["bottom"][2], 2 * weight, rtol=1e-2)
    np.testing.assert_allclose(forces["body"], [0.0, 0.0, -2 * weight], rtol=1e-6, atol=1e-6)


def test_strain_is_the_derivative_of_the_displacement(tension):
    x, step = inside()[3], 1e-5
    beside = evaluate(tension.value, x + step * np.concatenate([np.eye(3), -np.eye(3)]))
    slopes = (beside[:3] - beside[3:]).T / (2 * step)
    strain = evaluate(tension.strain, x[None])[0]
    np.testing.assert_allclose(strain, 0.5 * (slopes + slopes.T), atol=1e-6 * np.abs(strain).max())


def test_the_displacement_takes_one_point_of_either_precision(tension, precision):
    x = jnp.asarray([0.5, 0.5, 0.5], precision)
    value, stress = jax.jit(tension.value)(x), jax.jit(tension.stress)(x)
    assert value.shape == (3,)
    assert value.dtype == x.dtype
    assert stress.dtype == x.dtype
    assert np.all(np.isnan(tension.value(x + 50)))


@pytest.mark.slow
def test_a_result_is_saved_with_its_stress(tension, tmp_path):
    geoembed.save(tmp_path / "result", tension)
    again = geoembed.load(tmp_path / "result")
    x = jnp.asarray([0.5, 0.5, 0.5])
    np.testing.assert_array_equal(again.von_mises(x), tension.von_mises(x))
    assert again.forces == tension.forces
    assert again.parameters == tension.parameters


def test_heat_has_no_stress(tension):
    with pytest.raises(TypeError, match="temperature in a part"):
        _ = tension.temperature


@pytest.mark.parametrize(
    ("conditions", "free"),
    [
        ([Traction("right", (1.0, 0.0, 0.0))], "move|turn"),
        (ROLLERS[:1], "move along [yz]|turn about x"),
        (ROLLERS[:2], "move along z"),
        ([Displacement("left", (0.0, 0.0, None))], "move along z"),
        ([ElasticFoundation("bottom", (0.0, 0.0, 1.0))], "move along [xy]|turn about z"),
    ],
)
def test_a_free_rigid_motion_is_refused(conditions, free):
    with pytest.raises(InputError, match=f"rigid motion: it can ({free})"):
        problem_of(conditions)


@pytest.mark.parametrize("support", [Displacement("left"), ElasticFoundation("left", (1.0, 1.0, 1.0))])
def test_a_whole_face_holds_a_body(support):
    problem_of([support])


@pytest.mark.parametrize(
    ("conditions", "message"),
    [
        ([Displacement("left"), Displacement("left")], "several conditions of one kind"),
        ([Displacement("left"), ElasticFoundation("left", (1.0, 1.0, 1.0))], "held and stands on springs"),
        ([Temperature("left", 300.0)], "no condition of an elastic part"),
    ],
)
def test_contradicting_conditions_are_refused(conditions, message):
    with pytest.raises(InputError, match=message):
        problem_of(conditions)


def test_wrong_numbers_are_refused():
    for make, message in [
        (lambda: SteadyElasticity(-1.0, 0.3), "not a positive number"),
        (lambda: SteadyElasticity(1.0, 0.5), "at most 0.49"),
        (lambda: SteadyElasticity(1.0, 0.3, (0.0, float("inf"), 0.0)), "is no vector"),
        (lambda: Traction("a", (1.0, float("nan"), 0.0)), "is not made of 3 numbers"),
        (lambda: Displacement("a", (None, None, None)), "fixes no component"),
        (lambda: ElasticFoundation("a", (-1.0, 0.0, 0.0)), "at least 0"),
    ]:
        with pytest.raises(InputError, match=message):
            make()


def test_loads_are_no_conditions_of_heat():
    with pytest.raises(InputError, match="no condition of heat in a part"):
        Problem(BAR, SteadyHeat(1.0), [Displacement("left")], SIDES)


@pytest.fixture(scope="module")
def grid():
    problem = problem_of([Displacement("bottom"), Traction("top", (0.0, 0.0, 1.0))], CORK)
    points = hold_out_elastic(problem, 2048, key=jax.random.key(2))
    return build_elastic_grid(problem, points, 400, key=jax.random.key(3))


def test_the_energy_of_bending_is_exact_but_for_the_quadrature(grid):
    """u = (x z, 0, −x²/2) without lateral strain has ½ E ∫ z² dV: cut cells must know where they are filled."""
    splines = grid.features.grids[0]
    cells, every = splines.cells, np.ones(len(splines.cells.index), bool)
    nothing = np.zeros((0, 3))
    part = elastic_integrals(splines, every, cells.spacing, (0.0, 0.5), nothing, nothing)
    local = np.stack(np.meshgrid(*[np.arange(3) - 0.5] * 3, indexing="ij"), axis=-1).reshape(-1, 3)
    middle = cells.origin + cells.spacing * (cells.index[:, None] + local[None]) - [[[0.0, 0.0, 0.5]]]
    x, z = middle[..., 0], middle[..., 2]
    u = np.zeros((3, splines.count))
    u[0][splines.cell_features] = x * z
    u[2][splines.cell_features] = -0.5 * (x**2 - cells.spacing**2 / 4)  # how splines make a square
    energy = 0.5 * u.ravel() @ (BlockMatrix(part.blocks) @ u.ravel())
    np.testing.assert_allclose(energy, 0.5 * 2.0 / 12, rtol=2e-3)
    np.testing.assert_allclose(part.volume, 2.0, rtol=1e-3)


def test_moments_of_filled_cells_are_those_of_a_plane():
    """Against a fine lattice; fractions at the middles of the micro-cells are 3e-3 off."""
    fine = (np.stack(np.meshgrid(*[np.arange(32)] * 3, indexing="ij"), axis=-1) + 0.5) / 32
    rng, off = np.random.default_rng(0), []
    for _ in range(30):
        normal = rng.normal(size=3)
        level = 0.5 * normal.sum() + rng.uniform(-0.3, 0.3)
        below = (fine @ normal < level).astype(float)
        found = moments(below.reshape(4, 8, 4, 8, 4, 8).mean(axis=(1, 3, 5)).reshape(1, 64)).reshape(5, 5, 5)
        np.testing.assert_allclose(found[0, 0, 0], below.mean(), rtol=1e-12)
        for power in ((1, 0, 0), (0, 1, 0), (2, 0, 0), (0, 1, 1)):
            off.append(found[power] - np.mean(below * np.prod(fine**power, axis=-1)))
    assert np.sqrt(np.mean(np.square(off))) < 1.2e-3


def test_moments_below_a_plane_across_an_axis_are_exact():
    filled = np.zeros((1, 4, 4, 4))
    filled[0, :, :2], filled[0, :, 2] = 1.0, 0.3  # 0 < y < 2.3/4
    found = moments(filled.reshape(1, 64)).reshape(5, 5, 5)
    np.testing.assert_allclose(found[0, :, 0], 0.575 ** np.arange(1, 6) / np.arange(1, 6), rtol=1e-12)


def test_the_multilevel_inverse_is_symmetric_and_positive(grid):
    rng = np.random.default_rng(0)
    a, b = rng.normal(size=(2, grid.parameters))
    inverse = grid.energy.inverse
    np.testing.assert_allclose(a @ inverse(b), b @ inverse(a), rtol=1e-9)
    assert a @ inverse(a) > 0
    assert b @ inverse(b) > 0


def test_the_multilevel_inverse_saves_steps(grid):
    start = np.zeros(grid.parameters)
    steps = 60
    state = grid.solver.advance(grid.solver.start(start), steps)
    plain = ConjugateGradient(grid.energy.matrix, grid.energy.load)
    other = plain.advance(plain.start(start), steps)
    assert grid.energy(state.x) < grid.energy(other.x)


def test_coarser_cells_hold_the_same_part(grid):
    cells = grid.features.grids[0].cells
    coarse = coarser_cells(cells)
    np.testing.assert_allclose(coarse.volume, cells.volume, rtol=1e-12)
    assert np.all(coarse.find(cells.index // 2) >= 0)


def test_a_block_matrix_is_the_whole_one():
    rng = np.random.default_rng(1)
    blocks = [rng.normal(size=(4, 4)) for _ in PAIRS]
    blocks = [block + block.T if i == j else block for block, (i, j) in zip(blocks, PAIRS, strict=True)]
    matrix = BlockMatrix([sparse.csr_array(block) for block in blocks])
    whole, v = matrix.dense(), rng.normal(size=12)
    np.testing.assert_array_equal(whole, whole.T)
    np.testing.assert_allclose(matrix @ v, whole @ v)
    np.testing.assert_allclose(matrix.diagonal(), np.diag(whole))


@pytest.mark.parametrize(
    ("degrees", "one", "other", "exponent"),
    [
        (90, False, False, 1.0),
        (270, False, False, 0.5445),  # the L-shape in traction: Williams 1952
        (360, False, False, 0.5),  # a crack
        (90, True, False, 0.7112),  # the foot of a clamped bar, nu = 0.3
        (180, True, False, 0.5),
        (270, True, True, 0.5951),
    ],
)
def test_exponents_at_edges(degrees, one, other, exponent):
    angle = np.array([np.radians(degrees)])
    found = edge_exponents(angle, np.array([one]), np.array([other]), 0.3)
    np.testing.assert_allclose(found, exponent, atol=2e-3)


@needs_fem
def test_the_judge_solves_uniaxial_tension_exactly():
    problem = problem_of([*ROLLERS, Traction("right", (PULL, 0.0, 0.0))])
    mesh = tetrahedralise(BAR.vertices, BAR.faces, tets=150)
    solution = solve_elasticity(mesh, problem.face_loads, Material(STEEL.young, STEEL.poisson))
    corner = solution.nodal[: len(mesh.points)]
    strain = PULL / STEEL.young * np.array([1.0, -0.3, -0.3])
    np.testing.assert_allclose(corner, mesh.points * strain, atol=1e-7 * PULL / STEEL.young)
    forces = solution.force(problem.resolved.face_patch, len(problem.resolved.names))
    np.testing.assert_allclose(forces[problem.resolved.index("left")], [-PULL, 0, 0], atol=1e-6 * PULL)


@pytest.mark.slow
@needs_fem
def test_the_judge_certifies_a_clamped_bar():
    problem = problem_of([Displacement("left"), Traction("right", (0.0, 0.0, -PULL))])
    result = solve(problem, key=jax.random.key(0), tolerance=0.0, cells=5000, first_cells=1500)
    reference = elastic_reference(problem, seed=0, coarse=(400, 1200), fine=(800, 3000))
    verdict = judge_elastic(reference, lambda x: evaluate(result.value, x), bar=3e-2)
    assert verdict.certified, verdict.text
    worse = judge_elastic(reference, lambda x: 1.05 * evaluate(result.value, x), bar=3e-2)
    assert worse.status == "failed"


@pytest.mark.slow
def test_a_cantilever_bends_as_timoshenko_says():
    """F L³/(3 E I) + F L/(κ G A), κ = 10 (1 + ν)/(12 + 11 ν); with ν = 0 the clamp restrains no width."""
    length, side, force, young = 10.0, 1.0, 1e5, 2e11
    part = box((length, side, side))
    conditions = [Displacement("left"), Traction("right", (0.0, 0.0, -force))]
    result = solve(
        Problem(part, SteadyElasticity(young, 0.0), conditions, SIDES),
        key=jax.random.key(0),
        tolerance=0.0,
        cells=6000,
        first_cells=2000,
    )
    tip = evaluate(result.value, np.array([[length - 1e-3, 0.5, 0.5]]))[0, 2]
    exact = force * length**3 / (3 * young / 12) + force * length / (10 / 12 * young / 2)
    np.testing.assert_allclose(-tip, exact, rtol=5e-3)


@pytest.mark.slow
def test_a_resumed_run_repeats_the_uninterrupted_one(tmp_path):
    problem = problem_of([Displacement("left"), Traction("right", (0.0, 0.0, -PULL))])
    options = {"tolerance": 0.0, "cells": 900, "first_cells": 300}
    whole = solve(problem, key=jax.random.key(0), **options)
    asked = iter([False] * 4 + [True] * 100)
    folder = tmp_path / "checkpoint"
    first = solve(
        problem, key=jax.random.key(0), should_stop=lambda: next(asked), checkpoint=folder, **options
    )
    assert first.status == "interrupted"
    again = solve(problem, key=jax.random.key(0), checkpoint=folder, resume=True, **options)
    np.testing.assert_array_equal(evaluate(again.value, inside()), evaluate(whole.value, inside()))
    assert again.history == whole.history
