"""Vertex types: the stars of edges at the vertices of a tiling, sorted by the symmetry of their directions."""

import itertools

import numpy as np
from jaxtyping import Bool, Float64, Int64

_SAME = 1e-5  # vectors that differ by this share of the longest are one: more than the rounding of float32


def star_types(
    stars: Bool[np.ndarray, "n s"], directions: Float64[np.ndarray, "s d"]
) -> tuple[Int64[np.ndarray, " n"], Bool[np.ndarray, "types s"]]:
    """The type of each vertex, and one star of each type: those with the fewest edges first.

    Two stars are of one type if an orthogonal map of the set of directions to itself takes one to the other.

    Args:
        stars: Which of the directions have an edge, for each vertex.
        directions: Their vectors; for each also its opposite.

    Returns:
        Types, and their stars.
    """
    found, which = np.unique(stars, axis=0, return_inverse=True)
    powers = 1 << np.arange(len(directions), dtype=np.int64)
    codes = (found[:, symmetries(directions)] @ powers).max(axis=1)  # the largest image stands for all
    order = np.array([found.sum(1), codes])
    kinds, which_kind = np.unique(order, axis=1, return_inverse=True)
    return which_kind.ravel()[which.ravel()].astype(np.int64), (kinds[1][:, None] & powers) > 0


def symmetries(vectors: Float64[np.ndarray, "s d"]) -> Int64[np.ndarray, "g s"]:
    """The permutations of vectors that are orthogonal maps: row r sends vector i to vector r[i].

    Args:
        vectors: Different vectors that span the space.

    Example:
        >>> len(symmetries(np.array([[1.0, 0.0], [0.0, 1.0], [-1.0, 0.0], [0.0, -1.0]])))
        8
    """
    count, d = vectors.shape
    vectors = vectors / np.linalg.norm(vectors, axis=1).max()
    base = next(
        list(c)
        for c in itertools.combinations(range(count), d)
        if abs(np.linalg.det(vectors[list(c)])) > _SAME
    )
    products = vectors @ vectors.T
    chosen = np.zeros((1, 0), np.int64)
    for i in range(d):  # images of the base, one vector after the other: their products are those of the base
        same = np.abs(products.diagonal() - products[base[i], base[i]]) < _SAME
        fits = np.broadcast_to(same, (len(chosen), count)).copy()
        for j in range(i):
            fits &= np.abs(products[chosen[:, j]] - products[base[j], base[i]]) < _SAME
        row, vector = np.nonzero(fits)
        chosen = np.column_stack([chosen[row], vector])
    found = []
    for ends in vectors[chosen]:
        images = vectors @ np.linalg.solve(vectors[base], ends)
        apart = np.abs(images[:, None] - vectors).max(axis=2)
        if apart.min(axis=1).max() < _SAME:
            found.append(apart.argmin(axis=1))
    return np.array(found, np.int64)
