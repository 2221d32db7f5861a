"""Which bricks of a baked field become finer (host)."""

from typing import NamedTuple

import numpy as np
from jaxtyping import Float, Int

from .._cells import find, flat
from ._bake_measure import field_values
from ._brick import CELLS
from ._brick_field import BrickField
from ._brick_levels import Levels, lattice
from ._brick_tree import BrickGrid
from ._chunks import Exact

_PROBES = 8  # along each axis of a brick
_AROUND = 3  # cells on either side of a cell that the splines of this cell live on
_CHUNK = 256  # bricks probed at once


class Flagged(NamedTuple):
    """Points where the error is too large.

    Args:
        points: The points.
        level: The level that serves each point.
        volume: The volume that each stands for, in the unit of length cubed.
        brick: A number for the brick that was probed.
    """

    points: Float[np.ndarray, "n 3"]
    level: Int[np.ndarray, " n"]
    volume: Float[np.ndarray, " n"]
    brick: Int[np.ndarray, " n"]

    def of(self, bricks: Int[np.ndarray, " k"]) -> "Flagged":
        """Returns the points in some bricks."""
        chosen = np.isin(self.brick, bricks)
        return Flagged(*(column[chosen] for column in self))

    def worst_first(self, spare: float) -> tuple[Int[np.ndarray, " k"], float]:
        """Returns the bricks by falling volume of flagged points, and the volume that was left out.

        Args:
            spare: The volume of flagged points that may be left out, in bricks that have little of it.
        """
        bricks, number = np.unique(self.brick, return_inverse=True)
        volume = np.bincount(number.reshape(-1), self.volume, minlength=len(bricks))
        order = np.argsort(volume, kind="stable")
        left_out = np.cumsum(volume[order])
        kept = left_out > spare
        return bricks[order][kept][::-1], float(left_out[~kept].max(initial=0.0))


def flagged_points(
    exact: Exact,
    field: BrickField,
    bricks: list[Int[np.ndarray, "_ 3"]],
    *,
    band: float,
    tolerance: float,
    rng: np.random.Generator,
) -> Flagged:
    """Looks for large errors in some bricks of each level, at one random point of each of 8³ parts of a brick.

    Random, because an error of a kink parallel to the grid may vanish at every point of a regular pattern.

    Args:
        exact: The function.
        field: The field so far.
        bricks: Where to look, for each level.
        band: Only points with |d| ≤ band count.
        tolerance: The largest error that is not flagged.
        rng: The source of the points.
    """
    found, first = [], 0
    for level, index in enumerate(bricks):
        edge = CELLS * field.grid.step(level)
        corners = field.grid.corners(index, level)
        # A brick whose middle is farther from the surface than this has no point in the band.
        reach = band + (0.5 * np.sqrt(3) * CELLS + 1.0) * field.grid.step(level)
        middle, _ = field_values(field, corners + 0.5 * edge)
        rows = np.flatnonzero(np.abs(middle) <= reach)
        for start in range(0, len(rows), _CHUNK):
            chosen = rows[start : start + _CHUNK]
            probes, home = _probes(corners[chosen], edge, rng)
            bad, spacing = _too_wrong(exact, field, probes, band, tolerance)
            own = np.rint(np.log2(field.grid.spacing / spacing)).astype(np.int64)
            volume = np.full(len(bad), (edge / _PROBES) ** 3)
            found.append((probes[bad], own, volume, first + chosen[home[bad]]))
        first += len(index)
    empty = (np.zeros((0, 3)), np.zeros(0, np.int64), np.zeros(0), np.zeros(0, np.int64))
    return Flagged(*map(np.concatenate, zip(empty, *found, strict=True)))


def _probes(
    corners: Float[np.ndarray, "m 3"], edge: float, rng: np.random.Generator
) -> tuple[Float[np.ndarray, "n 3"], Int[np.ndarray, " n"]]:
    parts = lattice([_PROBES] * 3)
    where = (parts[None] + rng.random((len(corners), len(parts), 3))) / _PROBES
    return (corners[:, None] + edge * where).reshape(-1, 3), np.repeat(np.arange(len(corners)), len(parts))


def _too_wrong(
    exact: Exact, field: BrickField, probes: Float[np.ndarray, "n 3"], band: float, tolerance: float
) -> tuple[Int[np.ndarray, " k"], Float[np.ndarray, " k"]]:
    """The numbers of the probes with too large an error, and the spacing there."""
    found, spacing = field_values(field, probes)
    close = np.flatnonzero(np.abs(found) <= band + spacing)  # the field is wrong by less than a cell
    there = exact.values(probes[close], "probing", field.grid.step(field.grid.finest))
    bad = close[(np.abs(there) <= band) & (np.abs(there - found[close]) > tolerance)]
    return bad, spacing[bad]


def requested(flagged: Flagged, levels: Levels) -> dict[int, Int[np.ndarray, "_ 3"]]:
    """Returns the bricks that let the field follow the function better at the flagged points.

    If some spline at a point continues a coarser level because a brick that it lives on is absent, that brick; else
    the bricks of the next level around the point.
    """
    wanted: dict[int, list[np.ndarray]] = {}
    for level in np.unique(flagged.level).tolist():
        points = flagged.points[flagged.level == level]
        shape = levels.grid.shape(level)
        around = _bricks_around(points, levels.grid, level)
        inside = np.all((around >= 0) & (around < np.array(shape)), axis=2)
        row = find(flat(levels.indices[level], shape), shape, around.reshape(-1, 3)).reshape(inside.shape)
        absent = inside & (row < 0)
        wanted.setdefault(level, []).append(around[absent])
        if levels.grid.resolves(level + 1):
            finer = _bricks_around(points[~absent.any(axis=1)], levels.grid, level + 1).reshape(-1, 3)
            inside = np.all((finer >= 0) & (finer < 2 * np.array(shape)), axis=1)
            wanted.setdefault(level + 1, []).append(finer[inside])
    return {level: np.concatenate(parts) for level, parts in wanted.items() if sum(map(len, parts))}


def _bricks_around(points: Float[np.ndarray, "n 3"], grid: BrickGrid, level: int) -> Int[np.ndarray, "n 8 3"]:
    """The bricks that the splines at each point live on, some of them several times, some outside the box."""
    cell = np.floor((points - np.array(grid.lower)[None]) / grid.step(level)).astype(np.int64)
    ends = np.stack([cell - _AROUND, cell + _AROUND]) // CELLS
    sides = lattice([2, 2, 2])
    return np.stack([ends[sides[:, axis], :, axis] for axis in range(3)], axis=-1).swapaxes(0, 1)


def band_bricks(
    exact: Exact, grid: BrickGrid, parents: Int[np.ndarray, "k 3"], level: int, band: float
) -> Int[np.ndarray, "m 3"]:
    """Returns all bricks of a level that splines of the zone |d| ≤ band live on.

    Args:
        exact: The function; its Lipschitz constant must not exceed 1.
        grid: The places of the bricks.
        parents: The bricks of the level before.
        level: The number of the new level.
        band: Half the width of the zone.
    """
    index = ((parents << 1)[:, None] + lattice([2, 2, 2])[None]).reshape(-1, 3)
    spacing = grid.step(level)
    centres = grid.corners(index, level) + 0.5 * CELLS * spacing
    reach = np.sqrt(3) * (0.5 * CELLS + _AROUND + 1) * spacing
    return index[np.abs(exact.values(centres, "refining", spacing)) <= band + reach]
