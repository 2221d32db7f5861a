"""Which brick serves a point: two tables of integers over the bricks of all levels (host).

Level ℓ has the spacing of the base grid halved ℓ times. The first table divides the box evenly; an entry names the
part of the second table that divides this portion further, as finely as its finest brick needs.
"""

from dataclasses import dataclass

import numpy as np
from jaxtyping import Float, Int, Int32

from ...core import register
from .._cells import flat
from ._brick import CELLS

BITS = 4  # of an entry for the level; the rest numbers the bricks
MAX_LEVEL = 8
_MAX_CELLS = 2**22  # along an axis: float32 must resolve positions inside the finest cell


@register
@dataclass(frozen=True)
class BrickGrid:
    """The places of the bricks; hashable.

    Args:
        lower: The lower corner of the box, in the unit of length.
        spacing: The edge length of the cells of the base grid, in the unit of length.
        bricks: How many bricks of the base grid lie along each axis.
        finest: The finest level.
        split: The level of the first table.
    """

    lower: tuple[float, float, float]
    spacing: float
    bricks: tuple[int, int, int]
    finest: int = 0
    split: int = 0

    @property
    def upper(self) -> tuple[float, float, float]:
        """The upper corner of the box, in the unit of length."""
        x, y, z = (low + n * CELLS * self.spacing for low, n in zip(self.lower, self.bricks, strict=True))
        return (x, y, z)

    def shape(self, level: int) -> tuple[int, int, int]:
        """Returns how many bricks of a level would fill the box along each axis."""
        x, y, z = (n << level for n in self.bricks)
        return (x, y, z)

    def step(self, level: int) -> float:
        """Returns the spacing of a level, in the unit of length."""
        return self.spacing / 2**level

    def corners(self, index: Int[np.ndarray, "m 3"], level: int) -> Float[np.ndarray, "m 3"]:
        """Returns the lower corners of bricks of a level."""
        return np.array(self.lower)[None] + self.step(level) * CELLS * index

    def resolves(self, level: int) -> bool:
        """Whether a level is within what the tables and float32 can address."""
        return level <= MAX_LEVEL and (max(self.bricks) * CELLS) << level <= _MAX_CELLS


def brick_tables(
    indices: list[Int[np.ndarray, "_ 3"]], grid: BrickGrid
) -> tuple[int, Int32[np.ndarray, " u"], Int32[np.ndarray, " l"], Int[np.ndarray, " k"]]:
    """Builds the two tables.

    Args:
        indices: The positions of the bricks of each level; level 0 fills the box.
        grid: The places of the bricks.

    Returns:
        The level of the first table that makes both shortest, the tables, and the numbers of the bricks that are
        used (counted through all levels): a brick that finer ones replace everywhere is not.
    """
    split = min(range(len(indices)), key=lambda level: _size(indices, grid, level))
    leaf = _painted(indices[: split + 1], grid, split)
    depth = _depths(indices, grid, split)
    size = np.where(depth > 0, 8**depth, 1)
    offset = np.cumsum(size) - size
    second = np.repeat(leaf, size)
    first_number = np.cumsum([0, *map(len, indices)])
    shape = grid.shape(split)
    for level in range(split + 1, len(indices)):
        index, down = indices[level], level - split
        home = flat(index >> down, shape)
        for total in np.unique(depth[home]).tolist():
            rows = np.flatnonzero(depth[home] == total)
            place = (index[rows] - ((index[rows] >> down) << down)) << (total - down)
            cells = place[:, None] + _cube(1 << (total - down))[None]
            n = 1 << total
            within = (cells[..., 0] * n + cells[..., 1]) * n + cells[..., 2]
            entry = ((first_number[level] + rows) << BITS) | level
            second[offset[home[rows]][:, None] + within] = entry[:, None]
    used, number = np.unique(second >> BITS, return_inverse=True)
    second = (number.reshape(-1) << BITS) | (second & (2**BITS - 1))
    return split, ((offset << BITS) | depth).astype(np.int32), second.astype(np.int32), used


def _cube(n: int) -> Int[np.ndarray, "k 3"]:
    return np.stack(np.meshgrid(*[np.arange(n)] * 3, indexing="ij"), axis=-1).reshape(-1, 3)


def _depths(indices: list[Int[np.ndarray, "_ 3"]], grid: BrickGrid, split: int) -> Int[np.ndarray, " u"]:
    """How many levels below `split` reach into each of its bricks."""
    shape = grid.shape(split)
    depth = np.zeros(int(np.prod(shape)), np.int64)
    for level in range(split + 1, len(indices)):
        depth[flat(indices[level] >> (level - split), shape)] = level - split
    return depth


def _size(indices: list[Int[np.ndarray, "_ 3"]], grid: BrickGrid, split: int) -> int:
    depth = _depths(indices, grid, split)
    return len(depth) + int(np.sum(8**depth))


def _painted(indices: list[Int[np.ndarray, "_ 3"]], grid: BrickGrid, split: int) -> Int[np.ndarray, " u"]:
    """The entry of the finest brick of the levels up to `split` at each brick of that level."""
    shape = grid.shape(split)
    leaf = np.zeros(int(np.prod(shape)), np.int64)
    first = 0
    for level, index in enumerate(indices):
        cells = (index << (split - level))[:, None] + _cube(1 << (split - level))[None]
        entry = ((first + np.arange(len(index))) << BITS) | level
        leaf[flat(cells.reshape(-1, 3), shape)] = np.repeat(entry, cells.shape[1])
        first += len(index)
    return leaf
