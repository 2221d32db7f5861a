"""The smallest distance between two atoms of a structure."""

import itertools

import numpy as np
from jaxtyping import Float64
from scipy.spatial import KDTree

from ._frame import Frame

_SWEEPS = 100


def minimum_distance(frame: Frame) -> float:
    """The smallest distance between two atoms or periodic images, an atom's own included. O(n log n).

    The periodic cell vectors are first reduced to the shortest ones of the same lattice, so that a strongly
    skewed cell needs no more images than a cubic one.

    Args:
        frame: The structure.

    Returns:
        The distance in Å; infinity for one atom without periodic images.

    Example:
        >>> frame = Frame(np.array([18]), np.zeros((1, 3)), np.diag([4.0, 5.0, 6.0]), np.array([True] * 3))
        >>> minimum_distance(frame)
        4.0
    """
    positions = frame.positions - frame.positions.mean(axis=0)[None]
    if frame.cell is None or not np.any(frame.pbc):
        return _nearest(positions, positions)
    lattice = reduced(frame.cell[frame.pbc])
    inverse = np.linalg.pinv(lattice)
    positions = positions - np.floor(positions @ inverse) @ lattice
    bound = min(_nearest(positions, positions), float(np.linalg.norm(lattice, axis=1).min()))
    # Fractional coordinate k grows by 1 over the height 1/|column k| of the cell.
    reach = bound * np.linalg.norm(inverse, axis=0) * (1 + 1e-9)
    fraction = positions @ inverse
    images = []
    for shift in itertools.product(*(range(-int(np.ceil(r)), int(np.ceil(r)) + 1) for r in reach)):
        moved = fraction + np.array(shift, float)[None]
        kept = np.all((moved >= -reach[None]) & (moved <= 1 + reach[None]), axis=1)
        if any(shift) and np.any(kept):
            images.append(positions[kept] + (np.array(shift, float) @ lattice)[None])
    if not images:
        return bound
    return min(bound, float(KDTree(np.concatenate(images)).query(positions)[0].min()))


def _nearest(points: Float64[np.ndarray, "n 3"], others: Float64[np.ndarray, "n 3"]) -> float:
    if len(points) < 2:
        return np.inf
    return float(KDTree(others).query(points, k=2)[0][:, 1].min())


def reduced(vectors: Float64[np.ndarray, "d 3"]) -> Float64[np.ndarray, "d 3"]:
    """Short vectors of the same lattice: from each vector the best combination of the others is taken away.

    References:
        Semaev, "A 3-dimensional lattice reduction algorithm", CaLC 2001, LNCS 2146, 181-193.
    """
    vectors = vectors.copy()
    steps = [np.array(s, float) for s in itertools.product((-1, 0, 1), repeat=len(vectors) - 1)]
    for _ in range(_SWEEPS):
        changed = False
        for k in range(len(vectors)):
            others = np.delete(vectors, k, axis=0)
            if len(others) == 0:
                continue
            nearest = np.rint(vectors[k] @ np.linalg.pinv(others))
            candidates = np.array([vectors[k] - (nearest + step) @ others for step in steps])
            best = candidates[np.argmin(np.sum(candidates**2, axis=1))]
            if best @ best < (1 - 1e-12) * (vectors[k] @ vectors[k]):
                vectors[k], changed = best, True
        if not changed:
            break
    return vectors
