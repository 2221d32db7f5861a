"""Solving an equation in a box by least squares for the coefficients of a spline."""

import math
import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
from jaxtyping import PRNGKeyArray

from ._collocation import Collocation
from ._field_checkpoint import FieldCheckpoint
from ._field_problem import FieldProblem
from ._region_field import RegionField
from ._result import Result, field_result
from ._spline_axis import SplineAxis
from ._spline_grid import SplineGrid
from ._spline_march import march
from ._spline_newton import SplineState, is_linear, step
from ._spline_position import SplinePosition, plain, position
from ._spline_problem import SplineProblem
from ._training import FieldProgress
from ._trial import NetworkField
from ._weak_newton import is_weakly_linear, weak_step
from ._weak_problem import WeakProblem

_DEGREE = {1: 7, 2: 7, 3: 4}  # by the number of coordinates
_FIRST = {1: 8, 2: 8, 3: 4}  # intervals along each axis at first
_HELD_OUT = 8192
_SIDES = 4  # a side condition is held out at this part as many points
_STEPS = 30  # on one grid
_DONE = 0.02  # fall of the loss in a step after which more steps wait for a finer grid
_LEAST_FALL = 0.2  # of the residual that the estimate may count on
_RESOLVED = 0.5  # of the first grid's residual: what has not fallen so far tells nothing about the error
_SOLVED = 1e-6  # of the residual of a field at random
_PATIENCE = 4  # grids without a better held-out residual
_SAVE_EVERY = 60.0
_MEMORY = 1.2e8  # entries of the band matrix: 1 GB


class SplineRun:
    """The moving parts of one solution."""

    def __init__(
        self,
        problem: FieldProblem,
        tolerance: float,
        cells: int,
        time_limit: float,
        callback: Callable[[FieldProgress], None] | None,
        should_stop: Callable[[], bool] | None,
        checkpoint: str | Path | None,
        key: PRNGKeyArray,
        *,
        weak: bool = False,
    ):
        self.tolerance, self.cells, self.time_limit = tolerance, cells, time_limit
        self.callback, self.should_stop = callback, should_stop
        draw = Collocation(problem, key=key)
        self.held = draw.inside(_HELD_OUT, 1)
        size = len(problem.coordinates.lower)
        self.strong = SplineProblem(problem, _DEGREE[size], draw)
        self.problem: Any = WeakProblem(self.strong) if weak else self.strong
        self._step, self._is_linear = (weak_step, is_weakly_linear) if weak else (step, is_linear)
        self.programs = self.problem.programs
        self.held_sides = self.problem.held_sides(_HELD_OUT // _SIDES)
        options = ("weak splines" if weak else "splines", tolerance, cells)
        self.store = FieldCheckpoint(checkpoint, problem, options, key)
        self.began = self.saved = time.monotonic()
        even = np.linspace(-1, 1, _FIRST[size] + 1)
        periodic = self.problem.coordinates.periodic
        axes = tuple(SplineAxis(even, self.problem.degree, flag) for flag in periodic)
        self.first = SplineGrid(axes, self.problem.unknowns)
        self.at = SplinePosition(self.first, SplineState(np.zeros(self.first.size)))
        self._is_new, self._stopped = True, None
        self._sample: Any = None
        self._start: float | None = None

    def run(self) -> Result:
        """Solves on finer and finer grids until something ends it."""
        status = self._begin() if self._is_new else None
        while not status:
            stopped = self._train()
            if stopped:
                self._save()
                self._measure()  # for the answer; a run that goes on measures at the end of its grid
            elif time.monotonic() - self.saved > _SAVE_EVERY:
                self._save()
            status = stopped or self._look() or self._refine()
        return self._result(status)

    def _begin(self) -> str | None:
        """Marches through the time where a nonlinear problem needs a first guess.

        That is not saved: it takes seconds and ends in the same field again.
        """
        if self.problem.problem.time is None:
            return None
        if self._is_linear(self.programs, self.problem.sample(self.first, self.at.state.vector)):
            return None
        start = march(self.strong, self.first, self.held, lambda: self._asked_to_stop() is not None)
        vector = np.where(self.problem.sample(start.grid, start.vector).free, start.vector, 0.0)
        self.at = SplinePosition(start.grid, SplineState(vector))
        status = self._asked_to_stop()
        if status:
            self._measure()
        return status

    def _train(self) -> str | None:
        """Steps on one grid until they hardly help."""
        at = self.at
        sample = self._sample = self.problem.sample(at.grid, at.state.vector)
        if at.weights is None:
            self.at = replace(at, weights=sample.weights)
        else:  # resumed in the middle of this grid
            sample = replace(sample, weights=at.weights)
        while self.at.state.iteration < _STEPS and self.at.state.fall > _DONE:
            stop = self._asked_to_stop()
            if stop:
                return stop
            self.at = replace(self.at, state=self._step(self.programs, sample, self.at.state))
        return None

    def _measure(self) -> float:
        """The held-out residual, with that of the conditions that are rows; the best field is kept."""
        at, grid, vector = self.at, self.at.grid, self.at.state.vector
        if at.held_weights is None:  # those of the first grid, so that all grids are measured alike
            at = self.at = replace(at, held_weights=at.weights or (1.0,) * len(self.held_sides))
        weights = (at.held_weights or ())[len(self.held_sides) :]
        held_out = math.hypot(self._held_out(grid, vector), self._lacking(weights))
        if held_out < at.best_held_out:
            self.at = replace(at, best=(grid, vector), best_held_out=held_out, best_level=at.level)
        return held_out

    def _held_out(self, grid: SplineGrid, vector: np.ndarray) -> float:
        rows = self.programs.residuals(grid, vector, self.held)
        square = float(np.mean(np.sum(rows**2, axis=1)))
        weights = (self.at.held_weights or ())[: len(self.held_sides)]
        for number, (sides, weight) in enumerate(zip(self.held_sides, weights, strict=True)):
            square += weight * self.programs.side_square(grid, vector, sides, number)
        return math.sqrt(square)

    def _lacking(self, weights: tuple[float, ...]) -> float:
        """What integrals lack, weighted; they have no points that are not trained on."""
        if not weights or self._sample is None:
            return 0.0
        return math.sqrt(float(np.array(weights) @ self._sample.lacking(self.at.state.vector) ** 2))

    def _look(self) -> str | None:
        """Measures the held-out residual and the error; returns the status that ends the run, or None."""
        held_out = self._measure()
        self._estimate(held_out)
        self._report(held_out)
        if self.at.estimated_error <= self.tolerance:
            return "converged"
        return "stalled" if self.at.level - self.at.best_level >= _PATIENCE else None

    def _estimate(self, held_out: float) -> None:
        """Estimates the error: the change between two grids is what the coarser one lacked.

        The finer one lacks that times the fall of the residual, or more where the residual tells little; and the
        estimate falls at most like the square of the residual, so that a grid that was refined in vain says nothing.
        There is no estimate while the residual is that of a field that resolves nothing: of the first grid, or of 0.
        """
        at = self.at
        values = self.programs.values(at.grid, at.state.vector, self.held)
        if at.compared is not None:
            fall = min(held_out / max(at.compared_held_out, 1e-300), 1.0)
            ratio = float(np.clip(fall, _LEAST_FALL, 0.9))
            change = np.linalg.norm(values - at.compared) / max(float(np.linalg.norm(values)), 1e-300)
            error = float(change * ratio / (1 - ratio))
            if math.isfinite(at.estimated_error):
                error = max(error, at.estimated_error * fall**2)
            self.at = replace(at, estimated_error=error if held_out < self._unresolved() else math.inf)
        self.at = replace(self.at, compared=values, compared_held_out=held_out)

    def _unresolved(self) -> float:
        """The held-out residual below which a run says something about the error.

        A problem that the first grid solves has a residual far below that of any other field.
        """
        if self._start is None:
            size = self.first.size
            nothing = self._held_out(self.first, np.zeros(size))
            other = self._held_out(self.first, np.random.default_rng(0).normal(size=size))
            self._start = max(
                _RESOLVED * nothing, _RESOLVED * self.at.history[0]["held_out"], _SOLVED * other
            )
        return self._start

    def _refine(self) -> str | None:
        at = self.at
        assert self._sample is not None  # that of the grid just trained
        finer = at.grid.divided(at.state.vector, self.problem.factor(self._sample))
        if len(finer.cells) > self.cells or finer.size * (finer.band + 1) * self.programs.copies > _MEMORY:
            return "cell limit"
        state = SplineState(at.grid.lifted(at.state.vector, finer), at.state.damping)
        steps = at.steps + at.state.iteration
        self.at = replace(at, grid=finer, state=state, weights=None, level=at.level + 1, steps=steps)
        return None

    def _asked_to_stop(self) -> str | None:
        """Once the answer was yes it stays so: it may have come in the middle of the march."""
        if self._stopped is None:
            if self.should_stop is not None and self.should_stop():
                self._stopped = "interrupted"
            elif self._seconds() >= self.time_limit:
                self._stopped = "time limit"
        return self._stopped

    def _seconds(self) -> float:
        return self.at.seconds + time.monotonic() - self.began

    def _save(self) -> None:
        self.saved = time.monotonic()
        self.store.write(plain(replace(self.at, seconds=self._seconds())))

    def resume(self) -> None:
        """Continues from the checkpoint if there is one."""
        found = self.store.read()
        if found is not None:
            self.at, self._is_new = position(found, self.first), False

    def _report(self, held_out: float) -> None:
        at = self.at
        progress = FieldProgress(
            at.steps + at.state.iteration,
            int(np.prod([axis.intervals for axis in at.grid.axes])) * len(self.programs.rule),
            at.grid.size,
            math.sqrt(at.state.loss),
            held_out,
            at.estimated_error,
            at.state.damping,
            self._seconds(),
            self._field(),
        )
        self.at = replace(self.at, history=(*at.history, progress.record()))
        if self.callback is not None:
            self.callback(progress)

    def _field(self) -> NetworkField | RegionField:
        grid, vector = self.at.best or (self.at.grid, self.at.state.vector)
        return self.problem.form(grid.spline(vector))

    def _result(self, status: str) -> Result:
        steps = self.at.steps + self.at.state.iteration
        return field_result(self._field(), status, self.at, iterations=steps, seconds=self._seconds())
