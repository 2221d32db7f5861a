"""Energies without those of the isolated atoms, which are too large for float32."""

from collections.abc import Sequence
from contextlib import AbstractContextManager, nullcontext
from dataclasses import replace
from typing import Any

import equinox as eqx
import jax
import numpy as np
from jaxtyping import Array, Float, Float64, Int64

from ...core import InputError, is_parameter
from .._batch import Batch
from .._elements import SYMBOLS
from .._frame import Frame


class Interaction(eqx.Module):
    """A potential without the energies of the isolated atoms.

    A potential may have the method `interaction(batch)`, the energies of the atoms without those of the isolated atoms,
    and then `isolated(numbers)`, these in float64 on the host. One without has no such energies.

    Args:
        potential: The potential.
    """

    potential: Any

    def __call__(self, batch: Batch) -> Float[Array, " atoms"]:
        return getattr(self.potential, "interaction", self.potential)(batch)


def isolated(potential: Any, numbers: Int64[np.ndarray, " atoms"]) -> Float64[np.ndarray, " atoms"]:
    """The energy of each atom alone, eV."""
    if not hasattr(potential, "interaction"):
        return np.zeros(len(numbers))
    return np.asarray(potential.isolated(numbers), np.float64)


def reduced(potential: Any, frames: Sequence[Frame]) -> list[Frame]:
    """The frames with energies from which those of the isolated atoms are taken away, in float64."""
    return [
        frame
        if frame.energy is None
        else replace(frame, energy=frame.energy - float(isolated(potential, frame.numbers).sum()))
        for frame in frames
    ]


def check_elements(potential: Any, frames: Sequence[Frame], name: str) -> None:
    """Raises InputError when a frame has an element that the potential does not know.

    A potential may say with `numbers` which it knows; 0 stands for none.
    """
    known = getattr(potential, "numbers", None)
    if known is None:
        return
    known = set(np.asarray(known).tolist()) - {0}
    for place, frame in enumerate(frames):
        strange = sorted(set(frame.numbers.tolist()) - known)
        if strange:
            listed = ", ".join(SYMBOLS[number - 1] for number in sorted(known))
            reason = f"the potential does not know the element {SYMBOLS[strange[0] - 1]}"
            raise InputError(name, f"frame {place}", reason, f"It knows {listed}")


def real_type(potential: Any) -> str:
    """The dtype in which a potential computes: that of its first trained array."""
    found = [leaf.dtype for leaf in jax.tree.leaves(potential) if is_parameter(leaf)]
    return str(found[0]) if found else "float32"


def precision(potential: Any) -> AbstractContextManager[Any]:
    """The mode of jax in which a potential computes: float64 needs x64, float32 is right in either."""
    return jax.enable_x64(True) if real_type(potential) == "float64" else nullcontext()
