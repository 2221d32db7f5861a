"""The batches of a data set, in an order that can be taken up again anywhere."""

from collections.abc import Iterator, Sequence
from typing import NamedTuple

import numpy as np

from ..core import InputError
from ._batch import Batch
from ._buckets import Buckets, choose_buckets
from ._frame import Frame
from ._pack import Sizes, most_neighbours, pack, real_dtype
from ._pairs import Pairs, neighbour_pairs

_SAME_KINDS = 8


class Cursor(NamedTuple):
    """A place in a run through the data: the batch that comes next.

    Args:
        epoch: How often all frames were seen.
        step: How many batches of this epoch were seen.
    """

    epoch: int = 0
    step: int = 0


class Batches(Iterator[Batch]):
    """An endless iterator over the batches of a data set; make it with `batches`.

    The batch at (epoch, step) depends on nothing but the frames, the options and these two numbers.

    Attributes:
        cursor: Where the next batch stands; set it to continue an interrupted run bit for bit.
        steps: The number of batches in an epoch.
        buckets: The shapes that occur.
    """

    def __init__(
        self, frames: Sequence[Frame], pairs: list[Pairs], cutoff: float, buckets: Buckets, seed: int | None,
        last: bool, dtype: np.dtype,
    ):  # fmt: skip
        self.cursor = Cursor()
        self.buckets = buckets
        self._frames, self._pairs, self._cutoff = frames, pairs, cutoff
        self._seed, self._dtype = seed, dtype
        self._slots = np.array([most_neighbours(one) for one in pairs])
        self._elements = np.unique(np.concatenate([frame.numbers for frame in frames])).tolist()
        whole, rest = divmod(len(frames), buckets.structures)
        self.steps = whole + (1 if rest and (last or not whole) else 0)
        self._order: tuple[int, np.ndarray] = (-1, np.zeros(0, np.int64))

    def __next__(self) -> Batch:
        epoch, step = self.cursor
        batch = self.at(epoch, step)
        self.cursor = Cursor(epoch, step + 1) if step + 1 < self.steps else Cursor(epoch + 1, 0)
        return batch

    def epoch(self, number: int, *, start: int = 0) -> Iterator[Batch]:
        """The batches of one epoch, from step `start` on; the cursor follows."""
        self.cursor = Cursor(number, start)
        while self.cursor.epoch == number:
            yield next(self)

    def at(self, epoch: int, step: int) -> Batch:
        """The batch of one step of an epoch; the cursor stays."""
        chosen = self.indices(epoch, step)
        frames = [self._frames[k] for k in chosen]
        table = self._kinds(frames)
        sizes = self.sizes(epoch, step)
        return pack(
            frames,
            self._cutoff,
            atoms=sizes.atoms,
            slots=sizes.slots,
            structures=sizes.structures,
            kinds=sizes.kinds if table is None else table,
            dtype=self._dtype.name,
            pairs=[self._pairs[k] for k in chosen],
        )

    def indices(self, epoch: int, step: int) -> list[int]:
        """Which frames make the batch of one step of an epoch.

        Raises:
            InputError: The epoch has no such step.
        """
        if not (epoch >= 0 and 0 <= step < self.steps):
            reason = f"epoch {epoch}, step {step} does not exist: an epoch has {self.steps} steps"
            raise InputError(
                "batches", "cursor", reason, "continue with the data and options of the earlier run"
            )
        if self._order[0] != epoch:
            count = len(self._frames)
            order = np.arange(count)
            if self._seed is not None:
                order = np.random.default_rng([self._seed, epoch]).permutation(count)
            self._order = (epoch, order)
        size = self.buckets.structures
        return self._order[1][step * size : (step + 1) * size].tolist()

    def sizes(self, epoch: int, step: int) -> Sizes:
        """The shapes of the batch of one step of an epoch."""
        chosen = self.indices(epoch, step)
        frames = [self._frames[k] for k in chosen]
        table = self._kinds(frames)
        kinds = len(np.unique(np.concatenate([f.numbers for f in frames]))) if table is None else len(table)
        atoms = sum(len(frame.numbers) for frame in frames)
        return self.buckets.fit(atoms, int(self._slots[chosen].max()), kinds)

    def _kinds(self, frames: list[Frame]) -> list[int] | None:
        """All elements of the data set where these are few, so that every batch has the same."""
        return self._elements if len(self._elements) <= _SAME_KINDS else None


def batches(
    frames: Sequence[Frame],
    cutoff: float,
    structures: int,
    *,
    seed: int | None,
    shapes: int = 6,
    last: bool = True,
    dtype: str | None = None,
) -> Batches:
    """Batches of a data set in few shapes, shuffled anew in every epoch, with a cursor to continue from.

    Neighbours are found once, here. Shapes come from `choose_buckets`: a compiled function that takes a batch is
    compiled once for each shape that occurs.

    Args:
        frames: The data set.
        cutoff: Up to which distance atoms are neighbours, Å.
        structures: How many structures make a batch.
        seed: Of the order; None keeps the order of the frames.
        shapes: How many shapes there may be; more are compiled more often and waste less.
        last: Whether an epoch ends with the frames that fill no batch; else they wait for another epoch.
        dtype: Of all real arrays, float32 or float64; None takes jax's default.

    Returns:
        An endless iterator.

    Raises:
        InputError: There are no frames, or a frame or an option cannot be used.

    Example:
        >>> chain = [Frame(np.full(n, 18), np.eye(n, 3) * n, None, np.zeros(3, bool)) for n in (1, 2, 3, 2)]
        >>> stream = batches(chain, 5.0, 2, seed=0)
        >>> _ = next(stream)
        >>> stream.cursor, stream.steps, stream.buckets.shapes
        (Cursor(epoch=0, step=1), 2, ((3, 1), (4, 1), (5, 2)))
    """
    pairs = [neighbour_pairs(frame, cutoff) for frame in frames]
    elements = np.unique(np.concatenate([frame.numbers for frame in frames])) if frames else np.zeros(0)
    kinds = np.array(
        [len(np.unique(frame.numbers)) for frame in frames] if len(elements) > _SAME_KINDS else []
    )
    most = min(len(elements), structures * int(kinds.max(initial=len(elements))))
    buckets = choose_buckets(
        np.array([len(frame.numbers) for frame in frames], np.int64),
        np.array([most_neighbours(one) for one in pairs], np.int64),
        np.array([most, kinds.min(initial=most)], np.int64),
        structures,
        shapes=shapes,
    )
    return Batches(frames, pairs, cutoff, buckets, seed, last, real_dtype(dtype))
