"""A chain of tiles as the shadow of a strip of a lattice in the plane."""

import numpy as np
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.collections import LineCollection
from matplotlib.figure import Figure

from ..quasicrystal import Cut, Model
from ._style import FAINT, INK, LABEL, TITLE, tidy

_COLOURS = ("#c2571a", "#2f6f9f", "#5b8c3e", "#8a5aa8")  # of the tiles, the longest first


def chain_figure(model: Model, cut: Cut, *, title: str = "A chain is a slice of a lattice") -> Figure:
    """Draws a quasicrystal in one dimension and the lattice in the plane that it is cut from.

    Above, the lattice: along x physical space, along y perpendicular space. Points in the strip, whose height is the
    window's, fall on the line and are the ends of tiles. Below, the tiles, coloured by their length.

    Args:
        model: One window of a lattice in two dimensions; it need not be the one of the cut in all digits.
        cut: A cut of it with at least two points.
        title: What is shown.

    Returns:
        A figure on an Agg canvas of its own; the axes have the labels "lattice" and "chain".

    Raises:
        ValueError: The model is not a slice of a lattice in the plane, or the cut has fewer than two points.
    """
    if model.lattice.dimensions != (1, 1) or len(model.surfaces) != 1:
        raise ValueError(
            "chain_figure needs one window and one dimension of each space, received "
            f"{len(model.surfaces)} windows and the dimensions {model.lattice.dimensions}"
        )
    if len(cut) < 2:
        raise ValueError(f"chain_figure needs two points, received {len(cut)}: make the cut longer")
    x, q = np.asarray(cut.points, np.float64)[:, 0], np.asarray(cut.perp, np.float64)[:, 0]
    ends = np.asarray(model.surfaces[0].window.support(np.array([[1.0], [-1.0]])), np.float64) * [1.0, -1.0]
    order = np.argsort(x)
    lengths = np.diff(x[order])
    kinds = np.unique(np.round(lengths, 6))[::-1]

    figure = Figure(figsize=(9.6, 4.6), dpi=130, facecolor="white")
    FigureCanvasAgg(figure)
    figure.text(0.03, 0.945, title, fontsize=TITLE, color=INK, va="center")
    above = figure.add_axes((0.07, 0.31, 0.91, 0.56), label="lattice")
    below = figure.add_axes((0.07, 0.13, 0.91, 0.1), label="chain", sharex=above)
    others, other_q = _lattice(model, x, ends)
    above.axhspan(ends[1], ends[0], color="#f3e6d8", zorder=0)
    above.axhline(0, color=INK, linewidth=1.0, zorder=1)
    above.vlines(x, 0, q, color=FAINT, linewidth=0.7, zorder=1)
    above.scatter(others, other_q, s=9, color=FAINT, linewidths=0, zorder=2)
    above.scatter(x, q, s=20, color=_COLOURS[0], linewidths=0, zorder=3)
    above.set_ylabel("perpendicular")
    above.tick_params(labelbottom=False)
    for kind, colour in zip(kinds, _COLOURS * (1 + len(kinds) // len(_COLOURS)), strict=False):
        chosen = np.abs(lengths - kind) < 1e-5
        starts = x[order][:-1][chosen]
        lines = [[(s, 0.5), (s + kind, 0.5)] for s in starts]
        below.add_collection(
            LineCollection(lines, colors=colour, linewidths=9, capstyle="butt", label=f"{kind:.3f}")
        )
    below.vlines(x, 0, 1, color="white", linewidth=1.6, zorder=3)
    below.set_ylim(0, 1)
    below.set_yticks([])
    below.set_xlabel("physical space")
    below.legend(ncols=4, frameon=False, fontsize=LABEL, loc="lower right", bbox_to_anchor=(1.0, 0.9))
    margin = 0.02 * np.ptp(x)
    above.set_xlim(x.min() - margin, x.max() + margin)
    for axes in (above, below):
        tidy(axes)
    return figure


def _lattice(model: Model, x: np.ndarray, ends: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Lattice points around the strip that are not in it: their two coordinates."""
    both = np.concatenate([np.asarray(part, np.float64) for part in model.lattice.projections()])
    height = 1.1 * np.ptp(ends)
    corners = np.array([[s, t] for s in (x.min(), x.max()) for t in (-height, height)])
    reach = np.ceil(np.abs(np.linalg.solve(both, corners.T)).max(axis=1)).astype(int) + 1
    counts = np.stack(np.meshgrid(*(np.arange(-r, r + 1) for r in reach), indexing="ij"), -1).reshape(-1, 2)
    place, perp = counts @ both.T[:, 0], counts @ both.T[:, 1] + float(model.shift[0])
    shown = (place >= x.min() - 1) & (place <= x.max() + 1) & (np.abs(perp) < height)
    shown &= (perp < ends[1]) | (perp > ends[0])
    return place[shown], perp[shown]
