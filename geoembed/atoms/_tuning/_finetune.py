"""Fine-tuning: elements added, energies fitted, a recipe of what trains, and what is forgotten."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

import jax
import numpy as np
from jaxtyping import PRNGKeyArray

from ...core import InputError, host_generator
from ...train import Train, Trainable
from .._add_element import add_element
from .._frame import Frame
from .._training._evaluate import Evaluation, check_labels, evaluate
from .._training._fit import fit
from .._training._fit_result import FitProgress, FitResult
from .._training._interaction import check_elements
from .._training._settings import Training
from .._training._trainable import trainable
from ._comparison import Comparison
from ._energies import EnergyChange, refit_energies
from ._recipes import recipe_rules, usual_rate
from ._replay import moved, pseudo_labelled, replayed
from ._settings import NewElement, Recipe, Replay

_DRAW = 2**31 + 2  # folded into the key: which structures are replayed


@dataclass(frozen=True, eq=False)
class FineTuningStart:
    """What a fine-tuning begins with.

    Args:
        potential: With the new elements and the fitted energies.
        rules: What trains; None for what `fit` trains without any.
        trained: The same applied to the potential; its text is a table.
        energies: What became of the energies of isolated atoms; None where they are kept.
        train: The structures to learn from, with those that are replayed.
        replayed: How many of them are of the old domain.
        settings: The options of the training.
        new: Errors on the new domain before any training.
        old: Errors of the potential as it was given on the old domain; None without such structures.
    """

    potential: Any
    rules: Sequence[Train] | None
    trained: Trainable
    energies: EnergyChange | None
    train: list[Frame]
    replayed: int
    settings: Training
    new: Evaluation
    old: Evaluation | None


@dataclass(frozen=True, eq=False)
class FineTuned:
    """What `finetune` found.

    Args:
        potential: The best potential, in the same form as the one that was given.
        start: What it began with.
        fit: How the training went.
        new: The new domain before and after; None when interrupted. So for the old.
        old: The old domain before and after; None without such structures.
    """

    potential: Any
    start: FineTuningStart
    fit: FitResult
    new: Comparison | None
    old: Comparison | None


def finetune(
    potential: Any,
    train: Sequence[Frame],
    valid: Sequence[Frame],
    *,
    key: PRNGKeyArray,
    new: Sequence[NewElement] = (),
    recipe: Recipe | None = "rows+low_rank",
    rules: Sequence[Train] | None = None,
    rank: int = 4,
    energies: Literal["new", "all", "keep"] = "new",
    isolated: Mapping[int, float] | None = None,
    test: Sequence[Frame] = (),
    old: Sequence[Frame] = (),
    replay: Replay | None = None,
    settings: Training | None = None,
    folder: str | Path | None = None,
    resume: bool = False,
    devices: int = 1,
    time_limit: float | None = None,
    group: str = "config_type",
    on_start: Callable[[FineTuningStart], None] | None = None,
    callback: Callable[[FitProgress], None] | None = None,
    should_stop: Callable[[], bool] | None = None,
) -> FineTuned:
    """Teaches a potential something new, and measures what it forgets.

    New elements are added, energies of isolated atoms are fitted to the structures by `refit_energies`, and then `fit`
    trains what the recipe says. What it does not name has the same bits afterwards.

    Args:
        potential: The potential to go on from.
        train: Structures of the new domain to learn from.
        valid: Structures of the new domain to judge by, which decides what is kept and when training ends.
        key: Random key; decides the order of the structures and which are replayed.
        new: Elements to be added.
        recipe: What trains, see `recipe_rules`; None with `rules`.
        rules: Rules in the place of a recipe, as `fit` takes them for `trainable`.
        rank: Of the changes of the recipes with low rank.
        energies: Which energies of isolated atoms are fitted: those of the "new" elements; of "all" elements of the
            training structures, where labels come from another method of computation; or none, "keep".
        isolated: Energies of isolated atoms that are known, by atomic number, eV.
        test: Structures of the new domain that nothing is learned from or chosen by; None are needed: `valid` is
            judged then.
        old: Labelled structures of the old domain by which forgetting is measured. Where E0 of an element moves, their
            energies are compared from the new zero.
        replay: Structures of the old domain that are learned again.
        settings: The options of `fit`; None for 100 epochs at the `usual_rate` of the recipe, with a patience of 20.
        folder: Where `log.jsonl` and the checkpoint are kept; so for the following, see `fit`.
        resume: Continue the run whose checkpoint is in the folder.
        devices: How many devices share a batch.
        time_limit: Stop after this time, s.
        group: The value of the comment line that says to which group a structure belongs.
        on_start: Receives what the fine-tuning begins with, before the first step.
        callback: Receives a `FitProgress` now and then.
        should_stop: Asked now and then; True ends the run, which can be resumed.

    Returns:
        The best potential, and the errors before and after.

    Raises:
        InputError: An element is unknown, known already, in no training structure or without an E0; labels are missing;
            a rule selects nothing; or the checkpoint is of another run.
    """
    settings = Training(rate=usual_rate(recipe), patience=20) if settings is None else settings
    for frames, name in ((train, "training structures"), (valid, "validation structures")):
        check_labels(frames, name)
    options: dict[str, Any] = {"batch": settings.batch, "devices": devices}
    before = potential
    potential, change = _prepared(potential, train, new, energies, dict(isolated or {}), settings.batch)
    judged = list(test) or list(valid)
    for frames, name in ((train, "training structures"), (judged, "structures to judge by")):
        check_elements(potential, frames, name)
    again = _replayed(before, replay, len(train), change, settings.batch, key)
    if recipe is not None:
        names = [own.symbol for own in new] or sorted({s for frame in train for s in frame.symbols})
        rules = recipe_rules(recipe, rows=names, rank=rank)
    start = FineTuningStart(
        potential,
        rules,
        trainable(potential, rules),
        change,
        [*train, *again],
        len(again),
        settings,
        evaluate(potential, judged, group=group, **options),
        evaluate(before, old, group=group, **options) if old else None,
    )
    if on_start is not None:
        on_start(start)
    found = fit(
        potential, start.train, valid, key=key, settings=settings, folder=folder, resume=resume, trainable=rules,
        devices=devices, time_limit=time_limit, group=group, callback=callback, should_stop=should_stop,
    )  # fmt: skip
    if found.status == "interrupted":
        return FineTuned(found.potential, start, found, None, None)
    after = evaluate(found.potential, judged, group=group, **options)
    forgotten = None
    if start.old is not None:
        shifted = old if change is None else moved(old, change)
        forgotten = Comparison(start.old, evaluate(found.potential, shifted, group=group, **options))
    return FineTuned(found.potential, start, found, Comparison(start.new, after), forgotten)


def _prepared(
    potential: Any,
    train: Sequence[Frame],
    new: Sequence[NewElement],
    energies: Literal["new", "all", "keep"],
    isolated: dict[int, float],
    batch: int,
) -> tuple[Any, EnergyChange | None]:
    """The potential with the new elements and the energies that suit the structures."""
    there = {number for frame in train for number in frame.numbers.tolist()}
    for own in new:
        if own.number not in there:
            reason = f"no training structure contains {own.symbol}"
            raise InputError("new element", own.symbol, reason, "Leave it out, or give structures with it")
        potential = _added(potential, own, train)
    known = isolated | {own.number: own.e0 for own in new if own.e0 is not None}
    wanted = {"new": [own.number for own in new], "all": sorted(there), "keep": []}[energies]
    if not wanted and not known:
        return potential, None
    return refit_energies(potential, train, elements=wanted, known=known, batch=batch)


def _added(potential: Any, new: NewElement, train: Sequence[Frame]) -> Any:
    """The potential with another element; its E0, if not given, is fitted later, with those of all others."""
    frames = None
    if new.like is None and new.vector is None:
        known = {*np.asarray(potential.numbers).tolist(), new.number}
        frames = [frame for frame in train if known.issuperset(frame.numbers.tolist())]
    vector = np.array(new.vector) if isinstance(new.vector, tuple) else new.vector
    return add_element(potential, new.symbol, like=new.like, vector=vector, frames=frames, e0=new.e0)


def _replayed(
    before: Any, replay: Replay | None, train: int, change: EnergyChange | None, batch: int, key: PRNGKeyArray
) -> list[Frame]:
    """The structures of the old domain that are learned again, with their labels."""
    if replay is None:
        return []
    check_elements(before, replay.frames, "structures to replay")
    seed = int(host_generator(jax.random.fold_in(key, _DRAW)).integers(2**31))
    drawn = replayed(replay.frames, max(1, round(replay.share * train)), weight=replay.weight, seed=seed)
    if replay.labels == "potential":
        drawn = pseudo_labelled(before, drawn, batch=batch)
    return drawn if change is None else moved(drawn, change)
