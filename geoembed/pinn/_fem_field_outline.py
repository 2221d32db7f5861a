"""The outline of a domain in the plane as closed loops of points, for the mesher of the finite-element judge."""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from jaxtyping import Float

from ._domains._domain import Domain
from ._domains._outline import outline
from ._domains._parts import Edge, Round
from ._fem_field_contour import contours
from ._fem_field_form import NoReference

Points = Float[np.ndarray, "n 2"]
_LEAST_ON_ROUND = 24
_CLOSE = 1e-9  # of the size of the domain: nearer ends of edges are one corner


@dataclass(frozen=True, eq=False)
class Loop:
    """A closed curve, the domain on its left.

    Args:
        points: Points on it in order; the last is joined with the first.
        corners: Its corners, each with the angle of the domain there.
        distance: Distances of points from it.
        onto: Moves points near it onto it; None for straight edges, on which points stay.
    """

    points: Points
    corners: tuple[tuple[Float[np.ndarray, "2"], float], ...]
    distance: Callable[[Points], Float[np.ndarray, " n"]]
    onto: Callable[[Points], Points] | None = None


def loops(domain: Domain, size: float) -> list[Loop]:
    """The outline, with points at most `size` apart.

    Raises:
        NoReference: The outline does not close.
    """
    parts = [piece.part for piece in outline(domain.source)]
    if any(part is None for part in parts):
        return [
            Loop(points, corners, lambda x: np.abs(domain.distance(x)), onto)
            for points, corners, onto in contours(domain, size)
        ]
    found = [_round_loop(part, size) for part in parts if isinstance(part, Round)]
    edges = [part for part in parts if isinstance(part, Edge)]
    near = _CLOSE * float(np.max(domain.upper - domain.lower))
    return found + [_straight_loop(chain, size) for chain in _chains(edges, near)]


def away_from(part: Edge | Round, points: Points) -> Float[np.ndarray, " n"]:
    """Distances of points from a part of an outline."""
    if isinstance(part, Round):
        return np.abs(np.linalg.norm(points - part.centre, axis=1) - part.radius)
    along = np.clip((points - part.start) @ part.way, 0.0, part.measure)
    return np.linalg.norm(points - part.start - along[:, None] * part.way, axis=1)


def _round_loop(part: Round, size: float) -> Loop:
    count = max(_LEAST_ON_ROUND, int(np.ceil(part.measure / size)))
    turn = 2 * np.pi * np.arange(count) / count
    ring = part.centre + part.radius * np.stack([np.cos(turn), np.sin(turn)], axis=1)

    def onto(points: Points) -> Points:
        offset = points - part.centre
        return part.centre + part.radius * offset / np.linalg.norm(offset, axis=1, keepdims=True)

    return Loop(ring, (), lambda points: away_from(part, points), onto)


def _chains(edges: list[Edge], near: float) -> list[list[Edge]]:
    """Edges in the order in which they follow each other."""
    left, chains = list(edges), []
    while left:
        chain = [left.pop(0)]
        while np.linalg.norm(chain[-1].end - chain[0].start) > near:
            after = [edge for edge in left if np.linalg.norm(edge.start - chain[-1].end) <= near]
            if not after:
                raise NoReference("the edges of the domain do not close")
            chain.append(after[0])
            left.remove(after[0])
        chains.append(chain)
    return chains


def _straight_loop(chain: list[Edge], size: float) -> Loop:
    points, corners = [], []
    for before, edge in zip([chain[-1], *chain[:-1]], chain, strict=True):
        count = max(2, int(np.ceil(edge.measure / size)))
        points.append(edge.start + np.arange(count)[:, None] / count * (edge.end - edge.start))
        turn = np.arctan2(before.way[0] * edge.way[1] - before.way[1] * edge.way[0], before.way @ edge.way)
        corners.append((edge.start, float(np.pi - turn)))

    def distance(places: Points) -> Float[np.ndarray, " n"]:
        return np.min([away_from(edge, places) for edge in chain], axis=0)

    return Loop(np.concatenate(points), tuple(corners), distance)
