"""Cuts by columns, for lattices of quadratic integers: the work is that of writing the points.

On every axis a one-dimensional cut a + bθ with its conjugate a + bθ′ is a short table. The points of a window that is
convex are, for each choice of entries of all axes but the last, one run of the last table when that is sorted by the
conjugate: two binary searches count them. What is near a boundary is decided exactly.
"""

import dataclasses
import itertools
import math
from typing import Any, NamedTuple

import numpy as np

from ._cut_runs import Faces, runs_of
from ._frames import Frame
from ._region import Placed, Region
from ._threads import over_threads
from ._window import ConvexWindow, Difference, Window, unit_half_spaces


class Parts(NamedTuple):
    """What the entries of one axis add to points; a row for each entry."""

    points: np.ndarray  # [entries, d] float64
    perp: np.ndarray  # [entries, m] float64
    numerators: np.ndarray  # [entries, D] int32: the sum over the axes is the index times the divisor


@dataclasses.dataclass(frozen=True)
class Columns:
    """Runs of points that differ on the last axis only, the shortest first.

    A field of the points of a column is its row of `heads` plus the rows of `entries` from its first on.
    """

    axes: list[Parts]  # the entries of the last one by groups, sorted by the conjugate
    divisor: int
    rows: list[np.ndarray]  # [columns] for each axis but the last: its entry
    first: np.ndarray  # [columns]: the first entry of the last axis
    counts: np.ndarray  # [columns]
    singular: bool
    loose: bool  # some points may lie outside of the region or the window and have to be taken out

    def heads(self, field: int) -> np.ndarray:
        """What all points of a column share: [columns, d], [columns, m] or (field 2, the indices) [columns, D]."""
        last = self.axes[-1][field]
        # the numerators of a group of entries leave the same rest
        total = np.take(last % self.divisor, self.first, axis=0) if field == 2 else None
        for axis, rows in zip(self.axes, self.rows, strict=False):
            part = np.take(axis[field], rows, axis=0)
            total = part if total is None else np.add(total, part, out=total)
        if total is None:
            return np.zeros((len(self.first), last.shape[1]))
        return total // self.divisor if field == 2 else total

    def entries(self, field: int) -> np.ndarray:
        """What the entries of the last axis add to the heads."""
        return self.axes[-1][field] // self.divisor if field == 2 else self.axes[-1][field]


@dataclasses.dataclass(frozen=True)
class _Axes:
    """The lattice as sums over axes of quadratic integers, in float64."""

    v: np.ndarray  # [d, d]: the columns Vᵢ, scaled
    w: np.ndarray  # [m, m]
    theta: float
    conjugate: float
    numerators: np.ndarray  # [D, 2d]: n = numerators (a₁, b₁, …) / divisor
    divisor: int


def columns(surface: Placed, known: Frame, region: Region) -> Columns:
    """The points of one surface in a region as columns."""
    axes = _axes(surface, known)
    tables = [_table(surface, axes, region, i) for i in range(len(axes.v))]
    modulus, rows, target = _congruences(surface, axes)
    keys = []
    for i, table in enumerate(tables):
        key = table @ rows[:, 2 * i : 2 * i + 2].T % modulus
        order = np.lexsort([table @ np.array([1.0, axes.conjugate]), *key.T])
        tables[i] = table[order]
        keys.append(_groups(key[order]))

    conjugates = [table @ np.array([1.0, axes.conjugate]) for table in tables]
    parts = [_parts(surface, axes, table, i) for i, table in enumerate(tables)]
    faces = _faces(surface, axes)

    def run(group: tuple[Any, ...]) -> tuple[int, int] | None:
        total = sum((np.array(key) for key, _ in group), np.zeros(len(rows), int))
        return keys[-1].get(tuple((target - total) % modulus))

    def of(group: tuple[Any, ...], begin: int, end: int) -> tuple[list[np.ndarray], bool]:
        terms = [conjugates[i][slice(*bounds)] for i, (_, bounds) in enumerate(group)]
        grid, first, counts, doubtful = runs_of(faces, terms, conjugates[-1][begin:end])
        chosen = [start + axis for (_, (start, _)), axis in zip(group, grid, strict=True)]
        first += begin
        singular = _decide(surface, parts, axes.divisor, chosen, first, counts, doubtful)
        return [*chosen, first, counts], singular

    groups = [(g, found) for g in itertools.product(*[k.items() for k in keys[:-1]]) if (found := run(g))]
    found = over_threads(lambda both: of(both[0], *both[1]), groups)
    empty = [np.zeros(0, int)] * (len(tables) + 1)
    *chosen, first, counts = (
        np.concatenate(part) for part in zip(empty, *(runs for runs, _ in found), strict=True)
    )
    order = np.argsort(counts, kind="stable")
    return Columns(
        parts,
        axes.divisor,
        [rows[order] for rows in chosen],
        first[order],
        counts[order],
        singular=any(singular for _, singular in found),
        loose=region.radius is not None
        or not _diagonal(axes.v)
        or not isinstance(surface.window, ConvexWindow),
    )


def _parts(surface: Placed, axes: _Axes, table: np.ndarray, i: int) -> Parts:
    """What the entries (a, b) of axis i add."""
    points = (table @ np.array([1.0, axes.theta]))[:, None] * axes.v[:, i]
    perp = (table @ np.array([1.0, axes.conjugate]))[:, None] * axes.w[:, i]
    points[:, i] += surface.start[i]
    perp[:, i] += surface.perp_start[i]
    return Parts(points, perp, (table @ axes.numerators[:, 2 * i : 2 * i + 2].T).astype(np.int32))


def _axes(surface: Placed, known: Frame) -> _Axes:
    inverse = np.linalg.inv(known.integers)
    divisor = round(abs(np.linalg.det(known.integers)))
    numerators = np.rint(inverse * divisor).astype(int)
    common = math.gcd(divisor, *numerators.ravel().tolist())
    return _Axes(
        v=surface.parallel @ inverse[:, ::2],
        w=surface.perpendicular @ inverse[:, ::2],
        theta=float(known.theta),
        conjugate=float(known.conjugate),
        numerators=numerators // common,
        divisor=divisor // common,
    )


def _diagonal(v: np.ndarray) -> bool:
    return bool(np.all(np.abs(v - np.diag(np.diag(v))) < 1e-12 * np.abs(v).max()))


def _table(surface: Placed, axes: _Axes, region: Region, i: int) -> np.ndarray:
    """All (a, b) of one axis [rows, 2] that can belong to a point."""
    to_v, to_w = np.linalg.inv(axes.v)[i], np.linalg.inv(axes.w)[i]
    reach = np.abs(to_v) @ region.half
    p_low, p_high = np.array([-reach, reach]) - to_v @ surface.start
    extra = surface.margin * np.linalg.norm(to_w)
    window = surface.window
    q_low = -window.support(-to_w[None])[0] - extra - to_w @ surface.perp_start
    q_high = window.support(to_w[None])[0] + extra - to_w @ surface.perp_start
    slack = 1e-9 * (1.0 + max(map(abs, (p_low, p_high, q_low, q_high))))
    apart = axes.theta - axes.conjugate
    b = np.arange(math.floor((p_low - q_high) / apart) - 1, math.ceil((p_high - q_low) / apart) + 2)
    low = np.maximum(p_low - b * axes.theta, q_low - b * axes.conjugate) - slack
    high = np.minimum(p_high - b * axes.theta, q_high - b * axes.conjugate) + slack
    counts = np.maximum(np.floor(high) - np.ceil(low) + 1, 0).astype(int)
    starts = np.cumsum(counts) - counts
    a = np.repeat(np.ceil(low).astype(int) - starts, counts) + np.arange(counts.sum())
    table = np.stack([a, np.repeat(b, counts)], axis=1)
    if region.radius is None and _diagonal(axes.v):
        table = table[_on_axis(surface, axes, region, table, i)]
    return table


def _on_axis(surface: Placed, axes: _Axes, region: Region, table: np.ndarray, i: int) -> np.ndarray:
    """Which entries lie in the box along their axis, decided exactly."""
    alone = table @ axes.numerators[:, 2 * i : 2 * i + 2].T  # divisor · n of a point on this axis

    def exact(rows: Any) -> np.ndarray:
        shifted = surface.exact_points(alone[rows])[:, [i]]
        start = surface.exact_points(np.zeros((1, alone.shape[1]), int))[:, [i]]
        return (shifted - start) / axes.divisor + start

    x = (table @ np.array([1.0, axes.theta]) * axes.v[i, i] + surface.start[i])[:, None]
    return Region(region.half[i : i + 1], None).contains(x, exact)


def _congruences(surface: Placed, axes: _Axes) -> tuple[int, np.ndarray, np.ndarray]:
    """Modulus M, rows R and target t: (a₁, b₁, …) belongs to a point of the coset if R (a₁, b₁, …) ≡ t mod M."""
    dimension = len(axes.numerators)
    modulus, rows, target = axes.divisor, axes.numerators, np.zeros(dimension, int)
    if surface.coset is not None:
        coset = surface.coset
        rows = np.concatenate([coset.modulus * rows, np.array(coset.rows) @ rows])
        target = np.concatenate([target, axes.divisor * np.array(coset.residues)])
        modulus = modulus * coset.modulus
    return modulus, rows % modulus, target % modulus


def _groups(keys: np.ndarray) -> dict[tuple[int, ...], tuple[int, int]]:
    """The runs of equal rows of a sorted table."""
    if len(keys) == 0:
        return {}
    starts = np.concatenate([[0], np.flatnonzero((keys[1:] != keys[:-1]).any(1)) + 1, [len(keys)]])
    return {tuple(keys[a].tolist()): (int(a), int(b)) for a, b in itertools.pairwise(starts)}


def _half_spaces(window: Window, dimension: int) -> tuple[np.ndarray, np.ndarray]:
    """Unit normals and offsets of half-spaces that contain the window, and no more if it is convex."""
    if isinstance(window, ConvexWindow):
        return unit_half_spaces(window)
    if isinstance(window, Difference):
        return _half_spaces(window.first, dimension)
    normals = np.concatenate([np.eye(dimension), -np.eye(dimension)])
    return normals, window.support(normals)


def _faces(surface: Placed, axes: _Axes) -> Faces:
    normals, offsets = _half_spaces(surface.window, len(axes.w))
    return Faces(
        normals @ axes.w,
        offsets + surface.margin - normals @ surface.perp_start,
        surface.margin == 0 and isinstance(surface.window, ConvexWindow),
    )


def _decide(
    surface: Placed,
    parts: list[Parts],
    divisor: int,
    chosen: list[np.ndarray],
    first: np.ndarray,
    counts: np.ndarray,
    doubtful: np.ndarray,
) -> bool:
    """Corrects the runs of the doubtful columns exactly; returns whether a point lies on a boundary."""
    singular = False
    for column in doubtful.tolist():
        run = int(first[column]) + np.arange(int(counts[column]))
        numerators = parts[-1].numerators[run].astype(np.int64)
        for part, rows in zip(parts[:-1], chosen, strict=True):
            numerators += part.numerators[rows[column]]
        accepted, touched = surface.accepts(numerators // divisor)
        singular |= touched
        run = run[accepted]
        first[column], counts[column] = (run[0], len(run)) if len(run) else (first[column], 0)
    return singular
