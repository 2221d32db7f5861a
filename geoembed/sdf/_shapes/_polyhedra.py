"""Bodies with flat faces: prism, octahedron, pyramid."""

from typing import Any, ClassVar

import equinox as eqx
import jax.numpy as jnp
from jaxtyping import Array, Float

from ...core import norm, register
from .._select import clamp, larger, largest, smaller, smallest
from ._edges import corner_distance, edge_share, regular_polygon
from ._exactness import EXACT, Exactness
from ._parameters import Scalar, like, number
from ._plane import around_origin, require_corners
from ._primitive import Primitive
from ._shape import Corners, point_of


@register
class Prism(Primitive):
    """A prism over a regular polygon, along z, centred at the origin. Exact on both sides.

    `sides=3` is the triangular, `sides=6` the hexagonal prism. A corner lies on the positive x axis.

    Args:
        sides: The number of sides, at least 3.
        radius: From the axis to a corner.
        height: The full height.

    Example:
        >>> import jax.numpy as jnp
        >>> float(Prism(6, 1.0, 2.0)(jnp.array([2.0, 0.0, 0.0])))
        1.0
    """

    sides: int = eqx.field(static=True)
    radius: Scalar = number(positive=True)
    height: Scalar = number(positive=True)

    dimension: ClassVar[int] = 3
    bounded: ClassVar[bool] = True
    exactness: ClassVar[Exactness] = EXACT

    def __check_init__(self) -> None:
        require_corners("Prism: sides", self.sides)

    def __call__(self, x: Float[Array, "3"]) -> Float[Array, ""]:
        x = point_of(x, self)
        wall = regular_polygon(x[:2], self.sides, like(self.radius, x))
        return corner_distance(jnp.stack([wall, jnp.abs(x[2]) - 0.5 * like(self.height, x)]))

    def corners(self, dtype: Any) -> Corners:
        return around_origin(self.radius, self.radius, 0.5 * self.height, dtype=dtype)


@register
class Octahedron(Primitive):
    """A regular octahedron about the origin with its corners on the axes. Exact on both sides.

    In the octant of x it is Σ|xᵢ| ≤ r. The nearest point of the face is max(|x| − τ, 0), the projection on a simplex,
    with τ the largest of (x₁ − r), (x₁ + x₂ − r)/2, (x₁ + x₂ + x₃ − r)/3 for |x| in falling order.

    Args:
        radius: r, from the centre to a corner.

    Example:
        >>> import jax.numpy as jnp
        >>> float(Octahedron(1.0)(jnp.array([2.0, 0.0, 0.0])))
        1.0

    References:
        J. Duchi et al., Efficient Projections onto the ℓ₁-Ball, ICML 2008, fig. 1.
    """

    radius: Scalar = number(positive=True)

    dimension: ClassVar[int] = 3
    bounded: ClassVar[bool] = True
    exactness: ClassVar[Exactness] = EXACT

    def __call__(self, x: Float[Array, "3"]) -> Float[Array, ""]:
        x = point_of(x, self)
        p, radius = jnp.sort(jnp.abs(x), descending=True), like(self.radius, x)
        on_corner, on_edge = p[0] - radius, 0.5 * (p[0] + p[1] - radius)
        on_face = (p[0] + p[1] + p[2] - radius) / 3
        shift = larger(on_corner, on_edge)
        beyond = shift > on_face
        away = norm(jnp.where(beyond, smaller(p, shift), 1.0))
        return jnp.where(beyond, away, 3**0.5 * on_face)

    def corners(self, dtype: Any) -> Corners:
        return around_origin(self.radius, self.radius, self.radius, dtype=dtype)


@register
class Pyramid(Primitive):
    """A pyramid over a square, along z, centred at the origin. Exact on both sides.

    Args:
        base: The side of the square, which lies at z = −height/2 with its sides along x and y.
        height: The full height; the tip lies at z = height/2.

    Example:
        >>> import jax.numpy as jnp
        >>> round(float(Pyramid(2.0, 2.0)(jnp.array([0.0, 0.0, 3.0]))), 6)
        2.0
    """

    base: Scalar = number(positive=True)
    height: Scalar = number(positive=True)

    dimension: ClassVar[int] = 3
    bounded: ClassVar[bool] = True
    exactness: ClassVar[Exactness] = EXACT

    def __call__(self, x: Float[Array, "3"]) -> Float[Array, ""]:
        x = point_of(x, self)
        half, height = 0.5 * like(self.base, x), like(self.height, x)
        across = jnp.sort(jnp.abs(x[:2]), descending=True)  # the eighth where the face across x is nearest
        p = jnp.append(across, x[2] + 0.5 * height)
        slant = norm(jnp.stack([half, height]))
        # In the plane of the face: up from the middle of its base, and out of it.
        up = (height * p[2] - half * (p[0] - half)) / slant
        out = (height * (p[0] - half) + half * p[2]) / slant
        planes = jnp.stack([out, -p[2]])
        outside = largest(planes) > 0
        base = jnp.append(p[:2] - smaller(p[:2], half), p[2])
        face = jnp.append(_to_triangle(jnp.stack([p[1], up]), half, slant), out)
        away = smallest(norm(jnp.where(outside, jnp.stack([base, face]), 1.0)))
        return jnp.where(outside, away, largest(planes))

    def corners(self, dtype: Any) -> Corners:
        return around_origin(0.5 * self.base, 0.5 * self.base, 0.5 * self.height, dtype=dtype)


def _to_triangle(p: Float[Array, "2"], half: Float[Array, ""], height: Float[Array, ""]) -> Float[Array, "2"]:
    """From the nearest point of the triangle (±half, 0), (0, height) to p; p has x ≥ 0."""
    low, high = jnp.stack([half, jnp.zeros_like(half)]), jnp.stack([jnp.zeros_like(half), height])
    from_side = p - low - clamp(edge_share(p, low, high), 0, 1) * (high - low)
    from_base = jnp.stack([p[0] - smaller(p[0], half), p[1]])
    inside = (p[1] >= 0) & (height * p[0] + half * p[1] <= half * height)
    below = jnp.sum(from_base**2) < jnp.sum(from_side**2)
    return jnp.where(inside, 0.0, jnp.where(below, from_base, from_side))
