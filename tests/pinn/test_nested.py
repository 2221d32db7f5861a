"""Smaller cells where a temperature is singular: which edges, the features across the borders, and what they gain."""

import jax
import numpy as np
import pytest
from scipy.sparse import linalg

import geoembed
from geoembed.pinn import (
    Convection,
    Problem,
    SplineField,
    SteadyHeat,
    Temperature,
    _grids,
    _nested_cells,
    solve,
)
from geoembed.pinn._assemble import grid_integrals
from geoembed.pinn._edges import points_along, singular_edges
from geoembed.pinn._grids import build_grid, grid_spacing
from geoembed.pinn._heldout import hold_out
from geoembed.pinn._nested_cells import depths
from geoembed.sdf import facing, in_box, value_and_gradient
from tests.pinn.conftest import KEY
from tests.pinn.parts import blocks, box
from tests.pinn.test_checkpoint import StopAt
from tests.pinn.test_solve import equal

HEIGHT = 0.5
PROFILE = np.array(
    [[[1], [1]], [[1], [0]]], bool
)  # the quarter x > 0, y > 0 is missing; the edge is x = y = 0
ENDS = {"base": facing((0, 0, -1)), "top": facing((0, 0, 1))}
SLOPE = np.array([0.7, -0.4, 0.2])


def l_profile():
    return blocks([-1, 0, 1], [-1, 0, 1], [0, HEIGHT], PROFILE)


def warmed(part, *held, patches=None):
    """Some patches held, the others convecting weakly."""
    conditions = [*(Temperature(name, 350.0) for name in held), Convection("rest", 0.1, 300.0)]
    return Problem(part, SteadyHeat(1.0), conditions, patches or ENDS)


@pytest.fixture(scope="module")
def problem():
    return warmed(l_profile(), "base")


@pytest.fixture(scope="module")
def grid(problem):
    return build_grid(problem, hold_out(problem, 256, key=KEY), 1500, key=KEY)


@pytest.fixture(scope="module")
def inside():
    """Points all over the profile, some of them near the edge."""
    rng = np.random.default_rng(1)
    wide, near = rng.uniform(-1, 1, (2000, 3)), rng.uniform(-0.2, 0.2, (1000, 3))
    points = np.concatenate([wide, near])
    points[:, 2] = rng.uniform(0, HEIGHT, len(points))
    return points[(points[:, 0] < 0) | (points[:, 1] < 0)]


def total(edges):
    return np.linalg.norm(edges[:, 1] - edges[:, 0], axis=1).sum()


def test_the_root_of_an_l_has_the_exponent_two_thirds(problem):
    edges, exponents = singular_edges(problem)
    np.testing.assert_allclose(exponents, 2 / 3, rtol=1e-12)
    np.testing.assert_allclose(edges[:, :, :2], 0, atol=1e-12)
    np.testing.assert_allclose(total(edges), HEIGHT, rtol=1e-12)


def test_a_held_face_beside_the_root_halves_the_exponent():
    wall = {"wall": in_box((-0.01, 0, 0), (0.01, 1, HEIGHT))}
    edges, exponents = singular_edges(warmed(l_profile(), "wall", patches=wall))
    np.testing.assert_allclose(exponents, 1 / 3, rtol=1e-12)
    np.testing.assert_allclose(total(edges), HEIGHT, rtol=1e-12)


def test_the_rim_of_a_held_patch_in_a_plane_has_the_exponent_one_half():
    part = blocks([0, 1, 2], [0, 1], [0, 1], np.ones((2, 1, 1), bool))
    half = {"half": in_box((0, 0, 1), (1, 1, 1))}
    edges, exponents = singular_edges(warmed(part, "half", patches=half))
    np.testing.assert_allclose(exponents, 0.5, rtol=1e-12)
    np.testing.assert_allclose(edges[:, :, [0, 2]], 1, atol=1e-12)
    np.testing.assert_allclose(total(edges), 1, rtol=1e-12)


def test_a_convex_box_has_no_singular_edges():
    assert len(singular_edges(warmed(box((2.0, 1.0, 1.0)), "base"))[1]) == 0


def test_every_edge_loses_about_the_same_factor_of_its_error():
    exponents = np.array([2 / 3, 1 / 2, 1 / 3, 1 / 4])
    assert depths(exponents, 2.0).tolist() == [3, 4, 6, 8]
    assert depths(exponents, 4 / 3).tolist() == [2, 3, 4, 5]
    for loss, low, high in ((2.0, 15.9, 16.1), (4 / 3, 5.5, 8.5)):
        gain = 2 ** (2 * exponents * depths(exponents, loss))
        assert gain.min() > low
        assert gain.max() < high


def test_points_along_an_edge_are_near_enough():
    edge = np.array([[[0.0, 0, 0], [0, 0, 1]], [[1, 1, 0], [1, 1.05, 0]]])
    points = points_along(edge, 0.3)
    assert points.tolist()[0] == [0, 0, 0]
    np.testing.assert_allclose(points[:5, 2], [0, 0.25, 0.5, 0.75, 1])
    np.testing.assert_allclose(points[5:], edge[1])


def test_smaller_cells_lie_at_the_edge(grid):
    cells = grid.features.cells
    assert len(cells.grids) == 4
    for finer, coarser in zip(cells.grids[1:], cells.grids, strict=False):
        assert finer.spacing == coarser.spacing / 2
        apart = np.abs(finer.origin + finer.spacing * (finer.index + 0.5))[:, :2].max(axis=1)
        assert apart.max() < 2.01 * coarser.spacing
    at_edge = points_along(np.array([[[-1e-6, -1e-6, 1e-6], [-1e-6, -1e-6, HEIGHT - 1e-6]]]), 0.01)
    assert np.all(cells.owner(at_edge) == 3)
    assert cells.leaves == sum(len(part.index) for part in cells.grids) - sum(r.sum() for r in cells.refined)


def linear(features, slope=SLOPE, level=0.3):
    """The coefficients of level + slope · x: those of each grid's splines are the values at their middles."""
    local = np.stack(np.meshgrid(*[np.arange(3) - 0.5] * 3, indexing="ij"), axis=-1).reshape(-1, 3)
    wanted = []
    for splines in features.grids:
        middle = splines.cells.origin + splines.cells.spacing * (splines.cells.index[:, None] + local[None])
        wanted.append(np.empty(splines.count))
        wanted[-1][splines.cell_features] = level + middle @ slope
    return features.fit(wanted)


def test_constants_and_linear_functions_are_exact(grid, inside):
    features = grid.features
    assert set(features.cells.owner(inside)) == {0, 1, 2, 3}
    np.testing.assert_allclose(features.values(inside) @ features.constant, 1, atol=1e-12)
    np.testing.assert_allclose(features.gradients(inside) @ features.constant, 0, atol=1e-10)
    c = linear(features)
    np.testing.assert_allclose(features.values(inside) @ c, 0.3 + inside @ SLOPE, atol=1e-12)
    slopes = (features.gradients(inside) @ c).reshape(-1, 3)
    np.testing.assert_allclose(slopes, np.broadcast_to(SLOPE, slopes.shape), atol=1e-10)


def borders(cells, coarse):
    """Points on the faces between leaves of a grid and the cells of the next, the axis of each, in the part."""
    part, refined = cells.grids[coarse], cells.refined[coarse]
    spread = np.random.default_rng(2).uniform(0.05, 0.95, (4, 3))
    points, axes = [], []
    for axis in range(3):
        beyond = part.find(part.index + np.eye(3, dtype=int)[axis])
        here = np.flatnonzero((beyond >= 0) & (refined != refined[beyond]))
        on_face = spread.copy()
        on_face[:, axis] = 1.0
        points.append(part.origin + part.spacing * (part.index[here][:, None] + on_face).reshape(-1, 3))
        axes.append(np.full(len(points[-1]), axis))
    points, axes = np.concatenate(points), np.concatenate(axes)
    margin = 1e-3
    kept = (np.abs(points) < 1 - margin)[:, :2].all(axis=1) & (points[:, :2] < -margin).any(axis=1)
    kept &= (points[:, 2] > margin) & (points[:, 2] < HEIGHT - margin)
    return points[kept], axes[kept]


@pytest.mark.parametrize("coarse", [0, 1])
def test_fields_are_smooth_where_cells_of_two_sizes_meet(grid, coarse):
    """Values and gradients on both sides of the border agree for any coefficients; second derivatives do not."""
    features = grid.features
    points, axes = borders(features.cells, coarse)
    assert len(points) > 50
    step = 1e-7 * features.spacing * np.eye(3)[axes]
    assert np.all(features.cells.owner(points + step) != features.cells.owner(points - step))
    c = np.random.default_rng(3).normal(size=features.count)
    below, above = (features.values(points + s) @ c for s in (-step, step))
    np.testing.assert_allclose(above, below, atol=1e-5)
    below, above = ((features.gradients(points + s) @ c).reshape(-1, 3) for s in (-step, step))
    assert np.abs(above).max() > 1 / features.spacing
    np.testing.assert_allclose(above, below, atol=2e-5 / features.spacing)


def test_the_features_are_independent(problem):
    """No combination of them is zero on the leaves: the matrix of the energy is definite."""
    few = build_grid(problem, hold_out(problem, 16, key=KEY), 150, key=KEY)
    assert len(few.features.grids) == 4
    assert np.linalg.eigvalsh(few.energy.matrix.toarray()).min() > 0


def test_the_field_is_that_of_the_features(grid, inside):
    c = np.random.default_rng(4).normal(size=grid.features.count)
    field = grid.field(c)
    scales = grid.problem.scales
    value, gradient = value_and_gradient(field, inside)
    np.testing.assert_allclose(
        value, scales.reference + scales.span * (grid.features.values(inside) @ c), rtol=1e-12
    )
    slopes = scales.span * (grid.features.gradients(inside) @ c).reshape(-1, 3)
    np.testing.assert_allclose(gradient, slopes, atol=1e-9 * np.abs(slopes).max())
    assert field.parameters == grid.features.count
    single = jax.vmap(field)(np.asarray(inside, np.float32))
    assert single.dtype == np.float32
    np.testing.assert_allclose(single, value, atol=1e-3 * scales.span)
    examples = np.asarray(field.examples(20, key=KEY))
    place = (examples - field.origin) / field.spacing * 4  # in cells of the smallest size
    assert np.abs(place - np.rint(place)).min() > 0.005


def integrals(grid):
    """Those of each grid over its leaves, without the surface."""
    features = grid.features
    edge = features.spacing / grid.problem.scales.length
    none = np.zeros((0, 3)), np.zeros(0)
    return [
        grid_integrals(splines, ~refined, edge / 2**number, *none)
        for number, (splines, refined) in enumerate(zip(features.grids, features.cells.refined, strict=True))
    ]


def test_the_leaves_fill_the_part(grid):
    """Together they have the volume 3 · HEIGHT; so has ∫ 1 dV; and ½∫|∇(s·x)|² dV = ½|s|² · volume."""
    features, parts = grid.features, integrals(grid)
    volume, length = 3 * HEIGHT, grid.problem.scales.length
    np.testing.assert_allclose(sum(part.volume for part in parts), volume, rtol=1e-3)
    ones, c = features.splines(features.constant), features.splines(linear(features))
    pairs = list(zip(parts, ones, c, strict=True))
    np.testing.assert_allclose(sum(p.integral @ one for p, one, _ in pairs), volume / length**3, rtol=1e-3)
    dissipation = 0.5 * sum(s @ (p.matrix @ s) for p, _, s in pairs)
    np.testing.assert_allclose(dissipation, 0.5 * SLOPE @ SLOPE * volume / length, rtol=1e-3)


def test_the_surface_rule_covers_the_surface(grid):
    rule = grid.features.cells.rule
    np.testing.assert_allclose(rule.weights.sum(), 2 * 3 + 8 * HEIGHT, rtol=1e-12)


def corner_solution(x):
    """r^(2/3) sin(2φ/3), harmonic and zero on both walls of the root, and its gradient. φ = 0 is the wall x = 0."""
    r, phi = np.hypot(x[:, 0], x[:, 1]), np.mod(np.arctan2(x[:, 1], x[:, 0]) - np.pi / 2, 2 * np.pi)
    value, angle = r ** (2 / 3) * np.sin(2 * phi / 3), np.arctan2(x[:, 1], x[:, 0])
    along, around = (2 / 3 * r ** (-1 / 3) * f(2 * phi / 3) for f in (np.sin, np.cos))
    gradient = [
        along * np.cos(angle) - around * np.sin(angle),
        along * np.sin(angle) + around * np.cos(angle),
    ]
    return value, np.stack([*gradient, np.zeros(len(x))], axis=1)


def corner_error(cells):
    """Solves for `corner_solution`: the walls of the root held at 0, its heat flux given on all other faces."""
    root = {"root": in_box((0, 0, 0), (1, 1, HEIGHT))}
    problem = Problem(l_profile(), SteadyHeat(1.0), [Temperature("root", 1.0)], root)
    grid = build_grid(problem, hold_out(problem, 16, key=KEY), cells, key=KEY)
    rule = grid.features.cells.rule
    corners = problem.domain.vertices[problem.domain.faces[rule.faces]]
    normal = np.cross(corners[:, 1] - corners[:, 0], corners[:, 2] - corners[:, 0])
    normal /= np.linalg.norm(normal, axis=1, keepdims=True)
    free = ~problem.face_conditions.held[rule.faces]
    flux = np.where(free, np.sum(corner_solution(rule.points)[1] * normal, axis=1), 0.0)
    load = grid.features.values(rule.points).T @ (rule.weights * flux) / problem.scales.length
    found = linalg.spsolve(grid.energy.matrix.tocsc(), load)
    x = np.random.default_rng(0).uniform((-1, -1, 0), (1, 1, HEIGHT), (4000, 3))
    x = x[(x[:, 0] < 0) | (x[:, 1] < 0)]
    exact = corner_solution(x)[0]
    error = np.linalg.norm(grid.features.values(x) @ found - exact) / np.linalg.norm(exact - exact.mean())
    return error, grid.features.cells.leaves


def test_smaller_cells_at_the_edge_beat_as_many_equal_ones(monkeypatch):
    nested, leaves = corner_error(2000)
    for module in (_grids, _nested_cells):
        monkeypatch.setattr(module, "depths", lambda exponents, loss: np.zeros(len(exponents), np.int64))
    equal_cells, count = corner_error(2000)
    assert leaves < 1.4 * count
    assert nested < 0.25 * equal_cells


@pytest.mark.slow
def test_saved_and_resumed_runs_repeat_bit_by_bit(problem, tmp_path):
    options = {"key": KEY, "tolerance": 0.0, "cells": 600, "first_cells": 200}
    never, stop = StopAt(-1), StopAt(4)
    whole = solve(problem, **options, should_stop=never)
    assert isinstance(whole.field, SplineField)
    assert whole.field.finer is not None
    assert whole.field.finer.finer is not None
    half = solve(problem, **options, should_stop=stop, checkpoint=tmp_path / "run")
    assert half.status == "interrupted"
    resumed = solve(problem, **options, checkpoint=tmp_path / "run", resume=True)
    assert equal(resumed, whole)
    geoembed.save(tmp_path / "field", whole.field)
    field = geoembed.load(tmp_path / "field")
    assert jax.tree.structure(field) == jax.tree.structure(whole.field)
    assert all(
        np.array_equal(a, b)
        for a, b in zip(jax.tree.leaves(field), jax.tree.leaves(whole.field), strict=True)
    )


def test_the_spacing_that_is_chosen_counts_the_smaller_cells(problem, grid):
    assert grid.features.spacing == grid_spacing(problem, 1500, 2.0)
    assert 0.7 * 1500 < grid.features.cells.leaves < 1.4 * 1500
