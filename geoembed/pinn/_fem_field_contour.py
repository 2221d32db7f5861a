"""The outline of a shape in the plane that is only known through its signed distance."""

from collections.abc import Callable, Iterator
from itertools import pairwise

import numpy as np
from jaxtyping import Float

from ._domains._domain import Domain

Points = Float[np.ndarray, "n 2"]
Corners = tuple[tuple[np.ndarray, float], ...]

_CELLS = 192  # of the grid on which the outline is found, along the longer side
_STEPS = 6  # of Newton's method
_SHARP = np.radians(20.0)  # a larger turn from one point to the next is a corner
_PROBE = 1e-6  # of the size of the domain, for gradients


def contours(domain: Domain, size: float) -> Iterator[tuple[Points, Corners, Callable[[Points], Points]]]:
    """The closed curves on which a signed distance is 0: their points, corners, and what moves points onto them.

    Two smooth pieces meet at a corner, which is found as the place where their tangents cross.

    Args:
        domain: The domain.
        size: Largest distance between points.
    """
    scale = float(np.max(domain.upper - domain.lower))

    def onto(points: Points) -> Points:
        return _onto(domain, points, scale)

    for raw in _loops_on_grid(domain, scale):
        fine = onto(raw)
        gap = np.linalg.norm(fine - np.roll(fine, 1, axis=0), axis=1)
        fine = fine[gap > 1e-3 * gap.mean()]
        steep = np.linalg.norm(_gradient(domain, fine, scale), axis=1)
        fine = fine[
            steep > 0.9 * np.median(steep)
        ]  # a point in a corner has the normals of both sides, mixed
        places, corners = _with_corners(domain, fine, scale)
        yield _spaced(places, corners, size, onto), tuple((place, angle) for _, place, angle in corners), onto


def _onto(domain: Domain, points: Points, scale: float) -> Points:
    for _ in range(_STEPS):
        value, slope = domain.distance(points), _gradient(domain, points, scale)
        points = points - (value / np.maximum(np.sum(slope**2, axis=1), 1e-3))[:, None] * slope
    return points


def _gradient(domain: Domain, points: Points, scale: float) -> Points:
    step = _PROBE * scale * np.eye(2)
    parts = [(domain.distance(points + e) - domain.distance(points - e)) / (2 * _PROBE * scale) for e in step]
    return np.stack(parts, axis=1)


def _loops_on_grid(domain: Domain, scale: float) -> list[Points]:
    """Where the edges of a triangular grid cross the outline, chained, the domain on the left."""
    step = scale / _CELLS
    counts = [int(np.ceil((b - a) / step)) + 5 for a, b in zip(domain.lower, domain.upper, strict=True)]
    axes = [a - 2.37 * step + step * np.arange(n) for a, n in zip(domain.lower, counts, strict=True)]
    nodes = np.stack(np.meshgrid(*axes, indexing="ij"), axis=-1).reshape(-1, 2)
    value = domain.distance(nodes)
    value = np.where(value == 0, 1e-14 * scale, value)
    number = np.arange(len(nodes)).reshape(counts)
    a, b, c, d = (n.ravel() for n in (number[:-1, :-1], number[1:, :-1], number[1:, 1:], number[:-1, 1:]))
    triangles = np.concatenate([np.stack([a, b, c], 1), np.stack([a, c, d], 1)])
    inside = value[triangles] < 0
    follows: dict[tuple[int, int], tuple[int, int]] = {}
    crossed = inside.any(axis=1) & ~inside.all(axis=1)
    for corner, flags in zip(triangles[crossed], inside[crossed], strict=True):
        (lone,) = np.flatnonzero(flags == (flags.sum() == 1))
        tip, right, left = (int(corner[(lone + k) % 3]) for k in range(3))
        first, second = _key(tip, right), _key(tip, left)
        if flags.sum() == 1:  # the tip is inside: from right to left keeps it on the left
            follows[first] = second
        else:
            follows[second] = first
    return [_crossings(chain, nodes, value) for chain in _closed(follows)]


def _key(one: int, two: int) -> tuple[int, int]:
    return (one, two) if one < two else (two, one)


def _closed(follows: dict) -> Iterator[list]:
    left = dict(follows)
    while left:
        start, after = left.popitem()
        chain = [start]
        while after != start and after in left:
            chain.append(after)
            after = left.pop(after)
        yield chain


def _crossings(chain: list, nodes: np.ndarray, value: np.ndarray) -> Points:
    one, two = np.array(chain).T
    share = (value[one] / (value[one] - value[two]))[:, None]
    return (1 - share) * nodes[one] + share * nodes[two]


def _with_corners(
    domain: Domain, points: Points, scale: float
) -> tuple[np.ndarray, list[tuple[int, np.ndarray, float]]]:
    """The curve with its corners put in: all points, and for each corner its index, place and angle."""
    normal = _gradient(domain, points, scale)
    normal = normal / np.linalg.norm(normal, axis=1, keepdims=True)
    after = np.roll(normal, -1, axis=0)
    turn = np.arctan2(normal[:, 0] * after[:, 1] - normal[:, 1] * after[:, 0], np.sum(normal * after, axis=1))
    places, corners = [], []
    for i, point in enumerate(points):
        places.append(point)
        if abs(turn[i]) < _SHARP:
            continue
        place = _crossing(domain, point, points[(i + 1) % len(points)], scale)
        if place is not None:
            corners.append((len(places), place, float(np.pi - turn[i])))
            places.append(place)
    return np.array(places), corners


def _crossing(domain: Domain, one: np.ndarray, two: np.ndarray, scale: float) -> np.ndarray | None:
    """Where the tangents of two smooth pieces cross, each touched ever nearer to that place."""
    place, reach = (one + two) / 2, float(np.linalg.norm(two - one))
    for _ in range(8):
        both = np.stack([one, two])
        normal = _gradient(domain, both, scale)
        if abs(np.linalg.det(normal)) < 1e-3:
            return None
        place = np.linalg.solve(normal, np.sum(normal * both, axis=1))
        if np.linalg.norm(place - (one + two) / 2) > 4 * reach:
            return None
        reach *= 0.25
        near = _onto(domain, place + 0.25 * (both - place), scale)
        if reach < 1e-5 * scale:
            break
        one, two = near
    return place


def _spaced(places: Points, corners: list, size: float, onto: Callable[[Points], Points]) -> np.ndarray:
    """Points at most `size` apart on the curve, corners among them."""
    starts = [index for index, _, _ in corners] or [0]
    places = np.roll(places, -starts[0], axis=0)
    ends = [*(start - starts[0] for start in starts), len(places)]
    closed = np.concatenate([places, places[:1]])
    spaced = []
    for begin, end in pairwise(ends):
        piece = closed[begin : end + 1]
        length = np.concatenate([[0.0], np.cumsum(np.linalg.norm(np.diff(piece, axis=0), axis=1))])
        turned = _turned(piece)
        count = max(
            2 if corners else 24, int(np.ceil(length[-1] / size)), int(np.ceil(turned / np.radians(15)))
        )
        at = length[-1] * np.arange(count) / count
        points = np.stack([np.interp(at, length, piece[:, axis]) for axis in (0, 1)], axis=1)
        spaced += [points[:1], onto(points[1:])]
    return np.concatenate(spaced)


def _turned(piece: Points) -> float:
    """By how much a curve turns, radians."""
    way = np.diff(piece[:: max(1, len(piece) // 64)], axis=0)
    way = way / np.maximum(np.linalg.norm(way, axis=1, keepdims=True), 1e-300)
    cross = way[:-1, 0] * way[1:, 1] - way[:-1, 1] * way[1:, 0]
    return float(np.sum(np.abs(np.arctan2(cross, np.sum(way[:-1] * way[1:], axis=1)))))
