"""From 3BPA to acetylacetone: what each recipe learns, and what it forgets.

    GEOEMBED_DATA=FOLDER python experiments/finetune/run.py --work FOLDER [--frames 25 100] [--seeds 1] [--only NAME]
        [--until HH:MM]

A potential is trained on 3BPA once and kept in the work folder. Every recipe then fine-tunes it on acetylacetone by
`geoembed.atoms.finetune`. A row for each is added to results/recipes.jsonl; rows that are there are not measured again,
and none is begun after --until. The last line printed is the table as JSON.
"""

import argparse
import datetime
import hashlib
import json
import os
import sys
import time
import tomllib
from pathlib import Path
from typing import Any

import jax

from geoembed import load, save
from geoembed.atoms import (
    Frame,
    Replay,
    Training,
    finetune,
    fit,
    read_extxyz,
    split,
    statistics,
    untrained_mace,
    usual_rate,
)

HERE = Path(__file__).resolve().parent
CONFIG = tomllib.loads((HERE / "config.toml").read_text())
STAMP = hashlib.sha256((HERE / "config.toml").read_bytes()).hexdigest()[:12]
ROWS = HERE / "results" / "recipes.jsonl"
ARMS: dict[str, tuple[str, str | None]] = {  # recipe, and who labels the structures that are replayed
    "naive": ("naive", None),
    "low_rank": ("low_rank", None),
    "naive, replay": ("naive", "file"),
    "low_rank, replay": ("low_rank", "file"),
    "rows+low_rank": ("rows+low_rank", None),
    "last_layer": ("last_layer", None),
    "rows": ("rows", None),
    "naive, pseudo-labels": ("naive", "potential"),
}


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--work", type=Path, required=True, help="where the potential is kept")
    parser.add_argument("--frames", nargs="+", type=int, default=CONFIG["new"]["train"])
    parser.add_argument("--seeds", type=int, default=1, help="how many draws of structures")
    parser.add_argument("--only", choices=ARMS, help="one recipe")
    parser.add_argument("--until", help="begin no row after this time of day, HH:MM")
    options = parser.parse_args()
    options.work.mkdir(parents=True, exist_ok=True)
    jax.config.update("jax_compilation_cache_dir", str(options.work / "programs"))
    for seed in range(options.seeds):
        for count in options.frames:
            for name in ARMS:
                late = options.until and datetime.datetime.now().strftime("%H:%M") >= options.until
                if options.only in (None, name) and not late:
                    row(name, count, seed, options.work)
    print(json.dumps(table()))


def rows() -> list[dict[str, Any]]:
    """What was measured."""
    return [json.loads(line) for line in ROWS.read_text().splitlines()] if ROWS.exists() else []


def row(name: str, count: int, seed: int, work: Path) -> None:
    """One recipe; nothing where it was measured already."""
    identity = {"arm": name, "frames": count, "seed": seed, "config": STAMP}
    if any(known.items() >= identity.items() for known in rows()):
        return
    found = identity | {"load": round(os.getloadavg()[0], 1)} | measured(*ARMS[name], count, seed, work)
    ROWS.parent.mkdir(exist_ok=True)
    with ROWS.open("a", encoding="utf-8") as file:
        file.write(json.dumps(found) + "\n")
    print(json.dumps(found), file=sys.stderr, flush=True)


def measured(recipe: Any, labels: Any, count: int, seed: int, work: Path) -> dict[str, Any]:
    """One fine-tuning and its errors, meV/atom and meV/Å (RMSE)."""
    began, asked = time.process_time(), CONFIG["after"]
    (old_train, _, old_test), potential = old(), before(work)
    first = read("acac", "train_300K")
    valid, train = split(first, (CONFIG["new"]["valid"], count), seed=seed)
    (test,) = split(read("acac", "test_MD_300K"), (CONFIG["new"]["test"],), seed=0)
    settings = Training(
        epochs=asked["steps"] * asked["batch"] // count, batch=asked["batch"], rate=usual_rate(recipe),
        validate=asked["validate"],
    )  # fmt: skip
    replay = None if labels is None else Replay(old_train, share=CONFIG["replay"]["share"], labels=labels)
    found = finetune(
        potential, train, valid, key=jax.random.key(seed), recipe=recipe, energies="all", test=test, old=old_test,
        replay=replay, settings=settings,
    )  # fmt: skip
    assert found.new is not None
    assert found.old is not None
    figures = {
        f"{domain}_{when}": {
            kind: round(1e3 * getattr(errors, kind).rmse, 2) for kind in ("energy", "forces")
        }
        for domain, compared in (("new", found.new), ("old", found.old))
        for when, errors in (("before", compared.before.errors), ("after", compared.after.errors))
    }
    changes = {kind: round(found.old.change(kind) or 0.0, 4) for kind in ("energy", "forces")}
    trained = found.start.trained
    return {
        "recipe": recipe, "replay": labels, "rate": settings.rate, "trained": trained.count, "of": trained.total,
        "status": found.fit.status, "epochs": settings.epochs, "best_epoch": found.fit.best_epoch,
        "steps": found.fit.steps, "cpu": round(time.process_time() - began, 1), **figures, "old_change": changes,
    }  # fmt: skip


def before(work: Path) -> Any:
    """The potential of 3BPA, trained or kept."""
    folder = work / f"before-{STAMP}"
    if not folder.exists():
        train, valid, _ = old()
        asked = CONFIG["potential"]
        found = statistics([*read("3bpa", "iso_atoms"), *train], asked["cutoff"])
        potential = untrained_mace(found, key=jax.random.key(0), **asked)
        result = fit(potential, train, valid, key=jax.random.key(0), settings=Training(**CONFIG["before"]))
        save(folder, result.potential)
    return load(folder)


def old() -> list[list[Frame]]:
    """3BPA to learn from, to judge by and to test with."""
    asked = CONFIG["old"]
    return split(read("3bpa", "train_300K"), (asked["train"], asked["valid"], asked["test"]), seed=0)


def read(molecule: str, name: str) -> list[Frame]:
    return read_extxyz(Path(os.environ["GEOEMBED_DATA"]) / "atoms" / molecule / f"{name}.xyz.gz")


def table() -> dict[str, Any]:
    """Force errors and forgetting of each row."""
    return {
        f"{one['arm']}, {one['frames']}, seed {one['seed']}": {
            "forces": one["new_after"]["forces"], "old_forces_change": one["old_change"]["forces"]
        }
        for one in rows()
        if one["config"] == STAMP
    }  # fmt: skip


if __name__ == "__main__":
    main()
