"""The picture of numbers that were found from sensors."""

from collections.abc import Mapping, Sequence

import numpy as np
from matplotlib.axes import Axes
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator

from ..pinn import Identified, Sensors
from ._style import FAINT, INK, LABEL, TICK, TITLE, WARNING, tidy

_BLUE = "#3b4cc0"
_SIZE, _DPI = (13.0, 4.9), 120  # inches, dots per inch
_FAR = 3.0  # standard deviations, from which on a sensor is marked


def identified_figure(
    found: Identified,
    sensors: Sensors,
    *,
    level: float = 0.9,
    bounds: Mapping[str, Sequence[float]] | None = None,
) -> Figure:
    """Draws how well readings and model agree, and the numbers that were found.

    Left: each reading against the temperature of the model at that place; on the line they agree. Middle: their
    difference in standard deviations of the noise, sensor by sensor; about 19 of 20 lie between −2 and 2 where model
    and noise are right, and those beyond 3 carry their number. Right: each number with its interval, in percent of the
    estimate; a number that the sensors do not determine says so.

    Args:
        found: The numbers.
        sensors: The readings that they come from.
        level: The probability with which the intervals cover the truth.
        bounds: Lowest and highest value held possible of a number; drawn in grey where they are near.

    Returns:
        A figure on an Agg canvas of its own with the axes "agreement", "residuals" and "numbers".
    """
    figure = Figure(figsize=_SIZE, dpi=_DPI, facecolor="white")
    FigureCanvasAgg(figure)
    places = ((0.06, "agreement"), (0.375, "residuals"), (0.72, "numbers"))
    agreement, residuals, numbers = (
        figure.add_axes((left, 0.13, 0.25, 0.65), label=label) for left, label in places
    )
    _draw_agreement(agreement, found, sensors)
    _draw_residuals(residuals, found)
    _draw_numbers(numbers, found, level, dict(bounds or {}))
    for axes in (agreement, residuals, numbers):
        tidy(axes)
        axes.grid(visible=True, color="#e6e6e6", linewidth=0.6)
        axes.set_axisbelow(True)
    _titles(figure, found, sensors)
    return figure


def _draw_agreement(axes: Axes, found: Identified, sensors: Sensors) -> None:
    read = sensors.temperature
    model = read - found.residuals
    ends = np.array([min(read.min(), model.min()), max(read.max(), model.max())])
    axes.plot(ends, ends, color=FAINT, linewidth=1.0, zorder=1)
    axes.errorbar(
        model, read, yerr=found.sigma, fmt="o", color=_BLUE, markersize=3.5, linewidth=0.8, zorder=2
    )
    axes.set(xlabel="model / K", ylabel="reading / K")
    axes.set_title("Readings and model", fontsize=LABEL, color=INK)


def _draw_residuals(axes: Axes, found: Identified) -> None:
    off = found.residuals / found.sigma
    number = np.arange(1, len(off) + 1)
    axes.axhspan(-2, 2, color="0.93", zorder=0)
    axes.axhline(0, color=FAINT, linewidth=1.0)
    far = np.abs(off) > _FAR
    for some, colour in ((~far, _BLUE), (far, WARNING)):
        axes.plot(number[some], off[some], "o", color=colour, markersize=4)
    for which in np.flatnonzero(far)[np.argsort(-np.abs(off[far]))][:10]:
        axes.annotate(
            str(number[which]), (number[which], off[which]), xytext=(4, 3), textcoords="offset points",
            fontsize=TICK, color=WARNING,
        )  # fmt: skip
    reach = max(3.0, 1.15 * float(np.abs(off).max()))
    axes.set_ylim(-reach, reach)
    axes.xaxis.set_major_locator(MaxNLocator(integer=True))
    axes.set(xlabel="sensor, by its place in the file", ylabel="(reading − model) / noise")  # noqa: RUF001
    axes.set_title("Residuals (grey: 19 of 20 expected)", fontsize=LABEL, color=INK)


def _draw_numbers(axes: Axes, found: Identified, level: float, bounds: dict[str, Sequence[float]]) -> None:
    heights = np.arange(len(found.names))[::-1]
    reach = 1.0
    for height, name in zip(heights, found.names, strict=True):
        value = found[name]
        if not found.identified[name] or value == 0:
            words = "not determined by these sensors" if value else f"0 ± {found.std(name):.3g}"
            axes.annotate(words, (0, height), ha="center", va="center", fontsize=TICK, color=WARNING)
            continue
        ends = 100 * (np.array(found.interval(name, level)) / value - 1)
        reach = max(reach, float(np.abs(ends).max()))
        axes.errorbar(
            0, height, xerr=np.abs(np.sort(ends))[:, None], fmt="o", color=_BLUE, capsize=4, linewidth=1.6
        )
        axes.annotate(
            f"{name} = {value:.4g}", (0, height), xytext=(0, 9), textcoords="offset points", ha="center",
            fontsize=TICK, color=INK,
        )  # fmt: skip
        for bound in bounds.get(name, ()):
            axes.plot([100 * (bound / value - 1)] * 2, [height - 0.2, height + 0.2], color=FAINT, linewidth=2)
    axes.set_xlim(-1.25 * reach, 1.25 * reach)
    axes.set_ylim(-0.7, len(heights) - 0.3)
    axes.set_yticks(heights, [*found.names])
    axes.set_xlabel("from the estimate / %")
    axes.set_title(f"Numbers with {100 * level:g} % intervals", fontsize=LABEL, color=INK)


def _titles(figure: Figure, found: Identified, sensors: Sensors) -> None:
    names = ", ".join(found.names)
    figure.text(0.03, 0.94, f"{names} from {sensors.count} sensors", fontsize=TITLE, color=INK, va="center")
    noise = float(np.sqrt(np.mean(found.sigma**2)))
    said = [f"noise {noise:.3g} K " + ("as stated" if found.noise_given else "estimated from the residuals")]
    if found.p_value is not None:
        fit = "residuals fit it" if found.consistent else "RESIDUALS DO NOT FIT IT"
        said.append(f"{fit} (p = {found.p_value:.2g})")
    bad = []
    if found.status == "cell limit":
        known = np.isfinite(found.model_error)
        bad.append(
            "the grid's error widens the intervals" if known else "one grid only: its error is not known"
        )
    elif found.status != "converged":
        bad.append(found.status)
    if found.not_identified:
        bad.append("not everything is determined")
    colour = WARNING if bad or found.consistent is False else INK
    figure.text(0.03, 0.87, "  ·  ".join([*said, *bad]), fontsize=LABEL, color=colour, va="center")
