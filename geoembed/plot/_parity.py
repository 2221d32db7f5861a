"""Predictions of a potential against labels."""

import numpy as np
from jaxtyping import Float64
from matplotlib.axes import Axes
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator

from ..atoms import Deviation, Evaluation
from ._style import FAINT, INK, LABEL, MAP, STEPS, TICK, TITLE, tidy

_MANY = 4000  # points from which on their density is drawn


def parity_figure(evaluation: Evaluation, *, title: str = "Predictions and labels") -> Figure:
    """Draws predictions against labels: energies per atom, forces and stresses, as far as there are labels.

    Above, the predictions with the line on which they are right; below, their errors. Many points are shown by their
    density.

    Args:
        evaluation: What `geoembed.atoms.evaluate` found.
        title: What is shown.

    Returns:
        A figure on an Agg canvas of its own; the axes have the labels "energy", "forces", "stress" and the same with
        " error".
    """
    errors = evaluation.errors
    panels = [
        ("energy", "Energy per atom (eV)", "meV", evaluation.energy, errors.energy),
        ("forces", "Force (eV/Å)", "meV/Å", evaluation.forces, errors.forces),
        ("stress", "Stress (eV/Å³)", "meV/Å³", evaluation.stress, errors.stress),
    ]
    panels = [panel for panel in panels if panel[4].count]
    width = 4.3 * len(panels) + 0.3
    figure = Figure(figsize=(max(width, 5.2), 6.0), dpi=130, facecolor="white")
    FigureCanvasAgg(figure)
    grid = figure.add_gridspec(
        2, len(panels), height_ratios=(3, 1), hspace=0.08, wspace=0.34,
        left=0.85 / figure.get_figwidth(), right=1 - 0.2 / figure.get_figwidth(), top=0.83, bottom=0.1,
    )  # fmt: skip
    figure.text(0.25 / figure.get_figwidth(), 0.955, title, fontsize=TITLE, color=INK, va="center")
    for column, (name, label, unit, pairs, found) in enumerate(panels):
        above = figure.add_subplot(grid[0, column], label=name)
        below = figure.add_subplot(grid[1, column], label=f"{name} error", sharex=above)
        known = pairs[~np.isnan(pairs[:, 0])]
        _draw(above, known, label, unit, found)
        _draw_errors(below, known, label, unit)
    return figure


def _draw(axes: Axes, pairs: Float64[np.ndarray, "n 2"], label: str, unit: str, found: Deviation) -> None:
    low, high = float(pairs.min()), float(pairs.max())
    margin = 0.04 * (high - low) or 0.5
    limits = (low - margin, high + margin)
    axes.plot(limits, limits, color=FAINT, linewidth=1.0, zorder=1)
    _points(axes, pairs[:, 0], pairs[:, 1])
    axes.set_xlim(limits)
    axes.set_ylim(limits)
    for axis in (axes.xaxis, axes.yaxis):
        axis.set_major_locator(MaxNLocator(nbins=5, steps=STEPS))
    axes.set_ylabel(f"{label.split(' (')[0]}, predicted")
    axes.tick_params(labelbottom=False)
    axes.set_title(
        f"MAE {1e3 * (found.mae or 0):.3g}   RMSE {1e3 * (found.rmse or 0):.3g} {unit}",
        fontsize=LABEL,
        color=INK,
        loc="left",
    )
    axes.text(
        0.97, 0.04, f"{found.count:,} labels".replace(",", "\u2009"), transform=axes.transAxes, ha="right",
        fontsize=TICK, color=FAINT,
    )  # fmt: skip
    tidy(axes)


def _draw_errors(axes: Axes, pairs: Float64[np.ndarray, "n 2"], label: str, unit: str) -> None:
    errors = 1e3 * (pairs[:, 1] - pairs[:, 0])
    axes.axhline(0.0, color=FAINT, linewidth=1.0, zorder=1)
    _points(axes, pairs[:, 0], errors)
    largest = 1.1 * float(np.abs(errors).max()) or 1.0
    axes.set_ylim(-largest, largest)
    axes.yaxis.set_major_locator(MaxNLocator(nbins=3, symmetric=True))
    axes.set_xlabel(f"{label.replace(' (', ', label (')}")
    axes.set_ylabel(f"Error ({unit})")
    tidy(axes)


def _points(axes: Axes, x: Float64[np.ndarray, " n"], y: Float64[np.ndarray, " n"]) -> None:
    if len(x) > _MANY:
        axes.hexbin(x, y, gridsize=90, bins="log", cmap=MAP, mincnt=1, linewidths=0.1, zorder=2)
        return
    alpha = 0.75 if len(x) < 400 else 0.35
    axes.plot(x, y, "o", markersize=3.2, color="#3b4cc0", alpha=alpha, markeredgewidth=0, zorder=2)
