"""Copies of a shape: its mirror image beside it, and copies in rows."""

from itertools import product
from typing import Any

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Float

from ...core import register
from .._select import larger, smaller, smallest
from ._exactness import Exactness, derived
from ._operator import Changed
from ._parameters import Leaf, Scalar, Vector, known, like, number, vector
from ._shape import Corners, Shape, known_region, point_of, require_dimension
from ._transforms import moved, reflected


@register
class Symmetric(Changed):
    """A shape together with its mirror image in the plane n · x = h: min(f(x), f(x′)).

    Exact outside where the shape is, a bound inside.

    Args:
        shape: The shape.
        normal: n; any length but 0.
        height: h for the unit normal, the signed distance of the plane from the origin.

    Example:
        >>> import jax.numpy as jnp
        >>> from geoembed.sdf import Circle
        >>> two = Circle(1.0).translate((3.0, 0.0)).symmetric((1.0, 0.0))
        >>> float(two(jnp.array([-3.0, 2.0]))), float(two(jnp.array([3.0, 2.0])))
        (1.0, 1.0)
    """

    shape: Shape
    normal: Vector = vector(2, 3, nonzero=True)
    height: Scalar = number(default=0.0)

    def __check_init__(self) -> None:
        require_dimension(self.shape, self.normal.shape[-1], taker="Symmetric")

    @property
    def exactness(self) -> Exactness:
        return derived("symmetric", self.shape.exactness)

    def __call__(self, x: Float[Array, " d"]) -> Float[Array, ""]:
        x = point_of(x, self)
        return smallest(jax.vmap(self.shape)(jnp.stack([x, reflected(x, self.normal, self.height)])))

    def region(self, dtype: Any, grow: Float[Array, ""] | float = 0.0) -> Corners:
        box = self.shape.region(dtype, grow)
        low, high = moved(box, lambda x: reflected(x, self.normal, self.height))
        return smaller(box[0], low), larger(box[1], high)


@register
class Repeat(Shape):
    """Copies of a shape, moved by multiples of a period along each coordinate axis.

    Keeps exactness where the shape is exact outside. Otherwise the outside is implicit: repeat the parts and
    combine them afterwards, `a.repeat(p) - b.repeat(p)` rather than `(a - b).repeat(p)`.

    The shape must fit into its cell: the box around it must not be longer than the period. Then the nearest copy is
    among the two nearest along each axis, and 2ᵈ evaluations find it. With known numbers a shape that does not
    fit is refused; while they are traced this is on the caller.

    Args:
        shape: A bounded shape.
        period: The distance of the copies along each axis. Not used along an axis with one copy.
        count: How many copies along each axis, the shape itself being the first; None for infinitely many.

    Example:
        >>> import jax.numpy as jnp
        >>> from geoembed.sdf import Circle
        >>> row = Circle(1.0).repeat((4.0, 4.0), (3, 1))
        >>> float(row(jnp.array([8.0, 0.0]))), float(row(jnp.array([12.0, 0.0])))
        (-1.0, 3.0)
    """

    shape: Shape
    period: Vector = vector(2, 3, positive=True)
    count: tuple[int | None, ...] = eqx.field(static=True, default=())

    def __init__(self, shape: Shape, period: Any, count: tuple[int | None, ...] | None = None):
        self.shape, self.period = shape, period
        self.count = (None,) * shape.dimension if count is None else tuple(count)

    def __check_init__(self) -> None:
        require_dimension(self.shape, self.period.shape[-1], taker="Repeat")
        d = self.shape.dimension
        if len(self.count) != d or any(n is not None and (type(n) is not int or n < 1) for n in self.count):
            raise ValueError(
                f"Repeat: count must be {d} whole numbers of at least 1, or None for no end, received {self.count}"
            )
        if not self.shape.bounded:
            raise ValueError(
                f"Repeat: a {type(self.shape).__name__} is unbounded: intersect it with a box first"
            )
        _require_fit(self.shape, self.period, self.count)

    @property
    def dimension(self) -> int:
        return self.shape.dimension

    @property
    def bounded(self) -> bool:
        return None not in self.count

    @property
    def exactness(self) -> Exactness:
        exact = self.shape.exactness.outside == "exact"
        return derived("repeat" if exact else "repeat of a bound", self.shape.exactness)

    def __call__(self, x: Float[Array, " d"]) -> Float[Array, ""]:
        x = point_of(x, self)
        period = like(self.period, x)
        lower, upper = self.shape.region(x.dtype)
        cells = jax.lax.stop_gradient((x - 0.5 * (lower + upper)) / period)
        own = jnp.round(cells)
        other = own + 2 * (cells >= own).astype(x.dtype) - 1
        single = [n == 1 for n in self.count]
        last = jnp.asarray([np.inf if n is None else n - 1 for n in self.count], x.dtype)
        first = jnp.asarray([-np.inf if n is None else 0 for n in self.count], x.dtype)
        choices = np.array(list(product(*[[False] if one else [False, True] for one in single])))
        steps = jnp.where(jnp.asarray(choices), other[None], own[None])
        steps = jnp.clip(steps, first[None], last[None])
        return smallest(jax.vmap(self.shape)(x[None] - steps * period[None]))

    def region(self, dtype: Any, grow: Float[Array, ""] | float = 0.0) -> Corners:
        lower, upper = self.shape.region(dtype, grow)
        period = like(self.period, lower)
        before = jnp.asarray(
            [-1 if n is None else 0 for n in self.count], dtype
        )  # without end: three are shown
        after = jnp.asarray([1 if n is None else n - 1 for n in self.count], dtype)
        return lower + before * period, upper + after * period


def _require_fit(shape: Shape, period: Leaf, count: tuple[int | None, ...]) -> None:
    box, cell = known_region(shape), known(period)
    if box is None or cell is None:
        return
    length = box[1] - box[0]
    for axis, n in enumerate(count):
        if n != 1 and length[axis] > cell[axis] * (1 + 1e-5):
            raise ValueError(
                f"Repeat: the shape is {length[axis]:g} long along axis {axis}, its period only {cell[axis]:g}: "
                "take a longer period, or the union of translated copies"
            )
