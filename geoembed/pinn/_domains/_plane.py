"""The boundary function of an end of an interval, a whole line or a whole plane."""

from typing import Any, ClassVar

import jax.numpy as jnp
from jaxtyping import Array, Float

from ...core import register
from ...sdf import Boundary
from ...sdf._boundaries._boundary import Corners, boundary_point, one_sided, rounding_of
from ...sdf._shapes._parameters import Vector, like, unit, vector


@register
class PlaneBoundary(Boundary):
    """φ = |n · (x − a)|: the distance from a point of the line, a line of the plane, a plane of space.

    For what bounds a domain that lies wholly on one side of it.

    Args:
        point: a, one to three numbers.
        outward: n, out of the domain; any length but 0.
    """

    point: Vector = vector(1, 2, 3)
    outward: Vector = vector(1, 2, 3, nonzero=True)

    order: ClassVar[int] = 6

    @property
    def dimension(self) -> int:
        return self.point.shape[0]

    def __call__(self, x: Float[Array, " d"]) -> Float[Array, ""]:
        x = boundary_point(x, self)
        a = like(self.point, x)
        return one_sided(jnp.sum(unit(self.outward, x) * (a - x)), rounding_of(x, a))

    def region(self, dtype: Any) -> Corners:
        a = like(self.point, jnp.zeros((), dtype))
        return a - 1.0, a + 1.0
