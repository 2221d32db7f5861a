"""What the operators are made of: checked points and coordinates, and one derivative along a direction."""

from collections.abc import Callable, Sequence
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
from jax import Array
from jaxtyping import Float

Point = Float[Array, " d"]
Values = Float[Array, "..."]
Field = Callable[[Any], Any]
Axes = Sequence[int] | None


def along_axis(u: Field, axis: int) -> Field:
    """∂u/∂x of one coordinate, as a field."""

    def at(x: Any) -> Values:
        x = field_point(x)
        return jax.jvp(u, (x,), (unit_vector(x, axis),))[1]

    return at


def tower(u: Field, x: Point, direction: Point, order: int) -> tuple[Values, ...]:
    """u and its derivatives along a direction; each level differentiates the level before as a whole."""

    def lift(y: Point) -> tuple[Values, ...]:
        return (u(y),)

    def higher(level: Field) -> Field:
        def at(y: Point) -> tuple[Values, ...]:
            values, slopes = jax.jvp(level, (y,), (direction,))
            return (*values, slopes[-1])

        return at

    level: Field = lift
    for _ in range(order):
        level = higher(level)
    return level(x)


def field_point(x: Any) -> Point:
    """Returns a point as an array; refuses batches and whole numbers when the function is traced."""
    x = jnp.asarray(x)
    if x.ndim != 1:
        raise ValueError(
            f"an operator takes one point of shape (d,), received {x.shape}: use jax.vmap for many points"
        )
    if not jnp.issubdtype(x.dtype, jnp.floating):
        raise ValueError(
            f"an operator takes floating-point coordinates, received {x.dtype}: convert them first"
        )
    return x


def coordinate(axis: int, x: Point) -> int:
    """The number of a coordinate, counted from 0."""
    if not -x.shape[0] <= axis < x.shape[0]:
        raise ValueError(f"there is no axis {axis}: the point has {x.shape[0]} coordinates")
    return axis % x.shape[0]


def coordinates(axes: Axes, x: Any) -> list[int]:
    """The numbers of the coordinates, all of the point's if None."""
    x = field_point(x)
    chosen = [coordinate(axis, x) for axis in (range(x.shape[0]) if axes is None else axes)]
    if not chosen or len(set(chosen)) < len(chosen):
        raise ValueError(f"axes must name coordinates, each once, received {axes}")
    return chosen


def unit_vector(x: Point, axis: int) -> Point:
    """The direction of a coordinate, in the dtype of the point."""
    return jnp.asarray(np.eye(x.shape[0], dtype=x.dtype)[coordinate(axis, x)])


def coefficient_row(k: Any, i: int, axes: list[int], x: Point) -> Point:
    """Row i of a coefficient, spread over the coordinates of the point."""
    k = jnp.asarray(k, x.dtype)
    if k.shape == ():
        return k * unit_vector(x, axes[i])
    if k.shape != (len(axes), len(axes)):
        raise ValueError(
            f"a coefficient of a diffusion by {len(axes)} coordinates is one number or a matrix of shape "
            f"({len(axes)}, {len(axes)}), received {k.shape}"
        )
    return total([k[i, j] * unit_vector(x, axis) for j, axis in enumerate(axes)])


def padded(direction: Any, x: Point) -> Point:
    """A direction with zeros for the coordinates that it leaves out."""
    arrow = jnp.asarray(direction, x.dtype)
    if arrow.ndim != 1 or arrow.shape[0] > x.shape[0]:
        raise ValueError(
            f"a direction at a point of {x.shape[0]} coordinates has at most so many, received {arrow.shape}"
        )
    return jnp.pad(arrow, (0, x.shape[0] - arrow.shape[0]))


def require_order(order: int, lowest: int) -> None:
    """Raises ValueError unless the order is a whole number and not below the lowest."""
    if not isinstance(order, int) or order < lowest:
        raise ValueError(
            f"the order of a derivative is a whole number of at least {lowest}, received {order!r}"
        )


def total(parts: list[Any]) -> Any:
    """Their sum, without the 0 that `sum` starts from."""
    result = parts[0]
    for part in parts[1:]:
        result = result + part
    return result
