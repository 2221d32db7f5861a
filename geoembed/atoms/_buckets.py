"""Few shapes for many structures, so that few programs are compiled."""

import math
from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from jaxtyping import Float64, Int64

from ..core import InputError
from ._pack import Sizes

_DRAWS = 2048  # batches drawn to see which shapes occur
_SLACK = 0.1  # more padding than this is not accepted only to save a compilation


class Buckets(NamedTuple):
    """The shapes that batches of a data set may have.

    Args:
        shapes: Numbers of atoms and of neighbours of each atom, by ascending product; the last one holds every batch.
        structures: The number of structures, always the same.
        kinds: Numbers of kinds of atoms, ascending.
        waste: The part of the slots that is padding of the shape, on the average over random batches. What atoms
            with few neighbours leave empty beside those with many comes on top.
    """

    shapes: tuple[tuple[int, int], ...]
    structures: int
    kinds: tuple[int, ...]
    waste: float

    @property
    def count(self) -> int:
        """How many shapes there are at most."""
        return len(self.shapes) * len(self.kinds)

    def fit(self, atoms: int, slots: int, kinds: int) -> Sizes:
        """The smallest bucket with at least so many atoms, neighbours and kinds.

        Raises:
            InputError: There is none.
        """
        shape = next((s for s in self.shapes if s[0] >= atoms and s[1] >= slots), None)
        table = next((k for k in self.kinds if k >= kinds), None)
        if shape is None or table is None:
            largest = (*self.shapes[-1], self.kinds[-1])
            reason = f"a batch needs {(atoms, slots, kinds)} atoms, slots and kinds, the largest bucket has {largest}"
            raise InputError(
                "buckets", "", reason, "choose buckets for the data set that the batch comes from"
            )
        return Sizes(*shape, self.structures, table)


def choose_buckets(
    atoms: Int64[np.ndarray, " frames"],
    slots: Int64[np.ndarray, " frames"],
    kinds: Int64[np.ndarray, " numbers"],
    structures: int,
    *,
    shapes: int = 6,
    growth: float = 1.1,
) -> Buckets:
    """Shapes for batches of some structures each, however they are drawn.

    Batches are drawn at random; those in the same step of a ladder share a shape. Of the shapes that occur, the
    two whose union adds the least padding become one, again and again: as long as padding stays within a tenth of
    the least there can be, and until there are no more than asked for. The largest shape that any batch can need is
    always among them, and costs nothing unless it occurs. The choice is the same in every run.

    Args:
        atoms: The number of atoms of each frame.
        slots: The largest number of neighbours of an atom of each frame.
        kinds: Numbers of kinds of atoms that a batch may have.
        structures: How many structures make a batch.
        shapes: How many shapes there may be; more are compiled more often and waste less.
        growth: From one step of the ladder to the next, above 1.

    Returns:
        The shapes.

    Raises:
        InputError: There are no frames, `structures` or `shapes` is not positive, or `growth` not above 1.

    Example:
        >>> sizes = np.array([10, 20, 20, 40])
        >>> choose_buckets(sizes, sizes, np.array([1]), 2, shapes=2).shapes
        ((40, 20), (60, 40))
    """
    if len(atoms) == 0 or structures < 1 or shapes < 1 or not 1 < growth < math.inf:
        reason = (
            f"{len(atoms)} frames, {structures} in a batch, {shapes} shapes and growth={growth} do not fit"
        )
        raise InputError("batches", "", reason, "give frames, one in a batch or more, and a growth above 1")
    count = min(structures, len(atoms))
    most = (max(int(np.sort(atoms)[-count:].sum()), 1), max(int(slots.max()), 1))
    drawn = _draw(atoms, slots, count)
    steps = np.stack([_step(drawn[:, k], most[k], growth) for k in range(2)], axis=1)
    group, often = np.unique(steps, axis=0, return_inverse=True, return_counts=True)[1:]
    found = np.zeros((len(often) + 1, 2), np.int64)
    np.maximum.at(found, group.ravel(), drawn)
    found[-1] = most
    often = np.append(often, 0)
    kept = _merge(found.astype(np.float64), often.astype(np.float64), shapes)
    ladder = tuple(sorted({*map(tuple, kept.astype(int).tolist())}, key=lambda s: (s[0] * s[1], s)))
    result = Buckets(ladder, structures, _halvings(int(kinds.max()), int(kinds.min())), 0.0)
    room = sum(math.prod(result.fit(int(a), int(s), 1)[:2]) for a, s in drawn)
    return result._replace(waste=1 - int(np.sum(np.prod(drawn, axis=1))) / room if room else 0.0)


def _draw(atoms: np.ndarray, slots: np.ndarray, count: int) -> Int64[np.ndarray, "draws 2"]:
    """Atoms and slots of random batches."""
    rng, drawn = np.random.default_rng(0), []
    while len(drawn) < min(_DRAWS, 64 * len(atoms)):
        order = rng.permutation(len(atoms))
        for start in range(0, len(atoms) - count + 1, count):
            chosen = order[start : start + count]
            drawn.append((atoms[chosen].sum(), slots[chosen].max()))
    return np.array(drawn[:_DRAWS], np.int64)


def _step(values: np.ndarray, most: int, growth: float) -> Int64[np.ndarray, " draws"]:
    """How many steps of the ladder below `most`."""
    return np.floor(np.log(most / np.maximum(values, 1)) / math.log(growth) + 1e-9).astype(np.int64)


def _merge(
    found: Float64[np.ndarray, "shapes 2"], often: Float64[np.ndarray, " shapes"], shapes: int
) -> Float64[np.ndarray, "fewer 2"]:
    """Joins shapes two by two, those first whose union adds the least padding."""
    least = total = float(np.sum(often * np.prod(found, axis=1)))
    while len(found) > 1:
        size = np.prod(found, axis=1)
        union = np.maximum(found[:, None], found[None])
        both = np.prod(union, axis=2)
        added = often[:, None] * (both - size[:, None]) + often[None] * (both - size[None])
        np.fill_diagonal(added, np.inf)
        i, j = np.unravel_index(int(np.argmin(added)), added.shape)
        total += float(added[i, j])
        if len(found) <= shapes and total > (1 + _SLACK) * least:
            break
        keep = np.setdiff1d(np.arange(len(found)), [i, j])
        found = np.concatenate([found[keep], union[i, j][None]])
        often = np.concatenate([often[keep], [often[i] + often[j]]])
    return found


def _halvings(most: int, least: int) -> tuple[int, ...]:
    """`most`, its half, and so on, down to the last that is not below `least`."""
    steps: Sequence[int] = [max(most, 1)]
    while steps[-1] > 1 and math.ceil(steps[-1] / 2) >= max(least, 1):
        steps = [*steps, math.ceil(steps[-1] / 2)]
    return tuple(reversed(steps))
