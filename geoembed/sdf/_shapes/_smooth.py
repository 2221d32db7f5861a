"""Boolean operations whose edges are rounded by a quadratic blend."""

from typing import Any

import jax.numpy as jnp
from jaxtyping import Array, Float

from ...core import register
from ._csg import hull, overlap
from ._exactness import Exactness, derived
from ._operator import Combined
from ._parameters import Scalar, like, number
from ._shape import Corners, Shape, point_of


def smooth_minimum(a: Float[Array, ""], b: Float[Array, ""], radius: Float[Array, ""]) -> Float[Array, ""]:
    """min(a, b) − h²/4r with h = max(r − |a − b|, 0).

    Once continuously differentiable for r > 0; the gradient is a weighted mean of both. It is never above
    min(a, b), at most r/4 below it (where a = b), and equal to it where |a − b| ≥ r. For r = 0 it is the minimum.

    References:
        I. Quilez, Smooth minimum, 2013 (the quadratic polynomial).
    """
    first = (
        a < b
    )  # one comparison for both, and no absolute value: at a tie each operand shall get half the gradient
    least, apart = jnp.where(first, a, b), jnp.where(first, b - a, a - b)
    overlap = jnp.where(apart < radius, radius - apart, 0.0)
    return least - 0.25 * overlap**2 / jnp.where(radius == 0, 1.0, radius)


@register
class SmoothUnion(Combined):
    """The union of two shapes with a fillet: `smooth_minimum(a, b, radius)`. A bound on both sides.

    It contains the union, and adds material only where |a − b| < radius: there f is at most radius/4 below
    min(a, b). Commutative, but not associative; a shape with itself grows by radius/4.

    Args:
        a: A shape.
        b: A shape of the same dimension.
        radius: The width of the blend, in units of length; 0 for the plain union.

    Example:
        >>> import jax.numpy as jnp
        >>> from geoembed.sdf import Sphere
        >>> two = Sphere(1.0).smooth_union(Sphere(1.0).translate((4.0, 0.0, 0.0)), 0.4)
        >>> round(float(two(jnp.array([2.0, 0.0, 0.0]))), 6)
        0.9
    """

    a: Shape
    b: Shape
    radius: Scalar = number(nonnegative=True)

    @property
    def bounded(self) -> bool:
        return self.a.bounded and self.b.bounded

    @property
    def exactness(self) -> Exactness:
        return derived("smooth", self.a.exactness, self.b.exactness)

    def __call__(self, x: Float[Array, " d"]) -> Float[Array, ""]:
        x = point_of(x, self)
        return smooth_minimum(self.a(x), self.b(x), like(self.radius, x))

    def region(self, dtype: Any, grow: Float[Array, ""] | float = 0.0) -> Corners:
        return hull(self.a, self.b, dtype, grow + 0.25 * like(self.radius, jnp.zeros((), dtype)))


@register
class SmoothIntersection(Combined):
    """The intersection of two shapes with rounded edges: −`smooth_minimum(−a, −b, radius)`. A bound on both sides.

    It lies in the intersection; f is at most radius/4 above max(a, b).

    Args:
        a: A shape.
        b: A shape of the same dimension.
        radius: The width of the blend, in units of length; 0 for the plain intersection.
    """

    a: Shape
    b: Shape
    radius: Scalar = number(nonnegative=True)

    @property
    def bounded(self) -> bool:
        return self.a.bounded or self.b.bounded

    @property
    def exactness(self) -> Exactness:
        return derived("smooth", self.a.exactness, self.b.exactness)

    def __call__(self, x: Float[Array, " d"]) -> Float[Array, ""]:
        x = point_of(x, self)
        return -smooth_minimum(-self.a(x), -self.b(x), like(self.radius, x))

    def region(self, dtype: Any, grow: Float[Array, ""] | float = 0.0) -> Corners:
        return overlap(self.a, self.b, dtype, grow)


@register
class SmoothDifference(Combined):
    """a without b, with rounded edges: −`smooth_minimum(−a, b, radius)`. A bound on both sides.

    It lies in the difference; f is at most radius/4 above max(a, −b).

    Args:
        a: A shape.
        b: A shape of the same dimension.
        radius: The width of the blend, in units of length; 0 for the plain difference.
    """

    a: Shape
    b: Shape
    radius: Scalar = number(nonnegative=True)

    @property
    def bounded(self) -> bool:
        return self.a.bounded

    @property
    def exactness(self) -> Exactness:
        return derived("smooth", self.a.exactness, self.b.exactness)

    def __call__(self, x: Float[Array, " d"]) -> Float[Array, ""]:
        x = point_of(x, self)
        return -smooth_minimum(-self.a(x), self.b(x), like(self.radius, x))

    def region(self, dtype: Any, grow: Float[Array, ""] | float = 0.0) -> Corners:
        return self.a.region(dtype, grow)
