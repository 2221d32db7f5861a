"""Error and heat balance of the heat sink: the default solver, single grids, random features, a constant.

    python experiments/heat_sink/run.py [--only NAME] [--force]

Writes results/rows.json and results/error.png. Rows that are already there are kept, so an interrupted run goes
on where it stopped. The reference is the one that `geoembed demo` uses; reference.py made it.
"""

import argparse
import json
import subprocess
import time
import tomllib
from importlib import resources
from importlib.metadata import version
from pathlib import Path

import jax
import matplotlib
import numpy as np
import random_features as rf
from matplotlib import pyplot as plt

from geoembed.pinn import Convection, Problem, SteadyHeat, Temperature, solve
from geoembed.sdf import facing, load_mesh, value_and_gradient

HERE = Path(__file__).resolve().parent
ROWS = HERE / "results" / "rows.json"
CONFIG = tomllib.loads((HERE / "config.toml").read_text())
DATA = resources.files("geoembed.pinn") / "data"


def heat_sink() -> Problem:
    """The problem of the demo."""
    with resources.as_file(DATA / "heat_sink.stl") as path:
        part = load_mesh(path, unit="mm")
    return Problem(
        domain=part,
        equation=SteadyHeat(conductivity=10.0),
        conditions=[Temperature("base", 350.0), Convection("rest", h=25.0, ambient=293.0)],
        patches={"base": facing((0, 0, -1))},
    )


def reference() -> tuple[np.ndarray, np.ndarray, dict]:
    """Points in the part's unit, temperatures, and what is known about them."""
    with resources.as_file(DATA / "heat_sink_reference.npz") as path, np.load(path) as file:
        return file["points"] * 1e3, file["temperature"].astype(float), json.loads(str(file["facts"]))


POINTS, EXPECTED, FACTS = reference()


def error_of(found: np.ndarray) -> float:
    """‖T − T_fem‖ / ‖T_fem − mean(T_fem)‖."""
    return float(np.linalg.norm(found - EXPECTED) / np.linalg.norm(EXPECTED - EXPECTED.mean()))


def spline_row(problem: Problem, seed: int, **options) -> dict:
    """The solver with some options."""
    start = time.perf_counter()
    result = solve(problem, key=jax.random.key(seed), **options)
    seconds = time.perf_counter() - start
    found, _ = value_and_gradient(result.value, POINTS)
    return {
        "relative_error_fem": error_of(found),
        "energy_balance": result.energy_balance,
        "heat_base_W": dict(result.heat)["base"],
        "estimated_error": result.estimated_error if np.isfinite(result.estimated_error) else None,
        "status": result.status,
        "cells": result.history[-1]["cells"],
        "parameters": result.parameters,
        "iterations": result.iterations,
        "seconds": seconds,
    }


def random_row(problem: Problem, count: int, scales: list[list[float]], settings: dict) -> dict:
    """Random features; the held-out energy chooses slopes and ridge."""
    start = time.perf_counter()
    training = rf.training_rule(problem, settings["cells"], settings["hold"])
    held_out = rf.held_out_rule(
        problem, settings["held_out"], settings["hold"], key=jax.random.key(settings["seed"])
    )
    tried = []
    for pair in scales:
        features = rf.draw(count, tuple(pair), training, settings["seed"])
        energy, judge = rf.energy(training, features), rf.energy(held_out, features)
        for ridge in settings["ridges"]:
            try:
                coefficients = rf.minimum(energy, ridge)
            except np.linalg.LinAlgError:
                continue
            found = temperature(problem, features, coefficients)
            tried.append((judge(coefficients), pair, ridge, features, coefficients, error_of(found)))
            print(
                f"    slopes {pair} ridge {ridge:g}: held-out {tried[-1][0]:.6f}, error {tried[-1][-1]:.2e}",
                flush=True,
            )
    seconds = time.perf_counter() - start
    best = min(tried, key=lambda row: row[0])
    flows = random_heat(problem, held_out, best[3], best[4])
    return {
        "relative_error_fem": best[-1],
        "energy_balance": abs(sum(flows)) / sum(max(flow, 0.0) for flow in flows),
        "heat_base_W": flows[0],
        "held_out": best[0],
        "slopes": best[1],
        "ridge": best[2],
        "lowest_error_of_all_tried": min(row[-1] for row in tried),
        "parameters": count + 1,
        "seconds": seconds,
    }


def temperature(problem: Problem, features: rf.Features, coefficients: np.ndarray) -> np.ndarray:
    """K at the reference points."""
    lower, scales = problem.domain.bounds[0], problem.scales
    return scales.reference + scales.span * features((POINTS - lower) / scales.length, coefficients)


def random_heat(
    problem: Problem, rule: rf.Rule, features: rf.Features, coefficients: np.ndarray
) -> tuple[float, float]:
    """Heat through the base and through the rest, W, by the solver's own definition of both.

    Every point of the part lies above the base, so the weight of the domain integral is 1 − z/depth.
    """
    depth = 0.1
    convecting = np.abs(rule.target) < 0.5  # the ambient temperature is the dimensionless 0
    out = np.where(convecting, rule.transfer * features(rule.surface, coefficients), 0.0) * rule.area
    inside, surface = rule.inside[:, 2], rule.surface[:, 2]
    conducted = np.where(inside < depth, -features.slope_z(rule.inside, coefficients) / depth, 0.0)
    base = float(conducted @ rule.volume + out @ np.clip(1 - surface / depth, 0.0, None))
    return problem.scales.heat * base, -problem.scales.heat * float(out.sum())


def plan(problem: Problem) -> dict[str, tuple[dict, object]]:
    """Name of each row → what decides it, and how to compute it."""
    jobs: dict = {
        "constant": ({}, lambda _: {"relative_error_fem": error_of(np.full(len(EXPECTED), EXPECTED.mean()))})
    }
    for seed in CONFIG["solver"]["seeds"]:
        jobs[f"default, seed {seed}"] = ({"seed": seed}, lambda _, seed=seed: spline_row(problem, seed))
    for cells in CONFIG["solver"]["rungs"]:
        options = {"cells": cells, "first_cells": cells, "tolerance": 0.0}
        jobs[f"grid of {cells} cells"] = (
            options,
            lambda _, options=options: spline_row(problem, 0, **options),
        )
    settings = CONFIG["random_features"]
    first = f"{settings['features'][0]} random features"
    for count in settings["features"]:

        def job(rows, count=count):
            scales = settings["scales"] if count == settings["features"][0] else [rows[first]["slopes"]]
            return random_row(problem, count, scales, settings)

        jobs[f"{count} random features"] = (settings, job)
    return jobs


def commit() -> str:
    """The commit that the code belongs to; "+" marks changes on top of it."""
    done = subprocess.run(
        ["git", "describe", "--always", "--dirty=+"], cwd=HERE, capture_output=True, text=True
    )
    return done.stdout.strip() or "unknown"


def draw(rows: dict[str, dict]) -> None:
    """Error over the number of parameters."""
    figure, axes = plt.subplots(figsize=(6.4, 4.2), layout="constrained")
    groups = (("grid of", "splines, one grid", "o-"), ("default", "default solver, 3 seeds", "k*"),
              ("random features", "random tanh features, exact solve", "s-"))  # fmt: skip
    for word, label, style in groups:
        points = sorted(
            (r["parameters"], r["relative_error_fem"]) for name, r in rows.items() if word in name
        )
        if points:
            axes.loglog(*zip(*points, strict=True), style, label=label, markersize=9 if "*" in style else 6)
    axes.axhline(1.0, color="0.6", linestyle=":")
    axes.text(axes.get_xlim()[1], 1.0, "a constant ", ha="right", va="bottom", color="0.4")
    axes.axhline(FACTS["fem_agreement"], color="0.6", linestyle="--")
    axes.text(axes.get_xlim()[1], FACTS["fem_agreement"], "the two FEM meshes among themselves ", ha="right",
              va="bottom", color="0.4")  # fmt: skip
    axes.set(xlabel="parameters", ylabel="relative error against FEM", title="Heat sink, k = 10 W/(m K)")
    axes.grid(True, which="both", alpha=0.2)
    axes.legend()
    figure.savefig(HERE / "results" / "error.png", dpi=130)


def table(rows: dict[str, dict]) -> str:
    """The rows as the Markdown table of README.md."""
    lines = ["| | parameters | error | heat balance | seconds |", "|---|---|---|---|---|"]
    for name, row in rows.items():
        if "parameters" in row:
            figures = f"{row['parameters']} | {row['relative_error_fem']:.2e} | {row['energy_balance']:.2e}"
            lines.append(f"| {name} | {figures} | {row['seconds']:.0f} |")
        else:
            lines.append(f"| {name} | | {row['relative_error_fem']:.2e} | | |")
    return "\n".join(lines)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--only", default="", help="rows whose name contains this")
    parser.add_argument("--force", action="store_true", help="compute rows again that are there")
    options = parser.parse_args()
    matplotlib.use("Agg")
    ROWS.parent.mkdir(exist_ok=True)
    rows = json.loads(ROWS.read_text()) if ROWS.exists() else {}
    for name, (settings, job) in plan(heat_sink()).items():
        done = name in rows and rows[name]["settings"] == settings
        if options.only in name and (options.force or not done):
            row = job(rows)
            versions = {package: version(package) for package in ("jax", "numpy", "scipy")}
            rows[name] = {**row, "settings": settings, "commit": commit(), "versions": versions}
            ROWS.write_text(json.dumps(rows, indent=1) + "\n")
        if name in rows:
            shown = {
                key: rows[name].get(key)
                for key in ("relative_error_fem", "energy_balance", "parameters", "seconds")
            }
            print(name, json.dumps(shown), flush=True)
    draw(rows)
    print(table({name: rows[name] for name in plan(heat_sink()) if name in rows}))


if __name__ == "__main__":
    main()
