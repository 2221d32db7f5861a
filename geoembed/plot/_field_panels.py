"""One picture of a field in the plane or on a section of space, and its lines in one dimension."""

from dataclasses import dataclass

import numpy as np
from jaxtyping import Float
from matplotlib import colormaps
from matplotlib.axes import Axes
from matplotlib.cm import ScalarMappable
from matplotlib.ticker import MaxNLocator

from ._field_samples import Plane
from ._style import INK, LABEL, MAP, NOT_KNOWN, STEPS, TICK, tidy

_NAMES = "xyz"


@dataclass(frozen=True)
class Panel:
    """One picture.

    Args:
        plane: Its pixels.
        values: The unknowns at the pixels.
        moment: The moment; None for a steady field.
    """

    plane: Plane
    values: Float[np.ndarray, "h w m"]
    moment: float | None

    @property
    def title(self) -> str:
        """The section and the moment."""
        words = []
        if self.plane.cut is not None:
            axis, position = self.plane.cut
            words.append(f"{_NAMES[axis]} = {position + 0.0:.4g}")
        if self.moment is not None:
            words.append(f"t = {self.moment:.4g}")
        return ", ".join(words)


def draw_panel(axes: Axes, panel: Panel, unknown: int, colours: ScalarMappable) -> None:
    """Draws one unknown, with the outline of the domain and of its regions.

    Args:
        axes: Where.
        panel: The picture.
        unknown: The number of the unknown.
        colours: The colour of each value.
    """
    plane, values = panel.plane, panel.values[..., unknown]
    rgba = colours.to_rgba(values)
    rgba[~np.isfinite(values)] = NOT_KNOWN
    rgba[..., 3] = np.clip(
        0.5 - plane.distance / plane.pixel, 0.0, 1.0
    )  # the share of the pixel that is inside
    half = 0.5 * plane.pixel
    extent = (plane.across[0] - half, plane.across[-1] + half, plane.up[0] - half, plane.up[-1] + half)
    axes.imshow(rgba, origin="lower", extent=extent, interpolation="nearest")
    if plane.distance.min() < 0 < plane.distance.max():
        axes.contour(plane.across, plane.up, plane.distance, levels=[0.0], colors=INK, linewidths=0.9)
    for region in plane.regions:
        shown = np.where(plane.distance <= 0, region, np.nan)
        if np.nanmin(shown) < 0 < np.nanmax(shown):
            axes.contour(
                plane.across, plane.up, shown, levels=[0.0], colors=INK, linewidths=0.6, linestyles="--"
            )
    axes.set_aspect("equal")
    longest = max(extent[1] - extent[0], extent[3] - extent[2])
    for axis, length in ((axes.xaxis, extent[1] - extent[0]), (axes.yaxis, extent[3] - extent[2])):
        axis.set_major_locator(MaxNLocator(nbins=max(2, round(5 * length / longest)), steps=STEPS))
    axes.set_xlabel(_NAMES[plane.axes[0]])
    axes.set_ylabel(_NAMES[plane.axes[1]])
    tidy(axes)
    axes.set_title(panel.title, fontsize=LABEL, color=INK)


def draw_lines(
    axes: Axes,
    x: Float[np.ndarray, " n"],
    values: Float[np.ndarray, "k n"],
    moments: Float[np.ndarray, " k"] | None,
    name: str,
) -> None:
    """Draws an unknown along the interval, a line for each moment.

    Args:
        axes: Where.
        x: The points.
        values: The values, by moment.
        moments: The moments; None for a steady field.
        name: The name of the unknown.
    """
    shades = colormaps[MAP](np.linspace(0.0, 0.85, len(values)))
    for number, (line, shade) in enumerate(zip(values, shades, strict=True)):
        label = None if moments is None else f"t = {moments[number]:.4g}"
        axes.plot(x, line, color=shade, linewidth=1.5, label=label)
    if moments is not None:
        axes.legend(fontsize=TICK, frameon=True, framealpha=0.9, edgecolor="none")
    axes.grid(visible=True, color="#e6e6e6", linewidth=0.6)
    axes.set_axisbelow(True)
    axes.set_xlim(float(x[0]), float(x[-1]))
    axes.set_xlabel("x")
    axes.set_ylabel(name)
    tidy(axes)
