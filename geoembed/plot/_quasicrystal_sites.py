"""Sites of a quasicrystal in both spaces: in space along an axis, and around a dislocation."""

import numpy as np
from jaxtyping import Float, Int
from matplotlib import colormaps
from matplotlib.axes import Axes
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.collections import LineCollection
from matplotlib.figure import Figure
from scipy.spatial import ConvexHull

from ..quasicrystal import Cut, DefectCut
from ._bonds import bonds_of_indices
from ._style import FAINT, INK, LABEL, TICK, TITLE, tidy

_SECTORS = 6  # around a dislocation, for each of which the window is drawn


def sites_figure(
    cut: Cut,
    *,
    view: Float[np.ndarray, "2 d"] | None = None,
    perp_view: Float[np.ndarray, "2 m"] | None = None,
    thickness: float | None = None,
    title: str = "Sites in both spaces",
) -> Figure:
    """Draws sites of a quasicrystal in space, seen along an axis, and their perpendicular coordinates.

    The colour is the distance from the middle of perpendicular space: sites of one colour have like surroundings.

    Args:
        cut: Points in two or three dimensions.
        view: Two orthonormal vectors of physical space that span the picture; the first two axes by default.
        perp_view: The same of perpendicular space.
        thickness: Of the slab around the origin that is shown, normal to the picture; all by default.
        title: What is shown.

    Returns:
        A figure on an Agg canvas of its own; the axes have the labels "sites" and "perpendicular".

    Raises:
        ValueError: Points or perpendicular coordinates have fewer than two components, or the slab is empty.
    """
    points, perp = np.asarray(cut.points, np.float64), np.asarray(cut.perp, np.float64)
    if min(points.shape[1], perp.shape[1]) < 2:
        raise ValueError(
            f"sites_figure needs two components or more, received {points.shape[1]} and {perp.shape[1]}"
        )
    first, second = (_plane(v, x.shape[1]) for v, x in ((view, points), (perp_view, perp)))
    if thickness is not None:
        beside = points - points @ first.T @ first
        kept = np.linalg.norm(beside, axis=1) <= thickness / 2
        points, perp = points[kept], perp[kept]
        if len(points) == 0:
            raise ValueError(f"no site is within a slab of the thickness {thickness}: take a thicker one")
    far = np.linalg.norm(perp, axis=1)
    order = np.argsort(-far)
    figure, left, right = _two_panels(
        title, ("sites", "Physical space"), ("perpendicular", "Perpendicular space")
    )
    size = np.clip(24000.0 / len(points), 2.0, 40.0)
    for axes, coordinates in ((left, points @ first.T), (right, perp @ second.T)):
        drawn = axes.scatter(*coordinates[order].T, c=far[order], s=size, cmap="viridis_r", linewidths=0)
    bar = figure.colorbar(drawn, cax=figure.add_axes((0.93, 0.2, 0.013, 0.5)))
    bar.set_label("distance from 0 in perpendicular space", fontsize=TICK, color=INK)
    bar.ax.tick_params(labelsize=TICK, colors=INK)
    return figure


def dislocation_figure(
    sites: DefectCut,
    perp: Float[np.ndarray, "e D"],
    burgers: Int[np.ndarray, " D"] | Float[np.ndarray, " D"],
    *,
    edge: float,
    view: Float[np.ndarray, "2 d"] | None = None,
    perp_view: Float[np.ndarray, "2 e"] | None = None,
    title: str = "A dislocation in both spaces",
) -> Figure:
    """Draws the sites around a dislocation, and where in perpendicular space their lattice vectors come from.

    Both are coloured by the angle about the line. On the left the sites, with the edges of the tiling; on the right
    Q k of their lattice vectors, not displaced: on the way around the line the window from which they are taken
    travels by −b⊥, the perpendicular part of the Burgers vector. Its outline is drawn for six sectors.

    Args:
        sites: What `dislocated_cut` found.
        perp: Q, the projection on perpendicular space.
        burgers: The Burgers vector in the basis of the lattice.
        edge: The length of the edges, in the unit of the points.
        view: Two orthonormal vectors of physical space normal to the line; the first two axes by default.
        perp_view: Two orthonormal vectors of perpendicular space; the first two axes by default.
        title: What is shown.

    Returns:
        A figure on an Agg canvas of its own; the axes have the labels "sites" and "window".

    Raises:
        ValueError: There are fewer than three sites.
    """
    if len(sites.points) < 3:
        raise ValueError(
            f"dislocation_figure needs three sites, received {len(sites.points)}: take a larger radius"
        )
    first, second = _plane(view, sites.points.shape[1]), _plane(perp_view, len(perp))
    places, window = sites.points @ first.T, sites.indices @ perp.T @ second.T
    start = sites.angle.min()
    share = (sites.angle - start) / (2 * np.pi)
    colours = colormaps["twilight_shifted"](sites.angle / (2 * np.pi) % 1)
    names = ("sites", "Around the line"), ("window", "Lattice vectors in perpendicular space")
    figure, left, right = _two_panels(title, *names)
    jump = (
        np.rint(burgers).astype(int)
        if np.allclose(burgers, np.rint(burgers))
        else np.zeros(len(burgers), int)
    )
    bonds = bonds_of_indices(sites.points, sites.indices, 1.35 * edge, jump)
    width = 0.6 if sites.points.shape[1] == 2 else 0.2  # in space they lie over each other
    left.add_collection(LineCollection(list(places[bonds]), colors=FAINT, linewidths=width, zorder=1))
    size = np.clip(8000.0 / len(places), 4.0, 30.0)
    left.scatter(*places.T, color=colours, s=size, linewidths=0, zorder=2)
    right.scatter(*window.T, color=colours, s=0.6 * size, linewidths=0, zorder=2)
    displaced = sites.perp @ second.T
    outline = displaced[ConvexHull(displaced).vertices]
    centres = []
    for sector in range(_SECTORS):
        chosen = np.floor(_SECTORS * share) == sector
        if chosen.any():
            centres.append((window[chosen] - displaced[chosen]).mean(axis=0))
            colour = colormaps["twilight_shifted"]((start / (2 * np.pi) + (sector + 0.5) / _SECTORS) % 1)
            right.fill(*(outline + centres[-1]).T, fill=False, edgecolor=colour, linewidth=1.6, zorder=3)
    travel = -(perp @ burgers @ second.T)
    begin = centres[0] - travel / (2 * _SECTORS)
    style = {"arrowstyle": "-|>", "color": INK, "lw": 1.6, "shrinkA": 0, "shrinkB": 0}
    right.annotate("", begin + travel, begin, arrowprops=style, zorder=4)
    beyond = begin + 1.08 * travel
    label = right.text(
        float(beyond[0]),
        float(beyond[1]),
        r"$-b_\perp$",
        fontsize=LABEL,
        color=INK,
        ha="center",
        va="center",
        zorder=5,
    )
    label.set_bbox({"facecolor": "white", "edgecolor": "none", "alpha": 0.8, "pad": 1.0})
    _clock(figure)
    return figure


def _two_panels(title: str, *names: tuple[str, str]) -> tuple[Figure, Axes, Axes]:
    figure = Figure(figsize=(10.4, 5.6), dpi=130, facecolor="white")
    FigureCanvasAgg(figure)
    figure.text(0.03, 0.955, title, fontsize=TITLE, color=INK, va="center")
    panels = []
    for place, (label, name) in zip(((0.03, 0.04, 0.46, 0.82), (0.51, 0.04, 0.4, 0.82)), names, strict=True):
        axes = figure.add_axes(place, label=label)
        axes.set_aspect("equal")
        axes.set_title(name, fontsize=LABEL, color=INK, loc="left")
        axes.set_xticks([])
        axes.set_yticks([])
        tidy(axes)
        panels.append(axes)
    return figure, panels[0], panels[1]


def _clock(figure: Figure) -> None:
    """A ring that says which colour is which angle."""
    ring = figure.add_axes((0.92, 0.62, 0.07, 0.13), projection="polar", label="angle")
    angles = np.linspace(0, 2 * np.pi, 97)
    middles = (angles[1:] + angles[:-1]) / 2
    ring.bar(
        middles, 1.0, width=angles[1], bottom=1.6, color=colormaps["twilight_shifted"](middles / (2 * np.pi))
    )
    ring.set_axis_off()
    ring.set_title("angle", fontsize=TICK, color=INK)


def _plane(view: Float[np.ndarray, "2 d"] | None, d: int) -> Float[np.ndarray, "2 d"]:
    return np.eye(2, d) if view is None else np.asarray(view, np.float64)
