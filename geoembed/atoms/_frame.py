"""One structure of a data file, on the host."""

from dataclasses import dataclass, field
from typing import Any, NamedTuple

import numpy as np
from jaxtyping import Bool, Float64, Int64

from ._elements import SYMBOLS


@dataclass(frozen=True, eq=False)
class Frame:
    """Atoms, their cell, and what is known about them.

    Args:
        numbers: Atomic numbers.
        positions: Å.
        cell: The cell vectors as rows, Å; None without a cell.
        pbc: Along which cell vectors the structure repeats.
        energy: eV, or None.
        forces: eV/Å, or None.
        stress: eV/Å³, tension positive, or None.
        arrays: All other columns by name, one row an atom.
        info: All other values of the comment line.
        line: The line of the file that holds the number of atoms.
        weight: How much it counts in the loss of a training.
    """

    numbers: Int64[np.ndarray, " n"]
    positions: Float64[np.ndarray, "n 3"]
    cell: Float64[np.ndarray, "3 3"] | None
    pbc: Bool[np.ndarray, "3"]
    energy: float | None = None
    forces: Float64[np.ndarray, "n 3"] | None = None
    stress: Float64[np.ndarray, "3 3"] | None = None
    arrays: dict[str, np.ndarray] = field(default_factory=dict)
    info: dict[str, Any] = field(default_factory=dict)
    line: int = 0
    weight: float = 1.0

    @property
    def symbols(self) -> tuple[str, ...]:
        """The elements' symbols."""
        return tuple(SYMBOLS[z - 1] for z in self.numbers)


class FramesFile(NamedTuple):
    """All frames of a file, its SHA-256, and what was noticed."""

    frames: list[Frame]
    sha256: str
    notes: tuple[str, ...]
