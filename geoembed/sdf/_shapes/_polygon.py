"""The exact signed distance of a polygon with holes."""

from typing import Any, ClassVar

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Float

from ...core import register
from .._select import largest, smallest
from ._edges import cross, edge_distance, edge_share
from ._exactness import EXACT, Exactness
from ._parameters import Leaf, as_parameter, known, like
from ._primitive import Primitive
from ._shape import Corners, point_of

Loop = Float[Leaf, "_ 2"]

_CLOSE = 1e-3  # to an edge, in parts of the polygon's size


def _loops(holes: Any) -> tuple[Leaf, ...]:
    return tuple(as_parameter(hole) for hole in holes)


@register
class Polygon(Primitive):
    """A simple polygon with any number of holes. Exact on both sides. Cost O(corners).

    The distance is that to the nearest edge. Close beside an edge its sign is the side of the edge's line, elsewhere
    the parity of the edges that a ray crosses. Derivatives in the corners are right too: they follow from the nearest
    edge alone.

    Args:
        vertices: The corners of the outline in order, in either direction.
        holes: The corners of each hole, in either direction. Loops must not cross each other or themselves.

    Example:
        >>> import jax.numpy as jnp
        >>> square = [(0, 0), (4, 0), (4, 4), (0, 4)]
        >>> ring = Polygon(square, [[(1, 1), (3, 1), (3, 3), (1, 3)]])
        >>> float(ring(jnp.array([2.0, 1.5])))
        0.5
    """

    vertices: Loop = eqx.field(converter=as_parameter)
    holes: tuple[Loop, ...] = eqx.field(converter=_loops, default=())

    dimension: ClassVar[int] = 2
    bounded: ClassVar[bool] = True
    exactness: ClassVar[Exactness] = EXACT

    def __check_init__(self) -> None:
        for i, loop in enumerate((self.vertices, *self.holes)):
            _check_loop("vertices" if i == 0 else f"hole {i - 1}", loop)

    def __call__(self, x: Float[Array, "2"]) -> Float[Array, ""]:
        x = point_of(x, self)
        outline, *holes = (like(loop, x) for loop in (self.vertices, *self.holes))
        starts = jnp.concatenate([outline, *holes])
        ends = jnp.concatenate([jnp.roll(loop, -1, axis=0) for loop in (outline, *holes)])
        lefts = jnp.concatenate([_left(outline), *(-_left(hole) for hole in holes)])
        nearest = _nearest(*jax.lax.stop_gradient((x, starts, ends)))
        a, b = starts[nearest], ends[nearest]
        share = edge_share(x, a, b)
        beside = edge_distance(x, a, b, lefts[nearest])
        by_parity = jnp.where(_within(x, starts, ends), -jnp.abs(beside), jnp.abs(beside))
        # Far away two edges are equally near to rounding, and the side of the wrong one would decide.
        close = jnp.abs(beside) < _CLOSE * jax.lax.stop_gradient(jnp.max(jnp.abs(starts - starts[:1])))
        return jnp.where((share > 0) & (share < 1) & close | (beside == 0), beside, by_parity)

    def corners(self, dtype: Any) -> Corners:
        outline = like(self.vertices, jnp.zeros((), dtype))
        return smallest(outline), largest(outline)


def _left(loop: Float[Array, "n 2"]) -> Float[Array, " n"]:
    """1 for each edge that has the inside of its loop on the left, −1 on the right."""
    middle = jax.lax.stop_gradient(loop - loop[:1])
    area = jnp.sum(cross(middle, jnp.roll(middle, -1, axis=0)))
    return jnp.broadcast_to(2 * (area > 0).astype(loop.dtype) - 1, loop.shape[:1])


def _nearest(x: Float[Array, "2"], starts: Float[Array, "n 2"], ends: Float[Array, "n 2"]) -> Array:
    """The number of the nearest edge."""
    share = jnp.clip(edge_share(x[None], starts, ends), 0, 1)
    return jnp.argmin(jnp.sum((x[None] - starts - share[:, None] * (ends - starts)) ** 2, axis=1))


def _within(x: Float[Array, "2"], starts: Float[Array, "n 2"], ends: Float[Array, "n 2"]) -> Array:
    """Whether a ray to the right crosses an odd number of edges; a corner belongs to the edge above it."""
    rising = (starts[:, 1] <= x[1]) & (ends[:, 1] > x[1])
    falling = (ends[:, 1] <= x[1]) & (starts[:, 1] > x[1])
    side = cross(ends - starts, x[None] - starts)
    crossed = (rising & (side > 0)) | (falling & (side < 0))
    return jnp.mod(jnp.sum(crossed.astype(jnp.int32)), 2) == 1


def _check_loop(name: str, loop: Leaf) -> None:
    if loop.ndim != 2 or loop.shape[0] < 3 or loop.shape[1] != 2:
        raise ValueError(
            f"Polygon: {name} must be at least 3 points of 2 coordinates, received an array of shape {loop.shape}"
        )
    points = known(loop)
    if points is None:
        return
    if not np.all(np.isfinite(points)):
        raise ValueError(f"Polygon: {name} has a coordinate that is not finite")
    area = cross(points - points[0], np.roll(points, -1, axis=0) - points[0]).sum()
    if area == 0:
        raise ValueError(f"Polygon: {name} encloses no area")
