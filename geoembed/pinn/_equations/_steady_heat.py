"""Steady heat conduction in a part."""

from collections.abc import Callable
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

    conductivity: float | ConductivityTable | Callable[[Any], Any]  # any other function is refused
    source: float = 0.0

    def __post_init__(self) -> None:
        k = self.conductivity
        if callable(k):
            if not isinstance(k, ConductivityTable):
                raise InputError(
                    "equation",
                    "conductivity",
                    "is a function",
                    "Give ConductivityTable.of(function, lowest, highest): the temperatures between which it holds",
                )
        elif not 0 < k < float("inf"):
            raise InputError("equation", "conductivity", f"{k} is not a positive number", "Give k in W/(m K)")
        if not abs(self.source) < float("inf"):
            raise InputError("equation", "source", f"{self.source} is not finite", "Give q in W/m³")

    @property
    def varies(self) -> bool:
        """Whether the conductivity depends on the temperature."""
        return isinstance(self.conductivity, ConductivityTable)

    @property
    def mean_conductivity(self) -> float:
        """k, or the mean of its table, W/(m K)."""
        k: Any = self.conductivity
        return k.mean if self.varies else k

    def conductivity_at(self, temperature: Any) -> Any:
        """Returns k at temperatures in K, W/(m K)."""
        k: Any = self.conductivity
        return k(temperature) if self.varies else k
