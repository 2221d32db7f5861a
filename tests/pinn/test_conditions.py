"""The table of conditions per face, and every way to contradict oneself."""

import numpy as np
import pytest

from geoembed.core import InputError
from geoembed.pinn import Convection, HeatFlux, Problem, SteadyHeat, Temperature
from geoembed.pinn._conditions import face_conditions
from geoembed.sdf import facing, resolve_patches
from tests.pinn.parts import ENDS, box

BOX = box((2, 1, 1))


@pytest.fixture(scope="module")
def patches():
    return resolve_patches(BOX, ENDS)


def test_each_face_gets_the_condition_of_its_patch(patches):
    table = face_conditions(
        patches, [Temperature("left", 400.0), Convection("right", 5.0, 300.0), HeatFlux("rest", -7.0)]
    )
    left, right = BOX.normals[:, 0] < -0.9, BOX.normals[:, 0] > 0.9
    assert np.array_equal(table.held, left)
    assert np.all(table.temperature[left] == 400.0)
    assert np.all(np.isnan(table.temperature[~left]))
    assert np.array_equal(table.h, np.where(right, 5.0, 0.0))
    assert np.array_equal(table.ambient, np.where(right, 300.0, 0.0))
    assert np.array_equal(table.flux, np.where(left | right, 0.0, -7.0))


def test_flux_and_convection_go_together(patches):
    table = face_conditions(patches, [Convection("left", 5.0, 300.0), HeatFlux("left", 7.0)])
    left = BOX.normals[:, 0] < -0.9
    assert np.all(table.h[left] == 5.0)
    assert np.all(table.flux[left] == 7.0)


@pytest.mark.parametrize(
    ("conditions", "message"),
    [
        ([], "no patch fixes the level"),
        ([HeatFlux("left", 1.0)], "no patch fixes the level"),
        ([Convection("left", 0.0, 300.0)], "no patch fixes the level"),
        ([Temperature("left", 300.0), Temperature("left", 300.0)], "several conditions of one kind"),
        (
            [HeatFlux("left", 1.0), HeatFlux("left", 2.0), Temperature("right", 300.0)],
            "several conditions of one",
        ),
        ([Temperature("left", 300.0), HeatFlux("left", 1.0)], "carries another condition"),
        ([Temperature("left", 300.0), Convection("left", 1.0, 300.0)], "carries another condition"),
        ([Temperature("lefty", 300.0)], "Did you mean 'left'"),
    ],
)
def test_contradictions_are_refused(patches, conditions, message):
    with pytest.raises(InputError, match=message):
        face_conditions(patches, conditions)


@pytest.mark.parametrize(
    ("make", "name"),
    [
        (lambda: Temperature("p", -1.0), "temperature"),
        (lambda: Temperature("p", float("nan")), "temperature"),
        (lambda: HeatFlux("p", float("inf")), "flux"),
        (lambda: Convection("p", -1.0, 300.0), "h = -1.0"),
        (lambda: Convection("p", 1.0, -0.5), "ambient"),
        (lambda: Convection("p", float("inf"), 300.0), "h = inf"),
        (lambda: SteadyHeat(0.0), "conductivity"),
        (lambda: SteadyHeat(-1.0), "conductivity"),
        (lambda: SteadyHeat(float("nan")), "conductivity"),
        (lambda: SteadyHeat(float("inf")), "conductivity"),
        (lambda: SteadyHeat(1.0, float("nan")), "source"),
        (lambda: SteadyHeat(1.0, float("-inf")), "source"),
    ],
)
def test_numbers_out_of_range_are_refused(make, name):
    with pytest.raises(InputError, match=name):
        make()


def test_zero_kelvin_and_cooling_are_allowed():
    assert Temperature("p", 0.0).value == 0.0
    assert HeatFlux("p", -3.0).value == -3.0
    assert SteadyHeat(1.0, -5.0).source == -5.0


def test_a_condition_on_an_empty_rest_is_refused():
    every = {
        name: facing(tuple(direction))
        for name, direction in zip("abcdef", [*np.eye(3), *-np.eye(3)], strict=True)
    }
    with pytest.raises(InputError, match="'rest' is empty"):
        Problem(BOX, SteadyHeat(1.0), [Temperature("rest", 300.0)], every)
