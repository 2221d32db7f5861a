"""The argument of a function of space."""

from typing import Any

import jax.numpy as jnp
from jaxtyping import Array, Float


def one_point(x: Any, taker: str, size: int = 3) -> Float[Array, " d"]:
    """Returns a point as an array; refuses batches and whole numbers when the function is traced.

    Args:
        x: The point.
        taker: What takes it, with its article, for the message.
        size: How many coordinates it has.

    Raises:
        ValueError: The argument is not one point of so many floating-point coordinates.
    """
    x = jnp.asarray(x)
    if x.shape != (size,):
        raise ValueError(
            f"{taker} takes one point of shape ({size},), received {x.shape}: use jax.vmap for many points"
        )
    if not jnp.issubdtype(x.dtype, jnp.floating):
        raise ValueError(f"{taker} takes floating-point coordinates, received {x.dtype}: convert them first")
    return x
