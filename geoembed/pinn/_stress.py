"""Strain and stress from a displacement."""

from dataclasses import dataclass

import equinox as eqx
import jax
import jax.numpy as jnp
from jaxtyping import Array, Float

from ..core import register, sqrt
from ._field import SplineField


@register
@dataclass(frozen=True)
class Elasticity:
    """What makes strain and stress of a displacement.

    Args:
        first: λ, Pa.
        shear: μ, Pa.
        metres_per_unit: Metres in the unit of the part's coordinates.
    """

    first: float
    shear: float
    metres_per_unit: float


@register
class Strain(eqx.Module):
    """ε = (∇u + ∇uᵀ)/2 of a displacement in a part.

    One point in the part's unit in, a symmetric 3 × 3 matrix without dimension out; continuous inside the part.
    """

    displacement: SplineField
    elasticity: Elasticity = eqx.field(static=True)

    def __call__(self, x: Float[Array, "3"]) -> Float[Array, "3 3"]:
        slopes = jax.jacfwd(lambda y: self.displacement(y))(x) / self.elasticity.metres_per_unit
        return 0.5 * (slopes + slopes.T)


@register
class Stress(eqx.Module):
    """σ = λ (tr ε) I + 2μ ε of a displacement in a part.

    One point in the part's unit in, a symmetric 3 × 3 matrix in Pa out, tension positive. At re-entrant edges and at
    the rims of held patches the exact stress is infinite, and what is returned there depends on the grid.
    """

    displacement: SplineField
    elasticity: Elasticity = eqx.field(static=True)

    def __call__(self, x: Float[Array, "3"]) -> Float[Array, "3 3"]:
        strain = Strain(self.displacement, self.elasticity)(x)
        swell = self.elasticity.first * jnp.trace(strain)
        return swell * jnp.eye(3, dtype=strain.dtype) + 2 * self.elasticity.shear * strain


@register
class VonMises(eqx.Module):
    """√(3/2 s:s) with the deviator s = σ − (tr σ)/3 I, in Pa: a ductile metal yields where it exceeds the yield stress.

    References:
        R. v. Mises, Nachr. Ges. Wiss. Göttingen (1913) 582.
    """

    displacement: SplineField
    elasticity: Elasticity = eqx.field(static=True)

    def __call__(self, x: Float[Array, "3"]) -> Float[Array, ""]:
        stress = Stress(self.displacement, self.elasticity)(x)
        deviator = stress - jnp.trace(stress) / 3 * jnp.eye(3, dtype=stress.dtype)
        return sqrt(1.5 * jnp.sum(deviator**2))
