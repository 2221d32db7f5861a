"""Equations solved by splines: closed forms, the march of nonlinear ones, what ends a run and what it can continue."""

import math

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from geoembed import sdf
from geoembed.core import InputError
from geoembed.pinn import (
    AdvectionDiffusion,
    Burgers,
    Dirichlet,
    HeatEquation,
    Initial,
    Interval,
    Lame,
    LinearElasticity,
    Neumann,
    Periodic,
    Poisson,
    Problem,
    Robin,
    TensorSpline,
    UserEquation,
    Wave,
    solve,
)
from geoembed.pinn import _solve_splines as solve_splines
from tests.pinn.test_checkpoint import StopAt
from tests.pinn.test_solve_field import deviation, equal, places

KEY = jax.random.key(0)
UNIT = Interval(0.0, 1.0)


def front(x):
    """The travelling wave u = c (1 − tanh(c (x − c t)/(2ν))) of Burgers' equation with c = ½, ν = 1/20."""
    return 0.5 - 0.5 * jnp.tanh(5.0 * (x[0] - 0.5 * x[-1]))


def double(function, points):
    """A function of one point at many, in float64."""
    with jax.enable_x64(True):
        return np.asarray(jax.vmap(function)(jnp.asarray(points)))


FRONT = Problem(
    Interval(-1.0, 1.0), Burgers(0.05), [Initial(front), Dirichlet("all", front)], time=(0.0, 1.0)
)


@pytest.fixture(scope="module")
def wave():
    """It is nonlinear, so it begins with a march."""
    reports = []
    return solve(FRONT, key=KEY, tolerance=1e-7, callback=reports.append), reports


def test_a_front_is_found(wave):
    result, reports = wave
    points = places(500, (-1.0, 0.0), (1.0, 1.0))
    error = deviation(result, points, double(front, points))
    assert result.status == "converged"
    assert error < 2e-7
    assert error < 3 * result.estimated_error
    assert isinstance(result.field.network, TensorSpline)
    assert result.parameters == result.field.network.coefficients.size
    assert [report.iteration for report in reports] == sorted(report.iteration for report in reports)
    assert result.held_out_residual == min(record["held_out"] for record in result.history)


def test_no_estimate_of_a_layer_that_no_grid_resolves():
    """The fields of two grids agree, and both are wrong everywhere."""
    layer = AdvectionDiffusion(1.0, 0.0005, transient=False)
    result = solve(
        Problem(UNIT, layer, [Dirichlet("left", 0.0), Dirichlet("right", 1.0)]),
        key=KEY,
        cells=20,
        tolerance=0.0,
    )
    points = places(500, (0.0,), (1.0,))
    assert deviation(result, points, np.exp((points[:, 0] - 1) / 0.0005)) > 0.5
    assert result.status == "cell limit"
    assert len(result.history) > 1
    assert result.estimated_error == math.inf


def test_conditions_hold_exactly(wave):
    result, _ = wave
    moments, ends = places(50), places(50, (-1.0,))
    start = np.column_stack([ends, np.zeros(50)])
    left = np.column_stack([np.full(50, -1.0), moments])
    for points in (start, left):
        with jax.enable_x64(True):
            found = np.asarray(jax.vmap(result.value)(jnp.asarray(points)))
        assert found == pytest.approx(double(front, points), abs=1e-13)


@pytest.mark.parametrize("call", [30, pytest.param(48, marks=pytest.mark.slow)])
def test_interrupted_and_resumed_equals_uninterrupted(wave, call, tmp_path):
    """In the march, which is not saved, and after it."""
    options = {"key": KEY, "tolerance": 1e-7}
    half = solve(FRONT, **options, checkpoint=tmp_path / "run", should_stop=StopAt(call))
    assert half.status == "interrupted"
    assert np.isfinite(half.held_out_residual)
    assert half.history == wave[0].history[: len(half.history)]
    resumed = solve(FRONT, **options, checkpoint=tmp_path / "run", resume=True)
    assert equal(resumed, wave[0])
    other = Problem(FRONT.domain, Burgers(0.06), FRONT.conditions, time=(0.0, 1.0))
    if (tmp_path / "run").exists():
        with pytest.raises(InputError, match="belongs to another problem"):
            solve(other, **options, checkpoint=tmp_path / "run", resume=True)


# --- a linear problem in one dimension


def bump(x):
    return jnp.exp(jnp.sin(3 * x[0]))


def slope(x):
    return 3 * jnp.cos(3 * x[0]) * bump(x)


def load_of_bump(x):
    return (9 * jnp.sin(3 * x[0]) - 9 * jnp.cos(3 * x[0]) ** 2) * bump(x)


ROBIN = Problem(
    UNIT,
    Poisson(load_of_bump),
    [Neumann("left", lambda x: -slope(x)), Robin("right", 2.0, lambda x: slope(x) + 2 * bump(x))],
)


@pytest.fixture(scope="module")
def bumpy():
    return solve(ROBIN, key=KEY, tolerance=1e-9)


def test_soft_conditions(bumpy):
    points = places(200)
    assert bumpy.status == "converged"
    error = deviation(bumpy, points, double(bump, points))
    assert error < 1e-9
    assert error < 3 * bumpy.estimated_error


@pytest.mark.slow
def test_two_seeds_agree(bumpy):
    """Only the points that are held out and those on the boundary depend on the seed."""
    other = solve(ROBIN, key=jax.random.key(1), tolerance=1e-9)
    points = places(200)
    assert deviation(other, points, double(bumpy.value, points)) < 1e-9


def test_few_cells_end_a_run():
    result = solve(ROBIN, key=KEY, tolerance=0.0, cells=8)
    assert (result.status, result.estimated_error) == ("cell limit", math.inf)


def test_the_time_limit_ends_a_run():
    result = solve(ROBIN, key=KEY, time_limit=0.0)
    assert (result.status, result.iterations) == ("time limit", 0)
    assert np.isfinite(float(result.value(jnp.array([0.5]))))


def test_a_problem_without_solution_stalls(monkeypatch):
    """1 + u² is at least 1."""
    monkeypatch.setattr(solve_splines, "_HELD_OUT", 256)
    never = Problem(UNIT, UserEquation(lambda u, x: 1 + u(x) ** 2, dimensions=(1,)), [])
    result = solve(never, key=KEY, tolerance=-1.0)
    assert result.status in ("stalled", "cell limit")
    assert result.held_out_residual == pytest.approx(1.0, rel=1e-3)


# --- more kinds of problems


def exact(result, function, lower, upper, count=300):
    points = places(count, lower, upper)
    return deviation(result, points, double(function, points))


@pytest.mark.slow
def test_a_wave_with_a_rate():
    """Two initial conditions: u and its rate."""

    def standing(x):
        return jnp.sin(np.pi * x[0]) * (jnp.cos(np.pi * x[1]) + jnp.sin(np.pi * x[1]) / np.pi)

    conditions = [Initial(lambda x: jnp.sin(np.pi * x[0])), Dirichlet("all")]
    conditions.append(Initial(lambda x: jnp.sin(np.pi * x[0]), order=1))
    result = solve(Problem(UNIT, Wave(1.0), conditions, time=(0.0, 1.0)), key=KEY, tolerance=1e-8)
    assert result.status == "converged"
    assert exact(result, standing, (0.0, 0.0), (1.0, 1.0)) < 1e-8


@pytest.mark.slow
def test_a_kink_across_the_seam_of_a_period():
    """u₀ = x² has slopes 2 and −2 at the two ends: it becomes rows, and the kink is gone at once.

    Exact: 1/3 + Σ 4 (−1)ⁿ/(nπ)² cos(nπx) exp(−κ (nπ)² t).
    """
    problem = Problem(
        Interval(-1.0, 1.0),
        HeatEquation(0.1, capacity=1.0),
        [Initial(lambda x: x[0] ** 2), Periodic(0)],
        time=(0.0, 1.0),
    )
    result = solve(problem, key=KEY, tolerance=1e-5)
    n = np.arange(1, 400) * np.pi

    def series(x):
        signs = (-1.0) ** np.arange(1, 400)
        return 1 / 3 + jnp.sum(4 * signs / n**2 * jnp.cos(n * x[0]) * jnp.exp(-0.1 * n**2 * x[1]))

    assert exact(result, series, (-1.0, 0.05), (1.0, 1.0)) < 1e-5
    with jax.enable_x64(True):
        ahead, behind = (jax.grad(result.value)(jnp.array([end, 0.5]))[0] for end in (1.0, -1.0))
    assert float(ahead) == pytest.approx(float(behind), abs=1e-10)


@pytest.mark.slow
def test_a_ring():
    """Laplace between two circles: u = log r/log 4. Cells are cut by the circles."""
    ring = sdf.Circle(1.0) - sdf.Circle(0.25)
    conditions = [Dirichlet("rim", 0.0), Dirichlet("hole 0 rim", -1.0)]
    result = solve(Problem(ring, Poisson(), conditions), key=KEY, tolerance=1e-6)
    points = places(800, (-1.0, -1.0), (1.0, 1.0))
    radius = np.linalg.norm(points, axis=1)
    points = points[(radius > 0.25) & (radius < 1)]
    radius = np.linalg.norm(points, axis=1)
    assert deviation(result, points, np.log(radius) / np.log(4.0)) < 1e-6


@pytest.mark.slow
def test_a_box_in_space():
    def cosine(x):
        return jnp.prod(jnp.cos(np.pi * x / 2))

    box = sdf.Box((2.0, 2.0, 2.0))
    problem = Problem(box, Poisson(lambda x: 0.75 * np.pi**2 * cosine(x)), [Dirichlet("all")])
    result = solve(problem, key=KEY, tolerance=1e-5)
    assert result.status == "converged"
    assert exact(result, cosine, (-1.0,) * 3, (1.0,) * 3) < 1e-5


@pytest.mark.slow
def test_two_unknowns():
    """u = (0.1 x², 0) in a material with λ = 3 and μ = 2, under the force −∂σ/∂x = −(λ + 2μ) 0.2 = −1.4."""
    equation = LinearElasticity(Lame(3.0, 2.0), dimension=2, force=np.array([-1.4, 0.0]))
    first, second = equation.fields
    conditions = [Dirichlet("all", lambda x: 0.1 * x[0] ** 2, field=first), Dirichlet("all", field=second)]
    result = solve(Problem(sdf.Box((2.0, 2.0)), equation, conditions), key=KEY, tolerance=1e-8)
    assert result.status == "converged"
    points = places(100, (-1.0, -1.0), (1.0, 1.0))
    exactly = np.column_stack([0.1 * points[:, 0] ** 2, np.zeros(100)])
    assert deviation(result, points, exactly) < 1e-8
