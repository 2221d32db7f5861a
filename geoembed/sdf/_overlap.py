"""Whether closed parts of a mesh cut or touch each other."""

import numpy as np
from jaxtyping import Bool, Float64, Int64

from ._meshes._mesh_tables import kd_clusters
from ._topology import PARTS, faces_by_part

_WORK = 5e9  # pairs of faces, at most; of clusters some hundred times fewer are compared
_CHUNK = 4000  # pairs of clusters whose faces are compared at once
_NEAR = 1e-9  # in parts of an edge, of a triangle, of the sine of an angle


def parts_meet(
    vertices: Float64[np.ndarray, "v 3"], faces: Int64[np.ndarray, "f 3"], components: Int64[np.ndarray, " f"]
) -> bool:
    """Whether an edge of one component meets a face of another one, and not only its border or corner.

    Of two closed surfaces that cut each other, or touch along faces, one has such an edge. It is not found out, and
    False, when there are more than 4000 components or 5e9 pairs of faces in each other's boxes.

    Args:
        vertices: Points.
        faces: Triangles with an area.
        components: The component of each face, numbered from 0.
    """
    if not 0 < int(components.max(initial=0)) < PARTS:
        return False
    middle = 0.5 * (vertices.min(axis=0) + vertices.max(axis=0))
    size = float(np.ptp(vertices, axis=0).max()) or 1.0  # keeps products of huge coordinates finite
    parts = faces_by_part(((vertices - middle) / size)[faces], components)
    corners, lower, upper = parts.corners, parts.lower, parts.upper
    ends = np.append(parts.starts, len(faces))
    low, high = corners.min(axis=1), corners.max(axis=1)
    near = np.all((lower[:, None] <= upper[None]) & (lower[None] <= upper[:, None]), axis=2)
    left = _WORK
    for i, j in zip(*np.nonzero(np.triu(near, 1)), strict=True):
        first, second = (
            _within(slice(ends[a], ends[a + 1]), low, high, lower[b], upper[b]) for a, b in ((i, j), (j, i))
        )
        left -= len(first) * len(second)
        if left < 0:
            return False
        if _surfaces_meet(corners, first, second):
            return True
    return False


def _within(
    own: slice, low: np.ndarray, high: np.ndarray, lower: np.ndarray, upper: np.ndarray
) -> np.ndarray:
    """The numbers of a component's faces whose boxes reach into another component's box."""
    touching = np.all((low[own] <= upper) & (high[own] >= lower), axis=1)
    return own.start + np.flatnonzero(touching)


def _surfaces_meet(
    corners: Float64[np.ndarray, "f 3 3"], first: Int64[np.ndarray, " m"], second: Int64[np.ndarray, " n"]
) -> bool:
    """Compares the boxes of clusters, of their faces, and then the faces."""
    if len(first) == 0 or len(second) == 0:
        return False
    ones, others = (faces[kd_clusters(corners[faces].mean(axis=1))] for faces in (first, second))
    a, b = _boxes_meet(corners[ones].reshape(len(ones), -1, 3), corners[others].reshape(len(others), -1, 3))
    for start in range(0, len(a), _CHUNK):
        pair = slice(start, start + _CHUNK)
        one = np.repeat(ones[a[pair]], ones.shape[1], axis=1).ravel()
        other = np.tile(others[b[pair]], (1, ones.shape[1])).ravel()
        near = np.all(corners[one].min(axis=1) <= corners[other].max(axis=1), axis=1)
        near &= np.all(corners[other].min(axis=1) <= corners[one].max(axis=1), axis=1)
        one, other = corners[one[near]], corners[other[near]]
        if _edges_meet(one, other).any() or _edges_meet(other, one).any():
            return True
    return False


def _boxes_meet(
    a: Float64[np.ndarray, "m k 3"], b: Float64[np.ndarray, "n l 3"]
) -> tuple[np.ndarray, np.ndarray]:
    """The pairs of groups of points whose boxes overlap or touch."""
    below = a.min(axis=1)[:, None] <= b.max(axis=1)[None]
    above = b.min(axis=1)[None] <= a.max(axis=1)[:, None]
    one, other = np.nonzero(np.all(below & above, axis=2))
    return one, other


def _edges_meet(
    edges_of: Float64[np.ndarray, "n 3 3"], faces: Float64[np.ndarray, "n 3 3"]
) -> Bool[np.ndarray, "n 3"]:
    """Which edges of the first triangles meet the second ones; one that is parallel to the face does not.

    Nor does an edge that ends on the border of the face or goes through its corner: bodies may touch in a corner or
    along an edge.

    References:
        T. Möller and B. Trumbore, J. Graphics Tools 2 (1997) 21.
    """
    start, along = edges_of, np.roll(edges_of, -1, axis=1) - edges_of
    across1, across2 = ((faces[:, k] - faces[:, 0])[:, None] for k in (1, 2))
    normal = np.cross(across1, across2)
    slope = np.sum(along * normal, axis=2)
    lengths = np.linalg.norm(along, axis=2) * np.linalg.norm(normal, axis=2)
    crosses = np.abs(slope) > _NEAR * lengths
    slope = np.where(crosses, slope, 1.0)
    away = start - faces[:, :1]
    turned = np.cross(away, along)
    t = -np.sum(away * normal, axis=2) / slope
    u, v = -np.sum(across2 * turned, axis=2) / slope, np.sum(across1 * turned, axis=2) / slope
    inner, middle, _ = np.sort([u, v, 1 - u - v], axis=0)  # negative beside the face
    within = np.minimum(t, 1 - t)  # the same along the edge
    in_both = (inner >= -_NEAR) & (within >= -_NEAR)
    return crosses & in_both & (middle > _NEAR) & (np.maximum(inner, within) > _NEAR)
