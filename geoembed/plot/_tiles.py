"""Tilings of the plane with their tiles, and their vertices by the type of star."""

import numpy as np
from matplotlib import colormaps
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.collections import PolyCollection
from matplotlib.figure import Figure

from ..quasicrystal import Cut, Tiling
from ._style import INK, LABEL, TITLE, tidy

_TINTS = ["#d9e4ef", "#f3e3c3", "#dcead3", "#ecd9e6"]  # of tiles, light enough for vertices to stand out


def tiles_figure(cut: Cut, tiling: Tiling, *, title: str = "Tiles and vertex types") -> Figure:
    """Draws a tiling of the plane: its tiles tinted by shape, its vertices coloured by type, in both spaces.

    On the right the same vertices in perpendicular space, where each type fills regions of its own.

    Args:
        cut: Points in the plane.
        tiling: Their tiling.
        title: What is shown.

    Returns:
        A figure on an Agg canvas of its own; the axes have the labels "tiling" and "window".

    Raises:
        ValueError: The points or their perpendicular coordinates are not in the plane.
    """
    points, perp = np.asarray(cut.points, np.float64), np.asarray(cut.perp, np.float64)
    if points.shape[1] != 2 or perp.shape[1] != 2:
        raise ValueError(
            f"tiles_figure needs points and perpendicular coordinates with 2 components, received {points.shape[1]} "
            f"and {perp.shape[1]}"
        )
    figure = Figure(figsize=(10.8, 5.6), dpi=130, facecolor="white")
    FigureCanvasAgg(figure)
    figure.text(0.03, 0.955, title, fontsize=TITLE, color=INK, va="center")
    left = figure.add_axes((0.03, 0.04, 0.44, 0.82), label="tiling")
    right = figure.add_axes((0.49, 0.04, 0.36, 0.82), label="window")
    for number, tiles in enumerate(tiling.tiles):
        tint = _TINTS[number % len(_TINTS)]
        left.add_collection(
            PolyCollection(list(points[tiles.corners]), facecolors=tint, edgecolors="white", linewidths=0.8)
        )
    size = np.clip(5000.0 / max(len(points), 1), 1.5, 40.0)
    present = np.unique(tiling.types)
    colours = colormaps["turbo"](np.linspace(0.08, 0.92, len(present)))
    for kind, colour in zip(present.tolist(), colours, strict=True):
        chosen = tiling.types == kind
        left.scatter(*points[chosen].T, s=size, color=colour, linewidths=0, zorder=3)
        name = f"{tiling.stars[kind].sum()} edges ({chosen.mean():.1%})"
        right.scatter(*perp[chosen].T, s=size, color=colour, linewidths=0, label=name)
    right.legend(
        title="Vertex types", loc="upper left", bbox_to_anchor=(1.0, 1.0), frameon=False,
        markerscale=max(1.0, 6 / size**0.5), fontsize=0.85 * LABEL, title_fontsize=LABEL,
    )  # fmt: skip
    for axes, name in ((left, "Tiling"), (right, "Perpendicular space")):
        axes.set_aspect("equal")
        axes.set_anchor("N")
        axes.set_title(name, fontsize=LABEL, color=INK, loc="left")
        axes.set_xticks([])
        axes.set_yticks([])
        tidy(axes)
    return figure
