"""The exact signed distance of an ellipse and of an ellipsoid."""

from typing import Any, ClassVar, NamedTuple

import jax
import jax.numpy as jnp
from jaxtyping import Array, Float

from ...core import norm, register
from ._exactness import EXACT, Exactness
from ._parameters import Vector, like, vector
from ._primitive import Primitive
from ._shape import Corners, point_of

_STEPS = (
    16  # of Newton's method without derivatives; 6 are usual, the rest is for points near the medial axis
)
_DIFFERENTIABLE_STEPS = 2  # make derivatives of the foot right up to the third order


@register
class Ellipse(Primitive):
    """An ellipse about the origin with its axes along the coordinate axes. Exact on both sides.

    Found by Newton's method as in `Ellipsoid`.

    Args:
        semi_axes: The two half axes.

    Example:
        >>> import jax.numpy as jnp
        >>> round(float(Ellipse((2.0, 1.0))(jnp.array([0.0, 3.0]))), 6)
        2.0
    """

    semi_axes: Vector = vector(2, positive=True)

    dimension: ClassVar[int] = 2
    bounded: ClassVar[bool] = True
    exactness: ClassVar[Exactness] = EXACT

    def __call__(self, x: Float[Array, "2"]) -> Float[Array, ""]:
        x = point_of(x, self)
        return ellipsoid_distance(x, like(self.semi_axes, x))

    def corners(self, dtype: Any) -> Corners:
        corner = like(self.semi_axes, jnp.zeros((), dtype))
        return -corner, corner


@register
class Ellipsoid(Primitive):
    """An ellipsoid about the origin with its axes along the coordinate axes. Exact on both sides.

    The nearest point has cᵢ = eᵢ² xᵢ/(t + eᵢ²) with the half axes eᵢ, where t is the largest root of
    Σ (eᵢ xᵢ/(t + eᵢ²))² = 1, and f = t √Σ (xᵢ/(t + eᵢ²))². Newton's method finds the root of 1/√Σ = 1, a function of t
    that is concave and nearly straight: from below it converges without a bracket.

    The gradient is the unit normal of the foot, on the medial disc that of one side. Derivatives up to the third
    order are right.

    Args:
        semi_axes: The three half axes.

    Example:
        >>> import jax.numpy as jnp
        >>> round(float(Ellipsoid((3.0, 2.0, 1.0))(jnp.zeros(3))), 6)
        -1.0

    References:
        D. Eberly, Distance from a Point to an Ellipse, an Ellipsoid, or a Hyperellipsoid, 2013, eq. (4) (the root).
        J. Moré, D. Sorensen, Computing a Trust Region Step, SIAM J. Sci. Stat. Comput. 4, 1983, eq. (3.10) (the
        reciprocal).
    """

    semi_axes: Vector = vector(3, positive=True)

    dimension: ClassVar[int] = 3
    bounded: ClassVar[bool] = True
    exactness: ClassVar[Exactness] = EXACT

    def __call__(self, x: Float[Array, "3"]) -> Float[Array, ""]:
        x = point_of(x, self)
        return ellipsoid_distance(x, like(self.semi_axes, x))

    def corners(self, dtype: Any) -> Corners:
        corner = like(self.semi_axes, jnp.zeros((), dtype))
        return -corner, corner


class _Foot(NamedTuple):
    """The nearest point of the surface: distance, normal there, and the point in units of the half axes."""

    distance: Float[Array, ""]
    normal: Float[Array, " d"]
    direction: Float[Array, " d"]


@jax.custom_jvp
def ellipsoid_distance(x: Float[Array, " d"], axes: Float[Array, " d"]) -> Float[Array, ""]:
    """The signed distance to an ellipsoid of any dimension."""
    return _foot(x, axes).distance


@ellipsoid_distance.defjvp
def _ellipsoid_distance_jvp(primals: tuple, tangents: tuple) -> tuple[Array, Array]:
    """The foot c = eᵢ uᵢ slides along the surface when x moves, so δd = n · (δx − u δe)."""
    foot = _foot(*primals)
    moved, axes_moved = tangents
    return foot.distance, jnp.sum(foot.normal * (moved - foot.direction * axes_moved))


def _foot(x: Float[Array, " d"], axes: Float[Array, " d"]) -> _Foot:
    # In units of the shortest half axis m, with s = t/m² + 1: p = e x/m², gaps = e²/m² − 1, and the root of
    # Σ (p/(s + gaps))² = 1. The shortest axis has gap 0, so s > 0 loses no digits near the medial disc.
    shortest = jax.lax.stop_gradient(jnp.min(axes))
    gaps = (axes - shortest) * (axes + shortest) / shortest**2
    side = 1 - 2 * (x < 0).astype(x.dtype)
    least = float(jnp.finfo(x.dtype).tiny) ** 0.5  # keeps s off 0; moves x by less than its rounding
    positive = side * x / shortest
    positive = positive + jax.lax.stop_gradient(jnp.maximum(least - positive, 0))  # derivatives as without
    p = positive * (axes / shortest)

    fixed_p, fixed_gaps = jax.lax.stop_gradient((p, gaps))
    s = jnp.max(fixed_p - fixed_gaps)
    s = jax.lax.fori_loop(0, _STEPS, lambda _, s: _newton(s, fixed_p, fixed_gaps), s)
    for _ in range(_DIFFERENTIABLE_STEPS):
        s = _newton(s, p, gaps)

    direction = p / (s + gaps)
    slope = direction / (axes / shortest)
    distance = (s - 1) * shortest * norm(slope)
    return _Foot(distance, side * slope / norm(slope), side * direction)


def _newton(s: Array, p: Float[Array, " d"], gaps: Float[Array, " d"]) -> Array:
    """One step for 1/|q| = 1 with q = p/(s + gaps)."""
    q = p / (s + gaps)
    square = jnp.sum(q**2)
    return s + square * (jnp.sqrt(square) - 1) / jnp.sum(q**2 / (s + gaps))
