"""One training: a configuration in; potential, report, pictures and log out."""

import contextlib
import shutil
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import jax

from ..atoms import (
    FitProgress,
    FitResult,
    Frame,
    LabelKeys,
    atomic_number,
    evaluate,
    fit,
    split,
    statistics,
    trainable,
    untrained_mace,
    untrained_nequip,
    weighted,
)
from ..atoms._training._interaction import check_elements
from ..core import InputError, save
from ..plot import learning_figure, parity_figure
from ..train import StopRequest, Train, Trainable
from ._atoms_config import DataTable, TrainableTable, TrainConfig
from ._atoms_data import read_potential, read_structures
from ._atoms_progress import FitShown
from ._atoms_report import finite, train_page
from ._lines import Place
from ._read_config import place_of, read_toml
from ._report import sha256, versions, write_report
from ._run import Interrupted, make_folder

_CHECKPOINT = "checkpoint"
_WEIGHTS = 2**31  # folded into the key: random weights apart from the order of the structures


def run_training(config_file: Path, out: Path, *, seed: int, resume: bool, quiet: bool) -> dict[str, Any]:
    """Trains what a configuration describes and writes everything to a folder.

    Args:
        config_file: The configuration.
        out: The folder; made if it is not there.
        seed: Decides all random choices.
        resume: Continue the run whose checkpoint is in the folder.
        quiet: Show no progress.

    Returns:
        The report.

    Raises:
        InputError: The configuration, the data or the folder cannot be used.
        Interrupted: The run was stopped; its checkpoint is in the folder.
    """
    config = read_toml(config_file, TrainConfig)
    make_folder(out)
    with FitShown(config_file.stem, quiet=quiet) as shown:
        train, valid, test = structures_of(config_file, config.data, seed)
        clear_earlier_run(out, resume, shown)
        potential = _potential(config_file, config, train, seed, shown)
        _check(config_file, config, potential, [train, valid, test])
        rules, trained = chosen(config_file, config.trainable, potential)
        shown.say(str(trained))
        shown.phase("finding neighbours and compiling")
        found = _fit(config, potential, rules, train, valid, out, seed, resume, shown)
        if found.status == "interrupted":
            raise Interrupted(f"stopped; go on with --resume --out {out}")
        shown.phase("drawing")
        save(out / "model", found.potential, meta={"seed": seed, "config": config.model_dump(mode="json")})
        report = _report(config_file, config, found, trained, [train, valid, test], seed)
        _judge_and_draw(config, found, test, out, report)
        report = finite(report)
        write_report(out / "report.json", report)
        (out / "report.md").write_text(train_page(report), encoding="utf-8")
    return report


def _fit(
    config: TrainConfig,
    potential: Any,
    rules: list[Train] | None,
    train: Sequence[Frame],
    valid: Sequence[Frame],
    out: Path,
    seed: int,
    resume: bool,
    shown: FitShown,
) -> FitResult:
    def report(progress: FitProgress) -> None:
        shown.report(progress)

    with StopRequest() as stop:
        return fit(
            potential,
            train,
            valid,
            key=jax.random.key(seed),
            settings=config.training.made(),
            folder=out,
            resume=resume,
            trainable=rules,
            devices=config.training.devices,
            time_limit=config.training.time_limit,
            group=config.data.group,
            callback=report,
            should_stop=lambda: bool(stop),
        )


def clear_earlier_run(out: Path, resume: bool, shown: FitShown) -> None:
    """Says when there is nothing to resume, and clears a checkpoint away that is not wanted."""
    checkpoint = out / _CHECKPOINT
    if resume and not checkpoint.exists():
        shown.say(f"no checkpoint in {out}: starting from the beginning")
    if not resume and checkpoint.exists():
        shown.say("an earlier run lies here; starting again (use --resume to continue it)")
        shutil.rmtree(checkpoint)


def chosen(
    file: Path, tables: Sequence[TrainableTable], potential: Any
) -> tuple[list[Train] | None, Trainable]:
    """The rules of the tables [[trainable]], None without any, and what of a potential they train.

    Raises:
        InputError: One of them does not suit the potential.
    """
    rules = [table.made() for table in tables] or None
    try:
        return rules, trainable(potential, rules)
    except InputError as error:
        raise at_its_rule(file, error) from None


def at_its_rule(file: Path, error: InputError) -> InputError:
    """An error about a rule as one about its table [[trainable]] in the configuration."""
    number = int(error.where.removeprefix("trainable[").removesuffix("]"))
    return InputError(file, place_of(file, ("trainable", number)), error.reason, error.hint)


def _potential(file: Path, config: TrainConfig, train: Sequence[Frame], seed: int, shown: FitShown) -> Any:
    """The potential to go on from, or a new one."""
    asked = config.potential
    if asked.start is not None:
        return read_potential(file_of(file, ("potential", "start"), asked.start))
    known = {atomic_number(symbol): energy for symbol, energy in asked.isolated.items()}
    found = statistics(train, asked.cutoff, known=known)
    for note in found.notes:
        shown.say(note)
    options = asked.options()
    make = untrained_mace if asked.encoder == "mace" else untrained_nequip
    with jax.enable_x64(True) if asked.dtype == "float64" else contextlib.nullcontext():
        return make(found, key=jax.random.fold_in(jax.random.key(seed), _WEIGHTS), **options)


def structures_of(file: Path, data: DataTable, seed: int) -> tuple[list[Frame], list[Frame], list[Frame]]:
    """The structures to learn from, to judge by and to test with."""
    labels = labels_of(file, data)

    def read(name: str) -> list[Frame]:
        value = getattr(data, name)
        return [] if value is None else read_structures(file_of(file, ("data", name), value), None, labels)

    train, valid, test = read("train"), read("valid"), read("test")
    if data.valid_share is not None:
        count = max(1, round(data.valid_share * len(train)))
        if count >= len(train):
            place = place_of(file, ("data", "valid_share"))
            raise InputError(file, place, f"{len(train)} structures cannot be divided", "Give `valid`")
        valid, train = split(train, (count, -1), seed=seed)
    return weighted(train, data.weights, group=data.group, key=data.weight_key), valid, test


def labels_of(file: Path, data: DataTable) -> LabelKeys:
    """Where the files have their labels."""
    try:
        return LabelKeys(**data.labels.model_dump())
    except ValueError as error:
        place = place_of(file, ("data", "labels"))
        raise InputError(file, place, str(error), "Correct it") from None


def _check(file: Path, config: TrainConfig, potential: Any, structures: list[list[Frame]]) -> None:
    """Raises InputError when the potential does not know an element of a file, or an option makes no sense."""
    config.training.made()
    for name, frames in zip(("train", "valid", "test"), structures, strict=True):
        said = getattr(config.data, name) or config.data.train
        check_elements(potential, frames, str(file.parent / said))


def file_of(config_file: Path, place: Place, name: str) -> Path:
    """The file or folder that a key names; raises InputError when there is none."""
    path = config_file.parent / name
    if not path.exists():
        raise InputError(config_file, place_of(config_file, place), f"there is no {path}", "Correct the path")
    return path


def _report(
    file: Path,
    config: TrainConfig,
    found: FitResult,
    trained: Trainable,
    structures: list[list[Frame]],
    seed: int,
) -> dict[str, Any]:
    names = ("train", "valid", "test")
    hashes = {
        name: sha256(file.parent / value)
        for name in names
        if (value := getattr(config.data, name)) is not None
    }
    return {
        "status": found.status,
        "epochs": found.history[-1]["epoch"] if found.history else 0,
        "best_epoch": found.best_epoch,
        "steps": found.steps,
        "seconds": found.seconds,
        "parameters": trained.total,
        "trained": {"numbers": trained.count, "parts": [line.to_dict() for line in trained.table]},
        "structures": {name: len(some) for name, some in zip(names, structures, strict=True)},
        "validation": None if found.validation is None else found.validation.to_dict(),
        "test": None,
        "history": list(found.history),
        "seed": seed,
        "input_sha256": {"config": sha256(file), **hashes},
        "versions": versions(),
        "config": config.model_dump(mode="json"),
    }


def _judge_and_draw(
    config: TrainConfig, found: FitResult, test: list[Frame], out: Path, report: dict[str, Any]
) -> None:
    """Compares with the test structures, and draws."""
    learning_figure(found.history, best=found.best_epoch).savefig(out / "learning.png")
    judged, words = found.validation, "validation structures"
    if test:
        options = {"batch": config.training.batch, "devices": config.training.devices}
        judged, words = evaluate(found.potential, test, group=config.data.group, **options), "test structures"
        report["test"] = judged.to_dict()
    with contextlib.suppress(FileNotFoundError):
        (out / "parity.png").unlink()
    if judged is not None:
        parity_figure(judged, title=f"Predictions and labels: {words}").savefig(out / "parity.png")
