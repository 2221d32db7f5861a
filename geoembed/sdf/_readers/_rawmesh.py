"""A triangle mesh exactly as a file gives it, before anything is mended."""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from jaxtyping import Float, Float64, Int64, Shaped

from ...core import InputError
from ._polygons import triangulate

MAX_COORDINATE = 1e100


@dataclass(frozen=True, eq=False)
class RawMesh:
    """What a mesh file says, with bitwise-equal vertices merged (−0.0 counts as 0.0).

    Args:
        vertices: Corner points in the file's unit.
        faces: Three vertex numbers for each triangle, counter-clockwise when seen from outside.
        source: The file's name as given.
        sha256: The SHA-256 of the file, in hexadecimal.
        notes: What the reader noticed.
    """

    vertices: Float64[np.ndarray, "v 3"]
    faces: Int64[np.ndarray, "f 3"]
    source: str
    sha256: str
    notes: tuple[str, ...]


@dataclass(frozen=True, eq=False)
class Parsed:
    """Polygons as one format's parser returns them, not yet checked.

    Args:
        vertices: Points in the file's own precision.
        corners: The vertex numbers of all faces, one face after the other.
        counts: How many corners each face has.
        face_place: The place in the file of a face, for messages.
        vertex_place: The place in the file of a vertex, for messages.
        shared: Whether the format refers to vertices by number, so that equal ones are worth a note.
    """

    vertices: Float[np.ndarray, "n 3"]
    corners: Shaped[np.ndarray, " c"]
    counts: Int64[np.ndarray, " f"]
    face_place: Callable[[int], str]
    vertex_place: Callable[[int], str]
    shared: bool = True


def build(parsed: Parsed, name: str, sha256: str, notes: list[str]) -> RawMesh:
    """Check what a parser found, cut polygons into triangles, merge equal vertices.

    Args:
        parsed: The parser's result.
        name: The file's name.
        sha256: Its SHA-256.
        notes: What was noticed so far; this function appends to it.

    Returns:
        The mesh.

    Raises:
        InputError: No faces, a coordinate that is not finite or too large to square, a vertex number out of
            range, a polygon that crosses itself, or no face with any area.
    """
    if parsed.counts.size == 0:
        raise InputError(
            name, "", "the file holds no faces", "export a surface mesh, not points or an empty scene"
        )
    _check_vertices(parsed, name)
    _check_corners(parsed, name)
    corners = parsed.corners.astype(np.int64)
    vertices, renumber = merge_equal(parsed.vertices)
    used = np.zeros(len(vertices), bool)
    corners = renumber[corners]
    used[corners] = True
    if parsed.shared:
        _note_vertices(notes, len(parsed.vertices) - len(vertices), int(np.sum(~used)))
    vertices, corners = vertices[used].astype(np.float64), (np.cumsum(used) - 1)[corners]
    faces = triangulate(vertices, corners, parsed.counts, name, parsed.face_place, notes)
    if not np.any(np.ptp(vertices, axis=0)) or not _has_area(vertices, faces):
        raise InputError(name, "", "no face has any area", "export the mesh again, with more digits")
    return RawMesh(vertices, faces, name, sha256, tuple(notes))


def merge_equal(
    vertices: Float[np.ndarray, "n 3"],
) -> tuple[Float[np.ndarray, "v 3"], Int64[np.ndarray, " n"]]:
    """The different points in the order of their first appearance, and each point's number among them."""
    vertices = vertices + vertices.dtype.type(0)  # −0.0 becomes 0.0
    order = np.lexsort((vertices[:, 2], vertices[:, 1], vertices[:, 0]))
    ordered = vertices[order]
    new = np.ones(len(vertices), bool)
    new[1:] = np.any(ordered[1:] != ordered[:-1], axis=1)
    first = order[new]  # lexsort is stable: the first of each group is its first appearance
    rank = np.empty(len(first), np.int64)
    rank[np.argsort(first)] = np.arange(len(first))
    number = np.empty(len(vertices), np.int64)
    number[order] = rank[np.cumsum(new) - 1]
    return vertices[np.sort(first)], number


def _check_vertices(parsed: Parsed, name: str) -> None:
    with np.errstate(invalid="ignore"):  # a signalling nan, which stays nan here
        size = np.abs(parsed.vertices).max(axis=1, initial=0).astype(np.float64)
    bad = np.flatnonzero(~(size <= MAX_COORDINATE))
    if bad.size:
        where = parsed.vertex_place(int(bad[0]))
        if np.isfinite(size[bad[0]]):
            reason = f"a coordinate is larger than {MAX_COORDINATE:g}, too large to compute with"
            raise InputError(name, where, reason, "check the unit and the exporter")
        point = tuple(float(x) for x in parsed.vertices[bad[0]])
        raise InputError(
            name, where, f"the vertex {point} is not finite", "repair the mesh in the program it is from"
        )


def _check_corners(parsed: Parsed, name: str) -> None:
    number = len(parsed.vertices)
    bad = np.flatnonzero((parsed.corners < 0) | (parsed.corners >= number))
    if bad.size:
        face = int(np.searchsorted(np.cumsum(parsed.counts), bad[0], side="right"))
        wrong = int(parsed.corners[bad[0]])
        reason = f"a face refers to vertex {wrong}, but the {number} vertices are numbered from 0"
        raise InputError(name, parsed.face_place(face), reason, "the file is damaged; export it again")


def _note_vertices(notes: list[str], merged: int, unused: int) -> None:
    if merged:
        notes.append(f"{merged} vertices repeat another vertex exactly and were merged with it")
    if unused:
        notes.append(f"{unused} vertices belong to no face and were left out")


def _has_area(vertices: Float64[np.ndarray, "v 3"], faces: Int64[np.ndarray, "f 3"]) -> bool:
    unit = (vertices - vertices[0]) / np.abs(vertices - vertices[0]).max()
    a, b, c = (unit[faces[:, i]] for i in range(3))
    return bool(np.any(np.cross(b - a, c - a)))
