"""The argument of a function of space."""

import jax.numpy as jnp
from jaxtyping import Array, Float


def one_point(x: Float[Array, "3"], taker: str) -> Float[Array, "3"]:
    """Returns a point as an array; refuses batches and whole numbers when the function is traced.

    Args:
        x: The point.
        taker: What takes it, with its article, for the message.

    Raises:
        ValueError: The argument is not one point of three floating-point coordinates.
    """
    x = jnp.asarray(x)
    if x.shape != (3,):
        raise ValueError(
            f"{taker} takes one point of shape (3,), received {x.shape}: use jax.vmap for many points"
        )
    if not jnp.issubdtype(x.dtype, jnp.floating):
        raise ValueError(f"{taker} takes floating-point coordinates, received {x.dtype}: convert them first")
    return x
