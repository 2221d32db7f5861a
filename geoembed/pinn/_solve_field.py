"""Solving any equation by least squares on its residual, with points added where the residual is large."""

import math
import time
from collections.abc import Callable
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Float, PRNGKeyArray

from ..train import LevenbergMarquardt, LMState, QNState, QuasiNewton, Rows
from ._collocation import Collocation, Points, Sides, pick
from ._field_checkpoint import FieldCheckpoint
from ._field_problem import FieldProblem
from ._halving import estimated
from ._integral_rows import MeasuredIntegral, integral_rows
from ._region_field import RegionField
from ._result import Result, field_result
from ._rows import form_of, inside_rows, side_rows
from ._training import FieldProgress, Training
from ._trial import NetworkField
from ._weak_bumps import weak_rows
from ._weak_problem import check_weak

_FIRST = 6  # the first sample is this part of the last
_GROWTH = 0.08  # of the sample in a renewal, and
_SWAPPED = 0.1  # the part of a full sample that is exchanged in one
_RENEW = {LMState: 10, QNState: 200}  # steps between two renewals
_POOL = 8192  # even points among which new ones are chosen, beside as many between points of the sample
_CHECK = {LMState: 5, QNState: 25}  # steps between two looks at the held-out residual
_SETTLED = 50  # Levenberg–Marquardt steps with the full sample before quasi-Newton steps take over
_LARGEST = 3000  # trained numbers that quasi-Newton steps are used for: their matrix has the square of it
_HELD_OUT = 8192
_SIDES = 4  # a soft condition has this part as many points as the inside
_SAVE_EVERY = 60.0
_PATIENCE = 80  # looks without a better held-out residual
_HIGHEST_WEIGHT = 1e3
_HIGHEST_OF_ONE = 10.0  # of a single row, whose weight is not shared by many


@dataclass(frozen=True, eq=False)
class FieldPosition:
    """Where a run stands; everything that its future depends on."""

    state: LMState | QNState
    inside: Points
    sides: tuple[Sides, ...]
    weights: tuple[float, ...]
    best: Float[np.ndarray, " p"]
    best_held_out: float = math.inf
    best_iteration: int = 0
    full: int | None = None  # the step at which the sample became full
    compared: Float[np.ndarray, "held m"] | None = (
        None  # the best field at the held-out points when last compared
    )
    compared_held_out: float = math.inf
    estimated_error: float = math.inf
    seconds: float = 0.0
    history: tuple[dict[str, Any], ...] = ()


class FieldRun:
    """The moving parts of one solution by least squares."""

    def __init__(
        self,
        problem: FieldProblem,
        network: Any,
        training: Training,
        tolerance: float,
        time_limit: float,
        callback: Callable[[FieldProgress], None] | None,
        should_stop: Callable[[], bool] | None,
        checkpoint: str | Path | None,
        key: PRNGKeyArray,
        *,
        weak: bool = False,
    ):
        self.problem, self.training, self.tolerance = problem, training, tolerance
        self.time_limit, self.callback, self.should_stop = time_limit, callback, should_stop
        self.draw = Collocation(problem, key=key)
        self.form = form_of(problem, problem.shapings, problem.coordinates)
        if weak:
            check_weak(problem)
        functions = [(weak_rows if weak else inside_rows)(problem, self.form)]
        functions += [side_rows(problem, self.form, condition) for condition in problem.soft]
        measured = [MeasuredIntegral(problem, c).for_layers() for c in problem.integrals]
        functions += [integral_rows(self.form, own) for own in measured]
        self.integrals = [own.items for own in measured]
        self.solver = LevenbergMarquardt(functions, network, mixed=training.mixed)
        self.newton = QuasiNewton(self.solver)
        self.held_inside = self.draw.inside(_HELD_OUT, 1)
        self.held_sides = self._sides(_HELD_OUT // _SIDES, 2)
        self.values = jax.jit(lambda theta, points: jax.vmap(self._field(theta))(points))
        options = (asdict(training), tolerance, *["weak"] * weak)
        self.store = FieldCheckpoint(checkpoint, problem, options, key)
        self.began = self.saved = time.monotonic()
        self.at = self._first()

    def _field(self, theta: Any) -> NetworkField | RegionField:
        return self.form(self.solver.model(LMState(theta)))

    def _sides(self, count: int, number: int) -> tuple[Sides, ...]:
        return tuple(self.draw.on(c, count, 1000 * number + i) for i, c in enumerate(self.problem.soft))

    def _first(self) -> FieldPosition:
        # Fewer points than trained numbers would be fitted exactly, and mean nothing.
        count = max(self.training.points // _FIRST, min(2 * self.solver.size, self.training.points))
        inside, sides = self.draw.inside(count, 3), self._sides(self.training.points // _SIDES, 3)
        state = self.solver.start()
        weights = (1.0,) * (1 + len(sides) + len(self.integrals))
        start = FieldPosition(state, inside, sides, weights, np.asarray(state.parameters))
        return replace(start, weights=self._balanced(start))

    def _balanced(self, at: FieldPosition) -> tuple[float, ...]:
        """Weights that give the rows of every block gradients of one size.

        S. Wang, X. Yu, P. Perdikaris, J. Comput. Phys. 449 (2022) 110768: the trace of the neural tangent kernel.
        """
        if len(at.weights) == 1:
            return (1.0,)
        theta = jnp.asarray(at.state.parameters)
        sizes = [
            self.solver.residuals.row_size(theta, rows, block)
            for block, rows in enumerate(self._rows(at.inside[:512], at.sides, (1.0,) * len(at.weights)))
        ]
        highest = [_HIGHEST_WEIGHT] * (1 + len(at.sides)) + [_HIGHEST_OF_ONE] * len(self.integrals)
        both = zip(sizes, highest, strict=True)
        return tuple(float(np.clip(sizes[0] / max(size, 1e-300), 1.0, most)) for size, most in both)

    def _rows(self, inside: Points, sides: tuple[Sides, ...], weights: tuple[float, ...]) -> list[Rows]:
        """The batches of the least squares, each with a mean square instead of a sum."""
        blocks: list[Any] = [inside, *((side.points, side.normals) for side in sides), *self.integrals]
        counts = [len(inside), *(len(side.points) for side in sides), *(1 for _ in self.integrals)]
        return [
            Rows(items, np.full(count, weight / math.sqrt(count)))
            for items, count, weight in zip(blocks, counts, weights, strict=True)
        ]

    def run(self) -> Result:
        """Trains until something ends it."""
        status = "step limit"
        batches = self._rows(self.at.inside, self.at.sides, self.at.weights)
        while self.at.state.iteration < self.training.steps:
            stop = self._asked_to_stop()
            if stop:
                status = stop
                break
            if self._is_due(_RENEW):
                self._renew()
                batches = self._rows(self.at.inside, self.at.sides, self.at.weights)
            self.at = replace(self.at, state=self._step(batches))
            if self._is_due(_CHECK) and (ended := self._look()):
                status = ended
                break
        if status in ("interrupted", "time limit"):
            self._save()
        return self._result(status)

    def _is_due(self, every: dict[type, int]) -> bool:
        state = self.at.state
        return state.iteration > 0 and state.iteration % every[type(state)] == 0

    def _step(self, batches: list[Rows]) -> LMState | QNState:
        """Levenberg–Marquardt while the sample grows and settles, then quasi-Newton where its matrix is affordable.

        The steps of large networks need no matrix, see `LevenbergMarquardt`; they go on to the end.
        """
        state, full = self.at.state, self.at.full
        if isinstance(state, QNState):
            return self.newton.step(state, batches)
        settled = full is not None and state.iteration >= full + _SETTLED
        if settled and self.solver.size <= _LARGEST and self.solver.residuals.start.dtype == jnp.float64:
            return self.newton.step(self.newton.start(state, batches), batches)
        return self.solver.step(state, batches)

    def _asked_to_stop(self) -> str | None:
        if self.should_stop is not None and self.should_stop():
            return "interrupted"
        return "time limit" if self._seconds() >= self.time_limit else None

    def _seconds(self) -> float:
        return self.at.seconds + time.monotonic() - self.began

    def _renew(self) -> None:
        """Adds points where the residual is large; once the sample is full, they replace points where it is small."""
        at, number = self.at, 10 + self.at.state.iteration
        rng, theta = self.draw.random(2 * number + 1), jnp.asarray(at.state.parameters)
        pool = self.draw.inside(_POOL, 2 * number)
        pool = np.concatenate([pool, self.draw.between(at.inside, _POOL, 2 * number + 1)])
        room = self.training.points - len(at.inside)
        count = int(_SWAPPED * len(at.inside))
        if room > 0:
            count = min(max(int(_GROWTH * len(at.inside)), 32), room)
        new = pool[pick(self._residual(theta, pool), count, rng)]
        inside = at.inside
        if room <= 0:
            inside = np.delete(inside, pick(self._residual(theta, inside), count, rng, small=True), axis=0)
        sides = self._sides(self.training.points // _SIDES, number)
        self.at = replace(at, inside=np.concatenate([inside, new]), sides=sides)
        if room <= count and at.full is None:
            self._full()

    def _full(self) -> None:
        """The sample is full now: balance anew, and forget what the old weights called best."""
        at = replace(self.at, full=self.at.state.iteration, weights=self._balanced(self.at))
        self.at = replace(
            at, best_held_out=math.inf, compared=None, compared_held_out=math.inf, estimated_error=math.inf
        )

    def _residual(self, theta: Any, points: Points) -> Float[np.ndarray, " n"]:
        rows = self.solver.rows(theta, Rows(points, np.ones(len(points))))
        return np.nan_to_num(np.linalg.norm(rows, axis=1), posinf=0.0)

    def _look(self) -> str | None:
        """Measures the held-out residual; keeps the best field; returns the status that ends the run, or None."""
        at = self.at
        batches = self._rows(self.held_inside, self.held_sides, at.weights)
        held_out = math.sqrt(2 * self.solver.loss(jnp.asarray(at.state.parameters), batches))
        if held_out < at.best_held_out:
            self.at = replace(
                at,
                best=np.asarray(at.state.parameters),
                best_held_out=held_out,
                best_iteration=at.state.iteration,
            )
            self.at = estimated(
                self.at,
                lambda: np.asarray(self.values(jnp.asarray(self.at.best), jnp.asarray(self.held_inside))),
            )
        self._report(held_out)
        if time.monotonic() - self.saved > _SAVE_EVERY:
            self._save()
        if self.at.estimated_error <= self.tolerance:
            return "converged"
        stale = at.state.iteration - self.at.best_iteration > _PATIENCE * _CHECK[type(at.state)]
        return "stalled" if stale else None

    def _report(self, held_out: float) -> None:
        state = self.at.state
        progress = FieldProgress(
            state.iteration,
            len(self.at.inside),
            self.solver.size,
            math.sqrt(2 * state.loss),
            held_out,
            self.at.estimated_error,
            state.damping if isinstance(state, LMState) else 0.0,
            self._seconds(),
            self._field(jnp.asarray(self._best())),
        )
        self.at = replace(self.at, history=(*self.at.history, progress.record()))
        if self.callback is not None:
            self.callback(progress)

    def _save(self) -> None:
        self.saved = time.monotonic()
        self.store.save(replace(self.at, seconds=self._seconds()))

    def resume(self) -> None:
        """Continues from the checkpoint if there is one."""
        found = self.store.load()
        if found is None:
            return
        self.store.check_size(found.best, self.solver.size)
        self.at = found

    def _best(self) -> Float[np.ndarray, " p"]:
        """The parameters with the lowest held-out residual."""
        return self.at.best if math.isfinite(self.at.best_held_out) else np.asarray(self.at.state.parameters)

    def _result(self, status: str) -> Result:
        at = self.at
        best = self._field(jnp.asarray(self._best()))
        return field_result(best, status, at, iterations=at.state.iteration, seconds=self._seconds())
