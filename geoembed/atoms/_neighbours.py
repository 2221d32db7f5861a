"""Which atoms are near which, in arrays of fixed shape."""

import equinox as eqx
import jax
import numpy as np
from jaxtyping import Array, Bool, Float, Int


class Neighbours(eqx.Module):
    """Neighbours of every atom in as many slots for each; `mask` says which slots are taken.

    Slot s of atom i holds an image of atom index[i, s], shifted by shift[i, s] cell vectors. Every pair appears
    twice, once for each of its atoms; an atom may be its own neighbour through a periodic image.

    Args:
        index: The neighbour's atom; the atom itself in empty slots.
        shift: How many of each cell vector are added to the neighbour's position, whole numbers.
        mask: Whether the slot holds a neighbour.
        reverse: Where the same pair stands seen from the neighbour, as atom · slots + slot; the slot itself where it is
            empty. None if not known.
    """

    index: Int[Array, "atoms slots"]
    shift: Float[Array, "atoms slots 3"]
    mask: Bool[Array, "atoms slots"]
    reverse: Int[Array, "atoms slots"] | None = None


def fill_slots(
    atom: np.ndarray, neighbour: np.ndarray, shift: np.ndarray, atoms: int, slots: int, dtype: np.dtype
) -> Neighbours:
    """Pairs that are sorted by the atom, each in both orders, in slots of every atom; on the host."""
    near = np.bincount(atom, minlength=atoms)
    slot = np.arange(len(atom)) - (np.cumsum(near) - near)[atom]
    index = np.repeat(np.arange(atoms, dtype=np.int32)[:, None], slots, axis=1)
    places = np.zeros((atoms, slots, 3), dtype)
    mask = np.zeros((atoms, slots), bool)
    reverse = np.arange(atoms * slots, dtype=np.int32).reshape(atoms, slots)
    index[atom, slot] = neighbour
    places[atom, slot] = shift
    mask[atom, slot] = True
    reverse[atom, slot] = (atom * slots + slot)[_turned(atom, neighbour, shift)]
    return Neighbours(*(jax.device_put(values) for values in (index, places, mask, reverse)))


def _turned(atom: np.ndarray, neighbour: np.ndarray, shift: np.ndarray) -> np.ndarray:
    """For each pair the place of the same pair in the other order."""
    here, there = pair_order(atom, neighbour, shift), pair_order(neighbour, atom, -shift)
    places = np.empty(len(atom), np.int64)
    places[here] = there
    return places


def pair_order(first: np.ndarray, second: np.ndarray, shift: np.ndarray) -> np.ndarray:
    """What sorts pairs by the first atom, then the second, then the shift; one sort by one number where that fits."""
    columns = [values.astype(np.int64) for values in (first, second, *shift.T)]
    key, size = np.zeros(len(first), np.int64), 1
    for values in columns:
        low, high = int(values.min(initial=0)), int(values.max(initial=0))
        size *= high - low + 1
        if size > 2**62:
            return np.lexsort(columns[::-1])
        key = key * (high - low + 1) + (values - low)
    return np.argsort(key, kind="stable")
