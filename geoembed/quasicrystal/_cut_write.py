"""Columns written out as points: in pieces that stay in the cache, by all processors.

Most of the time goes to memory that is touched for the first time. So every result is written once, into its place,
and nothing else of its size is made.
"""

import functools
import math
from collections.abc import Callable
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

from ._cut_columns import Columns
from ._threads import over_threads

PIECE = 1 << 14  # points that numpy makes at a time
_COMPILED_PIECE = 1 << 18  # points that the compiled program makes; a call costs as much as 20,000 of them
_COMPILED_FROM = 200_000  # points: below, numpy is done before a program is compiled


class Writer:
    """The columns of one surface, in the float type of the result.

    Args:
        columns: Of one surface.
        dtype: Of points and perpendicular coordinates.
        fields: How many of points, perpendicular coordinates and indices are wanted.
        at_once: How many points are written by one call; all by default.
    """

    def __init__(self, columns: Columns, dtype: np.dtype, *, fields: int = 3, at_once: int | None = None):
        self.starts = np.concatenate([[0], np.cumsum(columns.counts)])
        self._shift = columns.first - self.starts[:-1]  # from the number of a point to that of its entry
        self._compiled = min(len(self), at_once or len(self)) >= _COMPILED_FROM
        # the programs of cuts of similar size are the same if their tables have as many rows
        rows = _power_of_2 if self._compiled else len
        types = (dtype, dtype, np.dtype(np.int32))[:fields]
        self._heads = [_table(columns.heads(i), t, rows) for i, t in enumerate(types)]
        self._entries = [_table(columns.entries(i), t, rows) for i, t in enumerate(types)]
        if self._compiled:
            shift = _table(_wrapped(self._shift), np.dtype(np.int32), rows)
            self._on_device = jax.device_put((self._heads, self._entries, shift), _cpu())

    def __len__(self) -> int:
        return int(self.starts[-1])

    def empty(self, count: int) -> list[np.ndarray]:
        """Arrays for so many points, which jax takes over without a copy."""
        return [aligned((count, part.shape[1]), part.dtype) for part in self._entries]

    def write(self, outs: list[np.ndarray], begin: int = 0) -> None:
        """Fills arrays with the points from `begin` on."""
        stop = begin + len(outs[0])
        wide = jax.dtypes.canonicalize_dtype(np.float64) == np.float64  # a thread has its own mode
        size = _COMPILED_PIECE if self._compiled else PIECE

        def work(first: int) -> None:
            last = min(first + size, stop)
            with jax.enable_x64(wide):
                parts = self._piece(first, last)
            for out, part in zip(outs, parts, strict=True):
                out[first - begin : last - begin] = part[: last - first]

        over_threads(work, range(begin, stop, size))

    def where(self, first: int, last: int) -> tuple[np.ndarray, np.ndarray]:
        """The columns and the entries of the last axis of these points."""
        column = self._column(first, last)
        return column, self._shift[column] + np.arange(first, last)

    def _column(self, first: int, last: int) -> np.ndarray:
        begin = int(np.searchsorted(self.starts, first, "right")) - 1
        end = int(np.searchsorted(self.starts, last))
        counts = np.diff(np.clip(self.starts[begin : end + 1], first, last))
        return np.repeat(np.arange(begin, end, dtype=np.int32), counts)

    def _piece(self, first: int, last: int) -> list[np.ndarray]:
        """The points from `first` on, at least up to `last`."""
        if not self._compiled:
            column, entry = self.where(first, last)
            pairs = zip(self._heads, self._entries, strict=True)
            return [np.take(h, column, axis=0) + np.take(e, entry, axis=0) for h, e in pairs]
        column = np.zeros(_COMPILED_PIECE, np.int32)
        column[: last - first] = self._column(first, last)
        return [np.asarray(part) for part in _sums(*self._on_device, column, _wrapped(first))]


@jax.jit
def _sums(heads, entries, shift, column, first):
    """Points `first`, `first` + 1, …, given their columns."""

    def rows(table, numbers):
        return table.at[numbers].get(mode="promise_in_bounds", wrap_negative_indices=False)

    entry = rows(shift, column) + (first + jnp.arange(len(column), dtype=column.dtype))
    return [rows(h, column) + rows(e, entry) for h, e in zip(heads, entries, strict=True)]


def _wrapped(numbers: Any) -> np.ndarray:
    """Numbers modulo 2³²: sums of theirs that are below 2³¹ come out right."""
    return np.asarray(numbers).astype(np.int32)


def _table(part: np.ndarray, dtype: np.dtype, rows: Callable[[Any], int]) -> np.ndarray:
    """The same rows in another type, and zeros."""
    table = aligned((rows(part), *part.shape[1:]), dtype)
    table[: len(part)] = part
    table[len(part) :] = 0
    return table


def _power_of_2(part: np.ndarray) -> int:
    return 1 << (len(part) - 1).bit_length()


def aligned(shape: tuple[int, ...], dtype: Any) -> np.ndarray:
    size = math.prod(shape) * np.dtype(dtype).itemsize
    raw = np.empty(size + 64, np.uint8)
    start = -raw.ctypes.data % 64
    return raw[start : start + size].view(dtype).reshape(shape)


@functools.cache
def _cpu():
    try:
        return jax.local_devices(backend="cpu")[0]
    except RuntimeError:  # jax may use other platforms only
        return None
