"""One run: a configuration in; report, picture, VTU, log and solution out."""

import os
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import jax

from ..core import InputError, save
from ..pinn import Problem, Result, solve
from ..train import JsonLines, StopRequest
from ._case import Case, FieldCase, make_case
from ._progress import SolveProgress
from ._report import add_certificate, write_report

_CHECKPOINT, _IDENTITY, _LOG = "checkpoint", "checkpoint.sha256", "log.jsonl"

Judge = Callable[[dict[str, Any], Problem, Result], None]


class Interrupted(Exception):
    """The run was asked to stop and saved itself."""


def run(
    config_file: Path,
    out: Path,
    *,
    seed: int | None,
    resume: bool,
    with_fem: bool = False,
    quiet: bool = False,
    judge: Judge | None = None,
) -> dict[str, Any]:
    """Solves what a configuration describes and writes everything to a folder.

    Args:
        config_file: The configuration.
        out: The folder; made if it is not there.
        seed: Decides all random choices; None for what the configuration says.
        resume: Continue the interrupted run whose checkpoint is in the folder.
        with_fem: Judge the answer by finite elements.
        quiet: Show no progress.
        judge: Another judge, called with the report, problem and result.

    Returns:
        The report.

    Raises:
        InputError: The configuration, the part or the folder cannot be used.
        Interrupted: The run was stopped; its checkpoint is in the folder.
    """
    case = make_case(config_file)
    if with_fem:
        case.require_judge()
    make_folder(out)
    with SolveProgress(case.title, quiet=quiet) as shown:
        problem = case.problem()
        seed = case.seed if seed is None else seed
        _begin(shown, case, problem, out, resume)
        problem = case.prepare(problem, seed, shown)
        result = _solve(shown, case, problem, out, seed, resume)
        if result.status == "interrupted":
            raise Interrupted(f"stopped; go on with --resume --out {out}")
        shown.phase("reporting and drawing")
        report = case.report(problem, result, seed)
        save(out / "solution", result)
        write_report(out / "report.json", report)
        case.draw(out, problem, result, report)
        case.page(out, report)
        if with_fem:
            shown.phase("finite elements on two meshes")
            add_certificate(report, case.certificate(problem, result, seed, out))
        if judge is not None:
            judge(report, problem, result)
        write_report(out / "report.json", report)
        case.page(out, report)
        _tidy(case, out, result)
    return report


def _solve(shown: SolveProgress, case: Case, problem: Problem, out: Path, seed: int, resume: bool) -> Result:
    log, key = JsonLines(out / _LOG), jax.random.key(seed)

    def report(progress: Any) -> None:
        log.write({name: value for name, value in vars(progress).items() if name != "field"})
        shown.report(progress)

    options = case.options(problem, key)
    with StopRequest() as stop:  # afterwards there is nothing to save: a signal ends the program
        try:
            return solve(
                problem,
                key=key,
                callback=report,
                should_stop=lambda: bool(stop),
                checkpoint=out / _CHECKPOINT,
                resume=resume,
                **options,
            )
        except InputError as error:
            raise case.placed(error) from error


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


def _begin(shown: SolveProgress, case: Case, problem: Problem, out: Path, resume: bool) -> None:
    """Says what is remarkable before the start, and clears away what a fresh start does not want."""
    for note in case.notes(problem):
        shown.say(note)
    checkpoint, identity = out / _CHECKPOINT, case.identity()
    if resume and not checkpoint.exists():
        shown.say(f"no checkpoint in {out}: starting from the beginning")
    if resume and checkpoint.exists() and identity not in (None, _text_of(out / _IDENTITY)):
        reason = "this checkpoint belongs to another domain, equation, condition or option"
        raise InputError(checkpoint, "", reason, "Restore the configuration, or start again without --resume")
    if not resume:
        (out / _LOG).unlink(missing_ok=True)
        if checkpoint.exists():
            shown.say("an interrupted run lies here; starting again (use --resume to continue it)")
            shutil.rmtree(checkpoint)
    if identity is not None:
        (out / _IDENTITY).write_text(identity + "\n", encoding="utf-8")


def _text_of(file: Path) -> str:
    try:
        return file.read_text(encoding="utf-8").strip()
    except (OSError, UnicodeDecodeError):
        return ""


def _tidy(case: Case, out: Path, result: Result) -> None:
    """Removes the checkpoint, unless a longer time limit can go on from it."""
    if isinstance(case, FieldCase) and result.status == "time limit":
        return
    shutil.rmtree(out / _CHECKPOINT, ignore_errors=True)
    (out / _IDENTITY).unlink(missing_ok=True)
