"""The tables of a potential that have a row for each element, on the host."""

from collections.abc import Sequence
from typing import Any, TypeVar

import equinox as eqx
import numpy as np
from jaxtyping import Array, Float64, PRNGKeyArray

from ..core import host_generator, on_device
from ._element_arrays import ElementArray, element_arrays, made_of, with_element_arrays
from ._heads import HeadsPotential
from ._mace import MacePotential

AnyPotential = MacePotential | HeadsPotential
P = TypeVar("P", MacePotential, HeadsPotential)


def first_of(potential: AnyPotential) -> MacePotential:
    """The potential itself, or that of the first head."""
    return potential.potential if isinstance(potential, HeadsPotential) else potential


def heads_of(potential: AnyPotential) -> list[Any]:
    """All that have energies of free atoms."""
    others = potential.others if isinstance(potential, HeadsPotential) else ()
    return [first_of(potential), *others]


def known_numbers(potential: AnyPotential) -> list[int]:
    """The atomic numbers of the elements that it knows, in the order of their rows."""
    numbers = first_of(potential).numbers
    return numbers[numbers > 0].tolist()


def known_vectors(potential: AnyPotential) -> Float64[np.ndarray, "known size"]:
    """Their vectors, in the same order."""
    table = first_of(potential).encoder.elements
    return np.asarray(table.vectors, np.float64)[np.asarray(table.numbers) > 0]


def with_room(potential: P, number: int) -> tuple[P, int]:
    """The potential with a row for the element, of zeros, and which row it is."""
    numbers = np.asarray(first_of(potential).numbers)
    free = np.flatnonzero(numbers == 0)
    row = int(free[0]) if len(free) else len(numbers)
    arrays = [np.asarray(array) for array in _by_row(potential)]
    if not len(free):
        arrays = [np.concatenate([array, np.zeros_like(array[:1])]) for array in arrays]
    values = [number, *[0.0] * (len(arrays) - 1)]
    return eqx.tree_at(
        _by_row, potential, [_set(a, row, v) for a, v in zip(arrays, values, strict=True)]
    ), row


def _by_row(potential: AnyPotential) -> list[Any]:
    """The arrays with a row for each element: numbers, vectors, energies of each head."""
    table = first_of(potential).encoder.elements
    return [table.numbers, table.vectors, *(head.energies for head in heads_of(potential))]


def _set(array: np.ndarray, row: int, value: Any) -> Array:
    """The array with another row, in its own dtype whatever jax's mode is; nothing is compiled."""
    changed = np.array(array)
    changed[row] = value
    return on_device(changed)


def placed(
    potential: P, row: int, vector: Float64[np.ndarray, " size"], mixture: Float64[np.ndarray, " known"]
) -> P:
    """The vector in its row, and the mixture of the known energies as E0."""
    table = first_of(potential).encoder.elements
    taken = np.flatnonzero((np.asarray(table.numbers) > 0) & (np.arange(len(table.numbers)) != row))
    energies = [float(mixture @ np.asarray(h.energies, np.float64)[taken]) for h in heads_of(potential)]
    changed = eqx.tree_at(
        lambda p: first_of(p).encoder.elements.vectors,
        potential,
        _set(np.asarray(table.vectors), row, vector),
    )
    return with_energies(changed, row, energies)


def with_energies(potential: P, row: int, energies: Sequence[float]) -> P:
    """E0 of the element in this row, one for each head, eV."""
    values = [
        _set(np.asarray(head.energies), row, value)
        for head, value in zip(heads_of(potential), energies, strict=True)
    ]
    return eqx.tree_at(lambda p: [head.energies for head in heads_of(p)], potential, values)


def widened(potential: P, before: P, row: int, key: PRNGKeyArray | None) -> P:
    """Vectors with one number more, 1 for the new element and 0 for all others, and weights for it."""
    first = first_of(potential)
    vectors = np.asarray(first.encoder.elements.vectors)
    longer = np.concatenate([vectors, np.zeros_like(vectors[:, :1])], axis=1)
    longer[row] = 0
    longer[row, -1] = 1
    draw = None if key is None else host_generator(key)
    arrays = []
    for array in element_arrays(first.encoder):
        column = _column(array, vectors[row].astype(np.float64), known_vectors(before), draw)
        old = np.asarray(array.values)
        arrays.append(
            on_device(np.concatenate([old, np.expand_dims(column, array.axis).astype(old.dtype)], array.axis))
        )
    encoder = with_element_arrays(first.encoder, arrays)
    encoder = eqx.tree_at(lambda e: e.elements.vectors, encoder, on_device(longer))
    return eqx.tree_at(lambda p: first_of(p).encoder, potential, encoder)


def _column(
    array: ElementArray,
    vector: Float64[np.ndarray, " size"],
    known: Float64[np.ndarray, "known size"],
    draw: np.random.Generator | None,
) -> np.ndarray:
    """The weights that the vector makes, or random ones as large as those of known elements."""
    if draw is None:
        return made_of(vector[None], array)[0]
    weights = made_of(known, array)
    return draw.normal(size=weights.shape[1:]) * np.sqrt(np.mean(weights**2)) if weights.size else weights[0]
