"""Elastic parts and unknown numbers in a configuration: what arrives, and one message for each mistake."""

import re
from pathlib import Path

import numpy as np
import pytest

from geoembed.cli._case import make_case
from geoembed.cli._elastic_config import ElasticConfig
from geoembed.cli._inverse import read_sensors
from geoembed.cli._problem import make_problem
from geoembed.cli._read_config import read_case
from tests.cli.conftest import write_box
from tests.cli.part_mistakes import (
    ELASTIC,
    ELASTIC_MISTAKES,
    GOOD,
    INVERSE,
    INVERSE_MISTAKES,
    SENSOR_MISTAKES,
)

DOCS = Path(__file__).resolve().parents[2] / "docs" / "how-to"


def written(folder, text, *changes):
    """The box, the sensors and a configuration with some text replaced."""
    write_box(folder / "box.stl")
    (folder / "sensors.csv").write_text(GOOD)
    for old, new in changes:
        assert text.count(old) == 1, old
        text = text.replace(old, new)
    path = folder / "case.toml"
    path.write_text(text, encoding="utf-8")
    return path


@pytest.mark.parametrize("case", ELASTIC_MISTAKES)
def test_a_mistake_about_a_solid_is_one_message(case, tmp_path, geoembed):
    old, new, expected = ELASTIC_MISTAKES[case]
    message = geoembed("solve", written(tmp_path, ELASTIC, (old, new)), "--quiet").message
    for words in expected:
        assert words in message


@pytest.mark.parametrize("case", INVERSE_MISTAKES)
def test_a_mistake_about_unknown_numbers_is_one_message(case, tmp_path, geoembed):
    old, new, expected = INVERSE_MISTAKES[case]
    message = geoembed("solve", written(tmp_path, INVERSE, (old, new)), "--quiet").message
    for words in expected:
        assert words in message


@pytest.mark.parametrize("case", SENSOR_MISTAKES)
def test_a_mistake_in_the_sensors_is_one_message(case, tmp_path, geoembed):
    content, expected = SENSOR_MISTAKES[case]
    config = written(tmp_path, INVERSE)
    (tmp_path / "sensors.csv").write_text(content)
    message = geoembed("solve", config, "--quiet").message
    for words in expected:
        assert words in message


def test_loads_reach_the_faces(tmp_path):
    more = '[[conditions]]\npatch = "rest"\npressure = 2.0\nfoundation = [0, 2, 3]\n[solve]'
    changes = (
        ("[0, 0, 0]", '[0, "free", 1e-6]'),
        ("[solve]", more),
        ("poisson = 0.3", "poisson = 0.3\nbody_force = [0, 0, -7]"),
    )
    path = written(tmp_path, ELASTIC, *changes)
    config = read_case(path)
    assert isinstance(config, ElasticConfig)
    problem = make_problem(config, path)
    assert (problem.equation.young, problem.equation.poisson) == (210e9, 0.3)
    assert problem.equation.body_force == (0, 0, -7)
    normal, table = problem.domain.normals, problem.face_loads
    wall, top = normal[:, 0] < -0.9, normal[:, 2] > 0.9
    rest = ~wall & ~top
    np.testing.assert_array_equal(table.displacement[wall], [[0, np.nan, 1e-6]] * wall.sum())
    np.testing.assert_array_equal(table.traction[top], [[0, 0, -1e6]] * top.sum())
    np.testing.assert_allclose(table.traction[rest], -2.0 * normal[rest])
    np.testing.assert_array_equal(table.stiffness[rest], [[0, 2, 3]] * rest.sum())


@pytest.mark.parametrize("page", ["elasticity", "inverse"])
def test_the_examples_of_the_pages_are_problems(page, tmp_path):
    text = (DOCS / f"{page}.md").read_text(encoding="utf-8")
    (example,) = re.findall(r"^```toml\n# bar\.toml\n(.*?)^```", text, re.M | re.S)
    write_box(tmp_path / "bar.stl", (100.0, 30.0, 30.0))
    (tmp_path / "case.toml").write_text(example, encoding="utf-8")
    config = read_case(tmp_path / "case.toml")
    assert make_problem(config, tmp_path / "case.toml").elastic == (page == "elasticity")
    names = [] if page == "elasticity" else ["conductivity", "right.h"]
    assert [table.name for table in getattr(config, "unknown", [])] == names


def test_the_example_of_the_experiment_is_a_problem():
    file = DOCS.parents[1] / "experiments" / "inverse" / "heat_sink.toml"
    config = read_case(file)
    assert make_problem(config, file).domain.unit == "mm"
    assert read_sensors(config, file).count == 50


def test_a_moved_box_may_be_periodic(tmp_path):
    text = """
[domain]
kind = "box"
lower = [1, 2]
upper = [3, 5]
[physics]
kind = "poisson"
[[conditions]]
kind = "dirichlet"
piece = ["left", "right"]
[[conditions]]
kind = "periodic"
axis = "y"
"""
    (tmp_path / "case.toml").write_text(text)
    assert make_case(tmp_path / "case.toml").problem().in_fields.periodic == (False, True)
