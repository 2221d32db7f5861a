"""Distances measured by the sizes of the two atoms, before radial functions take them."""

import equinox as eqx
import jax
import numpy as np
from jaxtyping import Array, Float

from ..core import register
from ._batch import Batch
from ._radii import COVALENT_RADII, sum_of_radii


@register
class AgnesiTransform(eqx.Module):
    """y = 1/(1 + a uᵠ/(1 + uᵠ⁻ᵖ)) with u = r/r₀ and r₀ half the sum of both covalent radii: 1 at 0, falling to 0.

    Args:
        q: Power at large distances.
        p: Power at small distances.
        a: Where it falls.
        radii: Covalent radii by atomic number, Å.

    References:
        Witt et al., "ACEpotentials.jl", J. Chem. Phys. 159, 164101 (2023), eq. 25.
    """

    q: float = eqx.field(static=True, default=0.9183)
    p: float = eqx.field(static=True, default=4.5791)
    a: float = eqx.field(static=True, default=1.0805)
    radii: Float[np.ndarray, " numbers"] = eqx.field(default_factory=COVALENT_RADII.copy)

    def __call__(self, distance: Float[Array, "atoms slots"], batch: Batch) -> Float[Array, "atoms slots"]:
        """The transformed distances, from 0 to 1."""
        u = distance / (0.5 * sum_of_radii(batch, self.radii))
        return 1 / (1 + self.a * u**self.q / (1 + u ** (self.q - self.p)))


@register
class SoftTransform(eqx.Module):
    """y = p₀ + (r − p₀)(1 + tanh(α (r − m)/(p₁ − p₀)))/2: r where atoms are apart, nearly p₀ where they overlap.

    p₀ and p₁ are ¾ and 4/3 of the sum of both covalent radii, m their mean.

    Args:
        steepness: α.
        radii: Covalent radii by atomic number, Å.
    """

    steepness: float = eqx.field(static=True, default=4.0)
    radii: Float[np.ndarray, " numbers"] = eqx.field(default_factory=COVALENT_RADII.copy)

    def __call__(self, distance: Float[Array, "atoms slots"], batch: Batch) -> Float[Array, "atoms slots"]:
        """The transformed distances, Å."""
        total = sum_of_radii(batch, self.radii)
        low, high = 0.75 * total, (4 / 3) * total
        # (1 + tanh x)/2 is the logistic function of 2x, which does not lose small values to rounding.
        weight = jax.nn.sigmoid(2 * self.steepness / (high - low) * (distance - 0.5 * (low + high)))
        return low + (distance - low) * weight
