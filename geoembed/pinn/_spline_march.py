"""A first guess of a transient field: the time is divided into windows that are solved one after the other."""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from jaxtyping import Float

from ._spline_axis import SplineAxis
from ._spline_grid import SplineGrid
from ._spline_newton import SplineState, step
from ._spline_problem import SplineProblem

_WINDOWS = 16  # at first
_NARROWEST = 2**-9  # window, in parts of the time
_FAILURES = 12  # windows that were not solved, after which the last value is kept for the rest of the time
_CLOSE = 1e-2  # change between two grids at which a window is done
_FOLLOWS = 2e-2  # residual of a window that is done, in parts of that of a field that does not change in time
_GRIDS = 8  # for one window
_STEPS = 12  # on one grid
_DONE = 0.1  # fall of the loss in a step after which more steps wait for a finer grid
_MOST = 20_000  # coefficients of a window


@dataclass(frozen=True, eq=False)
class Window:
    """A solved stretch of time."""

    grid: SplineGrid
    vector: Float[np.ndarray, " n"]


def march(
    problem: SplineProblem, first: SplineGrid, points: Float[np.ndarray, "n d"], stop: Callable[[], bool]
) -> Window:
    """Solves window after window, each from the end of the one before.

    Over a short time a nonlinear equation is nearly linear, so no window needs a good first guess, which the whole
    time often does: least squares over all of it can end in a field that follows the initial values for a while and
    then another solution.

    Args:
        problem: The problem.
        first: The grid of the whole time; the windows begin with its axes in space.
        points: Where the change between two grids is measured.
        stop: Asked whether to give up.

    Returns:
        The windows as one field, on one grid for the whole time.
    """
    windows: list[Window] = []
    width, failed = 2 / _WINDOWS, 0
    while not windows or windows[-1].grid.axes[-1].breaks[-1] < 1:
        begin = windows[-1].grid.axes[-1].breaks[-1] if windows else -1.0
        end = 1.0 if begin + 1.001 * width > 1 else begin + width
        window, grids = _solved(problem, _start(problem, first, windows, begin, end), points, stop)
        failed += window is None
        gives_up = stop() or failed > _FAILURES
        if window is None and end - begin > 2 * _NARROWEST and not gives_up:
            width = (end - begin) / 2
            continue
        windows.append(window or _start(problem, first, windows, begin, end))
        if grids == 2:
            width = min(1.5 * width, 0.5)
        if gives_up and end < 1:
            windows.append(_start(problem, first, windows, end, 1.0))
    return _joined(first, windows)


def _start(
    problem: SplineProblem, first: SplineGrid, windows: list[Window], begin: float, end: float
) -> Window:
    """A window whose spline keeps its first value; with two initial conditions its first rate."""
    space = (windows[-1].grid if windows else first).axes[:-1]
    time = SplineAxis(np.linspace(begin, end, 3), first.degree, periodic=False)
    grid = SplineGrid((*space, time), first.unknowns)
    coefficients = np.zeros(grid.shape)
    if windows:
        before = windows[-1]
        last = before.grid.coefficients(before.vector)
        old = before.grid.axes[-1].greville
        slope = (last[..., -1:, :] - last[..., -2:-1, :]) / (old[-1] - old[-2])
        goes_on = np.array([layers > 1 for layers in problem.layers])
        coefficients[:] = last[..., -1:, :] + np.where(goes_on, (time.greville - begin)[:, None] * slope, 0.0)
    return Window(grid, grid.vector(coefficients))


def _solved(
    problem: SplineProblem, window: Window, points: Float[np.ndarray, "n d"], stop: Callable[[], bool]
) -> tuple[Window | None, int]:
    """Refines the grid of a window until its field no longer changes, and how many grids that took."""
    programs, grid, vector = problem.programs, window.grid, window.vector
    moments = programs.unit(points)[:, -1]
    ends = grid.axes[-1].breaks[[0, -1]]
    inside = points[(moments >= ends[0]) & (moments <= ends[1])]
    before, still = None, programs.values(grid, vector, inside)
    sample = problem.sample(grid, vector)
    at_rest = programs.loss(sample, vector)
    for number in range(_GRIDS):
        state = SplineState(vector)
        while state.iteration < _STEPS and state.fall > _DONE and not stop():
            state = step(programs, sample, state)
        vector = state.vector
        values = programs.values(grid, vector, inside)
        failed = state.fall > _DONE or (state.fall == 0 and state.iteration == 1 and number == 0)
        if stop() or (failed and number):
            return None, number
        if before is not None:
            size = max(float(np.linalg.norm(values)), 1e-300)
            moved = np.linalg.norm(values - still) / size
            follows = state.loss < _FOLLOWS**2 * at_rest or moved < _CLOSE
            if np.linalg.norm(values - before) / size < _CLOSE and follows:
                return Window(grid, vector), number + 1
        before = values
        finer = grid.divided(vector, problem.factor(sample))
        if finer.size > _MOST:
            return None, number
        vector, grid = grid.lifted(vector, finer), finer
        sample = problem.sample(grid, vector)
    return None, _GRIDS


def _joined(first: SplineGrid, windows: list[Window]) -> Window:
    """The windows as one spline that is smooth in time: the nearest one at many moments."""
    space = windows[-1].grid.axes[:-1]
    breaks = np.unique(np.concatenate([window.grid.axes[-1].breaks for window in windows]))
    time = SplineAxis(breaks, first.degree, periodic=False).halved(np.zeros(len(breaks) - 1, bool))
    grid = SplineGrid((*space, time), first.unknowns)
    rows, values = [], []
    for window in windows:
        old = window.grid
        fine = SplineGrid((*space, old.axes[-1]), first.unknowns)
        lines = fine.coefficients(old.lifted(window.vector, fine))
        inner = (np.arange(2 * first.degree) + 0.5) / (2 * first.degree)
        at = (old.axes[-1].breaks[:-1, None] + old.axes[-1].widths[:, None] * inner).ravel()
        rows.append(time.basis(at))
        values.append(np.tensordot(old.axes[-1].basis(at), lines, (1, len(space))))
    matrix, wanted = np.concatenate(rows), np.concatenate(values)
    found = np.linalg.lstsq(matrix, wanted.reshape(len(wanted), -1), rcond=None)[0]
    coefficients = np.moveaxis(found.reshape(-1, *wanted.shape[1:]), 0, len(space))
    return Window(grid, grid.vector(coefficients))
