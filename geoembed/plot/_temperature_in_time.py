"""Pictures of heat in a part in time: its surface at a few moments, and its temperature against the time."""

from collections.abc import Sequence

import numpy as np
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure

from ..pinn import Problem, Result, TemperatureHistory, TransientField
from ..sdf import evaluate
from ._colour import colour_bar, colour_scale, description, part_titles
from ._style import FAINT, INK, LABEL, TICK, tidy
from ._surface import paint, surface_panel

_WIDTH, _ROW, _HEAD, _FOOT, _DPI = 13.0, 4.6, 0.85, 0.1, 130  # inches, dots per inch
_COLUMNS, _RIGHT = 3, 0.89  # pictures in a row at most, and how much of the width they take
_PIXELS = 640  # of the longer side of a picture
_SHARES = (1 / 16, 1 / 4, 9 / 16, 1.0)  # of the time: how far heat has come grows like its root
_COLD, _MEAN, _HOT = "#3b4cc0", "#222222", "#b40426"


def shown_moments(problem: Problem, result: Result) -> list[float]:
    """Returns the moments that are drawn if none are named: 1/16, 1/4, 9/16 and all of the time, s."""
    times = _field(result).times
    begin, end = float(times[0]), float(times[-1])
    return [begin + share * (end - begin) for share in _SHARES]


def transient_figure(problem: Problem, result: Result, times: Sequence[float] | None = None) -> Figure:
    """Draws the temperature on a part's surface at a few moments, in one scale of colours.

    Args:
        problem: Heat in a part in time.
        result: Its solution.
        times: Moments, s; by default 1/16, 1/4, 9/16 and all of the time.

    Returns:
        A figure on an Agg canvas of its own; pyplot is not touched. Its axes are named "surface 0", "surface 1", …,
        and "colour bar" (K).

    Raises:
        TypeError: The result is of another equation.
        ValueError: A moment is not within the time of the solution, or there is none.

    Example:
        >>> transient_figure(problem, result, [10.0, 60.0]).savefig("temperature.png")  # doctest: +SKIP
    """
    field = _field(result)
    moments = list(times) if times is not None else shown_moments(problem, result)
    if not moments:
        raise ValueError("no moment is to be drawn: give at least one, in s")
    columns = len(moments) if len(moments) <= _COLUMNS else -(-len(moments) // 2)
    rows = -(-len(moments) // columns)
    height = _HEAD + _FOOT + rows * _ROW
    figure = Figure(figsize=(_WIDTH, height), dpi=_DPI, facecolor="white")
    FigureCanvasAgg(figure)
    wide, high = _RIGHT / columns, _ROW / height
    panels = []
    for number, moment in enumerate(moments):
        row, column = divmod(number, columns)
        bottom = (_FOOT + (rows - 1 - row) * _ROW) / height
        place = (column * wide, bottom, wide, 0.94 * high)
        panel = surface_panel(figure, place, problem.domain, label=f"surface {number}", pixels=_PIXELS)
        middle, above = (column + 0.5) * wide, bottom + 0.965 * high
        figure.text(middle, above, f"t = {moment:.4g} s", fontsize=LABEL, color=INK, ha="center", va="center")
        panels.append((panel, evaluate(field.at(moment), panel.picture.points)))
    colours, levels = colour_scale(np.concatenate([values for _, values in panels]))
    for panel, values in panels:
        paint(panel, problem.domain, values, colours)
    bar = figure.add_axes((0.915, 0.1, 0.016, 1 - _HEAD / height - 0.2), label="colour bar")
    colour_bar(figure, bar, colours, levels, "Temperature / K")
    part_titles(figure, problem, result, description(problem))
    return figure


def history_figure(
    problem: Problem, result: Result, history: TemperatureHistory, times: Sequence[float] = ()
) -> Figure:
    """Draws the highest, the mean and the lowest temperature of a part against the time.

    Args:
        problem: Heat in a part in time.
        result: Its solution.
        history: What `temperature_history` returns.
        times: Moments, s, that dotted lines mark, such as those of `transient_figure`.

    Returns:
        A figure on an Agg canvas of its own, with the axes "temperature".

    Example:
        >>> history_figure(problem, result, temperature_history(problem, result))  # doctest: +SKIP
    """
    figure = Figure(figsize=(10.0, 5.6), dpi=_DPI, facecolor="white")
    FigureCanvasAgg(figure)
    axes = figure.add_axes((0.09, 0.115, 0.88, 0.71), label="temperature")
    t = history.times
    axes.fill_between(t, history.lowest, history.highest, color=FAINT, alpha=0.15, linewidth=0)
    for values, color, label in (
        (history.highest, _HOT, "hottest point"),
        (history.mean, _MEAN, "mean over the volume"),
        (history.lowest, _COLD, "coldest point"),
    ):
        axes.plot(t, values, color=color, linewidth=1.6, label=label)
    for moment in times:
        axes.axvline(moment, color=FAINT, linewidth=0.9, linestyle=":", zorder=0)
    axes.set_xlim(t[0], t[-1])
    axes.set_xlabel("Time / s")
    axes.set_ylabel("Temperature / K")
    axes.ticklabel_format(useOffset=False)
    tidy(axes)
    axes.grid(visible=True, color="#e6e6e6", linewidth=0.6)
    axes.set_axisbelow(True)
    axes.legend(fontsize=TICK, frameon=True, framealpha=0.9, edgecolor="none", loc="best")
    part_titles(figure, problem, result, description(problem))
    return figure


def _field(result: Result) -> TransientField:
    if not isinstance(result.field, TransientField):
        raise TypeError(
            f"this picture needs heat in a part in time, the result holds a {type(result.field).__name__}"
        )
    return result.field
