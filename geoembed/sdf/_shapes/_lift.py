"""From the plane to space and back: extrude, revolve, slice."""

from typing import Any

import equinox as eqx
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Float

from ...core import norm, register
from .._select import larger
from ._edges import corner_distance
from ._exactness import Exactness, derived
from ._parameters import Scalar, known, like, number
from ._shape import Corners, Shape, known_region, point_of, require_dimension

_ROUNDING = 1e-6  # of the box in float32: what is nearer to the axis touches it


@register
class Extrude(Shape):
    """A prism along z over a shape in the plane z = 0. Keeps exactness.

    Args:
        shape: A shape in the plane.
        height: The full height; the prism reaches from −height/2 to height/2.

    Example:
        >>> import jax.numpy as jnp
        >>> from geoembed.sdf import Circle
        >>> float(Circle(1.0).extrude(2.0)(jnp.array([4.0, 0.0, 5.0])))
        5.0
    """

    shape: Shape
    height: Scalar = number(positive=True)

    def __check_init__(self) -> None:
        require_dimension(self.shape, 2, taker="Extrude")

    @property
    def dimension(self) -> int:
        return 3

    @property
    def bounded(self) -> bool:
        return self.shape.bounded

    @property
    def exactness(self) -> Exactness:
        return derived("extrude", self.shape.exactness)

    def __call__(self, x: Float[Array, "3"]) -> Float[Array, ""]:
        x = point_of(x, self)
        return corner_distance(jnp.stack([self.shape(x[:2]), jnp.abs(x[2]) - 0.5 * like(self.height, x)]))

    def region(self, dtype: Any, grow: Float[Array, ""] | float = 0.0) -> Corners:
        lower, upper = self.shape.region(dtype, grow)
        half = 0.5 * like(self.height, lower) + grow
        return jnp.append(lower, -half), jnp.append(upper, half)


@register
class Revolve(Shape):
    """A solid of revolution about the z axis: f(|(x, y)| − radius, z).

    The profile's plane becomes every half plane through the axis: its x is the distance from the axis less
    `radius`, its y is z. Keeps exactness where the profile keeps off the axis. A profile that touches the axis is a
    bound inside, one that crosses it is cut off there and a bound on both sides; so is one whose box is traced.

    Args:
        shape: The profile, a shape in the plane.
        radius: How far the profile is moved away from the axis.

    Example:
        >>> import jax.numpy as jnp
        >>> from geoembed.sdf import Circle
        >>> torus = Circle(0.5).revolve(2.0)
        >>> float(torus(jnp.array([0.0, 2.0, 1.0]))), torus.exactness.inside
        (0.5, 'exact')
    """

    shape: Shape
    radius: Scalar = number(default=0.0)

    def __check_init__(self) -> None:
        require_dimension(self.shape, 2, taker="Revolve")

    @property
    def dimension(self) -> int:
        return 3

    @property
    def bounded(self) -> bool:
        return self.shape.bounded

    @property
    def exactness(self) -> Exactness:
        return derived(self._rule(), self.shape.exactness)

    def _rule(self) -> str:
        box, radius = known_region(self.shape), known(self.radius)
        if not self.shape.bounded or box is None or radius is None:
            return "revolve across the axis"
        gap, rounding = box[0][0] + radius, _ROUNDING * (np.abs(box[0]).max() + abs(radius))
        if gap < -rounding:
            return "revolve across the axis"
        return "revolve at the axis" if gap <= rounding else "revolve"

    def __call__(self, x: Float[Array, "3"]) -> Float[Array, ""]:
        x = point_of(x, self)
        return self.shape(jnp.stack([norm(x[:2]) - like(self.radius, x), x[2]]))

    def region(self, dtype: Any, grow: Float[Array, ""] | float = 0.0) -> Corners:
        lower, upper = self.shape.region(dtype, grow)
        reach = larger(upper[0] + like(self.radius, lower), 0)
        return jnp.stack([-reach, -reach, lower[1]]), jnp.stack([reach, reach, upper[1]])


@register
class Slice(Shape):
    """The section of a shape in space by a plane across a coordinate axis. A bound on both sides.

    The other two coordinates keep their order: a plane across y has the coordinates (x, z).

    Args:
        shape: A shape in space.
        height: Where the plane crosses the axis.
        axis: 0, 1, 2 for x, y, z.

    Example:
        >>> import jax.numpy as jnp
        >>> from geoembed.sdf import Cylinder
        >>> float(Cylinder(1.0, 2.0).slice()(jnp.array([3.0, 0.0])))
        2.0
    """

    shape: Shape
    height: Scalar = number(default=0.0)
    axis: int = eqx.field(static=True, default=2)

    def __check_init__(self) -> None:
        require_dimension(self.shape, 3, taker="Slice")
        if self.axis not in (0, 1, 2):
            raise ValueError(f"Slice: axis must be 0, 1 or 2, received {self.axis!r}")

    @property
    def dimension(self) -> int:
        return 2

    @property
    def bounded(self) -> bool:
        return self.shape.bounded

    @property
    def exactness(self) -> Exactness:
        return derived("slice", self.shape.exactness)

    def __call__(self, x: Float[Array, "2"]) -> Float[Array, ""]:
        x = point_of(x, self)
        return self.shape(jnp.concatenate([x[: self.axis], like(self.height, x)[None], x[self.axis :]]))

    def region(self, dtype: Any, grow: Float[Array, ""] | float = 0.0) -> Corners:
        lower, upper = self.shape.region(dtype, grow)
        kept = [axis for axis in range(3) if axis != self.axis]
        return lower[jnp.asarray(kept)], upper[jnp.asarray(kept)]
