"""How the solution of heat in a part in time came about."""

import numpy as np
from matplotlib.axes import Axes
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure
from matplotlib.ticker import FuncFormatter, NullLocator

from ..pinn import Result, TransientField
from ._style import FAINT, INK, LABEL, TICK, TITLE, tidy

_LINE = "#3b4cc0"


def march_figure(result: Result, field: TransientField, tolerance: float | None) -> Figure:
    """Draws the steps in time on the last grid, and the estimated error of each grid; see `convergence_figure`."""
    figure = Figure(figsize=(8.0, 6.2), dpi=130, facecolor="white")
    FigureCanvasAgg(figure)
    step = figure.add_axes((0.13, 0.55, 0.84, 0.33), label="step")
    error = figure.add_axes((0.13, 0.1, 0.84, 0.33), label="error")
    figure.text(0.13, 0.955, f"Convergence: {result.status}", fontsize=TITLE, color=INK, va="center")
    _draw_steps(step, np.asarray(field.times, np.float64))
    _draw_errors(error, result, tolerance)
    for axes in (step, error):
        tidy(axes)
        axes.grid(visible=True, color="#e6e6e6", linewidth=0.6)
        axes.set_axisbelow(True)
    return figure


def _draw_steps(axes: Axes, times: np.ndarray) -> None:
    axes.stairs(np.diff(times), times, color=_LINE, linewidth=1.4, baseline=None)
    axes.set_yscale("log")
    axes.set_xlim(times[0], times[-1])
    axes.set_xlabel("Time / s")
    axes.set_ylabel("Step in time / s")
    said = f"{len(times) - 1} steps on the last grid that was finished"
    axes.text(0.99, 0.06, said, transform=axes.transAxes, ha="right", fontsize=TICK, color=INK)


def _draw_errors(axes: Axes, result: Result, tolerance: float | None) -> None:
    cells = [float(record["cells"]) for record in result.history]
    errors = [float(record["estimated_error"]) for record in result.history]
    known = [(c, e) for c, e in zip(cells, errors, strict=True) if 0 < e < np.inf]
    axes.set_xlabel("Cells")
    axes.set_ylabel("Estimated error")
    if not known:
        words = "no estimate: it needs the marches of two grids"
        axes.text(
            0.5, 0.5, words, transform=axes.transAxes, ha="center", va="center", color=FAINT, fontsize=LABEL
        )
        axes.set_xticks([])
        axes.set_yticks([])
        return
    axes.plot(*zip(*known, strict=True), color=INK, marker="s", markersize=5, linewidth=1.2)
    axes.set_xscale("log")
    axes.set_yscale("log")
    axes.set_xlim(0.7 * cells[0], 1.4 * cells[-1])
    axes.xaxis.set_minor_locator(NullLocator())
    axes.set_xticks(cells, [f"{int(c):,}".replace(",", "\u2009") for c in cells])
    shown = [e for _, e in known] + ([] if tolerance is None else [tolerance])
    axes.set_ylim(min(shown) / 2.5, max(shown) * 3)
    axes.yaxis.set_major_formatter(FuncFormatter(lambda value, _: _percent(value)))
    axes.yaxis.set_minor_locator(NullLocator())
    if tolerance is not None:
        axes.axhline(tolerance, color=_LINE, linewidth=1.0, linestyle=":")
        axes.annotate(
            f"asked for: {_percent(tolerance)}", (0.01, tolerance), xycoords=("axes fraction", "data"),
            xytext=(0, 2), textcoords="offset points", va="bottom", fontsize=TICK, color=_LINE,
        )  # fmt: skip
    for x, y in known:
        axes.annotate(
            _percent(y), (x, y), xytext=(-7, 3), textcoords="offset points", ha="right", fontsize=TICK, color=INK
        )  # fmt: skip


def _percent(share: float) -> str:
    return f"{100 * share:.2g} %"
