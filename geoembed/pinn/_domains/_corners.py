"""The corners of a domain in the plane, and which of them make solutions singular."""

import math
from collections.abc import Collection
from dataclasses import dataclass, replace

import numpy as np
from jaxtyping import Float

from ._domain import Source, domain_of
from ._outline import ALL, Piece, outline
from ._parts import Edge

_STRAIGHT = 1e-6  # radians: angles nearer to π than this are no corner
_RAYS = 256


@dataclass(frozen=True, eq=False)
class Corner:
    """A corner of a domain in the plane, where two straight edges meet.

    Near it the solution of Laplace's equation with nothing prescribed but zeros behaves like r^α sin(αθ) or r^α cos(αθ)
    with the exponent α: π/ω when both edges are of one kind, π/(2ω) when the value is given on one and the flux on
    the other. Below 1 the gradient is unbounded.

    Args:
        point: Where it is.
        start: The unit direction of the first edge, from the corner; the domain is on its left.
        angle: ω, from the first edge through the domain to the second one, in radians.
        reach: How far the domain looks like a wedge: the length of the shorter edge, or the distance to the nearest
            other piece of the boundary.
        exponent: α.
        pieces: The names of the first and the second edge.
        open: Whether the ray that leaves the corner opposite to the middle of the wedge never meets the domain again;
            then θ is continuous in the whole domain.
    """

    point: Float[np.ndarray, "2"]
    start: Float[np.ndarray, "2"]
    angle: float
    reach: float
    exponent: float
    pieces: tuple[str, str]
    open: bool


def every_corner(domain: Source, pieces: tuple[Piece, ...] | None = None) -> tuple[Corner, ...]:
    """All corners of the straight edges of an outline, with the exponents of one condition on the whole boundary."""
    pieces = outline(domain) if pieces is None else pieces
    edges = {piece.name: piece.part for piece in pieces if isinstance(piece.part, Edge)}
    if not edges:
        return ()
    size = max(float(np.max(np.abs(edge.end - edge.start))) for edge in edges.values())
    found = []
    for second, into in edges.items():
        for first, out in edges.items():
            if first == second or np.max(np.abs(into.end - out.start)) > 1e-9 * size:
                continue
            turn = math.atan2(*_turn(out.way, -into.way)) % (2 * math.pi)
            angle = turn if turn > 0 else 2 * math.pi
            reach = _reach(out.start, (first, second), pieces)
            exponent = math.pi / angle
            found.append(Corner(out.start, out.way, angle, reach, exponent, (first, second), True))
    return _with_open(domain, found)


def corners(domain: Source, hard: Collection[str] | None = None) -> tuple[Corner, ...]:
    """The corners at which solutions are singular: those with an exponent below 1.

    Args:
        domain: The domain; only straight edges in the plane have corners here.
        hard: The names of the pieces on which the value is given; on the others it is the flux. None: on all.

    Returns:
        Corners with ω > π, and those with ω > π/2 between an edge with a given value and one without.
    """
    found = every_corner(domain)
    if hard is None or ALL in hard:
        return tuple(corner for corner in found if corner.angle > math.pi + _STRAIGHT)
    mixed = [(corner.pieces[0] in hard) != (corner.pieces[1] in hard) for corner in found]
    found = [
        replace(corner, exponent=0.5 * corner.exponent) if half else corner
        for corner, half in zip(found, mixed, strict=True)
    ]
    return tuple(corner for corner in found if corner.exponent < 1.0 - _STRAIGHT)


def _turn(a: np.ndarray, b: np.ndarray) -> tuple[float, float]:
    """The sine and the cosine of the angle from a to b."""
    return float(a[0] * b[1] - a[1] * b[0]), float(a @ b)


def _reach(point: np.ndarray, own: tuple[str, str], pieces: tuple[Piece, ...]) -> float:
    """The length of the shorter edge, or the distance to the nearest other piece."""
    reach = math.inf
    for piece in pieces:
        if piece.part is None:
            continue
        if piece.name in own:
            reach = min(reach, piece.part.measure)
        elif not isinstance(piece.part, Edge):
            reach = min(reach, float(np.min(np.linalg.norm(_marks(piece) - point, axis=1))))
        else:
            reach = min(reach, _distance(point, piece.part))
    return reach


def _marks(piece: Piece) -> np.ndarray:
    return piece.sample(64, np.random.default_rng(0))[0]


def _distance(point: np.ndarray, edge: Edge) -> float:
    share = float(np.clip((point - edge.start) @ edge.way / edge.measure, 0.0, 1.0))
    return float(np.linalg.norm(point - edge.start - share * (edge.end - edge.start)))


def _with_open(domain: Source, found: list[Corner]) -> tuple[Corner, ...]:
    """The corners with what is known about the rays that leave them opposite to the domain."""
    if not found:
        return ()
    space = domain_of(domain)
    length = float(np.linalg.norm(space.upper - space.lower))
    steps = length * (np.arange(_RAYS) + 1) / _RAYS
    rays = []
    for corner in found:
        turn = 0.5 * corner.angle + math.pi
        c, s = math.cos(turn), math.sin(turn)
        way = np.array([c * corner.start[0] - s * corner.start[1], s * corner.start[0] + c * corner.start[1]])
        rays.append(corner.point + steps[:, None] * way)
    inside = space.contains(np.concatenate(rays)).reshape(len(found), _RAYS)
    return tuple(replace(c, open=not bool(np.any(row))) for c, row in zip(found, inside, strict=True))
