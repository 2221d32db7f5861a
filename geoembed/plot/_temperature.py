"""The picture of a solved part: its surface and a slice, coloured by temperature."""

from pathlib import Path

import numpy as np
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure

from ..pinn import Problem, Result
from ..sdf import value_and_gradient
from ._colour import colour_bar, colour_scale, description, part_titles
from ._slice import middle_slice, slice_panel
from ._surface import paint, surface_panel

_SIZE, _DPI = (13.0, 6.2), 140  # inches, dots per inch


def temperature_figure(problem: Problem, result: Result) -> Figure:
    """Draws a part's temperature: on its surface, and on a slice through its middle.

    The surface is seen from the one of eight oblique directions that shows most of it, in a parallel
    projection. What hides what is found by a depth buffer, so the picture is right for any mesh, and its cost
    hardly depends on the number of faces. The temperature is that of the field at each pixel.
    The slice is across x, y or z where it cuts the largest area near the middle; a white line on the surface
    shows where. Both share one colour scale; the white lines in the slice are isotherms at the ticks of its
    colour bar.

    Args:
        problem: The problem.
        result: Its solution.

    Returns:
        A figure on an Agg canvas of its own; pyplot is not touched. It has the axes "surface" and "slice" (in
        the part's unit) and "colour bar" (K).

    Example:
        >>> temperature_figure(problem, result).savefig("temperature.pdf")  # doctest: +SKIP
    """
    domain = problem.domain
    figure = Figure(figsize=_SIZE, dpi=_DPI, facecolor="white")
    FigureCanvasAgg(figure)
    surface = surface_panel(figure, (0.0, 0.0, 0.5, 0.87), domain)
    on_surface, _ = value_and_gradient(result.temperature, surface.picture.points)
    piece = middle_slice(domain, result.field)

    colours, levels = colour_scale(np.concatenate([on_surface, piece.inside]))
    paint(surface, domain, on_surface, colours, (piece.cut.axis, piece.cut.position))
    slice_axes = figure.add_axes((0.555, 0.1, 0.335, 0.7), label="slice")
    slice_panel(slice_axes, domain, piece, colours, levels, " (white line on the left)")
    bar = figure.add_axes((0.915, 0.1, 0.016, 0.7), label="colour bar")
    colour_bar(figure, bar, colours, levels, "Temperature / K")
    part_titles(figure, problem, result, description(problem))
    return figure


def save_temperature(path: str | Path, problem: Problem, result: Result) -> None:
    """Writes `temperature_figure` to a file.

    Args:
        path: Where; its ending chooses the format (.png, .pdf, .svg, ...).
        problem: The problem.
        result: Its solution.
    """
    temperature_figure(problem, result).savefig(path)
