"""Equations solved by least squares on the residual, for a given wall clock: error against independent references.

    python benchmarks/pinn.py [--only NAME ...] [--seeds 3] [--network] [--peers PYTHON] [--quick] [--again]

Every run has a process of its own with an empty compilation cache, and the default settings of
`geoembed.pinn.solve`; no option depends on the problem. The clock starts when the problem is stated and includes
compilation; measuring the error stops it. The error is that of the field with the smallest held-out residual, which
is what `solve` returns; the reference is never used to choose. A run may end before its budget: the memory for finer
grids is bounded. `--network` trains tanh layers instead of splines, `--weak` solves the weak form. `--peers` names the
interpreter of an environment for benchmarks/pinn_peers.py; its rows then run on the same machine, after ours.
`--quick` runs one seed for ten seconds.

Each run appends a row to benchmarks/results/pinn.jsonl; rows that are there are not run again. The last line printed
is one JSON object: for each problem the median, lowest and highest relative L2 error of the seeds, the bar, and how
many times larger the errors of the peers are.
"""

import argparse
import json
import math
import os
import statistics
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

os.environ.pop("JAX_COMPILATION_CACHE_DIR", None)  # compilation counts

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
from pinn_cases import CASES
from pinn_references import relative
from rows import RESULTS, commit, row

from geoembed import pinn

PEERS = (("deepxde", "burgers"), ("jno", "burgers"), ("deepxde", "l-shape"), ("jno", "l-shape"))


class Watch:
    """A clock that stands still while the error is measured, about forty times in the budget."""

    def __init__(self, budget: float, points: np.ndarray, values: np.ndarray):
        self.budget, self.values = budget, values
        self.curve: list[tuple[float, int, float]] = []
        self._start, self._paused = time.perf_counter(), 0.0
        self._parts = np.split(points, range(4096, len(points), 4096))
        self._solution = eqx.filter_jit(lambda field, points: jax.vmap(field)(points))

    def seconds(self) -> float:
        return time.perf_counter() - self._start - self._paused

    def look(self, progress: pinn.FieldProgress) -> None:
        """Measures the error if it is time to."""
        if not self.curve or self.seconds() - self.curve[-1][0] > self.budget / 40:
            seconds, begin = self.seconds(), time.perf_counter()
            self.curve.append((round(seconds, 2), progress.iteration, self.error(progress.field)))
            self._paused += time.perf_counter() - begin

    def error(self, field: Any) -> float:
        """Relative L2 error of a field, of its first unknowns if the reference has some of them."""
        with jax.enable_x64(True):
            field = jax.tree.map(
                lambda leaf: jnp.asarray(leaf) if isinstance(leaf, np.ndarray) else leaf, field
            )
            found = [self._solution(field, jnp.asarray(part)) for part in self._parts]
        values = np.concatenate(found)
        return relative(values[:, : self.values.shape[1]] if self.values.ndim > 1 else values, self.values)


def run(name: str, seed: int, budget: float, method: str) -> dict[str, Any]:
    """One run: error, evidence and the curve of error against time."""
    problem, points, values = CASES[name].make()
    watch = Watch(budget, points, values)
    result = pinn.solve(
        problem,
        key=jax.random.key(seed),
        tolerance=0.0,
        training=pinn.Training() if method == "network" else None,
        form="weak" if method == "weak" else "strong",
        callback=watch.look,
        should_stop=lambda: watch.seconds() > budget,
    )
    seconds = watch.seconds()
    return {
        "error": watch.error(result.field),
        "estimated_error": result.estimated_error,
        "held_out_residual": result.held_out_residual,
        "status": result.status,
        "seconds": round(seconds, 1),
        "iterations": result.iterations,
        "parameters": result.parameters,
        "curve": watch.curve,
    }


def in_process(arguments: list[str]) -> dict[str, Any]:
    """Runs a script; its last line is JSON."""
    environment = os.environ | {"OPENBLAS_NUM_THREADS": "1"}
    done = subprocess.run(
        arguments, capture_output=True, text=True, env=environment, cwd=Path(__file__).parent
    )
    if done.returncode:
        return {"error": math.inf, "failed": done.stderr.strip().splitlines()[-1:]}
    return json.loads(done.stdout.strip().splitlines()[-1])


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--only", nargs="+", choices=list(CASES), default=list(CASES))
    parser.add_argument("--seeds", type=int, default=3)
    parser.add_argument("--peers", help="interpreter of the environment of the peers")
    parser.add_argument("--quick", action="store_true", help="one seed, ten seconds")
    parser.add_argument("--again", action="store_true", help="run even what is in the results")
    parser.add_argument("--network", action="store_true", help="tanh layers instead of the default")
    parser.add_argument("--weak", action="store_true", help="the weak form instead of the default")
    parser.add_argument(
        "--run", nargs=4, metavar=("NAME", "SEED", "BUDGET", "METHOD"), help=argparse.SUPPRESS
    )
    options = parser.parse_args()
    if options.run:
        print(json.dumps(run(options.run[0], int(options.run[1]), float(options.run[2]), options.run[3])))
        return
    store = Path(os.devnull) if options.quick else RESULTS / "pinn.jsonl"
    method = "network" if options.network else "weak" if options.weak else "default"
    summary: dict[str, Any] = {"bench": "pinn", "version": commit(), "method": method}
    for name in options.only:
        budget = 10.0 if options.quick else CASES[name].budget
        errors = []
        for seed in range(1 if options.quick else options.seeds):
            command = [sys.executable, __file__, "--run", name, str(seed), str(budget), method]
            identity = {
                "method": method,
                "problem": name,
                "seed": seed,
                "budget": budget,
                "threads": len(os.sched_getaffinity(0)),
            }
            found = row(
                store, identity, lambda c=command: {"version": commit()} | in_process(c), again=options.again
            )
            errors.append(found["error"])
            print(json.dumps({k: v for k, v in found.items() if k != "curve"}), flush=True)
        summary[name] = {
            "median": statistics.median(errors),
            "lowest": min(errors),
            "highest": max(errors),
            "bar": CASES[name].bar,
        }
        if options.peers:
            summary[name] |= _peers(name, budget, summary[name]["median"], options, store)
    print(json.dumps(summary))


def _peers(name: str, budget: float, ours: float, options: Any, store: Path) -> dict[str, float]:
    """How many times larger the errors of the peers are, in the same wall clock."""
    found = {}
    for peer, problem in PEERS:
        if problem == name:
            script = [options.peers, "pinn_peers.py", peer, name.replace("-", ""), "--budget", str(budget)]
            identity = {"peer": peer, "problem": name, "seed": 0, "budget": budget}
            theirs = row(store, identity, lambda c=script, i=identity: in_process(c) | i, again=options.again)
            found[f"{peer} over ours"] = theirs["error"] / ours
            print(json.dumps({k: v for k, v in theirs.items() if k != "curve"}), flush=True)
    return found


if __name__ == "__main__":
    main()
