"""What is unusual in a set of structures: repeated ones, lonely atoms, large forces."""

import hashlib

import numpy as np

from ..core import InputError
from ._frame import Frame
from ._pairs import neighbour_pairs

LONELY = 6.0  # Å
LARGE = 50.0  # eV/Å, what two atoms feel at half their bond length
_SAME = 1e-6  # Å


def duplicates(frames: list[Frame]) -> list[tuple[int, int]]:
    """(frame, the first frame that is the same): equal elements, cell and positions to 10⁻⁶ Å, in this order."""
    first: dict[bytes, int] = {}
    found = []
    for k, frame in enumerate(frames):
        parts = [frame.numbers, np.rint(frame.positions / _SAME) + 0.0, frame.pbc]
        if frame.cell is not None:
            parts.append(np.rint(frame.cell / _SAME) + 0.0)
        key = hashlib.sha256(b"|".join(part.tobytes() for part in parts)).digest()
        if key in first:
            found.append((k, first[key]))
        else:
            first[key] = k
    return found


def lonely_frames(frames: list[Frame]) -> list[int]:
    """Frames of two atoms or more in which an atom has no other within `LONELY` Å."""
    return [k for k, frame in enumerate(frames) if len(frame.numbers) > 1 and _has_lonely(frame)]


def _has_lonely(frame: Frame) -> bool:
    for cutoff in (2.5, LONELY):  # most structures need no more than the first
        try:
            near = np.bincount(neighbour_pairs(frame, cutoff).atom, minlength=len(frame.numbers))
        except InputError:
            return False  # far too many atoms in one place
        if near.min() > 0:
            return False
    return True


def force_range(frames: list[Frame]) -> tuple[float, float] | None:
    """The root mean square of the components, and the largest length, eV/Å; None without forces."""
    known = [frame.forces for frame in frames if frame.forces is not None]
    if not known:
        return None
    forces = np.concatenate(known)
    return float(np.sqrt(np.mean(forces**2))), float(np.linalg.norm(forces, axis=1).max())


def notes(frames: list[Frame]) -> list[str]:
    """What a user should know, one sentence each."""
    total, flags = len(frames), []
    lonely = lonely_frames(frames)
    if lonely:
        flags.append(
            f"{len(lonely)} of {total} frames have an atom without another within {LONELY} Å; "
            f"the first is frame {lonely[0]}"
        )
    large = [k for k, f in enumerate(frames) if f.forces is not None and _largest(f.forces) > LARGE]
    if large:
        flags.append(
            f"{len(large)} of {total} frames have forces above {LARGE} eV/Å; the first is frame {large[0]}"
        )
    same = duplicates(frames)
    if same:
        k, first = same[0]
        flags.append(
            f"{len(same)} of {total} frames repeat an earlier one; the first is frame {k}, as frame {first}"
        )
    differ = [(k, j) for k, j in same if _contradict(frames[k], frames[j])]
    if differ:
        k, first = differ[0]
        flags.append(
            f"{len(differ)} repeated frames have other labels; the first is frame {k}, as frame {first}"
        )
    return flags


def _largest(forces: np.ndarray) -> float:
    return float(np.linalg.norm(forces, axis=1).max())


def _contradict(one: Frame, other: Frame) -> bool:
    for a, b in ((one.energy, other.energy), (one.forces, other.forces), (one.stress, other.stress)):
        if a is not None and b is not None and not np.allclose(a, b, rtol=1e-6, atol=1e-6):
            return True
    return False
