"""A field in a part: one layer of localised spline features and a linear output layer."""

from typing import Any

import equinox as eqx
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Float, Int, PRNGKeyArray

from ..core import Property, host_generator, one_point, register, rows_on_device
from ._kirchhoff import KirchhoffMap
from ._spline import spline_values


@register
class SplineDetail(eqx.Module):
    """What a `SplineField` is on cells of half the spacing, which fill some cells of a coarser grid.

    Args:
        coefficients: The coefficients of this grid's splines, for the whole field and not what it adds to the coarser.
        cell_features: The numbers of the 27 splines of each cell.
        children: The cell in each eighth (x slowest) of each cell of the coarser grid; -1 where there is none.
        finer: The cells of half the spacing in some of these.
    """

    coefficients: Float[Array | np.ndarray, "d *m"]
    cell_features: Int[Array | np.ndarray, "c 27"]
    children: Int[Array | np.ndarray, "p 8"]
    finer: "SplineDetail | None" = None


@register
class SplineField(eqx.Module):
    """u(x) = reference + scale · Σᵢ cᵢ Bᵢ(x), with quadratic B-splines Bᵢ on the cells that a part occupies.

    The features are localised (each lives on at most 3³ cells) and know the part: a spline whose support the surface
    cuts into several pieces is a separate feature on each of them, so the two sides of a gap do not feel each
    other. The output layer c is all that is trained. u is C¹ inside the part, also where cells of two sizes meet.

    One point in, one scalar out; a vector, if the coefficients have a column for each component. The value is computed
    in the dtype of the point. Outside the occupied cells it is extrapolated by at most one cell, farther away it is
    nan.

    References:
        K. Höllig, Finite Element Methods with B-Splines, SIAM 2003 (splines on an uncut grid).
    """

    coefficients: Float[Array | np.ndarray, "d *m"]
    cell_features: Int[Array | np.ndarray, "c 27"]  # the numbers of the 27 features of each occupied cell
    keys: Int[Array | np.ndarray, " c"]  # flat grid numbers of the occupied cells, ascending
    origin: Float[Array | np.ndarray, "3"]  # corner of the grid, in the part's unit
    shape: tuple[int, int, int] = eqx.field(static=True)
    spacing: float = eqx.field(static=True)  # of the grid, in the part's unit
    reference: float = eqx.field(static=True)
    scale: float = eqx.field(static=True)
    finer: SplineDetail | None = None  # smaller cells, which count where they are
    trained: int | None = eqx.field(
        static=True, default=None
    )  # how many numbers, None: as many as coefficients
    transform: KirchhoffMap | None = None  # from the value above to that of the field, where k depends on T

    def __call__(self, x: Float[Array, "3"]) -> Float[Array, "*m"]:
        """Returns the field at one point.

        Args:
            x: The point, in the part's unit.

        Returns:
            The value, in the unit of `reference` (K for a temperature, m for a displacement).

        Raises:
            ValueError: The argument is not one point of three floating-point coordinates.
        """
        return self._value(one_point(x, "a field"), None)

    def _value(self, x: Float[Array, "3"], rows: Int[Array, " k"] | None) -> Float[Array, "*m"]:
        """The field at a point; with rows those of its coefficients, which then are one field each."""
        position = (x - jnp.asarray(self.origin, x.dtype)) / self.spacing
        row, corner, near, there = self._cell(position)
        local = position - corner.astype(x.dtype)
        value, grid = _combined(self, row, local, rows), self.finer
        while grid is not None:  # a point in a smaller cell takes its value from there
            eighth = jnp.clip(jnp.floor(2 * local), 0, 1)
            local = 2 * local - eighth
            row = jnp.asarray(grid.children)[row, eighth.astype(jnp.int32) @ jnp.array([4, 2, 1], jnp.int32)]
            there, row = there & (row >= 0), jnp.maximum(row, 0)
            value = jnp.where(there, _combined(grid, row, local, rows), value)
            grid = grid.finer
        value = self.reference + self.scale * value
        return jnp.where(near, value if self.transform is None else self.transform(value), jnp.nan)

    def _cell(self, position: Float[Array, "3"]) -> tuple[Array, Int[Array, "3"], Array, Array]:
        """Finds the occupied cell nearest to a position, among its own cell and the 26 around it.

        Returns its number, its place, whether there is one, and whether it is the position's own.
        """
        own = jnp.floor(position).astype(jnp.int32)
        around = own[None, :] + jnp.asarray(_AROUND)
        inside = jnp.all((around >= 0) & (around < jnp.asarray(self.shape, jnp.int32)[None, :]), axis=1)
        around = jnp.where(inside[:, None], around, 0)
        flat = (around[:, 0] * self.shape[1] + around[:, 1]) * self.shape[2] + around[:, 2]
        keys = jnp.asarray(self.keys, jnp.int32)
        row = jnp.minimum(jnp.searchsorted(keys, flat), len(keys) - 1)
        occupied = inside & (keys[row] == flat)
        corner = around.astype(position.dtype)
        beyond = position[None, :] - jnp.clip(position[None, :], corner, corner + 1)
        apart = jnp.where(occupied, jnp.sum(beyond**2, axis=1), jnp.inf)
        best = jnp.argmin(apart)
        return row[best], around[best], occupied[best], occupied[0]

    def __hash__(self) -> int:
        return hash(
            (self.shape, self.spacing, self.reference, self.scale)
        )  # lets `jax.jit(field)` find its cache

    @property
    def parameters(self) -> int:
        """How many numbers are trained."""
        return int(self.coefficients.size) if self.trained is None else self.trained

    @property
    def _grids(self) -> int:
        """How many sizes of cells there are."""
        count, grid = 1, self.finer
        while grid is not None:
            count, grid = count + 1, grid.finer
        return count

    def examples(self, count: int, *, key: PRNGKeyArray) -> list[Float[Array, "3"]]:
        """Random points of the occupied cells: items for `geoembed.check.card`.

        They keep a hundredth of the smallest cells from all walls between cells, where second derivatives jump.

        Args:
            count: How many points.
            key: Random key.

        Returns:
            The points, in the part's unit.
        """
        random = host_generator(key)
        parts = 2 ** (self._grids - 1)
        flat = np.asarray(self.keys)[random.integers(0, self.keys.shape[0], count)]
        cells = np.stack(np.unravel_index(flat, self.shape), axis=-1)
        inside = (random.integers(0, parts, (count, 3)) + random.uniform(0.01, 0.99, (count, 3))) / parts
        origin, spacing = np.asarray(self.origin, np.float64), np.asarray(self.spacing, np.float64)
        return rows_on_device(origin[None] + spacing * (cells + inside))

    @property
    def properties(self) -> tuple[Property, ...]:
        """What this field promises; see `geoembed.check`."""
        return (Property("smooth", domain="inside the part", constant=1),)


_AROUND: Any = (
    np.stack(np.meshgrid(*[np.array([0, -1, 1])] * 3, indexing="ij"), axis=-1).reshape(-1, 3).astype(np.int32)
)


def _combined(
    grid: SplineField | SplineDetail, row: Array, local: Float[Array, "3"], rows: Int[Array, " k"] | None
) -> Float[Array, "*m"]:
    """Σᵢ cᵢ Bᵢ at a place in a cell."""
    own, coefficients = jnp.asarray(grid.cell_features)[row], jnp.asarray(grid.coefficients, local.dtype)
    values = spline_values(local, jnp)
    if rows is not None:
        return jnp.sum(coefficients[rows[:, None], own[None, :]] * values[None, :], axis=1)
    mine = coefficients[own]
    if mine.ndim == 1:
        return jnp.sum(values * mine)
    return jnp.sum(values[:, None] * mine, axis=0)
