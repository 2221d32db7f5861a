"""Round bodies: spheres, cylinders, cones, capsules, tori."""

from typing import Any, ClassVar

import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Float

from ...core import norm, register
from .._select import clamp, larger, smaller
from ._edges import arc_gap, corner_distance, edge_share
from ._exactness import EXACT, Exactness
from ._parameters import Scalar, Vector, like, number, vector
from ._plane import arc_box, around_origin, require_arc
from ._primitive import Primitive
from ._shape import Corners, point_of


@register
class Sphere(Primitive):
    """A ball about the origin: f(x) = |x| − r. Exact on both sides.

    Args:
        radius: r.

    Example:
        >>> import jax.numpy as jnp
        >>> float(Sphere(1.0)(jnp.array([2.0, 0.0, 0.0])))
        1.0
    """

    radius: Scalar = number(positive=True)

    dimension: ClassVar[int] = 3
    bounded: ClassVar[bool] = True
    exactness: ClassVar[Exactness] = EXACT

    def __call__(self, x: Float[Array, "3"]) -> Float[Array, ""]:
        x = point_of(x, self)
        return norm(x) - like(self.radius, x)

    def corners(self, dtype: Any) -> Corners:
        return around_origin(self.radius, self.radius, self.radius, dtype=dtype)


@register
class Cylinder(Primitive):
    """A cylinder about the z axis, centred at the origin. Exact on both sides.

    Args:
        radius: Its radius.
        height: Its full height.

    Example:
        >>> import jax.numpy as jnp
        >>> float(Cylinder(1.0, 2.0)(jnp.array([4.0, 0.0, 5.0])))
        5.0
    """

    radius: Scalar = number(positive=True)
    height: Scalar = number(positive=True)

    dimension: ClassVar[int] = 3
    bounded: ClassVar[bool] = True
    exactness: ClassVar[Exactness] = EXACT

    def __call__(self, x: Float[Array, "3"]) -> Float[Array, ""]:
        x = point_of(x, self)
        gaps = [norm(x[:2]) - like(self.radius, x), jnp.abs(x[2]) - 0.5 * like(self.height, x)]
        return corner_distance(jnp.stack(gaps))

    def corners(self, dtype: Any) -> Corners:
        return around_origin(self.radius, self.radius, 0.5 * self.height, dtype=dtype)


@register
class Capsule(Primitive):
    """All points within a radius of a segment: a thick line with round ends. Exact on both sides.

    Args:
        start: One end of the segment; two or three numbers.
        end: The other end; equal ends make a ball.
        radius: Of the thick line.

    Example:
        >>> import jax.numpy as jnp
        >>> float(Capsule((0.0, 0.0), (2.0, 0.0), 0.5)(jnp.array([1.0, 2.0])))
        1.5
    """

    start: Vector = vector(2, 3)
    end: Vector = vector(2, 3)
    radius: Scalar = number(positive=True)

    bounded: ClassVar[bool] = True
    exactness: ClassVar[Exactness] = EXACT

    def __check_init__(self) -> None:
        if self.start.shape != self.end.shape:
            raise ValueError(
                f"Capsule: start and end differ in length: {self.start.shape} and {self.end.shape}"
            )

    @property
    def dimension(self) -> int:
        return self.start.shape[-1]

    def __call__(self, x: Float[Array, " d"]) -> Float[Array, ""]:
        x = point_of(x, self)
        a, b = like(self.start, x), like(self.end, x)
        share = clamp(edge_share(x, a, b), 0, 1)
        return norm(x - a - share * (b - a)) - like(self.radius, x)

    def corners(self, dtype: Any) -> Corners:
        here = jnp.zeros((), dtype)
        a, b, radius = (like(value, here) for value in (self.start, self.end, self.radius))
        return smaller(a, b) - radius, larger(a, b) + radius


@register
class Torus(Primitive):
    """A torus about the z axis, centred at the origin. Exact on both sides.

    Args:
        major: Radius of the middle circle.
        minor: Radius of the tube, at most the major radius.

    Example:
        >>> import jax.numpy as jnp
        >>> float(Torus(2.0, 0.5)(jnp.array([2.0, 0.0, 1.0])))
        0.5
    """

    major: Scalar = number(positive=True)
    minor: Scalar = number(positive=True)

    dimension: ClassVar[int] = 3
    bounded: ClassVar[bool] = True
    exactness: ClassVar[Exactness] = EXACT

    def __check_init__(self) -> None:
        require_arc("Torus", self.major, np.array(2 * np.pi), self.minor)

    def __call__(self, x: Float[Array, "3"]) -> Float[Array, ""]:
        x = point_of(x, self)
        return norm(jnp.stack([norm(x[:2]) - like(self.major, x), x[2]])) - like(self.minor, x)

    def corners(self, dtype: Any) -> Corners:
        minor = like(self.minor, jnp.zeros((), dtype))
        reach = like(self.major, minor) + minor
        return around_origin(reach, reach, minor, dtype=dtype)


@register
class CappedTorus(Primitive):
    """A piece of a torus with round ends, symmetric to the positive x axis. Exact on both sides.

    Args:
        major: Radius of the middle circle, in the plane z = 0.
        minor: Radius of the tube, at most the major radius.
        angle: The opening, in radians, up to 2π. The ends must not overlap.

    Example:
        >>> import jax.numpy as jnp
        >>> float(CappedTorus(2.0, 0.5, 1.0)(jnp.array([3.0, 0.0, 0.0])))
        0.5
    """

    major: Scalar = number(positive=True)
    minor: Scalar = number(positive=True)
    angle: Scalar = number(positive=True)

    dimension: ClassVar[int] = 3
    bounded: ClassVar[bool] = True
    exactness: ClassVar[Exactness] = EXACT

    def __check_init__(self) -> None:
        require_arc("CappedTorus", self.major, self.angle, self.minor)

    def __call__(self, x: Float[Array, "3"]) -> Float[Array, ""]:
        x = point_of(x, self)
        return arc_gap(x[:2], like(self.major, x), like(self.angle, x), x[2]) - like(self.minor, x)

    def corners(self, dtype: Any) -> Corners:
        here = jnp.zeros((), dtype)
        major, minor, angle = (like(value, here) for value in (self.major, self.minor, self.angle))
        lower, upper = arc_box(major, angle, minor)
        return jnp.append(lower, -minor), jnp.append(upper, minor)
