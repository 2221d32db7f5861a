"""Distances to a triangle surface and the inside test, in plain numpy.

The certificate has to be independent of what it judges, so these two questions are answered here without
the library's own signed distance function. Everything is float64 on the host.
"""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from jaxtyping import Bool, Float, Int

# Pairs (point, triangle) looked at in one numpy block; 2 million pairs keep a block near 100 MB.
_BLOCK_PAIRS = 2_000_000


@dataclass(frozen=True)
class NearestFace:
    """The nearest place on a surface for each query point: its distance, triangle and coordinates."""

    distance: Float[np.ndarray, "n"]
    face: Int[np.ndarray, "n"]
    point: Float[np.ndarray, "n 3"]


def face_normals(
    vertices: Float[np.ndarray, "v 3"], faces: Int[np.ndarray, "f 3"]
) -> Float[np.ndarray, "f 3"]:
    """Return the unit normal of every triangle (zero for a triangle without area)."""
    a, b, c = (vertices[faces[:, i]] for i in range(3))
    normal = np.cross(b - a, c - a)
    length = np.linalg.norm(normal, axis=1, keepdims=True)
    return np.divide(normal, length, out=np.zeros_like(normal), where=length > 0)


def face_areas(vertices: Float[np.ndarray, "v 3"], faces: Int[np.ndarray, "f 3"]) -> Float[np.ndarray, "f"]:
    """Return the area of every triangle."""
    a, b, c = (vertices[faces[:, i]] for i in range(3))
    return 0.5 * np.linalg.norm(np.cross(b - a, c - a), axis=1)


def enclosed_volume(vertices: Float[np.ndarray, "v 3"], faces: Int[np.ndarray, "f 3"]) -> float:
    """Return the signed volume inside a closed surface, by the divergence theorem."""
    a, b, c = (vertices[faces[:, i]] - vertices.mean(0) for i in range(3))
    return float(np.einsum("ij,ij->", a, np.cross(b, c)) / 6)


def nearest_face(
    vertices: Float[np.ndarray, "v 3"],
    faces: Int[np.ndarray, "f 3"],
    points: Float[np.ndarray, "n 3"],
    *,
    reach: float,
    normals: Float[np.ndarray, "n 3"] | None = None,
    least_cosine: float = 0.5,
) -> NearestFace:
    """Find the nearest triangle for each point, first within `reach`, then in ever wider surroundings.

    A triangle whose bounding box lies farther than `reach` cannot be the nearest when another one lies
    within `reach`; so the search is exact, and quick when `reach` is near the true distances.

    Args:
        vertices: Corners of the surface.
        faces: Triangles of the surface.
        points: Where to look from.
        reach: First search distance (> 0), in the unit of `vertices`; it grows where nothing is found.
        normals: When given, only triangles with n · `normals` ≥ `least_cosine` count (n: unit normal).
        least_cosine: See `normals`.

    Returns:
        Distance, triangle and coordinates of the nearest place. With `normals`, a point that no triangle
        suits gets face −1 and an infinite distance.
    """
    found = NearestFace(np.full(len(points), np.inf), np.full(len(points), -1), np.full(points.shape, np.nan))
    triangles = vertices[faces]
    lower, upper = triangles.min(1), triangles.max(1)
    unit = face_normals(vertices, faces)
    widest = float(np.ptp(np.concatenate([vertices, points]), axis=0).max()) * 2
    left = np.arange(len(points))
    while len(left):
        for rows in _blocks(left, len(faces)):
            p = points[rows][:, None]
            near = ((p >= lower - reach) & (p <= upper + reach)).all(2)
            if normals is not None:
                near &= normals[rows] @ unit.T >= least_cosine
            _keep_nearest(found, rows, near, points, triangles)
        left = left[found.distance[left] > reach] if reach <= widest else left[:0]
        reach *= 4
    return found


def _blocks(rows: np.ndarray, faces: int) -> Iterator[np.ndarray]:
    size = max(1, _BLOCK_PAIRS // max(faces, 1))
    return (rows[i : i + size] for i in range(0, len(rows), size))


def _keep_nearest(found, rows, near, points, triangles) -> None:
    """Write the nearest candidate of each row into `found`."""
    row, face = np.nonzero(near)
    if not len(row):
        return
    place = closest_on_triangle(points[rows[row]], triangles[face])
    distance = np.linalg.norm(place - points[rows[row]], axis=1)
    order = np.lexsort((distance, row))
    first = order[np.r_[True, np.diff(row[order]) > 0]]
    target = rows[row[first]]
    found.distance[target], found.face[target], found.point[target] = (
        distance[first],
        face[first],
        place[first],
    )


def closest_on_triangle(
    points: Float[np.ndarray, "n 3"], triangles: Float[np.ndarray, "n 3 3"]
) -> Float[np.ndarray, "n 3"]:
    """Return the closest place of each triangle to the point with the same row.

    The foot of the perpendicular when it lies inside the triangle, else the nearest place on its three edges.
    """
    a, b, c = triangles[:, 0], triangles[:, 1], triangles[:, 2]
    normal = np.cross(b - a, c - a)
    square = np.einsum("ij,ij->i", normal, normal)
    safe = np.where(square > 0, square, 1.0)
    foot = points - (np.einsum("ij,ij->i", points - a, normal) / safe)[:, None] * normal
    inside = square > 0
    best, best_square = np.empty_like(points), np.full(len(points), np.inf)
    for start, end in ((a, b), (b, c), (c, a)):
        edge = end - start
        inside &= np.einsum("ij,ij->i", np.cross(edge, foot - start), normal) >= 0
        length = np.einsum("ij,ij->i", edge, edge)
        t = np.einsum("ij,ij->i", points - start, edge) / np.where(length > 0, length, 1.0)
        place = start + np.clip(t, 0.0, 1.0)[:, None] * edge
        gap = ((points - place) ** 2).sum(1)
        nearer = gap < best_square
        best[nearer], best_square[nearer] = place[nearer], gap[nearer]
    return np.where(inside[:, None], foot, best)


def inside_surface(
    vertices: Float[np.ndarray, "v 3"], faces: Int[np.ndarray, "f 3"], points: Float[np.ndarray, "n 3"]
) -> Bool[np.ndarray, "n"]:
    """Tell which points a closed surface encloses: winding number above one half.

    The winding number is the sum of the signed solid angles of the triangles over 4π.

    References:
        A. Van Oosterom and J. Strackee, The Solid Angle of a Plane Triangle, IEEE Trans. Biomed. Eng. 30
        (1983), eq. 8.
    """
    triangles = vertices[faces]
    winding = np.empty(len(points))
    for rows in _blocks(np.arange(len(points)), 3 * len(faces)):
        a, b, c = (triangles[None, :, i] - points[rows][:, None] for i in range(3))
        la, lb, lc = (np.sqrt(np.einsum("nfi,nfi->nf", s, s)) for s in (a, b, c))
        ab, bc, ca = (np.einsum("nfi,nfi->nf", s, t) for s, t in ((a, b), (b, c), (c, a)))
        triple = np.einsum("nfi,nfi->nf", a, np.cross(b, c))
        winding[rows] = np.arctan2(triple, la * lb * lc + ab * lc + bc * la + ca * lb).sum(1) / (2 * np.pi)
    return winding > 0.5


def nearest_on_segments(
    segments: Float[np.ndarray, "s 2 3"], points: Float[np.ndarray, "n 3"]
) -> Float[np.ndarray, "n 3"]:
    """Return the nearest place on any of the segments for each point."""
    start, edge = segments[:, 0], segments[:, 1] - segments[:, 0]
    square = np.einsum("si,si->s", edge, edge)
    nearest = np.empty_like(points)
    for rows in _blocks(np.arange(len(points)), len(segments)):
        p = points[rows][:, None]
        t = np.clip(((p - start) * edge).sum(2) / np.where(square > 0, square, 1.0), 0.0, 1.0)
        place = start + t[..., None] * edge
        best = ((p - place) ** 2).sum(2).argmin(1)
        nearest[rows] = place[np.arange(len(rows)), best]
    return nearest
