"""Steady heat conduction in a part."""

from dataclasses import dataclass

from ...core import InputError, register


@register
@dataclass(frozen=True)
class SteadyHeat:
    """Steady heat conduction, −∇·(k ∇T) = q, in a homogeneous isotropic solid.

    Args:
        conductivity: k, W/(m K), positive.
        source: q, heat released in the volume, W/m³; negative where heat is removed.

    Raises:
        InputError: The conductivity is not positive or a number is not finite.
    """

    conductivity: float
    source: float = 0.0

    def __post_init__(self) -> None:
        if not 0 < self.conductivity < float("inf"):
            raise InputError(
                "equation",
                "conductivity",
                f"{self.conductivity} is not a positive number",
                "Give k in W/(m K)",
            )
        if not abs(self.source) < float("inf"):
            raise InputError("equation", "source", f"{self.source} is not finite", "Give q in W/m³")
