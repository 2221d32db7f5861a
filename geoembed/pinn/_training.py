"""How a field is trained by least squares, and what is reported on the way."""

from dataclasses import dataclass
from typing import Any

from ..core import InputError
from ._region_field import RegionField
from ._trial import NetworkField


@dataclass(frozen=True)
class FieldProgress:
    """One report of a running solution by least squares.

    Args:
        iteration: Steps so far.
        points: Points inside, now.
        parameters: Trained numbers.
        residual: Root of the mean squared residual at the training points.
        held_out: The same at points that are never trained on.
        estimated_error: Estimate of ‖u − u*‖/‖u‖; inf before there is one.
        damping: λ of the last step; 0 for a quasi-Newton step.
        seconds: Wall time since the start.
        field: The best field so far.
    """

    iteration: int
    points: int
    parameters: int
    residual: float
    held_out: float
    estimated_error: float
    damping: float
    seconds: float
    field: NetworkField | RegionField

    def record(self) -> dict[str, Any]:
        """Its numbers but for the wall time, which no two runs share."""
        return {name: value for name, value in vars(self).items() if name not in ("seconds", "field")}


@dataclass(frozen=True)
class Training:
    """How a residual is trained.

    Args:
        points: Points inside at the end. More of them cost time in proportion.
        steps: The most steps.
        mixed: Whether Jacobians are computed in float32 while the damping exceeds their rounding.
    """

    points: int = 4000
    steps: int = 100_000
    mixed: bool = True

    def __post_init__(self) -> None:
        for name, value, lowest in (("points", self.points, 64), ("steps", self.steps, 1)):
            if not isinstance(value, int) or value < lowest:
                raise InputError(
                    "<options>", name, f"{value} is no whole number of at least {lowest}", "Raise it"
                )
