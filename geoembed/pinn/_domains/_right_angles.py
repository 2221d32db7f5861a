"""The logarithm that solutions have in a right angle."""

import math

import equinox as eqx
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Bool, Float

from ...core import register
from ...sdf._shapes._parameters import Leaf, as_parameter, like
from ._corners import Corner

_SMALL = 0.02
_LOWEST = -2.2  # of δ; the formula ends at −π, on the backward extension of an edge


@register
class RightAngles(eqx.Module):
    """One feature for each right angle between two pieces where the value is given.

    Where −Δu = 1 and u = 0 on both edges of a right angle, with r in units of any length R, up to r² sin 2θ

        u = ½ r² sin(2θ) S,   S = −(2/π) log(r) − ½ tan(δ/2) − (δ/π) cot(δ),   δ = π − 2θ for θ ≥ π/4,

    and the same mirrored at θ = π/4. No smooth function N in u = m N, m ∝ r² sin 2θ, does this; with S it can.

    Args:
        points: The corners.
        middles: Unit vectors from them through the middle of the domain's angle.
        reaches: R.
        faded: Whether the feature fades out at R, because the domain reaches far around the corner.
    """

    points: Float[Leaf, "n 2"] = eqx.field(converter=as_parameter)
    middles: Float[Leaf, "n 2"] = eqx.field(converter=as_parameter)
    reaches: Float[Leaf, " n"] = eqx.field(converter=as_parameter)
    faded: Bool[np.ndarray, " n"]

    def __call__(self, x: Float[Array, " d"]) -> Float[Array, " n"]:
        """Returns S of each corner; r² is raised by (εR)², ε the rounding of the dtype."""
        along, across, square = offsets(x, self.points, self.middles, self.reaches)
        tiny = float(jnp.finfo(x.dtype).eps) ** 2
        turn = 2.0 * jnp.arctan2(across, jnp.where(square == 0, 1.0, along))
        value = -jnp.log(square + tiny) / math.pi + _of_angle(turn)
        return jnp.where(jnp.asarray(self.faded), fade(square), 1.0) * value


def _of_angle(turn: Float[Array, " n"]) -> Float[Array, " n"]:
    """(φ sin φ/π − ½)/cos φ, which is −½ tan(δ/2) − (δ/π) cot δ with δ = π/2 − |φ|."""
    rest = jnp.maximum(0.5 * math.pi - jnp.abs(turn), _LOWEST)
    middle, small = rest > 0.25 * math.pi, jnp.abs(rest) < _SMALL
    inner = jnp.where(middle, turn, 0.0)
    outer = jnp.where(middle | small, 1.0, rest)
    square = jnp.where(small, rest, 0.0) ** 2
    cotangent = jnp.where(small, 1 - square / 3 - square**2 / 45, outer / jnp.tan(outer))
    beside = -0.5 * jnp.tan(0.5 * jnp.where(middle, 1.0, rest)) - cotangent / math.pi
    return jnp.where(middle, (inner * jnp.sin(inner) / math.pi - 0.5) / jnp.cos(inner), beside)


def offsets(
    x: Float[Array, " d"], points: Leaf, middles: Leaf, reaches: Leaf
) -> tuple[Float[Array, " n"], Float[Array, " n"], Float[Array, " n"]]:
    """Coordinates from each corner along and across the middle of its angle and r², in units of R and R²."""
    offset = (x[None, :2] - like(points, x)) / like(reaches, x)[:, None]
    middle = like(middles, x)
    along = jnp.sum(offset * middle, axis=1)
    across = middle[:, 0] * offset[:, 1] - middle[:, 1] * offset[:, 0]
    return along, across, along**2 + across**2


def middle_of(corner: Corner) -> np.ndarray:
    """The unit vector from a corner through the middle of the domain's angle."""
    c, s = math.cos(0.5 * corner.angle), math.sin(0.5 * corner.angle)
    return np.array([c * corner.start[0] - s * corner.start[1], s * corner.start[0] + c * corner.start[1]])


def fade(share: Float[Array, "*n"]) -> Float[Array, "*n"]:
    """1 at 0, where 1 − χ = O(share⁴), and 0 from 1 on, with three derivatives."""
    q = jnp.minimum(share, 1.0)
    return (1 - q) ** 4 * (1 + 4 * q + 10 * q**2 + 20 * q**3)
