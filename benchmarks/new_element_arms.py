"""The arms of benchmarks/new_element.py: what a run starts from, what it trains, and how it is judged."""

import time
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import jax
import numpy as np
from new_element_data import CONFIG, NEW, buckets, energies, labelled, remembered, tests, valid
from new_element_models import in_float64, settings, untrained, with_energies

from geoembed.atoms import Evaluation, Frame, MacePotential, add_element, evaluate, fit, statistics, trainable
from geoembed.train import Train

SYMBOL, LIKE = "W", "Mo"
_CALIBRATION = 100  # steps by which the time of an epoch is measured


@dataclass(frozen=True)
class Arm:
    """How W comes into a potential.

    Args:
        letter: By which the list of arms calls it.
        family: "tables", weights for each element, or "vectors", from which they are made.
        start: What W is before training: "scratch" (and all else), "random", "copy" of Mo, or "properties".
        trains: "all", "row" or "row and low rank".
        replay: Whether structures of the training before are seen too.
    """

    letter: str
    family: str
    start: str
    trains: str
    replay: bool = False


ARMS = {
    "scratch": Arm("a", "tables", "scratch", "all"),
    "random": Arm("b", "tables", "random", "all"),
    "copy": Arm("c", "tables", "copy", "all"),
    "row": Arm("d", "vectors", "properties", "row"),
    "row_lora": Arm("e", "vectors", "properties", "row and low rank"),
    "replay": Arm("f", "vectors", "properties", "row and low rank", replay=True),
}
ZERO_SHOT = {
    "properties": Arm("", "vectors", "properties", ""),
    "vector of Mo": Arm("", "vectors", "copy", ""),
    "table of Mo": Arm("", "tables", "copy", ""),
}


def started(arm: Arm, before: MacePotential, frames: Sequence[Frame], seed: int) -> MacePotential:
    """The potential before training, with the E0 that all arms share."""
    e0 = energies(frames)
    if arm.start == "scratch":
        found = statistics(frames, before.cutoff)
        return with_energies(untrained(arm.family, found, jax.random.key(100 + seed)), e0)
    return with_energies(added(arm, before, e0[NEW], seed), e0)


def added(arm: Arm, before: MacePotential, e0: float | None, seed: int) -> MacePotential:
    """The potential before with W added; E0 None: guessed from the known ones."""
    source: dict[str, Any] = {
        "random": {"key": jax.random.key(200 + seed)},
        "copy": {"like": LIKE},
        "properties": {"vector": "properties"},
    }[arm.start]
    return add_element(before, SYMBOL, e0=e0, wide=arm.family == "tables", **source)


def without_structures(arm: Arm, before: MacePotential) -> dict[str, Any]:
    """A row without training: errors, and what the addition changes for structures without W, in float64."""
    potential = added(arm, before, None, 0)
    with jax.enable_x64(True):
        exact = in_float64(before)
        some = tests("old")[::10]
        untouched = changed(exact, added(arm, exact, None, 0), some)
    e0 = dict(zip(potential.numbers.tolist(), np.asarray(potential.energies).tolist(), strict=True))
    return {"e0": round(e0[NEW], 4), "old_changed_float64": untouched, "errors": errors(potential)}


def rules_of(arm: Arm, rate: float) -> list[Train] | None:
    """What is trained; None: all that MACE trains."""
    if arm.trains == "all":
        return None
    row = Train("elements", rows=[SYMBOL], rate=CONFIG["rates"]["row"] / rate)
    if arm.trains == "row":
        return [row]
    return [row, Train("*", but=("elements", "scale", "shift"), rank=CONFIG["lora"]["rank"])]


def run(
    arm: Arm, before: MacePotential, count: int, seed: int, seconds: float, rate: float
) -> dict[str, Any]:
    """One row: trains for so many CPU seconds on so many structures, and judges."""
    frames = labelled(count, seed)
    start = started(arm, before, frames, seed)
    rules = rules_of(arm, rate)
    used = frames + remembered(CONFIG["replay"]["frames"], seed) if arm.replay else frames
    potential, figures = trained(start, used, rules, seconds, rate, seed)
    figures["trained"] = trainable(start, rules).count
    if arm.trains == "row":
        figures["old_changed"] = changed(start, potential, tests("old"))
    return figures | {"e0": round(energies(frames)[NEW], 4), "errors": errors(potential)}


def trained(
    start: MacePotential,
    frames: list[Frame],
    rules: list[Train] | None,
    seconds: float,
    rate: float,
    seed: int,
) -> tuple[MacePotential, dict[str, Any]]:
    """Trains for so many CPU seconds of this process.

    A first epoch compiles; some more say how long one takes, and so how many there is time for: the learning rate falls
    to 0 over them.
    """

    def go(epochs: int, until: float = np.inf) -> Any:
        return fit(
            start, frames, valid(), key=jax.random.key(seed), settings=settings(epochs, rate), trainable=rules,
            buckets=buckets(), group="set", should_stop=lambda: time.process_time() > until,
        )  # fmt: skip

    go(1)
    some = -(-_CALIBRATION // len(frames))
    began = time.process_time()
    go(some)
    epochs = max(1, round(seconds * some / (time.process_time() - began)))
    began = time.process_time()
    result = go(epochs, began + 1.2 * seconds)
    best = min(record["score"] for record in result.history)
    cpu = round(time.process_time() - began, 1)
    said = {
        "cpu": cpu,
        "epochs": epochs,
        "steps": result.steps,
        "best_epoch": result.best_epoch,
        "score": best,
    }
    return result.potential, said | {"status": result.status}


def errors(potential: MacePotential) -> dict[str, dict[str, float]]:
    """Root mean square errors on each test set that the potential knows the elements of."""
    known = set(potential.numbers.tolist())
    frames = [f for kind in ("new", "old") for f in tests(kind) if known.issuperset(f.numbers.tolist())]
    said = evaluate(potential, frames, batch=1, group="set")
    names = np.array([frame.info["set"] for frame in frames])
    return {str(name): of_set(said, str(name), names == name) for name in dict.fromkeys(names)}


def of_set(said: Evaluation, name: str, own: np.ndarray) -> dict[str, float]:
    """meV/atom and meV/Å; `spread` is the error of the energy without its mean, which another E0 would mend."""
    found, differences = said.by_group[name], np.diff(said.energy[own])[:, 0]
    assert found.energy.rmse is not None
    assert found.forces.rmse is not None
    values = {"energy": found.energy.rmse, "spread": float(differences.std()), "forces": found.forces.rmse}
    return {key: round(1e3 * value, 2) for key, value in values.items()}


def changed(one: MacePotential, two: MacePotential, frames: Sequence[Frame]) -> float:
    """The largest difference between what two potentials say: of energies, eV/atom, and forces, eV/Å."""
    said = [evaluate(potential, frames, batch=1, group="set") for potential in (one, two)]
    parts = [(getattr(said[0], name), getattr(said[1], name)) for name in ("energy", "forces")]
    return max(float(np.abs(a[:, 1] - b[:, 1]).max()) for a, b in parts)
