"""Cuts by columns, for lattices of quadratic integers: the work is that of writing the points.

On every axis a one-dimensional cut a + bθ with its conjugate a + bθ′ is a short table. The points of a window that is
convex are, for each choice of entries of all axes but the last, one run of the last table when that is sorted by the
conjugate: two binary searches count them. What is near a boundary is decided exactly.
"""

import dataclasses
import itertools
import math
from typing import Any

import numpy as np

from ._frames import Frame
from ._region import Placed, Region
from ._window import ConvexWindow, Difference, Window, unit_half_spaces


@dataclasses.dataclass(frozen=True)
class Columns:
    """Runs of points that differ on the last axis only.

    An index is the sum over the axes of `numerators[axis][row]`, divided by `divisor`.
    """

    numerators: list[np.ndarray]  # for each axis [rows, D] int
    parallel: list[np.ndarray]  # for each axis [rows, d]: its part of x
    perpendicular: list[np.ndarray]  # for each axis [rows, m]: its part of q
    divisor: int
    rows: np.ndarray  # [columns, d-1]: the entry of each axis but the last
    first: np.ndarray  # [columns]: the first entry of the last axis
    counts: np.ndarray  # [columns]
    singular: bool
    loose: bool  # some points may lie outside of the region or the window and have to be taken out


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

    values = [table @ np.array([1.0, axes.theta]) for table in tables]
    conjugates = [table @ np.array([1.0, axes.conjugate]) for table in tables]
    parts = Columns(
        numerators=[t @ axes.numerators[:, 2 * i : 2 * i + 2].T for i, t in enumerate(tables)],
        parallel=[u[:, None] * axes.v[:, i] for i, u in enumerate(values)],
        perpendicular=[w[:, None] * axes.w[:, i] for i, w in enumerate(conjugates)],
        divisor=axes.divisor,
        rows=np.zeros((0, len(tables) - 1), int),
        first=np.zeros(0, int),
        counts=np.zeros(0, int),
        singular=False,
        loose=region.radius is not None
        or not _diagonal(axes.v)
        or not isinstance(surface.window, ConvexWindow),
    )
    for i in range(len(tables)):
        parts.parallel[i][:, i] += surface.start[i]
        parts.perpendicular[i][:, i] += surface.perp_start[i]

    normals, offsets = _half_spaces(surface.window, len(axes.w))
    forms = normals @ axes.w
    offsets = offsets + surface.margin - normals @ surface.perp_start
    found, singular = [], False
    for group in itertools.product(*[k.items() for k in keys[:-1]]):
        total = sum((np.array(key) for key, _ in group), np.zeros(len(rows), int))
        run = keys[-1].get(tuple((target - total) % modulus))
        if run is None:
            continue
        choice = np.meshgrid(*[np.arange(*bounds) for _, bounds in group], indexing="ij")
        choice = np.stack([c.ravel() for c in choice], 1) if choice else np.zeros((1, 0), int)
        rest = offsets - sum(
            (conjugates[i][choice[:, i], None] * forms[:, i] for i in range(choice.shape[1])),
            np.zeros((len(choice), len(offsets))),
        )
        chosen, first, counts, touched = _runs(
            surface, parts, choice, rest, forms[:, -1], conjugates[-1], run
        )
        found.append((chosen, first, counts))
        singular |= touched
    if not found:
        return parts
    merged = [np.concatenate(part) for part in zip(*found, strict=True)]
    return dataclasses.replace(parts, rows=merged[0], first=merged[1], counts=merged[2], singular=singular)


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


def _runs(
    surface: Placed,
    parts: Columns,
    choice: np.ndarray,  # [columns, d-1]
    rest: np.ndarray,  # [columns, faces]: what each face leaves to the last axis
    slopes: np.ndarray,  # [faces]
    conjugates: np.ndarray,
    run: tuple[int, int],
) -> tuple[np.ndarray, np.ndarray, np.ndarray, bool]:
    """The columns that have points, the first entry of each, their number, and whether a point lies on a boundary."""
    begin, end = run
    exact = surface.margin == 0 and isinstance(surface.window, ConvexWindow)
    slack = 1e-9 * (1.0 + np.abs(conjugates).max(initial=0.0)) if exact else 0.0
    flat, up, down = np.abs(slopes) < 1e-9, slopes > 1e-9, slopes < -1e-9
    open_ = (rest[:, flat] >= -slack).all(1)
    choice, rest = choice[open_], rest[open_]

    def bounds(extra: float) -> tuple[np.ndarray, np.ndarray]:
        high = ((rest[:, up] + extra) / slopes[up]).min(1)
        low = ((rest[:, down] + extra) / slopes[down]).max(1)
        values = conjugates[begin:end]
        return np.searchsorted(values, low, "left"), np.searchsorted(values, high, "right")

    first, last = bounds(slack)
    singular = False
    if exact:
        sure_first, sure_last = bounds(-slack)
        doubtful = (first < last) & (
            (first != sure_first) | (last != sure_last) | (rest[:, flat] <= slack).any(1)
        )
        for column in np.flatnonzero(doubtful):
            entries = np.arange(first[column], last[column])
            indices = parts.numerators[-1][begin + entries]
            for axis, row in enumerate(choice[column]):
                indices = indices + parts.numerators[axis][row]
            accepted, touched = surface.accepts(indices // parts.divisor)
            singular |= touched
            entries = entries[accepted]
            first[column], last[column] = (entries[0], entries[-1] + 1) if len(entries) else (0, 0)
    counts = np.maximum(last - first, 0)
    some = counts > 0
    return choice[some], begin + first[some], counts[some], singular
