"""Does choosing structures beat drawing them? Acetylacetone, a pool of 300 K with a few of 600 K in it.

    GEOEMBED_DATA=FOLDER python experiments/select/run.py [--case mixed|even] [--seeds 4] [--arm NAME] [--seconds 600]

A potential learns from 30 structures; each arm chooses 15 of the pool, and a new potential learns from the 45. Rows go
to results/acac.jsonl as they are measured, and those that are there are kept: run it again to go on after --seconds.
Draws results/CASE.png and prints the tables of the README. In the case even all structures are of 600 K.
"""

import argparse
import hashlib
import json
import os
import sys
import time
import tomllib
from dataclasses import replace
from pathlib import Path
from typing import Any

import jax
import matplotlib
import numpy as np
from matplotlib import pyplot as plt

from geoembed.atoms import (
    Committee,
    Frame,
    Training,
    calibration,
    evaluate,
    fit,
    posterior,
    read_extxyz,
    select,
    split,
    statistics,
    untrained_mace,
)

HERE = Path(__file__).resolve().parent
sys.path.insert(0, str(HERE.parents[1] / "benchmarks"))
from rows import commit, row  # noqa: E402

ROWS = HERE / "results" / "acac.jsonl"
CONFIGS = {"mixed": HERE / "config.toml", "even": HERE / "even.toml"}
ARMS = ("random", "farthest", "uncertainty", "weighted", "determinant")
SETS = ("300K", "600K", "dihedral", "transfer")
MEMBERS = 4


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--case", choices=CONFIGS, default="mixed", help="what is in the pool")
    parser.add_argument("--seeds", type=int, default=4, help="how often everything is drawn anew")
    parser.add_argument("--arm", choices=("start", "committee", *ARMS), help="one of them only")
    parser.add_argument("--seconds", type=float, default=600.0, help="no new run after so many CPU seconds")
    options = parser.parse_args()
    matplotlib.use("Agg")
    config = tomllib.loads(CONFIGS[options.case].read_text())
    stamp = hashlib.sha256(CONFIGS[options.case].read_bytes()).hexdigest()[:12]
    for seed in range(options.seeds):
        study = Study(seed, config)
        for arm in ("start", *ARMS, "committee"):
            if time.process_time() > options.seconds:
                break
            if options.arm in (None, arm) and (arm != "committee" or seed == 0):
                identity = {"case": "acac", "config": stamp, "seed": seed, "arm": arm}
                found = row(ROWS, identity, lambda arm=arm, study=study: study.measure(arm), again=False)
                print(json.dumps(found), file=sys.stderr)
    rows = [json.loads(line) for line in ROWS.read_text().splitlines()]
    report([one for one in rows if one["config"] == stamp], options.case)


class Study:
    """The structures of one seed, and the potential that they begin with, which is trained when it is first needed."""

    def __init__(self, seed: int, config: dict[str, Any]):
        self.seed, self.config, data = seed, config, config["data"]
        folder = Path(os.environ["GEOEMBED_DATA"]) / "atoms" / "acac"
        half, home = data["scale"] // 2, data["home"]
        own, self.start, self.valid, scale = split(
            _read(folder / f"train_{home}.xyz.gz", home),
            (data["pool"], data["start"], data["valid"], half),
            seed=seed,
        )
        hot, more = [], []
        if data["pool_hot"]:
            hot, more = split(
                _read(folder / "train_600K.xyz.gz", "600K"), (data["pool_hot"], half), seed=seed
            )
        self.pool, self.scale = [*own, *hot], [*scale, *more]
        self.test = [
            *split(_read(folder / "test_MD_300K.xyz.gz", "300K"), (data["test"],), seed=0)[0],
            *split(_read(folder / "test_MD_600K.xyz.gz", "600K"), (data["test"],), seed=0)[0],
            *_read(folder / "test_dihedral.xyz.gz", "dihedral"),
            *_read(folder / "test_H_transfer.xyz.gz", "transfer"),
        ]
        self._first: Any = None

    @property
    def first(self) -> Any:
        """The potential that has learned from the first structures."""
        if self._first is None:
            self._first = train(self.start, self.valid, self.seed, self.config)
        return self._first

    def measure(self, arm: str) -> dict[str, Any]:
        """One row."""
        began = time.process_time()
        if arm == "start":
            sure = posterior(self.first, self.start)
            found = judged(self.first, self.test) | calibrated(sure, self.scale, self.test)
        elif arm == "committee":
            members = [
                self.first,
                *(train(self.start, self.valid, 100 + k, self.config) for k in range(1, MEMBERS)),
            ]
            found = calibrated(Committee(members), self.scale, self.test)
        else:
            model = self.first if arm in ("random", "farthest") else posterior(self.first, self.start)
            chosen = select(
                model, self.pool, self.config["data"]["count"], method=arm, labelled=self.start,
                key=jax.random.key(self.seed),
            ).indices.tolist()  # fmt: skip
            frames = [*self.start, *(self.pool[k] for k in chosen)]
            found = judged(train(frames, self.valid, self.seed, self.config), self.test)
            found["hot"] = sum(self.pool[k].info["set"] == "600K" for k in chosen)
        return found | {"cpu": round(time.process_time() - began, 1), "commit": commit()}


def train(frames: list[Frame], valid: list[Frame], seed: int, config: dict[str, Any]) -> Any:
    """A potential from the beginning; as many epochs for every set."""
    own = dict(config["potential"])
    found = statistics(frames, own["cutoff"])._replace(neighbours=own.pop("neighbours"))
    potential = untrained_mace(found, key=jax.random.key(seed), **own)
    return fit(
        potential, frames, valid, key=jax.random.key(seed), settings=Training(**config["training"])
    ).potential


def judged(potential: Any, test: list[Frame]) -> dict[str, Any]:
    """Root mean square errors: of energies meV/atom, without the mean of a set; of forces meV/Å."""
    found, forces, energy = evaluate(potential, test, group="set"), {}, {}
    for name in SETS:
        places = [k for k, frame in enumerate(test) if frame.info["set"] == name]
        off = found.energy[places, 1] - found.energy[places, 0]
        energy[name] = round(1e3 * float(np.sqrt(np.mean(off**2))), 3)
        if (rmse := found.by_group[name].forces.rmse) is not None:
            forces[name] = round(1e3 * rmse, 2)
    return {"energy": energy, "forces": forces}


def calibrated(model: Any, scale: list[Frame], test: list[Frame]) -> dict[str, Any]:
    """How far deviations are true, after their size was measured on structures of both temperatures."""
    size, found = calibration(model, scale), {}
    for name in ("300K", "600K"):
        some = calibration(model, [frame for frame in test if frame.info["set"] == name])
        found[name] = reliabilities(some, size)
    both = calibration(model, [frame for frame in test if frame.info["set"] in ("300K", "600K")])
    found["both"] = reliabilities(both, size)
    return {"calibration": found}


def reliabilities(some: Any, size: Any) -> dict[str, Any]:
    """Standardised errors before and after the size was mended, and the correlations of ranks."""
    rows = {}
    for name in ("energy", "forces", "structures"):
        one, factor = getattr(some, name), getattr(size, name).standardised
        rows[name] = {
            "raw": round(one.standardised, 2),
            "mended": round(one.standardised / factor, 3),
            "rank": round(one.rank, 3),
        }
    return rows


def report(rows: list[dict[str, Any]], case: str) -> None:
    """The tables and the picture."""
    seeds = {one["seed"] for one in rows if one["arm"] == ARMS[-1]}
    print("| | of 600 K | forces 300 K | forces 600 K | energy 300 K | energy 600 K | scan | transfer |")
    print("|---|---|---|---|---|---|---|---|")
    table = {}
    for arm in ("start", *ARMS):
        some = [one for one in rows if one["arm"] == arm and one["seed"] in seeds]
        if not some:
            continue
        columns = [[one["forces"][k] for one in some] for k in ("300K", "600K")]
        columns += [[one["energy"][k] for one in some] for k in SETS]
        table[arm] = columns
        hot = f"{np.mean([one['hot'] for one in some]):.1f}" if arm != "start" else ""
        cells = [f"{np.mean(c):.3g} ± {np.std(c, ddof=1) if len(c) > 1 else 0:.2g}" for c in columns]
        print(f"| {arm} | {hot} | {' | '.join(cells)} |")
    print()
    print("| | | errors/deviation | mended | rank, components | rank, structures |")
    print("|---|---|---|---|---|---|")
    for arm in ("start", "committee"):
        some = [one for one in rows if one["arm"] == arm]
        for name in ("300K", "600K", "both") if some else ():
            parts = [one["calibration"][name] for one in some]
            cells = [
                f"{np.mean([p[kind][value] for p in parts]):.2f}"
                for kind, value in (
                    ("forces", "raw"),
                    ("forces", "mended"),
                    ("forces", "rank"),
                    ("structures", "rank"),
                )
            ]
            print(f"| {arm} | {name} | {' | '.join(cells)} |")
    draw(table, case)


def draw(table: dict[str, list[list[float]]], case: str) -> None:
    """Force errors of every arm, a point for each seed."""
    figure, axes = plt.subplots(1, 2, figsize=(8, 3.4), layout="constrained")
    for axis, column, name in zip(axes, (0, 1), ("300 K", "600 K"), strict=True):
        for place, arm in enumerate(table):
            values = table[arm][column]
            axis.plot([place] * len(values), values, "o", color="#3b4cc0", alpha=0.6)
            axis.plot([place - 0.25, place + 0.25], [np.mean(values)] * 2, color="0.2")
        axis.set_xticks(range(len(table)), list(table), rotation=30)
        axis.set(title=f"test structures of {name}")
        axis.grid(visible=True, axis="y", color="0.92")
    axes[0].set(ylabel="force error (RMSE) / (meV/Å)")
    figure.savefig(HERE / "results" / f"{case}.png", dpi=120)
    plt.close(figure)


def _read(file: Path, name: str) -> list[Frame]:
    """The structures of a file, which belong to a set; their box of 50 Å is no cell."""
    return [replace(frame, cell=None, info={"set": name}) for frame in read_extxyz(file)]


if __name__ == "__main__":
    main()
