"""How a solution came about."""

from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure
from matplotlib.ticker import FuncFormatter, LogLocator, MaxNLocator, NullLocator

from ..pinn import Result, TransientField
from ._march import march_figure
from ._style import FAINT, INK, LABEL, TICK, TITLE, WARNING, tidy

_TRAIN, _HELD_OUT = "#3b4cc0", "#c8641b"
_FEW = 12  # records or estimates, up to which each is marked


def convergence_figure(result: Result, *, tolerance: float | None = None) -> Figure:
    """Draws how a solution came about, against the steps of the solver.

    Heat in a part, and elastic parts. Above: the energy J that is minimised, as its excess over the last value on the
    same grid, and the energy at held-out points, as its excess over the lowest value of the whole run, both in shares
    of that lowest value. The lowest values themselves have no place on the logarithmic scale. Below: the estimated
    error at the end of each grid. Vertical lines part the grids.

    Other equations. Above: the residual at the training points, and at points that are never trained on. Below: the
    estimated error. A held-out residual far above the other one says that the field bends between its points.

    Heat in a part in time. Above: the length of the steps in time on the last grid. Below: the estimated error of each
    grid, against its cells.

    Args:
        result: The solution.
        tolerance: The estimated error that was asked for; drawn as a line below.

    Returns:
        A figure on an Agg canvas of its own, with the axes "energy" (or "residual", "step") and "error".
    """
    if isinstance(result.field, TransientField):
        return march_figure(result, result.field, tolerance)
    figure = Figure(figsize=(8.0, 6.2), dpi=130, facecolor="white")
    FigureCanvasAgg(figure)
    history = list(result.history)
    by_residual = bool(history) and "residual" in history[0]
    name = "residual" if by_residual else "energy"
    energy = figure.add_axes((0.12, 0.42, 0.85, 0.44), label=name)
    error = figure.add_axes((0.12, 0.1, 0.85, 0.24), label="error", sharex=energy)
    figure.text(0.12, 0.955, f"Convergence: {result.status}", fontsize=TITLE, color=INK, va="center")
    if by_residual:
        _draw_residuals(energy, history)
        _draw_errors(error, history, tolerance)
    elif history:
        _draw_energies(energy, history)
        _draw_errors(error, [record for record in history if record["finished"]], tolerance)
        _mark_grids([energy, error], history)
    else:
        energy.text(
            0.5, 0.5, "no progress was recorded", transform=energy.transAxes, ha="center", color=WARNING
        )
    energy.set_ylabel("Residual (root mean square)" if by_residual else "Excess of energy")
    error.set_ylabel("Estimated error")
    error.set_xlabel("Solver steps")
    error.xaxis.set_major_locator(MaxNLocator(nbins=8, integer=True))
    energy.tick_params(labelbottom=False)
    for axes in (energy, error):
        tidy(axes)
        axes.grid(visible=True, color="#e6e6e6", linewidth=0.6)
        axes.set_axisbelow(True)
    return figure


def _column(history: list[dict[str, Any]], name: str) -> np.ndarray:
    return np.array([float(record[name]) for record in history])


def _draw_residuals(axes: Axes, history: list[dict[str, Any]]) -> None:
    steps = _column(history, "iteration")
    marker = "o" if len(history) <= _FEW else None
    curves = (("residual", _TRAIN, "at the training points"), ("held_out", _HELD_OUT, "at held-out points"))
    for name, color, label in curves:
        values = _column(history, name)
        axes.plot(steps, values, color=color, label=label, linewidth=1.4, marker=marker, markersize=4)
    axes.set_yscale("log")
    axes.legend(fontsize=TICK, frameon=True, framealpha=0.9, edgecolor="none", loc="best")


def _draw_energies(axes: Axes, history: list[dict[str, Any]]) -> None:
    steps, grid = _column(history, "total_iterations"), _column(history, "grid")
    energy, held_out = _column(history, "energy"), _column(history, "held_out")
    lowest = np.nanmin(held_out)
    size = abs(lowest) if lowest != 0 else 1.0
    label: str | None = "training energy, over its last value on the grid"
    for number in np.unique(grid):
        here = np.flatnonzero(grid == number)
        excess = (energy[here] - energy[here[-1]]) / size
        _line(axes, steps[here], excess, color=_TRAIN, label=label)
        label = None
    _line(
        axes,
        steps,
        (held_out - lowest) / size,
        color=_HELD_OUT,
        label="held-out energy, over its lowest value",
    )
    axes.set_yscale("log")
    axes.yaxis.set_minor_locator(NullLocator())
    axes.legend(fontsize=TICK, frameon=True, framealpha=0.9, edgecolor="none", loc="best")


def _line(axes: Axes, steps: np.ndarray, excess: np.ndarray, *, color: str, label: str | None) -> None:
    shown = excess > 1e-12  # smaller differences are rounding
    axes.plot(steps[shown], excess[shown], color=color, label=label, marker="o", markersize=3, linewidth=1.4)


def _draw_errors(axes: Axes, history: list[dict[str, Any]], tolerance: float | None) -> None:
    """The estimates that there are, and what was asked for."""
    known = [record for record in history if 0 < record["estimated_error"] < np.inf]
    if not known:
        words = "no estimate: it needs two solutions, such as those of two grids"
        axes.text(
            0.5, 0.5, words, transform=axes.transAxes, ha="center", va="center", color=FAINT, fontsize=LABEL
        )
        axes.set_yticks([])
        return
    name = "total_iterations" if "total_iterations" in known[0] else "iteration"
    steps, errors = _column(known, name), _column(known, "estimated_error")
    few = len(known) <= _FEW
    axes.plot(steps, errors, color=INK, marker="s" if few else None, markersize=5, linewidth=1.2)
    axes.set_yscale("log")
    shown = errors if tolerance is None else np.append(errors, tolerance)
    axes.set_ylim(shown.min() / 2.5, shown.max() * 3)
    axes.yaxis.set_major_formatter(FuncFormatter(lambda value, _: _percent(value)))
    axes.yaxis.set_major_locator(LogLocator(numticks=5))
    axes.yaxis.set_minor_locator(NullLocator())
    if tolerance is not None:
        axes.axhline(tolerance, color=_TRAIN, linewidth=1.0, linestyle=":")
        axes.annotate(
            f"asked for: {_percent(tolerance)}", (0.01, tolerance), xycoords=("axes fraction", "data"),
            xytext=(0, 2), textcoords="offset points", va="bottom", fontsize=TICK, color=_TRAIN,
        )  # fmt: skip
    for x, y in zip(steps, errors, strict=True) if few else [(steps[-1], errors[-1])]:
        axes.annotate(
            _percent(y),
            (x, y),
            xytext=(-7, 3),
            textcoords="offset points",
            ha="right",
            fontsize=TICK,
            color=INK,
        )


def _percent(share: float) -> str:
    return f"{100 * share:.2g} %"


def _mark_grids(panels: list[Axes], history: list[dict[str, Any]]) -> None:
    """Lines between the grids, and the size of each above."""
    steps, grid = _column(history, "total_iterations"), _column(history, "grid")
    start = 0.0
    for number in np.unique(grid):
        here = np.flatnonzero(grid == number)
        end = float(steps[here[-1]])
        cells = history[here[-1]]["cells"]
        for axes in panels:
            axes.axvline(end, color=FAINT, linewidth=0.9, linestyle="--", zorder=0)
        panels[0].annotate(
            f"grid {int(number)}\n{cells:,} cells".replace(",", "\u2009"),
            (0.5 * (start + end), 1.0),
            xycoords=("data", "axes fraction"),
            xytext=(0, 5),
            textcoords="offset points",
            ha="center",
            va="bottom",
            fontsize=TICK,
            color=INK,
        )
        start = end
    panels[0].set_xlim(0, start * 1.04)
