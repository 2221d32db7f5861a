"""One scale of colours for several pictures, its bar, and the lines above them."""

from pathlib import Path

import numpy as np
from jaxtyping import Float
from matplotlib.axes import Axes
from matplotlib.cm import ScalarMappable
from matplotlib.colors import Normalize
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator

from ..core._prefix import scaled
from ..pinn import Problem, Result
from ._style import INK, LABEL, MAP, STEPS, TICK, TITLE, WARNING

_FLAT = 1e-6  # of the values' size: a smaller range is that of a constant
_SHOWN = 0.995  # of the values of a quantity that is infinite at edges lie within the scale


def colour_scale(
    values: Float[np.ndarray, " n"], *, singular: bool = False
) -> tuple[ScalarMappable, Float[np.ndarray, " k"]]:
    """Returns the colour of each value, and the ticks.

    Args:
        values: The values that are shown.
        singular: The largest are those of a grid beside an edge: the scale ends below them, and begins at 0.
    """
    known = values[np.isfinite(values)]
    low, high = (float(known.min()), float(known.max())) if len(known) else (0.0, 1.0)
    if singular and len(known):
        low, high = 0.0, float(np.quantile(known, _SHOWN))
    if high - low < _FLAT * max(abs(low), abs(high), 1e-300 if singular else 1.0):
        low, high = low - 0.5, high + 0.5  # a constant has no scale of its own
    levels = np.asarray(MaxNLocator(nbins=8, steps=STEPS).tick_values(low, high))
    return ScalarMappable(Normalize(low, high), MAP), levels[(levels >= low) & (levels <= high)]


def colour_bar(
    figure: Figure,
    axes: Axes,
    colours: ScalarMappable,
    levels: Float[np.ndarray, " k"],
    label: str,
    *,
    singular: bool = False,
) -> None:
    """Draws the bar; a pointed end says that larger values have the colour of the largest shown.

    Args:
        figure: The figure.
        axes: Where.
        colours: The colour of each value.
        levels: The ticks.
        label: What the values are, with their unit.
        singular: As in `colour_scale`.
    """
    bar = figure.colorbar(colours, cax=axes, ticks=levels, extend="max" if singular else "neither")
    bar.ax.ticklabel_format(useOffset=False)
    bar.set_label(label, size=LABEL, color=INK)
    bar.ax.tick_params(labelsize=TICK, colors=INK)
    bar.outline.set_visible(False)
    bar.ax.hlines(
        levels, 0, 1, colors="white", linewidth=0.8, alpha=0.85, transform=bar.ax.get_yaxis_transform()
    )


def part_titles(figure: Figure, problem: Problem, result: Result, what: str) -> None:
    """Writes the part, what is shown and the evidence above a picture of a part.

    Args:
        figure: The figure.
        problem: The problem.
        result: Its solution.
        what: What is shown.
    """
    height = figure.get_figheight()
    source = problem.domain.source
    part = "Part" if source.startswith("<") else Path(source).name
    figure.text(0.03, 1 - 0.28 / height, f"{part}: {what}", fontsize=TITLE, color=INK, va="center")
    error, share = result.estimated_error, 100 * (result.energy_balance or 0.0)
    known = np.isfinite(error)
    evidence = f"Estimated error {100 * error:.2g} %" if known else "Error not estimated (one grid only)"
    converged = result.status == "converged"
    ended = "converged" if converged else f"not converged to the tolerance: {result.status}"
    balance = f"{'forces' if problem.elastic else 'heat balance'} closed to {share:.2g} %"
    figure.text(
        0.03,
        1 - 0.59 / height,
        f"{evidence}  ·  {ended}  ·  {balance}",
        fontsize=LABEL,
        color=INK if converged else WARNING,
        va="center",
    )


def description(problem: Problem) -> str:
    """What happens in a part, with its material."""
    if problem.elastic:
        young, prefix = scaled(problem.equation.young, "Pa")
        return f"elastic part at rest, E = {young:.4g} {prefix}, Poisson's ratio {problem.equation.poisson:g}"
    k = problem.equation.conductivity
    words = "K depends on the point" if problem.conduction.placed else "anisotropic"
    if problem.conduction.plain:
        words = "k depends on the temperature" if callable(k) else f"k = {k:.4g} W/(m K)"
    return f"{'heat in time' if problem.transient else 'steady heat conduction'}, {words}"
