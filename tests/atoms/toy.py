"""A pair potential whose energies are easily written down again in numpy."""

import equinox as eqx
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Float

from geoembed.atoms import Batch, Frame, neighbour_pairs
from geoembed.core import register


@register
class Morse(eqx.Module):
    """½ Σ D (1 − e^{−a(r − r₀)})² − D within the cutoff, times (1 − (r/c)²)³; atoms of kind z have the offset z/10 eV.

    Args:
        depth: D, eV.
        width: a, 1/Å.
        length: r₀, Å.
        cutoff: c, Å.
    """

    depth: Float[Array, ""]
    width: float = eqx.field(static=True, default=1.5)
    length: float = eqx.field(static=True, default=2.5)
    cutoff: float = eqx.field(static=True, default=5.0)

    def __call__(self, batch: Batch) -> Float[Array, " atoms"]:
        vectors = batch.to_centre()
        r = jnp.sqrt(jnp.sum(vectors**2, axis=-1))
        shell = jnp.where(r < self.cutoff, 1 - (r / self.cutoff) ** 2, 0.0) ** 3
        depth = self.depth.astype(r.dtype)
        pair = depth * ((1 - jnp.exp(-self.width * (r - self.length))) ** 2 - 1) * shell
        pair = jnp.where(batch.neighbours.mask, pair, 0.0)
        return 0.5 * jnp.sum(pair, axis=1) + 0.1 * batch.numbers.astype(r.dtype)


def toy(depth: float = 0.4, dtype: str | None = None, **shape) -> Morse:
    return Morse(jnp.asarray(depth, dtype), **shape)


def morse_energy(frame: Frame, depth=0.4, width=1.5, length=2.5, cutoff=5.0) -> float:
    """The same in numpy."""
    pairs = neighbour_pairs(frame, cutoff)
    cell = np.zeros((3, 3)) if frame.cell is None else frame.cell
    vectors = frame.positions[pairs.neighbour] + pairs.shift @ cell - frame.positions[pairs.atom]
    r = np.linalg.norm(vectors, axis=1)
    pair = depth * ((1 - np.exp(-width * (r - length))) ** 2 - 1) * (1 - (r / cutoff) ** 2) ** 3
    return float(0.5 * pair.sum() + 0.1 * frame.numbers.sum())
