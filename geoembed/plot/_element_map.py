"""Element vectors on a plane, and whether chemistry would agree."""

import numpy as np
from jaxtyping import Float64, PRNGKeyArray
from matplotlib.axes import Axes
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator

from ..atoms import (
    SYMBOLS,
    ElementEmbedding,
    MantelTest,
    compare_with_properties,
    element_properties,
    permuted_correlations,
)
from ._style import FAINT, INK, LABEL, STEPS, TICK, TITLE, WARNING, tidy

_BLOCKS = {"s": "#b3402f", "p": "#2f7d4f", "d": "#3b4cc0", "f": "#8a5fb0"}
_BINS = 50


def element_map_figure(
    embedding: ElementEmbedding,
    *,
    key: PRNGKeyArray,
    permutations: int = 9999,
    title: str = "Elements by their vectors",
) -> Figure:
    """Draws elements where their vectors are, and the test whether elements that are alike are near each other.

    On the left the first two principal components, coloured by the block of the periodic table. On the right Mantel's
    test: the correlation between distances of vectors and of physical properties, and those of random assignments.

    Args:
        embedding: The vectors of at least three elements; for those that a model has made of them see
            `geoembed.atoms.element_weights`.
        key: Random key of the permutations.
        permutations: How many are drawn; all, where there are no more.
        title: What is shown.

    Returns:
        A figure on an Agg canvas of its own; the axes have the labels "map" and "test".

    Raises:
        ValueError: There are fewer than three elements.
    """
    test = compare_with_properties(embedding, key=key, permutations=permutations)
    _, drawn = permuted_correlations(embedding, key=key, permutations=permutations)
    figure = Figure(figsize=(11.0, 5.2), dpi=130, facecolor="white")
    FigureCanvasAgg(figure)
    figure.text(0.03, 0.94, title, fontsize=TITLE, color=INK, va="center")
    _draw_map(figure.add_axes((0.07, 0.12, 0.46, 0.73), label="map"), embedding)
    _draw_test(figure.add_axes((0.61, 0.12, 0.36, 0.73), label="test"), test, drawn)
    return figure


def _draw_map(axes: Axes, embedding: ElementEmbedding) -> None:
    numbers = np.asarray(embedding.numbers)
    taken = numbers > 0
    points, share = _components(np.asarray(embedding.vectors, np.float64)[taken])
    for number, (x, y) in zip(numbers[taken].tolist(), points, strict=True):
        colour = _BLOCKS[element_properties(number).block]
        axes.plot([x], [y], "o", color=colour, markersize=4, alpha=0.35, markeredgewidth=0)
        axes.text(x, y, SYMBOLS[number - 1], color=colour, fontsize=TICK, ha="center", va="bottom")
    axes.margins(0.08)
    axes.set_xlabel(f"Component 1 ({100 * share[0]:.0f} % of the variance)")
    axes.set_ylabel(f"Component 2 ({100 * share[1]:.0f} %)")
    for place, (block, colour) in enumerate(_BLOCKS.items()):
        axes.text(0.012 + 0.05 * place, 1.02, block, color=colour, fontsize=LABEL, transform=axes.transAxes)
    for axis in (axes.xaxis, axes.yaxis):
        axis.set_major_locator(MaxNLocator(nbins=5, steps=STEPS))
    tidy(axes)


def _draw_test(axes: Axes, test: MantelTest, drawn: Float64[np.ndarray, " permutations"]) -> None:
    if len(drawn):
        axes.hist(drawn, bins=_BINS, color=FAINT, alpha=0.6)
    axes.axvline(test.correlation, color=WARNING, linewidth=1.5)
    axes.set_xlabel("Correlation with the properties of the elements")
    axes.set_ylabel(f"Of {test.permutations} permutations")
    words = f"{test.correlation:.2f}, p = {test.p_value:.2g}"
    axes.set_title(words, fontsize=LABEL, color=WARNING, loc="left")
    axes.yaxis.set_major_locator(MaxNLocator(nbins=4, integer=True))
    tidy(axes)


def _components(
    vectors: Float64[np.ndarray, "n size"],
) -> tuple[Float64[np.ndarray, "n 2"], Float64[np.ndarray, "2"]]:
    """The first two principal components, and their shares of the variance; zeros where there are none."""
    left, sizes, _ = np.linalg.svd(vectors - vectors.mean(axis=0), full_matrices=False)
    count = min(2, len(sizes))
    points, share = np.zeros((len(vectors), 2)), np.zeros(2)
    signs = np.sign(left[np.argmax(np.abs(left[:, :count]), axis=0), np.arange(count)])
    points[:, :count] = left[:, :count] * (sizes[:count] * np.where(signs == 0, 1.0, signs))
    share[:count] = sizes[:count] ** 2 / max(float(np.sum(sizes**2)), 1e-300)
    return points, share
