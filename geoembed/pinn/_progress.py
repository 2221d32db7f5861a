"""What a running `solve` in a part reports."""

from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True)
class Progress:
    """One report of a running `solve` of heat in a part, or of an elastic part.

    Args:
        grid: Which grid, from 1.
        grids: How many at most.
        cells: Cells that are not divided again.
        parameters: Features of this grid, for each component of the field.
        iteration: Solver steps on this grid.
        total_iterations: Solver steps on all grids.
        energy: The training energy J.
        held_out: J at the held-out points.
        estimated_error: After the last finished pair of grids; inf before.
        finished: Whether this grid is done.
        seconds: Wall time since the start.
    """

    grid: int
    grids: int
    cells: int
    parameters: int
    iteration: int
    total_iterations: int
    energy: float
    held_out: float
    estimated_error: float
    finished: bool
    seconds: float

    def record(self) -> dict[str, Any]:
        """Returns what two runs with the same key have in common: everything but the time."""
        return {name: getattr(self, name) for name in self.__dataclass_fields__ if name != "seconds"}


@dataclass(frozen=True)
class TransientProgress:
    """One report of a running `solve` of heat in a part in time.

    Args:
        grid: Which grid, from 1.
        grids: How many at most.
        cells: Cells that are not divided again.
        parameters: Features of this grid.
        time: How far it has come, s.
        steps: Steps in time on this grid.
        rejected: Steps that were repeated because they were too long.
        iterations: Steps of conjugate gradients on this grid.
        estimated_error: After the last finished pair of grids; inf before.
        finished: Whether this grid is done.
        seconds: Wall time since the start.
    """

    grid: int
    grids: int
    cells: int
    parameters: int
    time: float
    steps: int
    rejected: int
    iterations: int
    estimated_error: float
    finished: bool
    seconds: float

    def record(self) -> dict[str, Any]:
        """Returns what two runs with the same key have in common: everything but the seconds."""
        return {name: getattr(self, name) for name in self.__dataclass_fields__ if name != "seconds"}
