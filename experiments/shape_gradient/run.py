"""Shape gradients of a temperature peak against finite elements, and ten steps of descent.

    python experiments/shape_gradient/run.py [--only STAGE]

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
    "sink": (parts.sink_problem, parts.sink_shape, parts.FINS),
    "block": (parts.block_problem, parts.block_shape, parts.CHANNEL),
}
# The parameters whose derivatives finite elements check.
CHECKED: dict[str, list[tuple[str, tuple]]] = {
    "sink": [("place", (0,)), ("place", (1,)), ("height", (0,)), ("thick", (0,)), ("thick", (1,))],
    "block": [("centre", (0,)), ("centre", (1,)), ("radius", ())],
}
MESHES: dict[str, Any] = {"coarse": (8_000, 35_000), "fine": (15_000, 90_000)}  # tetrahedra, of the block
BRICKS = (1.7, 1.1)  # mm, of the heat sink
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


def models(case: str, p: Any) -> list[judge.Model]:
    """A coarser and a finer one."""
    if case == "block":
        return judge.block_models(p, **MESHES)
    return [judge.sink_model(p, size) for size in BRICKS]


def by_finite_elements(case: str) -> dict:
    p, found = CASES[case][2], {}
    changes = {label(*one): around(p, *one, STEP) for one in CHECKED[case]}
    for name, model in zip(("coarse", "fine"), models(case, p), strict=True):
        solution = model.solved(p)
        found[name] = {
            "tets": len(solution.mesh.tets),
            "value": judge.functional(solution, PEAK),
            "highest": float(solution.nodal.max()),
            "gradient": model.differences(changes, PEAK),
        }
        print(case, name, found[name], flush=True)
    return found


def by_us(case: str, form: str, cells: int, seed: int) -> dict:
    make, shape, p = CASES[case]
    began = time.process_time()
    found = shape_gradient(make, p, PEAK, shape_of=shape, key=jax.random.key(seed), cells=cells, form=form)
    gradient = {label(n, i): float(found.gradient[n][i]) for n, i in CHECKED[case]}
    row = {
        "value": found.value,
        "gradient": gradient,
        "solves": found.solves,
        "cpu_seconds": time.process_time() - began,
    }
    print(case, form, cells, seed, row, flush=True)
    return row


def by_our_differences(case: str, cells: int, step: float) -> dict:
    """Central differences of our own solver, on the same grid placement."""
    make, shape, p = CASES[case]
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


def ours(case: str) -> None:
    """Both forms on three grids, and one of them placed elsewhere; goes on where it stopped."""
    place = RESULTS / f"ours_{case}.json"
    rows = json.loads(place.read_text()) if place.exists() else []
    runs = [(form, cells, 0) for cells in CELLS for form in ("volume", "surface")]
    for form, cells, seed in [*runs, ("volume", 3_000, 1)]:
        if (form, cells, seed) not in [(row["form"], row["cells"], row["seed"]) for row in rows]:
            rows.append({"form": form, "cells": cells, "seed": seed, **by_us(case, form, cells, seed)})
            place.write_text(json.dumps(rows, indent=1) + "\n")


def our_differences(case: str) -> list[dict]:
    return [
        {"cells": cells, "step": step, "gradient": by_our_differences(case, cells, step)}
        for cells, step in ((1000, 0.05), (1000, 0.5))
    ]


def descent() -> list[dict]:
    """Ten steps: the fins move and lend each other height; their volume stays."""
    make, shape, start = CASES["sink"]
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
    """The first shape of the descent and the best one by finite elements."""
    rows = kept("descent", descent)
    best, found = min(rows, key=lambda row: row["value"]), {}
    for name, row in (("before", rows[0]), ("after", best)):
        p = {key: np.array(row[key]) for key in ("place", "thick", "height")}
        for size, model in zip(("coarse", "fine"), models("sink", p), strict=True):
            solution = model.solved(p)
            value = judge.functional(solution, PEAK)
            found[f"{name}, {size}"] = {"value": value, "highest": float(solution.nodal.max())}
            print(name, found, flush=True)
    return found


def picture() -> None:
    """The profile before and after the descent, and the peak on the way."""
    matplotlib.use("Agg")
    rows = kept("descent", descent)
    best = min(rows, key=lambda row: row["value"])
    figure, (left, right) = plt.subplots(1, 2, figsize=(9.5, 3.2), layout="constrained")
    left.plot([row["value"] for row in rows], "o-", color="#1b6ca8")
    left.set(xlabel="step", ylabel="smooth peak / K")
    left.grid(visible=True, color="#e6e6e6", linewidth=0.6)
    length, _, base = parts.PLATE
    for row, color, name in ((rows[0], "0.65", "before"), (best, "#c2571a", "after")):
        x, z = [-length / 2, -length / 2], [0.0, base]
        for at, thick, height in zip(row["place"], row["thick"], row["height"], strict=True):
            x += [at - thick / 2, at - thick / 2, at + thick / 2, at + thick / 2]
            z += [base, base + height, base + height, base]
        right.plot([*x, length / 2, length / 2, -length / 2], [*z, base, 0.0, 0.0], color=color, label=name)
    right.plot([parts.HEATER[0][0], parts.HEATER[1][0]], [-0.6, -0.6], color="#b2182b", lw=3, label="heater")
    right.set(xlabel="x / mm", ylabel="z / mm", aspect="equal")
    right.legend(frameon=False, fontsize=8)
    figure.savefig(RESULTS / "descent.png", dpi=130)


STAGES: dict[str, Any] = {
    **{f"fem_{case}": (lambda case=case: by_finite_elements(case)) for case in CASES},
    **{f"differences_{case}": (lambda case=case: our_differences(case)) for case in CASES},
    "descent": descent,
    "after": after_descent,
}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--only", choices=[*STAGES, "ours_sink", "ours_block", "picture"])
    only = parser.parse_args().only
    for case in CASES:
        if only in (None, f"ours_{case}"):
            ours(case)
    for name, make in STAGES.items():
        if only in (None, name):
            kept(name, make)
    if only in (None, "picture"):
        picture()


if __name__ == "__main__":
    main()
