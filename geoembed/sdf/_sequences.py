"""Points of low discrepancy in the unit cube, shifted at random so that averages over them are unbiased."""

from typing import Any, Literal

import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Float, PRNGKeyArray, UInt32

Method = Literal["sobol", "halton", "random"]

# Degree, coefficients a and first direction integers m of the dimensions after the first.
_JOE_KUO = (
    (1, 0, (1,)),
    (2, 1, (1, 3)),
    (3, 1, (1, 3, 1)),
    (3, 2, (1, 1, 1)),
    (4, 1, (1, 1, 3, 3)),
    (4, 4, (1, 3, 5, 13)),
    (5, 2, (1, 1, 5, 5, 17)),
)
_PRIMES = (2, 3, 5, 7, 11, 13, 17, 19)
_BITS = 32


def sobol(
    count: int, dimension: int, *, key: PRNGKeyArray, dtype: Any = None
) -> Float[Array, "{count} {dimension}"]:
    """The first points of Sobol's sequence with a random digital shift.

    The bits of each coordinate are combined by exclusive or with those of one random number for the dimension:
    each point on its own is distributed uniformly in [0, 1)ᵈ, so that means over the points are unbiased over
    keys, and the points keep their even spread (a power of two is spread best). Jitted code may call it; the
    count is static. O(count · log count).

    Args:
        count: How many points.
        dimension: At most 8.
        key: Random key.
        dtype: Of the result; None for jax's default float.

    Returns:
        Points in (0, 1)ᵈ, of 23 bits in float32 and 32 in float64.

    Raises:
        ValueError: A negative count, or a dimension out of range.

    References:
        S. Joe and F. Y. Kuo, SIAM J. Sci. Comput. 30 (2008) 2635, whose direction numbers are used.

    Example:
        >>> x = sobol(4, 1, key=jax.random.key(0))[:, 0]
        >>> sorted((4 * x).astype(int).tolist())  # one point in each quarter
        [0, 1, 2, 3]
    """
    _check(count, dimension, len(_JOE_KUO) + 1)
    index = jnp.arange(count, dtype=jnp.uint32)
    gray = index ^ (index >> 1)
    directions = jnp.asarray(_directions(dimension))
    numbers = jnp.zeros((count, dimension), jnp.uint32)
    for bit in range(max(count - 1, 0).bit_length()):
        used = ((gray >> bit) & 1).astype(bool)
        numbers = numbers ^ jnp.where(used[:, None], directions[:, bit][None], jnp.zeros((), jnp.uint32))
    shifted = numbers ^ jax.random.bits(key, (dimension,), jnp.uint32)[None]
    return _to_float(shifted, dtype)


def halton(
    count: int, dimension: int, *, key: PRNGKeyArray, dtype: Any = None
) -> Float[Array, "{count} {dimension}"]:
    """The first points of Halton's sequence, shifted modulo one by one random vector.

    Coordinate k of point i is i with its digits in the k-th prime base mirrored at the point. Each point on its
    own is distributed uniformly, so that means over the points are unbiased over keys. Any count is spread well.

    Args:
        count: How many points.
        dimension: At most 8.
        key: Random key.
        dtype: Of the result; None for jax's default float.

    Returns:
        Points in [0, 1)ᵈ.

    Raises:
        ValueError: A negative count, or a dimension out of range.

    References:
        J. H. Halton, Numer. Math. 2 (1960) 84; the shift: R. Cranley and T. N. L. Patterson, SIAM J. Numer.
        Anal. 13 (1976) 904.

    Example:
        >>> halton(100, 3, key=jax.random.key(0)).shape
        (100, 3)
    """
    _check(count, dimension, len(_PRIMES))
    dtype = jnp.result_type(float) if dtype is None else jnp.dtype(dtype)
    columns = []
    for base in _PRIMES[:dimension]:
        rest, column, weight = jnp.arange(count, dtype=jnp.uint32), jnp.zeros((count,), dtype), 1.0
        for _ in range(_digits(count, base)):
            weight /= base
            column = column + weight * (rest % base).astype(dtype)
            rest = rest // base
        columns.append(column)
    moved = jnp.stack(columns, axis=1) + jax.random.uniform(key, (dimension,), dtype)[None]
    return moved - jnp.floor(moved)


def uniform_points(method: Method, count: int, dimension: int, key: PRNGKeyArray, dtype: Any) -> Array:
    """Points in the unit cube by one of the methods.

    Raises:
        ValueError: No such method.
    """
    if method == "random":
        return jax.random.uniform(key, (count, dimension), dtype)
    if method not in ("sobol", "halton"):
        raise ValueError(f"method must be 'sobol', 'halton' or 'random', received {method!r}")
    return (sobol if method == "sobol" else halton)(count, dimension, key=key, dtype=dtype)


def _check(count: int, dimension: int, most: int) -> None:
    if not 0 <= count < 2**31:
        raise ValueError(f"count must lie between 0 and 2³¹, received {count}")
    if not 1 <= dimension <= most:
        raise ValueError(f"dimension must lie between 1 and {most}, received {dimension}")


def _directions(dimension: int) -> UInt32[np.ndarray, "d 32"]:
    """The direction numbers as binary fractions of 32 bits."""
    rows = [[1] * _BITS]
    for degree, a, first in _JOE_KUO[: dimension - 1]:
        m = list(first)
        for k in range(degree, _BITS):
            new = m[k - degree] ^ (m[k - degree] << degree)
            for j in range(1, degree):
                new ^= ((a >> (degree - 1 - j)) & 1) * (m[k - j] << j)
            m.append(new)
        rows.append(m)
    return np.array([[m << (_BITS - 1 - k) for k, m in enumerate(row)] for row in rows], np.uint32)


def _digits(count: int, base: int) -> int:
    digits = 0
    while base**digits < count:
        digits += 1
    return digits


def _to_float(bits: UInt32[Array, "n d"], dtype: Any) -> Float[Array, "n d"]:
    """The middle of the interval that the leading bits leave; below one also after rounding."""
    dtype = jnp.result_type(float) if dtype is None else jnp.dtype(dtype)
    kept = min(_BITS, int(jnp.finfo(dtype).nmant))
    return ((bits >> (_BITS - kept)).astype(dtype) + 0.5) * float(2.0**-kept)
