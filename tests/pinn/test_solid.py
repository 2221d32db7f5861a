"""Conductivities that are tensors or depend on the point: against closed forms, in the solver and in the judge."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from geoembed.core import InputError
from geoembed.pinn import (
    Convection,
    HeatFlux,
    Problem,
    Radiation,
    SolidConductivity,
    SteadyHeat,
    Temperature,
    fem_reference,
    solve,
)
from geoembed.pinn._cell_moments import moments, value_products
from geoembed.pinn._certify import judged_conductivity
from geoembed.pinn._checkpoint import Checkpoint
from geoembed.pinn._edges import singular_edges
from geoembed.pinn._grids import build_grid
from geoembed.pinn._heat_terms import numbers_of
from geoembed.pinn._heldout import hold_out
from geoembed.pinn._spline import spline_values
from geoembed.sdf import facing, value_and_gradient
from tests.pinn.parts import ENDS, blocks, box, rotation
from tests.pinn.test_certificate import needs_fem

KEY = jax.random.key(3)
TENSOR = np.array([[3.0, 0.8, -0.3], [0.8, 1.5, 0.4], [-0.3, 0.4, 0.9]])
NAMES = ("left", "right", "front", "back", "low", "high")
NORMALS = dict(zip(NAMES, np.repeat(np.eye(3), 2, axis=0) * np.tile([[-1], [1]], (3, 1)), strict=True))
SIDES = {name: facing(tuple(normal)) for name, normal in NORMALS.items()}
BOX = (0.1, 0.03, 0.03)
GROWTH = np.array([12.0, -7.0, 5.0])  # of the conductivity, 1/m


def bracket():
    """An angle of three blocks, 0.1 m: its planes have six directions."""
    solid = np.ones((2, 1, 2), bool)
    solid[1, 0, 1] = False
    return blocks([0, 0.04, 0.1], [0, 0.05], [0, 0.04, 0.1], solid)


def graded(x):
    return 2.0 * jnp.exp(jnp.asarray(GROWTH, x.dtype) @ x)


def mean_on_right():
    """The mean of exp(−a·x) over the two faces that look along x."""

    def along(axis, low, high):
        a = GROWTH[axis]
        return (np.exp(-a * low) - np.exp(-a * high)) / a

    def total(x, low, high):
        return np.exp(-GROWTH[0] * x) * along(1, 0, 0.05) * along(2, low, high)

    return (total(0.1, 0.0, 0.04) + total(0.04, 0.04, 0.1)) / (0.05 * 0.1)


def graded_problem(temperature_scale=100.0):
    """k = 2 exp(a·x) and T = 300 + s exp(−a·x): the heat flux −k∇T = 2 s a is the same everywhere."""
    fluxes = [HeatFlux(name, float(-2.0 * temperature_scale * GROWTH @ n)) for name, n in NORMALS.items()]
    level = 300.0 + temperature_scale * mean_on_right()
    return Problem(bracket(), SteadyHeat(graded), [*fluxes, Convection("right", 1e-4, level)], SIDES)


def exact(points):
    return 300.0 + 100.0 * np.exp(-points @ GROWTH)


def inside(count=500):
    points = np.random.default_rng(0).uniform(size=(4 * count, 3)) * [[0.1, 0.05, 0.1]]
    return points[(points[:, 0] < 0.04) | (points[:, 2] < 0.04)][:count]


def deviation(found, wanted):
    return np.linalg.norm(found - wanted) / np.linalg.norm(wanted - wanted.mean())


def placed_tensor(x):
    return jnp.exp(jnp.asarray(GROWTH, x.dtype) @ x) * jnp.asarray(TENSOR, x.dtype)


SLOPE = np.array([900.0, -400.0, 300.0])


def tensor_problem(part, middle, tie=1e-4):
    """T = 300 + g·x: its heat flux −K g is the same everywhere. `middle`: of the faces that look along x."""
    fluxes = [HeatFlux(name, float(n @ TENSOR @ SLOPE)) for name, n in NORMALS.items()]
    level = Convection("right", tie, 300.0 + float(SLOPE @ middle))
    return Problem(part, SteadyHeat(TENSOR), [*fluxes, level], SIDES)


def in_box():
    return tensor_problem(box(BOX), np.array(BOX) * [1.0, 0.5, 0.5])


def in_bracket():
    middle = (0.04 * np.array([0.1, 0.025, 0.02]) + 0.06 * np.array([0.04, 0.025, 0.07])) / 0.1
    return tensor_problem(bracket(), middle)


def linear(points):
    return 300.0 + points @ SLOPE


def grid_of(problem, cells=300):
    return build_grid(problem, hold_out(problem, 256, key=KEY), cells, key=KEY)


# --- the energy


@pytest.mark.slow
@pytest.mark.parametrize(
    ("constant", "function"),
    [
        (2.0, lambda x: 2.0 + 0.0 * x[0]),
        (TENSOR, lambda x: jnp.asarray(TENSOR, x.dtype) + 0.0 * x[0]),
    ],
)
def test_a_function_that_is_constant_is_the_constant(constant, function):
    """By two rules of quadrature: the moments of the cells, and points in them. The share outside is 1e-6."""
    grids = [
        grid_of(Problem(box(BOX), SteadyHeat(k), [Convection("right", 5.0, 300.0)], SIDES), 150)
        for k in (constant, function)
    ]
    one, other = (grid.energy.matrix for grid in grids)
    assert abs(one - other).max() < 1e-6 * abs(one).max()
    c = np.random.default_rng(1).normal(size=one.shape[0])
    np.testing.assert_allclose(*(grid.held_out.dissipation(c) for grid in grids), rtol=1e-12)


@pytest.mark.slow
def test_the_energy_of_a_linear_field_in_a_graded_tensor():
    """½ ∫ ∇T·K(x)∇T over a box: K e^{a·x} with a along x has a closed form."""
    size, growth = np.array([0.1, 0.04, 0.03]), 12.0
    solid = SteadyHeat(lambda x: jnp.exp(growth * x[0]) * jnp.asarray(TENSOR, x.dtype))
    problem = Problem(box(size), solid, [Convection("right", 5.0, 300.0)], ENDS)
    grid = grid_of(problem, 1200)
    slope = np.array([0.7, -0.4, 0.2])
    (splines,) = grid.features.grids
    local = np.stack(np.meshgrid(*[np.arange(3) - 0.5] * 3, indexing="ij"), axis=-1).reshape(-1, 3)
    middle = splines.cells.origin + splines.cells.spacing * (splines.cells.index[:, None] + local[None])
    c = np.empty(grid.features.count)
    c[splines.cell_features] = middle @ slope / 0.1
    mean = (np.exp(growth * 0.1) - 1) / (growth * 0.1)
    np.testing.assert_allclose(problem.conduction.mean, mean * np.trace(TENSOR) / 3, rtol=1e-3)
    wanted = 0.5 * (slope @ TENSOR @ slope) * mean / problem.conduction.mean * (0.4 * 0.3)
    carried = grid.energy(c) - 0.5 * c @ _surface_part(problem, grid, c)
    np.testing.assert_allclose(carried, wanted, rtol=2e-3)
    np.testing.assert_allclose(grid.held_out.dissipation(c), wanted, rtol=2e-2)


def _surface_part(problem, grid, c):
    """What convection adds to A c − 2 b: nothing that K enters."""
    points, weights = grid.features.cells.rule.points, grid.features.cells.rule.weights / 0.1**2
    at = grid.features.values(points)
    biot = np.where(problem.face_conditions.h[grid.features.cells.rule.faces] > 0, 5.0 * 0.1, 0.0)
    return at.T @ (weights * biot / problem.conduction.mean * (at @ c))


def test_products_of_splines():
    places = np.random.default_rng(0).uniform(size=(5, 3))
    values = spline_values(places, np)
    powers = places[:, :, None] ** np.arange(5)
    monomials = np.einsum("na,nb,nc->nabc", powers[:, 0], powers[:, 1], powers[:, 2]).reshape(5, -1)
    found = np.einsum("nm,mij->nij", monomials, value_products())
    np.testing.assert_allclose(found, values[:, :, None] * values[:, None], atol=1e-14)


def test_weighted_moments_are_those_of_the_micro_cells():
    """Whole micro-cells of volume 1/64 with a weight each: the moment of 1 is their mean."""
    weights = np.random.default_rng(0).uniform(size=(2, 64))
    np.testing.assert_allclose(moments(np.ones((2, 64)), weights)[:, 0], weights.mean(axis=1))


# --- the solution


@pytest.mark.parametrize(
    ("make", "cells", "bound"),
    [(in_box, 300, 5e-3), pytest.param(in_bracket, 1000, 2e-2, marks=pytest.mark.slow)],
)
def test_a_linear_temperature_in_an_anisotropic_solid(make, cells, bound):
    problem = make()
    result = solve(problem, key=KEY, tolerance=0.0, cells=cells, first_cells=cells)
    points = inside() if make is in_bracket else np.random.default_rng(0).uniform(size=(500, 3)) * [BOX]
    found, gradient = value_and_gradient(result.field, points)
    assert deviation(found, linear(points)) < bound
    flux = problem.conduction.heat(points, found, gradient)
    np.testing.assert_allclose(flux.mean(axis=0), TENSOR @ SLOPE, rtol=bound, atol=2000 * bound)


@pytest.mark.slow
def test_a_graded_solid():
    errors = []
    for cells in (600, 4000):
        result = solve(graded_problem(), key=KEY, tolerance=0.0, cells=cells, first_cells=cells)
        errors.append(deviation(value_and_gradient(result.field, inside())[0], exact(inside())))
    assert errors[1] < 2e-3
    assert errors[1] < 0.4 * errors[0]


@pytest.mark.slow
def test_heat_through_held_faces_of_a_turned_laminate():
    """A bar along a principal axis of K, turned against the axes: one-dimensional, with the heat k ΔT/L A."""
    turn = rotation((1.0, 2.0, 0.5), 40.0)
    laminate = turn @ np.diag([4.0, 1.0, 0.3]) @ turn.T
    ends = {"hot": facing(tuple(-turn[:, 0])), "cold": facing(tuple(turn[:, 0]))}
    bar = box((0.1, 0.03, 0.02), rotation=turn)
    conditions = [Temperature("hot", 400.0), Convection("cold", 60.0, 300.0)]
    problem = Problem(bar, SteadyHeat(laminate), conditions, ends)
    result = solve(problem, key=KEY, tolerance=0.0, cells=1500, first_cells=1500)
    watts = 100.0 / (0.1 / 4.0 + 1 / 60.0) * 0.03 * 0.02
    np.testing.assert_allclose(dict(result.heat)["hot"], watts, rtol=1e-2)
    np.testing.assert_allclose(dict(result.heat)["cold"], -watts, rtol=1e-2)


@pytest.mark.slow
def test_radiation_from_a_graded_solid():
    """All that enters is radiated, whatever the conductivity; 1-D with k = 2 exp(12 x)."""
    flux, size = 5e3, (0.1, 0.03, 0.03)
    solid = SteadyHeat(lambda x: 2.0 * jnp.exp(12.0 * x[0]))
    problem = Problem(box(size), solid, [HeatFlux("left", flux), Radiation("right", 0.8, 300.0)], ENDS)
    result = solve(problem, key=KEY, tolerance=0.0, cells=1500, first_cells=1500)
    end = (flux / (0.8 * 5.670374419e-8) + 300.0**4) ** 0.25
    x = np.random.default_rng(0).uniform(size=(300, 3)) * [size]
    wanted = end + flux / (2.0 * 12.0) * (np.exp(-12.0 * x[:, 0]) - np.exp(-1.2))
    assert deviation(value_and_gradient(result.field, x)[0], wanted) < 2e-2


def test_edges_of_an_anisotropic_solid():
    """A right angle between axes that conduct alike stays one; between others it does only along principal axes."""
    for tensor, angle in ((np.diag([4.0, 1.0, 1.0]), 1.5 * np.pi), (TENSOR, None)):
        problem = Problem(bracket(), SteadyHeat(tensor), [Convection("left", 5.0, 300.0)], SIDES)
        edges, exponents = singular_edges(problem)
        assert len(edges) == 1
        if (
            angle is None
        ):  # the faces x = const and z = const meet at another angle in the coordinates K^(-1/2) x
            inverse = np.linalg.inv(np.linalg.cholesky(TENSOR))
            u, w = inverse[:, 0], inverse[:, 2]  # any square root of the inverse has the same angles
            v = inverse[:, 1] / np.linalg.norm(inverse[:, 1])
            u, w = u - (u @ v) * v, w - (w @ v) * v
            angle = 2 * np.pi - np.arccos(u @ w / np.linalg.norm(u) / np.linalg.norm(w))
        np.testing.assert_allclose(exponents[0], np.pi / angle, rtol=1e-9)


# --- the judge


@needs_fem
@pytest.mark.slow
@pytest.mark.parametrize("kind", ["tensor", "graded"])
def test_the_judge(kind):
    """A tiny error of the areas of the mesh shifts the level, which hardly anything ties."""
    problem, wanted = (in_bracket(), linear) if kind == "tensor" else (graded_problem(), exact)
    found = fem_reference(
        problem.domain.vertices, problem.domain.faces, problem.face_conditions, judged_conductivity(problem), 0.0,
        seed=1, coarse=(100, 150), fine=(150, 300), points=200,
    )  # fmt: skip
    there = wanted(found.points)
    shifted = found.temperature - (found.temperature - there).mean()
    assert deviation(shifted, there) < (1e-2 if kind == "tensor" else 2e-2)


@needs_fem
@pytest.mark.slow
def test_a_graded_tensor_agrees_with_finite_elements():
    conditions = [Temperature("left", 400.0), Convection("rest", 20.0, 300.0)]
    problem = Problem(bracket(), SteadyHeat(placed_tensor), conditions, {"left": SIDES["left"]})
    result = solve(problem, key=KEY, tolerance=0.0, cells=6000, first_cells=6000)
    references = [
        fem_reference(
            problem.domain.vertices, problem.domain.faces, problem.face_conditions, k, 0.0,
            seed=1, coarse=(300, 500), fine=(600, 2500), points=400,
        )
        for k in (judged_conductivity(problem), problem.conduction.mean)
    ]  # fmt: skip
    errors = [deviation(value_and_gradient(result.field, r.points)[0], r.temperature) for r in references]
    assert references[0].energy_balance < 1e-6
    assert errors[0] < 1e-2
    assert errors[1] > 5 * errors[0]


def test_the_judge_takes_a_conductivity_at_points():
    solid = SolidConductivity(lambda points: 2.0 + points[:, 0], 2.0)
    found = solid.relative(np.arange(6.0).reshape(3, 2, 1))
    np.testing.assert_allclose(found[:, :, 1, 0], 1.5 * np.eye(3))


# --- mistakes


def made(conductivity):
    return Problem(box((0.1, 0.03, 0.03)), SteadyHeat(conductivity), [Temperature("left", 300.0)], ENDS)


@pytest.mark.parametrize(
    ("conductivity", "words"),
    [
        (np.eye(2), "shape"),
        (np.diag([1.0, 1.0, -1.0]), "not positive definite"),
        (np.array([[1.0, 0.5, 0], [0, 1.0, 0], [0, 0, 1.0]]), "not symmetric"),
        (np.diag([1.0, 1.0, np.nan]), "not finite"),
        ("copper", "is no number"),
        (lambda x: 1.0 - 20.0 * x[0], "not a positive number"),
        (lambda x: jnp.eye(3) * (1.0 - 20.0 * x[0]), "not positive definite"),
        (lambda x: x, "shape"),
    ],
)
def test_refused(conductivity, words):
    with pytest.raises(InputError, match=words):
        made(conductivity)


def test_what_takes_numbers_only_says_so():
    with pytest.raises(InputError, match="one number each"):
        numbers_of(made(TENSOR))


def test_a_checkpoint_knows_its_function():
    one, same, other = (made(lambda x, f=f: f * (1.0 + x[0])) for f in (1.0, 1.0, 1.5))
    names = [Checkpoint(None, problem, (), KEY).identity for problem in (one, same, other)]
    assert names[0] == names[1] != names[2]
