"""Columns written out as points: in pieces that stay in the cache, by all processors.

Most of the time goes to memory that is touched for the first time. So every result is written once, into its place,
and nothing else of its size is made. Columns come in the order of their lengths: those of one length are a block of
memory, in which nothing is ragged. A component of a point that only the column decides is spread over the block, one
that only the entry of the last axis decides is copied, and no sum is made; two that lie side by side move together.
"""

import dataclasses
import itertools
import math
from typing import Any

import numpy as np

from ._cut_columns import Columns
from ._threads import over_threads

PIECE = 1 << 16  # points that are made at a time
# two numbers side by side, by the size of one
_PAIRS = {4: np.dtype(np.complex64), 8: np.dtype(np.complex128)}


@dataclasses.dataclass(frozen=True)
class _Strand:
    """A component of a field, or two that lie side by side, seen as one complex number."""

    components: slice
    heads: np.ndarray | None  # [columns]: what a column adds
    entries: np.ndarray | None  # [entries]: what an entry of the last axis adds

    def write(self, block: np.ndarray, columns: slice, first: np.ndarray) -> None:
        """Fills these components of columns of one length.

        Args:
            block: The field [columns, points of each, components].
            columns: Which they are.
            first: The entry of the first point of each.
        """
        part = self.heads if self.heads is not None else self.entries
        assert part is not None
        target = block[:, :, self.components].view(part.dtype)[:, :, 0]
        if self.entries is None:
            # repeated first, which is several times as fast as to spread numbers in steps
            target[:] = np.repeat(part[columns], block.shape[1]).reshape(target.shape)
            return
        # a row of consecutive entries is copied whole, which is several times as fast as by their numbers
        runs = _runs(self.entries, block.shape[1])[first]
        if self.heads is None:
            target[:] = runs
        else:
            np.add(self.heads[columns, None], runs, out=target)


class Writer:
    """The columns of one surface, in the float type of the result.

    Args:
        columns: Of one surface.
        dtype: Of points and perpendicular coordinates.
        fields: How many of points, perpendicular coordinates and indices are wanted.
    """

    def __init__(self, columns: Columns, dtype: np.dtype, *, fields: int = 3):
        self.starts = np.concatenate([[0], np.cumsum(columns.counts)])
        self._shift = columns.first - self.starts[:-1]  # from the number of a point to that of its entry
        self._types = (dtype, dtype, np.dtype(np.int32))[:fields]
        self._widths = [columns.entries(i).shape[1] for i in range(fields)]
        self._strands = [_strands(columns.heads(i), columns.entries(i), t) for i, t in enumerate(self._types)]

    def __len__(self) -> int:
        return int(self.starts[-1])

    def empty(self, count: int) -> list[np.ndarray]:
        """Arrays for so many points, which jax takes over without a copy."""
        return [aligned((count, width), t) for width, t in zip(self._widths, self._types, strict=True)]

    def write(self, outs: list[np.ndarray], begin: int = 0) -> None:
        """Fills arrays with the points from `begin` on."""
        stop = begin + len(outs[0])

        def work(bounds: tuple[int, int]) -> None:
            first, last = bounds
            columns, counts = self._columns(first, last)
            begins = self._shift[columns] + np.maximum(self.starts[columns], first)
            place = first - begin
            for a, b in _equal(counts):
                block = slice(place, place := place + (b - a) * int(counts[a]))
                for out, strands in zip(outs, self._strands, strict=True):
                    rows = out[block].reshape(b - a, counts[a], out.shape[1])
                    for strand in strands:
                        strand.write(rows, slice(columns.start + a, columns.start + b), begins[a:b])

        over_threads(work, self._pieces(begin, stop))

    def _pieces(self, begin: int, stop: int) -> list[tuple[int, int]]:
        """From where to where the pieces of these points reach: whole columns, but for the first and the last one."""
        columns = np.searchsorted(self.starts, np.arange(begin, stop, PIECE))
        ends = np.unique([begin, *self.starts[columns].clip(begin, stop).tolist(), stop])
        return list(itertools.pairwise(ends.tolist()))

    def where(self, first: int, last: int) -> tuple[np.ndarray, np.ndarray]:
        """The columns and the entries of the last axis of these points."""
        columns, counts = self._columns(first, last)
        column = np.repeat(np.arange(columns.start, columns.stop), counts)
        return column, self._shift[column] + np.arange(first, last)

    def _columns(self, first: int, last: int) -> tuple[slice, np.ndarray]:
        """The columns that have some of these points, and how many."""
        begin = int(np.searchsorted(self.starts, first, "right")) - 1
        end = int(np.searchsorted(self.starts, last))
        return slice(begin, end), np.diff(np.clip(self.starts[begin : end + 1], first, last))


def _runs(entries: np.ndarray, length: int) -> np.ndarray:
    """All runs of so many neighbouring entries, in the memory of these: numpy's `sliding_window_view` takes long."""
    shape = (len(entries) - length + 1, length)
    return np.ndarray(shape, entries.dtype, entries, 0, entries.strides * 2)


def _equal(counts: np.ndarray) -> list[tuple[int, int]]:
    """The runs of equal numbers that are not 0."""
    ends = [0, *(np.flatnonzero(np.diff(counts)) + 1).tolist(), len(counts)]
    return [(a, b) for a, b in itertools.pairwise(ends) if a < b and counts[a] > 0]


def _strands(heads: np.ndarray, entries: np.ndarray, dtype: np.dtype) -> list[_Strand]:
    """A field's components, those that are no sums in pairs."""
    kinds: list[list[bool]] = np.stack([heads.any(axis=0), entries.any(axis=0)], axis=1).tolist()
    found = []
    for (headed, entered), run in itertools.groupby(range(len(kinds)), key=kinds.__getitem__):
        components = list(run)
        both = headed and entered
        size = 1 if both else 2
        for first in range(0, len(components), size):
            part = slice(components[first], components[min(first + size, len(components)) - 1] + 1)
            found.append(
                _Strand(
                    part,
                    _joined(heads[:, part], dtype) if headed or not entered else None,
                    _joined(entries[:, part], dtype) if entered else None,
                )
            )
    return found


def _joined(part: np.ndarray, dtype: np.dtype) -> np.ndarray:
    """One or two columns of a table in another type, two as complex numbers: they are moved, never computed with."""
    table = np.ascontiguousarray(part, dtype)
    return (table if table.shape[1] == 1 else table.view(_PAIRS[dtype.itemsize]))[:, 0].copy()


def aligned(shape: tuple[int, ...], dtype: Any) -> np.ndarray:
    """An array that is not filled, at an address that jax takes over without a copy."""
    size = math.prod(shape) * np.dtype(dtype).itemsize
    raw = np.empty(size + 64, np.uint8)
    start = -raw.ctypes.data % 64
    return raw[start : start + size].view(dtype).reshape(shape)
