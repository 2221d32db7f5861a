"""Functionals of a temperature whose derivative in the shape is asked for: means and smooth peaks."""

import abc

import equinox as eqx
import numpy as np
from jaxtyping import Float

from ..core import InputError, register

Values = Float[np.ndarray, "*n"]


class TemperatureFunctional(eqx.Module):
    """A number J = outer(mean of density(T)), the mean taken over a patch of the surface or over the whole part."""

    @property
    @abc.abstractmethod
    def over(self) -> str | None:
        """The patch, or None for the volume of the part."""

    @abc.abstractmethod
    def density(self, temperature: Values, top: float) -> tuple[Values, Values]:
        """What is averaged, and its derivative; `top`, the highest temperature found, counts as a constant."""

    @abc.abstractmethod
    def outer(self, mean: float, top: float) -> tuple[float, float]:
        """J in K from the mean, and its derivative."""


@register
class MeanTemperature(TemperatureFunctional):
    """The mean temperature of a patch or of the part.

    Over a heater with an even flux, (J − ambient)/power is the thermal resistance, and up to a constant J is the
    compliance ∫ f T dS.

    Args:
        patch: The patch; None: the volume of the part.

    Example:
        >>> MeanTemperature("heater").over
        'heater'
    """

    patch: str | None = eqx.field(static=True, default=None)

    @property
    def over(self) -> str | None:
        return self.patch

    def density(self, temperature: Values, top: float) -> tuple[Values, Values]:
        return temperature - top, np.ones_like(temperature)

    def outer(self, mean: float, top: float) -> tuple[float, float]:
        return top + mean, 1.0


@register
class PeakTemperature(TemperatureFunctional):
    """A smooth maximum of the temperature of a patch or of the part.

        J = w ln( mean of exp(T/w) )

    It lies between the mean (w → ∞) and the maximum (w → 0), below the maximum by about w ln(1/a) when a share a of
    the region is within w of it. Unlike the maximum it is differentiable when two places are equally hot.

    Args:
        patch: The patch; None: the volume of the part.
        width: w, K: temperatures this close to the highest count as hot. A twentieth of the spread of the
            temperature is a good start; the narrower, the finer a grid it needs.

    Raises:
        InputError: The width is not a positive number.

    Example:
        >>> PeakTemperature("heater", width=0.5).width
        0.5
    """

    patch: str | None = eqx.field(static=True, default=None)
    width: float = eqx.field(static=True, default=1.0)

    def __check_init__(self) -> None:
        if not (np.isfinite(self.width) and self.width > 0):
            raise InputError("functional", "width", f"{self.width} is not a positive number", "Give kelvins")

    @property
    def over(self) -> str | None:
        return self.patch

    def density(self, temperature: Values, top: float) -> tuple[Values, Values]:
        found = np.exp((temperature - top) / self.width)
        return found, found / self.width

    def outer(self, mean: float, top: float) -> tuple[float, float]:
        return top + self.width * float(np.log(mean)), self.width / mean
