"""Shape gradients of a temperature peak against finite elements, and ten steps of descent.

    python experiments/shape_gradient/run.py [--only fem|ours|descent|picture]

Needs the extra `fem`. Every stage writes its figures to results/ and leaves those that are there alone; delete a file
to compute it again. A quiet core needs about ten minutes for all.
"""

import argparse
import json
import time
from pathlib import Path
from typing import Any

import jax
import judge
import matplotlib
import numpy as np
import parts
from matplotlib import pyplot as plt

from geoembed.pinn import PeakTemperature, shape_gradient

RESULTS = Path(__file__).resolve().parent / "results"
PEAK = PeakTemperature(width=2.0)
CASES: dict[str, Any] = {
    "sink": (parts.sink_problem, parts.sink_shape, judge.move_sink, parts.FINS),
    "block": (parts.block_problem, parts.block_shape, judge.move_block, parts.CHANNEL),
}
# The parameters whose derivatives finite elements check.
CHECKED: dict[str, list[tuple[str, tuple]]] = {
    "sink": [("place", (0,)), ("place", (1,)), ("height", (0,)), ("thick", (0,)), ("thick", (1,))],
    "block": [("centre", (0,)), ("centre", (1,)), ("radius", ())],
}
MESHES: dict[str, Any] = {"coarse": (3_000, 12_000), "fine": (6_000, 30_000)}
STEP = 0.05  # mm, of the central differences
STEPS, LONGEST, DESCENT_CELLS = 10, 0.8, 3_000  # of the descent; mm
CELLS = (1_000, 3_000, 10_000)


def kept(name: str, make: Any) -> Any:
    """What is in a file of the results, made first if it is not there."""
    place = RESULTS / f"{name}.json"
    if not place.exists():
        RESULTS.mkdir(exist_ok=True)
        place.write_text(json.dumps(make(), indent=1) + "\n")
    return json.loads(place.read_text())


def copied(p: Any) -> dict[str, np.ndarray]:
    return {name: np.array(value, np.float64) for name, value in p.items()}


def around(p: Any, name: str, index: tuple, step: float) -> tuple[Any, Any, float]:
    less, more = copied(p), copied(p)
    less[name][index] -= step
    more[name][index] += step
    return less, more, 2 * step


def label(name: str, index: tuple) -> str:
    return f"{name} {index[0]}" if index else name


def by_finite_elements(case: str) -> dict:
    make, _, move, p = CASES[case]
    problem, found = make(p), {}
    changes = {label(*one): around(p, *one, STEP) for one in CHECKED[case]}
    twice = {label(*one): around(p, *one, 2 * STEP) for one in CHECKED[case][:2]}
    for name, mesh in zip(("coarse", "fine"), judge.meshes(problem, **MESHES), strict=True):
        solution = judge.solved(problem, mesh)
        found[name] = {
            "tets": len(mesh.tets),
            "value": judge.functional(problem, solution, PEAK),
            "highest": float(solution.nodal.max()),
            "gradient": judge.differences(problem, mesh, move, p, PEAK, changes),
        }
        if name == "coarse":
            found[name]["twice the step"] = judge.differences(problem, mesh, move, p, PEAK, twice)
        print(case, name, found[name], flush=True)
    return found


def by_us(case: str, form: str, cells: int, seed: int) -> dict:
    make, shape, _, p = CASES[case]
    began = time.perf_counter()
    found = shape_gradient(make, p, PEAK, shape_of=shape, key=jax.random.key(seed), cells=cells, form=form)
    gradient = {label(n, i): float(found.gradient[n][i]) for n, i in CHECKED[case]}
    row = {
        "value": found.value,
        "gradient": gradient,
        "solves": found.solves,
        "seconds": time.perf_counter() - began,
    }
    print(case, form, cells, seed, row, flush=True)
    return row


def by_our_differences(case: str, cells: int, step: float) -> dict:
    """Central differences of our own solver, on the same grid placement."""
    make, shape, _, p = CASES[case]
    found = {}
    for name, index in CHECKED[case]:
        ends = []
        for new in around(p, name, index, step)[:2]:
            one = shape_gradient(
                make, new, PEAK, shape_of=shape, key=jax.random.key(0), cells=cells, form="surface"
            )
            ends.append(one.value)
        found[label(name, index)] = (ends[1] - ends[0]) / (2 * step)
    print(case, "differences", cells, step, found, flush=True)
    return found


def ours(case: str) -> list[dict]:
    """Both forms on three grids, and the largest grid placed twice more."""
    runs = [(form, cells, 0) for cells in CELLS for form in ("volume", "surface")]
    runs += [("volume", CELLS[-1], seed) for seed in (1, 2)]
    rows = []
    for form, cells, seed in runs:
        rows.append({"form": form, "cells": cells, "seed": seed, **by_us(case, form, cells, seed)})
    return rows


def our_differences(case: str) -> list[dict]:
    return [
        {"cells": cells, "step": step, "gradient": by_our_differences(case, cells, step)}
        for cells, step in ((3000, 0.05), (3000, 0.5))
    ]


def descent() -> list[dict]:
    """Ten steps: the fins move and lend each other height; their volume stays."""
    make, shape, _, start = CASES["sink"]
    p, step, rows, lowest = copied(start), LONGEST, [], np.inf
    best, gradient = p, None
    for number in range(STEPS + 1):
        found = shape_gradient(make, p, PEAK, shape_of=shape, key=jax.random.key(0), cells=DESCENT_CELLS)
        if found.value < lowest:
            best, lowest, gradient = p, found.value, found.gradient
        else:
            step *= 0.5
        rows.append({"value": found.value, **{name: value.tolist() for name, value in p.items()}})
        print("descent", number, rows[-1], flush=True)
        place, height = gradient["place"], gradient["height"] - gradient["height"].mean()
        length = step / max(np.abs(place).max(), np.abs(height).max())
        p = copied(best)
        p["place"] -= length * place
        p["height"] -= length * height
    return rows


def after_descent() -> dict:
    """The best shape of the descent and the first one by finite elements, each on meshes of its own."""
    make, rows = CASES["sink"][0], kept("descent", descent)
    best = min(rows, key=lambda row: row["value"])
    found = {}
    for name, row in (("before", rows[0]), ("after", best)):
        problem = make({k: np.array(row[k]) for k in ("place", "thick", "height")})
        for size, mesh in zip(("coarse", "fine"), judge.meshes(problem, **MESHES), strict=True):
            solution = judge.solved(problem, mesh)
            value = judge.functional(problem, solution, PEAK)
            found[f"{name}, {size}"] = {"value": value, "highest": float(solution.nodal.max())}
        print(name, found, flush=True)
    return found


if __name__ == "__main__":
    import sys

    for case in sys.argv[2:]:
        if sys.argv[1] == "fem":
            kept(f"fem_{case}", lambda case=case: by_finite_elements(case))
        if sys.argv[1] == "ours":
            kept(f"ours_{case}", lambda case=case: ours(case))
            kept(f"differences_{case}", lambda case=case: our_differences(case))
        if sys.argv[1] == "descent":
            kept("descent", descent)
            kept("after", after_descent)
