"""The boundary function of a chain of straight lines in the plane."""

from typing import Any, ClassVar, NamedTuple

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Float

from ...core import norm, register
from .._shapes._edges import cross
from .._shapes._parameters import Leaf, as_parameter, known, like
from ._boundary import Boundary, Corners, boundary_point, check_order, rounding_of
from ._boundary_potential import beside, distance_from, power_for, share


@register
class PolylineBoundary(Boundary):
    """A chain of straight lines in the plane, open or closed, for instance the outline of a polygon.

    φ is the power mean of the distances to all its points, joined to the distance from its middle:

        φ = (1/c ∫ |x − y|^(−1−p) dy + (|x − ȳ|² + ρ²)^(−p/2))^(−1/p),   p = 1 for order 1, p = 3 for orders 2 and 3,

    with ȳ the mean of its points and ρ the root of their mean square distance from it. The integral is taken in closed
    form. It does not depend on how straight parts are cut, so a finely drawn curve is as good as the curve itself:
    there the normalisation holds within a fraction of the length of a piece, and beyond that φ = d + O(d²/radius).

    Smooth everywhere off the chain. At its corners and ends φ is continuous, with a bounded gradient that depends on
    the direction of approach; second derivatives grow like 1/r. Cost O(n), in values and memory.

    Args:
        vertices: The corners in order. No two neighbours may coincide.
        closed: Whether the last corner is joined to the first.
        order: 1, 2 or 3; 2 is served by the function of order 3.

    The domain is inside a closed chain, and on the left of an open one; reverse it otherwise. This decides the side
    from which the gradient on the chain itself is taken, and nothing else.

    Example:
        >>> import jax, jax.numpy as jnp
        >>> square = PolylineBoundary([(0, 0), (4, 0), (4, 4), (0, 4)], closed=True)
        >>> round(float(square(jnp.array([2.0, 0.1]))), 5)
        0.1
        >>> jax.grad(square)(jnp.array([2.0, 0.0])).round(3).tolist()
        [0.0, 1.0]

    References:
        A. Belyaev, P.-A. Fayolle and A. Pasko, Comput.-Aided Des. 45, 523 (2013).
    """

    vertices: Float[Leaf, "n 2"] = eqx.field(converter=as_parameter)
    closed: bool = eqx.field(static=True, default=False)
    order: int = eqx.field(static=True, default=2)

    dimension: ClassVar[int] = 2

    def __check_init__(self) -> None:
        check_order("PolylineBoundary", self.order, 3)
        least = 3 if self.closed else 2
        if self.vertices.ndim != 2 or self.vertices.shape[1] != 2 or self.vertices.shape[0] < least:
            shape = self.vertices.shape
            raise ValueError(
                f"PolylineBoundary: {least} or more points of 2 coordinates expected, received {shape}"
            )
        points = known(self.vertices)
        if points is not None:
            steps = np.diff(np.concatenate([points, points[:1]]) if self.closed else points, axis=0)
            if not np.all(np.isfinite(points)) or not np.all(np.any(steps != 0, axis=1)):
                raise ValueError("PolylineBoundary: points must be finite, and neighbours must differ")

    def __call__(self, x: Float[Array, "2"]) -> Float[Array, ""]:
        x = boundary_point(x, self)
        vertices, power = like(self.vertices, x), power_for(self.order)
        slack = rounding_of(x, vertices)
        there = _nearest(*jax.lax.stop_gradient((x, vertices)), self.closed)
        on = there.distance <= slack
        point = x + jnp.where(on, 4.0 * slack, 0.0) * there.inward
        size = jnp.maximum(there.distance, slack)
        total = jnp.sum(_shares(point, vertices, self.closed, power, size))
        middle, radius = _middle(vertices, self.closed)
        reach = norm(jnp.append(point - middle, radius))
        return beside(distance_from(total, reach, power, size), there.distance, slack)

    def region(self, dtype: Any) -> Corners:
        vertices = like(self.vertices, jnp.zeros((), dtype))
        return jnp.min(vertices, axis=0), jnp.max(vertices, axis=0)


class _There(NamedTuple):
    distance: Float[Array, ""]
    inward: Float[Array, "2"]  # the normal on the side of the domain; at a corner the mean of two


def _pieces(
    vertices: Float[Array, "n 2"], closed: bool
) -> tuple[Float[Array, "m 2"], Float[Array, "m 2"], Float[Array, " m"]]:
    """The starts, unit directions and lengths of the lines."""
    starts = vertices if closed else vertices[:-1]
    edges = (jnp.roll(vertices, -1, axis=0) if closed else vertices[1:]) - starts
    lengths = norm(edges)
    return starts, edges / lengths[:, None], lengths


def _shares(
    x: Float[Array, "2"], vertices: Float[Array, "n 2"], closed: bool, power: int, size: Float[Array, ""]
) -> Float[Array, " m"]:
    starts, ways, lengths = _pieces(vertices, closed)
    from_start = x[None] - starts
    along = jnp.sum(from_start * ways, axis=1)
    height = jnp.abs(cross(ways, from_start))
    d = height**2 - along * (lengths - along)
    return size**power * share(lengths, d, jnp.ones_like(d), height, power)


def _nearest(x: Float[Array, "2"], vertices: Float[Array, "n 2"], closed: bool) -> _There:
    starts, ways, lengths = _pieces(vertices, closed)
    from_start = x[None] - starts
    along = jnp.sum(from_start * ways, axis=1)
    offsets = from_start - jnp.clip(along, 0.0, lengths)[:, None] * ways
    away = norm(offsets)
    nearest = jnp.argmin(away)
    left = jnp.stack([-ways[:, 1], ways[:, 0]], axis=1)
    if closed:
        fixed = vertices - vertices[:1]
        left = left * jnp.sign(jnp.sum(cross(fixed, jnp.roll(fixed, -1, axis=0))))
    last = ways.shape[0] - 1
    before = jnp.where((nearest > 0) | closed, nearest - 1, nearest)
    after = jnp.where((nearest < last) | closed, jnp.mod(nearest + 1, last + 1), nearest)
    near_end = 64.0 * float(jnp.finfo(x.dtype).eps) * lengths[nearest]
    other = jnp.where(along[nearest] <= near_end, before, nearest)
    other = jnp.where(along[nearest] >= lengths[nearest] - near_end, after, other)
    return _There(away[nearest], 0.5 * (left[nearest] + left[other]))


def _middle(vertices: Float[Array, "n 2"], closed: bool) -> tuple[Float[Array, "2"], Float[Array, ""]]:
    """The mean of the points of the chain, and the root of their mean square distance from it."""
    starts, ways, lengths = _pieces(vertices, closed)
    centres = starts + 0.5 * lengths[:, None] * ways
    weights = lengths / jnp.sum(lengths)
    middle = jnp.sum(weights[:, None] * centres, axis=0)
    squares = jnp.sum((centres - middle[None]) ** 2, axis=1) + lengths**2 / 12.0
    return middle, jnp.sqrt(jnp.sum(weights * squares))
