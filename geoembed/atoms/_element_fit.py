"""The vector of an element that fits labelled structures best: a least squares problem of few numbers."""

import dataclasses
from collections.abc import Callable, Iterator, Sequence
from typing import Any

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Float, Float64

from ._batch import Batch
from ._element_rows import P, first_of, on_device
from ._frame import Frame
from ._pack import most_neighbours, pack
from ._pairs import neighbour_pairs
from ._predict import predict
from ._training._interaction import Interaction, precision, real_type, reduced

_LENGTH = 0.1  # Å; an energy per atom that is wrong by this times a force is as bad as that force
_STEPS, _TOGETHER = 20, 8
_ENOUGH = 1e-4  # the relative decrease of the loss below which it ends


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
    over 0.1 Å. All other numbers of the potential stay. A local minimum, found from where the element is now by
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
        Marquardt, "An algorithm for least-squares estimation of nonlinear parameters", J. SIAM 11, 431 (1963).
    """
    number = int(first_of(potential).numbers[row])
    with precision(potential):
        batches = list(_batches(potential, frames))
        shares = [_share(batch, number) for batch in batches]
        table = first_of(potential).encoder.elements.vectors
        first = np.asarray(table)[row].astype(np.float64)
        along = on_device(directions.astype(table.dtype))

        def system(point: np.ndarray) -> tuple[float, np.ndarray, np.ndarray]:
            vector = on_device((first + point[:-1] @ directions).astype(table.dtype))
            energy = on_device(np.asarray(point[-1], table.dtype))
            pairs = zip(batches, shares, strict=True)
            parts = [_normal(potential, vector, energy, along, row, *pair) for pair in pairs]
            loss, slope, matrix, size = (
                sum(np.asarray(part, np.float64) for part in column) for column in zip(*parts, strict=True)
            )
            if not move_energy:
                slope[-1] = matrix[-1] = matrix[:, -1] = 0.0
            return float(loss / size), slope / size, matrix / size

        found, before, after = _marquardt(np.zeros(len(directions) + 1), system)
    changed = np.array(table)
    changed[row] = first + found[:-1] @ directions
    energies = np.array(first_of(potential).energies)
    energies[row] += found[-1]
    moved = eqx.tree_at(
        lambda p: (first_of(p).encoder.elements.vectors, first_of(p).energies),
        potential,
        (on_device(changed), on_device(energies)),
    )
    return moved, float(np.sqrt(before)), float(np.sqrt(after))


def _marquardt(
    point: np.ndarray, system: Callable[[np.ndarray], tuple[float, np.ndarray, np.ndarray]]
) -> tuple[np.ndarray, float, float]:
    """Damped Gauss–Newton steps; the damping follows their success."""
    damping = 1e-2
    loss, slope, matrix = system(point)
    first = loss
    for _ in range(_STEPS):
        scales = np.maximum(np.diag(matrix), 1e-12 * np.max(np.diag(matrix)) + 1e-300)
        step = np.linalg.solve(matrix + damping * np.diag(scales), -slope)
        new = system(point + step)
        if not new[0] < loss:
            damping *= 8
            continue
        gain, point = loss - new[0], point + step
        loss, slope, matrix = new
        damping = max(damping / 8, 1e-9)
        if gain < _ENOUGH * loss:
            break
    return point, first, loss


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
    energy: Float[Array, ""],
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
        wrong = (said.energy + energy * share * counts - labels.energy) * weight
        return jnp.concatenate([wrong, jnp.reshape(said.forces - labels.forces, -1)])

    found = residuals(vector)
    known = jnp.isfinite(found)
    columns = jax.lax.map(lambda along: jax.jvp(residuals, (vector,), (along,))[1], directions)
    by_energy = jnp.zeros_like(found).at[: len(share)].set(share * counts * weight)
    rows = jnp.where(known[None], jnp.concatenate([columns, by_energy[None]]), 0.0)
    kept = jnp.where(known, found, 0.0)
    size = jnp.sum(known[len(share) :]) + jnp.sum(jnp.where(known[: len(share)], 3 * batch.counts, 0))
    return kept @ kept, rows @ kept, rows @ rows.T, size
