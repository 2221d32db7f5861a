"""Numbers from sensors: a slab whose temperature and whose information are known in closed form."""

import json
import math

import jax
import numpy as np
import pytest
from scipy import stats

from geoembed.core import InputError
from geoembed.pinn import (
    Convection,
    HeatFlux,
    InverseProblem,
    Problem,
    Sensors,
    SteadyHeat,
    Temperature,
    _reduced_heat,
    identify,
)
from geoembed.pinn._energy import assemble
from geoembed.pinn._heat_terms import heat_terms, weighted_sum
from geoembed.pinn._nested_cells import nested_cells
from geoembed.pinn._nested_features import NestedFeatures
from geoembed.pinn._parameters import Parameters
from geoembed.pinn._reduced_heat import FullSolver, ReducedHeat
from tests.pinn.parts import ENDS, box

KEY = jax.random.key(2)
NOISE = 2.0  # K, of the 80 K to 280 K above the surroundings
SIZE = np.array([0.1, 0.03, 0.03])
K, H, FLUX, AMBIENT, LENGTH = 2.0, 50.0, 4000.0, 300.0, 0.1
GRIDS = {"first_cells": 500, "cells": 1500}
PLACES = np.random.default_rng(1).uniform(0, 1, (40, 3)) * SIZE


def heated(conductivity=3.0, h=30.0, **more):
    """Heated on the left, cooled on the right; the sides are insulated. The first guess is off by a half."""
    conditions = [
        HeatFlux("left", more.get("flux", FLUX)),
        Convection("right", h, more.get("ambient", AMBIENT)),
    ]
    return Problem(box(SIZE), SteadyHeat(conductivity, more.get("source", 0.0)), conditions, ENDS)


def held(conductivity=3.0, h=30.0):
    """Held on the left."""
    conditions = [Temperature("left", 400.0), Convection("right", h, AMBIENT)]
    return Problem(box(SIZE), SteadyHeat(conductivity), conditions, ENDS)


def temperature(x, source=0.0):
    """T with q x + FLUX flowing through the section at x."""
    released = FLUX + source * LENGTH
    return AMBIENT + released / H + FLUX / K * (LENGTH - x) + source / (2 * K) * (LENGTH**2 - x**2)


def readings(seed, sigma):
    return temperature(PLACES[:, 0]) + np.random.default_rng(seed).normal(size=len(PLACES)) * sigma


@pytest.fixture(scope="module")
def slab():
    """Grids and solutions that the tests share."""
    return InverseProblem(heated(), ["conductivity", "right.h"], key=KEY, **GRIDS)


@pytest.fixture(scope="module")
def noisy(slab):
    return slab.identify(Sensors(PLACES, readings(0, NOISE), NOISE))


def test_without_noise_the_numbers_come_back(slab):
    found = slab.identify(Sensors(PLACES, readings(0, 0.0), 10.0))
    assert found.not_identified == ()
    np.testing.assert_allclose(found.values, [K, H], rtol=6e-3)
    assert (
        np.abs(np.log(found.values / [K, H])).max() < 2 * np.abs(found.bias).max()
    )  # the grid's error is known
    np.testing.assert_allclose(
        [found.problem.equation.conductivity, found.problem.conditions[1].h], found.values, rtol=1e-12
    )


def test_the_status_compares_grid_and_noise(slab):
    assert slab.identify(Sensors(PLACES, readings(0, 0.0), 10.0)).status == "converged"
    assert slab.identify(Sensors(PLACES, readings(0, 0.0), 0.1)).status == "cell limit"


def test_the_uncertainty_is_that_of_the_closed_form(noisy):
    """∂T/∂ln k = −f (L − x)/k, ∂T/∂ln h = −f/h."""
    slopes = np.stack([FLUX / K * (LENGTH - PLACES[:, 0]), np.full(len(PLACES), FLUX / H)], axis=1)
    expected = NOISE**2 * np.linalg.inv(slopes.T @ slopes)
    noise = noisy.covariance - np.outer(noisy.bias, noisy.bias)
    np.testing.assert_allclose(noise, expected, rtol=5e-2)  # its slopes are those at the estimate
    spread = np.sqrt(np.diag(noisy.covariance))
    np.testing.assert_allclose(noisy.correlation, noisy.covariance / np.outer(spread, spread))
    low, high = noisy.interval("conductivity", 0.9)
    half = 1.6449 * math.sqrt(noisy.covariance[0, 0])
    np.testing.assert_allclose([low, high], noisy["conductivity"] * np.exp([-half, half]), rtol=1e-4)


def test_the_interval_covers_the_truth_about_as_often_as_it_says(slab):
    seeds = 40
    found = [slab.identify(Sensors(PLACES, readings(seed, NOISE), NOISE)) for seed in range(seeds)]
    for name, truth in (("conductivity", K), ("right.h", H)):
        covered = sum(low < truth < high for low, high in (one.interval(name) for one in found))
        assert stats.binom.cdf(covered, seeds, 0.9) > 1e-3
        assert covered < seeds
    chi = np.mean([one.chi_square for one in found])
    assert abs(chi - 38) < 4 * math.sqrt(2 * 38 / seeds)


def test_noise_that_is_not_stated_is_estimated(slab, noisy):
    found = slab.identify(Sensors(PLACES, readings(0, NOISE)))
    spread = np.sqrt(np.sum(found.residuals**2) / 38)
    np.testing.assert_allclose(found.sigma, spread, rtol=1e-6)
    np.testing.assert_allclose(found.values, noisy.values, rtol=1e-5)
    low, high = found.interval("right.h", 0.95)
    half = stats.t(38).ppf(0.975) * math.sqrt(found.covariance[1, 1])
    np.testing.assert_allclose(math.log(high / low), 2 * half, rtol=1e-9)
    assert found.p_value is None
    assert found.consistent is None


def test_noise_that_does_not_fit_is_flagged(slab, noisy):
    assert noisy.consistent
    assert slab.identify(Sensors(PLACES, readings(0, NOISE), 0.3 * NOISE)).consistent is False
    assert slab.identify(Sensors(PLACES, readings(0, NOISE), 4 * NOISE)).consistent is False


def test_a_held_base_leaves_only_the_ratio():
    slope = 100.0 * H / (K + H * LENGTH)
    noise = np.random.default_rng(3).normal(size=len(PLACES)) * 0.3
    sensors = Sensors(PLACES, 400.0 - slope * PLACES[:, 0] + noise, 0.3)
    inverse = InverseProblem(held(), ["conductivity", "right.h"], key=KEY, **GRIDS)
    found = inverse.identify(sensors)
    assert found.identified == {"conductivity": False, "right.h": False}
    assert found.not_identified == ("conductivity times t and right.h times t",)
    assert found.interval("right.h") == (0.0, math.inf)
    assert found.std("conductivity") == math.inf
    ratio, (low, high) = found.combination({"right.h": 1.0, "conductivity": -1.0})
    assert low < H / K < high < 1.1 * low
    assert low < ratio < high
    assert found.combination({"right.h": 1.0, "conductivity": 1.0})[1] == (0.0, math.inf)
    assert (
        json.loads(json.dumps(found.report(), allow_nan=False))["numbers"]["right.h"]["interval"][1] is None
    )
    mended = inverse.identify(sensors, known={"conductivity": (K, 0.1)})
    assert all(mended.identified.values())
    assert mended.degrees == 39
    low, high = mended.interval("right.h")
    assert low < H < high
    np.testing.assert_allclose(mended.std("right.h"), 0.05, rtol=0.1)  # what is known of k, passed on


def test_what_enters_linearly_is_found_too():
    source = 5e4
    sensors = Sensors(PLACES, temperature(PLACES[:, 0], source), 0.1)
    unknown = ["source", "left.flux", "right.ambient"]
    guess = heated(K, H, flux=1000.0, ambient=280.0, source=0.0)
    found = identify(guess, sensors, unknown=unknown, key=KEY, **GRIDS)
    for name, truth in (("source", source), ("left.flux", FLUX), ("right.ambient", AMBIENT)):
        assert abs(found[name] - truth) < 2 * found.std(name)
        low, high = found.interval(name)
        np.testing.assert_allclose((low + high) / 2, found[name])
    assert found.std("right.ambient") < 1.0


@pytest.fixture(scope="module")
def terms():
    """Everything at once: held, heated, cooled, with a source."""
    conditions = [Temperature("left", 350.0), Convection("right", 3.0, 300.0), HeatFlux("rest", 20.0)]
    problem = Problem(box(SIZE), SteadyHeat(2.0, 40.0), conditions, ENDS)
    features = NestedFeatures(nested_cells(problem, 0.012, np.array([0.3, 0.6, 0.2])))
    return problem, features, heat_terms(problem, features), features.values(PLACES)


NAMES = ("conductivity", "source", "left.temperature", "right.h", "right.ambient", "rest.flux")


def test_the_terms_add_up_to_the_energy(terms):
    problem, features, parts, _ = terms
    numbers = Parameters(problem, NAMES, 50.0).numbers(np.zeros(6))
    whole, k = assemble(problem, features), problem.equation.conductivity
    difference = weighted_sum(parts.matrices, numbers) / k - whole.matrix
    assert abs(difference).max() < 1e-12 * abs(whole.matrix).max()
    load = weighted_sum(parts.loads, numbers) / (k * problem.scales.span)
    np.testing.assert_allclose(load, whole.load, atol=1e-12 * abs(whole.load).max())


def test_derivatives_agree_with_finite_differences(terms, monkeypatch):
    monkeypatch.setattr(_reduced_heat, "_TOLERANCE", 1e-12)
    problem, _, parts, at = terms
    parameters, step = Parameters(problem, NAMES, 50.0), 1e-2

    def solved(u):
        return at @ FullSolver(ReducedHeat(parts), parameters.numbers(u)).state

    model = ReducedHeat(parts)
    full = FullSolver(model, parameters.numbers(np.zeros(6)))
    derivatives = full.derivatives(NAMES)
    exact = (at @ np.stack(derivatives, axis=1)) * parameters.slopes(np.zeros(6))[None]
    for number, one in enumerate(step * np.eye(6)):
        slope = (solved(one) - solved(-one)) / (2 * step)
        assert np.abs(slope).max() > 1e-3  # K: every number is seen
        np.testing.assert_allclose(exact[:, number], slope, atol=1e-3 * np.abs(slope).max())
    model.add([full.state, *derivatives])
    state, slopes = model.solve(full.numbers, NAMES)
    np.testing.assert_allclose(at @ (model.basis @ state), at @ full.state, atol=1e-4)
    found = (at @ (model.basis @ slopes)) * parameters.slopes(np.zeros(6))[None]
    np.testing.assert_allclose(found, exact, atol=1e-4 * np.abs(exact).max())


def test_sensors_outside_are_refused_by_number(slab):
    points = PLACES[:4].copy()
    points[2] += [0.0, 0.05, 0.0]
    with pytest.raises(InputError, match=r"sensors 3: 1 of 4 lie outside .* in the part's unit \(m\)"):
        slab.identify(Sensors(points, np.full(4, 350.0), 1.0))


def test_sensors_on_the_surface_are_taken(slab):
    x = np.linspace(0.0, LENGTH, 12)
    points = np.stack(
        [x, np.full(12, SIZE[1] + 5e-5), np.full(12, SIZE[2])], axis=1
    )  # just outside, on an edge
    found = slab.identify(Sensors(points, temperature(x), 1.0))
    np.testing.assert_allclose(found.values, [K, H], rtol=1.5e-2)


@pytest.mark.parametrize(
    ("unknown", "message"),
    [
        ([], "nothing is unknown"),
        (["conductvity"], "Did you mean 'conductivity'"),
        (["left.h"], "no such number"),
        (["conductivity", "conductivity"], "is there twice"),
    ],
)
def test_unknowns_that_are_none(unknown, message):
    with pytest.raises(InputError, match=message):
        InverseProblem(heated(), unknown, key=KEY)


def test_a_first_guess_must_be_positive():
    with pytest.raises(InputError, match=r"'right\.h': its first guess 0 is not positive"):
        InverseProblem(held(h=0.0), ["right.h"], key=KEY)


def test_known_values_must_make_sense(slab):
    sensors = Sensors(PLACES, readings(0, 0.0), 1.0)
    with pytest.raises(InputError, match="not among the unknown"):
        slab.identify(sensors, known={"source": (1.0, 1.0)})
    with pytest.raises(InputError, match="no value with a standard deviation"):
        slab.identify(sensors, known={"right.h": (50.0, 0.0)})


def test_sensors_are_read_from_a_table(tmp_path):
    file = tmp_path / "sensors.csv"
    file.write_text("# bench 3\nTemperature, z,y,x,sigma\n\n350.5,3,2,1,0.5\n351,6,5,4,0.25\n")
    sensors = Sensors.from_csv(file)
    assert sensors.points.tolist() == [[1.0, 2.0, 3.0], [4.0, 5.0, 6.0]]
    assert sensors.count == 2
    assert sensors.temperature.tolist() == [350.5, 351.0]
    assert sensors.deviations.tolist() == [0.5, 0.25]
    file.write_text("x,y,z,temperature\n1,2,3,350")
    assert Sensors.from_csv(file).deviations is None


HEAD = "x,y,z,temperature\n"


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("# nothing\n", "no line with data"),
        (HEAD, "no sensor below the names"),
        ("x,y,temperature\n1,2,3\n", "line 1: there is no column 'z'"),
        ("x,y,z,temperature,mood\n1,2,3,4,5\n", "line 1: the column 'mood' is unknown"),
        ("x,x,y,z,temperature\n1,2,3,4,5\n", "line 1: the column 'x' is there twice"),
        (HEAD + "1,2,3,300\n\n1,2,3\n", "line 4: has 3 values for 4 columns"),
        (HEAD + "1,2,3,300 K\n", "line 2: '300 K' is no finite number"),
        (HEAD + "1,2,3,nan\n", "line 2: 'nan' is no finite number"),
        (HEAD + "1,2,3,300\n1,2,3,-5\n", "sensor 2: the temperature is not a temperature in K"),
        ("x,y,z,temperature,sigma\n1,2,3,300,0\n", "sensor 1: the sigma is not a positive"),
        ("\x1f\x8b", "line 1"),
    ],
)
def test_a_damaged_table_says_where(tmp_path, text, message):
    file = tmp_path / "sensors.csv"
    file.write_text(text)
    with pytest.raises(InputError, match=message) as caught:
        Sensors.from_csv(file)
    assert caught.value.file == str(file)


def test_arrays_must_fit():
    for temperature, sigma in ((np.zeros(2), None), (np.zeros(3), np.ones(2))):  # InputError without beartype
        with pytest.raises((InputError, TypeError)):
            Sensors(np.zeros((3, 3)), temperature, sigma)
    with pytest.raises(InputError, match="no sensor"):
        Sensors(np.zeros((0, 3)), np.zeros(0))
