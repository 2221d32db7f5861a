"""Features, weights and points for the corners where solutions are singular."""

import math
from collections.abc import Collection, Sequence

import equinox as eqx
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Bool, Float

from ...core import register
from ...sdf._shapes._parameters import Leaf, as_parameter, like
from ._corners import Corner, corners, every_corner
from ._domain import Domain, Points, Source
from ._factor import marks_of
from ._outline import ALL, outline
from ._right_angles import RightAngles, fade, middle_of, offsets

_RIGHT = 1e-6  # radians
_AROUND = math.pi / 4 + math.pi / 3  # from the middle of a right angle


@register
class CornerFunctions(eqx.Module):
    """What solutions do at the corners of a domain in the plane, without units: features and weights.

    Args:
        points: The corners.
        middles: Unit vectors from them through the middle of the domain's angle.
        angles: ω, radians.
        reaches: R.
        exponents: α.
        faded: Whether the features fade out at R, because the domain goes all around the corner.
        right: The features of right angles.
    """

    points: Float[Leaf, "n 2"] = eqx.field(converter=as_parameter)
    middles: Float[Leaf, "n 2"] = eqx.field(converter=as_parameter)
    angles: Float[Leaf, " n"] = eqx.field(converter=as_parameter)
    reaches: Float[Leaf, " n"] = eqx.field(converter=as_parameter)
    exponents: Float[Leaf, " n"] = eqx.field(converter=as_parameter)
    faded: Bool[np.ndarray, " n"]
    right: RightAngles

    @property
    def size(self) -> int:
        """The number of features."""
        return 2 * self.points.shape[0] + self.right.points.shape[0]

    def __call__(self, x: Float[Array, " d"]) -> Float[Array, " f"]:
        """Returns (r/R)^α sin(αθ) and (r/R)^α cos(αθ) of each corner, θ from its first edge, and S of right angles.

        Derivatives are finite: r² is raised by (εR)², ε the rounding of the dtype. A time after the two coordinates
        is not looked at.
        """
        along, across, square = offsets(x, self.points, self.middles, self.reaches)
        alpha, angle = like(self.exponents, x), like(self.angles, x)
        at_corner = square == 0
        turn = jnp.arctan2(across, jnp.where(at_corner, 1.0, along)) + 0.5 * angle
        tiny = float(jnp.finfo(x.dtype).eps) ** 2
        size = (square + tiny) ** (0.5 * alpha)
        size = jnp.where(jnp.asarray(self.faded), fade(square), 1.0) * size
        waves = jnp.stack([size * jnp.sin(alpha * turn), size * jnp.cos(alpha * turn)], axis=1).reshape(-1)
        return jnp.concatenate([waves, self.right(x)])

    def weight(self, x: Float[Array, " d"]) -> Float[Array, ""]:
        """Returns the weight of a second-order residual: Π (r²/(r² + R²))^(1 − α), 1 far from the corners."""
        _, _, square = offsets(x, self.points, self.middles, self.reaches)
        tiny = float(jnp.finfo(x.dtype).eps) ** 2
        return jnp.prod(((square + tiny) / (square + 1 + tiny)) ** (1 - like(self.exponents, x)))


def corner_functions(domain: Source, hard: Collection[str] | None = None) -> CornerFunctions | None:
    """Returns the features and weights of the corners of a domain; None when it has no corner that needs them.

    Args:
        domain: The domain.
        hard: The names of the pieces on which the value is given; None for all.
    """
    pieces = outline(domain)
    singular = corners(domain, hard)
    named = [piece.name for piece in pieces] if hard is None or ALL in hard else list(hard)
    right = [
        corner
        for corner in every_corner(domain, pieces)
        if abs(corner.angle - 0.5 * math.pi) < _RIGHT and all(name in named for name in corner.pieces)
    ]
    if not (singular or right):
        return None
    marks = marks_of(pieces)
    rows = [(c.point, middle_of(c), c.angle, c.reach, c.exponent, not c.open) for c in singular]
    angles = [(c.point, middle_of(c), c.reach, _wraps(c, marks)) for c in right]
    points, middles, reaches, faded = _columns(angles, 4)
    logarithms = RightAngles(points.reshape(-1, 2), middles.reshape(-1, 2), reaches, faded.astype(bool))
    points, middles, turns, reaches, exponents, faded = _columns(rows, 6)
    return CornerFunctions(
        points.reshape(-1, 2),
        middles.reshape(-1, 2),
        turns,
        reaches,
        exponents,
        faded.astype(bool),
        logarithms,
    )


def _columns(rows: Sequence[tuple], number: int) -> list[np.ndarray]:
    return [np.array([row[i] for row in rows], np.float64) for i in range(number)]


def _wraps(corner: Corner, marks: np.ndarray) -> bool:
    """Whether a domain reaches so far around a right angle that its feature must fade."""
    offset, middle = marks - corner.point, middle_of(corner)
    turn = np.arctan2(middle[0] * offset[:, 1] - middle[1] * offset[:, 0], offset @ middle)
    return bool(np.any(np.abs(turn[np.linalg.norm(offset, axis=1) > 1e-9 * corner.reach]) > _AROUND))


def graded(
    domain: Domain, found: tuple[Corner, ...], unit_points: Points, share: float = 0.25
) -> Float[np.ndarray, "k d"]:
    """Points of the domain, a share of them dense at the corners.

    A point (u, v) of this share is put at the distance R u² and at the angle ω v from the first edge of a corner: the
    density grows like r^(−3/2). The others fill the domain evenly.

    Args:
        domain: The domain.
        found: The corners; the points of the share go to them in turn.
        unit_points: Points of the unit square, for instance of a Sobol sequence.
        share: The part of them that goes to the corners.

    Returns:
        The points that lie inside; those at the corners come first.

    Raises:
        ValueError: The share is not between 0 and 1.
    """
    if not 0 <= share <= 1:
        raise ValueError(f"share must lie between 0 and 1, received {share}")
    unit_points = np.asarray(unit_points, np.float64)
    number = int(share * len(unit_points)) if found else 0
    near = [np.zeros((0, 2))]
    for k, corner in enumerate(found):
        u = unit_points[k : number : len(found)]
        turn, r = corner.angle * u[:, 1], corner.reach * u[:, 0] ** 2
        c, s = np.cos(turn), np.sin(turn)
        ways = np.stack(
            [c * corner.start[0] - s * corner.start[1], s * corner.start[0] + c * corner.start[1]], 1
        )
        near.append(corner.point + r[:, None] * ways)
    points = np.concatenate(near)
    return np.concatenate([points[domain.contains(points)], domain.fill(unit_points[number:])])
