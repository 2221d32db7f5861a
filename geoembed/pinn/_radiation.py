"""Thermal radiation from a surface to its surroundings."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np

from ..core import InputError, register

# σ = 2π⁵k⁴/(15h³c²), W/(m² K⁴). Planck's and Boltzmann's constants are exact in the SI, so σ is known to all digits
# (CODATA 2018 and 2022: 5.670 374 419…e-8).
STEFAN_BOLTZMANN = 5.670374419e-8


@register
@dataclass(frozen=True)
class Radiation:
    """−k ∂T/∂n = ε σ (T⁴ − ambient⁴) on a patch: a grey surface that radiates to surroundings.

    The surroundings are large or black and have one temperature, and the surface does not see itself: there is no
    exchange between two parts of it. Temperatures are absolute: K.

    Args:
        patch: The name of the patch; of the piece of the boundary for `HeatEquation`.
        emissivity: ε, from 0 to 1.
        ambient: Temperature of the surroundings, K; for `HeatEquation` also a function of one point.

    Raises:
        InputError: The emissivity is not between 0 and 1, or the temperature is negative or not finite.

    References:
        F. P. Incropera, D. P. DeWitt, Fundamentals of Heat and Mass Transfer, section 1.2.3.

    Example:
        >>> Radiation("outside", emissivity=0.8, ambient=293.15).emissivity
        0.8
    """

    patch: str
    emissivity: float
    ambient: float | Callable[[Any], Any]

    def __post_init__(self) -> None:
        where = f"patch {self.patch!r}"
        if not 0 <= self.emissivity <= 1:
            reason = f"emissivity = {self.emissivity} is not between 0 and 1"
            raise InputError("conditions", where, reason, "1 is a black body")
        if callable(self.ambient):
            return
        if not (np.isfinite(self.ambient) and self.ambient >= 0):
            raise InputError(
                "conditions",
                where,
                f"ambient = {self.ambient} is no absolute temperature",
                "Radiation needs temperatures in K: add 273.15 to those in °C",
            )

    @property
    def piece(self) -> str:
        """The patch, as the conditions of a domain call it."""
        return self.patch


def fourth_power(temperature: Any) -> Any:
    """Returns |T|³ T: it rises also below 0 K, where only an iterate on its way can be."""
    return abs(temperature) ** 3 * temperature
