"""Frames as batches of few shapes, for one device or several."""

from collections.abc import Sequence
from contextlib import AbstractContextManager, nullcontext
from dataclasses import replace
from typing import Any

import jax
import numpy as np

from ...core import InputError
from .._batch import Batch
from .._buckets import Buckets, choose_buckets
from .._frame import Frame
from .._pack import most_neighbours, pack
from .._pairs import neighbour_pairs
from ._steps import mesh_of, parted

_SHAPES = 3  # a program of a potential takes long to compile
_SAME_KINDS = 8  # up to so many elements, every batch has all of them


class Loader:
    """Packs some frames of a data set into a batch, with an axis for the devices in front.

    Neighbours are found once, here.

    Args:
        frames: All frames.
        cutoff: Å.
        size: Structures in a batch, over all devices.
        devices: How many devices share a batch.
        dtype: Of the real arrays.
        buckets: The shapes of the batches; None chooses them for these frames.

    Raises:
        InputError: The buckets are made for batches of fewer structures than a device gets.
    """

    def __init__(
        self,
        frames: Sequence[Frame],
        cutoff: float,
        size: int,
        devices: int,
        dtype: str,
        buckets: Buckets | None = None,
    ):
        self.frames, self.cutoff, self.size, self.devices, self.dtype = frames, cutoff, size, devices, dtype
        self.mesh = mesh_of(devices)
        self.pairs = [neighbour_pairs(frame, cutoff) for frame in frames]
        self.atoms = np.array([len(frame.numbers) for frame in frames])
        self.slots = np.array([most_neighbours(pairs) for pairs in self.pairs])
        self.elements = np.unique(np.concatenate([frame.numbers for frame in frames])).tolist()
        few = len(self.elements) <= _SAME_KINDS
        least = len(self.elements) if few else min(len(np.unique(frame.numbers)) for frame in frames)
        self.table = self.elements if few else None
        kinds, each = np.array([len(self.elements), least]), -(-size // devices)
        if buckets is None:
            buckets = choose_buckets(self.atoms, self.slots, kinds, each, shapes=_SHAPES)
        elif buckets.structures < each:
            reason = f"batches of {each} structures do not fit into buckets of {buckets.structures}"
            raise InputError("buckets", "structures", reason, "Choose them for batches of this size")
        self.buckets = buckets

    @property
    def count(self) -> int:
        """How many batches the frames make."""
        return -(-len(self.frames) // self.size)

    def members(self, order: np.ndarray, number: int) -> list[list[int]]:
        """For each device the frames of its part of a batch of the frames in some order."""
        chosen = np.asarray(order[number * self.size : (number + 1) * self.size]).tolist()
        return [chosen[at :: self.devices] for at in range(self.devices)]

    def batch(self, order: np.ndarray, number: int) -> Batch:
        """One batch; a device for which there is no frame gets one without labels."""
        parts = self.members(order, number)
        numbers = [np.unique(np.concatenate([self.frames[i].numbers for i in part or [0]])) for part in parts]
        sizes = self.buckets.fit(
            max(int(self.atoms[part or [0]].sum()) for part in parts),
            max(int(self.slots[part or [0]].max()) for part in parts),
            max(len(one) for one in numbers) if self.table is None else len(self.table),
        )
        with _on_host():
            packed = [
                pack(
                    [self.frames[i] for i in part]
                    or [replace(self.frames[0], energy=None, forces=None, stress=None)],
                    self.cutoff,
                    atoms=sizes.atoms,
                    slots=sizes.slots,
                    structures=sizes.structures,
                    kinds=sizes.kinds if self.table is None else self.table,
                    dtype=self.dtype,
                    pairs=[self.pairs[i] for i in part or [0]],
                )
                for part in parts
            ]
        return parted(
            jax.tree.map(lambda *leaves: np.stack([np.asarray(leaf) for leaf in leaves]), *packed), self.mesh
        )


def _on_host() -> AbstractContextManager[Any]:
    """Arrays made here stay on the host, where it is a device of jax."""
    try:
        return jax.default_device(jax.local_devices(backend="cpu")[0])
    except RuntimeError:
        return nullcontext()
