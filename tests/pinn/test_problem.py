"""What a problem refuses, and its dimensionless form against numbers worked out by hand."""

import numpy as np
import pytest

from geoembed.core import InputError
from geoembed.pinn import Convection, HeatFlux, Problem, SteadyHeat, Temperature
from geoembed.pinn._energy import dimensionless_source
from geoembed.pinn._surface_conditions import HOLD, surface_conditions
from geoembed.sdf import SurfaceRule, facing, in_box, mesh_sdf
from tests.pinn.parts import ENDS, box, shell, together

TWO = together(box((1, 1, 1)), box((1, 1, 1), (3, 0, 0)))
FIRST = {"first": facing((-1, 0, 0)) & in_box((-1, -1, -1), (2, 2, 2))}


def test_an_open_part_is_refused():
    part = box((1, 1, 1))
    torn = mesh_sdf(part.vertices, part.faces[:-1].astype(np.int64), unit="m")
    with pytest.raises(InputError, match="not closed"):
        Problem(torn, SteadyHeat(1.0), [Temperature("rest", 300.0)])


def test_an_unknown_patch_is_refused_at_once():
    with pytest.raises(InputError, match="no patch named 'top'"):
        Problem(box((1, 1, 1)), SteadyHeat(1.0), [Temperature("top", 300.0)])


def test_overlapping_patches_are_refused():
    twice = {"a": facing((1, 0, 0)), "b": facing((1, 0, 0))}
    with pytest.raises(InputError, match="share"):
        Problem(box((1, 1, 1)), SteadyHeat(1.0), [Temperature("a", 300.0)], twice)


@pytest.mark.parametrize("extra", [[], [HeatFlux("rest", 1.0)]])
def test_a_body_without_a_level_is_refused(extra):
    with pytest.raises(InputError, match=r"body from \(3, 0, 0\) to \(4, 1, 1\) m") as caught:
        Problem(TWO, SteadyHeat(1.0), [Temperature("first", 300.0), *extra], FIRST)
    assert "2 separate bodies" in str(caught.value)


def test_a_body_that_convects_has_a_level():
    Problem(TWO, SteadyHeat(1.0), [Temperature("first", 300.0), Convection("rest", 1e-3, 290.0)], FIRST)


def test_a_cavity_needs_no_condition_of_its_own():
    top = {"top": in_box((-9, -9, 1.0), (9, 9, 9))}  # of the outer surface only
    Problem(shell(subdivisions=2), SteadyHeat(1.0), [Temperature("top", 300.0)], top)


def test_scales_are_those_of_the_textbook():
    """A bar of 200 mm, k = 4, held at 350 K, convecting with h = 80 to 300 K, heated by 1000 W/m² and 5000 W/m³."""
    part = box((200, 40, 40), unit="mm")
    conditions = [Temperature("left", 350.0), Convection("right", 80.0, 300.0), HeatFlux("rest", 1000.0)]
    problem = Problem(part, SteadyHeat(4.0, 5000.0), conditions, ENDS)
    scales = problem.scales
    span = 1000 * 0.2 / 4 + 5000 * 0.2**2 / 4  # larger than the 50 K between the levels
    assert (scales.length, scales.metres, scales.reference) == (200.0, 0.2, 300.0)
    np.testing.assert_allclose([scales.span, scales.heat], [span, 4 * 0.2 * span])
    np.testing.assert_allclose(dimensionless_source(problem), 5000 * 0.04 / (4 * span))
    faces = np.arange(12)
    rule = SurfaceRule(np.zeros((12, 3)), np.full(12, 8.0), faces)
    surface = surface_conditions(problem, rule)
    left, right = part.normals[:, 0] < -0.9, part.normals[:, 0] > 0.9
    np.testing.assert_allclose(surface.transfer, np.select([left, right], [HOLD, 80 * 0.2 / 4], 0.0))
    np.testing.assert_allclose(surface.target, np.select([left, right], [50 / span, 0.0], 0.0))
    np.testing.assert_allclose(surface.flux, np.where(left | right, 0.0, 1000 * 0.2 / (4 * span)))
    np.testing.assert_allclose(surface.weights, 8.0 / 200**2)


def test_a_problem_without_differences_has_a_span():
    problem = Problem(box((1, 1, 1)), SteadyHeat(1.0), [Temperature("rest", 300.0)])
    assert problem.scales.span == 1.0


def test_a_contact_is_never_better_than_that_of_a_held_face():
    problem = Problem(box((1, 1, 1)), SteadyHeat(1e-6), [Convection("rest", 50.0, 300.0)])
    rule = SurfaceRule(np.zeros((12, 3)), np.ones(12), np.arange(12))
    assert np.all(surface_conditions(problem, rule).transfer == HOLD)
