"""Frames of a file into arrays of fixed shape."""

import math
from collections.abc import Sequence
from typing import NamedTuple

import jax
import numpy as np

from ..core import InputError
from ._batch import Batch, Labels
from ._frame import Frame
from ._neighbours import Neighbours, fill_slots
from ._pairs import Pairs, check_cutoff, neighbour_pairs

MAX_SLOTS = 200_000_000  # atoms × slots; 6 GB in float64


class Sizes(NamedTuple):
    """The shapes of a batch.

    Args:
        atoms: The number of atoms after padding.
        slots: The number of neighbours of each atom after padding.
        structures: The number of structures after padding.
        kinds: The number of kinds of atoms after padding.
    """

    atoms: int
    slots: int
    structures: int
    kinds: int


def pack(
    frames: Sequence[Frame],
    cutoff: float,
    *,
    atoms: int | None = None,
    slots: int | None = None,
    structures: int | None = None,
    kinds: int | Sequence[int] | None = None,
    dtype: str | None = None,
    pairs: Sequence[Pairs] | None = None,
) -> Batch:
    """Puts structures one after the other, with their neighbours, padded to the sizes asked for.

    Args:
        frames: The structures.
        cutoff: Up to which distance atoms are neighbours, Å.
        atoms: The number of atoms after padding; None adds none. So for the others.
        slots: The number of neighbours of each atom after padding.
        structures: The number of structures after padding.
        kinds: The number of kinds of atoms after padding, or the atomic numbers themselves, ascending.
        dtype: Of all real arrays, float32 or float64; None takes jax's default, which is float64 in x64 mode.
        pairs: What `neighbour_pairs` gave for each frame, where that is known already.

    Returns:
        The batch.

    Raises:
        InputError: There are no frames, a frame or the cutoff cannot be used, or the batch would not fit in memory.
        ValueError: A size is smaller than what the frames need, an atom is of none of the kinds, or the dtype is
            another one, or float64 outside jax's x64 mode.

    Example:
        >>> frame = Frame(np.array([18, 18]), np.eye(3)[:2], None, np.zeros(3, bool))
        >>> pack([frame], 5.0, atoms=4).numbers
        Array([18, 18,  0,  0], dtype=int32)
    """
    check_cutoff(cutoff)
    if len(frames) == 0:
        raise InputError("frames", "", "there are none", "give one structure or more")
    kind = real_dtype(dtype)
    if pairs is None:
        pairs = [neighbour_pairs(frame, cutoff) for frame in frames]
    known = np.unique(np.concatenate([frame.numbers for frame in frames]))
    table = known if kinds is None or isinstance(kinds, int) else _table(kinds, known)
    sizes = Sizes(
        _size("atoms", atoms, sum(len(frame.numbers) for frame in frames)),
        _size("slots", slots, max(most_neighbours(one) for one in pairs)),
        _size("structures", structures, len(frames)),
        _size("kinds", kinds if isinstance(kinds, int) else None, len(table)),
    )
    if sizes.atoms * sizes.slots > MAX_SLOTS:
        reason = f"{sizes.atoms} atoms with {sizes.slots} neighbours each are too many for one batch"
        raise InputError("frames", "", reason, "take fewer structures, a smaller cutoff, or check the units")
    return _fill(frames, pairs, table, sizes, kind)


def real_dtype(name: str | None) -> np.dtype:
    """The dtype of that name, or jax's default one.

    Raises:
        ValueError: It is neither float32 nor float64, or float64 outside jax's x64 mode.
    """
    default = jax.dtypes.canonicalize_dtype("float64")
    if name is None:
        return np.dtype(default)
    if name not in ("float32", "float64"):
        raise ValueError(f"dtype={name!r} is unknown; expected float32 or float64")
    if name == "float64" and default != np.float64:
        raise ValueError("dtype='float64' needs jax's x64 mode: jax.config.update('jax_enable_x64', True)")
    return np.dtype(name)


def most_neighbours(pairs: Pairs) -> int:
    """The largest number of neighbours of one atom."""
    return int(np.bincount(pairs.atom).max(initial=0))


def _size(name: str, asked: int | None, needed: int) -> int:
    if asked is not None and asked < needed:
        raise ValueError(f"{name}={asked} is too small: the frames need {needed}")
    return needed if asked is None else asked


def _table(kinds: Sequence[int], known: np.ndarray) -> np.ndarray:
    table = np.asarray(kinds, np.int64)
    if table.ndim != 1 or np.any(np.diff(table) <= 0) or np.any(table < 1):
        raise ValueError(f"kinds={list(kinds)} are not atomic numbers in ascending order")
    if missing := sorted(set(known.tolist()) - set(table.tolist())):
        raise ValueError(f"kinds={list(kinds)} lack the atomic numbers {missing}")
    return table


def _fill(
    frames: Sequence[Frame], pairs: Sequence[Pairs], table: np.ndarray, sizes: Sizes, dtype: np.dtype
) -> Batch:
    counts = [len(frame.numbers) for frame in frames]

    def atoms(values: list[np.ndarray], empty: float, kind: type | np.dtype = dtype) -> jax.Array:
        return jax.device_put(_padded(np.concatenate(values).astype(kind), sizes.atoms, empty))

    def structures(values: list[np.ndarray], empty: float) -> jax.Array:
        return jax.device_put(_padded(np.stack(values).astype(dtype), sizes.structures, empty))

    return Batch(
        positions=atoms([frame.positions for frame in frames], 0.0),
        cells=structures([_or(frame.cell, (3, 3), 0.0) for frame in frames], 0.0),
        kinds=jax.device_put(_padded(table.astype(np.int32), sizes.kinds, 0)),
        kind=atoms([np.searchsorted(table, frame.numbers) for frame in frames], 0, np.int32),
        owner=atoms([np.full(count, k) for k, count in enumerate(counts)], sizes.structures, np.int32),
        neighbours=_neighbours(pairs, counts, sizes, dtype),
        labels=Labels(
            structures([_or(frame.energy, (), math.nan) for frame in frames], math.nan),
            atoms([_or(frame.forces, frame.positions.shape, math.nan) for frame in frames], math.nan),
            structures([_or(frame.stress, (3, 3), math.nan) for frame in frames], math.nan),
            structures([np.asarray(frame.weight) for frame in frames], 0.0),
        ),
    )


def _neighbours(pairs: Sequence[Pairs], counts: list[int], sizes: Sizes, dtype: np.dtype) -> Neighbours:
    starts = np.cumsum([0, *counts[:-1]])
    atom = np.concatenate([one.atom + start for one, start in zip(pairs, starts, strict=True)])
    other = np.concatenate([one.neighbour + start for one, start in zip(pairs, starts, strict=True)])
    shift = np.concatenate([one.shift for one in pairs])
    return fill_slots(atom, other, shift, sizes.atoms, sizes.slots, dtype)


def _or(value: object, shape: tuple[int, ...], empty: float) -> np.ndarray:
    return np.full(shape, empty) if value is None else np.asarray(value, np.float64)


def _padded(values: np.ndarray, length: int, empty: float) -> np.ndarray:
    rest = np.full((length - len(values), *values.shape[1:]), empty, values.dtype)
    return np.concatenate([values, rest])
