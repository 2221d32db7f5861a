"""Moving, turning, mirroring and magnifying: distances stay right."""

from collections.abc import Callable
from itertools import product
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Float

from ...core import register
from .._select import largest, smallest
from ._exactness import Exactness, derived
from ._operator import Changed
from ._parameters import Leaf, Scalar, Vector, like, number, optional_direction, unit, vector
from ._shape import Corners, Shape, point_of, require_dimension


@register
class Translate(Changed):
    """A shape moved by a vector: f(x − shift). Keeps exactness.

    Args:
        shape: The shape.
        shift: The vector.

    Example:
        >>> import jax.numpy as jnp
        >>> from geoembed.sdf import Circle
        >>> float(Circle(1.0).translate((3.0, 0.0))(jnp.zeros(2)))
        2.0
    """

    shape: Shape
    shift: Vector = vector(2, 3)

    def __check_init__(self) -> None:
        require_dimension(self.shape, self.shift.shape[-1], taker="Translate")

    @property
    def exactness(self) -> Exactness:
        return derived("isometry", self.shape.exactness)

    def __call__(self, x: Float[Array, " d"]) -> Float[Array, ""]:
        x = point_of(x, self)
        return self.shape(x - like(self.shift, x))

    def region(self, dtype: Any, grow: Float[Array, ""] | float = 0.0) -> Corners:
        lower, upper = self.shape.region(dtype, grow)
        return lower + like(self.shift, lower), upper + like(self.shift, upper)


@register
class Scale(Changed):
    """A shape magnified about the origin: s f(x/s). Keeps exactness.

    Args:
        shape: The shape.
        factor: s > 0, the same in all directions.

    Example:
        >>> import jax.numpy as jnp
        >>> from geoembed.sdf import Circle
        >>> float(Circle(1.0).scale(2.0)(jnp.zeros(2)))
        -2.0
    """

    shape: Shape
    factor: Scalar = number(positive=True)

    @property
    def exactness(self) -> Exactness:
        return derived("scale", self.shape.exactness)

    def __call__(self, x: Float[Array, " d"]) -> Float[Array, ""]:
        x = point_of(x, self)
        factor = like(self.factor, x)
        return factor * self.shape(x / factor)

    def region(self, dtype: Any, grow: Float[Array, ""] | float = 0.0) -> Corners:
        factor = like(self.factor, jnp.zeros((), dtype))
        lower, upper = self.shape.region(dtype, grow / factor)
        return factor * lower, factor * upper


@register
class Rotate(Changed):
    """A shape turned about the origin: in the plane anticlockwise, in space about an axis. Keeps exactness.

    Args:
        shape: The shape.
        angle: In radians; about an axis by the right-hand rule.
        axis: In space the direction of the axis, which goes through the origin; any length but 0. None in the plane.

    Example:
        >>> import jax.numpy as jnp
        >>> from geoembed.sdf import Box, Cylinder
        >>> round(float(Box((4.0, 2.0)).rotate(jnp.pi / 2)(jnp.array([0.0, 3.0]))), 6)
        1.0
        >>> lying = Cylinder(1.0, 6.0).rotate(jnp.pi / 2, (1.0, 0.0, 0.0))
        >>> round(float(lying(jnp.array([0.0, 4.0, 0.0]))), 6)
        1.0

    References:
        O. Rodrigues, J. Math. Pures Appl. 5, 1840 (the formula).
    """

    shape: Shape
    angle: Scalar = number()
    axis: Vector | None = optional_direction()

    def __check_init__(self) -> None:
        if self.axis is None:
            require_dimension(self.shape, 2, taker="Rotate without an axis")
        else:
            require_dimension(self.shape, 3, taker="Rotate about an axis")

    @property
    def exactness(self) -> Exactness:
        return derived("isometry", self.shape.exactness)

    def __call__(self, x: Float[Array, " d"]) -> Float[Array, ""]:
        x = point_of(x, self)
        return self.shape(self._turned(x, -like(self.angle, x)))

    def region(self, dtype: Any, grow: Float[Array, ""] | float = 0.0) -> Corners:
        return moved(self.shape.region(dtype, grow), lambda x: self._turned(x, like(self.angle, x)))

    def _turned(self, x: Float[Array, " d"], angle: Float[Array, ""]) -> Float[Array, " d"]:
        if self.axis is None:
            return turned(x, angle)
        axis, c, s = unit(self.axis, x), jnp.cos(angle), jnp.sin(angle)
        cross = jnp.roll(axis, -1) * jnp.roll(x, 1) - jnp.roll(axis, 1) * jnp.roll(x, -1)
        return c * x + s * cross + (1 - c) * jnp.sum(axis * x) * axis


@register
class Mirror(Changed):
    """The mirror image of a shape in the plane n · x = h. Keeps exactness.

    Args:
        shape: The shape.
        normal: n; any length but 0.
        height: h for the unit normal, the signed distance of the plane from the origin.

    Example:
        >>> import jax.numpy as jnp
        >>> from geoembed.sdf import Circle
        >>> float(Circle(1.0).translate((3.0, 0.0)).mirror((1.0, 0.0))(jnp.array([-3.0, 0.0])))
        -1.0
    """

    shape: Shape
    normal: Vector = vector(2, 3, nonzero=True)
    height: Scalar = number(default=0.0)

    def __check_init__(self) -> None:
        require_dimension(self.shape, self.normal.shape[-1], taker="Mirror")

    @property
    def exactness(self) -> Exactness:
        return derived("isometry", self.shape.exactness)

    def __call__(self, x: Float[Array, " d"]) -> Float[Array, ""]:
        x = point_of(x, self)
        return self.shape(reflected(x, self.normal, self.height))

    def region(self, dtype: Any, grow: Float[Array, ""] | float = 0.0) -> Corners:
        return moved(self.shape.region(dtype, grow), lambda x: reflected(x, self.normal, self.height))


def turned(x: Float[Array, "2"], angle: Float[Array, ""]) -> Float[Array, "2"]:
    """A point turned anticlockwise."""
    c, s = jnp.cos(angle), jnp.sin(angle)
    return jnp.stack([c * x[0] - s * x[1], s * x[0] + c * x[1]])


def reflected(x: Float[Array, " d"], normal: Leaf, height: Leaf) -> Float[Array, " d"]:
    """The mirror image of a point."""
    direction = unit(normal, x)
    return x - 2 * (jnp.sum(direction * x) - like(height, x)) * direction


def moved(box: Corners, motion: Callable[[Array], Array]) -> Corners:
    """The box around a box that has been moved by an affine map."""
    lower, upper = box
    high = np.array(list(product([False, True], repeat=lower.shape[0])))
    corners = jax.vmap(motion)(jnp.where(jnp.asarray(high), upper[None], lower[None]))
    return smallest(corners), largest(corners)
