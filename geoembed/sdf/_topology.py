"""How the faces of a mesh hang together: edges, holes, components, nesting."""

from typing import NamedTuple

import numpy as np
from jaxtyping import Bool, Float64, Int64
from scipy.sparse import coo_array
from scipy.sparse.csgraph import connected_components
from scipy.spatial import KDTree

NEAR = 1e-9  # of the box diagonal; exporters write 0 and −2.7e-16 for the same coordinate
_CROWD = 20  # pairs per point beyond which near points are a crowd and no rounding
PARTS = 4000  # components between which boxes are compared pair by pair, at most
_WORK = 20_000_000  # solid angles computed at most to find out which component lies in which


class EdgeCounts(NamedTuple):
    """The edges of a mesh, counted.

    Args:
        open_edges: Edges with one face.
        nonmanifold: Edges with more than two faces.
        disagreeing: Edges with two faces that run along it in the same direction.
        holes: Connected groups of open edges (two holes that share a vertex count as one).
        largest_hole: The number of edges of the largest of them.
        components: For each face the number of its component; faces are connected across edges.
    """

    open_edges: int
    nonmanifold: int
    disagreeing: int
    holes: int
    largest_hole: int
    components: Int64[np.ndarray, " f"]


class Nesting(NamedTuple):
    """Closed components inside one another.

    Args:
        cavities: Components with inward winding inside an outward one.
        misoriented: Closed components whose winding does not fit their depth.
    """

    cavities: int
    misoriented: int


def count_edges(faces: Int64[np.ndarray, "f 3"]) -> EdgeCounts:
    """Count the edges of faces that have three different corners each. O(f log f)."""
    tail, head = faces.ravel(), np.roll(faces, -1, axis=1).ravel()
    key = np.minimum(tail, head) * (int(faces.max(initial=0)) + 1) + np.maximum(tail, head)
    order = np.argsort(key, kind="stable")
    first = np.flatnonzero(np.diff(key[order], prepend=-1))
    count = np.diff(first, append=len(key))
    direction = np.add.reduceat(np.where(tail < head, 1, -1)[order], first) if len(key) else np.zeros(0)
    open_edge = order[first[count == 1]]
    follows = np.flatnonzero(np.diff(key[order]) == 0)
    hole_edges = _group_sizes(tail[open_edge], head[open_edge])
    return EdgeCounts(
        open_edges=len(open_edge),
        nonmanifold=int(np.sum(count > 2)),
        disagreeing=int(np.sum((count == 2) & (direction != 0))),
        holes=len(hole_edges),
        largest_hole=int(hole_edges.max(initial=0)),
        components=_labels(order[follows] // 3, order[follows + 1] // 3, len(faces)),
    )


def join_near(vertices: Float64[np.ndarray, "v 3"]) -> Int64[np.ndarray, " v"]:
    """For each vertex the number of its group; vertices nearer than `NEAR` of the box diagonal share one.

    When nearly everything is that near (one vertex far away does that), every vertex keeps its own group.
    """
    size = float(np.ptp(vertices, axis=0).max())
    if size == 0:
        return np.zeros(len(vertices), np.int64)
    unit = (vertices - vertices.min(axis=0)[None]) / size
    near = NEAR * float(np.linalg.norm(np.ptp(unit, axis=0)))
    tree = KDTree(unit)
    if tree.count_neighbors(tree, near) > _CROWD * len(vertices):
        return np.arange(len(vertices))
    a, b = tree.query_pairs(near, output_type="ndarray").T
    return _labels(a, b, len(vertices))


def _labels(a: np.ndarray, b: np.ndarray, number: int) -> Int64[np.ndarray, " n"]:
    graph = coo_array((np.ones(len(a), bool), (a, b)), shape=(number, number))
    return connected_components(graph, directed=False)[1].astype(np.int64)


def _group_sizes(a: np.ndarray, b: np.ndarray) -> Int64[np.ndarray, " g"]:
    """How many edges each of the connected parts has that the edges a–b form."""
    numbers, ends = np.unique(np.concatenate([a, b]), return_inverse=True)
    first = ends[: len(a)]
    return np.bincount(_labels(first, ends[len(a) :], len(numbers))[first])


def repeated_corner(faces: Int64[np.ndarray, "f 3"]) -> Bool[np.ndarray, " f"]:
    """Which faces name a vertex twice."""
    return np.any(faces == np.roll(faces, 1, axis=1), axis=1)


def repeated_face(faces: Int64[np.ndarray, "f 3"]) -> Bool[np.ndarray, " f"]:
    """Which faces have the same three corners, in any order, as an earlier one."""
    corners = np.sort(faces, axis=1)
    order = np.lexsort((corners[:, 2], corners[:, 1], corners[:, 0]))
    same = np.zeros(len(faces), bool)
    same[order[1:]] = np.all(corners[order[1:]] == corners[order[:-1]], axis=1)
    return same


def nesting(
    vertices: Float64[np.ndarray, "v 3"], faces: Int64[np.ndarray, "f 3"], components: Int64[np.ndarray, " f"]
) -> Nesting | None:
    """Which components of a closed surface lie inside which.

    At an even depth the winding should be outwards, at an odd depth inwards.

    Args:
        vertices: Points.
        faces: Closed and consistently wound components.
        components: The component of each face.

    Returns:
        The counts, or None when there are so many components that finding out would take long.
    """
    found = sides_and_depths(vertices, faces, components, most=_WORK)
    if found is None:
        return None
    inward, depth = found
    odd = depth % 2 == 1
    return Nesting(cavities=int(np.sum(odd & inward)), misoriented=int(np.sum(odd != inward)))


class Parts(NamedTuple):
    """The faces of a mesh, sorted by component, and the boxes around the components.

    Args:
        order: The number of each face before sorting.
        corners: The corners of the faces.
        starts: Where each component begins.
        lower: The lowest corner of each component's box.
        upper: The highest corner.
    """

    order: Int64[np.ndarray, " f"]
    corners: Float64[np.ndarray, "f 3 3"]
    starts: Int64[np.ndarray, " c"]
    lower: Float64[np.ndarray, "c 3"]
    upper: Float64[np.ndarray, "c 3"]


def faces_by_part(corners: Float64[np.ndarray, "f 3 3"], components: Int64[np.ndarray, " f"]) -> Parts:
    """Sorts faces by component; components are numbered from 0."""
    order = np.argsort(components, kind="stable")
    starts = np.searchsorted(components[order], np.arange(int(components.max()) + 1))
    corners = corners[order]
    lower = np.minimum.reduceat(corners.min(axis=1), starts, axis=0)
    return Parts(order, corners, starts, lower, np.maximum.reduceat(corners.max(axis=1), starts, axis=0))


def sides_and_depths(
    vertices: Float64[np.ndarray, "v 3"],
    faces: Int64[np.ndarray, "f 3"],
    components: Int64[np.ndarray, " f"],
    *,
    most: float = np.inf,
) -> tuple[Bool[np.ndarray, " c"], Int64[np.ndarray, " c"]] | None:
    """Which components face inwards, and how many others each lies in.

    A component lies inside another when the other's winding number Σ Ω/4π at one of its vertices is not zero.

    Args:
        vertices: Points.
        faces: Closed and consistently wound components.
        components: The component of each face, numbered from 0.
        most: How many solid angles may be computed.

    Returns:
        Both for each component, or None when there are more than 4000 or `most` does not do.
    """
    number = int(components.max()) + 1
    if number > PARTS:
        return None
    parts = faces_by_part(vertices[faces], components)
    corners, starts, lower, upper = parts.corners, parts.starts, parts.lower, parts.upper
    size = np.diff(starts, append=len(faces))
    within = np.all((lower[:, None] >= lower[None]) & (upper[:, None] <= upper[None]), axis=2)
    np.fill_diagonal(within, False)
    inner, outer = np.nonzero(within)
    if int(np.sum(size[outer])) > most:
        return None
    depth = np.zeros(number, np.int64)
    for i, j in zip(inner, outer, strict=True):
        part = corners[starts[j] : starts[j] + size[j]]
        depth[i] += abs(winding_number(corners[starts[i], 0], part)) > 0.5
    middle = 0.5 * (lower + upper)[components[parts.order]][:, None]
    a, b, c = np.moveaxis(corners - middle, 1, 0)
    inward = np.add.reduceat(np.einsum("fi,fi->f", a, np.cross(b, c)), starts) < 0
    return inward, depth


def winding_number(point: Float64[np.ndarray, "3"], corners: Float64[np.ndarray, "f 3 3"]) -> float:
    """The generalised winding number Σ Ω/4π of a surface around a point.

    References:
        Van Oosterom and Strackee, IEEE Trans. Biomed. Eng. 30 (1983) 125, eq. 8.
    """
    a, b, c = np.moveaxis(corners - point, 1, 0)
    la, lb, lc = (np.linalg.norm(x, axis=1) for x in (a, b, c))
    top = np.einsum("fi,fi->f", a, np.cross(b, c))
    ab, bc, ca = (np.einsum("fi,fi->f", x, y) for x, y in ((a, b), (b, c), (c, a)))
    return float(np.sum(np.arctan2(top, la * lb * lc + ab * lc + bc * la + ca * lb)) / (2 * np.pi))
