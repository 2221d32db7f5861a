"""Boxes and what is bounded by parallel planes, in the plane and in space."""

from typing import Any, ClassVar

import jax.numpy as jnp
from jaxtyping import Array, Float

from ...core import norm, register
from .._select import larger, largest, smallest
from ._edges import corner_distance
from ._exactness import EXACT, Exactness
from ._parameters import Leaf, Scalar, Vector, known, like, number, unit, vector
from ._primitive import Primitive
from ._shape import Corners, point_of


@register
class Box(Primitive):
    """A rectangle or a cuboid about the origin, with its sides along the axes. Exact on both sides.

    With qᵢ = |xᵢ| − sᵢ/2: f = maxᵢ qᵢ inside, f = |max(q, 0)| outside.

    Args:
        size: The full lengths of the sides, two or three of them.

    Example:
        >>> import jax.numpy as jnp
        >>> float(Box((2.0, 4.0, 6.0))(jnp.zeros(3)))
        -1.0
    """

    size: Vector = vector(2, 3, positive=True)

    bounded: ClassVar[bool] = True
    exactness: ClassVar[Exactness] = EXACT

    @property
    def dimension(self) -> int:
        return self.size.shape[-1]

    def __call__(self, x: Float[Array, " d"]) -> Float[Array, ""]:
        x = point_of(x, self)
        return corner_distance(jnp.abs(x) - 0.5 * like(self.size, x))

    def corners(self, dtype: Any) -> Corners:
        return box_corners(self.size, dtype)


@register
class RoundedBox(Primitive):
    """A rectangle or a cuboid about the origin with rounded edges. Exact on both sides.

    Args:
        size: The full lengths of the sides, rounding included.
        radius: Of the rounding, at most half the shortest side.

    Example:
        >>> import jax.numpy as jnp
        >>> float(RoundedBox((2.0, 2.0), 1.0)(jnp.array([3.0, 4.0])))
        4.0
    """

    size: Vector = vector(2, 3, positive=True)
    radius: Scalar = number(nonnegative=True)

    bounded: ClassVar[bool] = True
    exactness: ClassVar[Exactness] = EXACT

    def __check_init__(self) -> None:
        _require_at_most_half("RoundedBox: radius", self.radius, self.size)

    @property
    def dimension(self) -> int:
        return self.size.shape[-1]

    def __call__(self, x: Float[Array, " d"]) -> Float[Array, ""]:
        x = point_of(x, self)
        radius = like(self.radius, x)
        return corner_distance(jnp.abs(x) - 0.5 * like(self.size, x) + radius) - radius

    def corners(self, dtype: Any) -> Corners:
        return box_corners(self.size, dtype)


@register
class BoxFrame(Primitive):
    """The twelve edges of a box, as bars of square section. Exact on both sides.

    Outside it is the union of twelve bars, inside the box without three channels; a union is exact outside and a
    difference inside.

    Args:
        size: The full lengths of the sides.
        thickness: Of the bars, inwards from the sides; at most half the shortest side.

    Example:
        >>> import jax.numpy as jnp
        >>> float(BoxFrame((2.0, 2.0, 2.0), 0.25)(jnp.array([0.0, 0.0, 1.0])))
        0.75
    """

    size: Vector = vector(3, positive=True)
    thickness: Scalar = number(positive=True)

    dimension: ClassVar[int] = 3
    bounded: ClassVar[bool] = True
    exactness: ClassVar[Exactness] = EXACT

    def __check_init__(self) -> None:
        _require_at_most_half("BoxFrame: thickness", self.thickness, self.size)

    def __call__(self, x: Float[Array, "3"]) -> Float[Array, ""]:
        x = point_of(x, self)
        half, thickness = 0.5 * like(self.size, x), like(self.thickness, x)
        gaps = jnp.abs(x) - half
        across = jnp.abs(gaps + 0.5 * thickness) - 0.5 * thickness  # to a bar, across it
        along = jnp.eye(3, dtype=bool)  # row i: the bars along axis i
        bars = jnp.where(along, gaps[None], across[None])
        outside = smallest(largest(bars.T)) > 0
        away = smallest(norm(jnp.where(outside, larger(bars, 0), 1.0)))
        inner = gaps + thickness
        channels = [-corner_distance(jnp.stack([inner[i], inner[i - 1]])) for i in range(3)]
        return jnp.where(outside, away, larger(largest(gaps), largest(jnp.stack(channels))))

    def corners(self, dtype: Any) -> Corners:
        return box_corners(self.size, dtype)


@register
class HalfSpace(Primitive):
    """All points on one side of a line or a plane: f(x) = n · x − h with the unit normal n. Exact on both sides.

    Args:
        normal: A vector of any length but 0 that points out of the material; two or three numbers.
        height: h, the signed distance of the plane from the origin.

    Example:
        >>> import jax.numpy as jnp
        >>> float(HalfSpace((0.0, 0.0, 2.0), 1.0)(jnp.array([5.0, 5.0, 3.0])))
        2.0
    """

    normal: Vector = vector(2, 3, nonzero=True)
    height: Scalar = number(default=0.0)

    bounded: ClassVar[bool] = False
    exactness: ClassVar[Exactness] = EXACT

    @property
    def dimension(self) -> int:
        return self.normal.shape[-1]

    def __call__(self, x: Float[Array, " d"]) -> Float[Array, ""]:
        x = point_of(x, self)
        return jnp.sum(unit(self.normal, x) * x) - like(self.height, x)

    def corners(self, dtype: Any) -> Corners:
        return near_plane(self.normal, self.height, dtype)


@register
class Slab(Primitive):
    """All points between two parallel lines or planes: f(x) = |n · x − h| − t/2. Exact on both sides.

    Args:
        normal: A vector of any length but 0 across the slab; two or three numbers.
        thickness: t, the distance of the planes.
        height: h, the signed distance of the middle plane from the origin.

    Example:
        >>> import jax.numpy as jnp
        >>> float(Slab((0.0, 1.0), 2.0)(jnp.array([7.0, 4.0])))
        3.0
    """

    normal: Vector = vector(2, 3, nonzero=True)
    thickness: Scalar = number(positive=True)
    height: Scalar = number(default=0.0)

    bounded: ClassVar[bool] = False
    exactness: ClassVar[Exactness] = EXACT

    @property
    def dimension(self) -> int:
        return self.normal.shape[-1]

    def __call__(self, x: Float[Array, " d"]) -> Float[Array, ""]:
        x = point_of(x, self)
        height = jnp.sum(unit(self.normal, x) * x) - like(self.height, x)
        return jnp.abs(height) - 0.5 * like(self.thickness, x)

    def corners(self, dtype: Any) -> Corners:
        lower, upper = near_plane(self.normal, self.height, dtype)
        return lower - 0.5 * like(self.thickness, lower), upper + 0.5 * like(self.thickness, upper)


def box_corners(size: Leaf, dtype: Any) -> Corners:
    """The corners of a box around the origin."""
    half = 0.5 * like(size, jnp.zeros((), dtype))
    return -half, half


def near_plane(normal: Leaf, height: Leaf, dtype: Any) -> Corners:
    """A cube of side 2 around the point of a plane that is nearest to the origin."""
    here = jnp.zeros((), dtype)
    foot = like(height, here) * unit(normal, here)
    return foot - 1.0, foot + 1.0


def _require_at_most_half(place: str, value: Leaf, size: Leaf) -> None:
    part, whole = known(value), known(size)
    if part is not None and whole is not None and float(part) > 0.5 * float(whole.min()) * (1 + 1e-6):
        raise ValueError(
            f"{place} must be at most half the shortest side, {whole.min() / 2}, received {part}"
        )
