"""The cells of a grid and the regions of a domain: what of a cell is in which, and points in cells that are cut."""

import numpy as np
from jaxtyping import Bool, Float

from ._collocation import Sides
from ._domains._domain import even_points
from ._field_problem import FieldProblem
from ._regions import Regions
from ._spline_grid import SplineGrid
from ._spline_rows import Weighted

_TRIED = 1024  # points in every cut cell, of which
_KEPT = {1: 16, 2: 32, 3: 32}  # are kept in each region, by the number of coordinates

_OUTSIDE = -1


def cut_cells(
    problem: FieldProblem, grid: SplineGrid, met: list[Float[np.ndarray, "n d"]]
) -> tuple[Bool[np.ndarray, " c"], Weighted]:
    """The cells that interfaces run through, and points for the residual in them.

    Each region of a cell has as many points as all others, however thin it is, each for its part of the volume: Gauss
    points could miss it.

    Args:
        problem: A problem with regions.
        grid: The grid.
        met: Points on the interfaces, in coordinates from −1 to 1.

    Returns:
        Which cells are cut, and the points; the shares are parts of the box.
    """
    cut = np.zeros(grid.intervals, bool)
    for unit in met:
        cut[tuple(grid.cells_of(unit).T)] = True
    numbers = cut[tuple(grid.cells.T)]
    _, _, lower, width = grid.inputs(np.zeros(grid.size), grid.cells[numbers])
    dimension = lower.shape[1]
    inner = even_points(_TRIED, dimension, np.random.default_rng(0))
    unit = lower[:, None] + width[:, None] * inner
    box = problem.coordinates
    points = box.lower + (box.upper - box.lower) * (unit + 1) / 2
    volume = np.prod(width / 2, axis=1)
    found, shares = [np.zeros((0, dimension))], [np.zeros(0)]
    label = _labels(problem, points)
    for region in range(problem.copies):
        mine = label == region
        rank = np.cumsum(mine, axis=1)
        kept = mine & (rank <= _KEPT[dimension])
        count = rank[:, -1]
        share = volume * count / _TRIED / np.maximum(np.minimum(count, _KEPT[dimension]), 1)
        found.append(points[kept])
        shares.append(np.broadcast_to(share[:, None], kept.shape)[kept])
    all_points = np.concatenate(found)
    return numbers, Weighted(Sides(all_points, np.zeros((len(all_points), 1))), np.concatenate(shares))


def region_shares(problem: FieldProblem, points: Float[np.ndarray, "c q d"]) -> Float[np.ndarray, "c r"]:
    """The share of some points of each cell that lie in each region of the domain."""
    label = _labels(problem, points)
    return np.stack([np.mean(label == region, axis=1) for region in range(problem.copies)], axis=1)


def _labels(problem: FieldProblem, points: Float[np.ndarray, "c q d"]) -> np.ndarray:
    """The numbers of the regions of points, −1 outside the domain."""
    dimension = problem.domain.dimension
    places = points[..., :dimension].reshape(-1, dimension)
    if not len(places):
        return np.zeros(points.shape[:2], int)
    assert isinstance(problem.regions, Regions)  # asked for by the callers
    found = np.where(problem.domain.contains(places), problem.regions.numbers(places), _OUTSIDE)
    return found.reshape(points.shape[:2])
