"""The activation of the networks inside a potential."""

import jax
from jaxtyping import Array, Float

SILU_GAIN = 1.6765324703310907
"""1/√⟨silu(z)²⟩ over normal numbers z: with it silu keeps the second moment 1."""


def scaled_silu(x: Float[Array, "*shape"], gain: float) -> Float[Array, "*shape"]:
    """gain · x/(1 + e⁻ˣ)."""
    return gain * jax.nn.silu(x)
