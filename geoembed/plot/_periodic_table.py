"""The periodic table, coloured by what a model makes of the elements."""

import numpy as np
from jaxtyping import Float64
from matplotlib.axes import Axes
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure
from matplotlib.patches import Rectangle

from ..atoms import SYMBOLS, ElementEmbedding, element_properties
from ._colour import colour_scale
from ._style import FAINT, INK, LABEL, TICK, TITLE

_F_BLOCK = {6: 57, 7: 89}  # the first element of each row that is drawn below the table
_GAP = 0.4  # between the table and these rows
_DARKEST, _LIGHTEST = 0.25, 0.88  # of a colour's parts: symbols stay legible, and no cell looks empty
_COMPONENTS = 3


def periodic_table_figure(
    embedding: ElementEmbedding, *, like: str | None = None, title: str = "Elements by their vectors"
) -> Figure:
    """Draws the periodic table; elements with near vectors have near colours, the others are left empty.

    Without `like`, red, green and blue are the first three principal components of the vectors, all on one scale. With
    it, the colour is the distance to that element, and the number is written below each symbol.

    Args:
        embedding: The vectors; for those that a model has made of them see `geoembed.atoms.element_weights`.
        like: The symbol of an element of the embedding.
        title: What is shown.

    Returns:
        A figure on an Agg canvas of its own; the axes have the labels "table" and "bar", and a cell has the
        symbol of its element as gid.

    Raises:
        ValueError: The embedding does not know `like`.
    """
    numbers = np.asarray(embedding.numbers)
    taken = numbers > 0
    vectors = np.asarray(embedding.vectors, np.float64)[taken]
    symbols = [SYMBOLS[number - 1] for number in numbers[taken]]
    if like is not None and like not in symbols:
        raise ValueError(f"like={like!r} is not among the elements {', '.join(symbols)}")
    figure = Figure(figsize=(11.5, 6.6), dpi=130, facecolor="white")
    FigureCanvasAgg(figure)
    axes = figure.add_axes((0.02, 0.03, 0.88 if like else 0.96, 0.85), label="table")
    figure.text(0.03, 0.945, title, fontsize=TITLE, color=INK, va="center")
    if like is None:
        shown = dict(zip(symbols, _component_colours(vectors), strict=True))
        words, below = "Red, green, blue: principal components 1, 2, 3 of the vectors", {}
    else:
        distance = np.linalg.norm(vectors - vectors[symbols.index(like)], axis=1)
        colours, levels = colour_scale(distance)
        shown = dict(zip(symbols, np.atleast_2d(colours.to_rgba(distance))[:, :3], strict=True))
        below = {symbol: f"{value:.2f}" for symbol, value in zip(symbols, distance, strict=True)}
        words = f"Distance of the vectors to that of {like}"
        bar = figure.colorbar(
            colours, cax=figure.add_axes((0.93, 0.08, 0.018, 0.75), label="bar"), ticks=levels
        )
        bar.ax.tick_params(labelsize=TICK, colors=INK)
        bar.outline.set_visible(False)
    figure.text(0.03, 0.9, words, fontsize=LABEL, color=FAINT, va="center")
    _draw(axes, shown, below)
    return figure


def place(number: int) -> tuple[float, float]:
    """Column and row of an element in the table with 18 columns, both from 0; the f block below it."""
    found = element_properties(number)
    if found.group is None:
        return 2.0 + number - _F_BLOCK[found.period], found.period + 1 + _GAP
    return found.group - 1.0, found.period - 1.0


def _draw(axes: Axes, shown: dict[str, np.ndarray], below: dict[str, str]) -> None:
    for number, symbol in enumerate(SYMBOLS, start=1):
        x, y = place(number)
        colour = shown.get(symbol)
        cell = Rectangle(
            (x + 0.04, y + 0.04), 0.92, 0.92, facecolor="white", edgecolor="#d9d9d9", linewidth=0.6
        )
        cell.set_gid(symbol)
        ink = FAINT
        if colour is not None:
            cell.set(facecolor=tuple(colour), edgecolor="white")
            ink = INK if colour @ (0.299, 0.587, 0.114) > 0.5 else "white"
        axes.add_patch(cell)
        text = below.get(symbol)
        weight = "normal" if colour is None else "bold"
        axes.text(x + 0.5, y + (0.56 if text is None else 0.46), symbol, color=ink, fontsize=LABEL, ha="center",
                  va="center", fontweight=weight)  # fmt: skip
        axes.text(x + 0.1, y + 0.1, str(number), color=ink, fontsize=5.5, ha="left", va="top")
        if text is not None:
            axes.text(x + 0.5, y + 0.79, text, color=ink, fontsize=7, ha="center", va="center")
    axes.set_xlim(0, 18)
    axes.set_ylim(9 + _GAP, 0)
    axes.set_aspect("equal")
    axes.set_axis_off()


def _component_colours(vectors: Float64[np.ndarray, "n size"]) -> Float64[np.ndarray, "n 3"]:
    """The first three principal components, the widest from dark to light; a middle tone where there is none."""
    centred = vectors - vectors.mean(axis=0)
    axes = np.linalg.svd(centred, full_matrices=False)[2][:_COMPONENTS]
    signs = np.sign(axes[np.arange(len(axes)), np.argmax(np.abs(axes), axis=1)])
    values = centred @ (axes * signs[:, None]).T
    low, high = values.min(axis=0), values.max(axis=0)
    widest = max(float(np.max(high - low)), 1e-300)
    colours = np.full((len(vectors), _COMPONENTS), 0.5 * (_DARKEST + _LIGHTEST))
    colours[:, : len(axes)] += (_LIGHTEST - _DARKEST) / widest * (values - 0.5 * (low + high))
    return colours
