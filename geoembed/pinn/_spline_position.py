"""Where a solution by splines stands, in memory and as what a checkpoint holds."""

import math
from dataclasses import dataclass, fields
from typing import Any

import numpy as np
from jaxtyping import Float

from ._spline_axis import SplineAxis
from ._spline_grid import SplineGrid
from ._spline_newton import SplineState


@dataclass(frozen=True, eq=False)
class SplinePosition:
    """Where a run stands; everything that its future depends on."""

    grid: SplineGrid
    state: SplineState
    weights: tuple[float, ...] | None = None  # of the blocks of side conditions on this grid
    held_weights: tuple[float, ...] | None = None  # of those blocks at the points that are held out
    level: int = 0
    best_level: int = 0
    steps: int = 0  # on coarser grids
    best: tuple[SplineGrid, Float[np.ndarray, " n"]] | None = None
    best_held_out: float = math.inf
    compared: Float[np.ndarray, "held *m"] | None = None
    compared_held_out: float = math.inf
    estimated_error: float = math.inf
    seconds: float = 0.0
    history: tuple[dict[str, Any], ...] = ()


def plain(at: SplinePosition) -> dict[str, Any]:
    """A position as arrays, numbers and lists."""
    content: dict[str, Any] = {field.name: getattr(at, field.name) for field in fields(at)}
    best = None if at.best is None else [_breaks(at.best[0]), at.best[1]]
    return content | {"grid": _breaks(at.grid), "state": vars(at.state), "best": best}


def position(content: dict[str, Any], like: SplineGrid) -> SplinePosition:
    """The position that `plain` wrote, of a run that began with the grid `like`."""
    best = content["best"]
    return SplinePosition(
        **content
        | {
            "grid": _grid(content["grid"], like),
            "state": SplineState(**content["state"]),
            "best": None if best is None else (_grid(best[0], like), np.asarray(best[1])),
        }
    )


def _breaks(grid: SplineGrid) -> list[np.ndarray]:
    return [axis.breaks for axis in grid.axes]


def _grid(breaks: list[np.ndarray], like: SplineGrid) -> SplineGrid:
    both = zip(breaks, like.axes, strict=True)
    axes = tuple(SplineAxis(np.asarray(own), axis.degree, axis.periodic) for own, axis in both)
    return SplineGrid(axes, like.unknowns)
