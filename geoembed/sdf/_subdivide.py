"""Splitting the triangles of a surface until their edges are short, without gaps between neighbours."""

import numpy as np
from jaxtyping import Bool, Float, Int

# How a triangle with corners 0, 1, 2 and midpoints 3, 4, 5 of the edges 01, 12, 20 is cut, by its long edges.
_CUTS = {
    0b000: [(0, 1, 2)],
    0b001: [(0, 3, 2), (3, 1, 2)],
    0b010: [(0, 1, 4), (0, 4, 2)],
    0b100: [(0, 1, 5), (5, 1, 2)],
    0b011: [(3, 1, 4), (0, 3, 4), (0, 4, 2)],
    0b110: [(5, 4, 2), (0, 1, 4), (0, 4, 5)],
    0b101: [(0, 3, 5), (3, 1, 2), (3, 2, 5)],
    0b111: [(0, 3, 5), (3, 1, 4), (5, 4, 2), (3, 4, 5)],
}


def subdivide(
    vertices: Float[np.ndarray, "v 3"], faces: Int[np.ndarray, "f 3"], longest: float, *, most: int
) -> tuple[Float[np.ndarray, "w 3"], Int[np.ndarray, "g 3"], Int[np.ndarray, " g"]]:
    """Halves long edges until none is left or there are too many triangles.

    Both triangles at an edge see the same midpoint, so a closed surface stays closed.

    Args:
        vertices: Vertices.
        faces: The vertex numbers of each triangle.
        longest: Edges longer than this are halved; in the unit of the vertices.
        most: No further round starts with more than a quarter of this number of triangles.

    Returns:
        The vertices (the given ones first), the triangles, and the given triangle that each is a piece of.
    """
    vertices, faces, home = np.asarray(vertices), np.asarray(faces, np.int64), np.arange(len(faces))
    while len(faces) <= most // 4:
        edges = np.sort(np.stack([faces, np.roll(faces, -1, axis=1)], axis=2), axis=2)
        keys, number = np.unique(edges[..., 0] * len(vertices) + edges[..., 1], return_inverse=True)
        ends, number = np.stack(np.divmod(keys, len(vertices)), axis=1), number.reshape(-1, 3)
        length = np.linalg.norm(vertices[ends[:, 0]] - vertices[ends[:, 1]], axis=1)
        # Only the longest edge of a triangle is worth a cut; its others may be the longest of a neighbour.
        long = np.zeros(len(ends), bool)
        long[number[np.arange(len(faces)), length[number].argmax(axis=1)]] = True
        long &= length > longest
        if not long.any():
            break
        middle = np.full(len(ends), -1)
        middle[long] = len(vertices) + np.arange(long.sum())
        vertices = np.concatenate([vertices, vertices[ends[long]].mean(axis=1)])
        faces, home = _cut(faces, home, middle[number], long[number])
    return vertices, faces, home


def _cut(
    faces: Int[np.ndarray, "f 3"],
    home: Int[np.ndarray, " f"],
    middle: Int[np.ndarray, "f 3"],
    split: Bool[np.ndarray, "f 3"],
) -> tuple[Int[np.ndarray, "g 3"], Int[np.ndarray, " g"]]:
    corners = np.concatenate([faces, middle], axis=1)
    kind = split @ np.array([1, 2, 4])
    pieces, homes = [], []
    for pattern, cuts in _CUTS.items():
        here = kind == pattern
        for cut in cuts:
            pieces.append(corners[here][:, cut])
            homes.append(home[here])
    pieces, homes = np.concatenate(pieces), np.concatenate(homes)
    order = np.argsort(homes, kind="stable")
    return pieces[order], homes[order]
