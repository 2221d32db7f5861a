"""The repulsion of nuclei that nearly touch."""

import equinox as eqx
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Float

from ..core import register
from ._batch import Batch
from ._radial import polynomial_cutoff
from ._radii import COVALENT_RADII, sum_of_radii

_DECAYS = (3.2, 0.9423, 0.4028, 0.2016)
_COULOMB = 14.3996  # e²/4πε₀, eV Å
_BOHR = 0.529  # Å


@register
class Repulsion(eqx.Module):
    """The screened Coulomb repulsion of Ziegler, Biersack and Littmark, which ends where covalent radii touch.

    Half of e²/4πε₀ · ZᵢZⱼ/r · Σₖ cₖ exp(−dₖ r/a) for each of the two atoms, with a = f · 0.529 Å/(Zᵢˢ + Zⱼˢ), times
    the polynomial cutoff at the sum of both covalent radii. It knows nuclear charges, no element vectors.

    Args:
        power: Of the polynomial cutoff.
        weights: c.
        exponent: s.
        prefactor: f.
        radii: Covalent radii by atomic number, Å.

    References:
        Ziegler, Biersack, Littmark, "The Stopping and Range of Ions in Solids", Pergamon 1985.
    """

    power: int = eqx.field(static=True, default=5)
    weights: tuple[float, ...] = eqx.field(static=True, default=(0.1818, 0.5099, 0.2802, 0.02817))
    exponent: float = eqx.field(static=True, default=0.3)
    prefactor: float = eqx.field(static=True, default=0.4543)
    radii: Float[np.ndarray, " numbers"] = eqx.field(default_factory=COVALENT_RADII.copy)

    def __call__(self, batch: Batch) -> Float[Array, " atoms"]:
        """The energy of each atom, eV; 0 for padding."""
        vectors, near = batch.to_centre(), batch.neighbours
        distance = jnp.sqrt(jnp.sum(vectors**2, axis=-1))
        charges = batch.kinds.astype(distance.dtype)
        spread = jnp.where(charges > 0, charges, 1.0) ** self.exponent
        centre, other = batch.kind[:, None], batch.kind[near.index]
        reduced = distance * (spread[centre] + spread[other]) / (self.prefactor * _BOHR)
        screened = [c * jnp.exp(-d * reduced) for c, d in zip(self.weights, _DECAYS, strict=True)]
        bare = 0.5 * _COULOMB * charges[centre] * charges[other] / distance
        end = polynomial_cutoff(distance / sum_of_radii(batch, self.radii), 1.0, self.power)
        return jnp.sum(jnp.where(near.mask, bare * sum(screened[1:], screened[0]) * end, 0.0), axis=1)
