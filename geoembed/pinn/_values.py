"""Values on the boundary and at the first moment as functions of the point, in its dtype."""

from collections.abc import Callable
from typing import Any

import equinox as eqx
import jax.numpy as jnp
from jaxtyping import Array, Float

from ..core import register
from ..sdf import Transfinite
from ._along import Point


@register
class Constant(eqx.Module):
    """The same number everywhere.

    Args:
        value: The number.
    """

    value: float = eqx.field(static=True, converter=float)

    def __call__(self, x: Point) -> Float[Array, ""]:
        return jnp.full((), self.value, x.dtype)


@register
class Given(eqx.Module):
    """A function of the user.

    Args:
        function: Of one point. A field that holds it can be saved if it is registered, see `geoembed.core.register`.
    """

    function: Callable[[Any], Any]

    def __call__(self, x: Point) -> Float[Array, ""]:
        value = jnp.asarray(self.function(x), x.dtype)
        if value.shape != ():
            raise ValueError(f"a value must be one number at every point, received shape {value.shape}")
        return value


Known = Constant | Given


def as_function(value: float | Callable[[Any], Any]) -> Known:
    """A number or a function of a point as a function that returns the dtype of the point."""
    return Given(value) if callable(value) else Constant(value)


@register
class Ends(eqx.Module):
    """The factor of an interval: the heights over the ends with a given value, at most 1.

    Args:
        lower: The left end.
        upper: The right end.
        left: Whether the value is given at the left end.
        right: Whether it is given at the right end.
    """

    lower: float = eqx.field(static=True, converter=float)
    upper: float = eqx.field(static=True, converter=float)
    left: bool = eqx.field(static=True)
    right: bool = eqx.field(static=True)

    def __call__(self, x: Point) -> Float[Array, ""]:
        share = (x[0] - self.lower) / (self.upper - self.lower)
        if self.left and self.right:
            return 4 * share * (1 - share)
        return share if self.left else 1 - share


@register
class Between(eqx.Module):
    """Linear between the values at the two ends of an interval.

    Args:
        lower: The left end.
        upper: The right end.
        left: The value at the left end.
        right: The value at the right end.
    """

    lower: float = eqx.field(static=True, converter=float)
    upper: float = eqx.field(static=True, converter=float)
    left: Known
    right: Known

    def __call__(self, x: Point) -> Float[Array, ""]:
        share = (x[0] - self.lower) / (self.upper - self.lower)
        return (1 - share) * self.left(x) + share * self.right(x)


@register
class Blend(eqx.Module):
    """Values on several pieces of the boundary as one function; the weights see only the coordinates in space.

    Args:
        pieces: The boundaries, whose own values are not looked at.
        values: The value on each.
    """

    pieces: Transfinite
    values: tuple[Known, ...]

    def __call__(self, x: Point) -> Float[Array, ""]:
        weights = self.pieces.weights(x[: self.pieces.dimension])
        return jnp.sum(weights * jnp.stack([value(x) for value in self.values]))
