"""Evaluating a field of spline bricks at one point."""

from functools import partial
from typing import Any, NamedTuple

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
from jax import lax
from jaxtyping import Array, Float, Int

from ...core import register
from ._brick import CELLS, WIDTH, spline_weights
from ._brick_tree import BITS, BrickGrid, brick_tables

# Where the 16 runs of 4 coefficients of a cell start.
_ROWS = [(i * WIDTH + j) * WIDTH for i in range(4) for j in range(4)]


class Jet(NamedTuple):
    """Value, gradient and Laplacian of a field at one point.

    Args:
        value: In the unit of length.
        gradient: Without unit.
        laplacian: In one over the unit of length.
    """

    value: Float[Array, ""]
    gradient: Float[Array, "3"]
    laplacian: Float[Array, ""]


@register
class BrickTables(eqx.Module):
    """The arrays of a baked field: coefficients, and which brick serves which point."""

    coefficients: Float[Array, "b 16 16 16"]
    remainders: Float[Array, "b 16 16 16"] | None
    first: Int[Array, " u"]
    second: Int[Array, " l"]


@register
class BrickField(eqx.Module):
    """A field of spline bricks, continued to the outside of its box; see `BakedSDF`."""

    tables: BrickTables
    grid: BrickGrid = eqx.field(static=True)

    def __call__(self, x: Float[Array, "3"]) -> Float[Array, ""]:
        """Returns the field at one point."""
        return _value(self.grid, self.tables, x)

    def jet(self, x: Float[Array, "3"]) -> Jet:
        """Returns value, gradient and Laplacian at one point."""
        return _jet(self.grid, self.tables, x)

    def spacing(self, x: Float[Array, "3"]) -> Float[Array, ""]:
        """Returns the spacing at one point, or at the point of the box nearest to it."""
        return _locate(self.grid, self.tables, _into_box(self.grid, x)).spacing

    @property
    def size(self) -> int:
        """The bytes of the arrays."""
        return sum(leaf.nbytes for leaf in jax.tree.leaves(self.tables))


def brick_field(
    indices: list[Int[np.ndarray, "_ 3"]],
    coefficients: list[Float[np.ndarray, "_ 16 16 16"]],
    grid: BrickGrid,
) -> BrickField:
    """Puts the levels of a bake together.

    Args:
        indices: The positions of the bricks of each level, coarse to fine.
        coefficients: Their coefficients, in float32 or float64.
        grid: The places of the bricks.
    """
    split, first, second, used = brick_tables(indices, grid)
    numbers = np.cumsum([0, *map(len, indices)])
    stored = [
        part[used[(used >= numbers[i]) & (used < numbers[i + 1])] - numbers[i]]
        for i, part in enumerate(coefficients)
    ]
    every = np.concatenate(stored)
    high = every.astype(np.float32)
    low = None if every.dtype == np.float32 else (every - high.astype(np.float64)).astype(np.float32)
    x, y, z = grid.bricks
    grid = BrickGrid(grid.lower, grid.spacing, (x, y, z), finest=len(indices) - 1, split=split)
    tables = BrickTables(*jax.tree.map(jnp.asarray, (high, low, first, second)))
    return BrickField(tables, grid)


def field_size(indices: list[Int[np.ndarray, "_ 3"]], grid: BrickGrid, dtype: Any) -> int:
    """Returns the bytes of the field that `brick_field` would make of such bricks."""
    _, first, second, used = brick_tables(indices, grid)
    return len(used) * WIDTH**3 * np.dtype(dtype).itemsize + first.nbytes + second.nbytes


class _Place(NamedTuple):
    """Where a point lies: the start of its 4 × 4 × 4 coefficients, the position in its cell, the cell's edge."""

    start: Int[Array, ""]
    t: Float[Array, "3"]
    spacing: Float[Array, ""]


def _into_box(grid: BrickGrid, x: Float[Array, "3"]) -> Float[Array, "3"]:
    # `where` and not `clip`: on the face of the box the derivative is that of the inside
    lower, upper = jnp.asarray(grid.lower, x.dtype), jnp.asarray(grid.upper, x.dtype)
    return jnp.where(x < lower, lower, jnp.where(x > upper, upper, x))


def _flat(index: Int[Array, "3"], shape: tuple[Array | int, ...]) -> Int[Array, ""]:
    return (index[0] * shape[1] + index[1]) * shape[2] + index[2]


def _locate(grid: BrickGrid, tables: BrickTables, x: Float[Array, "3"]) -> _Place:
    finest, split = grid.finest, grid.split
    step = grid.step(finest)
    u = (x - jnp.asarray(grid.lower, x.dtype)) * (1.0 / step)
    last = jnp.asarray([n * CELLS - 1 for n in grid.shape(finest)], x.dtype)
    corner = lax.stop_gradient(jnp.clip(jnp.floor(u), 0.0, last))
    cell = corner.astype(jnp.int32)  # of the finest level

    def brick(level: Array | int) -> Int[Array, "3"]:
        return lax.div(cell >> (finest - level), jnp.int32(CELLS))  # never negative: no rounding to mend

    home = brick(split)
    entry = _read(tables.first, _flat(home, grid.shape(split)))
    depth, offset = entry & (2**BITS - 1), entry >> BITS
    within = brick(split + depth) - (home << depth)
    entry = _read(tables.second, offset + _flat(within, (1 << depth,) * 3))
    level, number = entry & (2**BITS - 1), entry >> BITS

    shift = finest - level
    scale = (1 << shift).astype(x.dtype)
    own = cell >> shift
    local = own - CELLS * lax.div(own, jnp.int32(CELLS))
    t = ((cell - (own << shift)).astype(x.dtype) + (u - corner)) / scale
    return _Place(number * WIDTH**3 + _flat(local, (WIDTH,) * 3), t, step * scale)


def _read(table: Int[Array, " n"], place: Int[Array, ""]) -> Int[Array, ""]:
    return table.at[place].get(mode="promise_in_bounds")


def _runs(tables: BrickTables, start: Int[Array, ""], dtype: np.dtype) -> list[Float[Array, "4"]]:
    """The 16 runs of 4 coefficients. As slices: compilers turn them into far better code than 64 single reads."""

    def run(table: Array, row: int) -> Array:
        place = (start + row,)
        return lax.dynamic_slice(table.reshape(-1), place, (4,), allow_negative_indices=False).astype(dtype)

    runs = [run(tables.coefficients, row) for row in _ROWS]
    if tables.remainders is None or jnp.finfo(dtype).bits <= 32:
        return runs
    return [high + run(tables.remainders, row) for high, row in zip(runs, _ROWS, strict=True)]


def _mixed(weights: tuple[Array, ...], parts: list[Array]) -> Array:
    a, b, c, d = weights
    return a * parts[0] + b * parts[1] + (c * parts[2] + d * parts[3])


def _rows(weights: tuple[Array, ...], runs: list[Float[Array, "4"]]) -> list[Float[Array, "4"]]:
    """The runs summed along y. Whole runs, and z last: four numbers at a time in one register."""
    return [_mixed(weights, runs[4 * i : 4 * i + 4]) for i in range(4)]


@partial(jax.jit, static_argnums=0)
def _value(grid: BrickGrid, tables: BrickTables, x: Float[Array, "3"]) -> Float[Array, ""]:
    inside = _into_box(grid, x)
    place = _locate(grid, tables, inside)
    wx, wy, wz = (spline_weights(place.t[axis]) for axis in range(3))
    line = _mixed(wx, _rows(wy, _runs(tables, place.start, x.dtype)))
    return _continued(jnp.sum(jnp.stack(wz) * line), x - inside)


def _continued(value: Array, beyond: Float[Array, "3"]) -> Array:
    """The value at the nearest point of the box, continued to the outside."""
    squared = jnp.sum(beyond * beyond)
    outside = squared > 0
    length = jnp.sqrt(jnp.where(outside, squared + jnp.square(jnp.maximum(value, 0)), 1.0))
    return jnp.where(outside, length + jnp.minimum(value, 0), value)


@partial(jax.jit, static_argnums=0)
def _jet(grid: BrickGrid, tables: BrickTables, x: Float[Array, "3"]) -> Jet:
    inside = _into_box(grid, x)
    place = _locate(grid, tables, inside)
    runs = _runs(tables, place.start, x.dtype)
    wx, wy, wz = ([spline_weights(place.t[axis], order) for order in range(3)] for axis in range(3))
    plain, slope, bend = (_rows(weights, runs) for weights in wy)
    line = _mixed(wx[0], plain)
    # One column for the value, three for the gradient, three for the second derivatives: what is left along z.
    columns = jnp.stack(
        [
            line,
            _mixed(wx[1], plain),
            _mixed(wx[0], slope),
            line,
            _mixed(wx[2], plain),
            _mixed(wx[0], bend),
            line,
        ]
    )
    along = jnp.stack([jnp.stack(wz[order]) for order in (0, 0, 0, 1, 0, 0, 2)])
    found = jnp.sum(columns * along, axis=1)
    step = place.spacing
    return _continued_jet(Jet(found[0], found[1:4] / step, found[4:] / (step * step)), x - inside)


def _continued_jet(jet: Jet, beyond: Float[Array, "3"]) -> Jet:
    """The same for value, gradient and the three pure second derivatives, which become the Laplacian.

    G² = F² + r² gives G ∇G = F ∇F + r⃗ and |∇G|² + G ΔG = |∇F|² + F ΔF + m, where m axes leave the box and F = f(q)
    does not vary along them.
    """
    leaves = beyond != 0
    value = jet.value
    slope, bend = jnp.where(leaves, 0.0, jet.gradient), jnp.sum(jnp.where(leaves, 0.0, jet.laplacian))
    squared = jnp.sum(beyond * beyond)
    outside, count = squared > 0, jnp.sum(leaves).astype(value.dtype)
    positive = jnp.maximum(value, 0)
    length = jnp.sqrt(jnp.where(outside, squared + positive * positive, 1.0))
    # positive value: G = length; negative value: G = F + r
    negative = value < 0
    gradient = (jnp.where(negative, 1.0, positive / length) * slope) + beyond / length
    steepness = jnp.where(negative, 1.0, jnp.sum(gradient * gradient) - jnp.sum(slope * slope))
    laplacian = jnp.where(negative, bend, positive * bend / length) + (count - steepness) / length
    return Jet(
        jnp.where(outside, length + jnp.minimum(value, 0), value),
        jnp.where(outside, gradient, jet.gradient),
        jnp.where(outside, laplacian, jnp.sum(jet.laplacian)),
    )
