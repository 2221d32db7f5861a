"""Steady heat conduction in a part."""

from dataclasses import dataclass
from typing import Any

from ...core import InputError, register
from ._conductivity import ConductivityTable


@register
@dataclass(frozen=True)
class SteadyHeat:
    """Steady heat conduction, −∇·(k ∇T) = q, in a homogeneous isotropic solid.

    Args:
        conductivity: k, W/(m K), positive: a number, or a `ConductivityTable` where it depends on the temperature.
        source: q, heat released in the volume, W/m³; negative where heat is removed.

    Raises:
        InputError: The conductivity is not positive or a number is not finite.
    """

    conductivity: float | ConductivityTable
    source: float = 0.0

    def __post_init__(self) -> None:
        if callable(self.conductivity) and not isinstance(self.conductivity, ConductivityTable):
            raise InputError(
                "equation",
                "conductivity",
                "is a function",
                "Give ConductivityTable.of(function, lowest, highest) with the temperatures between which it holds",
            )
        if not callable(self.conductivity) and not 0 < self.conductivity < float("inf"):
            raise InputError(
                "equation",
                "conductivity",
                f"{self.conductivity} is not a positive number",
                "Give k in W/(m K)",
            )
        if not abs(self.source) < float("inf"):
            raise InputError("equation", "source", f"{self.source} is not finite", "Give q in W/m³")

    @property
    def varies(self) -> bool:
        """Whether the conductivity depends on the temperature."""
        return isinstance(self.conductivity, ConductivityTable)

    @property
    def mean_conductivity(self) -> float:
        """k, or the mean of its table, W/(m K)."""
        return self.conductivity.mean if isinstance(self.conductivity, ConductivityTable) else self.conductivity

    def conductivity_at(self, temperature: Any) -> Any:
        """Returns k at temperatures in K, W/(m K)."""
        if isinstance(self.conductivity, ConductivityTable):
            return self.conductivity(temperature)
        return self.conductivity
