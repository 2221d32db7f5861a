"""Fields from sensors: a graded bar with a known temperature, and finite differences."""

import jax
import numpy as np
import pytest

from geoembed.core import InputError
from geoembed.pinn import Convection, HeatFlux, Problem, Sensors, SteadyHeat, Temperature, identify_field
from geoembed.pinn._field_terms import CellField, PatchField
from geoembed.pinn._gaussian_field import GaussianField
from geoembed.pinn._heat_terms import heat_terms
from geoembed.pinn._identify_field import _FieldSearch
from geoembed.pinn._nested_cells import nested_cells
from geoembed.pinn._nested_features import NestedFeatures
from tests.pinn.parts import ENDS, box

KEY = jax.random.key(1)
SIZE = np.array([0.1, 0.02, 0.02])
K, H, FLUX, AMBIENT, LENGTH, NOISE = 2.0, 50.0, 4000.0, 300.0, 0.1, 0.5
X = np.linspace(0, LENGTH, 4001)
PLACES = np.random.default_rng(0).uniform(0, 1, (40, 3)) * SIZE
LINE = np.stack([np.linspace(0.005, 0.095, 31), np.full(31, 0.01), np.full(31, 0.01)], axis=1)


def bar(source=0.0):
    conditions = [HeatFlux("left", FLUX), Convection("right", H, AMBIENT)]
    return Problem(box(SIZE), SteadyHeat(K, source), conditions, ENDS)


def integral(values):
    return np.concatenate([[0.0], np.cumsum(0.5 * (values[1:] + values[:-1]))]) * (X[1] - X[0])


def temperature(k, source):
    """T of the bar by two integrals: of the source, and of flux over k."""
    flux = FLUX + integral(source)
    drop = integral(flux / k)
    return AMBIENT + flux[-1] / H + drop[-1] - drop


def readings(k, source):
    noise = np.random.default_rng(5).normal(size=len(PLACES)) * NOISE
    return Sensors(PLACES, np.interp(PLACES[:, 0], X, temperature(k, source)) + noise, NOISE)


def graded(x):
    return K * np.exp(0.4 * np.sin(50 * x))


def heating(x):
    return 1e5 * (1 + np.sin(40 * x))


def check(found, truth, spread_without):
    assert found.status == "converged"
    low, high = found.interval(LINE)
    assert np.mean((low <= truth) & (truth <= high)) >= 0.8
    off, before = (np.std(np.log(v / truth)) for v in (found.value(LINE), np.full(len(truth), found.guess)))
    assert off < 0.25 * before
    assert found.std(LINE).max() < 0.5 * spread_without
    assert 0 < found.determined < 40
    assert 5 < found.chi_square < 60  # 40 sensors less what they determine, ± 4 standard deviations


def test_a_graded_conductivity_is_found():
    sensors = readings(graded(X), 0 * X)
    found = identify_field(
        bar(), sensors, unknown="conductivity", spread=0.5, length=0.02, key=KEY, cells=1200
    )
    check(found, graded(LINE[:, 0]), 0.5)


def test_a_source_that_varies_is_found():
    found = identify_field(
        bar(1e5),
        readings(K + 0 * X, heating(X)),
        unknown="source",
        spread=1e5,
        length=0.03,
        key=KEY,
        cells=1200,
    )
    check(found, heating(LINE[:, 0]), 1e5)
    assert not found.positive


@pytest.fixture(scope="module")
def small():
    """A held face besides, which conductivity must leave alone."""
    conditions = [Temperature("left", 350.0), Convection("right", 30.0, 300.0), HeatFlux("rest", 200.0)]
    problem = Problem(box(SIZE), SteadyHeat(2.0, 1e4), conditions, ENDS)
    return problem, NestedFeatures(nested_cells(problem, 0.009, np.array([0.3, 0.6, 0.2])))


@pytest.mark.parametrize("name", ["conductivity", "source", "right.h", "rest.flux"])
def test_derivatives_agree_with_finite_differences(small, name):
    problem, features = small
    kind = CellField if name in ("conductivity", "source") else PatchField
    field, terms = kind(problem, features, name), heat_terms(problem, features)
    sensors = Sensors(PLACES[:6], np.full(6, 320.0), 1.0)
    search = _FieldSearch(problem, sensors, terms, field, features.values(PLACES[:6]), name)
    prior = GaussianField(field.places, 0.3 * (1.0 if search.positive else search.guess), 0.04)
    psi = prior.features(field.places)
    random = np.random.default_rng(0)
    at, way = random.normal(size=(2, prior.count))
    ends = [search.linear(at + sign * 1e-3 * way, psi).temperatures for sign in (1, -1)]
    slope = (ends[0] - ends[1]) / 2e-3
    assert np.abs(slope).max() > 1e-3
    np.testing.assert_allclose(search.linear(at, psi).slopes @ way, slope, atol=1e-4 * np.abs(slope).max())


def test_far_from_all_sensors_little_is_known():
    left = PLACES * [0.3, 1.0, 1.0]
    sensors = Sensors(left, np.interp(left[:, 0], X, temperature(K + 0 * X, 0 * X)), NOISE)
    found = identify_field(
        bar(), sensors, unknown="conductivity", spread=0.5, length=0.01, key=KEY, cells=800
    )
    near, far = found.std(np.array([[0.015, 0.01, 0.01], [0.09, 0.01, 0.01]]))
    assert far > 0.4 > 0.25 > near  # what lies between is known as a sum only


def test_the_process_has_its_covariance():
    prior = GaussianField(np.random.default_rng(0).uniform(0, 1, (3000, 3)), 2.0, 0.7)
    points = np.random.default_rng(1).uniform(0, 1, (50, 3))
    psi = prior.features(points)
    expected = 4 * np.exp(-0.5 * np.sum((points[:, None] - points[None]) ** 2, axis=2) / 0.49)
    np.testing.assert_allclose(psi @ psi.T, expected, atol=0.02)
    np.testing.assert_allclose(np.sum(psi**2, axis=1) + prior.missing(psi), 4.0)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"unknown": "right.ambient"}, "is no field here"),
        ({"unknown": "left.h"}, "no such number"),
        ({"spread": 0.0}, "spread: 0.0 is not a positive number"),
        ({"sensors": Sensors(PLACES, np.full(40, 300.0))}, "needs the standard deviation"),
    ],
)
def test_what_cannot_be(options, message):
    usual = {"sensors": readings(K + 0 * X, 0 * X), "unknown": "conductivity", "spread": 0.5, "length": 0.02}
    with pytest.raises(InputError, match=message):
        identify_field(bar(), key=KEY, **(usual | options))
