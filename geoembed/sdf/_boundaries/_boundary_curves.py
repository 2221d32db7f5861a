"""Boundary functions of a straight line, an arc, a circle and a sphere."""

import math
from typing import Any, ClassVar

import equinox as eqx
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Float

from ...core import norm, register
from .._shapes._edges import cross
from .._shapes._parameters import Scalar, Vector, known, like, number, vector
from ._boundary import Boundary, Corners, boundary_point, check_order, one_sided, rounding_of

_HIGHEST = 6  # that of a trimmed line, and more than any use needs


@register
class LineBoundary(Boundary):
    """The straight line from one point to another, in the plane. The domain is on its left.

    The signed distance f to the whole line is trimmed by t, which is positive in the disc that has the line as diameter
    and normalised on its rim:

        φ² = f² + ¼ (√(t² + s²) − t)²,   s = f²/√(L² + f²),   t = (L²/4 − r²)/√(3L²/4 + r²),

    with L the length and r the distance from the middle. It is normalised to order 6. Smooth except at the two ends,
    where it is continuous with a bounded, direction-dependent gradient; second derivatives grow there like 1/r.
    Farther away φ lies between 1 and 1.6 times the distance.

    Args:
        start: a.
        end: b.

    Example:
        >>> import jax, jax.numpy as jnp
        >>> line = LineBoundary((0.0, 0.0), (2.0, 0.0))
        >>> round(float(line(jnp.array([1.0, 0.01]))), 6), float(line(jnp.array([3.0, 0.0])))
        (0.01, 1.13...)
        >>> jax.grad(line)(jnp.array([0.5, 0.0])).tolist()
        [0.0, 1.0]

    References:
        N. Sukumar and A. Srivastava, Comput. Methods Appl. Mech. Eng. 389, 114333 (2022): line segments. There
        s = f² and t = (L²/4 − r²)/L, which depends on the unit of length and grows like the square of the distance.
    """

    start: Vector = vector(2)
    end: Vector = vector(2)

    dimension: ClassVar[int] = 2
    order: ClassVar[int] = _HIGHEST

    def __check_init__(self) -> None:
        a, b = known(self.start), known(self.end)
        if a is not None and b is not None and np.array_equal(a, b):
            raise ValueError(f"LineBoundary: start and end must differ, received {a} for both")

    def __call__(self, x: Float[Array, "2"]) -> Float[Array, ""]:
        x = boundary_point(x, self)
        a, b = like(self.start, x), like(self.end, x)
        length = norm(b - a)
        f = cross(b - a, x - a) / length
        inner = jnp.sum((x - a) * (b - x))  # L²/4 − r²
        t = inner / jnp.sqrt(length**2 - inner)
        return trimmed(f, t, length, rounding_of(x, a, b))

    def region(self, dtype: Any) -> Corners:
        here = jnp.zeros((), dtype)
        a, b = like(self.start, here), like(self.end, here)
        return jnp.minimum(a, b), jnp.maximum(a, b)


@register
class ArcBoundary(Boundary):
    """A piece of a circle. The domain is on its left: towards the centre when it runs counter-clockwise.

    The `RoundBoundary` of the whole circle, trimmed as in `LineBoundary` by the signed distance t to the chord.

    Args:
        centre: The centre of the circle.
        radius: Its radius R.
        first: The angle at which the arc starts, in radians.
        sweep: The angle through which it runs, in radians, counter-clockwise if positive; not 0, and less than a turn.
        order: The order to which it is normalised, 1 to 6.

    Example:
        >>> import jax.numpy as jnp
        >>> quarter = ArcBoundary((0.0, 0.0), 1.0, 0.0, 1.5707963, order=2)
        >>> round(float(quarter(jnp.array([0.7, 0.7]))), 4)  # the distance is 0.01005
        0.0101
    """

    centre: Vector = vector(2)
    radius: Scalar = number(positive=True)
    first: Scalar = number()
    sweep: Scalar = number()
    order: int = eqx.field(static=True, default=2)

    dimension: ClassVar[int] = 2

    def __check_init__(self) -> None:
        check_order("ArcBoundary", self.order, _HIGHEST)
        sweep = known(self.sweep)
        if sweep is not None and not 0 < abs(float(sweep)) < 2 * math.pi:
            hint = "use RoundBoundary for a whole circle"
            raise ValueError(f"ArcBoundary: sweep must lie between 0 and ±2π, received {sweep}: {hint}")

    def __call__(self, x: Float[Array, "2"]) -> Float[Array, ""]:
        x = boundary_point(x, self)
        centre, radius, first, sweep = (
            like(value, x) for value in (self.centre, self.radius, self.first, self.sweep)
        )
        middle = first + 0.5 * sweep
        out = jnp.stack([jnp.cos(middle), jnp.sin(middle)])
        f = -jnp.sign(sweep) * round_height(x - centre, radius, self.order)
        t = jnp.sum((x - centre) * out) - radius * jnp.cos(0.5 * sweep)
        return trimmed(f, t, radius, rounding_of(x, centre, radius))

    def region(self, dtype: Any) -> Corners:
        return _box_around(self.centre, self.radius, dtype)


@register
class RoundBoundary(Boundary):
    """A whole circle in the plane or sphere in space, without the kink of the distance at the centre.

    With w = (r² − R²)/(r² + R²), r the distance from the centre, the distance r − R is R (√((1 + w)/(1 − w)) − 1).
    φ is R times the Taylor polynomial of this in w, up to wᵐ: a smooth function of x everywhere, also at the centre.
    Far outside it tends to a constant of the order of R.

    Args:
        centre: The centre, 2 or 3 numbers.
        radius: R.
        order: The order m to which it is normalised, 1 to 6.
        outside: Whether the domain is outside: a hole.

    Example:
        >>> import jax.numpy as jnp
        >>> circle = RoundBoundary((0.0, 0.0), 2.0, order=3)
        >>> round(float(circle(jnp.array([1.9, 0.0]))), 5), float(circle(jnp.zeros(2)))
        (0.1, 2.0)
    """

    centre: Vector = vector(2, 3)
    radius: Scalar = number(positive=True)
    order: int = eqx.field(static=True, default=2)
    outside: bool = eqx.field(static=True, default=False)

    def __check_init__(self) -> None:
        check_order("RoundBoundary", self.order, _HIGHEST)

    @property
    def dimension(self) -> int:
        return self.centre.shape[0]

    def __call__(self, x: Float[Array, " d"]) -> Float[Array, ""]:
        x = boundary_point(x, self)
        centre, radius = like(self.centre, x), like(self.radius, x)
        f = round_height(x - centre, radius, self.order)
        return one_sided(f if self.outside else -f, rounding_of(x, centre, radius))

    def region(self, dtype: Any) -> Corners:
        return _box_around(self.centre, self.radius, dtype)


def trimmed(
    f: Float[Array, ""], t: Float[Array, ""], length: Float[Array, ""], slack: Float[Array, ""]
) -> Float[Array, ""]:
    """|f| where t > 0, and the distance to the point f = t = 0 where t < 0, smoothly blended.

    Args:
        f: Signed height over the curve, positive on the side of the domain.
        t: Positive on the wanted part of the curve, normalised where it is 0.
        length: The size of the curve.
        slack: Heights below this are 0 by rounding.
    """
    square = length**2 + f**2
    root = norm(jnp.stack([t, f**2 / jnp.sqrt(square)]))
    ahead = t >= 0
    # Beside the curve √(t² + s²) − t = s²/(√(t² + s²) + t), which neither cancels nor loses the sign of f.
    below = jnp.where(ahead, root + t, 1.0)
    share = 0.5 * f**3 / (square * jnp.where(below == 0, 1.0, below))
    beside = one_sided(f, slack) * jnp.sqrt(1 + share**2)
    beyond = norm(jnp.stack([f, 0.5 * (root - t)]))
    return jnp.where(ahead, beside, beyond)


def round_height(x: Float[Array, " d"], radius: Float[Array, ""], order: int) -> Float[Array, ""]:
    """Height over a circle or sphere about the origin, positive outside, normalised to an order, smooth everywhere."""
    square = jnp.sum(x**2)
    w = (square - radius**2) / (square + radius**2)
    total = jnp.zeros_like(w)
    for n in range(order, 0, -1):  # √((1 + w)/(1 − w)) = (1 + w) Σ binom(2k, k) (w/2)²ᵏ
        total = (total + math.comb(2 * (n // 2), n // 2) / 4 ** (n // 2)) * w
    return radius * total


def _box_around(centre: Any, radius: Any, dtype: Any) -> Corners:
    here = jnp.zeros((), dtype)
    middle, reach = like(centre, here), like(radius, here)
    return middle - reach, middle + reach
