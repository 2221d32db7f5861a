"""What a model has learned about the elements: which are near which, and whether chemistry would agree."""

import itertools
import math
from typing import Literal, NamedTuple

import jax.numpy as jnp
import numpy as np
from jaxtyping import Float64, Int64, PRNGKeyArray

from ..core import host_generator
from ._element_embedding import ElementEmbedding
from ._element_properties import standardised
from ._elements import SYMBOLS
from ._heads import HeadsPotential
from ._mace import Encoder, MacePotential

Measure = Literal["distance", "cosine"]
_EQUAL = 1e-9  # what differs by less is equal but for rounding
_TOGETHER = 1000  # permutations that are looked at in one step


class MantelTest(NamedTuple):
    """What `compare_with_properties` finds.

    Args:
        correlation: Between the distances of the vectors and those of the properties, −1 to 1.
        p_value: The share of permutations of the elements with a correlation as large.
        permutations: How many were looked at.
    """

    correlation: float
    p_value: float
    permutations: int


def element_weights(model: Encoder | MacePotential | HeadsPotential) -> ElementEmbedding:
    """All that an encoder computes from an element, as one long vector for each element.

    Two tables of vectors may look different and mean the same, because what multiplies them is learned too, and
    one-hot vectors say nothing at all. These do: the elements' initial features, skip connections and weights of
    products. Each of these arrays counts equally, and the root mean square length is 1.

    Args:
        model: An encoder, or a potential with one; also a converted one.

    Returns:
        The vectors, for `nearest_elements` and the like; free rows are zeros.
    """
    if isinstance(model, HeadsPotential):
        model = model.potential
    encoder = model.encoder if isinstance(model, MacePotential) else model
    vectors = np.asarray(encoder.elements.vectors, np.float64)
    known = np.asarray(encoder.elements.numbers) > 0
    blocks = []
    for table in encoder.by_element:
        weights = vectors @ np.asarray(table, np.float64).reshape(len(table), -1)
        size = math.sqrt(np.sum(weights[known] ** 2) / np.sum(known))
        if size > 0:
            blocks.append(weights / size)
    made = np.concatenate(blocks, axis=1) / math.sqrt(len(blocks)) if blocks else np.zeros((len(known), 1))
    return ElementEmbedding(encoder.elements.numbers, jnp.asarray(made, jnp.result_type(float)))


def nearest_elements(
    embedding: ElementEmbedding, *, count: int = 3, measure: Measure = "distance"
) -> dict[str, tuple[tuple[str, float], ...]]:
    """For each element of a table those with the nearest vectors.

    Args:
        embedding: The vectors; for those that a model has made of them see `element_weights`.
        count: How many; fewer where there are not so many.
        measure: The Euclidean distance |v − v′|, or "cosine" for 1 − v·v′/(|v| |v′|), from 0 to 2.

    Returns:
        By symbol, in the order of the table: other symbols, each with how far it is, nearest first.

    Example:
        >>> found = nearest_elements(ElementEmbedding.physical([14, 32, 8, 9], 9), count=1)
        >>> {symbol: rows[0][0] for symbol, rows in found.items()}
        {'Si': 'Ge', 'Ge': 'Si', 'O': 'F', 'F': 'O'}
    """
    numbers, vectors = _known(embedding)
    far = _distances(vectors, measure)
    symbols = [SYMBOLS[number - 1] for number in numbers]
    np.fill_diagonal(far, np.inf)
    order = np.argsort(far, axis=1, kind="stable")[:, : min(count, len(numbers) - 1)]
    return {
        symbol: tuple((symbols[j], float(far[k, j])) for j in order[k]) for k, symbol in enumerate(symbols)
    }


def compare_with_properties(
    embedding: ElementEmbedding, *, key: PRNGKeyArray, permutations: int = 9999
) -> MantelTest:
    """Whether elements that are alike have vectors that are near each other: Mantel's test.

    The statistic is Pearson's correlation, over all pairs of elements, between the distance of their vectors and the
    distance of their standardised physical properties (those of `ElementEmbedding.physical`). If the vectors knew
    nothing of the elements, any other assignment of them would do as well: the p-value is the share of permutations
    whose correlation is as large, the one found among them. Where there are no more permutations than asked for, all
    are looked at. It says something about what was learned only if the vectors started at random or one-hot.

    Args:
        embedding: The vectors of at least three elements.
        key: Random key of the permutations.
        permutations: How many are drawn.

    Returns:
        The result. Correlation 0 and p-value 1 where all distances are equal.

    Raises:
        ValueError: There are fewer than three elements.

    References:
        Mantel, "The detection of disease clustering and a generalized regression approach", Cancer Res. 27, 209 (1967).

    Example:
        >>> import jax
        >>> halogens_and_metals = ElementEmbedding.physical([9, 17, 35, 3, 11, 19], 4)
        >>> compare_with_properties(halogens_and_metals, key=jax.random.key(0)).permutations
        720
    """
    found, drawn = permuted_correlations(embedding, key=key, permutations=permutations)
    if not len(drawn):
        return MantelTest(0.0, 1.0, 0)
    reached = int(np.sum(drawn >= found - _EQUAL))
    known = int(np.sum(np.asarray(embedding.numbers) > 0))
    sampled = math.factorial(known) > permutations  # the one that was found is one more
    return MantelTest(found, (reached + sampled) / (len(drawn) + sampled), len(drawn))


def permuted_correlations(
    embedding: ElementEmbedding, *, key: PRNGKeyArray, permutations: int = 9999
) -> tuple[float, Float64[np.ndarray, " permutations"]]:
    """The correlation that `compare_with_properties` finds, and those with the vectors given to other elements.

    Args:
        embedding: The vectors of at least three elements.
        key: Random key of the permutations.
        permutations: How many are drawn; all, where there are no more.

    Returns:
        The correlation, and that of each permutation: none, where all distances are equal.

    Raises:
        ValueError: There are fewer than three elements.
    """
    numbers, vectors = _known(embedding)
    if len(numbers) < 3:
        raise ValueError(f"the test needs three elements or more, received {len(numbers)}")
    first = _distances(vectors, "distance")
    second = _distances(standardised()[numbers - 1], "distance")
    upper = np.triu_indices(len(numbers), 1)
    one, other = _normal(first[upper]), _normal(second[upper])
    if not (np.any(one) and np.any(other)):
        return 0.0, np.zeros(0)
    drawn = []
    size = np.linalg.norm(first[upper] - np.mean(first[upper]))
    for orders in _permutations(len(numbers), permutations, key):
        # the mean and the length stay, and `other` has the mean 0
        moved = first[orders[:, upper[0]], orders[:, upper[1]]]
        drawn.append(moved @ other / size)
    return float(one @ other), np.concatenate(drawn)


def _permutations(count: int, most: int, key: PRNGKeyArray):
    """All permutations, or some at random, a block at a time."""
    if math.factorial(count) <= most:
        every = itertools.permutations(range(count))
        while block := list(itertools.islice(every, _TOGETHER)):
            yield np.array(block)
        return
    draw = host_generator(key)
    for start in range(0, most, _TOGETHER):
        rows = min(_TOGETHER, most - start)
        yield draw.permuted(np.tile(np.arange(count), (rows, 1)), axis=1)


def _known(
    embedding: ElementEmbedding,
) -> tuple[Int64[np.ndarray, " n"], Float64[np.ndarray, "n size"]]:
    """Atomic numbers and vectors without the free rows."""
    numbers = np.asarray(embedding.numbers, np.int64)
    taken = numbers > 0
    return numbers[taken], np.asarray(embedding.vectors, np.float64)[taken]


def _distances(vectors: Float64[np.ndarray, "n size"], measure: Measure) -> Float64[np.ndarray, "n n"]:
    products = vectors @ vectors.T
    squares = np.diag(products)
    if measure == "cosine":
        sizes = np.sqrt(np.maximum(squares, 1e-300))
        return 1 - products / (sizes[:, None] * sizes)
    return np.linalg.norm(vectors[:, None] - vectors, axis=-1)


def _normal(values: Float64[np.ndarray, " n"]) -> Float64[np.ndarray, " n"]:
    """Mean 0 and length 1; zeros where all values are equal."""
    centred = values - np.mean(values)
    size = np.linalg.norm(centred)
    return centred / size if size > _EQUAL * np.linalg.norm(values) else np.zeros_like(values)
