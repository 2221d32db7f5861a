"""Boxes in the order of a bound, as whole numbers.

The bits of a float that is not negative grow with it. With the number of the box in place of the lowest ones, one
minimum finds both the least bound and its box, no two keys are equal, and the minimum vectorises. Of a float64 the
upper 32 bits are taken.
"""

import jax.numpy as jnp
import numpy as np
from jax import lax
from jaxtyping import Array, Float, Int32

NONE = np.int32(2**31 - 1)  # larger than every key


def number_mask(boxes: int) -> int:
    """The bits of a key that hold the number of one of so many boxes."""
    return 2 ** max((boxes - 1).bit_length(), 1) - 1


def keys(bounds: Float[Array, "*n k"]) -> Int32[Array, "*n k"]:
    """Returns the keys of boxes from their bounds ≥ 0. Cutting off bits only lowers a bound."""
    number = lax.broadcasted_iota(jnp.int32, bounds.shape, bounds.ndim - 1)
    return (_bits(bounds) & ~np.int32(number_mask(bounds.shape[-1]))) | number


def limit(bounds: Float[Array, "*n"], boxes: int) -> Int32[Array, "*n"]:
    """Returns the number below which the key of every box is whose own bound is below `bounds`."""
    return _bits(bounds) + np.int32(number_mask(boxes) + 1)


def least(x: Int32[Array, " n"]) -> Int32[Array, ""]:
    """Returns the minimum, in steps of 32: XLA on CPU turns longer reductions into slow windows."""
    while len(x) > 32 and len(x) % 32 == 0:
        x = jnp.min(x.reshape(32, -1), axis=0)
    return jnp.min(x)


def _bits(x: Float[Array, "*n"]) -> Int32[Array, "*n"]:
    """The upper 32 bits of numbers ≥ 0: they are ordered as the numbers are."""
    if x.dtype == jnp.float32:
        return lax.bitcast_convert_type(x, jnp.int32)
    return (lax.bitcast_convert_type(x, jnp.int64) >> np.int64(32)).astype(jnp.int32)
