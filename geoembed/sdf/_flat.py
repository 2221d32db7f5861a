"""Removing faces without area without opening the surface (numpy, host)."""

import numpy as np
from jaxtyping import Bool, Float, Int

# A face whose height is below this part of its longest edge has no normal, even in float64.
_FLAT = 1e-14

Face = tuple[int, int, int]


def is_flat(vertices: Float[np.ndarray, "v 3"], faces: Int[np.ndarray, "f 3"]) -> Bool[np.ndarray, " f"]:
    """Returns which faces have no area worth the name."""
    corners = vertices[faces]
    edges = np.roll(corners, -1, axis=1) - corners
    longest = np.abs(edges).max(axis=(1, 2))
    unit = edges / np.where(longest > 0, longest, 1)[:, None, None]  # squares must not overflow
    square = np.sum(unit**2, axis=-1).max(axis=1)
    twice_area = np.linalg.norm(np.cross(unit[:, 0], unit[:, 1]), axis=-1)
    return (longest == 0) | (twice_area <= _FLAT * square)


def drop_flat(
    vertices: Float[np.ndarray, "v 3"], faces: Int[np.ndarray, "f 3"], source: Int[np.ndarray, " f"]
) -> tuple[Int[np.ndarray, "g 3"], Int[np.ndarray, " g"]]:
    """Drops the faces without area and splits neighbours so that no hole opens.

    A flat face abc with b between a and c joins the edge ac of one neighbour to the edges ab and bc of two
    others. The neighbour at ac is split at b, which leaves the same shape without the flat face.

    Args:
        vertices: Vertices.
        faces: Vertex numbers.
        source: A number for each face, which its pieces inherit.

    Returns:
        The other faces, and their numbers.
    """
    flat = is_flat(vertices, faces)
    distinct = np.all(faces != np.roll(faces, -1, axis=1), axis=1)
    surface = _Surface(faces, source, keep=~flat | distinct)
    waiting = set(np.flatnonzero(flat & distinct).tolist())
    while waiting:
        number = waiting.pop()
        ends, middle = _longest_edge(vertices, surface.faces[number])
        surface.remove(number)
        others = surface.at_edge[frozenset(ends)]
        if len(others) != 1:
            continue  # an open or a crowded edge: there is no one neighbour to split
        (neighbour,) = others
        pieces = surface.split(neighbour, ends, middle)
        if neighbour in waiting:  # the pieces of a flat face are flat
            waiting.remove(neighbour)
            waiting.update(pieces)
    return surface.arrays()


def _longest_edge(vertices: np.ndarray, face: Face) -> tuple[tuple[int, int], int]:
    """Returns the ends of the longest edge and the corner between them."""
    lengths = [np.linalg.norm(vertices[face[k - 2]] - vertices[face[k]]) for k in range(3)]
    k = int(np.argmax(lengths))
    return (face[k], face[k - 2]), face[k - 1]


class _Surface:
    """Faces that can be replaced one by one, and which of them meet at each edge."""

    def __init__(self, faces: np.ndarray, source: np.ndarray, keep: np.ndarray):
        self.faces: dict[int, Face] = {}
        self.source: dict[int, int] = {}
        self.at_edge: dict[frozenset[int], set[int]] = {}
        for number in np.flatnonzero(keep).tolist():
            self._add(number, tuple(faces[number].tolist()), int(source[number]))
        self._next = len(faces)

    def _add(self, number: int, face: Face, source: int) -> None:
        self.faces[number], self.source[number] = face, source
        for k in range(3):
            self.at_edge.setdefault(frozenset((face[k - 1], face[k])), set()).add(number)

    def remove(self, number: int) -> None:
        face = self.faces.pop(number)
        for k in range(3):
            self.at_edge[frozenset((face[k - 1], face[k]))].discard(number)

    def split(self, number: int, ends: tuple[int, int], middle: int) -> list[int]:
        """Splits a face in two at a point of one of its edges; returns the numbers of the pieces."""
        face, source = self.faces[number], self.source[number]
        self.remove(number)
        if middle in face:  # the same flat face turned over: it goes too
            return []
        pieces = []
        for end in ends:
            self._add(self._next, tuple(middle if corner == end else corner for corner in face), source)
            pieces.append(self._next)
            self._next += 1
        return pieces

    def arrays(self) -> tuple[np.ndarray, np.ndarray]:
        numbers = sorted(self.faces)
        faces = np.array([self.faces[n] for n in numbers], np.int64).reshape(-1, 3)
        return faces, np.array([self.source[n] for n in numbers], np.int64)
