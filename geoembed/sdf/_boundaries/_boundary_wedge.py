"""The boundary function of a straight edge that ends in a corner, singular there as solutions are."""

import math
from typing import Any, ClassVar

import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Float

from ...core import register
from .._shapes._parameters import Scalar, Vector, known, like, number, unit, vector
from ._boundary import Boundary, Corners, boundary_point, one_sided, rounding_of

_TURN = 2.0 * math.pi


@register
class WedgeBoundary(Boundary):
    """One edge of a corner in the plane, from the corner on; near the corner it behaves as solutions do there.

    In polar coordinates about the corner, θ from the edge into the domain, which has the angle ω there,

        φ = (R/β) (r/R)^β (1 + (r/R)²)^((1−β)/2) sin(βθ),   β = min(1, π/(2ω)).

    Near the corner φ is r^β sin(βθ) times a smooth function of x. This is the leading term of a solution of
    Laplace's equation that is 0 on this edge and has no flux through the other one. The product of the functions of
    both edges is r^α sin(αθ)/2 times a smooth function, α = 2β = π/ω, the leading term when the solution is 0 on both.
    For corners of π/2 and less, where solutions contain r², φ is the height over the edge.

    For r ≫ R the slope on the edge, ∂φ/∂n = (1 + (R/r)²)^((1−β)/2), tends to 1: φ is the distance near the edge.
    It is normalised (to order 1) only in this limit. The edge is a whole ray: φ is positive off it, also behind it,
    and grows with r. Inside the angle ω it is analytic, elsewhere off the edge it is three times differentiable.
    At the corner φ = 0; for ω > π/2 its gradient grows like r^(β−1) there, and at the corner itself it is given as 0.

    Args:
        point: The corner.
        direction: From the corner along the edge; any length but 0.
        angle: ω in radians, up to 2π; positive if the domain is on the left of the edge, negative if on its right.
        reach: R, the distance over which φ turns from the corner's function into the distance.

    Example:
        >>> import jax, jax.numpy as jnp
        >>> edge = WedgeBoundary((0.0, 0.0), (1.0, 0.0), 1.5 * jnp.pi, 1.0)
        >>> round(float(edge(jnp.array([0.0, 0.001]))) / 0.001 ** (1 / 3), 4)  # 3 sin(π/6)
        1.5
        >>> jax.grad(edge)(jnp.array([10.0, 0.0])).round(2).tolist()
        [0.0, 1.0]

    References:
        P. Grisvard, Elliptic Problems in Nonsmooth Domains, Pitman (1985), section 4.4: the functions of a corner.
    """

    point: Vector = vector(2)
    direction: Vector = vector(2, nonzero=True)
    angle: Scalar = number()
    reach: Scalar = number(positive=True)

    dimension: ClassVar[int] = 2
    order: ClassVar[int] = 1

    def __check_init__(self) -> None:
        angle = known(self.angle)
        if angle is not None and not 0 < abs(float(angle)) <= _TURN * (1 + 1e-9):
            raise ValueError(f"WedgeBoundary: angle must lie between 0 and ±2π, received {angle}")

    def __call__(self, x: Float[Array, "2"]) -> Float[Array, ""]:
        x = boundary_point(x, self)
        point, reach, angle = like(self.point, x), like(self.reach, x), like(self.angle, x)
        way, offset = unit(self.direction, x), (x - point) / reach
        along = jnp.sum(way * offset)
        across = jnp.sign(angle) * (way[0] * offset[1] - way[1] * offset[0])
        on = (jnp.abs(across) <= rounding_of(x, point, reach) / reach) & (along > 0)
        at_corner = (along == 0) & (across == 0)
        along = jnp.where(at_corner, 1.0, along)
        turn = jnp.arctan2(across, along)
        turn = jnp.where((turn < 0) & ~on, turn + _TURN, turn)
        wide = jnp.clip(jnp.abs(angle), 0.5 * math.pi, _TURN)
        square = along**2 + across**2
        beta = 0.5 * math.pi / wide
        radial = square ** (0.5 * beta) * (1 + square) ** (0.5 - 0.5 * beta)
        height = reach / beta * radial * _profile(turn, wide, beta)
        slack = jnp.where(on, jnp.abs(height), -1.0)
        return jnp.where(at_corner, 0.0, one_sided(height, slack))

    def region(self, dtype: Any) -> Corners:
        here = jnp.zeros((), dtype)
        a = like(self.point, here)
        b = a + like(self.reach, here) * unit(self.direction, here)
        return jnp.minimum(a, b), jnp.maximum(a, b)


def _profile(turn: Array, wide: Array, beta: Array) -> Float[Array, ""]:
    """sin(βθ) up to θ = ω, where it is 1; from there back to 0 at θ = 2π, joined with three derivatives."""
    rest = jnp.maximum(_TURN - wide, float(np.finfo(turn.dtype).eps))
    beyond = turn - wide
    share = jnp.clip(beyond / jnp.minimum(rest, wide), 0.0, 1.0)
    step = share**4 * (35.0 - 84.0 * share + 70.0 * share**2 - 20.0 * share**3)
    behind = jnp.sin(0.5 * math.pi * jnp.clip(_TURN - turn, 0.0, rest) / rest)
    inside = jnp.sin(beta * turn)
    return jnp.where(beyond <= 0, inside, (1.0 - step) * inside + step * behind)
