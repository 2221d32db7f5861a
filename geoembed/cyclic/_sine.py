"""Sine and cosine of an angle in turns: a polynomial after an exact reduction.

A turn is a full circle: sin_turns(u) = sin(2πu). In turns the reduction u − round(u) is exact in floating point, for
huge u too, which no multiplication by 2π can be. What is left is an odd polynomial on a quarter turn either side of 0.
`tools/minimax_sine.py` computes its coefficients and says what they guarantee.
"""

import functools
import math
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, ArrayLike, Float

TURN = 2.0 * math.pi

# sin(2πt) = t P(t²) for |t| ≤ 1/4, exactly 1 at the quarter turn, smallest relative error (6e-9 and 3e-19)
_SINGLE = (6.2831854820251465, -41.3416748046875, 81.60201263427734, -76.56887817382812, 39.65736389160156)
_DOUBLE = (
    6.283185307179586,
    -41.341702240399755,
    81.60524927607332,
    -76.70585975278668,
    42.05869392299927,
    -15.094641592194193,
    3.81992648692478,
    -0.7177177548997111,
    0.10083192759307158,
)


def sin_turns(turns: Float[ArrayLike, "*shape"]) -> Float[Array, "*shape"]:
    """Sine of an angle in turns, sin(2πu).

    Error at most 5e-7 in float32 and 1e-15 in float64 for every finite u as it is given, huge ones included; exact at
    whole, half and quarter turns. The derivative is 2π cos(2πu) evaluated the same way, so the n-th derivative keeps
    that bound times (2π)ⁿ. Half precision is computed in float32 and rounded.

    Args:
        turns: Angles in turns.

    Returns:
        Sines, of the same shape and dtype; nan where the angle is not finite.

    Raises:
        ValueError: The angles have an integer dtype.

    Example:
        >>> import jax.numpy as jnp
        >>> sin_turns(jnp.array([0.0, 0.25, 0.5, 1e30])).tolist()
        [0.0, 1.0, 0.0, 0.0]
    """
    return advanced_sine(as_turns(turns, "sin_turns"), 0)


def cos_turns(turns: Float[ArrayLike, "*shape"]) -> Float[Array, "*shape"]:
    """Cosine of an angle in turns, cos(2πu), with the bounds of `sin_turns`.

    Args:
        turns: Angles in turns.

    Returns:
        Cosines, of the same shape and dtype; nan where the angle is not finite.

    Raises:
        ValueError: The angles have an integer dtype.

    Example:
        >>> import jax.numpy as jnp
        >>> cos_turns(jnp.array([0.0, 0.25, 0.5, 1e30])).tolist()
        [1.0, 0.0, -1.0, 1.0]
    """
    return advanced_sine(as_turns(turns, "cos_turns"), 1)


@functools.partial(jax.custom_jvp, nondiff_argnums=(1,))
def advanced_sine(turns: Float[Array, "*shape"], quarters: int | tuple[int, ...]) -> Float[Array, "*shape"]:
    """sin 2π(u + q/4): q = 0 is the sine, 1 the cosine, 2 and 3 their negatives.

    Args:
        turns: Angles in turns.
        quarters: q, one for all or one for each place of the last axis.
    """
    wide = turns.astype(jnp.float32) if jnp.finfo(turns.dtype).bits < 32 else turns
    r = wide - jnp.round(wide)
    q = np.asarray(quarters).reshape((1,) * (r.ndim - np.ndim(quarters)) + np.shape(quarters))
    value = _polynomial(jnp.where(q % 2 == 1, _cosine_argument(r), _sine_argument(r)))
    negative = q % 4 >= 2
    return (jnp.where(negative, -value, value) if negative.any() else value).astype(turns.dtype)


@advanced_sine.defjvp
def _(quarters: int | tuple[int, ...], primals: tuple, tangents: tuple) -> tuple:
    """The derivative is the sine a quarter turn ahead, times 2π."""
    ahead = quarters + 1 if isinstance(quarters, int) else tuple(q + 1 for q in quarters)
    slope = advanced_sine(*primals, ahead)
    return advanced_sine(*primals, quarters), TURN * slope * tangents[0]


def as_turns(turns: Any, taker: str) -> Array:
    """The argument as a floating array.

    float64 numbers of the host lose their whole turns before jax may round them to float32: 0.9993 becomes −0.0007,
    which keeps more digits.

    Raises:
        ValueError: The argument has an integer dtype: whole turns all are the same point of the circle.
    """
    if isinstance(turns, float) or (
        getattr(turns, "dtype", None) == np.float64 and not isinstance(turns, jax.Array)
    ):
        turns = turns - np.rint(turns)
    turns = jnp.asarray(turns)
    if not jnp.issubdtype(turns.dtype, jnp.floating):
        raise ValueError(
            f"{taker} takes floating-point turns, received {turns.dtype}: whole turns are all the same point; "
            "divide by the period, or fold(values, period) first"
        )
    return turns


def _sine_argument(r: Array) -> Array:
    """t in [−1/4, 1/4] with sin(2πt) = sin(2πr), for r in [−1/2, 1/2]; the subtraction is exact."""
    return jnp.where(jnp.abs(r) > 0.25, jnp.copysign(0.5, r) - r, r)


def _cosine_argument(r: Array) -> Array:
    """t in [−1/4, 1/4] with sin(2πt) = cos(2πr), for r in [−1/2, 1/2].

    For |r| < 1/8 the subtraction may round, where the cosine is flat: that costs less than 5e-8 in float32.
    """
    return 0.25 - jnp.abs(r)


def _polynomial(t: Array) -> Array:
    """sin(2πt) for |t| ≤ 1/4 by Horner's rule."""
    table = _DOUBLE if t.dtype == jnp.float64 else _SINGLE
    z = t * t
    value = jnp.full_like(z, table[-1])
    for coefficient in table[-2::-1]:
        value = value * z + coefficient
    return t * value
