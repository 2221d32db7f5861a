"""Polygons of a mesh file cut into triangles."""

from collections.abc import Callable

import numpy as np
from jaxtyping import Bool, Float64, Int64

from ...core import InputError
from ._earclip import ear_clip

MAX_CORNERS = 4096
MAX_WORK = 30_000_000
FLAT = 1e-3  # a polygon is flat when no corner is further from its plane than this part of its size
_STRAIGHT = 1e-12

_REMEDY = "triangulate the mesh in the program it comes from"


def triangulate(
    vertices: Float64[np.ndarray, "v 3"],
    corners: Int64[np.ndarray, " c"],
    counts: Int64[np.ndarray, " p"],
    name: str,
    place: Callable[[int], str],
    notes: list[str],
) -> Int64[np.ndarray, "f 3"]:
    """Triangles with the same surface and winding as the polygons, in the order of the polygons.

    Strictly convex polygons become fans, quadrilaterals with one reflex corner are cut there, all others go
    through ear clipping in the plane of their mean (Newell) normal.

    Args:
        vertices: Points.
        corners: The vertex numbers of all polygons, one polygon after the other.
        counts: How many corners each polygon has.
        name: The file's name, for messages.
        place: The place in the file of a polygon, for messages.
        notes: Appended to when polygons are concave, repeat a corner, or are not flat.

    Returns:
        Three vertex numbers for each triangle.

    Raises:
        InputError: A polygon has fewer than three or more than `MAX_CORNERS` corners, crosses itself, or
            there are too many intricate ones.
    """
    _check_counts(counts, name, place)
    if np.all(counts == 3):
        return corners.reshape(-1, 3)
    starts = np.cumsum(counts) - counts
    first = np.cumsum(counts - 2) - (counts - 2)
    faces = np.empty((int(np.sum(counts - 2)), 3), np.int64)
    kept = np.ones(len(faces), bool)
    tally = {"concave": 0, "bent": 0, "repeated": 0, "work": 0}
    for size in np.unique(counts):
        group = np.flatnonzero(counts == size)
        slab = max(1, 200_000 // int(size))
        for polygons in np.split(group, range(slab, len(group), slab)):
            rows = corners[starts[polygons][:, None] + np.arange(size)]
            target = first[polygons][:, None] + np.arange(size - 2)
            faces[target] = fan(rows)
            if size > 3:
                _replace_fans(
                    vertices, rows, target, faces, kept, tally, name, lambda i, p=polygons: place(int(p[i]))
                )
    _note(notes, tally)
    return faces[kept]


def fan(rows: Int64[np.ndarray, "p n"]) -> Int64[np.ndarray, "p m 3"]:
    """Each polygon as triangles that share its first corner."""
    hub = np.broadcast_to(rows[:, :1], rows[:, 2:].shape)
    return np.stack([hub, rows[:, 1:-1], rows[:, 2:]], axis=2)


def _replace_fans(vertices, rows, target, faces, kept, tally, name, place) -> None:
    """Correct the fans of the polygons that are not strictly convex."""
    convex, notch, bent = _shape(vertices[rows])
    tally["bent"] += int(np.sum(bent))
    tally["concave"] += int(np.sum(notch >= 0))
    cut = np.flatnonzero(notch >= 0)
    turned = np.take_along_axis(
        rows[cut], (notch[cut][:, None] + np.arange(rows.shape[1])) % rows.shape[1], axis=1
    )
    faces[target[cut]] = fan(turned)
    for i in np.flatnonzero(~convex & (notch < 0)):
        tally["work"] += rows.shape[1] ** 2 + 100 * rows.shape[1]
        if tally["work"] > MAX_WORK:
            raise InputError(name, place(i), "the file has too many or too large concave polygons", _REMEDY)
        ring = rows[i][rows[i] != np.roll(rows[i], 1)]
        tally["repeated"] += len(ring) < rows.shape[1]
        triangles = ear_clip(vertices[ring]) if len(ring) > 3 else np.arange(len(ring))[None]
        if triangles is None:
            raise InputError(
                name, place(i), f"a polygon of {rows.shape[1]} corners crosses or touches itself", _REMEDY
            )
        tally["concave"] += len(ring) > 3
        if (
            len(ring) < 3
        ):  # nothing but a point or a line: keep one triangle without area, for the quality report
            ring, triangles = np.resize(ring if len(ring) else rows[i][:1], 3), np.arange(3)[None]
        faces[target[i][: len(triangles)]] = ring[triangles]
        kept[target[i][len(triangles) :]] = False


def _shape(
    points: Float64[np.ndarray, "p n 3"],
) -> tuple[Bool[np.ndarray, " p"], Int64[np.ndarray, " p"], Bool[np.ndarray, " p"]]:
    """Which are strictly convex, the reflex corner of concave quadrilaterals (else −1), which are bent."""
    points = points - points[:, :1]
    scale = np.abs(points).max(axis=(1, 2), keepdims=True)
    points = points / np.where(scale > 0, scale, 1.0)
    after = np.roll(points, -1, axis=1)
    normal = np.cross(points, after).sum(axis=1)
    length = np.linalg.norm(normal, axis=1, keepdims=True)
    normal = normal / np.where(length > 0, length, 1.0)
    height = np.einsum("pni,pi->pn", points, normal)
    side = after - points
    before = np.roll(side, 1, axis=1)
    turn = np.einsum("pni,pi->pn", np.cross(before, side), normal)
    angle = np.arctan2(turn, np.einsum("pni,pni->pn", before, side)).sum(axis=1)
    solid = length[:, 0] > _STRAIGHT
    convex = solid & np.all(turn > _STRAIGHT, axis=1) & (np.abs(angle - 2 * np.pi) < 1)
    notch = np.full(len(points), -1)
    if points.shape[1] == 4:
        one = solid & (np.sum(turn < -_STRAIGHT, axis=1) == 1) & (np.sum(turn > _STRAIGHT, axis=1) == 3)
        notch[one] = np.argmin(turn[one], axis=1)
    return convex, notch, solid & (np.ptp(height, axis=1) > FLAT)


def _check_counts(counts, name, place) -> None:
    bad = np.flatnonzero((counts < 3) | (counts > MAX_CORNERS))
    if bad.size:
        number = int(counts[bad[0]])
        reason = f"a face has {number} corners" + (
            "" if number < 3 else f", more than the limit of {MAX_CORNERS}"
        )
        raise InputError(
            name, place(int(bad[0])), reason, "a face needs three corners or more" if number < 3 else _REMEDY
        )


def _note(notes: list[str], tally: dict[str, int]) -> None:
    if tally["concave"]:
        notes.append(
            f"{tally['concave']} polygons are not strictly convex; ear clipping cut them into triangles"
        )
    if tally["repeated"]:
        notes.append(
            f"{tally['repeated']} polygons name a corner twice in a row; the repetition was left out"
        )
    if tally["bent"]:
        notes.append(f"{tally['bent']} polygons are not flat; their triangles depend on where they are cut")
