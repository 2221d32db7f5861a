"""The vector of an element that fits labelled structures best: a least squares problem of few numbers."""

import dataclasses
from collections.abc import Callable, Iterator, Sequence
from typing import Any, NamedTuple

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Float, Float64

from ..core import on_device
from ._batch import Batch
from ._element_rows import P, first_of
from ._frame import Frame
from ._pack import most_neighbours, pack
from ._pairs import neighbour_pairs
from ._predict import predict
from ._training._interaction import Interaction, precision, real_type, reduced

_LENGTH = 1.0  # Å; an energy per atom that is wrong by this times a force is as bad as that force
_NOTHING = 1e-12  # of the loss at the start
_STEPS, _TOGETHER = 20, 8
_ENOUGH = 1e-4  # it ends when a step promises a smaller relative decrease of the loss


def fitted_vector(
    potential: P,
    frames: Sequence[Frame],
    row: int,
    directions: Float64[np.ndarray, "directions size"],
    *,
    move_energy: bool,
) -> tuple[P, float, float]:
    """Moves the vector of one element, and its E0, to where energies and forces are met best.

    The mean of the squares of force components becomes least, with those of energies per atom, which count as forces
    over 1 Å. All other numbers of the potential stay. A local minimum, found from where the element is now by
    Levenberg and Marquardt's method.

    Args:
        potential: The potential; of one with several heads the first.
        frames: Labelled structures that have the element, and only elements that the potential knows.
        row: The row of the element.
        directions: In which the vector can move.
        move_energy: Whether E0 moves too.

    Returns:
        The potential, and the root of the loss before and after, eV/Å.

    References:
        Marquardt, "An algorithm for least-squares estimation of nonlinear parameters", J. SIAM 11, 431 (1963); Golub,
        Pereyra, "The differentiation of pseudo-inverses and nonlinear least squares problems whose variables separate",
        SIAM J. Numer. Anal. 10, 413 (1973).
    """
    number = int(first_of(potential).numbers[row])
    with precision(potential):
        batches = list(_batches(potential, frames))
        shares = [_share(batch, number) for batch in batches]
        table = first_of(potential).encoder.elements.vectors
        first = np.asarray(table)[row].astype(np.float64)
        along = on_device(directions.astype(table.dtype))

        def system(point: np.ndarray) -> _System:
            vector = on_device((first + point @ directions).astype(table.dtype))
            pairs = zip(batches, shares, strict=True)
            parts = [_normal(potential, vector, along, row, *pair) for pair in pairs]
            loss, slope, matrix, size = (
                np.sum([np.asarray(part, np.float64) for part in column], axis=0)
                for column in zip(*parts, strict=True)
            )
            return _without_energy(float(loss / size), slope / size, matrix / size, move_energy)

        found, last, before = _marquardt(np.zeros(len(directions)), system)
    changed = np.array(table)
    changed[row] = first + found @ directions
    energies = np.array(first_of(potential).energies)
    energies[row] += last.energy
    moved = eqx.tree_at(
        lambda p: (first_of(p).encoder.elements.vectors, first_of(p).energies),
        potential,
        (on_device(changed), on_device(energies)),
    )
    return moved, float(np.sqrt(before)), float(np.sqrt(last.loss))


class _System(NamedTuple):
    """A least squares problem near a point: its loss, half the slope, the matrix of Gauss and Newton, the best E0."""

    loss: float
    slope: Float64[np.ndarray, " n"]
    matrix: Float64[np.ndarray, "n n"]
    energy: float


def _without_energy(loss: float, slope: np.ndarray, matrix: np.ndarray, move_energy: bool) -> _System:
    """The problem with the best E0 wherever the vector is: energies are linear in it (variable projection)."""
    if not (move_energy and matrix[-1, -1] > 0):
        return _System(loss, slope[:-1], matrix[:-1, :-1], 0.0)
    energy, along = -slope[-1] / matrix[-1, -1], matrix[:-1, -1]
    left = max(float(loss + slope[-1] * energy), 0.0)
    rest = matrix[:-1, :-1] - np.outer(along, along) / matrix[-1, -1]
    return _System(left, slope[:-1] + along * energy, rest, float(energy))


def _marquardt(
    point: np.ndarray, system: Callable[[np.ndarray], _System]
) -> tuple[np.ndarray, _System, float]:
    """Damped Gauss–Newton steps; the damping follows their success."""
    damping, now = 1e-2, system(point)
    first = now.loss
    for _ in range(_STEPS):
        sizes = np.diag(now.matrix)
        scales = np.diag(np.maximum(sizes, 1e-12 * np.max(sizes) + 1e-300))
        step = np.linalg.solve(now.matrix + damping * scales, -now.slope)
        if -(now.slope @ step) <= _ENOUGH * now.loss or now.loss <= _NOTHING * first:
            break
        new = system(point + step)
        if not new.loss < now.loss:
            damping *= 8
            continue
        point, now, damping = point + step, new, max(damping / 8, 1e-9)
    return point, now, first


def _batches(potential: P, frames: Sequence[Frame]) -> Iterator[Batch]:
    """Labelled batches of one shape, without what only reverse mode can differentiate."""
    frames = reduced(first_of(potential), frames)
    cutoff, dtype = float(first_of(potential).cutoff), real_type(potential)
    pairs = [neighbour_pairs(frame, cutoff) for frame in frames]
    kinds = np.unique(np.concatenate([frame.numbers for frame in frames])).tolist()
    slots = max(1, *(most_neighbours(one) for one in pairs))
    groups = [range(k, min(k + _TOGETHER, len(frames))) for k in range(0, len(frames), _TOGETHER)]
    atoms = max(sum(len(frames[k].numbers) for k in group) for group in groups)
    structures = max(len(group) for group in groups)
    for group in groups:
        some, own = [frames[k] for k in group], [pairs[k] for k in group]
        batch = pack(
            some, cutoff, atoms=atoms, slots=slots, structures=structures, kinds=kinds, dtype=dtype, pairs=own
        )
        yield dataclasses.replace(batch, neighbours=dataclasses.replace(batch.neighbours, reverse=None))


def _share(batch: Batch, number: int) -> Float[Array, " structures"]:
    """The part of the element in each structure."""
    owner, numbers = np.asarray(batch.owner), np.asarray(batch.kinds)[np.asarray(batch.kind)]
    size = batch.cells.shape[0]
    inside = owner < size
    counts = np.bincount(owner[inside], minlength=size)
    own = np.bincount(owner[inside & (numbers == number)], minlength=size)
    return on_device((own / np.maximum(counts, 1)).astype(batch.positions.dtype))


@eqx.filter_jit
def _normal(
    potential: Any,
    vector: Float[Array, " size"],
    directions: Float[Array, "directions size"],
    row: int,
    batch: Batch,
    share: Float[Array, " structures"],
) -> tuple[Array, Array, Array, Array]:
    """The sum of squares, half its slope, the matrix of Gauss and Newton, and how many residuals there are.

    The energy of a structure counts as much as all components of its forces.
    """
    counts = batch.counts.astype(share.dtype)
    weight = jnp.sqrt(3 * counts) / (_LENGTH * jnp.maximum(counts, 1))
    labels = batch.labels
    assert labels is not None

    def residuals(vector: Array) -> Array:
        where = lambda p: first_of(p).encoder.elements.vectors  # noqa: E731
        moved = eqx.tree_at(where, potential, where(potential).at[row].set(vector))
        said = predict(Interaction(moved), batch)
        assert said.forces is not None
        wrong = (said.energy - labels.energy) * weight
        return jnp.concatenate([wrong, jnp.reshape(said.forces - labels.forces, -1)])

    found = residuals(vector)
    known = jnp.isfinite(found)
    columns = jax.lax.map(lambda along: jax.jvp(residuals, (vector,), (along,))[1], directions)
    by_energy = jnp.zeros_like(found).at[: len(share)].set(share * counts * weight)
    rows = jnp.where(known[None], jnp.concatenate([columns, by_energy[None]]), 0.0)
    kept = jnp.where(known, found, 0.0)
    size = jnp.sum(known[len(share) :]) + jnp.sum(jnp.where(known[: len(share)], 3 * batch.counts, 0))
    return kept @ kept, rows @ kept, rows @ rows.T, size
