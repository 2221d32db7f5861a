"""One run: a configuration in; report, picture, VTU, log and solution out."""

import os
import shutil
from collections.abc import Callable
from dataclasses import asdict
from pathlib import Path
from typing import Any

import jax
import numpy as np

from ..core import InputError, save
from ..pinn import Certificate, Problem, Progress, Result, certify, solve
from ..sdf import value_and_gradient
from ..train import JsonLines, StopRequest
from ._config import Config
from ._problem import make_problem, mesh_path
from ._progress import SolveProgress
from ._read_config import read_config
from ._report import add_certificate, make_report, write_report

_CHECKPOINT, _LOG = "checkpoint", "log.jsonl"

Judge = Callable[[dict[str, Any], Problem, Result], None]


class Interrupted(Exception):
    """The run was asked to stop and saved itself."""


def run(
    config_file: Path,
    out: Path,
    *,
    seed: int,
    resume: bool,
    with_fem: bool = False,
    judge: Judge | None = None,
) -> dict[str, Any]:
    """Solves what a configuration describes and writes everything to a folder.

    Args:
        config_file: The configuration.
        out: The folder; made if it is not there.
        seed: Decides all random choices.
        resume: Continue the interrupted run whose checkpoint is in the folder.
        with_fem: Judge the answer by finite elements.
        judge: Another judge, called with the report, problem and result.

    Returns:
        The report.

    Raises:
        InputError: The configuration, the part or the folder cannot be used.
        Interrupted: The run was stopped; its checkpoint is in the folder.
    """
    config = read_config(config_file)
    if with_fem:
        _require_fem()
    make_folder(out)
    with SolveProgress(config.part.mesh) as shown:
        problem = make_problem(config, config_file)
        _say_about(shown, problem, out, resume)
        result = _solve(shown, config, problem, out, seed, resume)
        if result.status == "interrupted":
            raise Interrupted(f"stopped; go on with --resume --out {out}")
        report = make_report(config, config_file, mesh_path(config, config_file), problem, result, seed)
        save(out / "solution", result)
        write_report(out / "report.json", report)
        _draw(shown, out, problem, result)
        if with_fem:
            shown.phase("finite elements on two meshes")
            add_certificate(report, _certificate(problem, result, seed, out))
        if judge is not None:
            judge(report, problem, result)
        write_report(out / "report.json", report)
        shutil.rmtree(out / _CHECKPOINT, ignore_errors=True)
    return report


def _solve(
    shown: SolveProgress, config: Config, problem: Problem, out: Path, seed: int, resume: bool
) -> Result:
    log = JsonLines(out / _LOG)

    def report(progress: Progress) -> None:
        log.write(asdict(progress))
        shown.report(progress)

    with StopRequest() as stop:  # afterwards there is nothing to save: a signal ends the program
        return solve(
            problem,
            key=jax.random.key(seed),
            tolerance=config.solve.tolerance,
            cells=config.solve.cells,
            time_limit=config.solve.time_limit or float("inf"),
            callback=report,
            should_stop=lambda: bool(stop),
            checkpoint=out / _CHECKPOINT,
            resume=resume,
        )


def make_folder(out: Path) -> None:
    """Makes the folder for the results; raises InputError when that cannot be."""
    try:
        out.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise InputError(
            out, "", f"cannot be made a folder: {error.strerror}", "Choose another --out"
        ) from error
    if not os.access(out, os.W_OK):
        raise InputError(out, "", "cannot be written to", "Choose another --out")


def _say_about(shown: SolveProgress, problem: Problem, out: Path, resume: bool) -> None:
    """Says what is remarkable before the start, and clears away what a fresh start does not want."""
    for note in problem.domain.notes:
        shown.say(f"mended: {note}")
    if problem.domain.quality.implausible_unit:
        shown.say(f"warning: {problem.domain.quality.implausible_unit}")
    checkpoint = out / _CHECKPOINT
    if resume and not checkpoint.exists():
        shown.say(f"no checkpoint in {out}: starting from the beginning")
    if resume:
        return
    (out / _LOG).unlink(missing_ok=True)
    if checkpoint.exists():
        shown.say("an interrupted run lies here; starting again (use --resume to continue it)")
        shutil.rmtree(checkpoint)


def _draw(shown: SolveProgress, out: Path, problem: Problem, result: Result) -> None:
    from ..interop import write_surface_vtu, write_vtu
    from ..plot import convergence_figure, save_temperature

    shown.phase("drawing")
    save_temperature(out / "temperature.png", problem, result)
    convergence_figure(result).savefig(out / "convergence.png")
    write_vtu(out / "temperature.vtu", problem, result)
    write_surface_vtu(out / "surface.vtu", problem, result)


def _require_fem() -> None:
    """Says at the start, not after the solve, that the judge is missing."""
    from ..pinn import require_fem

    try:
        require_fem()
    except ImportError as error:
        raise InputError("--certify", "", str(error), "Install it, or leave --certify out") from error


def _certificate(problem: Problem, result: Result, seed: int, out: Path) -> Certificate:
    metres = problem.domain.metres_per_unit

    def predict(points: np.ndarray) -> np.ndarray:
        return value_and_gradient(result.field, points / metres)[0]

    try:
        return certify(
            problem.domain.vertices * metres,
            problem.domain.faces,
            problem.face_conditions,
            problem.equation.conductivity,
            problem.equation.source,
            predict,
            seed=seed,
            face_patch=problem.resolved.face_patch,
            names=problem.resolved.names,
        )
    except ValueError as error:  # the mesher found no inside, for instance
        reason = f"finite elements cannot judge this part: {error}"
        raise InputError("--certify", "", reason, f"The solution without a verdict is in {out}") from error
