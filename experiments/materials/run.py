"""Walls of layers and a disc in a plane: one function per region against closed forms and against one field.

    python experiments/materials/run.py

Appends to results/materials.json what it lacks and draws results/disc.png. About 6 minutes of one core.
"""

import json
import time
from collections.abc import Callable
from functools import partial
from pathlib import Path

import jax
import jax.numpy as jnp
import matplotlib
import numpy as np
from cases import Case, abrupt, blurred, cooling, disc, wall
from matplotlib import pyplot as plt

from geoembed import pinn

HERE = Path(__file__).resolve().parent
TOLERANCE = 1e-9
SECONDS = 45.0  # of the processor, compilation included
RATIOS = (100.0, 10.0)
WIDTHS = (0.1, 0.05)


def solved(case: Case) -> dict:
    """The error after every grid, in the root mean square, relative to the solution."""
    began, curve = time.process_time(), []

    def note(progress: pinn.FieldProgress) -> None:
        with jax.enable_x64(True):
            found = np.asarray(jax.jit(jax.vmap(progress.field))(jnp.asarray(case.points)))
        error = float(np.linalg.norm(found - case.exact) / np.linalg.norm(case.exact))
        largest = float(np.max(np.abs(found - case.exact)))
        curve.append([time.process_time() - began, progress.parameters, error, largest])

    result = pinn.solve(
        case.problem,
        key=jax.random.key(0),
        tolerance=TOLERANCE,
        callback=note,
        should_stop=lambda: time.process_time() - began > SECONDS,
    )
    seconds, parameters, error, largest = curve[-1]
    row = {
        "status": result.status,
        "seconds": round(seconds, 1),
        "parameters": parameters,
        "error": error,
        "largest_error": largest,
        "estimated_error": result.estimated_error,
        "curve": curve,
    }
    print(json.dumps({name: value for name, value in row.items() if name != "curve"}), flush=True)
    return row


def draw(rows: dict) -> None:
    """Error against time of the disc."""
    matplotlib.use("Agg")
    figure, panels = plt.subplots(1, len(RATIOS), figsize=(9, 3.6), sharey=True, layout="constrained")
    for axes, ratio in zip(panels, RATIOS, strict=True):
        lines = {"one function per region": (f"disc {ratio:g}", "#1b6ca8")}
        shades = ("#e0a070", "#a84412")
        for width, shade in zip(WIDTHS, shades, strict=True):
            lines[f"one field, blurred over {width:g}"] = (f"disc {ratio:g} blurred {width:g}", shade)
        lines["one field, coefficient jumps"] = (f"disc {ratio:g} abrupt", "#8a8a8a")
        for label, (name, color) in lines.items():
            seconds, _, errors, _ = zip(*rows[name]["curve"], strict=True)
            axes.semilogy(seconds, errors, color=color, label=label, marker=".", linewidth=1.4)
        axes.set_title(f"disc conducts {ratio:g} times as well", fontsize=10)
        axes.set_xlabel("Processor time with compilation, s")
        axes.grid(visible=True, color="#e6e6e6", linewidth=0.6)
    panels[0].set_ylabel("Relative L2 error")
    panels[1].legend(frameon=False, fontsize=8)
    figure.savefig(HERE / "results" / "disc.png", dpi=130)


def cases() -> dict[str, Callable[[], Case]]:
    """The problems by name."""
    found: dict[str, Callable[[], Case]] = {"wall": lambda: wall(0.0), "wall, contact": lambda: wall(0.5)}
    found |= {"cooling": lambda: cooling(0.0), "cooling, contact": lambda: cooling(0.5)}
    for ratio in RATIOS:
        found[f"disc {ratio:g}"] = partial(disc, ratio)
        for width in WIDTHS:
            found[f"disc {ratio:g} blurred {width:g}"] = partial(blurred, ratio, width)
        found[f"disc {ratio:g} abrupt"] = partial(abrupt, ratio)
    return found


def main() -> None:
    path = HERE / "results" / "materials.json"
    rows = json.loads(path.read_text()) if path.exists() else {}
    for name, make in cases().items():
        if name not in rows:
            print(name, flush=True)
            rows[name] = solved(make())
            path.write_text(json.dumps(rows, indent=1) + "\n")
    draw(rows)


if __name__ == "__main__":
    main()
