"""How a potential was trained."""

from collections.abc import Sequence
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator

from ._style import FAINT, INK, TICK, TITLE, WARNING, tidy

_COLOURS = {"energy": "#3b4cc0", "forces": "#c8641b", "stress": "#2a8a57"}
_UNITS = {"energy": "eV/atom", "forces": "eV/Å", "stress": "eV/Å³"}


def learning_figure(history: Sequence[dict[str, Any]], *, best: int | None = None) -> Figure:
    """Draws the loss and the validation errors against the epochs.

    Args:
        history: The records of `geoembed.atoms.fit`.
        best: The epoch whose potential was kept; marked by a line.

    Returns:
        A figure on an Agg canvas of its own, with the axes "loss" and "errors".
    """
    figure = Figure(figsize=(8.0, 6.2), dpi=130, facecolor="white")
    FigureCanvasAgg(figure)
    loss = figure.add_axes((0.12, 0.54, 0.85, 0.36), label="loss")
    errors = figure.add_axes((0.12, 0.1, 0.85, 0.38), label="errors", sharex=loss)
    figure.text(0.12, 0.955, "Training and validation", fontsize=TITLE, color=INK, va="center")
    if history:
        _draw(loss, errors, list(history))
    else:
        loss.text(0.5, 0.5, "no epoch was finished", transform=loss.transAxes, ha="center", color=WARNING)
    for axes in (loss, errors):
        if best:
            axes.axvline(best, color=FAINT, linewidth=1.0, linestyle="--", zorder=0)
        tidy(axes)
        axes.grid(visible=True, color="#e6e6e6", linewidth=0.6)
        axes.set_axisbelow(True)
    if best:
        loss.annotate(
            f"kept: epoch {best}", (best, 1.0), xycoords=("data", "axes fraction"), xytext=(0, 4),
            textcoords="offset points", ha="center", fontsize=TICK, color=INK,
        )  # fmt: skip
    loss.set_ylabel("Loss")
    errors.set_ylabel("Validation error (RMSE)")
    errors.set_xlabel("Epoch")
    errors.xaxis.set_major_locator(MaxNLocator(nbins=8, integer=True))
    loss.tick_params(labelbottom=False)
    return figure


def _draw(loss: Axes, errors: Axes, history: list[dict[str, Any]]) -> None:
    epochs = np.array([record["epoch"] for record in history])
    marker = "o" if len(history) <= 12 else None
    style = {"linewidth": 1.4, "marker": marker, "markersize": 4}
    for axes, name, colour, label in (
        (loss, "loss", "#3b4cc0", "training, mean of the epoch"),
        (loss, "score", "#c8641b", "validation, weights of the last stage"),
        *((errors, f"{kind}_rmse", _COLOURS[kind], f"{kind}, {unit}") for kind, unit in _UNITS.items()),
    ):
        if name in history[0]:
            values = np.array([float(record[name]) for record in history])
            axes.plot(epochs, values, color=colour, label=label, **style)
        axes.set_yscale("log")
    loss.legend(fontsize=TICK, frameon=True, framealpha=0.9, edgecolor="none", loc="best")
    errors.legend(
        fontsize=TICK, frameon=False, loc="lower right", bbox_to_anchor=(1.0, 1.0), ncol=3, borderpad=0
    )
