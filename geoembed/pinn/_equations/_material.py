"""Isotropic elastic materials."""

from typing import Any

import equinox as eqx
import numpy as np
from jaxtyping import Array, Float

from ...core import InputError, register
from ...sdf._shapes._parameters import known
from .._along import Point
from ._coefficient import Coefficient, check_coefficients, coefficient, number_at

Moduli = tuple[Float[Array, ""], Float[Array, ""]]


@register
class Isotropic(eqx.Module):
    """A material by Young's modulus and Poisson's ratio: λ = Eν/((1 + ν)(1 − 2ν)), μ = E/(2(1 + ν)).

    Args:
        young: E, N/m², positive.
        poisson: ν, above −1 and below ½.

    Raises:
        InputError: A number is out of its range.

    Example:
        >>> import jax.numpy as jnp
        >>> [float(m) for m in Isotropic(young=2.5, poisson=0.25).moduli(jnp.zeros(2))]
        [1.0, 1.0]
    """

    young: Coefficient = coefficient("N/m²", positive=True)
    poisson: Coefficient = coefficient("dimensionless", above=-1.0, below=0.5)

    def __check_init__(self) -> None:
        check_coefficients(self)

    @property
    def varies(self) -> bool:
        """Whether the moduli depend on the point."""
        return callable(self.young) or callable(self.poisson)

    def moduli(self, x: Point, u: Any = None) -> Moduli:
        """Returns λ and μ at a point, N/m²."""
        young, ratio = number_at(self.young, x, u), number_at(self.poisson, x, u)
        return young * ratio / ((1 + ratio) * (1 - 2 * ratio)), young / (2 * (1 + ratio))


@register
class Lame(eqx.Module):
    """A material by Lamé's constants.

    Args:
        first: λ, N/m², above −2μ/3.
        shear: μ, N/m², positive.

    Raises:
        InputError: A number is out of its range.

    Example:
        >>> import jax.numpy as jnp
        >>> [float(m) for m in Lame(first=1.5, shear=2.0).moduli(jnp.zeros(2))]
        [1.5, 2.0]
    """

    first: Coefficient = coefficient("N/m²")
    shear: Coefficient = coefficient("N/m²", positive=True)

    def __check_init__(self) -> None:
        check_coefficients(self)
        first, shear = (None if callable(value) else known(value) for value in (self.first, self.shear))
        if first is not None and shear is not None and np.any(3 * first + 2 * shear <= 0):
            reason = f"{first:g} is not above -2/3 of the shear modulus {shear:g}"
            raise InputError("equation", "Lame: first", reason, "Such a material would swell under pressure")

    @property
    def varies(self) -> bool:
        """Whether the moduli depend on the point."""
        return callable(self.first) or callable(self.shear)

    def moduli(self, x: Point, u: Any = None) -> Moduli:
        """Returns λ and μ at a point, N/m²."""
        return number_at(self.first, x, u), number_at(self.shear, x, u)
