"""Solving against closed forms on small grids; what the result says about itself and what it can do."""

import warnings

import jax
import jax.numpy as jnp
import numpy as np
import pytest

import geoembed
from geoembed import check
from geoembed.core import InputError
from geoembed.pinn import (
    Convection,
    HeatFlux,
    Problem,
    Result,
    SplineField,
    SteadyHeat,
    Temperature,
    _solve_part,
    solve,
)
from geoembed.sdf import facing, in_box, value_and_gradient
from tests.pinn.conftest import KEY, LADDER
from tests.pinn.parts import ENDS, blocks, box, rotation, shell, together

LENGTH, K = 0.1, 2.0
BAR = box((LENGTH, 0.03, 0.03))


def solved(problem, cells=1500, key=KEY):
    """On one grid, so that the tolerance plays no part."""
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        return solve(problem, key=key, tolerance=0.0, cells=cells, first_cells=cells)


def temperature(result, points):
    return value_and_gradient(result.field, points)[0]


def deviation(result, points, exact):
    """‖T − T*‖ / ‖T* − mean T*‖: 1 for a constant."""
    return np.linalg.norm(temperature(result, points) - exact) / np.linalg.norm(exact - exact.mean())


def in_bar(points):
    return points * [[LENGTH, 0.03, 0.03]]


# --- closed forms along a bar with insulated sides


def test_held_and_convecting(slab, points):
    """On two grids: the fixture."""
    x = in_bar(points)
    assert deviation(slab.result, x, slab.exact(x)) < 1e-2
    watts = K * 100.0 * 50.0 / (K + 50.0 * LENGTH) * 0.03**2
    heat = dict(slab.result.heat)
    np.testing.assert_allclose([heat["left"], heat["right"]], [watts, -watts], rtol=1e-2)
    assert heat["rest"] == 0.0
    assert slab.result.energy_balance < 1e-2


def test_a_source_between_held_ends(points):
    q = 4e4
    problem = Problem(BAR, SteadyHeat(K, q), [Temperature("left", 300.0), Temperature("right", 320.0)], ENDS)
    result, x = solved(problem), in_bar(points)
    s = x[:, 0]
    assert deviation(result, x, 300 + 20 * s / LENGTH + q * s * (LENGTH - s) / (2 * K)) < 1.5e-2
    heat, released = dict(result.heat), q * LENGTH * 0.03**2
    conducted = K * 20 / LENGTH * 0.03**2
    np.testing.assert_allclose(heat["source"], released, rtol=1e-6)
    np.testing.assert_allclose(heat["left"], -released / 2 - conducted, rtol=3e-2)
    np.testing.assert_allclose(heat["right"], -released / 2 + conducted, rtol=3e-2)
    assert result.energy_balance < 1e-2


@pytest.mark.parametrize("biot", [1e-4, 1.0, 1e6])
def test_flux_against_convection_at_any_biot_number(biot, points):
    h, flux = biot * K / LENGTH, 1e3
    problem = Problem(BAR, SteadyHeat(K), [HeatFlux("left", flux), Convection("right", h, 300.0)], ENDS)
    result, x = solved(problem), in_bar(points)
    assert deviation(result, x, 300 + flux / h + flux * (LENGTH - x[:, 0]) / K) < 1e-2
    np.testing.assert_allclose(dict(result.heat)["right"], -flux * 0.03**2, rtol=1e-2)
    assert result.energy_balance < 1e-2


def test_a_source_that_only_convection_carries_away(points):
    """At Bi = 0.01 the level is q V / (h A) above the ambient, 400 times what T varies: the heat must be exact."""
    h, q = 1e-2 * K / LENGTH, 1e4
    conditions = [Convection("left", h, 300.0), Convection("right", h, 300.0)]
    problem, x = Problem(BAR, SteadyHeat(K, q), conditions, ENDS), in_bar(points)
    result = solve(problem, key=jax.random.key(0), tolerance=0.0, cells=1500, first_cells=500)
    exact = 300 + q * LENGTH / (2 * h) + q * x[:, 0] * (LENGTH - x[:, 0]) / (2 * K)
    assert deviation(result, x, exact) < 1e-2
    assert abs(np.mean(temperature(result, x) - exact)) < 3e-3 * np.ptp(exact)
    assert result.energy_balance < 2e-3


def test_flux_and_convection_on_one_patch(points):
    """k T′ = flux + h (ambient − T) at x = L, 300 K at x = 0."""
    conditions = [Temperature("left", 300.0), HeatFlux("right", 2e3), Convection("right", 40.0, 290.0)]
    result, x = solved(Problem(BAR, SteadyHeat(K), conditions, ENDS)), in_bar(points)
    slope = (2e3 + 40.0 * (290.0 - 300.0)) / (K + 40.0 * LENGTH)
    assert deviation(result, x, 300 + slope * x[:, 0]) < 6e-3
    assert result.energy_balance < 1e-2


# --- other shapes


def test_a_turned_bar(points):
    turn = rotation((1, 2, 3), 37.0)
    part = box((LENGTH, 0.03, 0.03), rotation=turn)
    ends = {"left": facing(tuple(-turn[:, 0])), "right": facing(tuple(turn[:, 0]))}
    conditions = [Temperature("left", 400.0), Temperature("right", 300.0)]
    result = solved(Problem(part, SteadyHeat(K), conditions, ends))
    assert deviation(result, in_bar(points) @ turn.T, 400 - 1000 * in_bar(points)[:, 0]) < 6e-3
    np.testing.assert_allclose(dict(result.heat)["left"], K * 1000 * 0.03**2, rtol=2e-2)


def test_an_l_profile_with_several_patches(points):
    """Held below, convecting above, insulated around a re-entrant edge: T depends on z only."""
    part = blocks([0, 1, 2], [0, 1, 2], [0, 2], np.array([[[1], [1]], [[1], [0]]]), unit="cm")
    patches = {"base": facing((0, 0, -1)), "top": facing((0, 0, 1))}
    conditions = [Temperature("base", 350.0), Convection("top", 100.0, 300.0)]
    result = solved(Problem(part, SteadyHeat(K), conditions, patches))
    x = points * [[1.0, 2.0, 2.0]]
    slope = 50.0 * 100.0 / (K + 100.0 * 0.02)  # K/m
    assert deviation(result, x, 350 - slope * 0.01 * x[:, 2]) < 6e-3
    np.testing.assert_allclose(dict(result.heat)["base"], K * slope * 3e-4, rtol=1e-2)
    assert result.energy_balance < 1e-2


@pytest.mark.slow
def test_a_ball_with_a_cavity():
    """T = 300 + 100 (2/r − 1) between r = 1 and r = 2, on a triangulated ball that is 0.3 % too small."""
    part = shell(subdivisions=3)
    inner = {"inner": in_box((-1.01,) * 3, (1.01,) * 3)}
    result = solved(
        Problem(part, SteadyHeat(1.0), [Temperature("inner", 400.0), Temperature("rest", 300.0)], inner), 4000
    )
    direction = np.random.default_rng(0).normal(size=(1000, 3))
    radius = np.linspace(1.05, 1.95, 1000)
    x = radius[:, None] * direction / np.linalg.norm(direction, axis=1, keepdims=True)
    assert deviation(result, x, 300 + 100 * (2 / radius - 1)) < 4e-2
    heat = dict(result.heat)
    np.testing.assert_allclose([heat["inner"], heat["rest"]], [800 * np.pi, -800 * np.pi], rtol=2e-2)


def test_bodies_a_hair_apart_keep_their_temperatures(points):
    """Two cubes, 0.05 apart: the left one at 300 K, the right one between 400 K and 500 K."""
    part = together(box((1, 1, 1)), box((1, 1, 1), (1.05, 0, 0)))
    patches = {
        "cold": facing((-1, 0, 0)) & in_box((-9, -9, -9), (1, 9, 9)),
        "warm": facing((-1, 0, 0)) & in_box((1.05, -9, -9), (9, 9, 9)),
        "hot": facing((1, 0, 0)) & in_box((1.05, -9, -9), (9, 9, 9)),
    }
    levels = [Temperature("cold", 300.0), Temperature("warm", 400.0), Temperature("hot", 500.0)]
    result = solved(Problem(part, SteadyHeat(1.0), levels, patches), 20_000)
    left, right = temperature(result, points), temperature(result, points + np.array([[1.05, 0, 0]]))
    assert np.abs(left - 300).max() < 1.0
    assert np.abs(right - 400 - 100 * points[:, 0]).max() < 2.0
    np.testing.assert_allclose(dict(result.heat)["hot"], 100.0, rtol=2e-2)
    assert abs(dict(result.heat)["cold"]) < 0.5


def test_temperatures_stay_between_those_that_drive_them(slab, points):
    """The maximum principle: no crumb of the part floats away."""
    corners = np.stack(np.meshgrid([0.0, 1.0], [0.0, 1.0], [0.0, 1.0]), axis=-1).reshape(-1, 3)
    got = temperature(slab.result, in_bar(np.concatenate([points, corners])))
    lowest = 400.0 - 100.0 * 50.0 * LENGTH / (K + 50.0 * LENGTH)
    assert got.min() > lowest - 0.5
    assert got.max() < 400.5


@pytest.mark.parametrize("ambient", [0.0, 293.15])
def test_a_problem_without_differences_stays_at_its_level(ambient, points):
    problem = Problem(
        BAR, SteadyHeat(K), [Convection("rest", 5.0, ambient), Temperature("left", ambient)], ENDS
    )
    result = solve(problem, key=KEY, cells=600, first_cells=200)
    assert result.status == "converged"
    assert np.all(temperature(result, in_bar(points)) == ambient)
    assert result.energy_balance == 0.0


# --- invariances


def variant(points, *, loads=1.0, ambient=300.0, unit="m", metres=1.0):
    """T − ambient at points and the heat flows of a bar with a source, a flux and convection."""
    part = box(np.array((LENGTH, 0.03, 0.03)) / metres, unit=unit)
    conditions = [HeatFlux("left", 500.0 * loads), Convection("right", 20.0, ambient)]
    result = solved(Problem(part, SteadyHeat(K, 3e4 * loads), conditions, ENDS), 400)
    return temperature(result, in_bar(points) / metres) - ambient, np.array(
        [watts for _, watts in result.heat]
    )


@pytest.fixture(scope="module")
def base(points):
    return variant(points)


def test_inches_and_metres_are_the_same_part(base, points):
    rise, heat = variant(points, unit="in", metres=0.0254)
    np.testing.assert_allclose(rise, base[0], atol=1e-3)
    np.testing.assert_allclose(heat, base[1], rtol=1e-5, atol=1e-9)


def test_twice_the_load_is_twice_the_answer(base, points):
    rise, heat = variant(points, loads=2.0)
    np.testing.assert_allclose(rise, 2 * base[0], rtol=1e-9)
    np.testing.assert_allclose(heat, 2 * base[1], rtol=1e-9)


def test_the_level_of_all_temperatures_does_not_matter(base, points):
    rise, heat = variant(points, ambient=800.0)
    np.testing.assert_allclose(rise, base[0], atol=1e-7)
    np.testing.assert_allclose(heat, base[1], rtol=1e-7, atol=1e-9)


def equal(one: Result, other: Result) -> bool:
    """Everything but the time, bit by bit."""
    pairs = zip(jax.tree.leaves(one.field), jax.tree.leaves(other.field), strict=True)
    same = all(a.dtype == b.dtype and np.array_equal(a, b) for a, b in pairs)
    names = ("status", "estimated_error", "heat", "energy_balance", "iterations", "history")
    return same and all(getattr(one, name) == getattr(other, name) for name in names)


def test_the_same_key_gives_the_same_result_in_either_mode(slab):
    mode = jax.config.jax_enable_x64
    for x64 in (False, True):
        with jax.enable_x64(x64):
            again = solve(slab.problem, key=jax.random.key(7), tolerance=0.0, cells=600, first_cells=200)
            assert jax.config.jax_enable_x64 == x64
        assert equal(again, slab.result)
    assert jax.config.jax_enable_x64 == mode


def test_another_key_gives_another_grid(slab, points):
    other = solved(slab.problem, 600, jax.random.key(8))
    assert not np.array_equal(other.field.origin, slab.result.field.origin)
    assert deviation(other, in_bar(points), slab.exact(in_bar(points))) < 2e-2


# --- what it reports


def test_the_estimate_bounds_the_error(slab, points):
    x = in_bar(points)
    error = deviation(slab.result, x, slab.exact(x))
    assert 0.5 * error < slab.result.estimated_error < 50 * error
    assert slab.result.status == "cell limit"


def test_it_stops_at_the_tolerance(slab_problem, slab):
    reports = []
    result = solve(
        slab_problem,
        key=KEY,
        tolerance=2 * slab.result.estimated_error,
        cells=1800,
        first_cells=200,
        callback=reports.append,
    )
    assert result.status == "converged"
    assert {report.grid for report in reports} == {1, 2}
    assert reports[0].grids == 3
    assert result.estimated_error <= 2 * slab.result.estimated_error


def test_a_grid_cut_short_gives_no_estimate(slab_problem, monkeypatch):
    monkeypatch.setattr(_solve_part, "_MOST_STEPS", 50)
    result = solve(slab_problem, key=KEY, tolerance=1e6, **LADDER)
    assert result.estimated_error == np.inf
    assert result.status == "cell limit"


def test_resuming_needs_a_checkpoint(slab_problem):
    with pytest.raises(InputError, match="no checkpoint to resume from"):
        solve(slab_problem, key=KEY, resume=True, **LADDER)


def test_reports_tell_the_course(slab):
    reports, result = slab.reports, slab.result
    assert [r.finished for r in reports] == [
        i + 1 == len(reports) or reports[i + 1].grid > r.grid for i, r in enumerate(reports)
    ]
    for grid in (1, 2):
        own = [r for r in reports if r.grid == grid]
        assert np.all(np.diff([r.energy for r in own]) <= 0)
        assert np.all(np.diff([r.held_out for r in own]) <= 0)
        assert np.all(np.diff([r.iteration for r in own]) > 0)
        assert {r.cells for r in own} == {own[0].cells}
    assert np.all(np.diff([r.total_iterations for r in reports]) >= 0)
    assert np.all(np.diff([r.seconds for r in reports]) >= 0)
    assert reports[-1].total_iterations == result.iterations
    assert reports[-1].parameters == result.parameters == result.field.parameters
    assert reports[-1].estimated_error == result.estimated_error
    assert len(result.history) == len(reports)
    assert result.history[3]["energy"] == reports[3].energy
    assert "seconds" not in result.history[0]  # which would differ from run to run


def test_the_time_limit_stops(slab_problem, points):
    result = solve(slab_problem, key=KEY, time_limit=0.0, cells=600, first_cells=200)
    assert result.status == "time limit"
    assert result.iterations == 0
    assert result.estimated_error == np.inf
    assert np.isfinite(temperature(result, in_bar(points))).all()


@pytest.mark.parametrize(
    ("option", "value"),
    [
        ("tolerance", -1e-3),
        ("tolerance", float("nan")),
        ("cells", 99),
        ("cells", 0),
        ("first_cells", 5),
        ("time_limit", -1.0),
        ("time_limit", float("nan")),
    ],
)
def test_options_out_of_range_are_refused(slab_problem, option, value):
    with pytest.raises(InputError, match=option):
        solve(slab_problem, key=KEY, **{option: value})


# --- the answer as a function


def test_values_keep_the_dtype_and_agree(slab, precision):
    x = jnp.array([0.05, 0.01, 0.02], precision)
    one, many = jax.jit(slab.result.value), jax.jit(jax.vmap(slab.result.value))
    batch = jnp.stack([x, 0.5 * x])
    assert one(x).dtype == precision
    assert one(x).shape == ()
    np.testing.assert_allclose(many(batch), [one(row) for row in batch], rtol=1e-6)
    np.testing.assert_allclose(many(batch), slab.exact(np.asarray(batch)), atol=0.5)


def test_the_gradient_is_that_of_differences(slab):
    x, step = in_bar(np.random.default_rng(0).uniform(0.05, 0.95, (50, 3))), 1e-6
    _, slope = value_and_gradient(slab.result.value, x)
    for axis in range(3):
        shift = step * np.eye(3)[None, axis]
        rise = temperature(slab.result, x + shift) - temperature(slab.result, x - shift)
        np.testing.assert_allclose(slope[:, axis], rise / (2 * step), atol=1e-2)
    expected = -100.0 * 50.0 / (K + 50.0 * LENGTH)
    np.testing.assert_allclose(slope[:, 0], expected, rtol=0.1)


def test_it_lowers_for_every_platform(slab):
    check.assert_exports(slab.result.value, jnp.array([0.05, 0.01, 0.02]))


def test_far_outside_there_is_no_value(slab):
    spacing = slab.result.field.spacing
    far = [[0.5, 0.0, 0.0], [0.05, 0.01, -5 * spacing], [1e30, 0.0, 0.0], [np.nan, 0.01, 0.01]]
    assert np.isnan(temperature(slab.result, np.array(far))).all()
    just = temperature(slab.result, np.array([[0.05, -0.3 * spacing, 0.01]]))
    np.testing.assert_allclose(just, slab.exact(np.array([[0.05]])), atol=2.0)


@pytest.mark.parametrize("x", [jnp.zeros((4, 3)), jnp.zeros(2)])
def test_several_points_at_once_are_refused(slab, x):
    with pytest.raises((ValueError, TypeError)):
        slab.result.value(x)


def test_whole_numbers_are_refused(slab):
    with pytest.raises((ValueError, TypeError)):
        slab.result.value(jnp.zeros(3, jnp.int32))


def test_field_and_result_come_back_from_disk(slab, tmp_path):
    x = jnp.array([0.05, 0.01, 0.02])
    geoembed.save(tmp_path / "result", slab.result)
    result = geoembed.load(tmp_path / "result")
    assert isinstance(result, Result)
    assert equal(result, slab.result)
    assert result.seconds == slab.result.seconds
    assert jax.tree.structure(result) == jax.tree.structure(slab.result)
    geoembed.save(tmp_path / "field", slab.result.field)
    field = geoembed.load(tmp_path / "field")
    assert isinstance(field, SplineField)
    assert jax.jit(field)(x) == jax.jit(slab.result.value)(x)
