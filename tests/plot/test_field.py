"""Pictures of fields show their values, and nothing outside the domain."""

import jax.numpy as jnp
import numpy as np
import pytest
from matplotlib import colormaps
from matplotlib.cm import ScalarMappable
from matplotlib.colors import Normalize
from matplotlib.figure import Figure

from geoembed.pinn import Burgers, HeatEquation, Interval, Materials, NavierStokes2D, Poisson, Problem
from geoembed.plot import field_figure, field_grid
from geoembed.plot._field_panels import Panel, draw_panel
from geoembed.plot._field_samples import planes
from geoembed.sdf import Box, Circle, Sphere
from tests.drawn_field import drawn


def axes_of(figure, label):
    (axes,) = [axes for axes in every_axes(figure) if axes.get_label() == label]
    return axes


def every_axes(figure):
    return [found for axes in figure.axes for found in (axes, *axes.child_axes)]


def shown(figure, label, low, high):
    """The values in a picture, by the table of colours, and its transparency."""
    (image,) = axes_of(figure, label).get_images()
    rgba = np.asarray(image.get_array())
    table = colormaps["plasma"](np.linspace(0, 1, 256))[:, :3]
    nearest = np.argmin(np.linalg.norm(rgba[..., None, :3] - table, axis=-1), axis=-1)
    return low + (high - low) * nearest / 255, rgba[..., 3], image.get_extent()


@pytest.fixture(scope="module")
def plate():
    """A box with a hole; u = x on [-2, 2]."""
    problem = Problem(Box((4.0, 2.0)) - Circle(0.5), Poisson(), [])
    return problem, drawn(problem, lambda features: 2 * features[:1], status="stalled")


@pytest.fixture(scope="module")
def plate_figure(plate):
    return field_figure(*plate)


def test_colours_are_the_values_and_the_hole_is_clear(plate_figure):
    values, alpha, (left, right, bottom, top) = shown(plate_figure, "u picture 0", -2.0, 2.0)
    height, width = values.shape
    x = left + (np.arange(width) + 0.5) * (right - left) / width
    y = bottom + (np.arange(height) + 0.5) * (top - bottom) / height
    away = np.hypot(x[None], y[:, None]) - 0.5
    inside = (away > 0.02) & (np.abs(x[None]) < 1.97) & (np.abs(y[:, None]) < 0.97)
    assert np.all(alpha[inside] == 1)
    assert np.all(alpha[away < -0.02] == 0)
    np.testing.assert_allclose(values[inside], np.broadcast_to(x[None], values.shape)[inside], atol=0.03)


def test_the_title_says_plainly_that_it_did_not_converge(plate_figure):
    words = " ".join(text.get_text() for text in plate_figure.texts)
    assert "NOT CONVERGED to the tolerance: stalled" in words
    assert "estimated error 1.2 %" in words
    assert "0.034" in words


def test_a_grid_has_nan_outside(plate):
    grid = field_grid(*plate, cells=40)
    x, y = np.meshgrid(*grid.axes, indexing="ij")
    assert x.shape == (41, 21)
    np.testing.assert_array_equal(grid.inside, np.hypot(x, y) >= 0.5 - 1e-9)
    np.testing.assert_allclose(grid.values[0, ..., 0][grid.inside], x[grid.inside], atol=1e-12)


def test_space_and_time_and_lines_at_moments():
    problem = Problem(Interval(0.0, 2.0), Burgers(0.1), [], time=(1.0, 3.0))
    result = drawn(problem, lambda features: (features[0] * features[1])[None])  # (x − 1)(t − 2)
    figure = field_figure(problem, result)
    values, _, extent = shown(figure, "u picture", -1.0, 1.0)
    assert tuple(extent) == (0.0, 2.0, 1.0, 3.0)
    assert values[0, -1] == pytest.approx(-1, abs=0.01)  # x = 2, t = 1
    assert values[-1, -1] == pytest.approx(1, abs=0.01)
    assert axes_of(figure, "u picture").get_ylabel() == "t"
    lines = axes_of(figure, "u line").get_lines()
    assert [line.get_label() for line in lines] == ["t = 1", "t = 1.5", "t = 2", "t = 2.5", "t = 3"]
    x, u = lines[1].get_data()
    np.testing.assert_allclose(u, -0.5 * (np.asarray(x) - 1), atol=1e-12)
    grid = field_grid(problem, result, cells=10, moments=3)
    assert grid.values.shape == (3, 11, 1)
    np.testing.assert_allclose(grid.values[2, :, 0], grid.axes[0] - 1, atol=1e-12)


@pytest.mark.slow
def test_moments_in_the_plane_share_one_scale():
    problem = Problem(Circle(1.0), HeatEquation(1.0, capacity=1.0), [], time=(0.0, 3.0))
    figure = field_figure(problem, drawn(problem, lambda features: features[2:]))
    titles = [axes.get_title() for axes in figure.axes if "picture" in axes.get_label()]
    assert titles == ["t = 0", "t = 1", "t = 2", "t = 3"]
    values, alpha, _ = shown(figure, "T picture 3", -1.0, 1.0)
    np.testing.assert_allclose(values[alpha == 1], 1.0, atol=0.01)
    assert axes_of(figure, "T colour bar").get_ylim() == (-1.0, 1.0)


def test_every_unknown_has_a_row_and_space_three_sections():
    flow = Problem(Box((2.0, 1.0)), NavierStokes2D(0.1), [])
    figure = field_figure(
        flow, drawn(flow, lambda features: jnp.stack([features[0], features[1], -features[0]]))
    )
    assert axes_of(figure, "p colour bar").get_ylabel() == "p"
    ball = Problem(Sphere(1.0), Poisson(), [])
    figure = field_figure(ball, drawn(ball, lambda features: features[2:]))
    names = [(axes.get_title(), axes.get_xlabel(), axes.get_ylabel()) for axes in figure.axes]
    assert names == [("z = 0", "x", "y"), ("y = 0", "x", "z"), ("x = 0", "y", "z")]


def test_the_outlines_of_regions_end_where_an_earlier_one_begins():
    shapes = {"core": Circle(0.5), "bar": Box((2.0, 0.4))}
    equations = {name: Poisson() for name in (*shapes, "rest")}
    problem = Problem(Box((4.0, 2.0)), Materials(shapes, equations), [])
    (plane,) = planes(problem, 41)
    x, y = np.meshgrid(plane.across, plane.up)
    core = np.hypot(x, y) < 0.5
    bar = (np.abs(x) < 1.0) & (np.abs(y) < 0.2) & ~core
    for found, mine in zip(plane.regions, (core, bar), strict=True):
        np.testing.assert_array_equal(found < 0, mine)
    figure = Figure()
    axes = figure.add_subplot()
    draw_panel(axes, Panel(plane, x[..., None], None), 0, ScalarMappable(Normalize(-2.0, 2.0)))
    assert len(axes.collections) == 3  # the domain and two regions
