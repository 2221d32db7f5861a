"""What labelled structures say about a new element."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

import numpy as np
from jaxtyping import Float64

from ..core import InputError
from ._frame import Frame
from ._training._evaluate import Evaluation, evaluate


def with_symbol(frames: Sequence[Frame], number: int, symbol: str) -> list[Frame]:
    """The structures that have the element.

    Raises:
        InputError: There are none, or none of them has an energy or forces.
    """
    own = [frame for frame in frames if number in frame.numbers]
    if not own:
        raise InputError("frames", symbol, "no structure has this element", "Give structures that have it")
    if all(frame.energy is None and frame.forces is None for frame in own):
        reason = "no structure with this element has an energy or forces"
        raise InputError("frames", symbol, reason, "Give labelled structures")
    return own


def isolated_energy(frames: Sequence[Frame]) -> float | None:
    """The mean energy of the structures that are one atom alone, eV; None where there are none."""
    alone = [frame for frame in frames if len(frame.numbers) == 1 and not np.any(frame.pbc)]
    found = [frame.energy for frame in alone if frame.energy is not None]
    return sum(found) / len(found) if found else None


def energy_from_frames(potential: Any, frames: Sequence[Frame], row: int) -> float:
    """E0 of the element in a row with which the energies are met best, eV.

    The sum over structures of ((E − E_predicted)/N)² becomes least, N the number of atoms.

    Args:
        potential: The potential, with any E0 in this row.
        frames: Structures that all have the element, one with an energy at least.
        row: The row of the element.
    """
    plain = [replace(frame, forces=None, stress=None) for frame in frames if frame.energy is not None]
    found = evaluate(potential, plain)
    return float(potential.energies[row]) + _missing(found, plain, int(potential.numbers[row]))


def ranked_by_frames(candidates: Mapping[str, Any], frames: Sequence[Frame], row: int) -> list[str]:
    """The names of potentials, nearest to the labels first: by forces, or by energies where there are no forces.

    Energies are compared as if E0 of the element were the best one.

    Args:
        candidates: Potentials alike in all but the row of the element.
        frames: Structures that all have the element.
        row: The row of the element.
    """
    forces = any(frame.forces is not None for frame in frames)
    frames = [replace(f, stress=None) for f in frames if (f.forces if forces else f.energy) is not None]
    errors = {}
    for name, potential in candidates.items():
        found = evaluate(potential, frames)
        if forces:
            errors[name] = found.errors.forces.rmse
        else:
            number = int(potential.numbers[row])
            part, rest = _energies(found, frames, number)
            errors[name] = np.sqrt(np.mean((rest - part * _missing(found, frames, number)) ** 2))
    return sorted(errors, key=errors.__getitem__)


def _energies(
    found: Evaluation, frames: Sequence[Frame], number: int
) -> tuple[Float64[np.ndarray, " frames"], Float64[np.ndarray, " frames"]]:
    """For each structure the part of the element, and the energy of an atom that is missing, eV."""
    part = np.array([np.mean(frame.numbers == number) for frame in frames])
    return part, found.energy[:, 0] - found.energy[:, 1]


def _missing(found: Evaluation, frames: Sequence[Frame], number: int) -> float:
    """What has to be added to E0, eV."""
    part, rest = _energies(found, frames, number)
    return float(part @ rest / (part @ part))
