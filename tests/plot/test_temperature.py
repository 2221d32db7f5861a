"""Pictures show what they claim."""

import dataclasses
import subprocess
import sys

import numpy as np
import pytest
from matplotlib import colormaps
from matplotlib.figure import Figure
from matplotlib.image import imread

from geoembed.plot import convergence_figure, save_temperature, temperature_figure
from geoembed.plot._surface import surface_panel
from geoembed.sdf import value_and_gradient
from tests.solved_part import HEIGHT, in_angle, solved_angle


@pytest.fixture(scope="module")
def figure():
    return temperature_figure(*solved_angle())


@pytest.fixture(scope="module")
def pixels(figure):
    figure.canvas.draw()
    return np.asarray(figure.canvas.buffer_rgba())[..., :3].astype(float) / 255


def _axes(figure, label):
    (axes,) = [axes for axes in figure.axes if axes.get_label() == label]
    return axes


def _temperatures(figure, rgb):
    """Temperatures from colours, by the colour bar's own table."""
    low, high = _axes(figure, "colour bar").get_ylim()
    table = colormaps["plasma"](np.linspace(0, 1, 1024))[:, :3]
    nearest = np.argmin(np.linalg.norm(rgb[:, None] - table[None], axis=2), axis=1)
    return low + (high - low) * nearest / 1023


def test_labels_carry_units_and_evidence(figure):
    assert _axes(figure, "colour bar").get_ylabel() == "Temperature / K"
    assert _axes(figure, "slice").get_xlabel() == "x / mm"
    assert _axes(figure, "slice").get_ylabel() == "y / mm"
    assert _axes(figure, "surface").get_zlabel() == "z / mm"
    assert "Slice at z = 6.0 mm" in _axes(figure, "slice").get_title()
    words = " ".join(text.get_text() for text in figure.texts)
    assert "k = 0.5 W/(m K)" in words
    assert "Error not estimated" in words  # one grid only
    assert "not converged to the tolerance: cell limit" in words


def test_evidence_of_a_converged_result_is_stated():
    problem, result = solved_angle()
    good = dataclasses.replace(result, status="converged", estimated_error=0.0042)
    words = " ".join(text.get_text() for text in temperature_figure(problem, good).texts)
    assert "Estimated error 0.42 %" in words
    assert "converged" in words
    assert "not converged" not in words


def test_colour_bar_spans_the_temperatures(figure):
    problem, result = solved_angle()
    low, high = _axes(figure, "colour bar").get_ylim()
    value, _ = value_and_gradient(result.field, problem.domain.vertices)
    assert low == pytest.approx(value.min(), abs=1.0)
    assert high == pytest.approx(350.0, abs=2.0)


def test_slice_is_coloured_inside_and_empty_outside(figure):
    _, result = solved_angle()
    axes = _axes(figure, "slice")
    (image,) = axes.get_images()
    rgba = np.asarray(image.get_array())
    left, right, bottom, _ = image.get_extent()
    rows, columns = rgba.shape[:2]
    size = (right - left) / columns
    x, y = np.meshgrid(left + size * (np.arange(columns) + 0.5), bottom + size * (np.arange(rows) + 0.5))
    points = np.stack([x, y, np.full_like(x, HEIGHT / 2)], axis=-1).reshape(-1, 3)
    alpha = rgba[..., 3].ravel()
    well_inside = in_angle(points, margin=-size)
    assert 0.5 < well_inside.mean() < 0.7  # an L fills 5/9 of its box
    assert (alpha[well_inside] == 1).all()
    assert (alpha[~in_angle(points, margin=size)] == 0).all()
    some = np.flatnonzero(well_inside)[::97]
    value, _ = value_and_gradient(result.field, points[some])
    shown = _temperatures(figure, rgba.reshape(-1, 4)[some, :3])
    low, high = _axes(figure, "colour bar").get_ylim()
    np.testing.assert_allclose(shown, value, atol=(high - low) / 120)


def test_surface_is_drawn_where_the_part_is(figure, pixels):
    """The picture fits the axes in space: the projected corners of the part enclose just what is coloured."""
    problem, _ = solved_angle()
    axes = _axes(figure, "surface")
    matrix = axes.get_proj()
    corners = problem.domain.vertices
    plane = (np.concatenate([corners, np.ones((len(corners), 1))], axis=1) @ matrix.T)[:, :2] / matrix[3, 3]
    there = axes.transData.transform(plane)
    left_half = pixels[:, : pixels.shape[1] // 2]
    saturated = np.ptp(left_half, axis=2) > 0.25
    row, column = np.nonzero(saturated[int(0.13 * len(pixels)) :])  # below the titles
    row = row + int(0.13 * len(pixels))
    height = pixels.shape[0]
    assert column.min() == pytest.approx(there[:, 0].min(), abs=3)
    assert column.max() == pytest.approx(there[:, 0].max(), abs=3)
    assert height - row.max() == pytest.approx(there[:, 1].min(), abs=3)
    assert height - row.min() == pytest.approx(there[:, 1].max(), abs=3)


def test_surface_has_the_hues_of_its_temperatures(figure):
    """Light only darkens a colour: its ratios of red, green and blue are those of the colour bar."""
    problem, result = solved_angle()
    (image,) = _axes(figure, "surface").get_images()
    rgba = np.asarray(image.get_array())
    shown = rgba[..., 3] > 0
    assert 0.2 < shown.mean() < 0.9
    picture = surface_panel(
        Figure(figure.get_size_inches(), figure.dpi), (0.0, 0.0, 0.5, 0.87), problem.domain
    ).picture
    assert (shown == (picture.face >= 0)).all()
    value, _ = value_and_gradient(result.field, picture.points)
    low, high = _axes(figure, "colour bar").get_ylim()
    expected, drawn = colormaps["plasma"]((value - low) / (high - low))[:, :3], rgba[shown][:, :3]
    ratio = np.abs(drawn / drawn.max(axis=1)[:, None] - expected / expected.max(axis=1)[:, None]).max(axis=1)
    assert (ratio < 1e-6).mean() > 0.97  # the rest is the white line of the slice
    brightness = drawn.max(axis=1) / expected.max(axis=1)
    assert np.median(brightness) > 0.75
    assert len(np.unique(brightness[ratio < 1e-6].round(3))) >= 4  # three directions of faces, and edges


def test_a_constant_field_and_one_without_values_are_drawn():
    problem, result = solved_angle()
    field = dataclasses.replace(result.field, finer=None)
    flat = dataclasses.replace(field, coefficients=np.zeros_like(field.coefficients))
    drawn = temperature_figure(problem, dataclasses.replace(result, field=flat))
    low, high = _axes(drawn, "colour bar").get_ylim()
    assert (low, high) == pytest.approx((field.reference - 0.5, field.reference + 0.5))
    drawn.canvas.draw()
    broken = dataclasses.replace(field, coefficients=np.full_like(field.coefficients, np.nan))
    drawn = temperature_figure(problem, dataclasses.replace(result, field=broken))
    (image,) = _axes(drawn, "slice").get_images()
    rgba = np.asarray(image.get_array())
    assert np.ptp(rgba[rgba[..., 3] == 1][:, :3]) == 0  # grey, not a temperature


def test_file_is_a_picture(tmp_path, pixels):
    save_temperature(tmp_path / "temperature.png", *solved_angle())
    saved = imread(tmp_path / "temperature.png")[..., :3]
    assert saved.shape == pixels.shape
    assert np.abs(saved - pixels).mean() < 1e-3
    assert len(np.unique((saved * 255).astype(int).reshape(-1, 3), axis=0)) > 1000


def test_pyplot_is_left_alone():
    code = "import sys, geoembed.plot; print('matplotlib.pyplot' in sys.modules)"
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True, timeout=120
    )
    assert done.stdout.strip() == "False"


def _record(grid, step):
    return {
        "grid": grid,
        "cells": 100 * 3**grid,
        "iteration": step,
        "total_iterations": 100 * (grid - 1) + step,
        "energy": 0.3 + 0.1 / step / grid,
        "held_out": 0.31 + 0.2 / step / grid,
        "estimated_error": float("inf") if grid == 1 else 0.1 / grid,
        "finished": step == 100,
    }


def _history():
    return tuple(_record(grid, step) for grid in (1, 2, 3) for step in (25, 50, 75, 100))


def test_convergence_shows_energies_grids_and_errors():
    _, result = solved_angle()
    figure = convergence_figure(dataclasses.replace(result, history=_history()))
    figure.canvas.draw()
    energy, error = _axes(figure, "energy"), _axes(figure, "error")
    assert energy.get_yscale() == error.get_yscale() == "log"
    held_out = next(line for line in energy.lines if "held-out" in str(line.get_label()))
    steps, excess = held_out.get_data()
    assert list(steps) == [25, 50, 75, 100, 125, 150, 175, 200, 225, 250, 275]  # the lowest has no logarithm
    lowest = 0.31 + 0.2 / 300
    assert excess[0] == pytest.approx((0.31 + 0.2 / 25 - lowest) / lowest)
    steps, errors = error.lines[0].get_data()
    assert list(steps) == [200, 300]
    assert list(errors) == pytest.approx([0.05, 0.1 / 3])
    grids = [text.get_text() for text in energy.texts]
    assert grids == ["grid 1\n300 cells", "grid 2\n900 cells", "grid 3\n2\u2009700 cells"]


def test_convergence_of_a_real_run_and_of_none():
    _, result = solved_angle()
    figure = convergence_figure(result)
    assert len(_axes(figure, "energy").lines) >= 2
    convergence_figure(dataclasses.replace(result, history=())).canvas.draw()


def test_convergence_of_another_equation_shows_residuals():
    record = {"iteration": 5, "residual": 1e-1, "held_out": 2e-1, "estimated_error": float("inf")}
    later = {"iteration": 10, "residual": 1e-3, "held_out": 3e-3, "estimated_error": 1e-2}
    result = dataclasses.replace(solved_angle()[1], history=(record, later))
    figure = convergence_figure(result, tolerance=1e-3)
    figure.canvas.draw()
    above, below = _axes(figure, "residual"), _axes(figure, "error")
    drawn = {line.get_label(): line.get_ydata().tolist() for line in above.lines}
    assert drawn == {"at the training points": [1e-1, 1e-3], "at held-out points": [2e-1, 3e-3]}
    # a single estimate is seen, and so is what was asked for
    assert below.lines[0].get_data() == ([10.0], [1e-2])
    assert below.lines[0].get_marker() == "s"
    low, high = below.get_ylim()
    assert low < 1e-3 < 1e-2 < high
    assert [text.get_text() for text in below.texts] == ["asked for: 0.1 %", "1 %"]
