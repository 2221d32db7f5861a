"""Triply periodic minimal surfaces in their usual trigonometric approximation.

Each is g(2πx/p) = level with a g whose gradient is nowhere longer than √3, so f = p (g − level)/(2π√3) is a bound
with Lipschitz constant 1. Why √3, with c and s for cosine and sine:

- Schwarz P: |∇g|² = s²x + s²y + s²z ≤ 3.
- Gyroid: ∂g/∂x = cx cy − sz sx, so by Cauchy and Schwarz (∂g/∂x)² ≤ (c²x + s²x)(c²y + s²z) = c²y + s²z, and the
  three sum to 3.
- Schwarz D: with p = y − z and q = y + z, g = sx cp + cx sq, |∇g|² = (cx cp − sx sq)² + 2 s²x s²p + 2 c²x c²q
  ≤ c²p + s²q + 2 s²x s²p + 2 c²x c²q, which is linear in s²x and at most 3 at both ends.
"""

import math
from typing import Any, ClassVar

import jax.numpy as jnp
from jaxtyping import Array, Float

from ...core import register
from ._exactness import BOUND, Exactness
from ._parameters import Leaf, Scalar, like, number
from ._primitive import Primitive
from ._shape import Corners, point_of


@register
class Gyroid(Primitive):
    """One side of a gyroid: sin x cos y + sin y cos z + sin z cos x ≤ level. A bound on both sides.

    Approximates the minimal surface. `Gyroid(p).shell(t)` is a wall.

    Args:
        period: The edge of the cubic cell.
        level: 0 halves space; beyond ±1.5 nothing or all is left.

    Example:
        >>> import jax.numpy as jnp
        >>> float(Gyroid(1.0)(jnp.zeros(3)))
        0.0
    """

    period: Scalar = number(positive=True)
    level: Scalar = number(default=0.0)

    dimension: ClassVar[int] = 3
    bounded: ClassVar[bool] = False
    exactness: ClassVar[Exactness] = BOUND

    def __call__(self, x: Float[Array, "3"]) -> Float[Array, ""]:
        x = point_of(x, self)
        phase, length = _phase(self.period, x)
        wave = jnp.sum(jnp.sin(phase) * jnp.cos(jnp.roll(phase, -1)))
        return length * (wave - like(self.level, x))

    def corners(self, dtype: Any) -> Corners:
        return _cell(self.period, dtype)


@register
class SchwarzP(Primitive):
    """One side of a Schwarz P surface: cos x + cos y + cos z ≤ level. A bound on both sides.

    Approximates the minimal surface.

    Args:
        period: The edge of the cubic cell.
        level: 0 halves space; beyond ±3 nothing or all is left.

    Example:
        >>> import jax.numpy as jnp
        >>> bool(SchwarzP(1.0)(jnp.full(3, 0.5)) < 0)
        True
    """

    period: Scalar = number(positive=True)
    level: Scalar = number(default=0.0)

    dimension: ClassVar[int] = 3
    bounded: ClassVar[bool] = False
    exactness: ClassVar[Exactness] = BOUND

    def __call__(self, x: Float[Array, "3"]) -> Float[Array, ""]:
        x = point_of(x, self)
        phase, length = _phase(self.period, x)
        return length * (jnp.sum(jnp.cos(phase)) - like(self.level, x))

    def corners(self, dtype: Any) -> Corners:
        return _cell(self.period, dtype)


@register
class SchwarzD(Primitive):
    """One side of a Schwarz D surface: sin x cos(y − z) + cos x sin(y + z) ≤ level. A bound on both sides.

    Approximates the minimal surface.

    Args:
        period: The edge of the cubic cell.
        level: 0 halves space; beyond ±√2 nothing or all is left.

    Example:
        >>> import jax.numpy as jnp
        >>> bool(SchwarzD(1.0)(jnp.array([-0.2, 0.0, 0.0])) < 0)
        True
    """

    period: Scalar = number(positive=True)
    level: Scalar = number(default=0.0)

    dimension: ClassVar[int] = 3
    bounded: ClassVar[bool] = False
    exactness: ClassVar[Exactness] = BOUND

    def __call__(self, x: Float[Array, "3"]) -> Float[Array, ""]:
        x = point_of(x, self)
        (a, b, c), length = _phase(self.period, x)
        wave = jnp.sin(a) * jnp.cos(b - c) + jnp.cos(a) * jnp.sin(b + c)
        return length * (wave - like(self.level, x))

    def corners(self, dtype: Any) -> Corners:
        return _cell(self.period, dtype)


def _phase(period: Leaf, x: Float[Array, "3"]) -> tuple[Float[Array, "3"], Float[Array, ""]]:
    """The point in radians, and the length that makes the level function a bound."""
    length = like(period, x) / (2 * math.pi)
    return x / length, length / 3**0.5


def _cell(period: Leaf, dtype: Any) -> Corners:
    half = jnp.broadcast_to(0.5 * like(period, jnp.zeros((), dtype)), (3,))
    return -half, half
