"""Complex numbers from real ones of the same precision: implicit promotion stays forbidden."""

import jax
import jax.numpy as jnp
from jaxtyping import Array, Complex, Float


def wave(phase: Float[Array, "*n"]) -> Complex[Array, "*n"]:
    """exp(i phase)."""
    return jax.lax.complex(jnp.cos(phase), jnp.sin(phase))


def as_complex(x: Float[Array, "*n"]) -> Complex[Array, "*n"]:
    """x + 0i."""
    return jax.lax.complex(x, jnp.zeros_like(x))
