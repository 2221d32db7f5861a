"""Corners at which two given values of one unknown disagree, and the weights of the residual near them."""

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Float, Int

from ..sdf._shapes._parameters import like
from ._along import Point
from ._domains._corners import Corner, every_corner
from ._domains._outline import Piece
from ._domains._parts import Edge
from ._domains._right_angles import offsets
from ._field_conditions import Dirichlet
from ._values import as_function

if TYPE_CHECKING:
    from ._field_problem import FieldProblem

_BESIDE = 1e-7  # of the reach of a corner: where the values on its edges are compared
_SAME = 1e-2  # of the largest value: smaller differences are none
_MOMENTS = 5
_SAMPLE = 32
_NEAR, _NEARER = 1e-4, 1e-5  # of the size of the domain: widths of the waves that tell the order of a row
_ROOM = 0.5  # powers of r between the weighted residual and one without a finite mean square
_SOFT = 0.5  # power of r of the rows of given values


@dataclass(frozen=True, eq=False)
class Jumps:
    """Corners where the value of an unknown jumps along the boundary.

    At the distance r from one, a derivative of order m is like r^−m, which has no finite mean square in the plane for
    m ≥ 1: the residual of a field that is right everywhere else grows without end on finer and finer grids. A row with
    derivatives up to the order m has the weight

        w(x) = Π (r²/(r² + R²))^(k/2),    k = m − ½,

    one factor for each corner, so that w r^−m = O(r^−½) has one. A row of low order keeps more of its weight: where
    the divergence of a flow had that of the momentum, the fluid would leak out at the corners.

    Args:
        points: The corners.
        reaches: R.
        orders: m of each row of the equation.
    """

    points: Float[np.ndarray, "n 2"]
    reaches: Float[np.ndarray, " n"]
    orders: Int[np.ndarray, " rows"]

    def inside(self, x: Point) -> Float[Array, " rows"]:
        """Returns the weights of the residual of the equation."""
        return self._share(x) ** like(np.maximum(self.orders - _ROOM, 0.0) / 2, x)

    def on_side(self, x: Point) -> Float[Array, ""]:
        """Returns the weight of the rows of given values, which no field takes at the corner."""
        return self._share(x) ** (_SOFT / 2)

    def _share(self, x: Point) -> Float[Array, ""]:
        reaches = like(self.reaches, x)[:, None]
        square = jnp.sum(((x[:2][None] - like(self.points, x)) / reaches) ** 2, axis=1)
        tiny = float(jnp.finfo(x.dtype).eps) ** 2
        return jnp.prod((square + tiny) / (square + 1 + tiny))


def jumps(problem: "FieldProblem") -> Jumps | None:
    """Returns the corners of a domain in the plane where given values disagree; None without such a corner."""
    given = [condition for condition in problem.conditions if isinstance(condition, Dirichlet)]
    if problem.domain.dimension != 2 or len(given) < 1 or any(problem.periodic):
        return None
    with jax.enable_x64(True):
        sides = [_Given(problem, condition) for condition in given]
        found = [c for c in every_corner(problem.source, problem.outline) if _disagree(problem, sides, c)]
        if not found:
            return None
        orders = _orders(problem)
    return Jumps(np.array([c.point for c in found]), np.array([c.reach for c in found]), orders)
