"""Structures of the old domain that are learned again, so that they are not forgotten."""

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import numpy as np

from ...core import InputError
from .._frame import Frame
from .._split import split
from .._training._evaluate import evaluate
from .._training._interaction import check_elements, isolated
from ._energies import EnergyChange

_BATCH = 16


def pseudo_labelled(potential: Any, frames: Sequence[Frame], *, batch: int = _BATCH) -> list[Frame]:
    """Structures with what a potential says about them in the place of labels.

    Where the labels of the old domain are not to be had, its structures with these still hold a potential to what it
    knew: learning without forgetting.

    Args:
        potential: The potential, before it learns anything new.
        frames: The structures; labels that they have are left out.
        batch: Structures in a batch.

    Returns:
        The structures with energies, forces, and stresses where there is a cell with a volume.

    Raises:
        InputError: There are no structures, or the potential does not know an element.

    References:
        Z. Li, D. Hoiem, "Learning without forgetting", IEEE PAMI 40, 2935 (2018), section 3.
    """
    check_elements(potential, frames, "structures for pseudo-labels")
    bare = [
        replace(frame, energy=0.0, forces=np.zeros_like(frame.positions), stress=_none(frame))
        for frame in frames
    ]
    found = evaluate(potential, bare, batch=batch)
    forces = np.split(found.forces[:, 1].reshape(-1, 3), np.cumsum([len(f.numbers) for f in frames])[:-1])
    stress = found.stress[:, 1].reshape(-1, 3, 3)
    said = []
    for place, frame in enumerate(frames):
        energy = found.energy[place, 1] * len(frame.numbers) + isolated(potential, frame.numbers).sum()
        own = None if bare[place].stress is None else stress[place]
        said.append(replace(frame, energy=float(energy), forces=forces[place], stress=own))
    return said


def replayed(old: Sequence[Frame], count: int, *, weight: float = 1.0, seed: int) -> list[Frame]:
    """Some structures of the old domain, drawn at random, with a weight in the loss.

    Args:
        old: The structures of the old domain.
        count: How many; all, if there are fewer.
        weight: By which their own weights are multiplied.
        seed: Of the draw.

    Raises:
        InputError: The count is below 1, or the weight is not positive.
    """
    if count < 1 or not (np.isfinite(weight) and weight > 0):
        reason = f"{count} structures of the weight {weight} are nothing to replay"
        raise InputError("replay", "", reason, "Give one or more, and a positive weight")
    (drawn,) = split(old, (min(count, len(old)),), seed=seed)
    return [replace(frame, weight=frame.weight * weight) for frame in drawn]


def moved(frames: Sequence[Frame], change: EnergyChange) -> list[Frame]:
    """Structures whose energies are counted from other energies of isolated atoms.

    Labels of the old domain stay comparable with a potential whose E0 have moved: a shift of every atom of an element
    is a matter of the zero of energy, and is neither learned nor forgotten.
    """
    by = dict(zip(change.numbers.tolist(), (change.after - change.before).tolist(), strict=True))

    def energy(frame: Frame) -> float | None:
        return (
            None
            if frame.energy is None
            else frame.energy + sum(by.get(z, 0.0) for z in frame.numbers.tolist())
        )

    return [replace(frame, energy=energy(frame)) for frame in frames]


def _none(frame: Frame) -> np.ndarray | None:
    """A stress to be overwritten, where the structure has a volume."""
    if frame.cell is None or not np.all(frame.pbc) or abs(np.linalg.det(frame.cell)) < 1e-12:
        return None
    return np.zeros((3, 3))
