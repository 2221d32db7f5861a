"""One dtype for all parameters of a model."""

from typing import TypeVar

import jax
import jax.numpy as jnp

from ..core import is_parameter

T = TypeVar("T")


def cast(module: T, dtype: jnp.dtype) -> T:
    """Brings all parameters to one dtype."""
    return jax.tree.map(lambda leaf: leaf.astype(dtype) if is_parameter(leaf) else leaf, module)
