"""The activation of the networks inside a potential."""

import jax
import jax.numpy as jnp
from jaxtyping import Array, Float

SILU_GAIN = 1.6765324703310907
"""1/√⟨silu(z)²⟩ over normal numbers z: with it silu keeps the second moment 1."""
TANH_GAIN = 1.5925374197228312
"""1/√⟨tanh(z)²⟩, the same for tanh."""


def scaled_silu(x: Float[Array, "*shape"], gain: float) -> Float[Array, "*shape"]:
    """gain · x/(1 + e⁻ˣ)."""
    return gain * jax.nn.silu(x)


def scaled_tanh(x: Float[Array, "*shape"]) -> Float[Array, "*shape"]:
    """tanh x times what keeps its second moment 1 over normal numbers: an odd function, for what changes sign."""
    return TANH_GAIN * jnp.tanh(x)
