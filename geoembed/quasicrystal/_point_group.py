"""Point groups that act on parallel and perpendicular space at once."""

from typing import NamedTuple

import numpy as np
from jaxtyping import Float64

from ..core import InputError

# Two elements are the same where their matrices differ by less; elements of a group of 1000 differ by far more.
_SAME = 1e-6


class PointGroup(NamedTuple):
    """Every element of a point group, in its two representations.

    Args:
        parallel: How each element moves physical space, and the phonon displacement with it.
        perp: How the same elements move perpendicular space, and the phason displacement; e = 0 for a crystal.
    """

    parallel: Float64[np.ndarray, "order d d"]
    perp: Float64[np.ndarray, "order e e"]


def point_group(
    parallel: Float64[np.ndarray, "generators d d"],
    perp: Float64[np.ndarray, "same e e"],
    *,
    limit: int = 1000,
) -> PointGroup:
    """All products of generators. The representations are those of the same elements in the same order.

    Args:
        parallel: Orthogonal matrices of the generators in physical space.
        perp: Orthogonal matrices of the same generators in perpendicular space; shape [generators, 0, 0] for an
            ordinary crystal.
        limit: The largest order that is accepted.

    Returns:
        The group; its first element is the identity.

    Raises:
        InputError: A matrix is not orthogonal, or the generators make more than `limit` elements.

    Example:
        >>> turn = np.array([[[0.0, -1.0], [1.0, 0.0]]])
        >>> point_group(turn, np.zeros((1, 0, 0))).parallel.shape
        (4, 2, 2)
    """
    if len(parallel) != len(perp):
        raise InputError(
            "point group",
            "generators",
            f"{len(parallel)} generators act on parallel space and {len(perp)} on perpendicular space",
            "give the two matrices of every generator",
        )
    d = parallel.shape[1]
    generators = np.stack([_blocks(g, h) for g, h in zip(parallel, perp, strict=True)])
    _check_orthogonal(generators)
    elements = np.eye(generators.shape[1])[None]
    newest = elements
    while len(newest):
        products = np.einsum("gij,ejk->geik", generators, newest).reshape(-1, *elements.shape[1:])
        newest = _unseen(products, elements)
        elements = np.concatenate([elements, newest])
        if len(elements) > limit:
            raise InputError(
                "point group",
                "generators",
                f"they make more than {limit} elements",
                "give rotations by rational parts of a turn in both spaces, to full precision",
            )
    return PointGroup(elements[:, :d, :d], elements[:, d:, d:])


def _blocks(g: Float64[np.ndarray, "d d"], h: Float64[np.ndarray, "e e"]) -> Float64[np.ndarray, "n n"]:
    n, d = len(g) + len(h), len(g)
    both = np.zeros((n, n))
    both[:d, :d], both[d:, d:] = g, h
    return both


def _check_orthogonal(matrices: Float64[np.ndarray, "generators n n"]) -> None:
    errors = np.abs(matrices @ matrices.transpose(0, 2, 1) - np.eye(matrices.shape[1])).max(axis=(1, 2))
    worst = int(np.argmax(errors))
    if errors[worst] > 1e-9:
        raise InputError(
            "point group",
            f"generator {worst}",
            f"its matrix is not orthogonal, by {errors[worst]:.1e}",
            "give rotations and reflections in orthonormal axes of both spaces, in float64",
        )


def _unseen(
    candidates: Float64[np.ndarray, "candidates n n"], elements: Float64[np.ndarray, "order n n"]
) -> Float64[np.ndarray, "fresh n n"]:
    """The candidates that are not among the elements, each once."""
    fresh: list[np.ndarray] = []
    for one in candidates:
        known = np.concatenate([elements, *(f[None] for f in fresh)])
        if np.abs(known - one).max(axis=(1, 2)).min() > _SAME:
            fresh.append(one)
    return np.array(fresh).reshape(-1, *elements.shape[1:])
