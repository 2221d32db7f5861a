"""Host preparation of a triangle mesh: frames, pseudonormals, clusters (numpy, float64)."""

from typing import NamedTuple

import numpy as np
from jaxtyping import Float, Int
from scipy.sparse import coo_array
from scipy.sparse.csgraph import connected_components

from ._triangle import Triangles

CLUSTER = 16  # triangles that the search treats at once


class Edges(NamedTuple):
    """The edges of a mesh; edge k of face f goes from its corner k to its corner k + 1."""

    index: Int[np.ndarray, "f 3"]  # which undirected edge
    forward: np.ndarray  # [f, 3] bool: the face runs from the lower to the higher vertex number
    count: Int[np.ndarray, " e"]  # faces at each undirected edge
    pairs: Int[np.ndarray, "m 2"]  # the two half edges 3f + k of each edge that has exactly two faces


def mesh_edges(faces: Int[np.ndarray, "f 3"]) -> Edges:
    """Finds which faces share which edges."""
    start, end = faces, np.roll(faces, -1, axis=1)
    ends = np.stack([np.minimum(start, end), np.maximum(start, end)], axis=-1).reshape(-1, 2)
    _, index, count = np.unique(ends, axis=0, return_inverse=True, return_counts=True)
    index = index.reshape(-1)
    order = np.argsort(index, kind="stable")
    first = np.cumsum(count) - count
    two = count == 2
    pairs = np.stack([order[first[two]], order[first[two] + 1]], axis=1)
    return Edges(index.reshape(-1, 3), start < end, count, pairs)


def _unit(vectors: Float[np.ndarray, "*n 3"]) -> Float[np.ndarray, "*n 3"]:
    length = np.linalg.norm(vectors, axis=-1, keepdims=True)
    return vectors / np.where(length > 0, length, 1)


def face_normals(corners: Float[np.ndarray, "f 3 3"]) -> Float[np.ndarray, "f 3"]:
    """Returns the unit normals, from the two shortest edges (the best conditioned pair on a sliver)."""
    edges = np.roll(corners, -1, axis=1) - corners
    edges = edges / np.linalg.norm(edges, axis=-1).max(axis=1)[:, None, None]  # squares must not overflow
    longest = np.argmax(np.linalg.norm(edges, axis=-1), axis=1)
    rows = np.arange(len(corners))
    return _unit(np.cross(edges[rows, (longest + 1) % 3], edges[rows, (longest + 2) % 3]))


def corner_angles(corners: Float[np.ndarray, "f 3 3"]) -> Float[np.ndarray, "f 3"]:
    """Returns the angle of each face at each of its corners, in rad."""
    there = _unit(np.roll(corners, -1, axis=1) - corners)
    back = _unit(np.roll(corners, -2, axis=1) - corners)
    return np.arctan2(np.linalg.norm(np.cross(there, back), axis=-1), np.sum(there * back, axis=-1))


def pseudonormals(
    corners: Float[np.ndarray, "f 3 3"], normals: Float[np.ndarray, "f 3"], edges: Edges
) -> Float[np.ndarray, "f 7 3"]:
    """Returns the unit angle-weighted pseudonormals of the features of every face.

    Face: its normal. Edge: the sum of the normals of its faces. Vertex: the sum weighted with the angle of
        each face
    there, taken over one fan of faces joined through edges, so that two solids that touch in a vertex do not
    mix.

    References:
        J. A. Bærentzen and H. Aanæs, IEEE Trans. Vis. Comput. Graph. 11(3), 243 (2005).
    """
    faces = len(corners)
    at_edges = np.zeros((len(edges.count), 3))
    np.add.at(at_edges, edges.index, np.broadcast_to(normals[:, None], (faces, 3, 3)))

    # Two faces that share an edge share the fans at both its ends. Neighbours run along it in opposite
    # directions when their windings agree, in the same one when not.
    left, right = edges.pairs[:, 0], edges.pairs[:, 1]
    opposed = edges.forward.reshape(-1)[left] != edges.forward.reshape(-1)[right]
    following, after_left = _next_corner(right), _next_corner(left)
    a = np.concatenate([left, after_left])
    b = np.concatenate([np.where(opposed, following, right), np.where(opposed, right, following)])
    graph = coo_array((np.ones(len(a), bool), (a, b)), shape=(3 * faces, 3 * faces))
    fans, fan = connected_components(graph, directed=False)
    at_fans = np.zeros((fans, 3))
    weighted = corner_angles(corners)[..., None] * normals[:, None]
    np.add.at(at_fans, fan, weighted.reshape(-1, 3))
    at_corners = at_fans[fan].reshape(faces, 3, 3)
    return _unit(np.concatenate([normals[:, None], at_edges[edges.index], at_corners], axis=1))


def _next_corner(half_edge: Int[np.ndarray, " n"]) -> Int[np.ndarray, " n"]:
    face, corner = np.divmod(half_edge, 3)
    return 3 * face + (corner + 1) % 3


def triangle_tables(corners: Float[np.ndarray, "f 3 3"], faces: Int[np.ndarray, "f 3"]) -> Triangles:
    """Prepares the frames of all faces."""
    edges = np.roll(corners, -1, axis=1) - corners
    lengths = np.linalg.norm(edges, axis=-1)
    unit_edges = _unit(edges)
    normals = face_normals(corners)
    inward = _unit(np.cross(normals[:, None], unit_edges))
    # The height of vᵢ above the opposite edge, which starts at vᵢ₊₁.
    heights = np.sum((corners - np.roll(corners, -1, axis=1)) * np.roll(inward, -1, axis=1), axis=-1)
    return Triangles(
        corners=corners,
        edges=unit_edges,
        inward=inward,
        lengths=lengths,
        heights=np.maximum(heights, np.finfo(np.float64).tiny),
        normal=normals,
        pseudonormals=pseudonormals(corners, normals, mesh_edges(faces)),
    )


def triangle_areas(triangles: Triangles) -> Float[np.ndarray, " f"]:
    """Returns the area of each triangle: the longest edge times the height above it, halved."""
    return 0.5 * np.max(np.roll(triangles.lengths, -1, axis=1) * triangles.heights, axis=1)


def kd_clusters(centres: Float[np.ndarray, "f 3"], size: int = CLUSTER) -> Int[np.ndarray, "c {size}"]:
    """Sorts faces into compact clusters of equal size by median splits; a short one repeats its last face."""
    clusters, waiting = [], [np.arange(len(centres))]
    while waiting:
        members = waiting.pop()
        if len(members) <= size:
            clusters.append(np.pad(members, (0, size - len(members)), mode="edge"))
            continue
        axis = np.argmax(np.ptp(centres[members], axis=0))
        half = (len(members) // 2 + size - 1) // size * size  # only the last cluster of a branch may be short
        parted = members[np.argpartition(centres[members, axis], half - 1)]
        waiting += [parted[half:], parted[:half]]
    return np.stack(clusters)
