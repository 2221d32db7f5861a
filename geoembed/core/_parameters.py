"""What is trained."""

from typing import Any

import jax
import jax.numpy as jnp


def is_parameter(leaf: Any) -> bool:
    """Whether a leaf of an encoder is trained. equinox's `is_inexact_array` says yes to numpy tables too."""
    return isinstance(leaf, jax.Array) and jnp.issubdtype(leaf.dtype, jnp.inexact)
