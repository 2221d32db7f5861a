"""Points and weights of integrals over a domain, or over pieces of its boundary, and over the time."""

from collections.abc import Sequence
from itertools import pairwise

import numpy as np
from jaxtyping import Float

from ._boundary_rules import piece_rule
from ._domains._domain import Domain, even_points
from ._domains._parts import Edge, Part, Round
from ._field_conditions import Integral
from ._field_problem import FieldProblem
from ._quadrature import Breaks, Rule, bisected, panels, product, together

_SAMPLES = 2**14  # even points in the box around a domain in space that is none
_SAME = 1e-12  # difference of two heights that is none, in parts of the height of the domain
_LINES = 4  # times as many lines for a shape that is only known by its signed distance, and
_FINER = 8  # places in each interval of a line at which it is asked where it begins and ends

Line = tuple[Float[np.ndarray, " n"], Float[np.ndarray, " n"]]


def rule_of(problem: FieldProblem, condition: Integral, breaks: Breaks) -> Rule:
    """The quadrature of an integral.

    Exact up to rounding for the splines of a grid: in a box, in the plane where the outline is known in parts, on ends,
    edges and faces, and on patches of edges. On circles it has 8 points between two lines of the grid. Approximate
    elsewhere: in the plane it looks where a shape begins and ends on many lines, in space it takes even points.

    Args:
        problem: The problem.
        condition: What is integrated, and where.
        breaks: Places along each coordinate, time last, between which the field is smooth.
    """
    size = problem.domain.dimension
    if condition.piece is None:
        found = _inside(problem, breaks[:size])
    else:
        pieces = problem.pieces(condition.piece)
        found = together([piece_rule(piece, breaks[:size]) for piece in pieces])
    if problem.time is None:
        return found
    moments = panels(breaks[size], len(breaks))
    if condition.moment is not None:
        moments = np.array([float(condition.moment)]), np.ones(1)
    return product([found, Rule(moments[0][:, None], moments[1])])


def _inside(problem: FieldProblem, breaks: Breaks) -> Rule:
    domain, size = problem.domain, len(breaks)
    if problem.is_box:
        lines = [panels(own, size) for own in breaks]
        return product([Rule(place[:, None], weight) for place, weight in lines])
    if size == 2:
        parts = [piece.part for piece in problem.outline]
        known = [part for part in parts if part is not None]
        if len(known) == len(parts):
            return _in_plane(domain, known, breaks)
        heights = np.linspace(breaks[1][0], breaks[1][-1], _LINES * (len(breaks[1]) - 1) + 1)
        return _in_plane(domain, None, [breaks[0], heights])
    points = domain.fill(even_points(_SAMPLES, size, np.random.default_rng(0)))
    box = float(np.prod(domain.upper - domain.lower))
    return Rule(points, np.full(len(points), box / _SAMPLES))


def _in_plane(domain: Domain, parts: Sequence[Part] | None, breaks: Breaks) -> Rule:
    """Lines along x, divided where the domain begins and ends.

    Their length is like a root where a circle has its top, so heights are y = a + (b − a) (1 − cos πs)/2 between two
    corners or tops a and b: that is smooth in s.
    """
    heights, weights = _heights(domain, parts, breaks[1])
    ends = [_crossings(parts, y) for y in heights] if parts else _searched(domain, breaks[0], heights)
    points, shares = [], []
    for height, weight, own in zip(heights, weights, ends, strict=True):
        for first, last in zip(own[::2], own[1::2], strict=True):
            inner = breaks[0][(breaks[0] > first) & (breaks[0] < last)]
            place, part = panels(np.concatenate([[first], inner, [last]]), 2)
            points.append(np.column_stack([place, np.full(len(place), height)]))
            shares.append(weight * part)
    return Rule(np.concatenate(points), np.concatenate(shares))


def _heights(domain: Domain, parts: Sequence[Part] | None, breaks: Float[np.ndarray, " b"]) -> Line:
    levels = [domain.lower[1], domain.upper[1]]
    for part in parts or ():
        if isinstance(part, Edge):
            levels += [part.start[1], part.end[1]]
        elif isinstance(part, Round):
            levels += [part.centre[1] - part.radius, part.centre[1] + part.radius]
    levels = np.unique(levels)
    apart = np.diff(levels, prepend=-np.inf) > _SAME * (levels[-1] - levels[0])
    found = []
    for a, b in pairwise(levels[apart].tolist()):
        inner = breaks[(breaks > a) & (breaks < b)]
        turns = np.arccos(1 - 2 * (inner - a) / (b - a)) / np.pi
        turn, weight = panels(np.concatenate([[0.0], turns, [1.0]]), 2)
        y = a + (b - a) * 0.5 * (1 - np.cos(np.pi * turn))
        found.append((y, weight * (b - a) * 0.5 * np.pi * np.sin(np.pi * turn)))
    heights, weights = (np.concatenate(part) for part in zip(*found, strict=True))
    return heights, weights


def _crossings(parts: Sequence[Part], height: float) -> list[float]:
    """Where the line at a height meets the outline, from left to right."""
    found: list[float] = []
    for part in parts:
        if isinstance(part, Edge):
            (x, y), (x_end, y_end) = part.start, part.end
            if (y < height) != (y_end < height):
                found.append(float(x + (height - y) / (y_end - y) * (x_end - x)))
        elif isinstance(part, Round) and abs(height - part.centre[1]) < part.radius:
            half = np.sqrt(part.radius**2 - (height - part.centre[1]) ** 2)
            found += [float(part.centre[0] - half), float(part.centre[0] + half)]
    return sorted(found)


def _searched(
    domain: Domain, breaks: Float[np.ndarray, " b"], heights: Float[np.ndarray, " n"]
) -> list[list[float]]:
    """The same for a shape that is known by its signed distance."""
    steps = np.linspace(0, 1, _FINER, endpoint=False)
    places = (breaks[:-1, None] + np.diff(breaks)[:, None] * steps).ravel()
    margin = 1e-3 * (breaks[-1] - breaks[0])
    places = np.concatenate([[breaks[0] - margin], places, [breaks[-1], breaks[-1] + margin]])
    x, y = (part.ravel() for part in np.meshgrid(places, heights))
    inside = domain.contains(np.column_stack([x, y])).reshape(len(heights), -1)
    line, place = np.nonzero(inside[:, 1:] != inside[:, :-1])
    before = inside[line, place]
    ends = bisected(
        lambda at: domain.contains(np.column_stack([at, heights[line]])) == before,
        places[place],
        places[place + 1],
    )
    return [ends[line == number].tolist() for number in range(len(heights))]
