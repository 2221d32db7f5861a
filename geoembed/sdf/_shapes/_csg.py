"""Boolean operations by minimum and maximum.

Where both operands are equal the gradient is that of the second, an element of the generalised gradient.
"""

from typing import Any, ClassVar

from jaxtyping import Array, Float

from ...core import register
from .._select import larger, smaller
from ._exactness import Exactness, derived
from ._operator import Combined
from ._shape import Corners, Shape, point_of


@register
class Union(Combined):
    """a | b: all points of either shape, min(a, b).

    Exact outside where both are, a bound inside.

    Args:
        a: A shape.
        b: A shape of the same dimension.

    Example:
        >>> import jax.numpy as jnp
        >>> from geoembed.sdf import Sphere
        >>> two = Sphere(1.0) | Sphere(1.0).translate((4.0, 0.0, 0.0))
        >>> float(two(jnp.array([2.0, 0.0, 0.0])))
        1.0
    """

    a: Shape
    b: Shape

    @property
    def bounded(self) -> bool:
        return self.a.bounded and self.b.bounded

    @property
    def exactness(self) -> Exactness:
        return derived("union", self.a.exactness, self.b.exactness)

    def __call__(self, x: Float[Array, " d"]) -> Float[Array, ""]:
        x = point_of(x, self)
        return smaller(self.a(x), self.b(x))

    def region(self, dtype: Any, grow: Float[Array, ""] | float = 0.0) -> Corners:
        return hull(self.a, self.b, dtype, grow)


@register
class Intersection(Combined):
    """a & b: the points in both shapes, max(a, b).

    Exact inside where both are, a bound outside.

    Args:
        a: A shape.
        b: A shape of the same dimension.
    """

    a: Shape
    b: Shape

    @property
    def bounded(self) -> bool:
        return self.a.bounded or self.b.bounded

    @property
    def exactness(self) -> Exactness:
        return derived("intersection", self.a.exactness, self.b.exactness)

    def __call__(self, x: Float[Array, " d"]) -> Float[Array, ""]:
        x = point_of(x, self)
        return larger(self.a(x), self.b(x))

    def region(self, dtype: Any, grow: Float[Array, ""] | float = 0.0) -> Corners:
        return overlap(self.a, self.b, dtype, grow)


@register
class Difference(Combined):
    """a − b: the points of a that are not in b, max(a, −b).

    Exact inside where a is exact inside and b outside, a bound outside.

    Args:
        a: A shape.
        b: A shape of the same dimension.
    """

    a: Shape
    b: Shape

    @property
    def bounded(self) -> bool:
        return self.a.bounded

    @property
    def exactness(self) -> Exactness:
        return derived("difference", self.a.exactness, self.b.exactness)

    def __call__(self, x: Float[Array, " d"]) -> Float[Array, ""]:
        x = point_of(x, self)
        return larger(self.a(x), -self.b(x))

    def region(self, dtype: Any, grow: Float[Array, ""] | float = 0.0) -> Corners:
        return self.a.region(dtype, grow)


@register
class SymmetricDifference(Combined):
    """a ^ b: the points in one shape but not in both, max(min(a, b), −max(a, b)).

    |f| = min(|a|, |b|), so it is exact on both sides where both shapes are exact on both sides. Where the two
    surfaces coincide, f is 0 although neither side changes.

    Args:
        a: A shape.
        b: A shape of the same dimension.
    """

    a: Shape
    b: Shape

    @property
    def bounded(self) -> bool:
        return self.a.bounded and self.b.bounded

    @property
    def exactness(self) -> Exactness:
        return derived("symmetric difference", self.a.exactness, self.b.exactness)

    def __call__(self, x: Float[Array, " d"]) -> Float[Array, ""]:
        x = point_of(x, self)
        a, b = self.a(x), self.b(x)
        return larger(smaller(a, b), -larger(a, b))

    def region(self, dtype: Any, grow: Float[Array, ""] | float = 0.0) -> Corners:
        return hull(self.a, self.b, dtype, grow)


@register
class Complement(Shape):
    """-a: all points outside a shape, −a. What was exact inside is exact outside and the reverse.

    Args:
        shape: The shape.
    """

    shape: Shape

    bounded: ClassVar[bool] = False

    @property
    def dimension(self) -> int:
        return self.shape.dimension

    @property
    def exactness(self) -> Exactness:
        return derived("complement", self.shape.exactness)

    def __call__(self, x: Float[Array, " d"]) -> Float[Array, ""]:
        return -self.shape(point_of(x, self))

    def region(self, dtype: Any, grow: Float[Array, ""] | float = 0.0) -> Corners:
        return self.shape.region(dtype, grow)


def hull(a: Shape, b: Shape, dtype: Any, grow: Float[Array, ""] | float) -> Corners:
    """The box around two regions."""
    (low, high), (lower, upper) = a.region(dtype, grow), b.region(dtype, grow)
    return smaller(low, lower), larger(high, upper)


def overlap(a: Shape, b: Shape, dtype: Any, grow: Float[Array, ""] | float) -> Corners:
    """The box around the intersection of two shapes: of a bounded one if only one is."""
    if a.bounded != b.bounded:
        return (a if a.bounded else b).region(dtype, grow)
    (low, high), (lower, upper) = a.region(dtype, grow), b.region(dtype, grow)
    return upright(larger(low, lower), smaller(high, upper))


def upright(lower: Float[Array, " d"], upper: Float[Array, " d"]) -> Corners:
    """A box; an empty one shrinks to a point."""
    middle = 0.5 * (lower + upper)
    return smaller(lower, middle), larger(upper, middle)
