"""The faces of a planar tiling, from its edges."""

import numpy as np
from jaxtyping import Bool, Float64, Int64

_LARGEST = 24  # corners of a face


def faces(
    stars: Bool[np.ndarray, "n s"], ends: Int64[np.ndarray, "n s"], directions: Float64[np.ndarray, "s 2"]
) -> list[tuple[tuple[int, ...], Int64[np.ndarray, "faces corners"]]]:
    """All faces whose corners are known, those with the same sides together.

    Each side is followed from the corner it leads to by the next edge clockwise, which keeps the face on its left.

    Args:
        stars: Which directions have an edge, for each vertex.
        ends: The vertex where the edge ends, −1 if it is not among them.
        directions: The vectors of the edges; the second half are the opposites of the first.

    Returns:
        The directions of the sides, counter-clockwise from the one with the lowest number, and the corners.
    """
    count = len(directions)
    opposite = (np.arange(count) + count // 2) % count
    following = _clockwise(stars, directions)
    vertex, side = np.nonzero(stars)
    corners, sides = [vertex], [side]
    alive = np.ones(len(vertex), bool)
    found: dict[tuple[int, ...], list[np.ndarray]] = {}
    for _ in range(_LARGEST):
        end = ends[corners[-1], sides[-1]]
        alive &= end >= 0
        turned = following[end, opposite[sides[-1]]]
        closed = alive & (end == vertex) & (turned == side)
        if closed.any():
            _collect(found, np.stack(sides, 1)[closed], np.stack(corners, 1)[closed], directions)
        # a face is followed once, from its side of the lowest number
        alive &= ~closed & (turned >= side)
        vertex, side = vertex[alive], side[alive]
        corners = [c[alive] for c in [*corners, end]]
        sides = [s[alive] for s in [*sides, turned]]
        alive = np.ones(len(vertex), bool)
        if not len(vertex):
            break
    return [(key, np.concatenate(parts)) for key, parts in found.items()]


def _clockwise(stars: np.ndarray, directions: np.ndarray) -> np.ndarray:
    """For each vertex and direction the next edge clockwise from it [n, s]; itself if there is no other."""
    order = np.argsort(-np.arctan2(directions[:, 1], directions[:, 0]))
    following = np.tile(np.arange(len(order)), (len(stars), 1))
    for step in range(len(order) - 1, 0, -1):  # the nearest is written last
        for here, there in zip(order, np.roll(order, -step), strict=True):
            following[:, here] = np.where(stars[:, there], there, following[:, here])
    return following


def _collect(found: dict, sides: np.ndarray, corners: np.ndarray, directions: np.ndarray) -> None:
    """Puts faces that run counter-clockwise to those with the same sides."""
    kinds, which = np.unique(sides, axis=0, return_inverse=True)
    for number, kind in enumerate(kinds):
        x, y = np.cumsum(directions[kind], axis=0).T
        if np.sum(x * np.roll(y, -1) - y * np.roll(x, -1)) > 0:
            found.setdefault(tuple(kind.tolist()), []).append(corners[which.ravel() == number])
