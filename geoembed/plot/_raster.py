"""Which triangle is seen at each pixel: a depth buffer, exact for triangles that hide each other."""

from typing import NamedTuple

import numpy as np
from jaxtyping import Bool, Float, Int

_BATCH = 1_000_000  # pixels in the boxes of the triangles that are drawn at a time: bounds the memory
_SLACK = 1e-6  # pixels by which triangles are widened, so that no crack opens between neighbours
_NOTHING = np.iinfo(np.uint64).max


class Seen(NamedTuple):
    """What is seen at each pixel.

    Args:
        triangle: The number of the triangle, -1 where there is none.
        depth: Its depth there; inf where there is none.
    """

    triangle: Int[np.ndarray, "height width"]
    depth: Float[np.ndarray, "height width"]


def rasterise(corners: Float[np.ndarray, "n 3 3"], width: int, height: int) -> Seen:
    """Finds the nearest triangle at the centre of each pixel.

    Pixel (row, column) covers [column, column + 1] × [row, row + 1]. Depths are told apart to 2⁻³² of their
    range. Cost O(covered pixels); memory beyond the result is bounded, however many triangles there are.

    Args:
        corners: The corners of triangles: column and row in pixels, and depth, which grows away from the eye.
        width: Columns of the image.
        height: Rows of the image.

    Returns:
        The triangle and the depth of each pixel.
    """
    nearest = np.full(height * width, _NOTHING, np.uint64)
    if len(corners) == 0:
        return Seen(np.full((height, width), -1), np.full((height, width), np.inf))
    lowest, span = corners[..., 2].min(), max(float(np.ptp(corners[..., 2])), 1e-300)
    shifted = np.concatenate([corners[..., :2], (corners[..., 2:] - lowest) / span], axis=2)
    boxes = np.prod(np.ceil(np.ptp(shifted[..., :2], axis=1)) + 1, axis=1)
    batch = (np.cumsum(boxes) // _BATCH).astype(np.int64)
    starts = np.flatnonzero(np.diff(batch, prepend=-1))
    for start, stop in zip(starts, [*starts[1:], len(corners)], strict=True):
        _draw(nearest, shifted[start:stop], int(start), width, height)
    hit = nearest != _NOTHING
    triangle = np.where(hit, (nearest & np.uint64(0xFFFFFFFF)).astype(np.int64), -1)
    depth = np.where(hit, lowest + span * (nearest >> np.uint64(32)).astype(float) / 0xFFFFFFFF, np.inf)
    return Seen(triangle.reshape(height, width), depth.reshape(height, width))


def _draw(
    nearest: np.ndarray, corners: Float[np.ndarray, "n 3 3"], first: int, width: int, height: int
) -> None:
    """Enters triangles into the buffer of (depth, number) pairs, in which the smaller pair wins."""
    triangle, row, start, stop = _spans(corners, width, height)
    line, column = _expand(start, stop)
    triangle, row = triangle[line], row[line]
    slope, level = _depth_planes(corners)
    depth = slope[triangle, 0] * (column + 0.5) + slope[triangle, 1] * (row + 0.5) + level[triangle]
    low, high = corners[..., 2].min(axis=1), corners[..., 2].max(axis=1)
    depth = np.clip(depth, low[triangle], high[triangle])  # triangles seen from the side have steep planes
    key = np.rint(depth * 0xFFFFFFFF).astype(np.uint64) << np.uint64(32)
    np.minimum.at(nearest, row * width + column, key | (triangle + first).astype(np.uint64))


def _spans(
    corners: Float[np.ndarray, "n 3 3"], width: int, height: int
) -> tuple[Int[np.ndarray, " m"], Int[np.ndarray, " m"], Int[np.ndarray, " m"], Int[np.ndarray, " m"]]:
    """Returns the rows that triangles cover: triangle, row, first column, one past the last column."""
    x, y = corners[..., 0], corners[..., 1]
    top = np.clip(np.ceil(y.min(axis=1) - 0.5 - _SLACK), 0, height).astype(np.int64)
    bottom = np.clip(np.floor(y.max(axis=1) - 0.5 + _SLACK) + 1, 0, height).astype(np.int64)
    triangle, row = _expand(top, bottom)
    middle = (row + 0.5)[:, None]
    x, y = x[triangle], y[triangle]
    next_x, next_y = np.roll(x, -1, axis=1), np.roll(y, -1, axis=1)
    rise = next_y - y
    crosses = _between(middle, y, next_y)
    with np.errstate(divide="ignore", invalid="ignore"):
        share = np.clip(np.where(rise == 0, 0.0, (middle - y) / rise), 0.0, 1.0)
    at = x + share * (next_x - x)
    # A level edge lies in the row from one end to the other; the edges beside it meet the row at those ends.
    left = np.where(crosses, at, np.inf).min(axis=1)
    right = np.where(crosses, at, -np.inf).max(axis=1)
    met = np.isfinite(left)
    left, right = np.where(met, left, 0.0), np.where(met, right, -1.0)
    start = np.clip(np.ceil(left - 0.5 - _SLACK), 0, width).astype(np.int64)
    stop = np.clip(np.floor(right - 0.5 + _SLACK) + 1, 0, width).astype(np.int64)
    return triangle, row, start, np.maximum(start, stop)


def _between(
    middle: Float[np.ndarray, "m 1"], first: Float[np.ndarray, "m 3"], second: Float[np.ndarray, "m 3"]
) -> Bool[np.ndarray, "m 3"]:
    low, high = np.minimum(first, second), np.maximum(first, second)
    return (middle >= low - _SLACK) & (middle <= high + _SLACK)


def _expand(
    start: Int[np.ndarray, " n"], stop: Int[np.ndarray, " n"]
) -> tuple[Int[np.ndarray, " m"], Int[np.ndarray, " m"]]:
    """Returns (i, j) for all i and start[i] ≤ j < stop[i]."""
    count = np.maximum(stop - start, 0)
    owner = np.repeat(np.arange(len(count)), count)
    before = np.cumsum(count) - count
    return owner, np.arange(len(owner)) - before[owner] + start[owner]


def _depth_planes(
    corners: Float[np.ndarray, "n 3 3"],
) -> tuple[Float[np.ndarray, "n 2"], Float[np.ndarray, " n"]]:
    """Returns slope and level of depth = slope·(x, y) + level of each triangle."""
    a, b = corners[:, 1] - corners[:, 0], corners[:, 2] - corners[:, 0]
    area = a[:, 0] * b[:, 1] - a[:, 1] * b[:, 0]
    safe = np.where(np.abs(area) > 1e-12, area, 1.0)
    slope = (
        np.stack([a[:, 2] * b[:, 1] - a[:, 1] * b[:, 2], a[:, 0] * b[:, 2] - a[:, 2] * b[:, 0]], axis=1)
        / safe[:, None]
    )
    slope = np.where(np.abs(area)[:, None] > 1e-12, slope, 0.0)
    return slope, corners[:, 0, 2] - np.sum(slope * corners[:, 0, :2], axis=1)
