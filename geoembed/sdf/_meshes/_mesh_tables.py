"""Preparation of a triangle mesh: edges, fans, frames, pseudonormals."""

from typing import Any, NamedTuple

import numpy as np
from jaxtyping import Array, Float, Int
from scipy.sparse import coo_array
from scipy.sparse.csgraph import connected_components

from ._triangle import Triangles

Real = np.ndarray | Array


class Edges(NamedTuple):
    """The edges of a mesh; edge k of face f goes from its corner k to its corner k + 1."""

    index: Int[np.ndarray, "f 3"]  # which undirected edge
    forward: np.ndarray  # [f, 3] bool: the face runs from the lower to the higher vertex number
    count: Int[np.ndarray, " e"]  # faces at each undirected edge
    pairs: Int[np.ndarray, "m 2"]  # the two half edges 3f + k of each edge that has exactly two faces


def mesh_edges(faces: Int[np.ndarray, "f 3"]) -> Edges:
    """Finds which faces share which edges."""
    start, end = faces, np.roll(faces, -1, axis=1)
    # Both ends as one number: four times as fast as to sort pairs.
    ends = np.minimum(start, end) * np.int64(faces.max(initial=0) + 1) + np.maximum(start, end)
    _, index, count = np.unique(ends.reshape(-1), return_inverse=True, return_counts=True)
    order = np.argsort(index, kind="stable")
    first = np.cumsum(count) - count
    two = count == 2
    pairs = np.stack([order[first[two]], order[first[two] + 1]], axis=1)
    return Edges(index.reshape(-1, 3), start < end, count, pairs)


class Topology(NamedTuple):
    """Which corners of faces share a pseudonormal."""

    edge: Int[Real, "f 3"]  # the undirected edge from corner k to corner k + 1
    fan: Int[Real, "f 3"]  # the fan of faces around corner k that are joined through edges
    edges: int
    fans: int


def mesh_topology(faces: Int[np.ndarray, "f 3"]) -> Topology:
    """Finds the edges and the fans of a mesh. Two solids that touch in a vertex have two fans there."""
    edges = mesh_edges(faces)
    # Two faces that share an edge share the fans at both its ends. Neighbours run along it in opposite
    # directions when their windings agree, in the same one when not.
    left, right = edges.pairs[:, 0], edges.pairs[:, 1]
    opposed = edges.forward.reshape(-1)[left] != edges.forward.reshape(-1)[right]
    following, after_left = _next_corner(right), _next_corner(left)
    a = np.concatenate([left, after_left])
    b = np.concatenate([np.where(opposed, following, right), np.where(opposed, right, following)])
    graph = coo_array((np.ones(len(a), bool), (a, b)), shape=(faces.size, faces.size))
    fans, fan = connected_components(graph, directed=False)
    return Topology(edges.index, fan.reshape(faces.shape), len(edges.count), fans)


def _next_corner(half_edge: Int[np.ndarray, " n"]) -> Int[np.ndarray, " n"]:
    face, corner = np.divmod(half_edge, 3)
    return 3 * face + (corner + 1) % 3


# The functions below take `xp`, numpy or jax.numpy: they prepare tables on the host in float64, and on the device
# when the vertices are traced.


def _unit(vectors: Real, xp: Any = np) -> Any:
    length = xp.linalg.norm(vectors, axis=-1, keepdims=True)
    return vectors / xp.where(length > 0, length, 1)


def face_normals(corners: Float[Real, "f 3 3"], xp: Any = np) -> Any:
    """Returns the unit normals, from the two shortest edges (the best conditioned pair on a sliver)."""
    edges = xp.roll(corners, -1, axis=1) - corners
    edges = edges / xp.linalg.norm(edges, axis=-1).max(axis=1)[:, None, None]  # squares must not overflow
    longest = xp.argmax(xp.linalg.norm(edges, axis=-1), axis=1)
    rows = xp.arange(len(corners))
    return _unit(xp.cross(edges[rows, (longest + 1) % 3], edges[rows, (longest + 2) % 3]), xp)


def corner_angles(corners: Float[Real, "f 3 3"], xp: Any = np) -> Any:
    """Returns the angle of each face at each of its corners, in rad."""
    there = _unit(xp.roll(corners, -1, axis=1) - corners, xp)
    back = _unit(xp.roll(corners, -2, axis=1) - corners, xp)
    return xp.arctan2(xp.linalg.norm(xp.cross(there, back), axis=-1), xp.sum(there * back, axis=-1))


def pseudonormals(
    corners: Float[Real, "f 3 3"], normals: Float[Real, "f 3"], topology: Topology, xp: Any = np
) -> Any:
    """Returns the unit angle-weighted pseudonormals of the features of every face.

    Face: its normal. Edge: the sum of the normals of its faces. Vertex: the sum weighted with the angle of
    each face there, taken over one fan of faces joined through edges, so that two solids that touch in a vertex
    do not mix.

    References:
        J. A. Bærentzen and H. Aanæs, IEEE Trans. Vis. Comput. Graph. 11(3), 243 (2005).
    """
    at_edges = _summed(xp.stack([normals] * 3, axis=1), topology.edge, topology.edges, xp)
    weighted = corner_angles(corners, xp)[..., None] * normals[:, None]
    at_corners = _summed(weighted, topology.fan, topology.fans, xp)
    return _unit(xp.concatenate([normals[:, None], at_edges, at_corners], axis=1), xp)


def _summed(vectors: Float[Real, "f 3 3"], index: Int[Real, "f 3"], count: int, xp: Any) -> Any:
    """Sums the vectors that have the same index; returns each sum at all places of its index."""
    total = xp.zeros((count, 3), vectors.dtype)
    if xp is np:
        np.add.at(total, index, vectors)
    else:
        total = total.at[index].add(vectors)
    return total[index]


def triangle_frames(
    corners: Float[Real, "f 3 3"], pseudonormals: Float[Real, "f 7 3"] | None, xp: Any = np
) -> Triangles:
    """Prepares the frames of triangles, with their pseudonormals if these are known already."""
    edges = xp.roll(corners, -1, axis=1) - corners
    unit_edges = _unit(edges, xp)
    normals = face_normals(corners, xp)
    inward = _unit(xp.cross(normals[:, None], unit_edges), xp)
    # The height of vᵢ above the opposite edge, which starts at vᵢ₊₁.
    heights = xp.sum((corners - xp.roll(corners, -1, axis=1)) * xp.roll(inward, -1, axis=1), axis=-1)
    return Triangles(
        corners=corners,
        edges=unit_edges,
        inward=inward,
        lengths=xp.linalg.norm(edges, axis=-1),
        heights=xp.maximum(heights, float(np.finfo(corners.dtype).tiny)),
        normal=normals,
        pseudonormals=pseudonormals,
    )


def triangle_tables(corners: Float[np.ndarray, "f 3 3"], faces: Int[np.ndarray, "f 3"]) -> Triangles:
    """Prepares the frames and pseudonormals of all faces (host)."""
    return tables_of(corners, mesh_topology(faces))


def tables_of(corners: Float[Real, "f 3 3"], topology: Topology, xp: Any = np) -> Triangles:
    """Prepares the frames and pseudonormals of all faces of a mesh whose topology is known."""
    normals = face_normals(corners, xp)
    return triangle_frames(corners, pseudonormals(corners, normals, topology, xp), xp)


def triangle_areas(triangles: Triangles) -> Float[np.ndarray, " f"]:
    """Returns the area of each triangle: the longest edge times the height above it, halved."""
    return 0.5 * np.max(np.roll(triangles.lengths, -1, axis=1) * triangles.heights, axis=1)


def kd_clusters(centres: Float[np.ndarray, "f 3"], size: int = 16) -> Int[np.ndarray, "c {size}"]:
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
