"""How a field is trained by least squares, and what every training of a field reports on the way."""

from dataclasses import dataclass
from typing import Any

from ..core import InputError
from ._first_order_windows import WindowedField
from ._region_field import RegionField
from ._trial import NetworkField

AnyField = NetworkField | RegionField | WindowedField


@dataclass(frozen=True)
class FieldProgress:
    """One report of a running solution by least squares or by gradients.

    Args:
        iteration: Steps so far.
        points: Points inside, now; in one step of a `FirstOrder`.
        parameters: Trained numbers.
        residual: Root of the mean squared residual at the training points; for `FirstOrder` of the mean loss since
            the last report.
        held_out: The same at points that are never trained on.
        estimated_error: Estimate of ‖u − u*‖/‖u‖; inf before there is one.
        damping: λ of the last step; 0 for a step that has none.
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
    field: AnyField

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
