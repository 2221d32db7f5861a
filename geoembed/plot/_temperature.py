"""The picture of a solved part: its surface and a slice, coloured by temperature."""

from pathlib import Path

import numpy as np
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.cm import ScalarMappable
from matplotlib.colors import Normalize
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator

from ..pinn import Problem, Result
from ..sdf import value_and_gradient
from ._slice import middle_slice, slice_panel
from ._style import INK, LABEL, MAP, STEPS, TICK, TITLE, WARNING
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

    colours, levels = _colours(np.concatenate([on_surface[np.isfinite(on_surface)], piece.inside]))
    paint(surface, domain, on_surface, colours, (piece.cut.axis, piece.cut.position))
    slice_axes = figure.add_axes((0.555, 0.1, 0.335, 0.7), label="slice")
    slice_panel(slice_axes, domain, piece, colours, levels)
    _colour_bar(figure, colours, levels)
    _titles(figure, problem, result)
    return figure


def save_temperature(path: str | Path, problem: Problem, result: Result) -> None:
    """Writes `temperature_figure` to a file.

    Args:
        path: Where; its ending chooses the format (.png, .pdf, .svg, ...).
        problem: The problem.
        result: Its solution.
    """
    temperature_figure(problem, result).savefig(path)


def _colours(values: np.ndarray) -> tuple[ScalarMappable, np.ndarray]:
    """One colour scale for both panels, and the ticks on it."""
    low, high = (float(values.min()), float(values.max())) if len(values) else (0.0, 1.0)
    if high - low < 1e-6 * max(abs(low), abs(high), 1.0):  # a constant has no scale of its own
        low, high = low - 0.5, high + 0.5
    levels = np.asarray(MaxNLocator(nbins=8, steps=STEPS).tick_values(low, high))
    return ScalarMappable(Normalize(low, high), MAP), levels[(levels >= low) & (levels <= high)]


def _colour_bar(figure: Figure, colours: ScalarMappable, levels: np.ndarray) -> None:
    axes = figure.add_axes((0.915, 0.1, 0.016, 0.7), label="colour bar")
    bar = figure.colorbar(colours, cax=axes, ticks=levels)
    bar.ax.ticklabel_format(useOffset=False)
    bar.set_label("Temperature / K", size=LABEL, color=INK)
    bar.ax.tick_params(labelsize=TICK, colors=INK)
    bar.outline.set_visible(False)
    bar.ax.hlines(
        levels, 0, 1, colors="white", linewidth=0.8, alpha=0.85, transform=bar.ax.get_yaxis_transform()
    )


def _titles(figure: Figure, problem: Problem, result: Result) -> None:
    source = problem.domain.source
    part = "Part" if source.startswith("<") else Path(source).name
    equation = problem.equation
    k = "k(T)" if equation.varies else f"k = {equation.conductivity:g} W/(m K)"
    figure.text(
        0.03,
        0.955,
        f"{part}: steady heat conduction, {k}",
        fontsize=TITLE,
        color=INK,
        va="center",
    )
    error = result.estimated_error
    evidence = (
        f"Estimated error {100 * error:.2g} %"
        if np.isfinite(error)
        else "Error not estimated (one grid only)"
    )
    converged = result.status == "converged"
    ended = "converged" if converged else f"not converged to the tolerance: {result.status}"
    figure.text(
        0.03,
        0.905,
        f"{evidence}  ·  {ended}  ·  heat balance closed to {100 * (result.energy_balance or 0.0):.2g} %",
        fontsize=LABEL,
        color=INK if converged else WARNING,
        va="center",
    )
