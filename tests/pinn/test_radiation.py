"""Radiation and k(T): against closed forms, ordinary differential equations and finite elements of its own."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from scipy.integrate import quad
from scipy.optimize import brentq

from geoembed.core import InputError, load, save
from geoembed.pinn import (
    AllenCahn,
    ConductivityTable,
    Convection,
    FaceConditions,
    HeatEquation,
    HeatFlux,
    Interval,
    Neumann,
    Problem,
    Radiation,
    SteadyHeat,
    Temperature,
    fem_reference,
    solve,
)
from geoembed.pinn._exchange import Exchange
from geoembed.pinn._heat_terms import numbers_of
from geoembed.pinn._kirchhoff import kirchhoff
from geoembed.sdf import value_and_gradient
from tests.pinn.parts import ENDS, box
from tests.pinn.test_certificate import needs_fem

LENGTH, WIDTH, K = 0.1, 0.03, 2.0
BAR = box((LENGTH, WIDTH, WIDTH))
SIGMA = 2 * np.pi**5 * 1.380649e-23**4 / (15 * 6.62607015e-34**3 * 299792458.0**2)  # by its definition
EMISSIVITY, AROUND = 0.8, 300.0
GREY = Radiation("right", EMISSIVITY, AROUND)
TABLE = ConductivityTable((300.0, 500.0, 1000.0), (1.0, 4.0, 2.0))


def solved(problem, **options):
    return solve(problem, key=jax.random.key(0), tolerance=0.0, cells=600, first_cells=600, **options)


def deviation(found, exact):
    return np.linalg.norm(found - exact) / np.linalg.norm(exact - exact.mean())


def emitted(temperature, around=AROUND):
    return EMISSIVITY * SIGMA * (temperature**4 - around**4)


@pytest.fixture(scope="module")
def x():
    return np.random.default_rng(3).uniform(size=(300, 3)) * [[LENGTH, WIDTH, WIDTH]]


def conducted(start, end):
    """∫ k dT of the table, by quadrature that knows its corners."""
    inside = [t for t in TABLE.temperatures if min(start, end) < t < max(start, end)]
    return quad(lambda t: np.interp(t, TABLE.temperatures, TABLE.values), start, end, points=inside)[0]


# --- in a part


@pytest.mark.slow
def test_a_heated_bar_that_radiates(x):
    """All that enters is radiated: ε σ (T⁴ − 300⁴) = flux at the end. Nothing else fixes the level."""
    flux = 2e4
    result = solved(Problem(BAR, SteadyHeat(K), [HeatFlux("left", flux), GREY], ENDS))
    end = (flux / (EMISSIVITY * SIGMA) + AROUND**4) ** 0.25
    exact = end + flux * (LENGTH - x[:, 0]) / K
    assert deviation(value_and_gradient(result.field, x)[0], exact) < 1e-2
    np.testing.assert_allclose(dict(result.heat)["right"], -flux * WIDTH**2, rtol=2e-3)
    assert result.energy_balance < 2e-3
    # a coefficient of radiation at the middle temperature, as a linear solver would have it, is far off
    wrong = AROUND + flux / (4 * EMISSIVITY * SIGMA * (0.5 * (end + AROUND)) ** 3)
    assert abs(wrong - end) > 0.1 * np.ptp(exact)


@pytest.mark.slow
def test_towards_empty_space(x):
    """To 0 K, where a radiating surface does not feel a change of its temperature: the first guess must leave it."""
    flux = 5e3
    problem = Problem(BAR, SteadyHeat(K), [HeatFlux("left", flux), Radiation("right", EMISSIVITY, 0.0)], ENDS)
    exact = (flux / (EMISSIVITY * SIGMA)) ** 0.25 + flux * (LENGTH - x[:, 0]) / K
    assert deviation(value_and_gradient(solved(problem).field, x)[0], exact) < 1e-2


@pytest.fixture(scope="module")
def bent():
    """A bar of k(T), held at 1000 K, that radiates and convects at its other end."""
    conditions = [Temperature("left", 1000.0), GREY, Convection("right", 50.0, 290.0)]
    return Problem(BAR, SteadyHeat(TABLE), conditions, ENDS)


def lost(temperature):
    return emitted(temperature) + 50.0 * (temperature - 290.0)


@pytest.fixture(scope="module")
def bent_exact():
    """T(x): the heat ∫_{T}^{1000} k dT = q x, with q what the end loses at its temperature."""
    end = brentq(lambda t: conducted(t, 1000.0) / LENGTH - lost(t), 300.0, 1000.0)
    flow = lost(end)
    return flow, np.vectorize(lambda s: brentq(lambda t: conducted(t, 1000.0) - flow * s, 300.0, 1000.1))


@pytest.mark.slow
def test_a_conductivity_that_depends_on_the_temperature(x, bent, bent_exact, tmp_path):
    flow, exact = bent_exact
    result = solved(bent)
    assert deviation(value_and_gradient(result.field, x)[0], exact(x[:, 0])) < 4e-3
    heat = dict(result.heat)
    np.testing.assert_allclose([heat["left"], heat["right"]], np.array([1, -1]) * flow * WIDTH**2, rtol=5e-3)
    assert result.energy_balance < 5e-3
    save(tmp_path / "result", result)
    again = load(tmp_path / "result")
    point = jnp.asarray(x[0])
    assert again.value(point) == result.value(point)


@needs_fem
@pytest.mark.parametrize("varies", [pytest.param(False, marks=pytest.mark.slow), True])
def test_the_judge(varies, bent, bent_exact):
    if varies:
        problem, exact = bent, bent_exact[1]
    else:
        problem = Problem(BAR, SteadyHeat(K), [HeatFlux("left", 2e4), GREY], ENDS)
        end = (2e4 / (EMISSIVITY * SIGMA) + AROUND**4) ** 0.25
        exact = lambda s: end + 2e4 * (LENGTH - s) / K  # noqa: E731
    found = fem_reference(
        BAR.vertices, BAR.faces, problem.face_conditions, problem.equation.conductivity, 0.0,
        seed=1, face_patch=problem.resolved.face_patch, names=problem.resolved.names,
        coarse=(100, 150), fine=(150, 300), points=200,
    )  # fmt: skip
    # quadratic elements hold a linear temperature exactly; k(T) bends it, with a kink at 500 K
    assert deviation(found.temperature, exact(found.points[:, 0])) < (1e-3 if varies else 1e-8)
    assert found.energy_balance < 1e-7


# --- its pieces


def test_the_energy_belongs_to_the_flow():
    """−dΦ/dθ = N and −dN/dθ is the stiffness, for a number and for a table, on both sides of its ends."""
    theta = np.linspace(-0.1, 2.5, 60)
    for equation in (SteadyHeat(K), SteadyHeat(TABLE)):
        law = Exchange(
            kirchhoff(equation, 320.0), LENGTH, 400.0,
            *(np.full(60, number) for number in (EMISSIVITY, AROUND, 10.0, 350.0)),
        )  # fmt: skip
        step = 1e-5
        slope = (law.energy(theta + step) - law.energy(theta - step)) / (2 * step)
        np.testing.assert_allclose(-slope, law.inflow(theta), rtol=1e-6, atol=1e-6)
        slope = (law.inflow(theta + step) - law.inflow(theta - step)) / (2 * step)
        np.testing.assert_allclose(-slope, law.stiffness(theta), rtol=1e-4)
        np.testing.assert_allclose(law.energy(np.zeros(60)), 0.0, atol=1e-12)


def test_kirchhoff_there_and_back(precision):
    transform = kirchhoff(SteadyHeat(TABLE), 400.0)
    temperature = np.array([200.0, 300.0, 400.0, 499.0, 501.0, 900.0, 1300.0])
    u = transform.of(temperature)
    mean = np.mean(TABLE.values)
    np.testing.assert_allclose(u, [400 + conducted(400.0, t) / mean for t in temperature], rtol=1e-12)
    np.testing.assert_allclose(transform.temperature(u), temperature, rtol=1e-12)
    one = jax.vmap(transform.map)(jnp.asarray(u))
    tight = 1e-12 if one.dtype == jnp.float64 else 1e-6
    np.testing.assert_allclose(one, temperature, rtol=tight)
    slopes = jax.vmap(jax.grad(transform.map))(jnp.asarray(u))
    np.testing.assert_allclose(slopes, mean / np.interp(temperature, *zip_table()), rtol=1e3 * tight)


def zip_table():
    return TABLE.temperatures, TABLE.values


def test_a_table_of_a_function():
    steel = ConductivityTable.of(lambda t: 10 + 0.01 * t, 200.0, 1200.0, pieces=10)
    np.testing.assert_allclose(steel(np.array([100.0, 350.0, 2000.0])), [12.0, 13.5, 22.0])


def test_linear_problems_have_the_four_columns_of_before():
    """An emissivity of 0 is no radiation: not one more operation."""
    plain = Problem(BAR, SteadyHeat(K), [Temperature("left", 350.0), Convection("right", 5.0, 290.0)], ENDS)
    dull = Problem(BAR, SteadyHeat(K), [*plain.conditions, Radiation("right", 0.0, 900.0)], ENDS)
    assert not plain.nonlinear
    assert not dull.nonlinear
    assert len(plain.face_columns) == 4
    assert plain.scales == dull.scales


# --- mistakes


@pytest.mark.parametrize(
    ("make", "words"),
    [
        (lambda: Radiation("p", 1.5, 300.0), "between 0 and 1"),
        (lambda: Radiation("p", 0.5, -20.0), "no absolute temperature"),
        (lambda: ConductivityTable((300.0, 300.0), (1.0, 2.0)), "do not ascend"),
        (lambda: ConductivityTable((300.0, 400.0), (1.0, -2.0)), "positive"),
        (lambda: ConductivityTable((300.0,), (1.0, 2.0)), "1 temperatures and 2 values"),
        (lambda: Problem(BAR, SteadyHeat(lambda t: 1.0 + t), [GREY], ENDS), "function of the temperature"),
        (lambda: Problem(BAR, SteadyHeat(K), [Radiation("right", 0.5, lambda x: 300.0)], ENDS), "one temp"),
        (lambda: Problem(BAR, SteadyHeat(K), [GREY, GREY], ENDS), "several conditions"),
        (lambda: Problem(BAR, SteadyHeat(K), [GREY, Temperature("right", 300.0)], ENDS), "carries another"),
        (lambda: numbers_of(Problem(BAR, SteadyHeat(K), [GREY], ENDS)), "radiates"),
        (
            lambda: Problem(Interval(0.0, 1.0), AllenCahn(0.1, 5.0), [GREY], time=(0.0, 1.0)),
            "no heat to radiate",
        ),
    ],
)  # fmt: skip
def test_refused(make, words):
    with pytest.raises(InputError, match=words):
        make()


def test_a_table_of_faces_without_radiation():
    table = FaceConditions(*np.zeros((4, 3)))
    assert not table.radiates.any()
    np.testing.assert_array_equal(table.inflow(np.arange(3), np.full(3, 400.0)), 0.0)


# --- in a domain


@pytest.mark.slow
def test_the_end_of_an_interval_radiates():
    """HeatEquation counts the heat that leaves: −k T′ = ε σ (T⁴ − T∞⁴), far from the field it starts with."""
    flux = 2e4
    conditions = [Neumann("left", -flux), Radiation("right", EMISSIVITY, lambda x: AROUND + 0 * x[0])]
    result = solve(Problem(Interval(0.0, LENGTH), HeatEquation(K), conditions), key=jax.random.key(0))
    end = (flux / (EMISSIVITY * SIGMA) + AROUND**4) ** 0.25
    with jax.enable_x64(True):
        at = jnp.linspace(0.0, LENGTH, 20)
        found = np.asarray(jax.vmap(result.value)(at[:, None]))
    assert result.status == "converged"
    np.testing.assert_allclose(found, end + flux * (LENGTH - np.asarray(at)) / K, rtol=1e-9)
