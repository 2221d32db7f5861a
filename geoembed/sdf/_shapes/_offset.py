"""Thicker, thinner and hollow shapes."""

from typing import Any

import jax.numpy as jnp
from jaxtyping import Array, Float

from ...core import register
from ._csg import upright
from ._exactness import Exactness, derived
from ._operator import Changed
from ._parameters import Scalar, known, like, number
from ._shape import Corners, Shape, point_of


@register
class Offset(Changed):
    """All points with f < distance: f − distance.

    A positive distance rounds convex edges and is exact outside where the shape is; a negative one rounds
    concave edges and is exact inside where the shape is; the other side is a bound. While a trace hides the sign
    both sides are a bound. Where f is only a bound, the surface is the level set of f, which is not everywhere
    `distance` away from the old surface.

    Args:
        shape: The shape.
        distance: How far, in units of length; negative to take material away.

    Example:
        >>> import jax.numpy as jnp
        >>> from geoembed.sdf import Box
        >>> rounded = Box((2.0, 2.0)).offset(0.5)
        >>> float(rounded(jnp.array([4.0, 5.0])))
        4.5
    """

    shape: Shape
    distance: Scalar = number()

    @property
    def exactness(self) -> Exactness:
        distance = known(self.distance)
        rule = "offset" if distance is None else "grow" if distance >= 0 else "shrink"
        return derived(rule, self.shape.exactness)

    def __call__(self, x: Float[Array, " d"]) -> Float[Array, ""]:
        x = point_of(x, self)
        return self.shape(x) - like(self.distance, x)

    def region(self, dtype: Any, grow: Float[Array, ""] | float = 0.0) -> Corners:
        return upright(*self.shape.region(dtype, grow + like(self.distance, jnp.zeros((), dtype))))


@register
class Shell(Changed):
    """A wall along the surface of a shape: |f| − thickness/2.

    Exact outside (on both sides of the wall) where the shape is exact on both sides, a bound within the wall.

    Args:
        shape: The shape.
        thickness: The full thickness; the old surface runs in the middle.

    Example:
        >>> import jax.numpy as jnp
        >>> from geoembed.sdf import Sphere
        >>> float(Sphere(1.0).shell(0.5)(jnp.zeros(3)))
        0.75
    """

    shape: Shape
    thickness: Scalar = number(positive=True)

    @property
    def exactness(self) -> Exactness:
        return derived("shell", self.shape.exactness)

    def __call__(self, x: Float[Array, " d"]) -> Float[Array, ""]:
        x = point_of(x, self)
        return jnp.abs(self.shape(x)) - 0.5 * like(self.thickness, x)

    def region(self, dtype: Any, grow: Float[Array, ""] | float = 0.0) -> Corners:
        return self.shape.region(dtype, grow + 0.5 * like(self.thickness, jnp.zeros((), dtype)))
