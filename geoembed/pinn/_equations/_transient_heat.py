"""Transient heat conduction in a part."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, ClassVar

from ...core import InputError, register
from ._conductivity import ConductivityTable
from ._steady_heat import checked_conductivity


@register
@dataclass(frozen=True)
class TransientHeat:
    """Heat conduction in time, ρc ∂T/∂t − ∇·(K ∇T) = q, in a solid.

    The problem has a time, one `Initial` (a number, or a function of a point whose last coordinate is the time) and
    `Temperature`, `HeatFlux` and `Convection` on patches, whose temperatures and fluxes may be functions of the time in
    s. Nothing needs to fix the level of the temperature.

    Args:
        conductivity: K, W/(m K): a positive number; a symmetric positive definite 3 × 3 matrix (anisotropic); or a
            function of one point, in the part's unit, that returns either. See `SteadyHeat`.
        capacity: ρc, density times specific heat, J/(m³ K): a positive number or a function of one point.
        source: q, heat released in the volume, W/m³: a number or a function of the time in s.

    Raises:
        InputError: Conductivity or capacity are not positive, or a number is not finite.

    References:
        H. S. Carslaw and J. C. Jaeger, Conduction of Heat in Solids, 2nd ed., Oxford 1959, section 1.6.

    Example:
        >>> steel = TransientHeat(conductivity=45.0, capacity=7850.0 * 480.0)
        >>> steel.source
        0.0
    """

    conductivity: Any
    capacity: float | Callable[[Any], Any]
    source: float | Callable[[float], Any] = 0.0
    varies: ClassVar[bool] = False  # with the temperature

    def __post_init__(self) -> None:
        if isinstance(self.conductivity, ConductivityTable):
            raise InputError(
                "equation",
                "conductivity",
                "depends on the temperature",
                "In time it may be a number, a matrix or a function of the point",
            )
        object.__setattr__(self, "conductivity", checked_conductivity(self.conductivity))
        if not callable(self.capacity) and not 0 < self.capacity < float("inf"):
            raise InputError(
                "equation",
                "capacity",
                f"{self.capacity} is not a positive number",
                "Give density times specific heat in J/(m³ K)",
            )
        if not callable(self.source) and not abs(self.source) < float("inf"):
            raise InputError("equation", "source", f"{self.source} is not finite", "Give q in W/m³")
