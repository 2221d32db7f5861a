"""The potential of geoembed beside mace-torch, with the same weights: parity, time of energy and forces and of a step.

    python benchmarks/atoms.py --peers PYTHON [--only parity speed mlip growth] [--systems si64 si216 3bpa]
        [--channels 32 128] [--precision float32 float64] [--threads 1 2] [--quick] [--again]

PYTHON is an interpreter of an environment with geoembed[mace]; for mlip, whose MACE is of the same size but has other
weights, of one with geoembed and mlip. Every measurement has a process of its own, bound to
as many cores as it has threads; ours and theirs take turns. Neighbour lists are made before the clock starts; a
training step is the gradient of a loss of energies and forces and an update of AMSGrad. The difference of both
programs' forces is stored beside the times. Growth is ours alone: energy and forces of silicon by the number of
atoms, 32 channels, one thread. 3bpa needs GEOEMBED_DATA. Rows that are in benchmarks/results/atoms.jsonl are not
measured again. The last line printed is one JSON object.
"""

import argparse
import itertools
import json
import os
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
from rows import RESULTS, commit, row

HERE = Path(__file__).resolve().parent
GROWTH = (64, 512, 1728, 4096, 8000, 10648)  # 8 n³ atoms
VARIANTS = (
    *(
        "residual",
        "plain",
        "plain_everywhere",
        "density",
        "density_everywhere",
        "degree_two",
        "linear",
        "heads",
    ),
    *("heads_without_scale", "gaussian", "repulsion", "one_layer", "three_layers", "other_sizes"),
    *("last_layer_kept", "last_readout_only"),
)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--peers", required=True, help="interpreter of an environment with the peer")
    parser.add_argument(
        "--only", nargs="+", choices=["parity", "speed", "mlip", "growth"], default=["parity", "speed"]
    )
    parser.add_argument("--systems", nargs="+", default=["si64", "si216", "3bpa"])
    parser.add_argument("--channels", nargs="+", type=int, default=[32, 128])
    parser.add_argument("--precision", nargs="+", default=["float32"])
    parser.add_argument("--threads", nargs="+", type=int, default=[1, 2])
    parser.add_argument("--quick", action="store_true", help="one small system, half a second each")
    parser.add_argument("--again", action="store_true", help="measure even what is in the results")
    options = parser.parse_args()
    if options.quick:
        options.systems, options.channels, options.threads = ["si64"], options.channels[:1], [1]
    path, summary = RESULTS / "atoms.jsonl", {}
    if "parity" in options.only:
        for name in VARIANTS[:2] if options.quick else VARIANTS:
            identity = {"case": "parity", "variant": name, "commit": commit()}
            found = row(path, identity, lambda n=name: child(options.peers, "parity", n), again=options.again)
            differences = [value for key, value in found.items() if key.endswith("_difference")]
            summary[f"parity/{name}"] = max(differences)
    for kind, measure in (("speed", speed), ("mlip", mlip)):
        for case in cases(options) if kind in options.only else ():
            identity = {"case": kind, **case, "quick": options.quick, "commit": commit()}
            found = row(path, identity, lambda m=measure, c=case: m(options, c), again=options.again)
            keys = {"ratio", "step_ratio", "force_difference"} & found.keys()
            summary["/".join([kind, *map(str, case.values())])] = {key: found[key] for key in sorted(keys)}
    if "growth" in options.only:
        for atoms in GROWTH:
            identity = {"case": "growth", "atoms": atoms, "commit": commit()}
            found = row(path, identity, lambda n=atoms: growth(n), again=options.again)
            summary[f"growth/{atoms}"] = found["ms_per_atom"]
    print(json.dumps(summary))


def cases(options: argparse.Namespace) -> Iterator[dict[str, Any]]:
    """Every combination that is asked for."""
    names = {"system": "systems", "channels": "channels", "precision": "precision", "threads": "threads"}
    for values in itertools.product(*(getattr(options, name) for name in names.values())):
        yield dict(zip(names, values, strict=True))


def growth(atoms: int) -> dict[str, Any]:
    """Time and memory of energy and forces, and of the compilation before."""
    with tempfile.TemporaryDirectory() as folder:
        arguments = [str(Path(folder) / "potential"), "--system", f"si{atoms}", "--channels", "32"]
        child(sys.executable, "make", *arguments)
        found = child(sys.executable, "geoembed", *arguments, "--no-step", "--seconds", "2")
    return found | {"ms_per_atom": round(found["ms"] / atoms, 4)}


def speed(options: argparse.Namespace, case: dict[str, Any]) -> dict[str, Any]:
    """Both programs in turns, twice; the better median of each."""
    rounds, arguments = said(options, case)
    with tempfile.TemporaryDirectory() as folder:
        place = str(Path(folder) / "potential")
        made = child(sys.executable, "make", place, *arguments)
        theirs, ours = [], []
        for _ in range(rounds):
            theirs.append(child(options.peers, "mace-torch", place, *arguments))
            ours.append(child(sys.executable, "geoembed", place, *arguments))
        with np.load(f"{place}.ours.npz") as here, np.load(f"{place}.theirs.npz") as there:
            difference = float(np.abs(here["forces"] - there["forces"]).max())
            largest = float(np.abs(there["forces"]).max())
    return {
        **{key: ours[0][key] for key in ("atoms", "pairs")},
        "parameters": made["parameters"],
        **beside(ours, theirs, "mace_torch"),
        "force_difference": difference,
        "largest_force": largest,
    }


def mlip(options: argparse.Namespace, case: dict[str, Any]) -> dict[str, Any]:
    """Ours and that of mlip in turns."""
    rounds, arguments = said(options, case)
    with tempfile.TemporaryDirectory() as folder:
        place = str(Path(folder) / "potential")
        child(sys.executable, "make", place, *arguments)
        theirs, ours = [], []
        for _ in range(rounds):
            theirs.append(child(options.peers, *arguments, script="atoms_mlip.py"))
            ours.append(child(sys.executable, "geoembed", place, *arguments))
    return {key: theirs[0][key] for key in ("pairs", "parameters")} | beside(ours, theirs, "mlip")


def said(options: argparse.Namespace, case: dict[str, Any]) -> tuple[int, list[str]]:
    """How many rounds, and the arguments of every process."""
    rounds, seconds = (1, 0.5) if options.quick else (2, 4.0)
    words = case | {"seconds": seconds}
    return rounds, [word for key, value in words.items() for word in (f"--{key}", str(value))]


def beside(ours: list[dict[str, Any]], theirs: list[dict[str, Any]], name: str) -> dict[str, Any]:
    """The best of each figure of both programs, and the ratios."""
    keys = ("ms", "step_ms", "first_s", "step_first_s", "peak_mb")
    best = [{key: min(found[key] for found in side) for key in keys} for side in (ours, theirs)]
    return {
        "geoembed": best[0],
        name: best[1],
        "ratio": round(best[1]["ms"] / best[0]["ms"], 2),
        "step_ratio": round(best[1]["step_ms"] / best[0]["step_ms"], 2),
        "load": round(os.getloadavg()[0], 1),
    }


def child(python: str, *arguments: str, script: str = "atoms_run.py") -> dict[str, Any]:
    """Runs a script beside this one; its last line is JSON."""
    environment = os.environ | {"PYTHONPATH": str(HERE.parent)}
    environment.pop("JAX_COMPILATION_CACHE_DIR", None)  # compilation counts
    done = subprocess.run(
        [python, str(HERE / script), *arguments], capture_output=True, text=True, env=environment
    )
    if done.returncode:
        raise SystemExit(f"{script} {' '.join(arguments)}:\n{done.stderr[-3000:]}")
    return json.loads(done.stdout.strip().splitlines()[-1])


if __name__ == "__main__":
    main()
