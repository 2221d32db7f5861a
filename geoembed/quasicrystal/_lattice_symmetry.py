"""The point group of a lattice in D dimensions, found from its two projections."""

import numpy as np
from jaxtyping import Bool, Float64, Int64

from ..core import InputError
from ._ball_points import ball_points
from ._point_group import PointGroup

_SAME = 1e-6  # scalar products that differ by less, relative to the longest vector, are the same


def lattice_point_group(
    parallel: Float64[np.ndarray, "d D"], perp: Float64[np.ndarray, "e D"], *, limit: int = 1000
) -> PointGroup:
    """Every integer matrix that turns or mirrors both spaces, each in itself: the holohedry of the lattice.

    The images of the basis vectors are lattice vectors with the same two lengths; they are chosen one after the other
    so that all scalar products in both spaces stay. A matrix that keeps them all is P M = R P, Q M = S Q with
    orthogonal R and S.

    Args:
        parallel: P, the projection of the lattice on physical space.
        perp: Q, the projection on perpendicular space.
        limit: The largest number of elements, and of partial ones on the way, per basis vector.

    Returns:
        All R and S. Of the five well-known frames: 120 elements for the icosahedral one, 24 (dodecagonal), 20
        (pentagonal), 16 (octagonal), 2 (Fibonacci). A structure on the lattice may have less, never more.

    Raises:
        InputError: P and Q do not span the lattice, or there are more than `limit` elements.

    Example:
        >>> golden = (1 + 5**0.5) / 2
        >>> group = lattice_point_group(np.array([[golden, 1.0]]), np.array([[1 - golden, 1.0]]))
        >>> group.parallel[:, 0, 0].tolist()  # the identity and the inversion
        [1.0, -1.0]

    References:
        T. Janssen, G. Chapuis, M. de Boissieu, Aperiodic Crystals, 2nd ed. 2018, section 2.2.
    """
    grams = np.stack([part.T @ part / np.trace(part.T @ part) for part in (parallel, perp)])
    lengths = [np.linalg.norm(part, axis=0).max() * (1 + 1e-6) for part in (parallel, perp)]
    vectors = ball_points(parallel, perp, *(float(length) for length in lengths))
    found = np.zeros((1, 0, parallel.shape[1]), np.int64)
    for i in range(parallel.shape[1]):
        candidates = vectors[_close(np.einsum("nD,gDE,nE->ng", vectors, grams, vectors), grams[:, i, i])]
        found = _extended(found, candidates, grams)
        if len(found) > limit:
            raise InputError(
                "lattice",
                "point group",
                f"more than {limit} matrices keep its lengths",
                "raise `limit`, or see whether both projections are those that are meant",
            )
    matrices = np.swapaxes(found, 1, 2).astype(np.float64)  # images as columns
    first = np.argsort(np.abs(matrices - np.eye(len(grams[0]))).sum(axis=(1, 2)), kind="stable")
    return PointGroup(*(_acting(part, matrices[first]) for part in (parallel, perp)))


def _extended(
    found: Int64[np.ndarray, "k i D"],
    candidates: Int64[np.ndarray, "c D"],
    grams: Float64[np.ndarray, "2 D D"],
) -> Int64[np.ndarray, "l j D"]:
    """The partial matrices with one more image that has the right scalar products with the ones before."""
    i = found.shape[1]
    products = np.einsum("kiD,gDE,cE->kcig", found, grams, candidates)
    k, c = np.nonzero(_close(products, grams[:, :i, i].T).all(axis=-1))
    return np.concatenate([found[k], candidates[c][:, None]], axis=1)


def _close(
    values: Float64[np.ndarray, "*n g"], wanted: Float64[np.ndarray, "*m g"]
) -> Bool[np.ndarray, "*n"]:
    return np.all(np.abs(values - wanted) < _SAME, axis=-1)


def _acting(
    part: Float64[np.ndarray, "d D"], matrices: Float64[np.ndarray, "order D D"]
) -> Float64[np.ndarray, "order d d"]:
    """R with P M = R P."""
    return part @ matrices @ np.linalg.pinv(part)
