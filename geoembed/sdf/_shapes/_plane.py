"""Shapes in the plane: circle, regular polygon, star, arc."""

from typing import Any, ClassVar

import equinox as eqx
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Float

from ...core import norm, register
from .._select import larger, smaller
from ._edges import arc_gap, regular_polygon, star
from ._exactness import EXACT, Exactness
from ._parameters import Leaf, Scalar, known, like, number
from ._primitive import Primitive
from ._shape import Corners, point_of


@register
class Circle(Primitive):
    """A disc about the origin: f(x) = |x| − r. Exact on both sides.

    Args:
        radius: r.

    Example:
        >>> import jax.numpy as jnp
        >>> float(Circle(1.0)(jnp.array([3.0, 4.0])))
        4.0
    """

    radius: Scalar = number(positive=True)

    dimension: ClassVar[int] = 2
    bounded: ClassVar[bool] = True
    exactness: ClassVar[Exactness] = EXACT

    def __call__(self, x: Float[Array, "2"]) -> Float[Array, ""]:
        x = point_of(x, self)
        return norm(x) - like(self.radius, x)

    def corners(self, dtype: Any) -> Corners:
        return around_origin(self.radius, self.radius, dtype=dtype)


@register
class RegularPolygon(Primitive):
    """A regular polygon about the origin, with a corner on the positive x axis. Exact on both sides.

    Args:
        sides: The number of corners, at least 3.
        radius: From the centre to a corner.

    Example:
        >>> import jax.numpy as jnp
        >>> round(float(RegularPolygon(4, 1.0)(jnp.array([2.0, 0.0]))), 6)
        1.0
    """

    sides: int = eqx.field(static=True)
    radius: Scalar = number(positive=True)

    dimension: ClassVar[int] = 2
    bounded: ClassVar[bool] = True
    exactness: ClassVar[Exactness] = EXACT

    def __check_init__(self) -> None:
        require_corners("RegularPolygon: sides", self.sides)

    def __call__(self, x: Float[Array, "2"]) -> Float[Array, ""]:
        x = point_of(x, self)
        return regular_polygon(x, self.sides, like(self.radius, x))

    def corners(self, dtype: Any) -> Corners:
        return around_origin(self.radius, self.radius, dtype=dtype)


@register
class Star(Primitive):
    """A star about the origin, with a point on the positive x axis. Exact on both sides.

    Its corners lie alternately on the outer and the inner circle, at equal angles.

    Args:
        points: The number of points, at least 3.
        outer: Radius of the circle of the points.
        inner: Radius of the circle of the notches.

    Example:
        >>> import jax.numpy as jnp
        >>> float(Star(5, 1.0, 0.4)(jnp.array([1.5, 0.0])))
        0.5
    """

    points: int = eqx.field(static=True)
    outer: Scalar = number(positive=True)
    inner: Scalar = number(positive=True)

    dimension: ClassVar[int] = 2
    bounded: ClassVar[bool] = True
    exactness: ClassVar[Exactness] = EXACT

    def __check_init__(self) -> None:
        require_corners("Star: points", self.points)

    def __call__(self, x: Float[Array, "2"]) -> Float[Array, ""]:
        x = point_of(x, self)
        return star(x, self.points, like(self.outer, x), like(self.inner, x))

    def corners(self, dtype: Any) -> Corners:
        here = jnp.zeros((), dtype)
        reach = larger(like(self.outer, here), like(self.inner, here))
        return around_origin(reach, reach, dtype=dtype)


@register
class Arc(Primitive):
    """A piece of a ring with round ends, symmetric to the positive x axis. Exact on both sides.

    All points within half the thickness of an arc about the origin.

    Args:
        radius: Of the arc's middle line.
        angle: The opening, in radians, up to 2π. The ends must not overlap.
        thickness: The full width, at most twice the radius.

    Example:
        >>> import jax.numpy as jnp
        >>> round(float(Arc(1.0, 3.0, 0.2)(jnp.array([1.5, 0.0]))), 6)
        0.4
    """

    radius: Scalar = number(positive=True)
    angle: Scalar = number(positive=True)
    thickness: Scalar = number(positive=True)

    dimension: ClassVar[int] = 2
    bounded: ClassVar[bool] = True
    exactness: ClassVar[Exactness] = EXACT

    def __check_init__(self) -> None:
        require_arc("Arc", self.radius, self.angle, 0.5 * self.thickness)

    def __call__(self, x: Float[Array, "2"]) -> Float[Array, ""]:
        x = point_of(x, self)
        return arc_gap(x, like(self.radius, x), like(self.angle, x)) - 0.5 * like(self.thickness, x)

    def corners(self, dtype: Any) -> Corners:
        here = jnp.zeros((), dtype)
        return arc_box(*(like(value, here) for value in (self.radius, self.angle, 0.5 * self.thickness)))


def around_origin(*half: Leaf | np.generic, dtype: Any) -> Corners:
    """The corners of a box around the origin with these half lengths."""
    corner = jnp.stack([like(length, jnp.zeros((), dtype)) for length in half])
    return -corner, corner


def arc_box(radius: Float[Array, ""], angle: Float[Array, ""], half: Float[Array, ""]) -> Corners:
    """The corners of the box around an arc of half thickness `half`."""
    c, s = jnp.cos(0.5 * angle), jnp.sin(smaller(0.5 * angle, 0.5 * np.pi))
    lower = jnp.stack([radius * c, -radius * s]) - half
    return lower, jnp.stack([radius, radius * s]) + half


def require_corners(place: str, count: int) -> None:
    """Raises ValueError unless a number of corners is a whole number from 3 upwards."""
    if not isinstance(count, int) or count < 3:
        raise ValueError(f"{place} must be a whole number of at least 3, received {count!r}")


def require_arc(name: str, radius: Leaf, angle: Leaf, half: Leaf | np.generic) -> None:
    """Raises ValueError when the known numbers of an arc let it cover itself."""
    numbers = [known(value) for value in (radius, angle, half)]
    if any(value is None for value in numbers):
        return
    r, opening, t = (float(value) for value in numbers if value is not None)
    if opening > 2 * np.pi + 1e-6:
        raise ValueError(f"{name}: angle must be at most 2π, received {opening}")
    if t > r:
        raise ValueError(
            f"{name}: it is thicker than its hole: half the thickness, {t}, exceeds the radius {r}"
        )
    if np.pi < opening < 2 * np.pi - 1e-6 and r * np.sin(0.5 * opening) < t:
        raise ValueError(f"{name}: its ends overlap: make it thinner, or the angle smaller or 2π")
