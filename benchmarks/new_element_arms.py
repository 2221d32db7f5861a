"""The arms of benchmarks/new_element.py: what a run starts from, what it trains, and how it is judged."""

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import jax
import numpy as np
from new_element_data import CONFIG, NEW, SMALL, buckets, energies, labelled, remembered, tests, valid
from new_element_models import in_float64, settings, untrained, with_energies

from geoembed.atoms import Evaluation, Frame, MacePotential, add_element, evaluate, fit, statistics, trainable
from geoembed.train import Train

SYMBOL, LIKE = "W", "Mo"
_VALIDATIONS = 20  # in a run; one where steps are timed


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
    """A row without training: errors, with an E0 that is guessed from the known elements."""
    potential = added(arm, before, None, 0)
    e0 = dict(zip(potential.numbers.tolist(), np.asarray(potential.energies).tolist(), strict=True))
    return {"e0": round(e0[NEW], 4), "errors": errors(potential)}


def untouched(arm: Arm, before: MacePotential) -> dict[str, Any]:
    """What the addition changes for structures without W, in float64."""
    with jax.enable_x64(True):
        exact, some = in_float64(before), tests("old")[::10]
        return {"old_changed": changed(exact, added(arm, exact, None, 0), some)}


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
        figures["old_changed"] = changed(start, potential, tests("old")[::3])
    return figures | {"e0": round(energies(frames)[NEW], 4), "errors": errors(potential)}


def trained(
    start: MacePotential,
    frames: list[Frame],
    rules: list[Train] | None,
    seconds: float,
    rate: float,
    seed: int,
) -> tuple[MacePotential, dict[str, Any]]:
    """Trains for so many CPU seconds of this process; how many epochs there is time for is measured before."""

    def go(frames: Sequence[Frame], epochs: int, validations: int = 1, until: float = np.inf) -> Any:
        own = settings(epochs, rate, validations)
        return fit(
            start, frames, valid(), key=jax.random.key(seed), settings=own, trainable=rules,
            buckets=buckets(), group="set", should_stop=lambda: time.process_time() > until,
        )  # fmt: skip

    kind = (start.encoder.elements.vectors.shape, repr(rules))
    if kind not in _COSTS:
        _COSTS[kind] = _cost(go)
    epochs = max(1, round(seconds / (_COSTS[kind] * sum(map(_weight, frames)))))
    began = time.process_time()
    result = go(frames, epochs, _VALIDATIONS, began + 1.2 * seconds)
    cpu = round(time.process_time() - began, 1)
    best = min((record["score"] for record in result.history), default=None)
    said = {"cpu": cpu, "epochs": epochs, "steps": result.steps, "best_epoch": result.best_epoch}
    return result.potential, said | {"score": best, "status": result.status}


_COSTS: dict[Any, float] = {}  # CPU seconds of a step with a small structure


def _weight(frame: Frame) -> float:
    """What a step costs beside one with a small structure: slots of neighbours."""
    small, large = (atoms * slots for atoms, slots in buckets().shapes)
    return 1.0 if len(frame.numbers) <= SMALL else large / small


def _cost(go: Callable[[Sequence[Frame], int], Any]) -> float:
    """Measures steps by runs of more and fewer epochs, compilation apart: it is the first of them that compiles.

    The four structures have both shapes and, as those of every run, all four elements: so have the programs.
    """
    frames = [frame for frame in labelled(5, 0) if frame.info["set"] != "W_Elastic"]
    assert len({z for frame in frames for z in frame.numbers.tolist()}) == 4
    times = []
    for epochs in (1, 1, 7):
        began = time.process_time()
        go(frames, epochs)
        times.append(time.process_time() - began)
    return max(1e-4, (times[2] - times[1]) / (6 * sum(map(_weight, frames))))


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
