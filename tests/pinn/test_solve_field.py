"""Any equation by least squares: small problems with closed forms, what ends a run, and what it can continue."""

import itertools
import math

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
import pytest

from geoembed import sdf
from geoembed.core import MLP, ArtefactError, InputError, ModifiedMLP, load, register, save
from geoembed.pinn import (
    Dirichlet,
    HeatEquation,
    Initial,
    Interval,
    NetworkField,
    Neumann,
    Poisson,
    Problem,
    Robin,
    Training,
    UserEquation,
    derivative,
    solve,
)
from geoembed.pinn import _solve_field as solve_field
from tests.pinn.test_checkpoint import StopAt

KEY = jax.random.key(0)
SHORT = Training(points=64, steps=40)
LONGER = Training(points=64, steps=80)  # long enough for an estimate with every seed
UNIT = Interval(0.0, 1.0)


def network(inputs, outputs=1, kind=MLP):
    return kind(inputs, outputs, 6, 1, activation="tanh", key=jax.random.key(1))


def deviation(result, points, exact):
    """‖u − u*‖/‖u*‖: 1 for zero."""
    with jax.enable_x64(True):
        found = np.asarray(jax.jit(jax.vmap(result.value))(jnp.asarray(points)))
    return float(np.linalg.norm(found - exact) / np.linalg.norm(exact))


def places(count, lower=(0.0,), upper=(1.0,)):
    return np.random.default_rng(5).uniform(lower, upper, (count, len(lower)))


# --- a problem that many tests look at


POISSON = Problem(UNIT, Poisson(lambda x: np.pi**2 * jnp.sin(np.pi * x[0])), [Dirichlet("all")])


@pytest.fixture(scope="module")
def sine():
    """−u″ = π² sin πx, and what was reported on the way. The network is made in float32 and trained in float64."""
    reports = []
    before = jax.config.jax_enable_x64
    result = solve(
        POISSON, key=KEY, tolerance=0.0, network=network(1), training=SHORT, callback=reports.append
    )
    assert jax.config.jax_enable_x64 == before
    return result, reports


def test_a_sine_is_found(sine):
    result, _ = sine
    points = places(200)
    error = deviation(result, points, np.sin(np.pi * points[:, 0]))
    assert error < 3e-4
    assert (result.status, result.iterations) == ("step limit", 40)
    assert isinstance(result.field, NetworkField)
    assert result.parameters == 19


def test_the_estimate_is_near_the_truth():
    result = solve(POISSON, key=KEY, tolerance=0.0, network=network(1), training=LONGER)
    points = places(200)
    error = deviation(result, points, np.sin(np.pi * points[:, 0]))
    assert error / 30 < result.estimated_error < 30 * error


def test_reports_follow_the_run(sine):
    result, reports = sine
    assert [report.iteration for report in reports] == list(range(5, 41, 5))
    assert (reports[0].points, reports[-1].points) == (2 * 19, 64), (
        "the sample grows from two points a parameter"
    )
    assert {report.parameters for report in reports} == {19}
    assert all(before.seconds <= after.seconds for before, after in itertools.pairwise(reports))
    assert reports[-1].residual < 0.1 * reports[0].residual
    for record, report in zip(result.history, reports, strict=True):
        assert record.items() <= vars(report).items()
        assert {"iteration", "residual", "held_out", "estimated_error"} <= record.keys()


def test_the_best_field_by_points_never_trained_on_is_kept(sine):
    result, reports = sine
    assert result.held_out_residual == min(report.held_out for report in reports)
    points = places(500)
    with jax.enable_x64(True):
        bend = jax.jit(jax.vmap(jax.grad(jax.grad(lambda t: result.value(t[None])))))(
            jnp.asarray(points[:, 0])
        )
    residual = math.sqrt(np.mean((np.asarray(bend) + np.pi**2 * np.sin(np.pi * points[:, 0])) ** 2))
    assert residual == pytest.approx(result.held_out_residual, rel=0.2)


# --- other equations


def test_heat_decays():
    problem = Problem(
        UNIT,
        HeatEquation(0.1, capacity=1.0),
        [Initial(lambda x: jnp.sin(np.pi * x[0])), Dirichlet("all")],
        time=(0.0, 1.0),
    )
    result = solve(problem, key=KEY, tolerance=0.0, network=network(2), training=SHORT)
    points = places(300, (0.0, 0.0), (1.0, 1.0))
    exact = np.sin(np.pi * points[:, 0]) * np.exp(-0.1 * np.pi**2 * points[:, 1])
    assert deviation(result, points, exact) < 5e-3


def test_soft_conditions_lead_to_the_solution():
    """u″ = u with u′(0) = 0 and u′ + 2u = sinh 1 + 2 cosh 1 at 1: cosh. No value is given anywhere."""
    conditions = [Neumann("left"), Robin("right", 2.0, math.sinh(1) + 2 * math.cosh(1))]
    problem = Problem(UNIT, Poisson(reaction=1.0), conditions)
    result = solve(problem, key=KEY, tolerance=0.0, network=network(1), training=SHORT)
    points = places(200)
    assert deviation(result, points, np.cosh(points[:, 0])) < 2e-3


@pytest.mark.slow
@pytest.mark.parametrize("hard", [True, False])
def test_two_unknowns(hard):
    """s′ = c, c′ = −s: sine and cosine."""

    def circle(u, x):
        s, c = u(x)
        ds, dc = derivative(u, 0)(x)
        return jnp.stack([ds - c, dc + s])

    equation = UserEquation(circle, fields=("s", "c"), dimensions=(1,))
    conditions = [Dirichlet("left", field="s"), Dirichlet("left", 1.0, field="c", hard=hard)]
    problem = Problem(Interval(0.0, 2.0), equation, conditions)
    result = solve(problem, key=KEY, tolerance=0.0, network=network(1, 2), training=SHORT)
    points = places(200, (0.0,), (2.0,))
    exact = np.concatenate([np.sin(points), np.cos(points)], axis=1)
    assert deviation(result, points, exact) < 1e-3


@pytest.mark.slow
def test_another_network_and_a_growing_sample():
    """The sample grows to its size in renewals; then the weights are balanced anew and the best is looked for again."""
    training = Training(points=128, steps=60)
    result = solve(POISSON, key=KEY, tolerance=0.0, network=network(1, kind=ModifiedMLP), training=training)
    points = places(200)
    assert type(result.field.network) is ModifiedMLP
    assert deviation(result, points, np.sin(np.pi * points[:, 0])) < 1e-3
    sizes = [record["points"] for record in result.history]
    assert sizes == [86, 86, 118, 118, *[128] * 8], "two points a parameter, then 32 more each time"
    assert result.held_out_residual == min(
        record["held_out"] for record in result.history if record["points"] == 128
    )


# --- what ends a run, with an equation that compiles fast


SQUARE = UserEquation(lambda u, x: u(x) - x[0] ** 2, dimensions=(1,))
FIT = Problem(UNIT, SQUARE, [Dirichlet("right", 1.0, hard=False)])
NEVER = Problem(UNIT, UserEquation(lambda u, x: 1 + u(x) ** 2, dimensions=(1,)), [])


def fit(problem=FIT, **options):
    options = {"key": KEY, "tolerance": 0.0, "network": network(1), "training": SHORT} | options
    return solve(problem, **options)


@pytest.fixture(scope="module")
def parabola():
    return fit()


def equal(a, b):
    """Whether two results agree bit by bit, but for the time they took."""
    leaves = zip(jax.tree.leaves(a.field), jax.tree.leaves(b.field), strict=True)
    return (
        all(np.array_equal(x, y) for x, y in leaves)
        and (a.status, a.estimated_error, a.iterations) == (b.status, b.estimated_error, b.iterations)
        and (a.history, a.held_out_residual) == (b.history, b.held_out_residual)
    )


@pytest.mark.parametrize("call", [1, 23, pytest.param(11, marks=pytest.mark.slow)])
def test_interrupted_and_resumed_equals_uninterrupted(parabola, call, tmp_path):
    """Before the first step, between two looks, and just before a renewal."""
    half = fit(checkpoint=tmp_path / "run", should_stop=StopAt(call))
    assert (half.status, half.iterations) == ("interrupted", call - 1)
    assert half.history == parabola.history[: len(half.history)]
    resumed = fit(checkpoint=tmp_path / "run", resume=True)
    assert equal(resumed, parabola)
    assert resumed.seconds >= half.seconds


def test_the_tolerance_ends_a_run(parabola):
    result = fit(tolerance=1e-2)
    assert result.status == "converged"
    assert result.estimated_error <= 1e-2
    assert result.iterations < parabola.iterations
    assert result.history == parabola.history[: len(result.history)], (
        "the course does not depend on the tolerance"
    )
    points = places(100)
    assert deviation(result, points, points[:, 0] ** 2) < 0.3


def test_the_time_limit_ends_a_run():
    result = fit(time_limit=0.0)
    assert (result.status, result.iterations) == ("time limit", 0)
    assert np.isfinite(float(result.value(jnp.array([0.5]))))
    assert result.estimated_error == math.inf


def test_a_problem_without_solution_stalls(monkeypatch):
    """1 + u² is at least 1."""
    monkeypatch.setattr(solve_field, "_PATIENCE", 4)
    result = fit(NEVER, training=Training(64, 500))
    assert result.status == "stalled"
    assert result.held_out_residual == pytest.approx(1.0, rel=1e-3)


# --- checkpoints that belong elsewhere


@pytest.fixture(scope="module")
def interrupted(tmp_path_factory):
    folder = tmp_path_factory.mktemp("field") / "run"
    fit(checkpoint=folder, should_stop=StopAt(1))
    return folder


OTHER = {
    "domain": {"problem": Problem(Interval(0.0, 2.0), SQUARE, FIT.conditions)},
    "equation": {"problem": Problem(UNIT, Poisson(), FIT.conditions)},
    "condition": {"problem": Problem(UNIT, SQUARE, [Dirichlet("right", 2.0, hard=False)])},
    "seed": {"key": jax.random.key(1)},
    "option": {"training": Training(64, 41)},
}


@pytest.mark.parametrize("name", OTHER)
def test_another_run_is_refused(interrupted, name):
    with pytest.raises(InputError, match="belongs to another"):
        fit(**OTHER[name], checkpoint=interrupted, resume=True)


def test_resuming_needs_a_folder_and_an_empty_one_starts_anew(tmp_path):
    with pytest.raises(InputError, match="no checkpoint"):
        fit(resume=True)
    result = fit(checkpoint=tmp_path / "none", resume=True, training=Training(64, 1))
    assert (result.status, result.iterations) == ("step limit", 1)


@pytest.mark.parametrize("wrong", [{"points": 10}, {"steps": 0}, {"points": 100.0}])
def test_options_that_make_no_sense_are_refused(wrong):
    with pytest.raises((InputError, TypeError)):
        Training(**wrong)


# --- what a result can be kept as


def kept(folder, domain, conditions):
    problem = Problem(domain, Poisson(), conditions).in_fields
    field = NetworkField(network(problem.coordinates.size), problem.coordinates, (problem.shaping(0),), True)
    save(folder, field)
    return field, load(folder)


def test_a_field_with_numbers_comes_back(tmp_path):
    """With everything that a domain in the plane brings: factors, blended values, functions of corners."""
    steps = sdf.Polygon([(-1, -1), (1, -1), (1, 0), (0, 0), (0, 1), (-1, 1)])
    conditions = [Dirichlet("edge 2", 1.0), Dirichlet("edge 3", np.float64(2.0))]
    field, loaded = kept(tmp_path / "field", steps, conditions)
    assert jax.tree.structure(loaded) == jax.tree.structure(field)
    for before, after in zip(jax.tree.leaves(field), jax.tree.leaves(loaded), strict=True):
        assert before.dtype == after.dtype
        assert np.array_equal(before, after)


def test_a_field_with_a_function_can_be_kept_if_that_is_registered(tmp_path):
    field, loaded = kept(tmp_path / "field", UNIT, [Dirichlet("all", Bump(2.0))])
    assert np.array_equal(field(jnp.array([0.3])), loaded(jnp.array([0.3])))
    with pytest.raises(ArtefactError, match="registered classes or functions") as caught:
        kept(tmp_path / "other", UNIT, [Dirichlet("all", lambda x: x[0])])
    assert caught.value.where == "shapings.0.boundary.function"
    assert not (tmp_path / "other").exists()


@register(name="tests.pinn.Bump")
class Bump(eqx.Module):
    """A value with a number of its own."""

    height: float = eqx.field(static=True)

    def __call__(self, x):
        return self.height * x[0] * (1 - x[0])
