"""Functions of a distance that vanish smoothly at a cutoff."""

import math

import equinox as eqx
import jax
import jax.numpy as jnp
from jaxtyping import Array, Float

from ..core import register


def polynomial_cutoff(
    distance: Float[Array, "*shape"], cutoff: float, power: int = 5
) -> Float[Array, "*shape"]:
    """A function that is 1 at 0 and 0 from the cutoff on, with two continuous derivatives.

    1 − (p+1)(p+2)/2 uᵖ + p(p+2) uᵖ⁺¹ − p(p+1)/2 uᵖ⁺² with u = r/r_cut.

    Args:
        distance: r, Å.
        cutoff: r_cut, Å.
        power: p, at least 2.

    Returns:
        Numbers from 0 to 1.

    References:
        Gasteiger et al., "Directional Message Passing for Molecular Graphs", ICLR 2020, eq. 8.

    Example:
        >>> polynomial_cutoff(jnp.array([0.0, 2.5, 5.0]), 5.0).tolist()
        [1.0, 0.7734375, 0.0]
    """
    p = power
    u = jnp.minimum(distance / cutoff, 1.0)
    inner = (p + 1) * (p + 2) / 2 - u * (p * (p + 2) - u * (p * (p + 1) / 2))
    return jnp.where(u < 1, 1 - u**p * inner, 0.0)


@register
class BesselBasis(eqx.Module):
    """√(2/r_cut) sin(fₙ r)/r with fₙ = nπ/r_cut, times the polynomial cutoff.

    Args:
        cutoff: r_cut, Å.
        count: How many functions.
        power: Of the polynomial cutoff.

    References:
        Gasteiger et al., ICLR 2020, eq. 7.

    Example:
        >>> BesselBasis(5.0, 8)(jnp.array([2.5, 5.0])).shape
        (2, 8)
    """

    frequencies: Float[Array, " count"]
    cutoff: float = eqx.field(static=True)
    power: int = eqx.field(static=True)
    trainable: bool = eqx.field(static=True)

    def __init__(self, cutoff: float, count: int = 8, *, power: int = 5, trainable: bool = False):
        self.frequencies = jnp.arange(1.0, count + 1) * (math.pi / cutoff)
        self.cutoff = cutoff
        self.power = power
        self.trainable = trainable

    def __call__(
        self, distance: Float[Array, "*shape"], seen: Float[Array, "*shape"] | None = None
    ) -> Float[Array, "*shape count"]:
        """The functions of distances above 0, Å; `seen` is the transformed distance that they take, if there is one."""
        frequencies = self.frequencies.astype(distance.dtype)
        frequencies = frequencies if self.trainable else jax.lax.stop_gradient(frequencies)
        x = distance if seen is None else seen
        waves = jnp.sin(x[..., None] * frequencies.reshape((1,) * distance.ndim + (-1,)))
        scale = math.sqrt(2 / self.cutoff) * polynomial_cutoff(distance, self.cutoff, self.power) / x
        return waves * scale[..., None]


@register
class GaussianBasis(eqx.Module):
    """exp(−(r − cₙ)²/2w²) with centres cₙ spread evenly from 0 to r_cut, a width w apart, times the polynomial cutoff.

    Args:
        cutoff: r_cut, Å.
        count: How many functions, at least 2.
        power: Of the polynomial cutoff.

    Example:
        >>> GaussianBasis(5.0, 8)(jnp.array([2.5, 5.0])).shape
        (2, 8)
    """

    cutoff: float = eqx.field(static=True)
    count: int = eqx.field(static=True, default=8)
    power: int = eqx.field(static=True, default=5)

    def __call__(
        self, distance: Float[Array, "*shape"], seen: Float[Array, "*shape"] | None = None
    ) -> Float[Array, "*shape count"]:
        """The functions of distances, Å; `seen` is the transformed distance that they take, if there is one."""
        width = self.cutoff / (self.count - 1)
        centres = width * jnp.arange(self.count, dtype=distance.dtype)
        x = distance if seen is None else seen
        away = (x[..., None] - centres.reshape((1,) * distance.ndim + (-1,))) / width
        return jnp.exp(-0.5 * away**2) * polynomial_cutoff(distance, self.cutoff, self.power)[..., None]
