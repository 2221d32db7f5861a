"""The levels of a baked field while it is made (host): which bricks there are, and their coefficients."""

from typing import Any

import numpy as np
from jaxtyping import Float, Int

from ...core import InputError
from .._cells import find, flat
from ._brick import CELLS, CHUNK, WIDTH, halved, quasi_interpolant, supported
from ._brick_field import BrickField, brick_field, field_size
from ._brick_tree import BrickGrid
from ._chunks import Exact

# The positions of the bricks of each level, in the order of their flat number.
Indices = list[Int[np.ndarray, "_ 3"]]


def lattice(counts: tuple[int, ...] | list[int]) -> Int[np.ndarray, "n 3"]:
    """Returns the positions of a grid, the last axis fastest."""
    return np.stack(np.meshgrid(*map(np.arange, counts), indexing="ij"), axis=-1).reshape(-1, 3)


def base_values(exact: Exact, grid: BrickGrid, margin: int) -> Float[np.ndarray, "x y z"]:
    """Returns the function at the points of the base grid, with some layers of points around the box.

    Raises:
        InputError: A value is not finite.
    """
    shape = [n * CELLS + 1 + 2 * margin for n in grid.bricks]
    points = np.array(grid.lower)[None] + grid.spacing * (lattice(shape) - margin)
    return _finite(exact.values(points, "base grid", grid.spacing), points).reshape(shape)


def base_bricks(
    coefficients: Float[np.ndarray, "x y z"], grid: BrickGrid, dtype: Any
) -> Float[np.ndarray, "m 16 16 16"]:
    """Cuts the coefficients of the whole base grid, one layer around the box included, into bricks."""
    index = lattice(grid.bricks)
    cut = np.empty((len(index), WIDTH, WIDTH, WIDTH), dtype)
    for row, (x, y, z) in enumerate(index * CELLS):
        cut[row] = coefficients[x : x + WIDTH, y : y + WIDTH, z : z + WIDTH]
    return cut


def joined(
    first: Int[np.ndarray, "m 3"], second: Int[np.ndarray, "k 3"], shape: tuple
) -> Int[np.ndarray, "n 3"]:
    """Returns the union of two sets of bricks, in the order of their flat number."""
    keys = np.union1d(flat(first, shape), flat(second, shape))
    return np.stack(np.unravel_index(keys, shape), axis=1).astype(np.int64)


class Levels:
    """The bricks of all levels and the function at their grid points.

    Args:
        exact: The function.
        grid: The places of the bricks.
        base: The coefficients of the base grid, in the dtype in which the field is stored.
    """

    def __init__(self, exact: Exact, grid: BrickGrid, base: Float[np.ndarray, "m 16 16 16"]):
        self.exact, self.grid, self.base = exact, grid, base
        self.indices: Indices = [lattice(grid.bricks)]
        self._known: list[tuple[np.ndarray, np.ndarray]] = [(np.zeros((0, 3), np.int64), np.zeros(0))]

    def extended(self, wanted: dict[int, Int[np.ndarray, "_ 3"]]) -> Indices:
        """Returns the bricks of all levels with some more, and what these lie in on the coarser levels."""
        levels = list(self.indices)
        empty = np.zeros((0, 3), np.int64)
        for level in range(max([len(levels) - 1, *wanted]), 0, -1):
            if level == len(levels):
                levels.append(empty)
            more = wanted.get(level, empty)
            above = levels[level + 1] >> 1 if level + 1 < len(levels) else empty
            levels[level] = joined(levels[level], np.concatenate([more, above]), self.grid.shape(level))
        return levels

    def size(self, indices: Indices) -> int:
        """Returns the bytes of a field of such bricks."""
        return field_size(indices, self.grid, self.base.dtype)

    def grow(self, indices: Indices) -> Indices:
        """Takes over more bricks and evaluates the function there; returns the new ones of each level."""
        new = []
        for level, index in enumerate(indices):
            shape = self.grid.shape(level)
            before = self.indices[level] if level < len(self.indices) else index[:0]
            new.append(index[find(flat(before, shape), shape, index) < 0] if len(before) else index)
            if level and len(new[level]):
                self._learn(level, index)
        self.indices = indices
        return new

    def field(self) -> BrickField:
        """Returns the field of all bricks."""
        coefficients = [self.base]
        for level in range(1, len(self.indices)):
            coefficients.append(self._coefficients(level, coefficients[-1]))
        return brick_field(self.indices, coefficients, self.grid)

    def _learn(self, level: int, index: Int[np.ndarray, "m 3"]) -> None:
        """Evaluates the function at the 13³ grid points of each brick, and of those beyond the face of the box.

        Splines at the face of the box need values outside; nothing else needs values outside its bricks.
        """
        if level == len(self._known):
            self._known.append((np.zeros((0, 3), np.int64), np.zeros((0, CELLS, CELLS, CELLS))))
        known, values = self._known[level]
        shape = self._wide(level)
        around = (index[:, None] + (lattice([3, 3, 3]) - 1)[None]).reshape(-1, 3)
        beyond = around[np.any((around < 0) | (around >= np.array(self.grid.shape(level))), axis=1)]
        needed = joined(index + 1, beyond + 1, shape) - 1
        row = find(flat(known + 1, shape), shape, needed + 1) if len(known) else np.full(len(needed), -1)
        fresh = needed[row < 0]
        step = self.grid.step(level)
        points = (self.grid.corners(fresh, level)[:, None] + step * lattice([CELLS] * 3)[None]).reshape(-1, 3)
        found = _finite(self.exact.values(points, "refining", step), points)
        all_values = np.empty((len(needed), CELLS, CELLS, CELLS))
        all_values[row < 0] = found.reshape(-1, CELLS, CELLS, CELLS)
        all_values[row >= 0] = values[row[row >= 0]]
        self._known[level] = (needed, all_values)

    def _wide(self, level: int) -> tuple[int, int, int]:
        """The shape of a level with one layer of bricks around the box."""
        x, y, z = (n + 2 for n in self.grid.shape(level))
        return (x, y, z)

    def _coefficients(
        self, level: int, coarse: Float[np.ndarray, "k 16 16 16"]
    ) -> Float[np.ndarray, "m 16 16 16"]:
        """The coefficients of a level.

        Where all bricks that a spline lives on are there, its coefficient follows the function on the fine grid.
        The others continue the coarse splines, so the field is twice continuously differentiable also where the
        fine bricks end.
        """
        index, wide = self.indices[level], self._wide(level)
        parents = self.grid.shape(level - 1)
        parent = find(flat(self.indices[level - 1], parents), parents, index >> 1)
        known, values = self._known[level]
        keys = flat(known + 1, wide)
        result = np.empty((len(index), WIDTH, WIDTH, WIDTH), coarse.dtype)
        for start in range(0, len(index), CHUNK):
            part = index[start : start + CHUNK]
            around = (part[:, None] + (lattice([3, 3, 3]) - 1)[None]).reshape(-1, 3)
            rows = find(keys, wide, around + 1).reshape(-1, 3, 3, 3)
            fine = quasi_interpolant(_with_margin(values, rows))
            kept = halved(coarse[parent[start : start + CHUNK]].astype(np.float64), part & 1)
            result[start : start + CHUNK] = np.where(supported(rows >= 0), fine, kept)
        return result


_REACH = np.arange(-2, WIDTH)  # grid points that the coefficients of a brick depend on: −2 … 15
_HOME, _LOCAL = np.divmod(_REACH, CELLS)


def _with_margin(
    values: Float[np.ndarray, "m 13 13 13"], rows: Int[np.ndarray, "n 3 3 3"]
) -> Float[np.ndarray, "n 18 18 18"]:
    """The values of bricks with those of their neighbours around them; of absent neighbours, anything."""
    i, j, k = np.ix_(_HOME + 1, _HOME + 1, _HOME + 1)
    x, y, z = np.ix_(_LOCAL, _LOCAL, _LOCAL)
    return values[rows[:, i, j, k], x[None], y[None], z[None]]


def _finite(values: Float[np.ndarray, " n"], points: Float[np.ndarray, "n 3"]) -> Float[np.ndarray, " n"]:
    if not np.all(np.isfinite(values)):
        x, y, z = points[np.argmin(np.isfinite(values))].tolist()
        reason = f"the function is not finite at ({x:g}, {y:g}, {z:g})"
        raise InputError("<bake>", "sdf", reason, "Bake a function that is finite in and around the box")
    return values
