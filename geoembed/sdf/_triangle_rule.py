"""A quadrature rule on the triangles of a surface."""

from typing import NamedTuple

import numpy as np
from jaxtyping import Float, Int


class SurfaceRule(NamedTuple):
    """Points on a surface with the area that each stands for.

    Args:
        points: Points, in the mesh's unit.
        weights: Areas, in the mesh's unit squared; they sum to the area of the surface exactly.
        faces: The face each point lies on.
    """

    points: Float[np.ndarray, "n 3"]
    weights: Float[np.ndarray, " n"]
    faces: Int[np.ndarray, " n"]


def triangle_rule(corners: Float[np.ndarray, "f 3 3"], spacing: float) -> SurfaceRule:
    """Splits triangles at their longest edge until they are small, and puts one point at each centroid.

    Exact for functions linear on each piece; the error is O(spacing²).

    Args:
        corners: The corners of each face, in the mesh's unit.
        spacing: Pieces have an area of at most spacing²/2 and edges of at most 2·spacing, in the mesh's unit.

    Returns:
        Points, weights and faces, in the order of the faces.
    """
    pieces, home = np.asarray(corners, np.float64), np.arange(len(corners))
    done_pieces, done_home = [], []
    while len(pieces):
        edges = np.linalg.norm(np.roll(pieces, -1, axis=1) - pieces, axis=2)
        small = (_area(pieces) <= 0.5 * spacing**2) & (edges.max(axis=1) <= 2 * spacing)
        done_pieces.append(pieces[small])
        done_home.append(home[small])
        pieces, home, longest = pieces[~small], home[~small], edges[~small].argmax(axis=1)
        row = np.arange(len(pieces))
        a, b, c = (pieces[row, (longest + k) % 3] for k in range(3))
        middle = 0.5 * (a + b)
        pieces = np.concatenate([np.stack([a, middle, c], 1), np.stack([middle, b, c], 1)])
        home = np.concatenate([home, home])
    pieces, home = np.concatenate(done_pieces), np.concatenate(done_home)
    order = np.argsort(home, kind="stable")
    pieces, home = pieces[order], home[order]
    return SurfaceRule(pieces.mean(axis=1), _area(pieces), home)


def _area(corners: Float[np.ndarray, "n 3 3"]) -> Float[np.ndarray, " n"]:
    return 0.5 * np.linalg.norm(
        np.cross(corners[:, 1] - corners[:, 0], corners[:, 2] - corners[:, 0]), axis=1
    )
