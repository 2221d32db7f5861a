"""The window of a tiling: the shadow of the unit cube in perpendicular space, a zonotope."""

import itertools
from collections.abc import Callable

import numpy as np
from jaxtyping import Bool, Float64

Accepts = Callable[[Float64[np.ndarray, "n e"]], Bool[np.ndarray, " n"]]
"""Which perpendicular coordinates belong to a site."""


def in_shadow(perp: Float64[np.ndarray, "e D"], points: Float64[np.ndarray, "n e"]) -> Bool[np.ndarray, " n"]:
    """Whether points of perpendicular space are in the shadow of the unit cube of Z^D, which is centred on 0.

    The shadow is {Q t: |t_i| ≤ ½}. Its faces are spanned by e − 1 of the columns of Q.

    Args:
        perp: Q, the projection of the lattice on perpendicular space; e ≥ 1.
        points: Perpendicular coordinates.

    Returns:
        True inside and on the rim.

    Example:
        >>> in_shadow(np.eye(2), np.array([[0.4, -0.4], [0.6, 0.0]])).tolist()
        [True, False]
    """
    normals = _normals(perp)
    return np.all(np.abs(points @ normals.T) <= np.abs(normals @ perp).sum(axis=1) / 2, axis=1)


def shadow_radius(perp: Float64[np.ndarray, "e D"]) -> float:
    """A bound of the distance of the shadow's corners from its centre.

    Args:
        perp: Q.
    """
    corners = np.array(list(itertools.product((-0.5, 0.5), repeat=perp.shape[1])))
    return float(np.linalg.norm(corners @ perp.T, axis=1).max())


def _normals(perp: Float64[np.ndarray, "e D"]) -> Float64[np.ndarray, "faces e"]:
    """Unit vectors normal to e − 1 of the columns, by their cofactors."""
    e, found = len(perp), []
    scale = np.linalg.norm(perp, axis=0).max()
    for columns in itertools.combinations(perp.T / scale, e - 1):
        spanned = np.array(columns).reshape(e - 1, e)
        normal = np.array([(-1) ** i * np.linalg.det(np.delete(spanned, i, axis=1)) for i in range(e)])
        length = np.linalg.norm(normal)
        if length > 1e-9:
            found.append(normal / length)
    return np.array(found)
