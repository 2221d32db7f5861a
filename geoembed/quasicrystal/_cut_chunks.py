"""The points of one surface in chunks of bounded memory."""

from collections.abc import Callable, Iterable, Iterator

import numpy as np

from ._cut_columns import Columns
from ._cut_write import PIECE, Writer
from ._region import Placed, Region
from ._threads import over_threads
from ._window import ConvexWindow

Parts = list[np.ndarray]
"""Points, perpendicular coordinates and indices, or the first of them."""


def column_chunks(
    surface: Placed, columns: Columns, region: Region, dtype: np.dtype, size: int
) -> Iterator[tuple[Parts, bool]]:
    """At most `size` points at a time, and whether a point lies on a boundary."""
    writer = Writer(columns, dtype)
    accepted = _acceptance(surface, columns, region, writer) if columns.loose else None
    for begin in range(0, max(len(writer), 1), size):
        parts = writer.empty(min(size, len(writer) - begin))
        writer.write(parts, begin)
        singular = columns.singular
        if accepted is not None:
            kept, touched = accepted(begin, begin + len(parts[0]))
            parts = [part[kept] for part in parts]
            singular |= touched
        yield parts, singular


def _acceptance(
    surface: Placed, columns: Columns, region: Region, writer: Writer
) -> Callable[[int, int], tuple[np.ndarray, bool]]:
    """Tells which points lie in the region and in the window, and whether one lies on its boundary."""
    heads, entries = (columns.heads(0), columns.heads(2)), (columns.entries(0), columns.entries(2))

    def piece(bounds: tuple[int, int]) -> tuple[np.ndarray, bool]:
        column, entry = writer.where(*bounds)
        points, indices = (
            np.take(h, column, axis=0) + np.take(e, entry, axis=0)
            for h, e in zip(heads, entries, strict=True)
        )
        accepted = region.contains(points, lambda rows: surface.exact_points(indices[rows]))
        touched = False
        if not isinstance(surface.window, ConvexWindow):
            accepted[accepted], touched = surface.accepts(indices[accepted].astype(np.int64))
        return accepted, touched

    def of(begin: int, stop: int) -> tuple[np.ndarray, bool]:
        pieces = [(first, min(first + PIECE, stop)) for first in range(begin, stop, PIECE)]
        found = over_threads(piece, pieces)
        accepted = np.concatenate([np.zeros(0, bool), *(accepted for accepted, _ in found)])
        return accepted, any(touched for _, touched in found)

    return of


def regrouped(pieces: Iterable[tuple[Parts, bool]], size: int) -> Iterator[tuple[Parts, bool]]:
    """The same points in pieces of exactly `size`, but for the last, which is left out if it is empty."""
    waiting: list[Parts] = []
    count, singular = 0, False
    for parts, touched in pieces:
        waiting.append(parts)
        count += len(parts[0])
        singular |= touched
        if count >= size:
            joined = _joined(waiting)
            for begin in range(0, count - size + 1, size):
                yield [part[begin : begin + size] for part in joined], singular
            waiting = [[part[count - count % size :] for part in joined]]
            count %= size
    if count:
        yield _joined(waiting), singular


def _joined(pieces: list[Parts]) -> Parts:
    if len(pieces) == 1:
        return pieces[0]
    return [np.concatenate(part) for part in zip(*pieces, strict=True)]
