"""A picture of a field on a plane section of a part."""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from jaxtyping import Float
from matplotlib.axes import Axes
from matplotlib.cm import ScalarMappable
from matplotlib.collections import LineCollection
from matplotlib.ticker import MaxNLocator

from ..sdf import MeshSDF, value_and_gradient
from ._section import Section, middle_section, signed_distances
from ._style import INK, LABEL, NOT_KNOWN, STEPS, tidy

_PIXELS = 420  # of the longer side


@dataclass(frozen=True)
class Slice:
    """A field on a plane section.

    Args:
        cut: The section.
        across: Pixel centres to the right, in the part's unit.
        up: Pixel centres upwards, in the part's unit.
        distance: The signed distance at the pixels.
        values: The field at the pixels inside and within a pixel outside, elsewhere nan.
    """

    cut: Section
    across: Float[np.ndarray, " w"]
    up: Float[np.ndarray, " h"]
    distance: Float[np.ndarray, "h w"]
    values: Float[np.ndarray, "h w"]

    @property
    def inside(self) -> Float[np.ndarray, " n"]:
        """The values inside the part."""
        return self.values[(self.distance <= 0) & np.isfinite(self.values)]


def middle_slice(domain: MeshSDF, field) -> Slice:
    """Evaluates a field on the section through the part's middle that cuts the largest area.

    Args:
        domain: The part.
        field: The field, one point in, one value out.

    Returns:
        The slice.
    """
    return sample_slice(domain, middle_section(domain), lambda points: value_and_gradient(field, points)[0])


def sample_slice(
    domain: MeshSDF,
    cut: Section,
    values_at: Callable[[Float[np.ndarray, "n 3"]], Float[np.ndarray, " n"]],
    pixels: int = _PIXELS,
) -> Slice:
    """Evaluates a quantity on a section.

    Args:
        domain: The part.
        cut: The section.
        values_at: The quantity at many points, in the part's unit.
        pixels: Of the longer side.

    Returns:
        The slice.
    """
    axes = list(cut.across)
    lower, upper = (corner[axes] for corner in domain.bounds)
    pixel = float(np.max(upper - lower)) / pixels
    across, up = (
        low + pixel * (np.arange(int(np.ceil((high - low) / pixel)) + 2) - 0.5)  # a pixel beyond each side
        for low, high in zip(lower, upper, strict=True)
    )
    distance = signed_distances(domain, cut, across, up)
    shown = distance <= pixel
    points = np.stack(np.meshgrid(across, up), axis=-1)[shown]
    values = np.full(shown.shape, np.nan)
    if len(points):
        values[shown] = values_at(cut.points(points))
    return Slice(cut, across, up, distance, values)


def slice_panel(
    axes: Axes, domain: MeshSDF, piece: Slice, colours: ScalarMappable, levels: np.ndarray, note: str = ""
) -> None:
    """Draws a slice: colours, isolines, and the outline of the part.

    Args:
        axes: Where.
        domain: The part.
        piece: The slice.
        colours: The colour of each value.
        levels: The values at which isolines are drawn.
        note: What is added to the title.
    """
    pixel = float(piece.across[1] - piece.across[0])
    rgba = colours.to_rgba(piece.values)
    rgba[~np.isfinite(piece.values)] = NOT_KNOWN
    rgba[..., 3] = np.clip(0.5 - piece.distance / pixel, 0.0, 1.0)  # the share of the pixel that is inside
    left, bottom = piece.across[0] - 0.5 * pixel, piece.up[0] - 0.5 * pixel
    right, top = piece.across[-1] + 0.5 * pixel, piece.up[-1] + 0.5 * pixel
    axes.imshow(rgba, origin="lower", extent=(left, right, bottom, top), interpolation="nearest")
    inside = piece.inside
    if len(inside):
        within = levels[(levels > inside.min()) & (levels < inside.max())]
        if len(within):
            shown = np.ma.masked_where((piece.distance > 0) | ~np.isfinite(piece.values), piece.values)
            axes.contour(
                piece.across, piece.up, shown, levels=within, colors="white", linewidths=0.8, alpha=0.85
            )
    axes.add_collection(LineCollection(list(piece.cut.outline), colors=INK, linewidths=1.0), autolim=False)
    room = 0.03 * max(right - left, top - bottom)
    axes.set_xlim(left - room, right + room)
    axes.set_ylim(bottom - room, top + room)
    axes.set_aspect("equal")
    longest = max(right - left, top - bottom)
    axes.xaxis.set_major_locator(MaxNLocator(nbins=max(2, round(6 * (right - left) / longest)), steps=STEPS))
    axes.yaxis.set_major_locator(MaxNLocator(nbins=max(2, round(6 * (top - bottom) / longest)), steps=STEPS))
    first, second = ("xyz"[axis] for axis in piece.cut.across)
    axes.set_xlabel(f"{first} / {domain.unit}")
    axes.set_ylabel(f"{second} / {domain.unit}")
    tidy(axes)
    axes.set_title(_title(piece.cut, domain) + note, fontsize=LABEL, color=INK)


def _title(cut: Section, domain: MeshSDF) -> str:
    size = float(np.max(domain.bounds[1] - domain.bounds[0]))
    decimals = max(0, int(np.ceil(2 - np.log10(size))))
    position = round(cut.position, decimals) + 0.0  # no minus before a zero
    return f"Slice at {'xyz'[cut.axis]} = {position:.{decimals}f} {domain.unit}"
