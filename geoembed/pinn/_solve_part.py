"""A field in a part: a ladder of ever finer grids, each trained by least squares, until the error is small."""

import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import jax
import numpy as np
from jaxtyping import Float, PRNGKeyArray

from ..core import InputError
from ..train import CGState
from ._checkpoint import Checkpoint, Position
from ._grids import ladder
from ._part_physics import PartGrid, PartPoints, part_evidence, part_field, part_grid, part_points
from ._problem import Problem
from ._progress import Progress
from ._result import Result

_CHUNK = 25  # solver steps between two reports: the grain of logs, checkpoints and interrupts
_MOST_STEPS = 4000  # on one grid
_RESOLVED = 1e-2  # share of the dissipation below which held-out energies of two grids count as equal
ORDER = 4 / 3  # of convergence, in the spacing
SAFETY = 1.25
_HELD_OUT = 16_384  # points inside, and as many on the surface
_HEAT_POINTS = 131_072  # the same for the heat flows, whose layer next to a patch holds only some of them
_SAVE_EVERY = 60.0  # seconds between checkpoints


def solve_part(
    problem: Problem,
    *,
    key: PRNGKeyArray,
    tolerance: float = 5e-3,
    cells: int = 200_000,
    first_cells: int = 5_000,
    time_limit: float = float("inf"),
    callback: Callable[[Progress], None] | None = None,
    should_stop: Callable[[], bool] | None = None,
    checkpoint: str | Path | None = None,
    resume: bool = False,
) -> Result:
    """Solves steady heat conduction in a part, or its deformation under load, see `geoembed.pinn.solve`.

    A network with one layer of localised spline features (`SplineField`) minimises the energy of the field.
    The energy is quadratic in the output layer, so training is a linear least-squares problem, solved by conjugate
    gradients in float64. The quadrature comes from the part's signed distance. Cells at edges where the gradient is
    infinite are divided again (`singular_edges`). Grids are refined until the change between two of them says that
    the error is below `tolerance`. Every decision depends on numbers that the seed
    fixes, never on the clock; the time limit only stops.

    Args:
        problem: The problem.
        key: A random key: places the grids and draws the held-out points.
        tolerance: Stop when the estimated ‖T − T*‖ / ‖T − mean T‖, or ‖u − u*‖ / ‖u‖, is below this.
        cells: The most cells the part may occupy. Memory and time grow with them: 200 000 need about 3 GB for heat.
        first_cells: The cells of the first grid.
        time_limit: Stop after this many seconds and return the best field so far.
        callback: Receives a `Progress` every few solver steps.
        should_stop: Asked between solver steps; True saves a checkpoint and returns with status "interrupted".
        checkpoint: A folder for the state, written every minute, at the end of each grid and on interruption.
        resume: Continue from `checkpoint` if it is there. The result equals that of an uninterrupted run bit by bit.

    Returns:
        The best field with its evidence. Check `status`.

    Raises:
        InputError: An option makes no sense, or the checkpoint belongs to another problem.
        ArtefactError: The checkpoint is damaged.

    References:
        The energy (Ritz) form with network features: W. E, B. Yu, Commun. Math. Stat. 6 (2018) 1 (deep Ritz);
        linear output layers solved exactly: J. Chen et al., J. Mach. Learn. 1 (2022) 268 (random feature method).
    """
    check_options(tolerance, cells, first_cells, time_limit)
    if resume and checkpoint is None:
        raise InputError(
            "<options>", "resume", "there is no checkpoint to resume from", "Name its folder: checkpoint="
        )
    steps = ladder(first_cells, cells)
    store = Checkpoint(checkpoint, problem, (tolerance, cells, first_cells), key)
    points_key, heat_key, *grid_keys = jax.random.split(key, 2 + len(steps))
    points = part_points(problem, _HELD_OUT, points_key)
    start = store.load() if resume else Position()
    run = _Run(problem, points, tolerance, len(steps), time_limit, callback, should_stop, store, start)
    done = start.estimated_error <= tolerance  # resumed where nothing is left to do
    status = "converged" if done else "cell limit"
    for number in range(len(steps) if done else start.grid, len(steps)):
        grid = part_grid(problem, points, steps[number], grid_keys[number])
        ended = run.train(number, grid)
        if ended:
            status = ended
            break
    if status == "interrupted":  # whoever asked to stop does not want to wait for figures
        return run.result(status, points)
    return run.result(status, part_points(problem, _HEAT_POINTS, heat_key))


def check_options(tolerance: float, cells: int, first_cells: int, time_limit: float) -> None:
    """Refuses options that make no sense."""
    for name, value, lowest in (
        ("tolerance", tolerance, 0.0),
        ("cells", cells, 100),
        ("first_cells", first_cells, 100),
        ("time_limit", time_limit, 0.0),
    ):
        if not value >= lowest:
            raise InputError("<options>", name, f"{value} is below {lowest:g}", "Choose a larger value")
    for name, value in (("cells", cells), ("first_cells", first_cells)):
        if not isinstance(value, int):
            raise InputError("<options>", name, f"{value} is not a whole number", "Give a number of cells")


class _Run:
    """The moving parts of one call of `solve`."""

    def __init__(
        self,
        problem: Problem,
        points: PartPoints,
        tolerance: float,
        grids: int,
        time_limit: float,
        callback: Callable[[Progress], None] | None,
        should_stop: Callable[[], bool] | None,
        store: Checkpoint,
        start: Position,
    ):
        self.problem, self.tolerance, self.grids = problem, tolerance, grids
        self.time_limit, self.callback, self.should_stop, self.store = (
            time_limit,
            callback,
            should_stop,
            store,
        )
        self.at = start
        self.began = time.monotonic() - start.seconds
        self.saved = time.monotonic()

    @property
    def _solver(self) -> CGState:
        if self.at.solver is None:
            raise RuntimeError("no grid is in work")
        return self.at.solver

    def train(self, number: int, grid: PartGrid) -> str | None:
        """Trains one grid; returns the status that ends the run, or None to go on."""
        if self.at.solver is None:
            state = grid.solver.start(grid.first_guess(self.at.field))
            self.at = replace(self.at, grid=number, solver=state, best=None, best_held_out=np.inf)
        energy = grid.energy(self._solver.x)
        while True:
            stop = self._asked_to_stop()
            if stop:
                self._save()
                self._keep(grid)
                return stop
            before, energy = energy, self._advance(grid)
            if not np.isfinite(energy):
                self._keep(grid)
                return "diverged"
            state = self._solver
            small = before - energy <= grid.stall * grid.held_out.dissipation(state.x)
            if small or state.iteration >= _MOST_STEPS:
                break
            self._report(grid, energy, finished=False)
            if time.monotonic() - self.saved > _SAVE_EVERY:
                self._save()
        return self._finish(number, grid, energy, trained=small)

    def _advance(self, grid: PartGrid) -> float:
        """Does some solver steps; returns the energy. The new iterate is kept unless held-out points speak against it.

        They do so beyond the share of the dissipation that they resolve: on a convex energy a smaller rise is
        their own noise, and stopping at the lowest value would stop too early.
        """
        state = grid.solver.advance(self._solver, _CHUNK)
        candidate = grid.energy.levelled(state.x)
        held_out, lowest = grid.held_out(candidate), self.at.best_held_out
        self.at = replace(self.at, solver=state, seconds=time.monotonic() - self.began)
        if held_out < lowest + _RESOLVED * grid.held_out.dissipation(state.x):
            self.at = replace(self.at, best=candidate, best_held_out=min(held_out, lowest))
        return grid.energy(state.x)

    def _finish(self, number: int, grid: PartGrid, energy: float, *, trained: bool) -> str | None:
        inside = grid.held_out.inside(self._best(grid))
        # A grid that was not trained to its end says nothing about the error.
        error = self._estimate(grid, inside) if trained else np.inf
        self.at = replace(self.at, estimated_error=error)
        self._report(grid, energy, finished=True)
        self._keep(grid)
        done = self._solver.iteration
        self.at = replace(
            self.at,
            grid=number + 1,
            solver=None,
            best=None,
            best_held_out=np.inf,
            inside=inside,
            spacing=grid.features.spacing,
            iterations=self.at.iterations + done,
        )
        self._save()
        return "converged" if error <= self.tolerance else None

    def _estimate(self, grid: PartGrid, inside: Float[np.ndarray, "n *m"]) -> float:
        """Richardson's estimate of the error from two grids.

        The order is that of the singularity at a right-angled re-entrant edge, r^(2/3); a part without such edges
        converges faster, and then the estimate is too high. The safety factor is that of the grid convergence index
        (P. J. Roache, J. Fluids Eng. 116 (1994) 405).
        """
        if self.at.inside is None:
            return np.inf
        change = np.linalg.norm(inside - self.at.inside)
        spread, spacing = grid.held_out.spread(inside), grid.features.spacing
        level = np.sqrt(len(inside)) * 1e-9  # below this share of the span the field is constant
        return float(SAFETY * change / max(spread, level) / ((self.at.spacing / spacing) ** ORDER - 1))

    def _best(self, grid: PartGrid) -> Float[np.ndarray, " d"]:
        return self._solver.x if self.at.best is None else self.at.best

    def _keep(self, grid: PartGrid) -> None:
        """Makes this grid's best iterate the answer unless the held-out points speak against it.

        Between two grids they resolve the energy to about a percent of the dissipation; a finer grid that is worse
        by more than that was not trained to the end, or its quadrature fails.
        """
        if self.at.best is None:
            if self.at.field is None:
                self.at = replace(self.at, field=grid.field(self._solver.x))
            return
        margin = _RESOLVED * grid.held_out.dissipation(self.at.best)
        if self.at.best_held_out < self.at.field_held_out + margin:
            self.at = replace(self.at, field=grid.field(self.at.best), field_held_out=self.at.best_held_out)

    def _asked_to_stop(self) -> str | None:
        if self.should_stop is not None and self.should_stop():
            return "interrupted"
        return "time limit" if time.monotonic() - self.began > self.time_limit else None

    def _save(self) -> None:
        self.at = replace(self.at, seconds=time.monotonic() - self.began)
        self.store.save(self.at)
        self.saved = time.monotonic()

    def _report(self, grid: PartGrid, energy: float, *, finished: bool) -> None:
        state = self._solver
        progress = Progress(
            grid=self.at.grid + 1,
            grids=self.grids,
            cells=grid.features.cells.leaves,
            parameters=grid.parameters,
            iteration=state.iteration,
            total_iterations=self.at.iterations + state.iteration,
            energy=energy,
            held_out=self.at.best_held_out,
            estimated_error=self.at.estimated_error,
            finished=finished,
            seconds=time.monotonic() - self.began,
        )
        self.at = replace(self.at, history=(*self.at.history, progress.record()))
        if self.callback is not None:
            self.callback(progress)

    def result(self, status: str, points: PartPoints) -> Result:
        field = self.at.field
        if field is None:
            raise RuntimeError("no grid was built")
        field = part_field(self.problem, field)
        unfinished = self.at.solver.iteration if self.at.solver is not None else 0
        return Result(
            field=field,
            status=status,
            estimated_error=self.at.estimated_error,
            **part_evidence(self.problem, field, points),
            iterations=self.at.iterations + unfinished,
            seconds=time.monotonic() - self.began,
            history=self.at.history,
        )
