"""Ear clipping of one simple polygon."""

import numpy as np
from jaxtyping import Bool, Float64, Int64

_ZERO = 1e-12


def ear_clip(points: Float64[np.ndarray, "n 3"]) -> Int64[np.ndarray, "m 3"] | None:
    """Triangles of a polygon that may be concave, or None when it crosses itself.

    The polygon is projected on the plane of its Newell normal. An ear is a convex corner whose triangle holds
    no reflex corner of the rest; ears are cut off until three corners are left. O(n²) for most polygons.

    Args:
        points: The corners in order; neighbours differ.

    Returns:
        Corner numbers of n − 2 triangles with the polygon's winding, or None.

    References:
        Meisters, "Polygons have ears", Amer. Math. Monthly 82 (1975) 648-651.
    """
    flat, area = _project(points)
    if area <= _ZERO:
        # All corners on one line: any triangles will do. Otherwise positive and negative parts cancel.
        spread = np.linalg.matrix_rank(flat - flat[:1], tol=1e-6)
        number = len(points)
        lines = np.stack(
            [np.zeros(number - 2, np.int64), np.arange(1, number - 1), np.arange(2, number)], axis=1
        )
        return lines if spread < 2 else None
    if _crosses(flat):
        return None
    triangles, alive = [], list(range(len(flat)))
    while len(alive) > 3:
        position = _find_ear(flat, np.array(alive))
        if position < 0:
            return None
        triangles.append([alive[position - 1], alive[position], alive[(position + 1) % len(alive)]])
        del alive[position]
    return np.array([*triangles, alive], np.int64)


def _project(points: Float64[np.ndarray, "n 3"]) -> tuple[Float64[np.ndarray, "n 2"], float]:
    """Plane coordinates scaled to about one, with positive winding, and twice the enclosed area."""
    points = points - points[0]
    points = points / np.abs(points).max()
    normal = np.cross(points, np.roll(points, -1, axis=0)).sum(axis=0)
    area = float(np.linalg.norm(normal))
    if area <= _ZERO:
        basis = np.linalg.svd(points, full_matrices=True)[2][:2]
        return points @ basis.T, 0.0
    normal = normal / area
    first = np.cross(normal, np.eye(3)[np.argmin(np.abs(normal))])
    first = first / np.linalg.norm(first)
    return points @ np.stack([first, np.cross(normal, first)], axis=1), area


def _cross(a: np.ndarray, b: np.ndarray) -> np.ndarray:
    return a[..., 0] * b[..., 1] - a[..., 1] * b[..., 0]


def _crosses(flat: Float64[np.ndarray, "n 2"]) -> bool:
    """Whether two sides cross in their interiors; touching does not count, because bridges to holes touch."""
    after = np.roll(flat, -1, axis=0)
    for i in range(len(flat) - 2):
        a, b = flat[i], after[i]
        c, d = flat[i + 1 :], after[i + 1 :]
        one = _cross(b - a, c - a) * _cross(b - a, d - a)
        two = _cross(d - c, a - c) * _cross(d - c, b - c)
        if np.any((one < -(_ZERO**2)) & (two < -(_ZERO**2))):
            return True
    return False


def _find_ear(flat: Float64[np.ndarray, "n 2"], alive: Int64[np.ndarray, " k"]) -> int:
    """The position in `alive` of the ear whose smallest angle is good enough, or −1."""
    here = flat[alive]
    before, after = np.roll(here, 1, axis=0), np.roll(here, -1, axis=0)
    turn = _cross(here - before, after - here)
    reflex = here[turn <= _ZERO]
    longest = np.max(
        [np.sum((p - q) ** 2, axis=1) for p, q in ((here, before), (after, here), (before, after))], axis=0
    )
    quality = np.where(turn > _ZERO, turn / np.where(longest > 0, longest, 1.0), -1.0)
    for position in np.argsort(-quality, kind="stable"):
        if turn[position] <= _ZERO:
            break
        corners = (before[position], here[position], after[position])
        if not np.any(_inside(reflex, *corners)):
            return int(position)
    # Only corners without area are left: cut one off to go on, as long as nothing is enclosed.
    flat_corners = np.flatnonzero(np.abs(turn) <= _ZERO)
    return int(flat_corners[0]) if flat_corners.size and np.all(turn >= -_ZERO) else -1


def _inside(points, a, b, c) -> Bool[np.ndarray, " n"]:
    """Which points lie in or on the triangle, its own corners left out."""
    inside = np.ones(len(points), bool)
    for p, q in ((a, b), (b, c), (c, a)):
        inside &= _cross((q - p)[None], points - p[None]) >= -_ZERO
    for p in (a, b, c):
        inside &= np.any(np.abs(points - p[None]) > _ZERO, axis=1)
    return inside
