"""Tilings coloured by the kind of vertex, and diffraction patterns."""

import numpy as np
from matplotlib import colormaps
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.collections import LineCollection
from matplotlib.figure import Figure
from scipy.spatial import KDTree

from ..quasicrystal import Bragg, Cut
from ._style import FAINT, INK, LABEL, TITLE, tidy


def tiling_figure(cut: Cut, *, edge: float, title: str = "Vertices by coordination") -> Figure:
    """Draws the vertices of a tiling of the plane, coloured by their number of neighbours, in both spaces.

    On the left the tiling; on the right the same vertices in perpendicular space, where each kind fills polygons of
    its own. Vertices near the rim, whose neighbours may be missing, are left out on the right and grey on the left.

    Args:
        cut: Points in the plane.
        edge: The distance of neighbours, in the unit of the points.
        title: What is shown.

    Returns:
        A figure on an Agg canvas of its own; the axes have the labels "tiling" and "window".

    Raises:
        ValueError: The points or their perpendicular coordinates are not in the plane.
    """
    points, perp = np.asarray(cut.points, np.float64), np.asarray(cut.perp, np.float64)
    if points.shape[1] != 2 or perp.shape[1] != 2:
        raise ValueError(
            f"tiling_figure needs points and perpendicular coordinates with 2 components, received {points.shape[1]} "
            f"and {perp.shape[1]}"
        )
    pairs = KDTree(points).query_pairs(edge * 1.001, output_type="ndarray")
    apart = np.linalg.norm(points[pairs[:, 0]] - points[pairs[:, 1]], axis=1)
    pairs = pairs[np.abs(apart - edge) < 1e-3 * edge]
    kinds = np.bincount(pairs.ravel(), minlength=len(points))
    whole = _inside(points, edge)
    known = np.unique(kinds[whole])
    colours = dict(zip(known.tolist(), colormaps["turbo"](np.linspace(0.08, 0.92, len(known))), strict=True))

    figure = Figure(figsize=(10.4, 5.6), dpi=130, facecolor="white")
    FigureCanvasAgg(figure)
    figure.text(0.03, 0.955, title, fontsize=TITLE, color=INK, va="center")
    left = figure.add_axes((0.03, 0.04, 0.45, 0.82), label="tiling")
    right = figure.add_axes((0.51, 0.04, 0.37, 0.82), label="window")
    left.add_collection(LineCollection(list(points[pairs]), colors=FAINT, linewidths=0.6, zorder=1))
    size = np.clip(6000.0 / len(points), 1.5, 40.0)
    left.scatter(*points[~whole].T, s=size, color=FAINT, linewidths=0, zorder=2)
    for kind in known.tolist():
        chosen = whole & (kinds == kind)
        left.scatter(*points[chosen].T, s=size, color=colours[kind], linewidths=0, zorder=3)
        right.scatter(*perp[chosen].T, s=size, color=colours[kind], linewidths=0, label=f"{kind}")
    right.legend(
        title="Neighbours", loc="upper left", bbox_to_anchor=(1.01, 1.0), frameon=False,
        markerscale=max(1.0, 6 / size**0.5), fontsize=LABEL, title_fontsize=LABEL,
    )  # fmt: skip
    for axes, name in ((left, "Tiling"), (right, "Perpendicular space")):
        axes.set_aspect("equal")
        axes.set_title(name, fontsize=LABEL, color=INK, loc="left")
        axes.set_xticks([])
        axes.set_yticks([])
        tidy(axes)
    return figure


def diffraction_figure(bragg: Bragg, *, least: float = 1e-4, title: str = "Diffraction pattern") -> Figure:
    """Draws Bragg reflections as discs whose area is proportional to the intensity.

    Args:
        bragg: Reflections of a quasicrystal in the plane or in space; of the latter those are drawn whose third
            component vanishes.
        least: The smallest share of the strongest intensity that is drawn.
        title: What is shown.

    Returns:
        A figure on an Agg canvas of its own; the axes have the label "pattern".

    Raises:
        ValueError: The wave vectors have neither 2 nor 3 components.
    """
    q, intensities = np.asarray(bragg.q, np.float64), np.asarray(bragg.intensities, np.float64)
    if q.shape[1] not in (2, 3):
        raise ValueError(
            f"diffraction_figure needs wave vectors with 2 or 3 components, received {q.shape[1]}"
        )
    shown = intensities >= least * intensities.max()
    if q.shape[1] == 3:
        shown &= np.abs(q[:, 2]) < 1e-4 * np.abs(q).max()
    figure = Figure(figsize=(6.2, 6.4), dpi=130, facecolor="white")
    FigureCanvasAgg(figure)
    axes = figure.add_axes((0.12, 0.09, 0.85, 0.82), label="pattern")
    figure.text(0.04, 0.96, title, fontsize=TITLE, color=INK, va="center")
    areas = 420.0 * intensities[shown] / intensities.max()
    axes.scatter(q[shown, 0], q[shown, 1], s=areas, color=INK, linewidths=0)
    axes.set_aspect("equal")
    axes.set_xlabel("$Q_x$ (rad per unit of length)")
    axes.set_ylabel("$Q_y$ (rad per unit of length)")
    tidy(axes)
    return figure


def _inside(points: np.ndarray, edge: float) -> np.ndarray:
    """The points whose neighbours are all there: more than an edge inside the rim of the cut, ball or box."""
    radius = np.linalg.norm(points, axis=1)
    box = np.abs(points).max(0)
    if radius.max() < 1.15 * box.min():  # a ball; the corners of a box are farther
        return radius < radius.max() - edge
    return (np.abs(points) < box - edge).all(1)
