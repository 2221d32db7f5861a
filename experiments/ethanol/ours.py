"""Trains our potential in a process of its own; see run.py.

    python ours.py TASK SECONDS SEED

Every validation prints one line of JSON, and the end another. TASK is a folder with task.npz and task.json.
"""

import sys
from dataclasses import replace
from pathlib import Path

import jax
import numpy as np
from task import Clock, say, task_of

from geoembed.atoms import FitProgress, Frame, Stage, Training, evaluate, fit, statistics, untrained_mace


def main() -> None:
    clock, (folder, seconds, seed) = Clock(), sys.argv[1:]
    settings, arrays = task_of(Path(folder))
    parts = {name: frames(arrays, name) for name in ("train", "valid", "test")}
    training = Training(
        epochs=1_000_000, stages=(Stage(**settings["loss"]),), **settings["training"]
    )  # fmt: skip
    found = statistics(parts["train"], settings["potential"]["cutoff"])
    potential = untrained_mace(found, key=jax.random.key(int(seed)), **settings["potential"])
    scales = {"scale": found.force_scale, "shift": found.shift, "neighbours": found.neighbours}
    say(kind="start", cpu=clock.now(), **scales)
    some = parts["test"][: settings["data"]["test"]]

    def judge(progress: FitProgress) -> None:
        if progress.record is None:
            return
        cpu, record = clock.now(), progress.record
        with clock.stopped():
            errors = evaluate(progress.potential, some, batch=50).errors
            test = {"test_forces": errors.forces.mae, "test_energy": errors.energy.mae}
        own = {"valid_forces": record["forces_mae"], "rate": record["rate"], "loss": record["loss"]}
        say(kind="point", epoch=record["epoch"], cpu=cpu, **own, **test)

    result = fit(
        potential, parts["train"], parts["valid"], key=jax.random.key(int(seed)), settings=training,
        callback=judge, should_stop=lambda: clock.now() > float(seconds),
    )  # fmt: skip
    errors = evaluate(result.potential, parts["test"], batch=50).errors
    kept = {"epoch": result.best_epoch, "test_forces": errors.forces.mae, "test_energy": errors.energy.mae}
    say(kind="end", cpu=clock.now(), steps=result.steps, **kept)


def frames(arrays: dict[str, np.ndarray], part: str) -> list[Frame]:
    """The structures of one part of the task."""
    first = Frame(arrays["numbers"], np.zeros((len(arrays["numbers"]), 3)), None, np.zeros(3, bool))
    rows = zip(*(arrays[f"{part}_{name}"] for name in ("positions", "energy", "forces")), strict=True)
    return [replace(first, positions=x, energy=float(e), forces=f) for x, e, f in rows]


if __name__ == "__main__":
    main()
