"""What a potential is initialised from: energies of the elements, number of neighbours, size of the forces."""

import math
from collections.abc import Mapping, Sequence
from typing import NamedTuple

import numpy as np
from jaxtyping import Bool, Float64, Int64

from ..core import InputError
from ._elements import SYMBOLS
from ._frame import Frame
from ._pairs import neighbour_pairs
from ._survey import force_range

_RANK = 1e-9  # singular values below this part of the largest count as 0
_OUTLIER = 10.0  # times the scaled median distance from the median


class Statistics(NamedTuple):
    """What `statistics` finds; host values in float64.

    Args:
        numbers: The atomic numbers that occur, ascending.
        counts: How many atoms of each.
        e0: The energy of an atom of each element, eV.
        determined: Whether known energies or the compositions fix it; otherwise it is only one of many that fit.
        shift: The mean energy of an atom beyond its E0, eV.
        spread: The root mean square of what is left of the energy of an atom, eV.
        force_scale: The root mean square of the force components, eV/Å; 1 without forces.
        neighbours: The mean number of neighbours of an atom, 1 where there are none.
        notes: What a user should know, one sentence each.
    """

    numbers: Int64[np.ndarray, " elements"]
    counts: Int64[np.ndarray, " elements"]
    e0: Float64[np.ndarray, " elements"]
    determined: Bool[np.ndarray, " elements"]
    shift: float
    spread: float
    force_scale: float
    neighbours: float
    notes: tuple[str, ...]


def statistics(
    frames: Sequence[Frame],
    cutoff: float,
    *,
    known: Mapping[int, float] | None = None,
    prior: Mapping[int, float] | None = None,
) -> Statistics:
    """Energies of the elements by least squares over the compositions, and two scales.

    With N the number of atoms of each element in a frame, the sum over frames of ((E − N·E0)/Σ N)² becomes least.
    Frames of one atom without periodic directions are isolated atoms: their energies are E0 exactly. Where the
    compositions leave a freedom, as they do in a set of one molecule, E0 is the solution nearest to the prior.

    Args:
        frames: The training set.
        cutoff: Up to which distance atoms are neighbours, Å.
        known: Energies of isolated atoms by atomic number, eV; taken as they are.
        prior: What E0 should be near where nothing fixes it, by atomic number, eV; else the mean energy of an atom.

    Returns:
        The statistics.

    Raises:
        InputError: There are no frames, or a frame or the cutoff cannot be used.

    Example:
        >>> water = Frame(np.array([8, 1, 1]), np.eye(3), None, np.zeros(3, bool), energy=-14.0)
        >>> oxygen = Frame(np.array([8, 8]), np.eye(3)[:2], None, np.zeros(3, bool), energy=-9.0)
        >>> statistics([water, oxygen], 2.0).e0.round(6)
        array([-4.75, -4.5 ])
    """
    if len(frames) == 0:
        raise InputError("frames", "", "there are none", "give the training set")
    numbers, counts = np.unique(np.concatenate([frame.numbers for frame in frames]), return_counts=True)
    usable = [frame for frame in frames if frame.energy is not None]
    alone = {int(f.numbers[0]): float(f.energy) for f in usable if is_isolated(f) and f.energy is not None}
    fixed = alone | dict(known or {})
    bulk = [frame for frame in usable if not is_isolated(frame)]
    rows, energies = _compositions(bulk, numbers)
    e0, determined = nearest_solution(rows, energies, numbers, fixed, dict(prior or {}))
    rest = energies - rows @ e0
    shift = float(rest.mean()) if len(rest) else 0.0
    pairs = [len(neighbour_pairs(frame, cutoff).atom) for frame in frames if not is_isolated(frame)]
    atoms = sum(len(frame.numbers) for frame in frames if not is_isolated(frame))
    forces = force_range(list(frames))
    return Statistics(
        numbers=numbers,
        counts=counts,
        e0=e0,
        determined=determined,
        shift=shift,
        spread=float(np.sqrt(np.mean((rest - shift) ** 2))) if len(rest) else 0.0,
        force_scale=forces[0] if forces is not None and forces[0] > 0 else 1.0,
        neighbours=sum(pairs) / atoms if sum(pairs) else 1.0,
        notes=tuple(_notes(numbers, determined, frames, bulk, rest)),
    )


def is_isolated(frame: Frame) -> bool:
    """Whether a frame is one atom alone."""
    return len(frame.numbers) == 1 and not np.any(frame.pbc)


def _compositions(
    frames: Sequence[Frame], numbers: np.ndarray
) -> tuple[Float64[np.ndarray, "frames elements"], Float64[np.ndarray, " frames"]]:
    """The part of each element in each frame, and the energy of an atom, eV."""
    rows = np.array([[np.sum(frame.numbers == z) for z in numbers] for frame in frames], np.float64)
    rows = rows.reshape(len(frames), len(numbers))
    sizes = rows.sum(axis=1)
    return rows / sizes[:, None], np.array([frame.energy for frame in frames], np.float64) / sizes


def nearest_solution(
    rows: np.ndarray,
    energies: np.ndarray,
    numbers: np.ndarray,
    fixed: dict[int, float],
    prior: dict[int, float],
) -> tuple[np.ndarray, np.ndarray]:
    """The least squares solution nearest to the prior, and which of its entries are fixed by anything."""
    mean = float(energies.mean()) if len(energies) else 0.0
    e0 = np.array([fixed.get(z, prior.get(z, mean)) for z in numbers.tolist()], np.float64)
    free = np.array([z not in fixed for z in numbers.tolist()])
    determined = ~free
    if np.any(free) and len(rows):
        matrix = rows[:, free]
        _, sizes, axes = np.linalg.svd(matrix, full_matrices=True)
        rank = int(np.sum(sizes > _RANK * max(sizes.max(initial=0.0), 1e-300)))
        e0[free] += np.linalg.lstsq(matrix, energies - rows @ e0, rcond=_RANK)[0]
        determined[free] = np.all(np.abs(axes[rank:]) < 1e-6, axis=0)
    return e0, determined


def _notes(
    numbers: np.ndarray,
    determined: np.ndarray,
    frames: Sequence[Frame],
    bulk: Sequence[Frame],
    rest: np.ndarray,
) -> list[str]:
    notes = []
    if not any(frame.energy is not None for frame in frames):
        notes.append("no frame has an energy: E0 is the prior, or 0")
    elif not np.all(determined):
        names = " ".join(SYMBOLS[z - 1] for z in numbers[~determined])
        notes.append(
            f"the compositions do not fix the energies of {names}: they are those nearest to the prior; "
            "add isolated atoms to the set, or give `known`"
        )
    if len(rest) > 2:
        far = np.abs(rest - np.median(rest))
        limit = _OUTLIER * 1.4826 * float(np.median(far))
        strange = np.flatnonzero(far > max(limit, 1e-9))
        if 0 < limit < math.inf and len(strange):
            worst = bulk[int(strange[np.argmax(far[strange])])]
            where = next(k for k, frame in enumerate(frames) if frame is worst)
            notes.append(
                f"{len(strange)} frames have energies far from the others of their composition; "
                f"the farthest is frame {where}, {far.max():.3g} eV an atom"
            )
    return notes
