"""Force error against CPU seconds on ethanol (rMD17): our training beside mace-torch's.

    GEOEMBED_DATA=FOLDER python experiments/ethanol/run.py --peers PYTHON [--seconds 720] [--seeds 1] [--only NAME]
        [--force]

PYTHON is an interpreter with mace-torch. geoembed-again is a second run of geoembed, which finds the compiled
programs of the first in a folder (JAX_COMPILATION_CACHE_DIR). Writes the points of each run to
results/PROGRAM-SEED.jsonl as they come, the picture results/curves.png, and a row for each run to
benchmarks/results/atoms.jsonl. Finished runs are kept; without --peers only the picture is drawn anew. Each run is a
process of its own on one core and one thread.
"""

import argparse
import hashlib
import json
import os
import subprocess
import sys
import tempfile
import tomllib
from pathlib import Path
from typing import Any

import matplotlib
import numpy as np
from matplotlib import pyplot as plt

from geoembed.atoms import read_rmd17, split, statistics

HERE = Path(__file__).resolve().parent
sys.path.insert(0, str(HERE.parents[1] / "benchmarks"))
from rows import RESULTS, commit, row  # noqa: E402

FOLDER = HERE / "results"
CONFIG = tomllib.loads((HERE / "config.toml").read_text())
MARKS = (30, 60, 90, 120, 180, 240, 360, 480, 720)  # CPU seconds
STAMP = hashlib.sha256((HERE / "config.toml").read_bytes()).hexdigest()[:12]
AGAIN = "geoembed-again"
PROGRAMS = {"geoembed": "ours.py", "mace-torch": "theirs.py", AGAIN: "ours.py"}
COLOURS = {"geoembed": "#3b4cc0", "mace-torch": "#c8641b", AGAIN: "#8da0e0"}
FILLING = 60  # CPU seconds of the run that fills the folder of programs: until every program is compiled


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--peers", help="interpreter of an environment with mace-torch")
    parser.add_argument("--seconds", type=int, default=720, help="CPU seconds of each run")
    parser.add_argument("--seeds", type=int, default=1, help="how many runs of each")
    parser.add_argument("--only", choices=PROGRAMS, help="one program")
    parser.add_argument("--core", type=int, help="the core to run on; by default the last one")
    parser.add_argument("--force", action="store_true", help="train again what is there")
    options = parser.parse_args()
    matplotlib.use("Agg")
    if options.peers:
        for seed in range(options.seeds):
            for program in PROGRAMS:
                if options.only in (None, program):
                    train(program, seed, options)
    runs = [run for file in sorted(FOLDER.glob("*.jsonl")) if (run := read(file))["points"]]
    for run in runs:
        keep(run)
    draw(runs)
    print(
        json.dumps(
            {
                run["name"]: {str(s): at(run, s) for s in MARKS if s <= run["points"]["cpu"][-1]}
                | {"end": run["end"]}
                for run in runs
            }
        )
    )


def train(program: str, seed: int, options: argparse.Namespace) -> None:
    """One run in a process of its own; its lines go to a file as they come."""
    file = FOLDER / f"{program}-{seed}.jsonl"
    identity = {
        "name": f"{program}, seed {seed}",
        "program": program,
        "seed": seed,
        "seconds": options.seconds,
    }
    identity["config"] = STAMP
    known = read(file) if file.exists() else {"end": None}
    if known["end"] and known.items() >= identity.items() and not options.force:
        return
    ours = program != "mace-torch"
    python = sys.executable if ours else options.peers
    core = sorted(os.sched_getaffinity(0))[-1] if options.core is None else options.core
    one = dict.fromkeys(("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"), "1")
    environment = os.environ | one | {"PYTHONPATH": str(HERE.parents[1]) if ours else ""}
    environment.pop("JAX_COMPILATION_CACHE_DIR", None)  # compilation counts
    FOLDER.mkdir(exist_ok=True)
    with tempfile.TemporaryDirectory() as folder, file.open("w", encoding="utf-8") as out:
        write_task(Path(folder))
        first = {"kind": "run", **identity, "commit": commit(), "load": round(os.getloadavg()[1], 1)}
        out.write(json.dumps(first) + "\n")
        out.flush()
        command = ["taskset", "-c", str(core), python, str(HERE / PROGRAMS[program]), folder]
        if program == AGAIN:
            environment["JAX_COMPILATION_CACHE_DIR"] = str(Path(folder) / "programs")
            filling = [*command, str(FILLING), str(seed)]
            subprocess.run(filling, stdout=subprocess.DEVNULL, env=environment, check=True)
        subprocess.run([*command, str(options.seconds), str(seed)], stdout=out, env=environment, check=True)


def keep(run: dict[str, Any]) -> None:
    """A row of the benchmarks, where it is not there already."""
    names = ("name", "config", "commit")
    identity = {"case": "learning", "molecule": "ethanol", **{name: run[name] for name in names}}
    identity["until"] = round(run["points"]["cpu"][-1])
    errors = {str(s): at(run, s) for s in MARKS if s <= identity["until"]}
    figures = {"force_mae": errors, "end": run["end"], "load": run["load"]}
    row(RESULTS / "atoms.jsonl", identity, lambda: figures, again=False)


def read(file: Path) -> dict[str, Any]:
    """A run, finished or not: its first line, its points as columns, its end or None."""
    texts = file.read_text(encoding="utf-8").splitlines()
    lines = [json.loads(text) for text in texts if text.startswith("{")]  # mace-torch has words of its own
    points = [line for line in lines if line["kind"] == "point"]
    columns = {
        name: [point[name] for point in points] for name in (points[0] if points else {}) if name != "kind"
    }
    end = next((line for line in lines if line["kind"] == "end"), None)
    return lines[0] | {"points": columns, "end": end}


def write_task(folder: Path) -> None:
    """The structures, and energies without those of the isolated atoms."""
    place = Path(os.environ["GEOEMBED_DATA"]) / "atoms" / "rmd17"
    first = read_rmd17(place / "rmd17_ethanol_train_01.npz")
    train, valid = split(first, (CONFIG["data"]["train"], -1), seed=CONFIG["data"]["seed"])
    parts = {"train": train, "valid": valid, "test": read_rmd17(place / "rmd17_ethanol_test_01.npz")}
    found = statistics(train, CONFIG["potential"]["cutoff"])
    numbers = first[0].numbers
    alone = float(found.e0[np.searchsorted(found.numbers, numbers)].sum())
    arrays = {"numbers": numbers}
    for name, frames in parts.items():
        arrays[f"{name}_positions"] = np.stack([frame.positions for frame in frames])
        arrays[f"{name}_energy"] = np.array([frame.energy for frame in frames]) - alone
        arrays[f"{name}_forces"] = np.stack([frame.forces for frame in frames])
    np.savez(folder / "task.npz", **arrays)
    (folder / "task.json").write_text(json.dumps(CONFIG))


def at(run: dict[str, Any], seconds: float) -> float | None:
    """The error on the test structures after so many CPU seconds, eV/Å; None before the first validation."""
    done = [k for k, cpu in enumerate(run["points"]["cpu"]) if cpu <= seconds]
    return run["points"]["test_forces"][done[-1]] if done else None


def draw(runs: list[dict[str, Any]]) -> None:
    """Error over CPU seconds and over epochs."""
    figure, axes = plt.subplots(1, 2, figsize=(10, 4.4), sharey=True, layout="constrained")
    for run in runs:
        points, style = run["points"], {"color": COLOURS[run["program"]], "lw": 1.3}
        label = run["program"] if run["seed"] == 0 else None
        for axis, x in zip(axes, ("cpu", "epoch"), strict=True):
            axis.loglog(points[x], 1e3 * np.array(points["test_forces"]), label=label, **style)
    axes[0].set(xlabel="CPU seconds of one thread, imports and compilation included")
    axes[0].set(ylabel="force error (MAE), test structures / (meV/Å)")
    axes[1].set(xlabel="epochs of 950 structures")
    for axis in axes:
        axis.grid(visible=True, which="both", color="0.92")
        axis.yaxis.set_major_formatter("{x:g}")
        axis.yaxis.set_minor_formatter("")
        axis.legend()
    axes[0].set(ylim=(10, 120), yticks=[10, 15, 20, 30, 50, 70, 100], xticks=[30, 60, 120, 240, 480])
    axes[0].xaxis.set_major_formatter("{x:g}")
    axes[0].xaxis.set_minor_formatter("")
    figure.suptitle("Ethanol (rMD17): MACE of 16 channels, same data, loss, optimiser and schedule")
    figure.savefig(HERE / "results" / "curves.png", dpi=130)
    plt.close(figure)


if __name__ == "__main__":
    main()
