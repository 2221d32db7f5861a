"""How the cost of a least-squares step and the error after some steps grow with points, parameters and dimensions.

    python benchmarks/pinn_growth.py [--axis points|parameters|dimensions] [--steps 15] [--force]

−Δu = f in the unit cube of d dimensions, u = Π sin πxᵢ, by a network of layers times Π 4xᵢ(1 − xᵢ) and
`geoembed.train.LevenbergMarquardt`. One of three figures varies, the others stay. The cost of a step is processor time
(`time.process_time`), relative to the first case of its axis. Both take turns in one process, four steps each after one
that compiles, so a busy machine slows both; the ratio is that of the medians. The error is that of the field after all
steps, ‖u − u*‖/‖u*‖ at 4096 other points.

Rows go to benchmarks/results/pinn_growth.jsonl; a row whose commit and settings are there already is not computed
again. Every row is printed as one JSON line, and at the end one with the exponents between the first and the last case
of an axis: cost ∝ value^exponent.
"""

import argparse
import functools
import json
import math
import statistics
import time
from dataclasses import asdict, dataclass
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
from rows import RESULTS as FOLDER
from rows import commit, row
from scipy.stats import qmc

from geoembed.core import MLP
from geoembed.pinn import laplacian
from geoembed.train import LevenbergMarquardt, Rows

RESULTS = FOLDER / "pinn_growth.jsonl"
DEPTH = 4
TURNS = 4  # measured steps of a case and of the first one


@dataclass(frozen=True)
class Case:
    """One problem: dimensions, points inside and units of a hidden layer."""

    dimensions: int = 2
    points: int = 2000
    width: int = 16


AXES = {
    "points": [Case(points=points) for points in (500, 1000, 2000, 4000)],
    "parameters": [Case(width=width) for width in (8, 16, 32, 48)],
    "dimensions": [Case(dimensions=dimensions) for dimensions in (1, 2, 3, 4, 5)],
}


def field_of(network: Any) -> Any:
    """The field of a network: 0 on the boundary of the cube."""
    return lambda x: jnp.prod(4 * x * (1 - x)) * network(2 * x - 1)[0]


def residual(network: Any, x: jax.Array) -> jax.Array:
    """−Δu − f."""
    source = len(x) * np.pi**2 * jnp.prod(jnp.sin(np.pi * x))
    return (-laplacian(field_of(network))(x) - source)[None]


class Run:
    """A case, its solver and where it stands."""

    def __init__(self, case: Case, seed: int = 0):
        layers = MLP(case.dimensions, 1, case.width, DEPTH, activation="tanh", key=jax.random.key(seed))
        network = jax.tree.map(
            lambda leaf: leaf.astype(jnp.float64) if leaf.dtype == jnp.float32 else leaf, layers
        )
        self.case, self.solver = case, LevenbergMarquardt([residual], network)
        inside = qmc.Sobol(case.dimensions, rng=seed).random(8192)[: case.points]
        self.data = [Rows(inside, np.full(case.points, 1 / math.sqrt(case.points)))]
        self.state = self.solver.start()

    def step(self) -> float:
        """One step; returns the processor time that it took."""
        start = time.process_time()
        self.state = self.solver.step(self.state, self.data)
        return time.process_time() - start

    def error(self) -> float:
        """‖u − u*‖/‖u*‖ at even points."""
        points = jnp.asarray(np.random.default_rng(1).random((4096, self.case.dimensions)))
        found = jax.jit(jax.vmap(field_of(self.solver.model(self.state))))(points)
        exact = jnp.prod(jnp.sin(np.pi * points), axis=1)
        return float(jnp.linalg.norm(found - exact) / jnp.linalg.norm(exact))


def measure(case: Case, first: Run, steps: int) -> dict[str, Any]:
    """The cost relative to the first case, and the error."""
    run = Run(case)
    for one in (run, first):
        one.step()  # compiles
        one.state = one.solver.start()
    pairs = [(run.step(), first.step()) for _ in range(TURNS)]
    own, base = (statistics.median(times) for times in zip(*pairs, strict=True))
    while run.state.iteration < steps:
        run.step()
    return {
        "parameters": run.solver.size,
        "cost": round(own / base, 3),
        "error": run.error(),
        "residual": math.sqrt(2 * run.solver.loss(jnp.asarray(run.state.parameters), run.data)),
    }


def summary(axis: str, found: list[dict[str, Any]]) -> dict[str, Any]:
    """The exponent of the cost between the first and the last case, and the errors."""
    values = [line["parameters"] if axis == "parameters" else line[axis] for line in found]
    exponent = math.log(found[-1]["cost"] / found[0]["cost"]) / math.log(values[-1] / values[0])
    return {
        "axis": axis,
        "values": values,
        "cost": [line["cost"] for line in found],
        "error": [line["error"] for line in found],
        "exponent": round(exponent, 2),
    }


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--axis", choices=list(AXES), action="append")
    parser.add_argument("--steps", type=int, default=15)
    parser.add_argument("--force", action="store_true", help="compute rows again that are there")
    options = parser.parse_args()
    jax.config.update("jax_enable_x64", True)
    code = commit()
    for axis in options.axis or AXES:
        first = Run(AXES[axis][0])
        lines = []
        for case in AXES[axis]:
            identity = {"axis": axis, **asdict(case), "steps": options.steps, "commit": code}
            compute = functools.partial(measure, case, first, options.steps)
            lines.append(row(RESULTS, identity, compute, again=options.force))
            print(json.dumps(lines[-1]), flush=True)
        print(json.dumps(summary(axis, lines)), flush=True)


if __name__ == "__main__":
    main()
