"""Several harmonics of an angle."""

import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, ArrayLike, Float

from ._sine import advanced_sine, as_turns


def harmonics(turns: Float[ArrayLike, "*shape"], count: int) -> Float[Array, "*shape n_features"]:
    """Sine and cosine of the first multiples of an angle, (sin 2πku, cos 2πku) for k = 1 … count.

    A linear model of them is a Fourier series. Each has the error bound of `encode`: k·u is reduced without rounding
    its whole turns, so high harmonics are as accurate as the first.

    Args:
        turns: Angles in turns.
        count: Number of harmonics, at least 1.

    Returns:
        sin 1, cos 1, sin 2, cos 2, … on a new last axis of length 2·count.

    Raises:
        ValueError: `count` is no positive integer, or the angles have an integer dtype.

    Example:
        >>> import jax.numpy as jnp
        >>> harmonics(jnp.array(0.25), 2).tolist()
        [1.0, 0.0, 0.0, -1.0]
    """
    if isinstance(count, bool) or not isinstance(count, int) or count < 1:
        raise ValueError(
            f"harmonics needs a count of at least 1, received {count!r}: pass a positive integer"
        )
    return lanes(as_turns(turns, "harmonics"), count)


def lanes(turns: Array, count: int) -> Array:
    """All sines and cosines in one elementwise computation over the last axis, which compilers vectorise."""
    if count == 1:  # the sine takes whole turns off by itself
        multiples = jnp.broadcast_to(turns[..., None], (*turns.shape, 2))
    else:
        part = turns - jnp.round(turns)
        orders = np.repeat(np.arange(1.0, count + 1), 2).reshape((1,) * turns.ndim + (-1,))
        multiples = _multiples(part[..., None], jnp.asarray(orders, turns.dtype))
    return advanced_sine(multiples, (0, 1) * count)


def _multiples(part: Array, orders: Array) -> Array:
    """k·u less whole turns for |u| ≤ 1/2, with one rounding, of a number below 1.

    u is split into a coarse part of half the digits, of which k times is exact, and the rest.
    """
    unit = 2.0 ** (jnp.finfo(part.dtype).nmant // 2)
    coarse = jnp.round(part * unit) / unit
    whole = orders * coarse
    return (whole - jnp.round(whole)) + orders * (part - coarse)
