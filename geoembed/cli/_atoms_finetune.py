"""One fine-tuning: a configuration and a potential in; a potential, a report of what it forgot, and a log out."""

from pathlib import Path
from typing import Any

import jax

from ..atoms import (
    FineTuned,
    FineTuningStart,
    FitProgress,
    Frame,
    Replay,
    atomic_number,
    finetune,
    read_extxyz,
    read_rmd17,
    usual_rate,
)
from ..core import InputError, save
from ..plot import learning_figure, parity_figure
from ..train import StopRequest
from ._atoms_data import read_potential, read_structures
from ._atoms_finetune_config import FinetuneConfig
from ._atoms_finetune_report import finetune_page, start_lines
from ._atoms_progress import FitShown
from ._atoms_report import finite
from ._atoms_train import at_its_rule, clear_earlier_run, file_of, labels_of, structures_of
from ._read_config import place_of, read_toml
from ._recipe_evidence import evidence, recommendation
from ._report import sha256, versions, write_report
from ._run import Interrupted, make_folder


def run_finetuning(config_file: Path, out: Path, *, seed: int, resume: bool, quiet: bool) -> dict[str, Any]:
    """Fine-tunes as a configuration describes and writes everything to a folder.

    Args:
        config_file: The configuration.
        out: The folder; made if it is not there.
        seed: Decides all random choices.
        resume: Continue the run whose checkpoint is in the folder.
        quiet: Show no progress.

    Returns:
        The report.

    Raises:
        InputError: The configuration, the potential, the structures or the folder cannot be used.
        Interrupted: The run was stopped; its checkpoint is in the folder.
    """
    config = read_toml(config_file, FinetuneConfig)
    before = read_potential(file_of(config_file, ("tuning", "start"), config.tuning.start))
    with FitShown(config_file.stem, quiet=quiet) as shown:
        train, valid, test = structures_of(config_file, config.data, seed)
        old, replay = _old(config_file, config)
        _check(config_file, config, before, (train, valid, test))
        make_folder(out)
        clear_earlier_run(out, resume, shown)
        advice = recommendation(evidence(), frames=len(train), new=bool(config.new), recipe=config.recipe)
        shown.phase("adding elements, fitting energies, judging what is there")
        try:
            found = _tune(config, before, train, valid, test, old, replay, out, seed, resume, shown)
        except InputError as error:
            raise _placed(config_file, config, error) from error
        if found.fit.status == "interrupted":
            raise Interrupted(f"stopped; go on with --resume --out {out}")
        shown.phase("drawing")
        save(out / "model", found.potential, meta={"seed": seed, "config": config.model_dump(mode="json")})
        report = finite(_report(config_file, config, found, (train, valid, test, old), advice, seed))
        write_report(out / "report.json", report)
        (out / "report.md").write_text(finetune_page(report), encoding="utf-8")
        _draw(found, out)
    return report


def _tune(
    config: FinetuneConfig,
    before: Any,
    train: list[Frame],
    valid: list[Frame],
    test: list[Frame],
    old: list[Frame],
    replay: Replay | None,
    out: Path,
    seed: int,
    resume: bool,
    shown: FitShown,
) -> FineTuned:
    tuning, training = config.tuning, config.training

    def started(start: FineTuningStart) -> None:
        for line in start_lines(start):
            shown.say(line)
        shown.phase("finding neighbours and compiling")

    def told(progress: FitProgress) -> None:
        shown.report(progress)

    with StopRequest() as stop:
        return finetune(
            before,
            train,
            valid,
            key=jax.random.key(seed),
            new=[own.made(symbol) for symbol, own in config.new.items()],
            recipe=config.recipe,
            rules=[table.made() for table in config.trainable] or None,
            rank=tuning.rank,
            energies=tuning.energies,
            isolated={atomic_number(symbol): energy for symbol, energy in tuning.isolated.items()},
            test=test,
            old=old,
            replay=replay,
            settings=training.tuned(usual_rate(config.recipe)),
            folder=out,
            resume=resume,
            devices=training.devices,
            time_limit=training.time_limit,
            group=config.data.group,
            on_start=started,
            callback=told,
            should_stop=lambda: bool(stop),
        )


def _old(file: Path, config: FinetuneConfig) -> tuple[list[Frame], Replay | None]:
    """The structures of the old domain: to measure forgetting with, and to replay."""
    asked, labels = config.old, labels_of(file, config.data)
    old = []
    if asked.test is not None:
        old = read_structures(file_of(file, ("old", "test"), asked.test), None, labels)
    if asked.replay is None:
        return old, None
    path = file_of(file, ("old", "replay"), asked.replay)
    if asked.labels == "file":
        frames = read_structures(path, None, labels)
    else:
        frames = read_rmd17(path) if path.suffix == ".npz" else read_extxyz(path)
    return old, Replay(frames, asked.share, asked.weight, asked.labels)


def _check(file: Path, config: FinetuneConfig, before: Any, structures: tuple[list[Frame], ...]) -> None:
    """Raises InputError when an element is new and not said to be, or said to be and is not."""
    numbers = getattr(before, "numbers", None)
    if numbers is None:
        return
    known = {number for number in numbers.tolist() if number}
    for symbol in config.new:
        if atomic_number(symbol) in known:
            place = place_of(file, ("new", symbol))
            raise InputError(file, place, f"the potential knows {symbol} already", "Leave it out of [new]")
    wanted = known | {atomic_number(symbol) for symbol in config.new}
    for name, frames in zip(("train", "valid", "test"), structures, strict=True):
        source = file.parent / (getattr(config.data, name) or config.data.train)
        for place, frame in enumerate(frames):
            strange = [
                s for s, z in zip(frame.symbols, frame.numbers.tolist(), strict=True) if z not in wanted
            ]
            if strange:
                where = f"line {frame.line}" if frame.line else f"frame {place}"
                reason = f"the potential does not know the element {strange[0]}"
                hint = f'Add it in the configuration: [new.{strange[0]}], for example with like = "…"'
                raise InputError(source, where, reason, hint)


def _placed(file: Path, config: FinetuneConfig, error: InputError) -> InputError:
    """An error about a rule or a new element as one about its line in the configuration."""
    if config.trainable and error.where.startswith("trainable["):
        return at_its_rule(file, error)
    named = [symbol for symbol in config.new if symbol == error.where]
    if named and str(error.file) in ("add_element", "energies", "new element"):
        return InputError(file, place_of(file, ("new", named[0])), error.reason, error.hint)
    return error


def _report(
    file: Path,
    config: FinetuneConfig,
    found: FineTuned,
    structures: tuple[list[Frame], ...],
    advice: dict[str, Any],
    seed: int,
) -> dict[str, Any]:
    said = (("train", config.data.train), ("valid", config.data.valid), ("test", config.data.test),
            ("old.test", config.old.test), ("old.replay", config.old.replay))  # fmt: skip
    counts = dict(zip(("train", "valid", "test", "old"), map(len, structures), strict=True))
    fit, start = found.fit, found.start
    return {
        "status": fit.status,
        "epochs": fit.history[-1]["epoch"] if fit.history else 0,
        "best_epoch": fit.best_epoch,
        "steps": fit.steps,
        "seconds": fit.seconds,
        "start": config.tuning.start,
        "recipe": config.recipe or "rules",
        "rate": start.settings.rate,
        "trained": start.trained.count,
        "parameters": start.trained.total,
        "what_trains": [line.to_dict() for line in start.trained.table],
        "new_elements": list(config.new),
        "energies": None if start.energies is None else start.energies.to_dict(),
        "structures": {**counts, "replayed": start.replayed},
        "new": None if found.new is None else found.new.to_dict(),
        "old": None if found.old is None else found.old.to_dict(),
        "forgetting": None if found.old is None else found.old.forgetting,
        "recommendation": advice,
        "history": list(fit.history),
        "seed": seed,
        "input_sha256": {"config": sha256(file)}
        | {name: sha256(file.parent / value) for name, value in said if value is not None}
        | {"start": sha256(file.parent / config.tuning.start / "manifest.json")},
        "versions": versions(),
        "config": config.model_dump(mode="json"),
    }


def _draw(found: FineTuned, out: Path) -> None:
    learning_figure(found.fit.history, best=found.fit.best_epoch).savefig(out / "learning.png")
    if found.new is not None:
        parity_figure(found.new.after, title="Predictions and labels: new domain").savefig(out / "parity.png")
