"""Volume, area, centre and inertia of {f < 0} on a grid, from the exact integrals of an interpolant."""

import itertools
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Float

from ..core import norm
from ._bounds import corners_of
from ._curvature import Field
from ._integrals import Integrals, assemble

_SHIFT = 0.381966  # of a cell: the golden section keeps nodes off the round numbers at which faces lie
_NEAR = 1e-6  # a value within this part of a cell of 0 counts as 0, so that no derivative explodes
_ROUNDING = 64  # or within this many units of rounding of the box

# Kuhn's six tetrahedra of a cube: one for each order in which a path 000 → 111 takes the axes.
_PATHS = np.array(
    [
        np.cumsum([np.zeros(3, int), *(np.eye(3, dtype=int)[axis] for axis in order)], axis=0)
        for order in itertools.permutations(range(3))
    ]
)

# Corners of a tetrahedron, negative ones first. Entry (a, b): the cut on the edge from negative a to positive b;
# (a, a): the corner itself. For each count of negative corners the inside as three tetrahedra, each wound like the
# whole, and the cut as two triangles; what is missing is a point.
_POINT = ((0, 0),) * 4
_INSIDE = np.array(
    [
        [_POINT, _POINT, _POINT],
        [((0, 0), (0, 1), (0, 2), (0, 3)), _POINT, _POINT],
        [
            ((0, 0), (0, 2), (0, 3), (1, 3)),
            ((0, 0), (1, 2), (0, 2), (1, 3)),
            ((0, 0), (1, 1), (1, 2), (1, 3)),
        ],
        [
            ((0, 0), (1, 1), (2, 2), (2, 3)),
            ((0, 0), (1, 3), (1, 1), (2, 3)),
            ((0, 0), (0, 3), (1, 3), (2, 3)),
        ],
        [((0, 0), (1, 1), (2, 2), (3, 3)), _POINT, _POINT],
    ]
)
_CUT = np.array(
    [
        [_POINT[:3], _POINT[:3]],
        [((0, 1), (0, 2), (0, 3)), _POINT[:3]],
        [((0, 2), (1, 2), (1, 3)), ((0, 2), (1, 3), (0, 3))],
        [((0, 3), (1, 3), (2, 3)), _POINT[:3]],
        [_POINT[:3], _POINT[:3]],
    ]
)
# For each of the 16 sign patterns the corners with the negative ones first.
_ORDER = np.array([sorted(range(4), key=lambda k: not mask >> k & 1) for mask in range(16)])


def implicit_integrals(
    f: Field,
    lower: Float[Array | np.ndarray, "3"] | None = None,
    upper: Float[Array | np.ndarray, "3"] | None = None,
    *,
    cells: int | tuple[int, int, int] = 32,
) -> Integrals:
    """Volume, area, centre of mass and inertia of the body where f < 0, by quadrature over a grid.

    Each cell is divided into six tetrahedra, f is replaced by its linear interpolant on them, and that one's body
    and surface are integrated exactly. Approximate, for cells of size h: on a smooth surface every error is O(h²);
    edges of the surface add O(h²) to the volume and its moments, O(h) to the area. A detail smaller than a cell
    can be missed. The cells have one size but for the first and last along each axis, which are smaller.

    Differentiable in what f is made of; the derivative is that of the result. That of the volume and its moments
    converges to the integral of the surface's normal velocity, with O(h²) on a smooth surface and O(h) at edges.
    That of the area converges on a smooth surface; each edge adds an error that does not vanish with h (for a box
    a tenth of the derivative and more): give a body with edges to `mesh_integrals`, or round the edges.
    f need not be a distance, but must not vanish on a whole region. Cost: one evaluation of f at each grid point,
    memory that of the grid.

    Args:
        f: A function of a point, negative inside, such as a shape.
        lower: The lower corner of the box, in the length unit of f; None for that of `f.bounds`, one cell farther.
        upper: The upper corner. What lies outside the box does not count.
        cells: How many cells along each axis, or along every axis.

    Returns:
        The integrals, in the dtype of the corners.

    Raises:
        ValueError: `f` has no bounds and none are given, or a number of cells is below one.

    References:
        H. W. Kuhn, IBM J. Res. Dev. 4 (1960) 518 (the six tetrahedra).

    Example:
        >>> from geoembed.sdf import Sphere
        >>> found = implicit_integrals(Sphere(1.0), cells=24)
        >>> bool(abs(found.volume / (4 / 3 * np.pi) - 1) < 0.01)
        True
    """
    counts = (cells, cells, cells) if isinstance(cells, int) else cells
    if min(counts) < 1:
        raise ValueError(f"cells must be at least 1 along each axis, received {cells}")
    low, high = _box(f, lower, upper, counts)
    axes = [_nodes(low[k], high[k], counts[k]) for k in range(3)]
    values = _at_nodes(f, axes)
    rounding = _ROUNDING * float(jnp.finfo(low.dtype).eps)
    step = (high - low) / jnp.asarray(counts, low.dtype)
    near = jnp.maximum(_NEAR * jnp.min(step), rounding * jnp.max(high - low))
    # Moved to 0 in value only: the surface still follows the shape there.
    values = values - jnp.where(jnp.abs(values) < near, jax.lax.stop_gradient(values), 0.0)
    middle = 0.5 * (low + high)
    moments = _sum_slabs(values, [axis - middle[k] for k, axis in enumerate(axes)])
    return assemble(jnp, *moments, middle)


def _nodes(low: Array, high: Array, count: int) -> Float[Array, " n"]:
    """The ends of an interval, and between them equidistant nodes off the round numbers.

    Where a face of the body lies on nodes and another one beside them, the derivatives can be wrong by more than
    their own size: the interpolant's slope at that edge has little to do with that of f.
    """
    inner = (jnp.arange(1, count, dtype=low.dtype) - _SHIFT) / max(count - 1, 1)
    return jnp.concatenate([low[None], low + (high - low) * inner, high[None]])


def _box(f: Field, lower: Any, upper: Any, counts: tuple[int, int, int]) -> tuple[Array, Array]:
    bounds = corners_of(f, lower, upper)
    if lower is not None:
        dtype = jnp.result_type(float) if isinstance(lower, np.ndarray) else lower.dtype
        return jnp.asarray(lower, dtype), jnp.asarray(upper, dtype)
    low, high = (jax.lax.stop_gradient(jnp.asarray(corner, jnp.result_type(float))) for corner in bounds)
    margin = (high - low) / jnp.asarray([max(n - 2, 1) for n in counts], low.dtype)
    return low - margin, high + margin


def _at_nodes(f: Field, axes: list[Array]) -> Float[Array, "a b c"]:
    """f at all grid points, one plane at a time."""

    def plane(x: Array) -> Array:
        return jax.vmap(lambda y: jax.vmap(lambda z: f(jnp.stack([x, y, z])))(axes[2]))(axes[1])

    return jax.lax.map(plane, axes[0])


def _sum_slabs(values: Float[Array, "a b c"], axes: list[Array]) -> tuple[Array, Array, Array, Array]:
    """∫ 1, ∫ dA, ∫ y and ∫ y yᵀ, one layer of cells at a time."""
    b, c = (np.arange(len(axis) - 1) for axis in axes[1:])
    at = np.broadcast_arrays(
        _PATHS[None, None, :, :, 0],
        b[:, None, None, None] + _PATHS[None, None, :, :, 1],
        c[None, :, None, None] + _PATHS[None, None, :, :, 2],
    )

    @jax.checkpoint
    def slab(x: Array, pair: Array) -> tuple[Array, Array, Array, Array]:
        points = jnp.stack([x[at[0]], axes[1][at[1]], axes[2][at[2]]], axis=-1)
        return _tetrahedra(pair[tuple(at)].reshape(-1, 4), points.reshape(-1, 4, 3))

    parts = jax.lax.map(
        lambda item: slab(*item),
        (jnp.stack([axes[0][:-1], axes[0][1:]], axis=1), jnp.stack([values[:-1], values[1:]], axis=1)),
    )
    volume, area, first, second = (jnp.sum(part, axis=0) for part in parts)
    return volume, area, first, second


def _tetrahedra(values: Float[Array, "t 4"], points: Float[Array, "t 4 3"]) -> tuple:
    """The integrals of the negative side of the linear interpolants on tetrahedra, summed."""
    negative = values < 0
    mask = jnp.sum(jnp.where(negative, jnp.asarray([1, 2, 4, 8], jnp.int32)[None], 0), axis=1)
    order = jnp.asarray(_ORDER)[mask]
    values = jnp.take_along_axis(values, order, axis=1)
    points = jnp.take_along_axis(points, order[:, :, None], axis=1)
    cuts = (values[:, :, None] < 0) & (values[:, None, :] >= 0)
    drop = jnp.where(cuts, values[:, :, None] - values[:, None, :], 1.0)
    share = jnp.where(cuts, values[:, :, None] / drop, 0.0)
    between = points[:, :, None] + share[..., None] * (points[:, None] - points[:, :, None])
    between = between.reshape(-1, 16, 3)
    count = jnp.sum(negative, axis=1)

    def corners(table: np.ndarray, per_part: int) -> Array:
        pick = jnp.asarray(4 * table[..., 0] + table[..., 1]).reshape(5, -1)[count]
        return jnp.take_along_axis(between, pick[:, :, None], axis=1).reshape(-1, per_part, 3)

    solid, cut = corners(_INSIDE, 4), corners(_CUT, 3)
    volume = _six_volumes(solid) * jnp.repeat(jnp.sign(_six_volumes(points)), 3) / 6.0
    total = jnp.sum(solid, axis=1)
    first = jnp.sum(volume[:, None] * total, axis=0) / 4.0
    stacked = jnp.concatenate([solid, total[:, None]], axis=1)
    second = jnp.einsum("t,tki,tkj->ij", volume, stacked, stacked) / 20.0
    area = 0.5 * jnp.sum(norm(jnp.cross(cut[:, 1] - cut[:, 0], cut[:, 2] - cut[:, 0])))
    return jnp.sum(volume), area, first, second


def _six_volumes(corners: Float[Array, "t 4 3"]) -> Float[Array, " t"]:
    sides = corners[:, 1:] - corners[:, :1]
    return jnp.sum(sides[:, 0] * jnp.cross(sides[:, 1], sides[:, 2]), axis=1)
