"""Chebyshev polynomials of a transformed distance."""

import equinox as eqx
import jax.numpy as jnp
from jaxtyping import Array, Float

from ..core import register
from ._radial import polynomial_cutoff


@register
class ChebyshevBasis(eqx.Module):
    """The Chebyshev polynomials T₁ … T_count, times the polynomial cutoff.

    They are of use for numbers from −1 to 1, such as `AgnesiTransform` makes; of distances above 1 Å they are huge.

    Args:
        cutoff: Å.
        count: How many functions.
        power: Of the polynomial cutoff.

    Example:
        >>> ChebyshevBasis(5.0, 3)(jnp.array(0.0), jnp.array(0.5)).tolist()
        [0.5, -0.5, -1.0]
    """

    cutoff: float = eqx.field(static=True)
    count: int = eqx.field(static=True, default=8)
    power: int = eqx.field(static=True, default=5)

    def __call__(
        self, distance: Float[Array, "*shape"], seen: Float[Array, "*shape"] | None = None
    ) -> Float[Array, "*shape count"]:
        """The functions of distances, Å; `seen` is the transformed distance that they take."""
        x = distance if seen is None else seen
        values = [jnp.ones_like(x), x]
        while len(values) <= self.count:
            values.append(2 * x * values[-1] - values[-2])
        return (
            jnp.stack(values[1 : self.count + 1], -1)
            * polynomial_cutoff(distance, self.cutoff, self.power)[..., None]
        )
