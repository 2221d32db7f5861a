"""The picture of a solved equation: space and time, the plane, or sections of space."""

from pathlib import Path
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.cm import ScalarMappable
from matplotlib.colors import Normalize
from matplotlib.figure import Figure

from ..pinn import Materials, Problem, Result
from ._field_panels import Panel, draw_lines, draw_panel
from ._field_samples import field_grid, planes
from ._style import INK, LABEL, MAP, TICK, TITLE, WARNING

_WIDTH, _ROW, _DPI = 13.0, 4.3, 130  # inches, inches, dots per inch
_HEAD, _FOOT = 1.1, 0.75  # inches above and below the rows
_PIXELS = 300  # of the longer side of a picture
_MOMENTS = 4  # that a transient field in the plane is shown at
_TIMES = 161  # moments of a picture of space and time
_SLICES = 5  # moments of the lines beside a picture of space and time


def field_figure(problem: Problem, result: Result) -> Figure:
    """Draws the field of an equation, a row for each unknown.

    - On an interval: a line; with time a picture of space and time, and lines at five moments beside it.
    - In the plane: a picture; with time one at each of four moments.
    - In space: three sections through the middle, with time at the last moment.

    The pictures of a row share one scale of colours. A pixel that the boundary crosses is as transparent as its part
    outside. Dashed lines part regions with an equation of their own. The title says how the run ended and what error
    it estimates.

    Args:
        problem: The problem, of any equation but `SteadyHeat`: see `temperature_figure`.
        result: Its solution.

    Returns:
        A figure on an Agg canvas of its own; pyplot is not touched.

    Example:
        >>> field_figure(problem, result).savefig("field.pdf")  # doctest: +SKIP
    """
    line = problem.in_fields.domain.dimension == 1
    panels = [] if line else _panels(problem, result)
    rows = (_ROW if line else _height(panels)) * len(problem.equation.fields)
    height = _HEAD + _FOOT + rows
    figure = Figure(figsize=(_WIDTH, height), dpi=_DPI, facecolor="white")
    FigureCanvasAgg(figure)
    _titles(figure, problem, result)
    top, bottom = 1 - _HEAD / height, _FOOT / height
    if line:
        _line_rows(figure, problem, result, top, bottom)
    else:
        _picture_rows(figure, problem, panels, top, bottom)
    return figure


def save_field(path: str | Path, problem: Problem, result: Result) -> None:
    """Writes `field_figure` to a file.

    Args:
        path: Where; its ending chooses the format (.png, .pdf, .svg, ...).
        problem: The problem.
        result: Its solution.
    """
    field_figure(problem, result).savefig(path)


def _line_rows(figure: Figure, problem: Problem, result: Result, top: float, bottom: float) -> None:
    """Rows for a domain in one dimension."""
    steady = problem.time is None
    grid = field_grid(problem, result, cells=_PIXELS, moments=_TIMES)
    widths = [1.0] if steady else [1.0, 0.03, 0.24, 1.0]  # a picture, its colour bar, room, lines
    cells = figure.add_gridspec(
        len(grid.fields), len(widths), width_ratios=widths, left=0.07, right=0.97, top=top, bottom=bottom,
        hspace=0.35, wspace=0.06,
    )  # fmt: skip
    for row, name in enumerate(grid.fields):
        values = grid.values[..., row]
        if steady or grid.moments is None:
            axes = figure.add_subplot(cells[row, 0], label=f"{name} line")
            draw_lines(axes, grid.axes[0], values, None, name)
            continue
        colours = _colours(values)
        axes = figure.add_subplot(cells[row, 0], label=f"{name} picture")
        x, t = grid.axes[0], grid.moments
        axes.imshow(
            colours.to_rgba(values), origin="lower", extent=(x[0], x[-1], t[0], t[-1]), aspect="auto",
            interpolation="nearest",
        )  # fmt: skip
        _label(axes, "x", "t")
        _colour_bar(figure, figure.add_subplot(cells[row, 1]), colours, name)
        chosen = np.round(np.linspace(0, len(t) - 1, _SLICES)).astype(int)
        beside = figure.add_subplot(cells[row, 3], label=f"{name} line")
        draw_lines(beside, x, values[chosen], t[chosen], name)


def _panels(problem: Problem, result: Result) -> list[Panel]:
    """The pictures of a row."""
    space = problem.in_fields.domain.dimension == 3
    moments = None if problem.time is None else np.linspace(*problem.time, _MOMENTS)
    if space and moments is not None:
        moments = moments[-1:]
    return [
        Panel(plane, picture, None if moments is None else float(moments[k]))
        for plane in planes(problem, _PIXELS)
        for k, picture in enumerate(plane.pictures(problem, result, moments))
    ]


def _picture_rows(figure: Figure, problem: Problem, panels: list[Panel], top: float, bottom: float) -> None:
    """Rows for a domain in the plane or in space."""
    count = len(panels)
    side = 0.06 if count > 1 else 0.3
    cells = figure.add_gridspec(
        len(problem.equation.fields), count, left=side, right=0.92 if count > 1 else 0.7, top=top, bottom=bottom,
        hspace=0.35, wspace=0.25,
    )  # fmt: skip
    for row, name in enumerate(problem.equation.fields):
        inside = [panel.values[panel.plane.distance <= 0][:, row] for panel in panels]
        colours = _colours(np.concatenate(inside))
        for column, panel in enumerate(panels):
            axes = figure.add_subplot(cells[row, column], label=f"{name} picture {column}")
            draw_panel(axes, panel, row, colours)
            if column and panel.plane.axes == panels[0].plane.axes:
                axes.set_ylabel("")
            if column == count - 1:
                _colour_bar(figure, axes.inset_axes((1.06, 0.0, 0.05, 1.0)), colours, name)


def _height(panels: list[Panel]) -> float:
    """Inches of a row of pictures, for the highest of them."""
    width = (0.8 / len(panels) if len(panels) > 1 else 0.4) * _WIDTH
    tall = max(float(np.ptp(panel.plane.up) / np.ptp(panel.plane.across)) for panel in panels)
    return float(np.clip(width * tall + 0.6, 1.6, _ROW + 0.6))


def _colours(values: np.ndarray) -> ScalarMappable:
    """The scale of colours of all finite values; of a constant it is one wide."""
    known = values[np.isfinite(values)]
    low, high = (float(known.min()), float(known.max())) if len(known) else (0.0, 1.0)
    if high - low < 1e-9 * max(abs(low), abs(high), 1e-300):
        low, high = low - 0.5, high + 0.5
    return ScalarMappable(Normalize(low, high), MAP)


def _colour_bar(figure: Figure, axes: Axes, colours: ScalarMappable, name: str) -> None:
    axes.set_label(f"{name} colour bar")
    bar = figure.colorbar(colours, cax=axes)
    bar.ax.ticklabel_format(useOffset=False)
    bar.set_label(name, size=LABEL, color=INK)
    bar.ax.tick_params(labelsize=TICK, colors=INK)
    bar.outline.set_visible(False)


def _label(axes: Axes, across: str, up: str) -> None:
    axes.set_xlabel(across, size=LABEL, color=INK)
    axes.set_ylabel(up, size=LABEL, color=INK)
    axes.tick_params(labelsize=TICK, colors=INK)


def _name(equation: Any) -> str:
    """The class of an equation; of several materials their classes."""
    if not isinstance(equation, Materials):
        return type(equation).__name__
    kinds = dict.fromkeys(type(one).__name__ for one in equation.equations)
    return f"{' and '.join(kinds)} in {len(equation.equations)} regions"


def _titles(figure: Figure, problem: Problem, result: Result) -> None:
    height = figure.get_figheight()
    equation = _name(problem.equation)
    time = "" if problem.time is None else f", t from {problem.time[0]:g} to {problem.time[1]:g}"
    figure.text(0.03, 1 - 0.32 / height, f"{equation}{time}", fontsize=TITLE, color=INK, va="center")
    converged = result.status == "converged"
    ended = "converged" if converged else f"NOT CONVERGED to the tolerance: {result.status}"
    known = np.isfinite(result.estimated_error)
    evidence = f"estimated error {100 * result.estimated_error:.2g} %" if known else "error not estimated"
    held_out = result.held_out_residual
    residual = (
        ""
        if held_out is None or not np.isfinite(held_out)
        else f"  ·  residual at held-out points {held_out:.2g}"
    )
    figure.text(
        0.03,
        1 - 0.65 / height,
        f"{ended}  ·  {evidence}{residual}",
        fontsize=LABEL,
        color=INK if converged else WARNING,
        va="center",
    )
