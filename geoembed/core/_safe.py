"""Norm, square root, sinc and arccos whose values and gradients are right at their special points.

Each keeps the dtype of its argument. The pattern is a double `where`: the branch that is not taken is fed a
harmless argument too, because reverse mode multiplies its derivative by zero and 0 · inf is nan.
"""

import math

import jax
import jax.numpy as jnp
from jaxtyping import Array, Float

# sin(u)/u = Σ (−1)ᵏ u²ᵏ / (2k+1)!. Twelve terms leave 3e-21 at u = π/2 and 1e-18 in the second derivative.
_SINC_SERIES = tuple((-1) ** k / math.factorial(2 * k + 1) for k in range(12))

# arccos takes an argument beyond ±1 by this many units of rounding for ±1 itself.
_ARCCOS_SLACK = 32


def norm(x: Float[Array, "*shape"], *, axis: int = -1, keepdims: bool = False) -> Float[Array, "*reduced"]:
    """Euclidean length along one axis, with gradient 0 at the origin.

    |x| = √(Σ xᵢ²). The argument is scaled by a power of two first, which is exact, so neither tiny nor huge
    vectors lose their length to underflow or overflow.

    Args:
        x: Vectors.
        axis: The axis of the components.
        keepdims: Keep the reduced axis with length 1.

    Returns:
        Lengths. At the origin the gradient, a choice from the unit ball, is 0.

    Example:
        >>> import jax, jax.numpy as jnp
        >>> float(norm(jnp.array([3.0, 4.0])))
        5.0
        >>> jax.grad(norm)(jnp.zeros(2)).tolist()
        [0.0, 0.0]
    """
    largest = jnp.max(jnp.abs(jax.lax.stop_gradient(x)), axis=axis, keepdims=True)
    scale = _power_of_two(largest)
    at_origin = largest == 0
    squares = jnp.sum(jnp.square(x / scale), axis=axis, keepdims=True)
    length = jnp.where(at_origin, 0.0, scale * jnp.sqrt(jnp.where(at_origin, 1.0, squares)))
    return length if keepdims else jnp.squeeze(length, axis=axis)


def sqrt(x: Float[Array, "*shape"]) -> Float[Array, "*shape"]:
    """Square root with gradient 0 at 0.

    The true one-sided derivative at 0 is infinite; 0 is the value with which a minimiser stays finite.
    Negative arguments give nan, as in `jnp.sqrt`.

    Args:
        x: Non-negative numbers.

    Returns:
        √x.

    Example:
        >>> import jax, jax.numpy as jnp
        >>> float(jax.grad(sqrt)(0.0 * jnp.ones(())))
        0.0
    """
    at_zero = x == 0
    return jnp.where(at_zero, 0.0, jnp.sqrt(jnp.where(at_zero, 1.0, x)))


def sinc(x: Float[Array, "*shape"]) -> Float[Array, "*shape"]:
    """Normalised cardinal sine, sin(πx)/(πx), with right derivatives of every order near 0.

    Below |x| = ½ a Taylor series replaces the quotient, whose derivative cancels: at 1e-17 `jnp.sinc` has the
    derivative −12.57 in float64, the true one is −3e-17.

    Args:
        x: Real numbers, in units of the zero spacing.

    Returns:
        1 at 0; zeros at the other integers.

    Example:
        >>> import jax, jax.numpy as jnp
        >>> float(sinc(jnp.zeros(())))
        1.0
        >>> float(jax.grad(sinc)(jnp.zeros(())))
        0.0
    """
    near = jnp.abs(x) < 0.5
    u2 = jnp.square(math.pi * jnp.where(near, x, 0.0))
    series = jnp.zeros_like(u2)
    for coefficient in reversed(_SINC_SERIES):
        series = series * u2 + coefficient
    far = jnp.where(near, 1.0, x)
    # sin(πx) has period 2: the subtraction is exact, π · x for a large x is not.
    reduced = far - 2.0 * jax.lax.stop_gradient(jnp.round(far / 2.0))
    return jnp.where(near, series, jnp.sin(math.pi * reduced) / (math.pi * far))


def arccos(x: Float[Array, "*shape"]) -> Float[Array, "*shape"]:
    """Angle of a cosine, in radians, with gradient 0 at ±1.

    The true derivative −1/√(1−x²) is infinite at ±1, the cosine of parallel vectors. A cosine that rounding
    pushed beyond ±1 (up to 32 units of rounding) counts as ±1; farther out the result is nan.

    Args:
        x: Cosines in [−1, 1].

    Returns:
        Angles in [0, π], rad.

    Example:
        >>> import jax, jax.numpy as jnp
        >>> float(arccos(jnp.ones(()))), float(jax.grad(arccos)(jnp.ones(())))
        (0.0, 0.0)
    """
    slack = _ARCCOS_SLACK * float(jnp.finfo(x.dtype).eps)
    at_end = (jnp.abs(x) >= 1) & (jnp.abs(x) <= 1 + slack)
    inner = jnp.arccos(jnp.where(at_end, 0.0, x))
    return jnp.where(at_end, jnp.where(x > 0, 0.0, math.pi), inner)


def _power_of_two(x: Float[Array, "*shape"]) -> Float[Array, "*shape"]:
    """The power of two nearest to x ≥ 0, away from both ends of the exponent range; 1 for inf and nan."""
    info = jnp.finfo(x.dtype)
    power = jax.lax.reduce_precision(x, exponent_bits=info.nexp, mantissa_bits=0)
    lowest, highest = float(info.tiny), float(2.0 ** (info.maxexp - 2))
    return jnp.where(jnp.isfinite(x), jnp.clip(power, lowest, highest), 1.0)
