"""Structure factors of quasicrystals from the transforms of their windows, and sums over points."""

import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Complex, Float, Int

from ._complex import as_complex, wave
from ._model import Model
from ._scatterers import Scatterers


def structure_factor(
    model: Model,
    indices: Int[Array, "*n D"] | Float[Array, "*n D"],
    amplitudes: Scatterers | Float[Array, " n_surfaces"] | None = None,
) -> Complex[Array, "*n"]:
    """The amplitude of Bragg reflections per atom, in the limit of infinitely many atoms.

    F(h) = lim 1/N Σ f exp(i Q∥·x) = Σₛ fₛ ρₛ exp(2πi h·s + i Q⊥·shift) Ŵₛ(Q⊥) / Σₛ ρₛ |Wₛ|, where ρₛ is 1 or the share
    of the lattice in the coset, and Ŵ(k) = ∫ exp(−i k·q) dq over the window. The strain of the lattice and a
    phason strain move Q∥ and leave Q⊥ as it is. Differentiable in all of the model, also at Q⊥ = 0.

    Args:
        model: The quasicrystal.
        indices: h in the basis dual to that of the lattice. Integers, or for surfaces on cosets also the fractions that
            are whole on the differences of points of a coset (`bragg` lists them).
        amplitudes: f, the scattering amplitude of each surface; 1 by default. `Scatterers` depend on the wave vector.

    Returns:
        F, exact up to rounding.

    Example:
        >>> import jax.numpy as jnp
        >>> from geoembed.quasicrystal import fibonacci, structure_factor
        >>> print(f"{abs(structure_factor(fibonacci(), jnp.array([1, 1]))):.4f}")
        0.7020

    References:
        M. Baake, U. Grimm, Aperiodic Order, volume 1, 2013, theorem 9.4.
    """
    along, across = wave_vectors(model, indices)
    if isinstance(amplitudes, Scatterers):
        amplitudes = amplitudes(along, across)
    dtype = across.dtype
    h = indices.astype(dtype)
    dimension = h.shape[-1]
    total, number = as_complex(jnp.zeros(h.shape[:-1], dtype)), model.densities()
    for s, surface in enumerate(model.surfaces):
        at = jnp.zeros(dimension, dtype) if surface.position is None else surface.position
        member = np.zeros(dimension) if surface.coset is None else surface.coset.member(dimension)
        phase = 2.0 * np.pi * (h @ (at + jnp.asarray(member, dtype))) + across @ model.shift
        factor = number[s] / surface.window.volume()
        if amplitudes is not None:
            factor = factor * amplitudes[..., s]
        total = total + as_complex(factor) * wave(phase) * surface.window.transform(across)
    return total / as_complex(jnp.sum(number))


def wave_vectors(
    model: Model, indices: Int[Array, "*n D"] | Float[Array, "*n D"]
) -> tuple[Float[Array, "*n d"], Float[Array, "*n m"]]:
    """The wave vectors Q∥ (rad per unit of the lattice constant's length) and Q⊥ (rad per lattice constant).

    Q∥·x + Q⊥·(q − shift) is 2π times an integer for every lattice point.
    """
    along, across = model.lattice.reciprocal()
    h = 2.0 * np.pi * indices.astype(along.dtype)
    return h @ along.T, h @ across.T


def direct_sum(
    points: Float[Array, "n d"], wave_vectors: Float[Array, "k d"], weights: Float[Array, " n"] | None = None
) -> Complex[Array, " k"]:
    """Σ w exp(i Q·x) / Σ w over points, one wave vector after the other. O(n k) time and O(n) memory.

    Args:
        points: x.
        wave_vectors: Q, in radians per unit of length.
        weights: w; 1 by default.
    """
    w = jnp.ones(len(points), points.dtype) if weights is None else weights
    sums = jax.lax.map(lambda q: jnp.sum(as_complex(w) * wave(points @ q)), wave_vectors)
    return sums / as_complex(jnp.sum(w))
