"""Heat in a part in time: against series, products of cosines, ordinary differential equations and finite elements."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest
import trimesh
from scipy import sparse
from scipy.integrate import quad
from scipy.optimize import brentq

from geoembed.core import InputError, load, save
from geoembed.pinn import (
    ConductivityTable,
    Convection,
    HeatFlux,
    Initial,
    Problem,
    Radiation,
    SteadyHeat,
    Temperature,
    TransientHeat,
    _solve_transient,
    certify,
    solve,
)
from geoembed.pinn._march_heat import ERROR, GAMMA, NODES, STAGES, March, Trajectory
from geoembed.sdf import evaluate, mesh_sdf
from tests.pinn.parts import ENDS, blocks, box

KEY = jax.random.key(0)
LENGTH, SIDE, K, C, H = 0.1, 0.03, 2.0, 1e6, 50.0
SIZE = np.array([LENGTH, SIDE, SIDE])
BAR = box(SIZE)
END = 4000.0
VOLUME = LENGTH * SIDE**2


@pytest.fixture(scope="module", autouse=True)
def few_heat_points():
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(_solve_transient, "_HEAT_POINTS", 16_384)
        yield


def solved(problem, cells=300, **options):
    return solve(problem, key=KEY, cells=cells, first_cells=cells, **options)


def somewhere(size=SIZE, end=END, count=400):
    rng = np.random.default_rng(0)
    return np.column_stack([rng.uniform(size=(count, 3)) * size, rng.uniform(0, end, count)])


def deviation(result, points, wanted):
    return np.linalg.norm(evaluate(result.field, points) - wanted) / np.linalg.norm(wanted - wanted.mean())


# --- the method in time


def test_the_tables_have_their_order():
    """The conditions of order 4 for the method and of order 3 for the embedded one; the fourth do not hold for it."""
    a = np.zeros((5, 5))
    for row, weights in enumerate(STAGES):
        a[row, : len(weights)], a[row, row] = weights, GAMMA
    b, c = a[4], a.sum(axis=1)
    np.testing.assert_allclose(c, NODES, atol=1e-14)
    third = [(np.ones(5), 1), (c, 2), (c**2, 3), (a @ c, 6)]
    fourth = [(c**3, 4), (c * (a @ c), 8), (a @ c**2, 12), (a @ a @ c, 24)]
    for weights, trees in ((b, third + fourth), (b - np.array(ERROR), third)):
        for tree, denominator in trees:
            np.testing.assert_allclose(weights @ tree, 1 / denominator, atol=1e-14)
    assert all(abs((b - np.array(ERROR)) @ tree - 1 / d) > 1e-3 for tree, d in fourth)


@pytest.mark.parametrize("rate", [1.0, 1e6])
def test_a_driven_system(rate):
    """y' = rate (cos t − y) from 0: also where it is stiff and does not begin on its slow solution."""
    errors = []
    for tolerance in (1e-4, 1e-5):
        one, place = np.ones(1), sparse.csr_array(np.eye(1))
        march = March(place, rate * place, lambda t: rate * np.cos(t) * np.ones(1), one, tolerance, 1.0)
        assert march.run(np.zeros(1), 0.0, 5.0)
        times = np.linspace(0.5, 5.0, 40)
        wanted = (rate**2 * np.cos(times) + rate * np.sin(times)) / (1 + rate**2)
        wanted -= rate**2 / (1 + rate**2) * np.exp(-rate * times)
        errors.append(max(abs(march.found.at(t)[0] - w) for t, w in zip(times, wanted, strict=True)))
    assert errors[0] < 2e-4
    assert errors[1] < 2e-5


def test_the_integral_over_the_time():
    """Of a cubic, from values and rates at three moments: exact, as is the value between them."""
    found = Trajectory()
    for t in (0.0, 1.0, 3.0):
        found.add(t, np.array([t**3 - 2 * t]), np.array([3 * t**2 - 2]))
    np.testing.assert_allclose(found.integral(), 81 / 4 - 9)
    np.testing.assert_allclose(found.at(2.0), 4.0)


# --- in a part


def roots(function, count):
    """A root in each interval between poles a bit above n π and the next quarter."""
    return np.array([brentq(function, *interval) for interval in count])


def cooled_slab(x, t):
    """Insulated at 0, h at L, from 400 K to 300 K; Biot's series."""
    biot = H * LENGTH / K
    z = roots(
        lambda z: z * np.sin(z) - biot * np.cos(z), [(n * np.pi, (n + 0.5) * np.pi) for n in range(300)]
    )
    weight = 4 * np.sin(z) / (2 * z + np.sin(2 * z))
    decay = np.exp(-(z**2) * K / C * np.asarray(t)[..., None] / LENGTH**2)
    inside = 300 + 100 * np.sum(weight * decay * np.cos(z * np.asarray(x)[..., None] / LENGTH), axis=-1)
    mean = 300 + 100 * np.sum(weight * decay * np.sin(z) / z, axis=-1)
    return inside, mean


@pytest.fixture(scope="module")
def cooled():
    conditions = [Initial(400.0), Convection("right", H, 300.0)]
    problem = Problem(BAR, TransientHeat(K, C), conditions, ENDS, time=(0.0, END))
    reports = []
    return problem, solved(problem, tolerance=1e-2, callback=reports.append), reports


def test_a_cooled_slab(cooled):
    """At 300 cells and with the tolerance 1e-2."""
    _, result, reports = cooled
    points = somewhere()
    wanted = cooled_slab(points[:, 0], points[:, 3])[0]
    assert deviation(result, points, wanted) < 2e-3
    heat = dict(result.heat)
    stored = C * VOLUME * (cooled_slab(0.0, END)[1] - 400.0)
    np.testing.assert_allclose([heat["stored"], heat["right"]], stored, rtol=2e-3)
    assert heat["left"] == heat["rest"] == 0.0
    assert result.energy_balance < 2e-3
    assert result.status == "cell limit"
    assert reports[-1].finished
    assert reports[-1].time == END
    assert all(np.diff([report.time for report in reports if not report.finished]) > 0)


@pytest.mark.slow
def test_the_field(cooled, tmp_path):
    field = cooled[1].field
    point = jnp.array([0.03, 0.01, 0.02])
    for moment in (0.0, 1.7, 1234.5, END):
        together = float(field(jnp.append(point, moment)))
        np.testing.assert_allclose(float(field(point, moment)), together, rtol=1e-6)
        np.testing.assert_allclose(float(field.at(moment)(point)), together, rtol=1e-5)
    assert abs(float(field(point, 0.0)) - 400.0) < 1e-3
    assert np.isnan(float(field(point, END + 1)))
    with jax.enable_x64(True):
        x = jnp.asarray(point, jnp.float64)
        step = 0.05
        slope = (field(x, 1000.0 + step) - field(x, 1000.0 - step)) / (2 * step)
        np.testing.assert_allclose(jax.grad(lambda t: field(x, t))(1000.0), slope, rtol=1e-6)
    with pytest.raises(ValueError, match="is not between"):
        field.at(-1.0)
    with pytest.raises(ValueError, match="x, y, z, t"):
        field(point)
    save(tmp_path / "result", cooled[1])
    again = load(tmp_path / "result")
    assert again.value(point, 100.0) == field(point, 100.0)


@pytest.mark.slow
def test_steps_get_shorter_with_the_tolerance(cooled):
    """And the last temperature does not change by more than the errors of the steps."""
    problem, rough, _ = cooled
    fine = solved(problem, tolerance=1e-4)
    assert len(fine.field.times) > 1.5 * len(rough.field.times)
    points = somewhere()
    change = evaluate(fine.field, points) - evaluate(rough.field, points)
    assert np.abs(change).max() < 0.2


@pytest.mark.slow
def test_a_driven_bar():
    """T = 330 + 20 sin ωt + b x²: held at the left, a flux at the right, a source in time; splines hold x² exactly."""
    b, omega = 2000.0, 2 * np.pi / 1500.0
    level = lambda t: 330.0 + 20.0 * np.sin(omega * t)  # noqa: E731
    source = lambda t: C * 20.0 * omega * np.cos(omega * t) - 2 * K * b  # noqa: E731
    conditions = [
        Initial(lambda x: 330.0 + b * x[0] ** 2),
        Temperature("left", level),
        HeatFlux("right", 2 * K * b * LENGTH),
    ]
    problem = Problem(BAR, TransientHeat(K, C, source), conditions, ENDS, time=(0.0, END))
    result = solved(problem)
    points = somewhere()
    wanted = level(points[:, 3]) + b * points[:, 0] ** 2
    assert deviation(result, points, wanted) < 3e-3
    heat = dict(result.heat)
    np.testing.assert_allclose(heat["stored"], C * VOLUME * (level(END) - 330.0), rtol=5e-3)
    np.testing.assert_allclose(heat["right"], 2 * K * b * LENGTH * SIDE**2 * END, rtol=2e-3)
    np.testing.assert_allclose(heat["source"], VOLUME * quad(source, 0.0, END)[0], rtol=2e-3)
    assert result.energy_balance < 3e-3


@pytest.mark.slow
def test_a_bar_that_is_suddenly_held():
    """From 300 K, one end at 400 K from the first moment on: Fourier's series, and the heat that enters there."""
    problem = Problem(
        BAR, TransientHeat(K, C), [Initial(300.0), Temperature("left", 400.0)], ENDS, time=(0.0, END)
    )
    result = solved(problem, cells=2000)
    n = (np.arange(400) + 0.5) * np.pi
    points = somewhere()

    def left(t):
        return 2 / n * np.exp(-(n**2) * K / C * np.asarray(t)[..., None] / LENGTH**2)

    wanted = 400 - 100 * np.sum(left(points[:, 3]) * np.sin(n * points[:, :1] / LENGTH), axis=1)
    assert deviation(result, points, wanted) < 3e-3
    stored = C * VOLUME * 100 * (1 - np.sum(left(END) / n))
    np.testing.assert_allclose([dict(result.heat)[name] for name in ("stored", "left")], stored, rtol=1e-2)


@pytest.mark.slow
def test_a_graded_bar():
    """ρc and k grow as exp(a x); an eigenfunction of the insulated bar decays."""
    a, n = 15.0, np.pi / LENGTH
    conductivity, capacity = lambda x: K * jnp.exp(a * x[0]), lambda x: C * jnp.exp(a * x[0])

    def mode(x):
        return jnp.exp(-a * x / 2) * (jnp.cos(n * x) + a / (2 * n) * jnp.sin(n * x))

    problem = Problem(
        BAR,
        TransientHeat(conductivity, capacity),
        [Initial(lambda x: 300 + 100 * mode(x[0]))],
        time=(0.0, END),
    )
    result = solved(problem, cells=2000)
    points = somewhere()
    decay = np.exp(-K / C * (n**2 + a**2 / 4) * points[:, 3])
    assert deviation(result, points, 300 + 100 * np.asarray(mode(points[:, 0])) * decay) < 4e-3
    assert abs(dict(result.heat)["stored"]) < 1e-2 * C * VOLUME


def cosines(x):
    return jnp.cos(jnp.pi * x[0]) * jnp.cos(jnp.pi * x[1]) * jnp.cos(jnp.pi * x[2])


@pytest.mark.slow
def test_a_bracket():
    """An insulated angle of cubes of edge 1: products of cosines have no flux on any of its planes and decay."""
    solid = np.ones((2, 1, 2), bool)
    solid[1, 0, 1] = False
    part = blocks([0, 1, 2], [0, 1], [0, 1, 2], solid)
    problem = Problem(
        part, TransientHeat(1.0, 1.0), [Initial(lambda x: 300 + 100 * cosines(x))], time=(0.0, 0.1)
    )
    points = somewhere(np.array([2.0, 1.0, 2.0]), 0.1, 1200)
    points = points[(points[:, 0] < 1) | (points[:, 2] < 1)]
    wanted = 300 + 100 * np.asarray(jax.vmap(cosines)(points[:, :3])) * np.exp(-3 * np.pi**2 * points[:, 3])
    results = [solved(problem, cells=cells) for cells in (1000, 5000)]
    errors = [deviation(result, points, wanted) for result in results]
    assert errors[1] < 2e-3
    assert errors[1] < 0.3 * errors[0]
    assert results[1].energy_balance < 5e-3


def cooled_ball(r, t, biot=1.5):
    """Radius 1, k = ρc = 1, from 1 to 0."""
    z = roots(
        lambda z: z * np.cos(z) - (1 - biot) * np.sin(z),
        [(n * np.pi + 1e-9, (n + 1) * np.pi) for n in range(200)],
    )
    weight = 4 * (np.sin(z) - z * np.cos(z)) / (2 * z - np.sin(2 * z))
    return np.sum(weight * np.exp(-(z**2) * t[:, None]) * np.sinc(z * r[:, None] / np.pi), axis=1)


@pytest.mark.slow
def test_a_cooled_ball():
    """Against the series of a sphere; the polyhedron is scaled to have its volume."""
    mesh = trimesh.creation.icosphere(subdivisions=3)
    vertices = np.asarray(mesh.vertices) * (4 / 3 * np.pi / mesh.volume) ** (1 / 3)
    part = mesh_sdf(vertices, np.asarray(mesh.faces), unit="m")
    problem = Problem(
        part, TransientHeat(1.0, 1.0), [Initial(400.0), Convection("rest", 1.5, 300.0)], time=(0.0, 0.6)
    )
    rng = np.random.default_rng(1)
    points = rng.normal(size=(400, 3))
    points *= (0.98 * rng.uniform(size=(400, 1)) ** (1 / 3)) / np.linalg.norm(points, axis=1, keepdims=True)
    times = rng.uniform(0, 0.6, 400)
    wanted = 300 + 100 * cooled_ball(np.linalg.norm(points, axis=1), times)
    assert deviation(solved(problem, cells=2500), np.column_stack([points, times]), wanted) < 5e-3


@pytest.mark.slow
def test_two_grids_estimate_the_error(cooled):
    problem = cooled[0]
    result = solve(problem, key=KEY, tolerance=5e-3, first_cells=300, cells=900)
    points = somewhere()
    wanted = cooled_slab(points[:, 0], points[:, 3])[0]
    assert result.status == "converged"
    assert deviation(result, points, wanted) < result.estimated_error < 5e-3


def test_it_can_be_stopped(cooled):
    result = solved(cooled[0], tolerance=1e-2, should_stop=lambda: True)
    assert result.status == "interrupted"
    assert 0 < result.field.times[-1] < END


@pytest.mark.slow
def test_it_goes_on_bit_by_bit(cooled, tmp_path):
    """Stopped on the first grid, resumed, stopped on the second, resumed."""
    problem, folder = cooled[0], tmp_path / "state"
    options = {"key": KEY, "tolerance": 1e-3, "first_cells": 100, "cells": 300}  # which is not reached

    def part(stop_at, **more):
        seen = []
        return solve(
            problem,
            **options,
            callback=seen.append,
            should_stop=lambda: stop_at(seen[-1]),
            checkpoint=folder,
            **more,
        )

    assert part(lambda at: at.steps == 4).status == "interrupted"
    assert part(lambda at: at.grid == 2 and at.steps == 3, resume=True).status == "interrupted"
    last, whole = part(lambda at: False, resume=True), solve(problem, **options)
    assert last.status == whole.status == "cell limit"
    np.testing.assert_array_equal(last.field.times, whole.field.times)
    np.testing.assert_array_equal(last.field.frames.coefficients, whole.field.frames.coefficients)
    assert (last.heat, last.history, last.iterations) == (whole.heat, whole.history, whole.iterations)
    assert last.estimated_error == whole.estimated_error
    with pytest.raises(InputError, match="belongs to another"):
        solve(problem, **(options | {"tolerance": 0.1}), checkpoint=folder, resume=True)


def test_no_finite_elements_judge_it(cooled):
    with pytest.raises(InputError, match="heat in time"):
        certify(*cooled[:2])


# --- mistakes


def made(*conditions, equation=None, time=(0.0, 1.0), first=300.0):
    return Problem(BAR, equation or TransientHeat(K, C), [Initial(first), *conditions], ENDS, time=time)


@pytest.mark.parametrize(
    ("make", "words"),
    [
        (lambda: TransientHeat(K, 0.0), "positive"),
        (lambda: TransientHeat(ConductivityTable((300.0,), (1.0,)), C), "depends on the temperature"),
        (lambda: made(time=None), "no time"),
        (lambda: made(time=(1.0, 1.0)), "no time"),
        (lambda: Problem(BAR, TransientHeat(K, C), [], ENDS, time=(0.0, 1.0)), "there are 0"),
        (lambda: made(Initial(310.0)), "there are 2"),
        (lambda: made(Radiation("left", 0.5, 300.0)), "Radiation"),
        (lambda: made(Temperature("left", lambda t: -1.0 - t)), "at least 0"),
        (lambda: made(equation=TransientHeat(K, C, lambda t: np.inf)), "not finite at"),
        (lambda: made(equation=TransientHeat(K, lambda x: x[0] - 0.05)), "not a positive number"),
        (lambda: Problem(BAR, SteadyHeat(K), [Temperature("left", lambda t: 300.0 + t)], ENDS), "depends on the time"),
        (lambda: made(first=lambda x: x[0] - 1), "no temperature"),
        (lambda: made(first=lambda x: x), "returns shape"),
        (lambda: solve(made(), key=KEY, resume=True), "no checkpoint"),
    ],
)  # fmt: skip
def test_refused(make, words):
    with pytest.raises(InputError, match=words):
        make()
