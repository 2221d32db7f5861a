# ruff: noqa: RUF001  (mathematical symbols in labels)
"""How far the estimated errors of `geoembed.pinn.solve` can be trusted: runs of varied quality against known solutions.

    python benchmarks/pinn_calibration.py [--only NAME ...] [--quick] [--again]

Equations, tolerances, limits of cells, interruptions and small networks are combined so that the true errors spread
over many orders of magnitude. The truth is a closed form or a reference of benchmarks/pinn_references*.py. Every run
stops after at most 25 CPU seconds and appends a row to benchmarks/results/pinn_calibration.jsonl with the estimate, the
error, the held-out residual and both figures on the way; rows that are there are not run again.

The last line printed is one JSON object: Spearman's rank correlation of estimate and error, the share of runs whose
error is at most the estimate and at most three times the estimate, the worst ratios of error to estimate, how many runs
ended before there was an estimate, and the same shares over all reports on the way. A picture goes to
experiments/equations/results/calibration.png.
`--quick` runs the first three.
"""

import argparse
import json
import math
import os
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
from pinn_cases import L_SHAPE, _boltzmann, _burgers, _holes
from pinn_references import allen_cahn, relative
from pinn_references_planar import l_shape
from rows import RESULTS, commit, row
from scipy.stats import spearmanr

from geoembed import pinn, sdf

PICTURE = Path(__file__).resolve().parent.parent / "experiments/equations/results/calibration.png"
CPU_SECONDS = 25.0
ROUNDING = 1e-12  # smaller errors and estimates count as this

Made = tuple[pinn.Problem, np.ndarray, np.ndarray]


def _inside(lower: Any, upper: Any, count: int = 4000) -> np.ndarray:
    return np.random.default_rng(0).uniform(lower, upper, (count, len(lower)))


def _exact(problem: pinn.Problem, points: np.ndarray, truth: Callable[[np.ndarray], np.ndarray]) -> Made:
    return problem, points, truth(points.T)


def _square() -> Any:
    return sdf.Box((1.0, 1.0)).translate((0.5, 0.5))


def _waves(k: float) -> Made:
    """Helmholtz' equation in a square."""

    def source(x: Any) -> Any:
        return (5 * jnp.pi**2 - k**2) * jnp.sin(jnp.pi * x[0]) * jnp.sin(2 * jnp.pi * x[1])

    problem = pinn.Problem(_square(), pinn.Helmholtz(k, source), [pinn.Dirichlet("all")])
    return _exact(problem, _inside((0, 0), (1, 1)), lambda x: np.sin(np.pi * x[0]) * np.sin(2 * np.pi * x[1]))


def _layer(width: float) -> Made:
    """Advection with a layer of this width at the outlet."""
    equation = pinn.AdvectionDiffusion(1.0, width, transient=False)
    ends = [pinn.Dirichlet("left", 0.0), pinn.Dirichlet("right", 1.0)]
    problem = pinn.Problem(pinn.Interval(0.0, 1.0), equation, ends)
    return _exact(problem, _inside((0,), (1,)), lambda x: np.exp((x[0] - 1) / width) - np.exp(-1 / width))


def _heat() -> Made:
    """Heat in a rod, two waves."""

    def start(x: Any) -> Any:
        return jnp.sin(jnp.pi * x[0]) + 0.5 * jnp.sin(5 * jnp.pi * x[0])

    def truth(x: np.ndarray) -> np.ndarray:
        first = np.sin(np.pi * x[0]) * np.exp(-0.1 * np.pi**2 * x[1])
        return first + 0.5 * np.sin(5 * np.pi * x[0]) * np.exp(-2.5 * np.pi**2 * x[1])

    conditions = [pinn.Initial(start), pinn.Dirichlet("all")]
    problem = pinn.Problem(
        pinn.Interval(0.0, 1.0), pinn.HeatEquation(0.1, capacity=1.0), conditions, time=(0.0, 1.0)
    )
    return _exact(problem, _inside((0, 0), (1, 1)), truth)


def _step() -> Made:
    """Heat in a rod that starts at 1 and is held at 0: the values jump at the ends."""
    conditions = [pinn.Initial(1.0), pinn.Dirichlet("all", hard=False)]
    problem = pinn.Problem(
        pinn.Interval(0.0, 1.0), pinn.HeatEquation(0.1, capacity=1.0), conditions, time=(0.0, 1.0)
    )

    def truth(x: np.ndarray) -> np.ndarray:
        odd = 2 * np.arange(400)[:, None] + 1
        terms = 4 / (odd * np.pi) * np.sin(odd * np.pi * x[0]) * np.exp(-0.1 * (odd * np.pi) ** 2 * x[1])
        return terms.sum(axis=0)

    return _exact(problem, _inside((0, 1e-3), (1, 1)), truth)


def _lid() -> Made:
    """Laplace in a square, 1 on the top and 0 on the other sides: the values jump at two corners."""
    conditions = [pinn.Dirichlet("top", 1.0), *(pinn.Dirichlet(side) for side in ("left", "right", "bottom"))]

    def truth(x: np.ndarray) -> np.ndarray:
        odd = np.pi * (2 * np.arange(600)[:, None] + 1)
        height = np.exp(odd * (x[1] - 1)) * (1 - np.exp(-2 * odd * x[1])) / (1 - np.exp(-2 * odd))
        return np.sum(4 / odd * np.sin(odd * x[0]) * height, axis=0)

    return _exact(pinn.Problem(_square(), pinn.Poisson(), conditions), _inside((0, 0), (1, 0.99)), truth)


def _wave() -> Made:
    """A standing wave."""
    conditions = [
        pinn.Initial(lambda x: jnp.sin(2 * jnp.pi * x[0])),
        pinn.Initial(0.0, order=1),
        pinn.Dirichlet("all"),
    ]
    problem = pinn.Problem(pinn.Interval(0.0, 1.0), pinn.Wave(1.0), conditions, time=(0.0, 1.0))
    return _exact(
        problem, _inside((0, 0), (1, 1)), lambda x: np.sin(2 * np.pi * x[0]) * np.cos(2 * np.pi * x[1])
    )


def _plate() -> Made:
    """Heat in a plate: three coordinates."""
    conditions = [
        pinn.Initial(lambda x: jnp.sin(jnp.pi * x[0]) * jnp.sin(jnp.pi * x[1])),
        pinn.Dirichlet("all"),
    ]
    problem = pinn.Problem(
        _square(), pinn.HeatEquation(1 / np.pi**2, capacity=1.0), conditions, time=(0.0, 1.0)
    )

    def truth(x: np.ndarray) -> np.ndarray:
        return np.sin(np.pi * x[0]) * np.sin(np.pi * x[1]) * np.exp(-2 * x[2])

    return _exact(problem, _inside((0, 0, 0), (1, 1, 1)), truth)


def _corner() -> Made:
    """−Δu = 1 in the L-shape."""
    points = _inside((-1, -1), (1, 1), 5000)
    found = l_shape(points[(points[:, 0] < 0) | (points[:, 1] < 0)])
    return (
        pinn.Problem(sdf.Polygon(L_SHAPE), pinn.Poisson(1.0), [pinn.Dirichlet("all")]),
        found.points,
        found.values,
    )


def _phases() -> Made:
    """Allen and Cahn's equation with a kink in its initial values; a shorter computation of the reference."""
    found = allen_cahn(modes=768, steps=600)
    conditions = [pinn.Initial(lambda x: x[0] ** 2 * jnp.cos(jnp.pi * x[0])), pinn.Periodic(0)]
    problem = pinn.Problem(pinn.Interval(-1.0, 1.0), pinn.AllenCahn(), conditions, time=(0.0, 1.0))
    return problem, found.points, found.values


@dataclass(frozen=True)
class Run:
    """One run.

    Args:
        make: The problem, points and the truth there.
        options: Of `solve`.
        reports: Interrupt after so many reports.
    """

    make: Callable[[], Made]
    options: dict[str, Any]
    reports: int | None = None


def _few(steps: int) -> dict[str, Any]:
    return {"tolerance": 0.0, "training": pinn.Training(points=1000, steps=steps)}


RUNS = {
    "heat 1e-1": Run(_heat, {"tolerance": 1e-1}),
    "heat 1e-6": Run(_heat, {"tolerance": 1e-6}),
    "heat, one report": Run(_heat, {"tolerance": 0.0}, reports=1),
    "heat, network 20": Run(_heat, _few(20)),
    "heat, network 100": Run(_heat, _few(100)),
    "burgers 0.01 1e-1": Run(lambda: _burgers(0.01), {"tolerance": 1e-1}),
    "burgers 0.01 1e-4": Run(lambda: _burgers(0.01), {"tolerance": 1e-4}),
    "burgers 0.01/π, 2 reports": Run(lambda: _burgers(0.01 / np.pi), {"tolerance": 0.0}, reports=2),
    "burgers 0.01/π, 600 cells": Run(lambda: _burgers(0.01 / np.pi), {"tolerance": 0.0, "cells": 600}),
    "burgers 0.01, network 40": Run(lambda: _burgers(0.01), _few(40)),
    "layer 0.05, 1e-2": Run(lambda: _layer(0.05), {"tolerance": 1e-2}),
    "layer 0.002, 1e-2": Run(lambda: _layer(0.002), {"tolerance": 1e-2}),
    "layer 0.002, 2 reports": Run(lambda: _layer(0.002), {"tolerance": 0.0}, reports=2),
    "layer 0.0005, 3 reports": Run(lambda: _layer(0.0005), {"tolerance": 0.0}, reports=3),
    "layer 0.05, network 30": Run(lambda: _layer(0.05), _few(30)),
    "lid 1e-2": Run(_lid, {"tolerance": 1e-2}),
    "lid, 5 reports": Run(_lid, {"tolerance": 0.0}, reports=5),
    "step 1e-2": Run(_step, {"tolerance": 1e-2}),
    "step, 6 reports": Run(_step, {"tolerance": 0.0}, reports=6),
    "allen-cahn 1e-1": Run(_phases, {"tolerance": 1e-1}),
    "allen-cahn 1e-3": Run(_phases, {"tolerance": 1e-3}),
    "helmholtz 6, 1e-2": Run(lambda: _waves(6.0), {"tolerance": 1e-2}),
    "helmholtz 20, 2 reports": Run(lambda: _waves(20.0), {"tolerance": 0.0}, reports=2),
    "helmholtz 6, network 30": Run(lambda: _waves(6.0), _few(30)),
    "l-shape 1e-2": Run(_corner, {"tolerance": 1e-2}),
    "l-shape, 4 reports": Run(_corner, {"tolerance": 0.0}, reports=4),
    "l-shape, network 40": Run(_corner, _few(40)),
    "wave 1e-2": Run(_wave, {"tolerance": 1e-2}),
    "wave, network 60": Run(_wave, _few(60)),
    "holes 1e-2": Run(_holes, {"tolerance": 1e-2}),
    "boltzmann 1e-2": Run(_boltzmann, {"tolerance": 1e-2}),
    "boltzmann, 3 reports": Run(_boltzmann, {"tolerance": 0.0}, reports=3),
    "plate 1e-2": Run(_plate, {"tolerance": 1e-2}),
}


def measured(run: Run) -> dict[str, Any]:
    """Solves and compares."""
    problem, points, values = run.make()
    begin, trace = time.process_time(), []

    def error(field: Any) -> float:
        return relative(np.asarray(sdf.evaluate(field, points)).reshape(values.shape), values)

    def look(progress: pinn.FieldProgress) -> None:
        trace.append((progress.iteration, _number(progress.estimated_error), error(progress.field)))

    def stop() -> bool:
        enough = run.reports is not None and len(trace) >= run.reports
        return enough or time.process_time() - begin > CPU_SECONDS

    result = pinn.solve(problem, key=jax.random.key(0), callback=look, should_stop=stop, **run.options)
    return {
        "status": result.status,
        "estimated_error": _number(result.estimated_error),
        "error": error(result.field),
        "held_out_residual": result.held_out_residual,
        "cpu_seconds": round(time.process_time() - begin, 1),
        "trace": trace[:: max(1, len(trace) // 20)],
    }


def _number(value: float) -> float | None:
    return float(value) if math.isfinite(value) else None


def figures(rows: dict[str, dict[str, Any]]) -> dict[str, Any]:
    """What the last line says."""
    known = {name: r for name, r in rows.items() if r["estimated_error"] is not None}
    estimate = np.maximum([r["estimated_error"] for r in known.values()], ROUNDING)
    error = np.maximum([r["error"] for r in known.values()], ROUNDING)
    ratio = error / estimate
    order = np.argsort(-ratio)
    names = list(known)
    pairs = [(e, max(error, ROUNDING)) for r in rows.values() for _, e, error in r["trace"] if e is not None]
    on_the_way = np.array([error / max(e, ROUNDING) for e, error in pairs])
    return {
        "runs": len(rows),
        "without_estimate": len(rows) - len(known),
        "rank_correlation": round(float(spearmanr(estimate, error).statistic), 3),
        "share_error_below_estimate": round(float(np.mean(ratio <= 1)), 3),
        "share_error_below_3_estimates": round(float(np.mean(ratio <= 3)), 3),
        "median_ratio": float(f"{np.median(ratio):.3g}"),
        "reports_on_the_way": len(pairs),
        "share_of_reports_below_estimate": round(float(np.mean(on_the_way <= 1)), 3),
        "share_of_reports_below_3_estimates": round(float(np.mean(on_the_way <= 3)), 3),
        "worst": {names[i]: float(f"{ratio[i]:.3g}") for i in order[:5]},
    }


def draw(rows: dict[str, dict[str, Any]]) -> None:
    """The estimates against the errors."""
    import matplotlib

    matplotlib.use("Agg")
    import matplotlib.pyplot as plt

    figure, axes = plt.subplots(figsize=(6.4, 5.6), constrained_layout=True)
    kinds = sorted({name.split(",")[0].split(" ")[0] for name in rows})
    colours = plt.get_cmap("tab20")(np.linspace(0, 1, len(kinds)))
    for kind, colour in zip(kinds, colours, strict=True):
        mine = [
            r
            for n, r in rows.items()
            if n.split(",")[0].split(" ")[0] == kind and r["estimated_error"] is not None
        ]
        both = np.maximum([(r["estimated_error"], r["error"]) for r in mine], ROUNDING).reshape(-1, 2)
        axes.loglog(both[:, 0], both[:, 1], "o", color=colour, label=kind)
    ends = np.array([1e-12, 3.0])
    axes.loglog(ends, ends, "k-", lw=1, label="error = estimate")
    axes.loglog(ends, 3 * ends, "k:", lw=1, label="error = 3 × estimate")
    axes.set(xlabel="estimated relative error", ylabel="true relative error", xlim=ends, ylim=(1e-12, 1e2))
    axes.legend(fontsize=8, ncols=2, loc="lower right")
    axes.grid(alpha=0.3)
    PICTURE.parent.mkdir(parents=True, exist_ok=True)
    figure.savefig(PICTURE, dpi=130)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--only", nargs="+", choices=list(RUNS), default=list(RUNS))
    parser.add_argument("--quick", action="store_true", help="the first three runs; nothing is kept")
    parser.add_argument("--again", action="store_true", help="run even what is in the results")
    options = parser.parse_args()
    names = list(RUNS)[:3] if options.quick else options.only
    store = Path(os.devnull) if options.quick else RESULTS / "pinn_calibration.jsonl"
    rows = {}
    for name in names:
        rows[name] = row(
            store,
            {"run": name},
            lambda n=name: {"version": commit()} | measured(RUNS[n]),
            again=options.again,
        )
        print(json.dumps({k: v for k, v in rows[name].items() if k != "trace"}), flush=True)
    if not options.quick:
        draw(rows)
    print(json.dumps({"bench": "pinn_calibration", **figures(rows)}, ensure_ascii=False))


if __name__ == "__main__":
    main()
