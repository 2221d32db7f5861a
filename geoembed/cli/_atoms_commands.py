"""`geoembed train`, `finetune`, `evaluate`, `describe` and `select`: interatomic potentials and descriptors."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Annotated, Any

import typer

from ._options import Json, Out, Quiet, Resume, Seed


def train(
    config: Annotated[Path, typer.Argument(help="A TOML configuration file.")],
    out: Out = None,
    resume: Resume = False,
    seed: Seed = 0,
    quiet: Quiet = False,
    as_json: Json = False,
) -> None:
    """Train an interatomic potential on energies, forces and stresses. Results go to the folder CONFIG-result, or to
    --out; the potential is the folder model in it. Exit code 1 when the training diverged.
    """
    from ._atoms_report import train_lines
    from ._atoms_train import run_training

    folder = out or config.with_name(f"{config.stem}-result")
    report = _stoppable(lambda: run_training(config, folder, seed=seed, resume=resume, quiet=quiet))
    _print_run(report, as_json, lambda: train_lines(report, folder))


def finetune(
    config: Annotated[Path, typer.Argument(help="A TOML configuration file.")],
    out: Out = None,
    resume: Resume = False,
    seed: Seed = 0,
    quiet: Quiet = False,
    as_json: Json = False,
) -> None:
    """Teach a potential new elements or other structures, and measure what it forgets. Results go to the folder
    CONFIG-result, or to --out; the potential is the folder model in it. Exit code 1 when the training diverged.
    """
    from ._atoms_finetune import run_finetuning
    from ._atoms_finetune_report import finetune_lines

    folder = out or config.with_name(f"{config.stem}-result")
    report = _stoppable(lambda: run_finetuning(config, folder, seed=seed, resume=resume, quiet=quiet))
    _print_run(report, as_json, lambda: finetune_lines(report, folder))


def evaluate(
    model: Annotated[Path, typer.Argument(help="The folder of a potential.")],
    data: Annotated[Path, typer.Argument(help="Labelled structures (extxyz, or an rMD17 npz).")],
    out: Annotated[Path | None, typer.Option(help="Folder for report.json and parity.png.")] = None,
    group: Annotated[
        str, typer.Option(help="The value of the comment line that says to which group a structure belongs.")
    ] = "config_type",
    batch: Annotated[int, typer.Option(min=1, help="Structures in a batch.")] = 16,
    energy_key: Annotated[str, typer.Option(help="The key of the energy in the comment line.")] = "energy",
    forces_key: Annotated[str, typer.Option(help="The column of the forces.")] = "forces",
    stress_key: Annotated[str, typer.Option(help="The key of the stress.")] = "stress",
    as_json: Json = False,
) -> None:
    """Compare a potential with labelled structures: errors of energies, forces and stresses, by element and group."""
    from ._atoms_evaluate import run_evaluation
    from ._atoms_report import error_lines

    keys = (energy_key, forces_key, stress_key)
    report = run_evaluation(model, data, out, keys=keys, group=group, batch=batch)
    _print(report, as_json, lambda: "\n".join(error_lines(report["errors"])))


def describe(
    model: Annotated[
        Path, typer.Argument(help="The folder of a potential, or of a descriptor that geoembed.save wrote.")
    ],
    data: Annotated[
        Path, typer.Argument(help="Structures (extxyz, or an rMD17 npz); labels are not needed.")
    ],
    out: Annotated[Path, typer.Argument(help="The npz file to write.")],
    reduce: Annotated[
        str, typer.Option(help="A structure's row: the mean or the sum of those of its atoms.")
    ] = "mean",
    batch: Annotated[int, typer.Option(min=1, help="Structures in a batch.")] = 16,
    as_json: Json = False,
) -> None:
    """Write descriptors of structures and of their atoms: the invariants of a potential's encoder, a SOAP power
    spectrum, or pseudoscalars, whichever the folder holds.
    """
    from ._atoms_describe import run_description
    from ._inspect import as_text

    report = run_description(model, data, out, reduce=reduce, batch=batch)
    shown = {name: value for name, value in report.items() if name not in ("input_sha256", "versions")}
    _print(report, as_json, lambda: as_text(shown))


def select(
    model: Annotated[Path, typer.Argument(help="The folder of a posterior, a committee or a potential.")],
    pool: Annotated[Path, typer.Argument(help="Structures to choose from (extxyz); labels are not needed.")],
    count: Annotated[int, typer.Option(help="How many structures to choose.")],
    out: Annotated[Path, typer.Option(help="The extxyz file to write.")],
    labelled: Annotated[
        Path | None,
        typer.Option(help="The structures the potential was trained on: they say what it is sure of."),
    ] = None,
    method: Annotated[
        str | None,
        typer.Option(help="weighted (the default), determinant, uncertainty, farthest or random."),
    ] = None,
    over: Annotated[
        list[str] | None,
        typer.Option(help="The uncertain numbers: last layer (the default), an element such as W, a part."),
    ] = None,
    energy_key: Annotated[str, typer.Option(help="The key of the energy in --labelled.")] = "energy",
    forces_key: Annotated[str, typer.Option(help="The column of the forces.")] = "forces",
    stress_key: Annotated[str, typer.Option(help="The key of the stress.")] = "stress",
    seed: Seed = 0,
    batch: Annotated[int, typer.Option(min=1, help="Structures in a batch.")] = 16,
    as_json: Json = False,
) -> None:
    """Propose which structures to label next: those a potential is least sure of, and that differ. They are written in
    the order of choice, with their comment lines as they are.
    """
    from ._atoms_select import run_selection, selection_lines

    report = run_selection(
        model,
        pool,
        out,
        count=count,
        labelled=labelled,
        method=method,
        over=over or ["last layer"],
        keys=(energy_key, forces_key, stress_key),
        seed=seed,
        batch=batch,
    )
    _print(report, as_json, lambda: selection_lines(report))


def _stoppable(work: Callable[[], dict[str, Any]]) -> dict[str, Any]:
    from ._run import Interrupted

    try:
        return work()
    except Interrupted as stopped:
        typer.echo(f"geoembed: {stopped}", err=True)
        raise typer.Exit(130) from None


def _print_run(report: dict[str, Any], as_json: bool, text: Callable[[], str]) -> None:
    """Prints a report of a training; exit code 1 when it diverged."""
    _print(report, as_json, text)
    if report["status"] == "diverged":
        raise typer.Exit(1)


def _print(report: dict[str, Any], as_json: bool, text: Callable[[], str]) -> None:
    typer.echo(json.dumps(report, indent=2, ensure_ascii=False, allow_nan=False) if as_json else text())
