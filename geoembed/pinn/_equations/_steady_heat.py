"""Steady heat conduction in a part."""

from dataclasses import dataclass
from typing import Any

from ...core import InputError, register
from ._conductivity import ConductivityTable
from ._solid import solid_tensor


@register
@dataclass(frozen=True)
class SteadyHeat:
    """Steady heat conduction, −∇·(K ∇T) = q, in a solid.

    Args:
        conductivity: K, W/(m K): a positive number; a symmetric positive definite 3 × 3 matrix where the solid
            conducts better in one direction than in another (anisotropic), in the axes of the part; a function of one
            point, in the part's unit, that returns either; or a `ConductivityTable` where it depends on the
            temperature. A function must also be defined up to a quarter of a cell outside the part.
        source: q, heat released in the volume, W/m³; negative where heat is removed.

    Raises:
        InputError: The conductivity is not positive, or a matrix not symmetric positive definite, or a number is not
            finite. A function is looked at by `Problem`.

    References:
        H. S. Carslaw and J. C. Jaeger, Conduction of Heat in Solids, 2nd ed., Oxford 1959, sections 1.6 and 1.17
        (anisotropic).

    Example:
        >>> laminate = SteadyHeat(((5.0, 0.0, 0.0), (0.0, 5.0, 0.0), (0.0, 0.0, 0.7)))
        >>> laminate.conductivity[2]
        (0.0, 0.0, 0.7)
    """

    conductivity: Any
    source: float = 0.0

    def __post_init__(self) -> None:
        object.__setattr__(self, "conductivity", checked_conductivity(self.conductivity))
        if not abs(self.source) < float("inf"):
            raise InputError("equation", "source", f"{self.source} is not finite", "Give q in W/m³")

    @property
    def varies(self) -> bool:
        """Whether the conductivity depends on the temperature."""
        return isinstance(self.conductivity, ConductivityTable)

    def conductivity_at(self, temperature: Any) -> Any:
        """Returns a k that does not depend on the point at temperatures in K, W/(m K)."""
        return self.conductivity(temperature) if self.varies else self.conductivity


def checked_conductivity(value: Any) -> Any:
    """Returns a number, a function or a table as it is and a matrix as nested tuples; raises InputError."""
    if callable(value):
        return value
    if isinstance(value, bool | str) or value is None:
        raise InputError("equation", "conductivity", f"{value!r} is no number", "Give k in W/(m K)")
    if getattr(value, "ndim", None) == 0 or isinstance(value, int | float):
        if not 0 < value < float("inf"):
            raise InputError(
                "equation", "conductivity", f"{value} is not a positive number", "Give k in W/(m K)"
            )
        return value
    return solid_tensor(value)
