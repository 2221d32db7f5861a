"""The points of a quasicrystal in a region."""

from collections.abc import Iterator, Sequence

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Float, Int32

from ..core import register
from ._cut_chunks import Parts, column_chunks, regrouped
from ._cut_columns import Columns, columns
from ._cut_enumerate import enumerate_surface, enumerated_chunks
from ._cut_write import Writer, aligned
from ._frames import frame
from ._lattice import is_named
from ._model import Model
from ._region import Placed, Region, placed

_CHUNK = 1_000_000  # points of which those outside are taken out at a time


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
    region, surfaces = _asked(model, radius, box, margin, method)
    found = _columns(model, surfaces, region, method)
    if found is None:
        enumerated = [enumerate_surface(surface, region) for surface in surfaces]
        parts = [_projected(model, s, indices) for s, (indices, _) in zip(surfaces, enumerated, strict=True)]
        touched = [singular for _, singular in enumerated]
    elif any(columns.loose for columns in found):
        pieces = [
            list(column_chunks(s, c, region, _dtype(model), _CHUNK))
            for s, c in zip(surfaces, found, strict=True)
        ]
        parts = [_joined([part for part, _ in several]) for several in pieces]
        touched = [singular for several in pieces for _, singular in several]
    else:
        parts, counts = _written(model, found, fields=3)
        return _cut(model, parts, counts, any(columns.singular for columns in found))
    return _cut(model, _joined(parts), [len(part[0]) for part in parts], any(touched))


def cut_points(
    model: Model, *, radius: float | None = None, box: float | Sequence[float] | None = None
) -> Float[Array, "n d"]:
    """The points of a cut and nothing else: a quarter of its memory, and several times as fast.

    Args:
        model: The quasicrystal, not traced.
        radius: As for `cut`.
        box: As for `cut`.

    Returns:
        `cut(...).points`.

    Raises:
        ValueError: Neither or both of radius and box are given, or one is not positive and finite.

    Example:
        >>> from geoembed.quasicrystal import cut_points, fibonacci
        >>> cut_points(fibonacci(), box=3.0).shape
        (5, 1)
    """
    region, surfaces = _asked(model, radius, box, 0.0, "auto")
    found = _columns(model, surfaces, region, "auto")
    if found is None or any(columns.loose for columns in found):
        return cut(model, radius=radius, box=box).points
    (points,), _ = _written(model, found, fields=1)
    return jax.device_put(points)


def cut_chunks(
    model: Model,
    *,
    radius: float | None = None,
    box: float | Sequence[float] | None = None,
    margin: float = 0.0,
    method: str = "auto",
    points: int = 1_000_000,
) -> Iterator[Cut]:
    """The points of a cut, some at a time: for more than memory holds.

    Besides one chunk this keeps a table of every axis and the columns, whose number grows with the face of the region,
    not with its volume. Enumeration keeps only its candidates.

    Args:
        model: The quasicrystal, not traced.
        radius: As for `cut`.
        box: As for `cut`.
        margin: As for `cut`.
        method: As for `cut`.
        points: How many points a chunk has. The last one of each surface has fewer; chunks without points are left
            out.

    Returns:
        An iterator of chunks. Together they are the points of `cut`; by columns in the same order, too. The flag
        `singular` of a chunk may be due to a point of another chunk of the same surface.

    Raises:
        ValueError: As for `cut`; or the number of points is not positive.

    Example:
        >>> from geoembed.quasicrystal import cut_chunks, penrose
        >>> sum(len(chunk) for chunk in cut_chunks(penrose(), box=20.0, points=500))
        1960
    """
    region, surfaces = _asked(model, radius, box, margin, method)
    if points < 1:
        raise ValueError(f"cut_chunks needs at least one point in a chunk, received {points}")
    found = _columns(model, surfaces, region, method)

    def chunks() -> Iterator[Cut]:
        for number, surface in enumerate(surfaces):
            if found is None:
                pieces = (
                    (_projected(model, surface, n), touched)
                    for n, touched in enumerated_chunks(surface, region)
                )
            else:
                pieces = column_chunks(surface, found[number], region, _dtype(model), points)
            for parts, touched in regrouped(pieces, points):
                counts = [0] * len(surfaces)
                counts[number] = len(parts[0])
                yield _cut(model, parts, counts, touched)

    return chunks()


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


def _asked(
    model: Model, radius: float | None, box: float | Sequence[float] | None, margin: float, method: str
) -> tuple[Region, list[Placed]]:
    """The region and the surfaces on the host."""
    if (radius is None) == (box is None):
        raise ValueError("cut needs either a radius or a box")
    d, _ = model.lattice.dimensions
    half = np.broadcast_to(np.asarray(box if radius is None else radius, np.float64), (d,))
    if not (np.all(np.isfinite(half)) and np.all(half > 0)):
        raise ValueError(f"cut needs a positive and finite size, received {radius if box is None else box}")
    if method not in ("auto", "columns", "enumerate"):
        raise ValueError(f'cut needs the method "auto", "columns" or "enumerate", received {method!r}')
    if not (np.isfinite(margin) and margin >= 0):
        raise ValueError(f"cut needs a finite margin ≥ 0, received {margin}")
    return Region(half, radius), [placed(model, surface, float(margin)) for surface in model.surfaces]


def _columns(model: Model, surfaces: list[Placed], region: Region, method: str) -> list[Columns] | None:
    """The columns of each surface, or None if the points have to be enumerated."""
    name = model.lattice.name if method != "enumerate" and is_named(model.lattice) else None
    if name is not None:
        return [columns(surface, frame(name), region) for surface in surfaces]
    if method == "columns":
        raise ValueError('cut by columns needs a frame without strain: use the method "enumerate" or "auto"')
    return None


def _written(model: Model, found: list[Columns], fields: int) -> tuple[Parts, list[int]]:
    """The points of all surfaces, each written into its place, and their numbers."""
    writers = [Writer(columns, _dtype(model), fields=fields) for columns in found]
    counts = [len(writer) for writer in writers]
    parts = writers[0].empty(sum(counts))
    stops = np.cumsum(counts)
    for writer, stop in zip(writers, stops, strict=True):
        writer.write([part[stop - len(writer) : stop] for part in parts])
    return parts, counts


def _projected(model: Model, surface: Placed, indices: np.ndarray) -> Parts:
    dtype = _dtype(model)
    return [
        surface.points(indices).astype(dtype),
        surface.perp(indices).astype(dtype),
        indices.astype(np.int32),
    ]


def _joined(pieces: list[Parts]) -> Parts:
    return [np.concatenate(part) for part in zip(*pieces, strict=True)]


def _cut(model: Model, parts: Parts, counts: list[int], singular: bool) -> Cut:
    species = aligned((sum(counts),), np.int32)
    stops = np.cumsum(counts)
    for surface, count, stop in zip(model.surfaces, counts, stops, strict=True):
        species[stop - count : stop] = surface.species
    points, perp, indices, species = jax.device_put((*parts, species))
    return Cut(points, perp, indices, species, tuple(counts), singular)


def _dtype(model: Model) -> np.dtype:
    return model.lattice.parallel.dtype
