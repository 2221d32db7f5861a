"""The points of a quasicrystal in a region."""

import functools
from collections.abc import Sequence

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Float, Int32

from ..core import register
from ._cut_columns import Columns, columns
from ._cut_enumerate import enumerate_surface
from ._frames import frame
from ._lattice import is_named
from ._model import Model
from ._region import Placed, Region, placed
from ._window import ConvexWindow

_COMPILED_FROM = (
    100_000  # points: above, it is worth a third of a second to compile a program for their number
)


@register
class Cut(eqx.Module):
    """Points of a quasicrystal.

    Args:
        points: Where they are, in the unit of the lattice constant.
        perp: Their perpendicular coordinates with the shift, in units of the lattice constant.
        indices: The lattice points they are projected from.
        species: What the surface they belong to stands for.
        counts: How many points belong to each surface; they come in this order.
        singular: Whether a point lies on the boundary of its window, so that the cut depends on a convention: windows
            are closed here. The vertices of a tiling then have doubles; choose another shift.
    """

    points: Float[Array, "n d"]
    perp: Float[Array, "n m"]
    indices: Int32[Array, "n D"]
    species: Int32[Array, " n"]
    counts: tuple[int, ...] = eqx.field(static=True)
    singular: bool = eqx.field(static=True)

    def __len__(self) -> int:
        return len(self.points)


def cut(
    model: Model,
    *,
    radius: float | None = None,
    box: float | Sequence[float] | None = None,
    margin: float = 0.0,
    method: str = "auto",
) -> Cut:
    """All points of a quasicrystal in a ball or a box around the origin.

    Which lattice points belong to it is decided exactly: float64 decides those that are clear, numbers of 120
    digits the others. For the named frames without strain the work is linear in the number of points (by columns);
    other lattices are enumerated.

    This runs on the host and is not traced: which points there are is a matter of integers. To differentiate in the
    lattice or the windows, cut once, then call `positions` and `weights` with its result.

    Args:
        model: The quasicrystal, not traced.
        radius: The radius of a closed ball, in the unit of the lattice constant.
        box: Half the edges of a closed box, one number or one for each direction.
        margin: Take also points up to this far outside the faces of their windows, in units of the lattice constant:
            all that `weights` with this width may count. Boundaries then are those of float64.
        method: "columns", "enumerate", or "auto", which takes the first where it can.

    Returns:
        The points, in the order of the surfaces.

    Raises:
        ValueError: Neither or both of radius and box are given, one is not positive and finite, or the method is
            "columns" and the lattice is strained or has no frame.

    Example:
        >>> from geoembed.quasicrystal import cut, fibonacci
        >>> [f"{x:.3f}" for x in sorted(cut(fibonacci(), box=3.0).points[:, 0].tolist())]
        ['-2.618', '-1.618', '0.000', '1.618', '2.618']

    References:
        M. Baake, U. Grimm, Aperiodic Order, volume 1, 2013, chapter 7.
    """
    region = _region(radius, box, model.lattice.dimensions[0])
    if method not in ("auto", "columns", "enumerate"):
        raise ValueError(f'cut needs the method "auto", "columns" or "enumerate", received {method!r}')
    if not (np.isfinite(margin) and margin >= 0):
        raise ValueError(f"cut needs a finite margin ≥ 0, received {margin}")
    name = model.lattice.name
    by_columns = is_named(model.lattice) if method != "enumerate" else False
    if method == "columns" and not by_columns:
        raise ValueError('cut by columns needs a frame without strain: use the method "enumerate" or "auto"')
    surfaces = [placed(model, surface, float(margin)) for surface in model.surfaces]
    species = [surface.species for surface in model.surfaces]
    if by_columns and name is not None:
        return _cut_columns(
            model, surfaces, species, [columns(s, frame(name), region) for s in surfaces], region
        )
    found = [enumerate_surface(s, region) for s in surfaces]
    indices = [i for i, _ in found]
    return _collect(model, surfaces, species, indices, any(touched for _, touched in found))


def positions(model: Model, cut: Cut) -> Float[Array, "n d"]:
    """The points of a cut, differentiable in the lattice and in the positions of the surfaces."""
    return model.lattice.points(cut.indices) + _per_point(cut, _offsets(model)[0])


def perp_coordinates(model: Model, cut: Cut) -> Float[Array, "n m"]:
    """The perpendicular coordinates of a cut, differentiable in the lattice, the positions and the shift.

    Two points with close ones have the same neighbourhood: they are features of each point.
    """
    return model.lattice.perp(cut.indices) + _per_point(cut, _offsets(model)[1])


def weights(model: Model, cut: Cut, width: Float[Array, ""] | float) -> Float[Array, " n"]:
    """How much each point of a cut counts when windows have soft edges; differentiable in all of the model.

    Args:
        model: The quasicrystal.
        cut: The cut, made with a margin of at least the width.
        width: Half the thickness of the edge, in units of the lattice constant.
    """
    perp = perp_coordinates(model, cut)
    stops = np.cumsum([0, *cut.counts]).tolist()
    parts = [
        surface.window.soft(perp[a:b], width)
        for surface, a, b in zip(model.surfaces, stops[:-1], stops[1:], strict=True)
    ]
    return jnp.concatenate(parts)


def _offsets(model: Model) -> tuple[Array, Array]:
    """What the position of each surface adds to the points and to the perpendicular coordinates."""
    dtype = model.lattice.parallel.dtype
    zero = jnp.zeros(sum(model.lattice.dimensions), dtype)
    at = jnp.stack([zero if s.position is None else s.position for s in model.surfaces])
    return model.lattice.points(at), model.lattice.perp(at) + model.shift[None]


def _per_point(cut: Cut, rows: Array) -> Array:
    return jnp.repeat(rows, np.array(cut.counts), axis=0, total_repeat_length=len(cut))


def _region(radius: float | None, box: float | Sequence[float] | None, d: int) -> Region:
    if (radius is None) == (box is None):
        raise ValueError("cut needs either a radius or a box")
    half = np.broadcast_to(np.asarray(box if radius is None else radius, np.float64), (d,))
    if not (np.all(np.isfinite(half)) and np.all(half > 0)):
        raise ValueError(f"cut needs a positive and finite size, received {radius if box is None else box}")
    return Region(half, radius)


def _cut_columns(
    model: Model, surfaces: list[Placed], species: list[int], found: list[Columns], region: Region
) -> Cut:
    dtype = model.lattice.parallel.dtype
    counts = [int(c.counts.sum()) for c in found]
    d, _ = model.lattice.dimensions
    # the tables of all surfaces one after the other
    sizes = np.array([[len(table) for table in c.numerators] for c in found])
    starts = np.cumsum(sizes, axis=0) - sizes
    rows = np.concatenate([c.rows + s[None, :-1] for c, s in zip(found, starts, strict=True)])
    first = np.concatenate([c.first + s[-1] for c, s in zip(found, starts, strict=True)])
    lengths = np.concatenate([c.counts for c in found])
    tables = [
        (
            np.concatenate([c.parallel[i] for c in found]).astype(dtype),
            np.concatenate([c.perpendicular[i] for c in found]).astype(dtype),
            np.concatenate([c.numerators[i] for c in found]).astype(np.int32),
        )
        for i in range(d)
    ]
    straight = all(_on_own_axis(table, i) for i, (x, q, _) in enumerate(tables) for table in (x, q))
    divisor = found[0].divisor
    points, perp, indices = _expand(
        tables,
        rows.astype(np.int32),
        first.astype(np.int32),
        lengths.astype(np.int32),
        sum(counts),
        divisor,
        straight,
    )
    singular = any(c.singular for c in found)
    if any(c.loose for c in found):
        host = np.asarray(indices)
        stops = np.cumsum([0, *counts])
        kept = []
        for surface, a, b in zip(surfaces, stops[:-1], stops[1:], strict=True):
            part = host[a:b].astype(np.int64)
            accepted = surface.in_region(part, region)
            if not isinstance(surface.window, ConvexWindow):
                accepted[accepted], touched = surface.accepts(part[accepted])
                singular |= touched
            kept.append(a + np.flatnonzero(accepted))
        chosen = np.concatenate(kept)
        counts = [len(k) for k in kept]
        points, perp, indices = (np.asarray(part)[chosen] for part in (points, perp, indices))
    kinds = np.repeat(np.array(species, np.int32), counts)
    points, perp, indices, kinds = jax.device_put((points, perp, indices, kinds))
    return Cut(points, perp, indices, kinds, tuple(counts), singular)


def _on_own_axis(table: np.ndarray, i: int) -> bool:
    """Whether the part of this axis has no other component."""
    return bool(np.all(np.delete(table, i, axis=1) == 0))


def _expand(tables, rows, first, lengths, count, divisor, straight):
    """The points of all columns: [count, d], [count, m] and [count, D]."""
    if count >= _COMPILED_FROM:
        return _expand_compiled(tables, rows, first, lengths, count, divisor, straight)
    column = np.repeat(np.arange(len(lengths), dtype=np.int32), lengths)
    return _gather(np, tables, rows, first, lengths, column, divisor, straight)


@functools.partial(jax.jit, static_argnums=(4, 5, 6))
def _expand_compiled(tables, rows, first, lengths, count, divisor, straight):
    column = jnp.repeat(jnp.arange(len(lengths), dtype=jnp.int32), lengths, total_repeat_length=count)
    return _gather(jnp, tables, rows, first, lengths, column, divisor, straight)


def _gather(xp, tables, rows, first, lengths, column, divisor, straight):
    starts = xp.cumsum(lengths, dtype=lengths.dtype) - lengths
    last = (first - starts)[column] + xp.arange(len(column), dtype=column.dtype)
    entries = [rows[column, i] for i in range(rows.shape[1])] + [last]
    pairs = list(zip(tables, entries, strict=True))

    def total(part):
        return functools.reduce(xp.add, [table[part][entry] for table, entry in pairs])

    def stacked(part):
        return xp.stack([table[part][:, i][entry] for i, (table, entry) in enumerate(pairs)], 1)

    points, perp = (stacked(part) if straight else total(part) for part in (0, 1))
    return points, perp, total(2) // divisor


def _collect(
    model: Model, surfaces: list[Placed], species: list[int], found: list[np.ndarray], singular: bool
) -> Cut:
    dtype = model.lattice.parallel.dtype
    points = np.concatenate([s.points(i) for s, i in zip(surfaces, found, strict=True)])
    perp = np.concatenate([s.perp(i) for s, i in zip(surfaces, found, strict=True)])
    counts = tuple(len(i) for i in found)
    kinds = np.repeat(np.array(species, np.int32), counts)
    indices = np.concatenate(found).astype(np.int32)
    points, perp, indices, kinds = jax.device_put((points.astype(dtype), perp.astype(dtype), indices, kinds))
    return Cut(points, perp, indices, kinds, counts, singular)
