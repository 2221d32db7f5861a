"""Points and weights of integrals over pieces of a boundary."""

from collections.abc import Callable

import numpy as np
from jaxtyping import Float

from ._domains._outline import Piece
from ._domains._parts import Edge, End, Face, Round
from ._quadrature import Breaks, Rule, bisected, panels, product

_SAMPLES = 2**12  # points on a surface that is only known through its signed distance
_AROUND = 8  # parts of a circle at least
_TURNS = 64  # points around a sphere
_LOOKS = 2**11  # places on a curve at which a patch is asked where it begins and ends

Curve = Callable[[Float[np.ndarray, " n"]], Float[np.ndarray, "n 2"]]  # from 0 to 1


def piece_rule(piece: Piece, breaks: Breaks) -> Rule:
    """The quadrature of a piece.

    Args:
        piece: The piece.
        breaks: Places along each coordinate in space between which the field is smooth.
    """
    part = piece.part
    if isinstance(part, End):
        return Rule(np.array([[part.place]], np.float64), np.ones(1))
    if isinstance(part, Edge):
        way = part.end - part.start
        return _on_curve(piece, lambda t: part.start + t[:, None] * way, _cuts_of_edge(part, breaks))
    if isinstance(part, Round) and len(part.centre) == 2:

        def place(t: Float[np.ndarray, " n"]) -> Float[np.ndarray, "n 2"]:
            turn = 2 * np.pi * t
            return part.centre + part.radius * np.stack([np.cos(turn), np.sin(turn)], axis=1)

        return _on_curve(piece, place, _cuts_of_circle(part, breaks))
    if isinstance(part, Face):
        return _chosen(piece, _on_face(part, breaks))
    if isinstance(part, Round):
        return _chosen(piece, _on_sphere(part))
    points, _ = piece.sample(_SAMPLES, np.random.default_rng(0))
    return Rule(points, np.full(_SAMPLES, piece.measure / _SAMPLES))


def _on_curve(piece: Piece, curve: Curve, cuts: Float[np.ndarray, " c"]) -> Rule:
    assert piece.part is not None
    cuts = np.unique(np.concatenate([[0.0], cuts, _patch_ends(piece, curve), [1.0]]))
    share, weight = panels(cuts, 2)
    found = Rule(curve(share), weight * piece.part.measure)
    return _chosen(piece, found)


def _patch_ends(piece: Piece, curve: Curve) -> Float[np.ndarray, " e"]:
    """Where a patch begins and ends on a curve."""
    where = piece.where
    if where is None:
        return np.zeros(0)
    looks = (np.arange(_LOOKS) + 0.5) / _LOOKS
    within = np.asarray(where(curve(looks)), bool)
    change = np.flatnonzero(within[1:] != within[:-1])
    before = within[change]
    return bisected(lambda t: np.asarray(where(curve(t)), bool) == before, looks[change], looks[change + 1])


def _chosen(piece: Piece, rule: Rule) -> Rule:
    if piece.where is None:
        return rule
    kept = np.asarray(piece.where(rule.points), bool)
    return Rule(rule.points[kept], rule.weights[kept])


def _cuts_of_edge(edge: Edge, breaks: Breaks) -> Float[np.ndarray, " c"]:
    """The parts of its length at which an edge meets the breaks."""
    way = edge.end - edge.start
    found = [(own - a) / step for own, a, step in zip(breaks, edge.start, way, strict=True) if step != 0]
    shares = np.concatenate(found)
    return shares[(shares > 0) & (shares < 1)]


def _cuts_of_circle(circle: Round, breaks: Breaks) -> Float[np.ndarray, " c"]:
    """The parts of a turn at which a circle meets the breaks."""
    x, y = (np.clip((own - c) / circle.radius, -1, 1) for own, c in zip(breaks, circle.centre, strict=True))
    turns = np.concatenate([np.arccos(x), -np.arccos(x), np.arcsin(y), np.pi - np.arcsin(y)])
    return np.concatenate([np.mod(turns / (2 * np.pi), 1.0), np.arange(_AROUND) / _AROUND])


def _on_face(face: Face, breaks: Breaks) -> Rule:
    count = max(len(own) for own in breaks)
    share, weight = panels(np.linspace(0, 1, count), 3)
    line = Rule(share[:, None], weight)
    unit = product([line, line])
    points = face.corner + unit.points[:, :1] * face.first + unit.points[:, 1:] * face.second
    return Rule(points, unit.weights * face.measure)


def _on_sphere(sphere: Round) -> Rule:
    height, weight = panels(np.linspace(-1, 1, _AROUND + 1), 3)
    turn = 2 * np.pi * np.arange(_TURNS) / _TURNS
    unit = product([Rule(height[:, None], weight), Rule(turn[:, None], np.full(_TURNS, 1 / _TURNS))])
    height, turn = unit.points.T
    flat = np.sqrt(1 - height**2)
    ways = np.stack([flat * np.cos(turn), flat * np.sin(turn), height], axis=1)
    return Rule(sphere.centre + sphere.radius * ways, unit.weights / 2 * sphere.measure)
