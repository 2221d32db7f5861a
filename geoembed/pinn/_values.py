"""Values on the boundary and at the first moment as functions of the point, in its dtype."""

from collections.abc import Callable
from typing import Any

import equinox as eqx
import jax
import jax.numpy as jnp
from jaxtyping import Array, Float

from ..core import register
from ..sdf._boundaries._boundary_join import nearness
from ._along import Point
from ._domains._factor import HardFactor


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
    """Values on several parts of the boundary as one function, by inverse-distance weights 1/mᵢ.

    It is as smooth as the factors wherever no two parts meet. The weights see only the coordinates in space.

    Args:
        factors: For each part the function that is 0 on it, and on it alone.
        values: The value on each.

    References:
        V. L. Rvachev, T. I. Sheiko, V. Shapiro and I. Tsukanov, Comput. Aided Geom. Des. 18, 195 (2001).
    """

    factors: tuple[HardFactor, ...] = eqx.field(converter=tuple)
    values: tuple[Known, ...] = eqx.field(converter=tuple)

    def __call__(self, x: Point) -> Float[Array, ""]:
        place = x[: self.factors[0].factors[0].dimension]
        near = nearness(jnp.stack([factor(place) for factor in self.factors]))[1]
        values = jnp.stack([value(x) for value in self.values])
        # Differences from one of them, so that a common part is not multiplied with the large ∇w where parts meet.
        base = jax.lax.stop_gradient(values[jnp.argmax(near)])
        return base + jnp.sum(near / jnp.sum(near) * (values - base))
