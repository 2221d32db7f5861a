"""What the atoms of each surface scatter: form factors, occupancies and Debye–Waller factors in both spaces."""

import math
from collections.abc import Sequence

import equinox as eqx
import jax.numpy as jnp
from jaxtyping import Array, Float

from ..core import norm, register

_HALF_STEP = 1.0 / (4.0 * math.pi)  # sin θ / λ = |Q| / 4π


@register
class FormFactor(eqx.Module):
    """An atomic form factor f(Q) = Σ aᵢ exp(−bᵢ (|Q| / 4π)²) + c.

    International Tables list a, b and c of free atoms and ions for X-rays and for electrons; for neutrons there is
    only c, the scattering length.

    Args:
        a: Electrons (or the unit of the scattering amplitude).
        b: In Å² if lengths are in Å.
        c: In the unit of a.

    Example:
        >>> import jax.numpy as jnp
        >>> oxygen = FormFactor(  # International Tables C, table 6.1.1.4
        ...     jnp.array([3.0485, 2.2868, 1.5463, 0.8670]),
        ...     jnp.array([13.2771, 5.7011, 0.3239, 32.9089]),
        ...     jnp.array(0.2508),
        ... )
        >>> print(f"{oxygen(jnp.array(0.0)):.2f}")
        8.00

    References:
        P. J. Brown et al., International Tables for Crystallography C, 2006, eq. 6.1.1.15 and table 6.1.1.4.
    """

    a: Float[Array, " k"]
    b: Float[Array, " k"]
    c: Float[Array, ""]

    def __call__(self, lengths: Float[Array, "*n"]) -> Float[Array, "*n"]:
        """f, for the lengths |Q∥| of wave vectors in radians per unit of length."""
        squares = jnp.square(lengths * _HALF_STEP)
        shape = (1,) * lengths.ndim + (-1,)
        return jnp.exp(-squares[..., None] * self.b.reshape(shape)) @ self.a + self.c


@register
class Scatterers(eqx.Module):
    """The scattering amplitude of every surface of a model, for `structure_factor`, `bragg`, `powder` and `refine`.

    An atom scatters with f(Q∥) A exp(−B∥ Q∥² / 16π²) exp(−B⊥ Q⊥² / 16π²). With B = 8π² ⟨u²⟩, where ⟨u²⟩ is the mean
    square of one component of an isotropic Gaussian displacement, the first exponential is the usual Debye–Waller
    factor exp(−B sin²θ / λ²) of phonons, and the second the same of phasons: a window whose edge is blurred.

    Args:
        amplitudes: A: an occupancy, or the whole amplitude where there is no form factor.
        b_parallel: B∥ of phonons, in the square of the unit of length (Å²); 0 by default.
        b_perp: B⊥ of phasons, in squares of the lattice constant; 0 by default.
        forms: f of each surface, None for 1; all 1 by default.

    Raises:
        ValueError: The numbers of surfaces differ.

    Example:
        >>> import jax.numpy as jnp
        >>> from geoembed.quasicrystal import fibonacci, structure_factor
        >>> hot = Scatterers(jnp.ones(1), b_perp=jnp.ones(1))
        >>> print(f"{abs(structure_factor(fibonacci(), jnp.array([1, 1]), hot)):.4f}")
        0.6887

    References:
        B. T. M. Willis, A. W. Pryor, Thermal Vibrations in Crystallography, 1975, chapter 4; the phason factor:
        M. V. Jarić, D. R. Nelson, Phys. Rev. B 37, 4458 (1988).
    """

    amplitudes: Float[Array, " n_surfaces"]
    b_parallel: Float[Array, " n_surfaces"]
    b_perp: Float[Array, " n_surfaces"]
    forms: tuple[FormFactor | None, ...]

    def __init__(
        self,
        amplitudes: Float[Array, " n_surfaces"],
        b_parallel: Float[Array, " n_surfaces"] | None = None,
        b_perp: Float[Array, " n_surfaces"] | None = None,
        forms: Sequence[FormFactor | None] | None = None,
    ):
        self.amplitudes = amplitudes
        self.b_parallel = jnp.zeros_like(amplitudes) if b_parallel is None else b_parallel
        self.b_perp = jnp.zeros_like(amplitudes) if b_perp is None else b_perp
        self.forms = (None,) * len(amplitudes) if forms is None else tuple(forms)
        if len(self.forms) != len(amplitudes):
            raise ValueError(
                f"Scatterers needs as many form factors as amplitudes, received {len(self.forms)} and "
                f"{len(amplitudes)}: give None for a surface without one"
            )

    def __call__(
        self, q: Float[Array, "*n d"], q_perp: Float[Array, "*n m"]
    ) -> Float[Array, "*n n_surfaces"]:
        """The amplitude of each surface, for wave vectors in both spaces as `wave_vectors` returns them."""
        along, across = (jnp.sum(jnp.square(x * _HALF_STEP), axis=-1) for x in (q, q_perp))
        shape = (1,) * along.ndim + (-1,)
        exponents = along[..., None] * self.b_parallel.reshape(shape) + across[
            ..., None
        ] * self.b_perp.reshape(shape)
        ones, lengths = jnp.ones_like(along), norm(q)
        forms = [ones if form is None else form(lengths) for form in self.forms]
        return jnp.stack(forms, axis=-1) * self.amplitudes.reshape(shape) * jnp.exp(-exponents)
