"""The factor m of u = g + m N: 0 on the pieces where the value is given, and singular where solutions are."""

from collections.abc import Collection
from dataclasses import replace
from typing import Any, ClassVar

import equinox as eqx
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Float

from ...core import register
from ...sdf import Boundary, LineBoundary, WedgeBoundary, evaluate
from ...sdf._boundaries._boundary import Corners
from ...sdf._boundaries._boundary_join import values_at
from ...sdf._shapes._parameters import Scalar, like, number
from ._corners import Corner, every_corner
from ._domain import Source, domain_of, even_points
from ._outline import ALL, Piece, chosen, outline
from ._parts import Edge, End, Face, Round
from ._plane import PlaneBoundary
from ._right_angles import fade

_SAMPLES = 1024
_TOUCH = 1e-9
_RIGHT = 0.5 * np.pi + 1e-9  # up to this angle an edge ends like a straight line


@register
class HardFactor(eqx.Module):
    """m = c Π Fᵢ, one factor for each piece of boundary; the largest value in the domain is about 1.

    A factor is 0 on its piece and positive elsewhere in the domain. The product, unlike a minimum or a join, is smooth
    where two edges meet at a right angle, and behaves like r^α sin(αθ), α = π/ω, where they meet at an angle ω > π/2.

    Args:
        factors: Fᵢ.
        scale: c.
    """

    factors: tuple[Boundary, ...] = eqx.field(converter=tuple)
    scale: Scalar = number()

    def __call__(self, x: Float[Array, " d"]) -> Float[Array, ""]:
        """Returns m at one point, without unit, in the dtype of the point."""
        value = like(self.scale, x)
        for factor in values_at(self.factors, x):
            value = value * factor
        return value


@register
class BoundedEdge(Boundary):
    """The factor of an edge that other parts of the domain lie beyond or behind.

    In the disc around each end the function of that corner, elsewhere a line's: F = F₀ + Σ χ(r/R) (wedge − F₀), with
    1 − χ = O(r⁸) at the corner and χ = 0 from R on, three times differentiable there.

    Args:
        line: The function of the line, saturating at its length, or of the whole straight line.
        ends: The function of each end that needs one.
        radii: R of each.
    """

    line: Boundary
    ends: tuple[WedgeBoundary, ...] = eqx.field(converter=tuple)
    radii: tuple[Scalar, ...] = eqx.field(converter=tuple)

    dimension: ClassVar[int] = 2
    order: ClassVar[int] = 1

    def __call__(self, x: Float[Array, "2"]) -> Float[Array, ""]:
        base = self.line(x)
        if isinstance(self.line, LineBoundary):
            a, b = like(self.line.start, x), like(self.line.end, x)
            base = base / jnp.sqrt(1 + base**2 / jnp.sum((b - a) ** 2))
        value = base
        for end, radius in zip(self.ends, self.radii, strict=True):
            share = jnp.sum((x - like(end.point, x)) ** 2) / like(radius, x) ** 2
            value = value + fade(share) * (end(x) - base)
        return value

    def region(self, dtype: Any) -> Corners:
        return self.line.region(dtype)


def hard_factor(domain: Source, hard: Collection[str] | None = None) -> HardFactor:
    """Returns m, which vanishes on pieces of the boundary and nowhere else in the domain.

    Near a corner between two of these pieces m is r^α sin(αθ), α = π/ω, times a smooth function when ω > π/2; near a
    corner between one of them and another straight edge it is r^β sin(βθ), β = π/(2ω). So u = g + m N has a smooth N
    where the solution is singular. For corners with ω ≤ π/2 m is the product of the heights over the edges.

    Args:
        domain: The domain.
        hard: The names of the pieces; None for all.

    Raises:
        ValueError: No such piece, or one for which no such function is known: its condition must be soft.
    """
    pieces = outline(domain)
    wanted = chosen(pieces, (ALL,) if hard is None else hard)
    if not wanted:
        raise ValueError("hard_factor: no piece was named")
    marks = marks_of(pieces)
    found = every_corner(domain, pieces)
    factors = [_factor(piece, found, marks) for piece in wanted]
    space = domain_of(domain)
    inside = space.fill(even_points(_SAMPLES, space.dimension, np.random.default_rng(0)))
    plain = HardFactor(tuple(factors), 1.0)
    return HardFactor(tuple(factors), 1.0 / float(np.max(evaluate(plain, inside))))


def marks_of(pieces: tuple[Piece, ...]) -> np.ndarray:
    parts = [piece.part for piece in pieces if piece.part is not None]
    return np.concatenate([part.marks() for part in parts]) if parts else np.zeros((0, 0))


def _factor(piece: Piece, found: tuple[Corner, ...], marks: np.ndarray) -> Boundary:
    part, boundary = piece.part, piece.boundary
    if boundary is None or part is None:
        raise ValueError(
            f"hard_factor: no function is known that vanishes on {piece.name!r} alone: make its condition soft"
        )
    if isinstance(part, Edge):
        return _edge_factor(piece.name, part, found, marks)
    if isinstance(part, Round) or _on_one_side(part, marks):
        return boundary
    raise ValueError(f"hard_factor: the domain lies on both sides of {piece.name!r}: make its condition soft")


def _on_one_side(part: End | Edge | Face, marks: np.ndarray) -> bool:
    point, outward = part.marks()[0], np.atleast_1d(part.outward)
    size = float(np.max(np.abs(marks - point)))
    return bool(np.all((marks - point) @ outward <= _TOUCH * size))


def _edge_factor(name: str, edge: Edge, found: tuple[Corner, ...], marks: np.ndarray) -> Boundary:
    ends = [corner for corner in found if name in corner.pieces]
    wide = [corner for corner in ends if corner.angle > _RIGHT]
    before, after = _others_in_line(edge, marks)
    one_side = _on_one_side(edge, marks) and not (before or after)
    if one_side and not wide:
        return PlaneBoundary(edge.start, edge.outward)
    if len(wide) == 1 and _in_wedge(wide[0], marks):
        beyond = after if name == wide[0].pieces[0] else before
        if not beyond:
            return _wedge(wide[0], name)
    used = wide if one_side else ends
    line = PlaneBoundary(edge.start, edge.outward) if one_side else LineBoundary(edge.start, edge.end)
    radii = [np.array(min(corner.reach, 0.5 * edge.measure)) for corner in used]
    narrow = [replace(corner, reach=0.5 * float(r)) for corner, r in zip(used, radii, strict=True)]
    return BoundedEdge(line, [_wedge(corner, name) for corner in narrow], radii)


def _others_in_line(edge: Edge, marks: np.ndarray) -> tuple[bool, bool]:
    """Whether the boundary meets the line of an edge before its start, and after its end."""
    offset = marks - edge.start
    along, height = offset @ edge.way, offset @ edge.outward
    slack = _TOUCH * float(np.max(np.abs(offset)))
    along = along[np.abs(height) <= slack]
    return bool(np.any(along < -slack)), bool(np.any(along > edge.measure + slack))


def _wedge(corner: Corner, name: str) -> WedgeBoundary:
    """The function of one edge of a corner."""
    if name == corner.pieces[0]:
        return WedgeBoundary(corner.point, corner.start, corner.angle, corner.reach)
    c, s = np.cos(corner.angle), np.sin(corner.angle)
    second = np.array([[c, -s], [s, c]]) @ corner.start
    return WedgeBoundary(corner.point, second, -corner.angle, corner.reach)


def _in_wedge(corner: Corner, marks: np.ndarray) -> bool:
    """Whether the whole domain lies in the wedge of a corner."""
    offset = marks - corner.point
    away = np.linalg.norm(offset, axis=1)
    far = away > _TOUCH * np.max(away)
    across = corner.start[0] * offset[far, 1] - corner.start[1] * offset[far, 0]
    turn = np.arctan2(across, offset[far] @ corner.start)
    turn = np.where(turn < -1e-9, turn + 2 * np.pi, turn)
    return bool(np.all(turn <= corner.angle + 1e-9))
