"""Elongating, twisting and bending: the map back to the original shape stretches, so the result is a bound."""

import math
from typing import Any

import jax.numpy as jnp
from jaxtyping import Array, Float

from ...core import norm, register
from .._select import clamp, larger, largest, smaller, smallest
from ._edges import corner_distance
from ._exactness import Exactness, derived
from ._operator import Changed
from ._parameters import Scalar, Vector, known, like, number, vector
from ._shape import Corners, Shape, known_region, point_of, require_dimension
from ._transforms import turned


@register
class Elongate(Changed):
    """A shape cut at the origin and pulled apart: f(x − clip(x, −l/2, l/2)). A bound on both sides.

    The section through the origin fills the gap. The map never increases a distance, so the Lipschitz constant stays.

    Args:
        shape: The shape.
        length: l, the added length along each axis; 0 for none.

    Example:
        >>> import jax.numpy as jnp
        >>> from geoembed.sdf import Circle
        >>> float(Circle(1.0).elongate((4.0, 0.0))(jnp.array([5.0, 0.0])))
        2.0
    """

    shape: Shape
    length: Vector = vector(2, 3, nonnegative=True)

    def __check_init__(self) -> None:
        require_dimension(self.shape, self.length.shape[-1], taker="Elongate")

    @property
    def exactness(self) -> Exactness:
        return derived("elongate", self.shape.exactness)

    def __call__(self, x: Float[Array, " d"]) -> Float[Array, ""]:
        x = point_of(x, self)
        half = 0.5 * like(self.length, x)
        return self.shape(x - clamp(x, -half, half))

    def region(self, dtype: Any, grow: Float[Array, ""] | float = 0.0) -> Corners:
        lower, upper = self.shape.region(dtype, grow)
        half = 0.5 * like(self.length, lower)
        return lower - half, upper + half


@register
class Twist(Shape):
    """A shape twisted about the z axis: the section at height z is turned by rate · z. A bound on both sides.

    In the cylinder of radius R around the shape the map back stretches by at most L = (kR + √(k²R² + 4))/2, k = |rate|,
    and f is divided by L. Outside the cylinder f = √(g² + (r − R)²) with the value g on the cylinder below the point,
    which is a bound because the cylinder is convex. An unbounded shape has no such cylinder: its twist is implicit.

    Args:
        shape: A shape in space.
        rate: In radians per unit of length, anticlockwise going up.

    Example:
        >>> import jax.numpy as jnp
        >>> from geoembed.sdf import Box
        >>> Box((1.0, 1.0, 4.0)).twist(0.5).exactness.outside
        'bound'
    """

    shape: Shape
    rate: Scalar = number()

    def __check_init__(self) -> None:
        require_dimension(self.shape, 3, taker="Twist")

    @property
    def dimension(self) -> int:
        return 3

    @property
    def bounded(self) -> bool:
        return self.shape.bounded

    @property
    def exactness(self) -> Exactness:
        return derived("warp" if self.bounded else "warp of an unbounded shape", self.shape.exactness)

    def __call__(self, x: Float[Array, "3"]) -> Float[Array, ""]:
        x = point_of(x, self)
        if not self.bounded:
            return self._untwisted(x)
        radius, stretch = self._cylinder(x.dtype)
        r = norm(x[:2])
        beyond = r > radius
        inward = jnp.where(beyond, radius / jnp.where(beyond, r, 1.0), 1.0)
        value = self._untwisted(jnp.append(inward * x[:2], x[2])) / stretch
        legs = jnp.stack([r - radius, larger(value, 0)])
        return jnp.where(beyond, norm(jnp.where(beyond, legs, 1.0)), value)

    def _untwisted(self, x: Float[Array, "3"]) -> Float[Array, ""]:
        return self.shape(jnp.append(turned(x[:2], -like(self.rate, x) * x[2]), x[2]))

    def _cylinder(self, dtype: Any) -> tuple[Float[Array, ""], Float[Array, ""]]:
        """Radius of the cylinder around the shape, and the largest stretch in it."""
        lower, upper = self.shape.region(dtype)
        radius = norm(larger(jnp.abs(lower), jnp.abs(upper))[:2])
        slope = like(self.rate, lower) * radius
        return radius, 0.5 * (jnp.abs(slope) + jnp.sqrt(slope**2 + 4))

    def region(self, dtype: Any, grow: Float[Array, ""] | float = 0.0) -> Corners:
        radius, stretch = self._cylinder(dtype)
        lower, upper = self.shape.region(dtype, grow * stretch)
        reach = radius + grow
        return jnp.stack([-reach, -reach, lower[2]]), jnp.stack([reach, reach, upper[2]])


@register
class Bend(Shape):
    """A shape with its x axis bent to a circle about (0, radius), towards positive y. A bound on both sides.

    Lengths along the x axis are kept. The map back stretches by R/ρ at the distance ρ from the centre of the circle,
    so f is divided by the largest R/ρ where the original is nearer than a quarter of the hole's radius, and cut off
    at that value; farther away f is the distance to the box around the bent shape.

    Args:
        shape: A bounded shape. In y it must not reach the centre of the circle, in x not around half the circle.
        radius: R, of the circle.

    Example:
        >>> import jax.numpy as jnp
        >>> from geoembed.sdf import Box
        >>> bar = Box((4.0, 0.5)).bend(1.0)
        >>> bool(bar(jnp.array([1.0, 1.0])) < 0)
        True
    """

    shape: Shape
    radius: Scalar = number(positive=True)

    def __check_init__(self) -> None:
        if not self.shape.bounded:
            raise ValueError(
                f"Bend: a {type(self.shape).__name__} is unbounded: intersect it with a box first"
            )
        box, radius = known_region(self.shape), known(self.radius)
        if box is None or radius is None:
            return
        if box[1][1] >= radius:
            raise ValueError(f"Bend: the shape reaches y = {box[1][1]:g}, the centre lies at y = {radius:g}")
        if max(-box[0][0], box[1][0]) >= math.pi * radius:
            raise ValueError(
                f"Bend: the shape is longer than the circle of radius {radius:g}, it would overlap"
            )

    @property
    def dimension(self) -> int:
        return self.shape.dimension

    @property
    def bounded(self) -> bool:
        return True

    @property
    def exactness(self) -> Exactness:
        return derived("warp", self.shape.exactness)

    def __call__(self, x: Float[Array, " d"]) -> Float[Array, ""]:
        x = point_of(x, self)
        radius, (lower, upper) = like(self.radius, x), self.shape.region(x.dtype)
        hole = radius - upper[1]
        free = math.pi * radius - larger(-lower[0], upper[0])  # of the circle, to both sides of the seam
        cut = smaller(0.25 * hole, 0.5 * free)
        stretch = radius / smaller(hole - cut, radius)

        from_centre = jnp.stack([x[0], radius - x[1]])
        near_centre = norm(from_centre) < 0.5 * hole  # where f is cut off, and the angle has no derivative
        from_centre = jnp.where(near_centre, 1.0, from_centre)
        angle = jnp.arctan2(from_centre[0], from_centre[1])
        q = jnp.concatenate([jnp.stack([radius * angle, radius - norm(from_centre)]), x[2:]])
        # Of a bound: not less than the distance to the box, so that cut-off values do not reach the seam.
        value = larger(self.shape(q), _box_distance(q, lower, upper))
        value = jnp.where(near_centre, cut, smaller(value, cut))
        return larger(value / stretch, _box_distance(x, *self.region(x.dtype)))

    def region(self, dtype: Any, grow: Float[Array, ""] | float = 0.0) -> Corners:
        lower, upper = self.shape.region(dtype)
        radius = like(self.radius, lower)
        inner, outer = radius - upper[1], radius - lower[1]
        first, last = lower[0] / radius, upper[0] / radius
        ends = jnp.stack([first, last])
        sines = jnp.sin(jnp.append(ends, clamp(jnp.asarray([0.5, -0.5], dtype) * math.pi, first, last)))
        cosines = jnp.cos(jnp.append(ends, clamp(jnp.zeros((), dtype), first, last)))
        x = jnp.append(inner * sines, outer * sines)
        y = radius - jnp.append(inner * cosines, outer * cosines)
        low, high = jnp.stack([smallest(x), smallest(y)]), jnp.stack([largest(x), largest(y)])
        return jnp.append(low, lower[2:]) - grow, jnp.append(high, upper[2:]) + grow


def _box_distance(
    x: Float[Array, " d"], lower: Float[Array, " d"], upper: Float[Array, " d"]
) -> Float[Array, ""]:
    return corner_distance(larger(lower - x, x - upper))
