"""Sections of parts, surfaces as they are drawn, and pictures of what sensors say."""

import numpy as np
import pytest

from geoembed.pinn import Identified, Sensors
from geoembed.plot import identified_figure, slices_figure
from geoembed.plot._displacement import _round
from geoembed.plot._skin import Skin
from tests.solved_part import angle_part, solved_angle


def _axes(figure, label):
    (axes,) = [axes for axes in figure.axes if axes.get_label() == label]
    return axes


@pytest.fixture(scope="module")
def figure():
    return slices_figure(*solved_angle(), {"x": 20.0})


def test_slices_are_where_they_say(figure):
    assert _axes(figure, "x 0").get_title() == "Slice at x = 20.0 mm"
    assert "Slice at z = 6.0 mm" in _axes(figure, "z 0").get_title()
    assert _axes(figure, "x 0").get_xlabel() == "y / mm"
    assert _axes(figure, "colour bar 0").get_ylabel() == "Temperature / K"
    # at x = 20 only the arm along x is cut: 10 mm wide, 12 mm high
    (outline,) = [c for c in _axes(figure, "x 0").collections if hasattr(c, "get_segments")][-1:]
    corners = np.concatenate(outline.get_segments())
    np.testing.assert_allclose(np.ptp(corners, axis=0), [10, 12], atol=1e-5)


def test_another_axis_is_refused():
    with pytest.raises(ValueError, match="x, y and z"):
        slices_figure(*solved_angle(), {"w": 1.0})


def test_enlargements_are_round():
    assert [_round(factor) for factor in (0.3, 1.0, 3.9, 5.0, 99.0, 1234.0, np.inf)] == [
        1,
        1,
        2,
        5,
        50,
        1000,
        1,
    ]


def test_a_surface_blends_linear_functions_exactly():
    part = angle_part()
    skin = Skin(part.vertices, part.faces, "mm", part.normals)
    np.testing.assert_allclose(skin.normals, part.normals, atol=1e-6)
    weights = np.random.default_rng(0).dirichlet([1, 1, 1], len(part.faces))
    points = np.einsum("fk,fkd->fd", weights, part.vertices[part.faces])
    values = part.vertices @ np.array([1.0, -2.0, 3.0])
    found = skin.blend(values, np.arange(len(part.faces)), points)
    np.testing.assert_allclose(found, points @ np.array([1.0, -2.0, 3.0]), atol=1e-4)


def test_a_sliver_takes_the_normal_of_its_face():
    vertices = np.array([[0.0, 0, 0], [1, 0, 0], [0.5, 0, 1e-6]])  # its own normal is along −y
    skin = Skin(vertices, np.array([[0, 1, 2]]), "mm", np.array([[0.0, 0, 1]]))
    np.testing.assert_array_equal(skin.normals, [[0, 0, 1]])


def test_far_sensors_carry_their_number_and_what_is_hidden_says_so():
    residuals = np.array([0.1, -0.2, 4.0, 0.3])
    found = Identified(
        names=("conductivity", "right.h"), values=np.array([2.0, 25.0]), positive=(True, True),
        covariance=np.diag([1e-4, 0.0]), bias=np.zeros(2), blind=np.array([[0.0, 1.0]]), residuals=residuals,
        sigma=np.ones(4), noise_given=True, chi_square=float(residuals @ residuals), degrees=3, model_error=0.01,
        status="converged", cells=1, history=(), seconds=0.0, problem=solved_angle()[0],
    )  # fmt: skip
    sensors = Sensors(np.zeros((4, 3)), np.array([300.0, 310.0, 320.0, 330.0]), 1.0)
    figure = identified_figure(found, sensors, bounds={"conductivity": [1.99, 2.5]})
    assert [text.get_text() for text in _axes(figure, "residuals").texts] == ["3"]
    words = [text.get_text() for text in _axes(figure, "numbers").texts]
    assert words == ["conductivity = 2", "not determined by these sensors"]
    assert "not everything is determined" in " ".join(text.get_text() for text in figure.texts)
    # 1.645 standard deviations of 1 % around the estimate
    (line, *_) = _axes(figure, "numbers").containers
    ends = line[2][0].get_segments()[0][:, 0]
    np.testing.assert_allclose(ends, 100 * (np.exp([-0.01645, 0.01645]) - 1), atol=1e-3)
