"""Cones with flat and with round ends."""

from typing import Any, ClassVar

import jax.numpy as jnp
from jaxtyping import Array, Float

from ...core import norm, register
from .._select import larger, largest, smaller, smallest
from ._edges import edge_share
from ._exactness import EXACT, Exactness
from ._parameters import Scalar, known, like, number
from ._plane import around_origin
from ._primitive import Primitive
from ._shape import Corners, point_of


@register
class CappedCone(Primitive):
    """A cone without its tip, about the z axis, centred at the origin. Exact on both sides.

    Args:
        bottom: Radius at z = −height/2.
        top: Radius at z = height/2. Either radius, but not both, may be 0.
        height: The full height.

    Example:
        >>> import jax.numpy as jnp
        >>> float(CappedCone(2.0, 1.0, 2.0)(jnp.array([0.0, 0.0, 3.0])))
        2.0
    """

    bottom: Scalar = number(nonnegative=True)
    top: Scalar = number(nonnegative=True)
    height: Scalar = number(positive=True)

    dimension: ClassVar[int] = 3
    bounded: ClassVar[bool] = True
    exactness: ClassVar[Exactness] = EXACT

    def __check_init__(self) -> None:
        radii = known(self.bottom), known(self.top)
        if all(radius is not None and radius == 0 for radius in radii):
            raise ValueError("CappedCone: bottom and top are both 0: give one of them a radius")

    def __call__(self, x: Float[Array, "3"]) -> Float[Array, ""]:
        x = point_of(x, self)
        bottom, top, half = like(self.bottom, x), like(self.top, x), 0.5 * like(self.height, x)
        p = jnp.stack([norm(x[:2]), x[2]])
        low, high = jnp.stack([bottom, -half]), jnp.stack([top, half])
        slant = high - low
        side = (slant[1] * (p[0] - low[0]) - slant[0] * (p[1] - low[1])) / norm(slant)
        planes = jnp.stack([side, -half - p[1], p[1] - half])
        outside = largest(planes) > 0
        share = edge_share(p, low, high)
        beside = (share > 0) & (share < 1)
        # Beside the wall its height: a difference of nearly equal points would lose the normal's digits.
        wall = [jnp.where(beside, 0.0, p[i] - jnp.where(share >= 1, high, low)[i]) for i in (0, 1)]
        rims = [[larger(p[0] - end[0], 0.0), p[1] - end[1]] for end in (low, high)]
        gaps = jnp.stack([jnp.stack([wall[0], jnp.where(beside, side, wall[1])]), *map(jnp.stack, rims)])
        away = smallest(norm(jnp.where(outside, gaps, 1.0)))
        return jnp.where(outside, away, largest(planes))

    def corners(self, dtype: Any) -> Corners:
        here = jnp.zeros((), dtype)
        widest = larger(like(self.bottom, here), like(self.top, here))
        return around_origin(widest, widest, 0.5 * self.height, dtype=dtype)


@register
class RoundedCone(Primitive):
    """The convex hull of two balls on the z axis. Exact on both sides.

    Args:
        bottom: Radius of the ball about (0, 0, −height/2).
        top: Radius of the ball about (0, 0, height/2).
        height: The distance of the centres; it must exceed the difference of the radii.

    Example:
        >>> import jax.numpy as jnp
        >>> float(RoundedCone(1.0, 0.5, 2.0)(jnp.array([0.0, 0.0, 3.0])))
        1.5
    """

    bottom: Scalar = number(positive=True)
    top: Scalar = number(positive=True)
    height: Scalar = number(positive=True)

    dimension: ClassVar[int] = 3
    bounded: ClassVar[bool] = True
    exactness: ClassVar[Exactness] = EXACT

    def __check_init__(self) -> None:
        bottom, top, height = (known(value) for value in (self.bottom, self.top, self.height))
        if bottom is not None and top is not None and height is not None and abs(bottom - top) >= height:
            raise ValueError(
                f"RoundedCone: one ball contains the other: height {height} must exceed the difference "
                f"of the radii {bottom} and {top}"
            )

    def __call__(self, x: Float[Array, "3"]) -> Float[Array, ""]:
        x = point_of(x, self)
        bottom, top, height = like(self.bottom, x), like(self.top, x), like(self.height, x)
        r, z = norm(x[:2]), x[2] + 0.5 * height
        sine = (bottom - top) / height  # of the side's slope against the axis
        cosine = jnp.sqrt(1 - sine**2)
        along = cosine * z - sine * r
        at_top = along > cosine * height
        centre = jnp.where(at_top, height, 0.0)
        ball = norm(jnp.append(x[:2], z - centre)) - jnp.where(at_top, top, bottom)
        return jnp.where((along < 0) | at_top, ball, cosine * r + sine * z - bottom)

    def corners(self, dtype: Any) -> Corners:
        here = jnp.zeros((), dtype)
        bottom, top, half = like(self.bottom, here), like(self.top, here), 0.5 * like(self.height, here)
        widest = larger(bottom, top)
        lower = jnp.stack([-widest, -widest, smaller(-half - bottom, half - top)])
        return lower, jnp.stack([widest, widest, larger(half + top, bottom - half)])
