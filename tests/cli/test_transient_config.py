"""Heat in time and conductivities of every kind in a configuration: what arrives, and one message for a mistake."""

import re
from typing import Any

import numpy as np
import pytest

from geoembed.cli._problem import make_problem
from geoembed.cli._read_config import read_case
from geoembed.pinn import Convection, HeatFlux, SteadyHeat, TransientHeat
from tests.cli.conftest import write_box, write_config
from tests.cli.test_part_config import DOCS, written
from tests.cli.transient_mistakes import TRANSIENT, TRANSIENT_MISTAKES

PLACES = np.array([[1.0, 2.0, 3.0], [10.0, 5.0, 0.5]])


def problem_of(path):
    return make_problem(read_case(path), path)


@pytest.mark.parametrize("case", TRANSIENT_MISTAKES)
def test_a_mistake_about_heat_in_time_is_one_message(case, tmp_path, geoembed):
    old, new, expected = TRANSIENT_MISTAKES[case]
    message = geoembed("solve", written(tmp_path, TRANSIENT, (old, new)), "--quiet").message
    for words in expected:
        assert words in message


def test_there_is_no_judge(tmp_path, geoembed):
    message = geoembed("solve", written(tmp_path, TRANSIENT), "--certify").message
    assert "no finite elements for heat in a part in time" in message
    assert not (tmp_path / "case-result").exists()


def test_courses_reach_the_conditions(tmp_path):
    more = (
        ("capacity = 2.4e6", 'capacity = "2.4e6*(1 + 0.01*x)"\nsource = [[0, 0], [30, 9e4]]'),
        ("temperature = 300.0", 'temperature = "300 + z"'),
        ("end = 60", "start = -10\nend = 60"),
    )
    problem = problem_of(written(tmp_path, TRANSIENT, *more))
    equation: Any = problem.equation
    first: Any = problem.initial.value
    assert type(problem.equation) is TransientHeat
    assert problem.time == (-10.0, 60.0)
    assert equation.conductivity == 200.0
    assert [equation.source(t) for t in (-5, 0, 10, 30, 50)] == [0, 0, 3e4, 9e4, 9e4]
    assert equation.capacity.at(PLACES) == pytest.approx(2.4e6 * (1 + 0.01 * PLACES[:, 0]))
    assert first.at(PLACES) == pytest.approx(300 + PLACES[:, 2])
    conditions: Any = problem.heat_conditions
    flux, convection = conditions
    assert [type(condition) for condition in conditions] == [HeatFlux, Convection]
    assert [flux.value(t) for t in (0.0, 5.0, 20.0, 60.0)] == [0, 1000, 4000, 4000]
    assert convection.h == 50.0
    assert convection.ambient(30.0) == pytest.approx(305.0)


def test_a_part_without_conditions_is_insulated(tmp_path):
    text = TRANSIENT[: TRANSIENT.index("[[conditions]]")]
    problem = problem_of(written(tmp_path, text.replace("300.0", '"300 + x"')))
    assert problem.heat_conditions == []
    assert problem.scales.span == pytest.approx(30.0, rel=1e-2)


def test_the_example_of_the_page_is_a_problem(tmp_path):
    text = (DOCS / "heat-in-a-part.md").read_text(encoding="utf-8")
    (example,) = re.findall(r"^```toml\n# heating\.toml\n(.*?)^```", text, re.M | re.S)
    write_box(tmp_path / "box.stl")
    (tmp_path / "case.toml").write_text(example, encoding="utf-8")
    assert problem_of(tmp_path / "case.toml").time == (0.0, 600.0)


X, Y, Z = PLACES.T
O, I = np.zeros(2), np.ones(2)
CONDUCTIVITIES = {
    "number": ("2.5", 2.5 * I),
    "formula without place": ('"2*pi"', 2 * np.pi * I),
    "formula": ('"2 + 0.05*z**2"', 2 + 0.05 * Z**2),
    "axes": ("[5.0, 4.0, 0.7]", np.diag([5.0, 4.0, 0.7]) * I[:, None, None]),
    "matrix": ("[[2, 1, 0], [1, 2, 0], [0, 0, 1]]", np.array([[2, 1, 0], [1, 2, 0], [0, 0, 1]]) * I[:, None, None]),
    "axes of the place": (
        '["1 + x", 2, "exp(-z)"]',
        np.array([[1 + X, O, O], [O, 2 * I, O], [O, O, np.exp(-Z)]]).transpose(2, 0, 1),
    ),
    "matrix of the place": (
        '[[3, "x/40", 0], ["x/40", "2 + y", 0], [0, 0, 1]]',
        np.array([[3 * I, X / 40, O], [X / 40, 2 + Y, O], [O, O, I]]).transpose(2, 0, 1),
    ),
}  # fmt: skip


@pytest.mark.parametrize("case", CONDUCTIVITIES)
def test_a_conductivity_reaches_the_equation(case, tmp_path):
    said, wanted = CONDUCTIVITIES[case]
    problem = problem_of(write_config(tmp_path, ("conductivity = 10.0", f"conductivity = {said}")))
    assert isinstance(problem.equation, SteadyHeat)
    np.testing.assert_allclose(problem.conduction.at(PLACES), wanted, rtol=1e-12)
