"""The arguments of the encoders: fixed numbers, checked when they are made, and positions, checked when traced."""

import math
from typing import Any

import jax.numpy as jnp
from jaxtyping import Array, Float


def plain(value: Any) -> Any:
    """Real numbers, alone or in a list, as Python floats; what is no number stays, for a check to refuse.

    A numpy scalar in traced code would widen float32 to float64, so none is kept.
    """
    if isinstance(value, list | tuple):
        return tuple(plain(item) for item in value)
    return float(value) if isinstance(value, int | float) and not isinstance(value, bool) else value


def require_period(taker: str, value: Any) -> None:
    """Raises ValueError unless the value is a finite positive number."""
    if not (type(value) is float and math.isfinite(value) and value > 0):
        hint = "pass the length of one turn in the unit of the input, for example 24.0 for hours"
        raise ValueError(f"{taker} needs a finite period above 0, received {value!r}: {hint}")


def require_finite(taker: str, name: str, value: Any) -> None:
    """Raises ValueError unless the value is a finite number."""
    if not (type(value) is float and math.isfinite(value)):
        raise ValueError(f"{taker} needs a finite {name}, received {value!r}: pass a number")


def require_count(taker: str, name: str, value: Any, least: int = 1) -> None:
    """Raises ValueError unless the value is an integer and large enough."""
    if type(value) is not int or value < least:
        raise ValueError(
            f"{taker} needs {name} of at least {least}, received {value!r}: pass a Python integer from {least} on"
        )


def numbers(x: Any, taker: str) -> Float[Array, "*shape"]:
    """The input as a floating array.

    Raises:
        ValueError: It has an integer dtype, whose result would depend on a global setting.
    """
    x = jnp.asarray(x)
    if not jnp.issubdtype(x.dtype, jnp.floating):
        hint = "convert them, x.astype(jnp.float32), or use geoembed.cyclic.fold on the host for times"
        raise ValueError(f"{taker} takes floating-point numbers, received {x.dtype}: {hint}")
    return x


def vector(x: Any, size: int, taker: str) -> Float[Array, " d"]:
    """The input as one floating vector of this size.

    Raises:
        ValueError: It has another shape, or an integer dtype.
    """
    x = numbers(x, taker)
    if x.shape != (size,):
        raise ValueError(
            f"{taker} takes one point of shape ({size},), received {x.shape}: use jax.vmap for many points"
        )
    return x


def phase(x: Array, period: Array | float, origin: Array | float = 0.0) -> Array:
    """The turns (x − origin) / period less whole ones, within rounding of [−1/2, 1/2].

    Whole periods are taken off before the division, which rounds a small number then: exactly where the multiples of
    the period have no more digits than the dtype, as those of 24 or 360 have.
    """
    apart = x - origin
    whole = jnp.round(
        apart * (1.0 / period)
    )  # may miss by one next to half a period, and the result is then beyond it
    return (apart - whole * period) / period
