"""Corners at which two given values of one unknown disagree, and the weights of the residual near them."""

from dataclasses import dataclass
from typing import TYPE_CHECKING

import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Float

from ..sdf._shapes._parameters import like
from ._along import Point
from ._domains._corners import Corner, every_corner
from ._domains._parts import Edge
from ._field_conditions import Dirichlet
from ._values import as_function

if TYPE_CHECKING:
    from ._field_problem import FieldProblem

_BESIDE = 1e-7  # of the reach of a corner: how far from it the values on its edges are compared
_SAME = 1e-2  # of the largest value: a smaller difference is none
_MOMENTS = 5
_SAMPLE = 32
_NEAR = (1e-4, 1e-5)  # of the size of the domain: lengths of the waves that tell the order of a row
_WIDTH = 0.1  # R in parts of the reach of a corner
_ROOM = 0.5  # by how many powers of r a weighted row stays below 1/r, which has no finite mean square
_RELEVANCE = 0.75
_ON_SIDES = 0.5  # power of r of the weight of rows for given values


@dataclass(frozen=True, eq=False)
class Jumps:
    """Corners where the value of an unknown jumps along the boundary.

    At the distance r from one, derivatives of order m are like r^−m, and for m ≥ 1 their mean square is infinite in the
    plane: the residual of a field that is right everywhere else grows without end on finer and finer grids. So a row
    with derivatives up to the order m has the weight

        w(x) = Π (r²/(r² + R²))^(k/2),    k = m − ½,

    one factor for each corner; w r^−m is like r^−½. Rows of a lower order keep more of their weight: if the divergence
    of a flow had the weight of the momentum, the fluid could leak out at the corners at little cost.

    Args:
        points: The corners.
        reaches: R.
        orders: m of each row of the equation.
    """

    points: Float[np.ndarray, "n 2"]
    reaches: Float[np.ndarray, " n"]
    orders: Float[np.ndarray, " rows"]

    def inside(self, x: Point) -> Float[Array, " rows"]:
        """Returns the weights of the residual of the equation."""
        return self._share(x)[None] ** like(np.maximum(self.orders - _ROOM, 0.0) / 2, x)

    def on_side(self, x: Point) -> Float[Array, ""]:
        """Returns the weight of rows for given values, which no smooth field has at the corner."""
        return self._share(x) ** (_ON_SIDES / 2)

    def relevance(self, points: Float[np.ndarray, "n d"]) -> Float[np.ndarray, " n"]:
        """How much an error at each point matters, on the host: less near the corners, where no grid is fine enough."""
        offset = (points[:, None, :2] - self.points) / self.reaches[:, None]
        square = np.sum(offset**2, axis=2)
        return np.prod(square / (square + 1), axis=1) ** _RELEVANCE

    def _share(self, x: Point) -> Float[Array, ""]:
        offset = (x[:2][None] - like(self.points, x)) / like(self.reaches, x)[:, None]
        square = jnp.sum(offset**2, axis=1) + float(jnp.finfo(x.dtype).eps) ** 2
        return jnp.prod(square / (square + 1))


def jumps(problem: "FieldProblem") -> Jumps | None:
    """The corners of a domain in the plane where given values disagree; None if there is none.

    Values are compared where straight edges meet, just beside the corner. Jumps along one edge are not looked for.
    """
    given = [condition for condition in problem.conditions if isinstance(condition, Dirichlet)]
    if problem.domain.dimension != 2 or len(problem.outline) < 2 or any(problem.periodic):
        return None
    found = every_corner(problem.source, problem.outline)
    if not found:
        return None
    with jax.enable_x64(True):
        values = [_Given(problem, condition) for condition in given]
        found = [corner for corner in found if _disagree(values, corner)]
        if not found:
            return None
        orders = _orders(problem)
    reaches = _WIDTH * np.array([corner.reach for corner in found])
    return Jumps(np.array([corner.point for corner in found]), reaches, orders)


class _Given:
    """The values of one condition, on the host."""

    def __init__(self, problem: "FieldProblem", condition: Dirichlet):
        self.unknown, self.pieces = problem.number(condition), problem.pieces(condition.piece)
        self._moments = None if problem.time is None else np.linspace(*problem.time, _MOMENTS)
        self._value = jax.vmap(as_function(condition.value))
        rng = np.random.default_rng(0)
        points = np.concatenate([piece.sample(_SAMPLE, rng)[0] for piece in self.pieces])
        self.size = float(np.max(np.abs(self.at(points))))

    def at(self, points: Float[np.ndarray, "n 2"]) -> Float[np.ndarray, " k"]:
        """The values at points, at a few moments if there is time."""
        if self._moments is not None:
            moments = np.tile(self._moments, len(points))
            points = np.column_stack([np.repeat(points, _MOMENTS, axis=0), moments])
        return np.asarray(self._value(jnp.asarray(points)))

    def covers(self, point: Float[np.ndarray, "2"]) -> bool:
        """Whether the value is given at a point of a straight edge."""
        return any(
            isinstance(piece.part, Edge)
            and _lies_on(point, piece.part)
            and (piece.where is None or bool(piece.where(point[None])[0]))
            for piece in self.pieces
        )


def _lies_on(point: Float[np.ndarray, "2"], edge: Edge) -> bool:
    along = float((point - edge.start) @ edge.way)
    away = np.linalg.norm(point - edge.start - along * edge.way)
    return bool(0 < along < edge.measure and away < 1e-3 * _BESIDE * edge.measure)


def _disagree(values: list[_Given], corner: Corner) -> bool:
    """Whether an unknown has two values at a corner."""
    c, s = np.cos(corner.angle), np.sin(corner.angle)
    other = np.array([c * corner.start[0] - s * corner.start[1], s * corner.start[0] + c * corner.start[1]])
    beside = [corner.point + _BESIDE * corner.reach * way for way in (corner.start, other)]
    for unknown in {value.unknown for value in values}:
        own = [value for value in values if value.unknown == unknown]
        size = max(value.size for value in own)
        first, second = ([v.at(point[None]) for v in own if v.covers(point)] for point in beside)
        if any(np.max(np.abs(a - b)) > _SAME * size for a in first for b in second):
            return True
    return False


def _orders(problem: "FieldProblem") -> Float[np.ndarray, " rows"]:
    """The highest order of the derivatives in each row of the equation.

    The residual of a wave of the length ε is like ε^−m: two lengths tell m.
    """
    lower, upper = problem.coordinates.lower, problem.coordinates.upper
    place = jnp.asarray(lower + 0.381966 * (upper - lower))
    count, size = len(problem.equation.fields), float(np.max(upper - lower))
    way = 1 + 0.3 * np.arange(len(lower)) + 0.2 * np.arange(count)[:, None]

    def found(length: float) -> np.ndarray:
        def wave(x: Point) -> Float[Array, "*m"]:
            value = jnp.sin(0.7 + jnp.asarray(way) @ (x - place) / (length * size))
            return value[0] if count == 1 else value

        return np.abs(np.asarray(problem.equation.residual(wave, place)))

    longer, shorter = (found(length) for length in _NEAR)
    known = (longer > 0) & (shorter > 0)
    ratio = np.log10(np.where(known, shorter, 1.0) / np.where(known, longer, 1.0))
    return np.clip(np.round(ratio / np.log10(_NEAR[0] / _NEAR[1])), 0.0, None)
