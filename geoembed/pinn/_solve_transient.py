"""Heat in a part in time: a ladder of grids, and on each a march with steps of its own."""

import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import jax
import numpy as np
from jaxtyping import Float, PRNGKeyArray

from ._conditions import Convection, FaceConditions, HeatFlux, value_at
from ._equations._solid import solid_values
from ._field import SplineField
from ._grids import HEAT_LOSS, grid_features, ladder, spline_field
from ._heat import patch_flows
from ._heat_in_time import HeatInTime, heat_in_time
from ._heldout import HeldOut, hold_out
from ._march_heat import March, Trajectory
from ._nested_features import NestedFeatures
from ._problem import Problem
from ._progress import TransientProgress
from ._result import Result
from ._solve_part import ORDER, SAFETY, check_options
from ._transient_checkpoint import MarchPosition, TransientCheckpoint, TransientPosition
from ._transient_field import transient_field

_HELD_OUT, _HEAT_POINTS = 16_384, 131_072  # points as in `solve_part`
_SAVE_EVERY = 60.0  # seconds between two checkpoints
_IN_STEP = 0.02  # of the tolerance: the error of a step in time
_MOMENTS = 9  # at which two grids are compared
_LEGENDRE = np.polynomial.legendre.leggauss(4)  # for the integrals of functions of the time over a step


def solve_transient(
    problem: Problem,
    *,
    key: PRNGKeyArray,
    tolerance: float = 5e-3,
    cells: int = 30_000,
    first_cells: int = 5_000,
    time_limit: float = float("inf"),
    callback: Callable[[TransientProgress], None] | None = None,
    should_stop: Callable[[], bool] | None = None,
    checkpoint: str | Path | None = None,
    resume: bool = False,
) -> Result:
    """Solves transient heat conduction in a part, see `geoembed.pinn.solve`.

    The features in space and their quadrature are those of steady heat. In time a stiffly accurate diagonally implicit
    Runge–Kutta method of order 4 takes steps whose estimated error is at most 0.02 `tolerance`. Between its moments the
    field is a cubic in time. Grids are refined until the change between two of them says that the error is below
    `tolerance`.

    Args:
        problem: The problem.
        key: A random key: places the grids and draws the held-out points.
        tolerance: Stop when the estimated ‖T − T*‖ / ‖T − mean T‖ over the part and the time is below this.
        cells: The most cells the part may occupy.
        first_cells: The cells of the first grid.
        time_limit: Stop after this many seconds and return the field of the best grid that was finished; without one,
            as far in time as it has come.
        callback: Receives a `TransientProgress` after each step.
        should_stop: Asked after each step; True saves a checkpoint and returns with status "interrupted".
        checkpoint: A folder for the state, written every minute, at the end of each grid and on interruption.
        resume: Continue from `checkpoint` if it is there. The result equals that of an uninterrupted run bit by bit.

    Returns:
        The field with its evidence. Check `status`.

    Raises:
        InputError: An option makes no sense, or the checkpoint belongs to another problem.
        ArtefactError: The checkpoint is damaged.

    References:
        E. Hairer, G. Wanner, Solving Ordinary Differential Equations II, 2nd ed., Springer 1996, section IV.6.
    """
    check_options(tolerance, cells, first_cells, time_limit)
    steps = ladder(first_cells, cells)
    points_key, heat_key, *grid_keys = jax.random.split(key, 2 + len(steps))
    store = TransientCheckpoint(checkpoint, problem, (tolerance, cells, first_cells), key)
    at = store.load() if resume else TransientPosition()

    def features_of(number: int) -> NestedFeatures:
        return grid_features(problem, steps[number], key=grid_keys[number], loss=HEAT_LOSS)

    before = None if at.best is None else (features_of(at.grid - 1), at.best)
    points = hold_out(problem, _HELD_OUT, key=points_key)
    run = _Run(problem, points, len(steps), time_limit, store, at, before)
    run.callback, run.should_stop = callback, should_stop
    done = at.estimated_error <= tolerance  # resumed where nothing is left to do
    status = "converged" if done else "cell limit"
    for number in range(len(steps) if done else at.grid, len(steps)):
        ended = run.march(number, heat_in_time(problem, features_of(number)), tolerance)
        if ended is not None:
            status = ended
            break
        if run.estimated_error <= tolerance:
            status = "converged"
            break
    if status == "interrupted":  # whoever asked to stop does not want to wait for figures
        return run.result(status, points)
    return run.result(status, hold_out(problem, _HEAT_POINTS, key=heat_key))


class _Run:
    """The moving parts of one call."""

    callback: Callable[[TransientProgress], None] | None
    should_stop: Callable[[], bool] | None

    def __init__(
        self,
        problem: Problem,
        points: HeldOut,
        grids: int,
        time_limit: float,
        store: TransientCheckpoint,
        at: TransientPosition,
        best: tuple[NestedFeatures, Trajectory] | None,
    ):
        self.problem, self.points, self.grids, self.time_limit = problem, points, grids, time_limit
        self.store, self.start, self.best, self.inside = store, at.march, best, at.inside
        self.began, self.saved = time.monotonic() - at.seconds, time.monotonic()
        self.estimated_error, self.iterations = at.estimated_error, at.iterations
        self.history = list(at.history)

    def march(self, number: int, system: HeatInTime, tolerance: float) -> str | None:
        """Marches on one grid; returns the status that ends the run, or None to go on."""
        self.number, self.system = number, system
        self.stopped: str | None = None
        one, floor = system.features.constant, 1.0  # the span of the given temperatures, in its own unit
        march = March(
            system.mass, system.stiffness, system.load, one, _IN_STEP * tolerance, floor, system.held
        )
        if self.start is not None:
            march.go_on(self.start.found, self.start.step, self.start.inverse_step)
            self.start = None
        self.working, self.found = march, march.found
        try:
            march.run(system.start, *self.problem.moments, self._report)
        except FloatingPointError:
            self.stopped = "diverged"
        if self.stopped is not None:
            if self.stopped != "diverged":
                self._save(number)
            self.iterations += march.found.iterations
            if self.best is None and len(march.found.times) > 1:
                self.best = system.features, march.found
            return self.stopped
        self.iterations += march.found.iterations
        self._compare(system, march.found)
        self.history.append(self._progress(finished=True).record())
        if self.callback is not None:
            self.callback(self._progress(finished=True))
        self._save(number + 1)
        return None

    def _report(self, moment: float) -> bool:
        if self.callback is not None:
            self.callback(self._progress(finished=False))
        if self.should_stop is not None and self.should_stop():
            self.stopped = "interrupted"
        elif time.monotonic() - self.began > self.time_limit:
            self.stopped = "time limit"
        elif time.monotonic() - self.saved > _SAVE_EVERY:
            self._save(self.number)
        return self.stopped is not None

    def _save(self, grid: int) -> None:
        """Saves where the run stands: on a grid in work, or before the next one."""
        march = None
        if grid == self.number:
            march = MarchPosition(self.found, self.working.step, self.working.inverse_step)
        best = None if self.best is None else self.best[1]
        seconds = time.monotonic() - self.began
        self.store.save(
            TransientPosition(
                grid, march, best, self.inside, self.estimated_error, self.iterations, seconds, self.history
            )
        )
        self.saved = time.monotonic()

    def _progress(self, *, finished: bool) -> TransientProgress:
        return TransientProgress(
            grid=self.number + 1,
            grids=self.grids,
            cells=self.system.features.cells.leaves,
            parameters=self.system.features.count,
            time=self.found.times[-1],
            steps=len(self.found.times) - 1,
            rejected=self.found.rejected,
            iterations=self.found.iterations,
            estimated_error=self.estimated_error,
            finished=finished,
            seconds=time.monotonic() - self.began,
        )

    def _compare(self, system: HeatInTime, found: Trajectory) -> None:
        """Keeps the finer grid, and estimates its error (Richardson) as `solve_part` does."""
        at = system.features.values(self.points.interior.points)
        moments = np.linspace(*self.problem.moments, _MOMENTS).tolist()
        inside = np.stack([at @ found.at(moment) for moment in moments])
        if self.inside is not None and self.best is not None:
            change = np.linalg.norm(inside - self.inside)
            spread = max(float(np.linalg.norm(inside - inside.mean())), np.sqrt(inside.size) * 1e-9)
            ratio = self.best[0].spacing / system.features.spacing
            self.estimated_error = float(SAFETY * change / spread / (ratio**ORDER - 1))
        self.inside, self.best = inside, (system.features, found)

    def result(self, status: str, points: HeldOut) -> Result:
        """The result; if a march was stopped before its first step, of the first moment alone."""
        if self.best is None:
            self.best = self.system.features, self._at_rest()
        features, found = self.best
        heat, moved = heat_over_time(self.problem, features, found, points)
        flows = [-flow if name == "stored" else flow for name, flow in heat.items()]
        missing, entering = abs(sum(flows)), sum(max(flow, 0.0) for flow in flows)
        balance = missing / max(entering, moved) if missing > 0 else 0.0
        return Result(
            field=transient_field(self.problem, features, found),
            status=status,
            estimated_error=self.estimated_error,
            heat=tuple(heat.items()),
            energy_balance=balance,
            iterations=self.iterations,
            seconds=time.monotonic() - self.began,
            history=tuple(self.history),
        )

    def _at_rest(self) -> Trajectory:
        found, still = Trajectory(), np.zeros_like(self.system.start)
        for moment in self.problem.moments:
            found.add(moment, self.system.start, still)
        return found


def heat_over_time(
    problem: Problem, features: NestedFeatures, found: Trajectory, points: HeldOut
) -> tuple[dict[str, float], float]:
    """Returns the heat that entered through each patch and from the source, and what was stored, in J.

    Beside it the heat by which the places of the part changed, ∫ ρc |T(end) − T(start)| dV: a size for what is missing.

    All of it is linear in the temperature, so that the integrals over the time are those of one field, ∫ T dt; see
    `heat_flows` for the integrals over the part.

    Args:
        problem: The problem.
        features: The features of the grid.
        found: The march.
        points: Held-out points.
    """
    metres, scales, times = problem.domain.metres_per_unit, problem.scales, np.asarray(found.times)
    whole = float(times[-1] - times[0])

    def field(c: Float[np.ndarray, " d"]) -> SplineField:
        return spline_field(problem, features, features.splines(c))

    summed = replace(field(found.integral()), reference=whole * scales.reference)
    interior = points.interior
    gain = scales.span * (features.values(interior.points) @ (found.values[-1] - found.values[0]))
    capacity = problem.equation.capacity
    stored = gain * (solid_values("capacity", capacity, interior.points) if callable(capacity) else capacity)
    released = integral_of(problem.equation.source, times)
    flows = patch_flows(problem, summed, points, _summed_conditions(problem, times), released - stored)
    volume = interior.weights * metres**3
    if released != 0:
        flows["source"] = released * float(volume.sum())
    return flows | {"stored": float(volume @ stored)}, float(volume @ np.abs(stored))


def _summed_conditions(problem: Problem, times: Float[np.ndarray, " n"]) -> FaceConditions:
    """The table of the faces with ∫ ambient dt and ∫ flux dt."""
    table = problem.face_conditions
    ambient, flux = np.zeros_like(table.ambient), np.zeros_like(table.flux)
    for condition in problem.heat_conditions:
        here = problem.resolved.mask(condition.patch)
        match condition:
            case Convection(ambient=value):
                ambient[here] = integral_of(value, times)
            case HeatFlux(value=value):
                flux[here] = integral_of(value, times)
    return replace(table, ambient=ambient, flux=flux)


def integral_of(value: float | Callable, times: Float[np.ndarray, " n"]) -> float:
    """Returns ∫ value dt from the first to the last of some times, by Gauss's rule between them."""
    if not callable(value):
        return float(value) * float(times[-1] - times[0])
    places, shares = _LEGENDRE
    half = 0.5 * np.diff(times)[:, None]
    at = times[:-1, None] + half * (1 + places[None])
    return float(np.sum(half * shares[None] * np.vectorize(lambda t: value_at(value, float(t)))(at)))
