"""Radiating parts against closed forms and finite elements, beside a linearised radiation coefficient.

    python experiments/radiation/run.py [--only NAME] [--force] [--cache FOLDER]

Needs the extra `fem` and, for the bracket, the mesh: GEOEMBED_DATA names a folder with sdf/bracket_gen.stl. Writes
results/rows.json. Rows that are already there are kept. The finite-element references stay in the cache.
"""

import argparse
import json
import subprocess
import tempfile
import time
from collections.abc import Callable
from importlib.metadata import version
from pathlib import Path

import jax
import numpy as np
from cases import bracket, shell, shell_temperature, slab, slab_temperature

from geoembed.pinn import Problem, fem_reference, solve
from geoembed.sdf import evaluate, sample_interior

HERE = Path(__file__).resolve().parent
ROWS = HERE / "results" / "rows.json"
# Tetrahedra at first and after refinement. The judge takes more rounds where k depends on the temperature.
MESHES = {
    "bracket": {"coarse": (8_000, 35_000), "fine": (15_000, 80_000)},
    "bracket of k(T)": {"coarse": (5_000, 18_000), "fine": (9_000, 40_000)},
}
TOLERANCE, CELLS = 2e-3, {"shell": 20_000}  # a curved surface of many triangles takes time; else 200 000

Known = tuple[np.ndarray, np.ndarray, dict]  # points in m, temperatures in K, and what is known about them


def by_formula(problem: Problem, temperature: Callable[[np.ndarray], np.ndarray]) -> Known:
    """A closed form, or an ordinary differential equation."""
    points = np.asarray(sample_interior(problem.domain, 12_000, key=jax.random.key(1)).points)
    return points * problem.domain.metres_per_unit, temperature(points * problem.domain.metres_per_unit), {}


def by_elements(problem: Problem, path: Path, meshes: dict) -> Known:
    """Finite elements on two meshes."""
    if not path.exists():
        begin = time.process_time()
        found = fem_reference(
            problem.domain.vertices * problem.domain.metres_per_unit,
            problem.domain.faces,
            problem.face_conditions,
            problem.equation.conductivity,
            problem.equation.source,
            seed=0,
            face_patch=problem.resolved.face_patch,
            names=problem.resolved.names,
            **meshes,
        )
        about = {
            "fem_agreement": found.agreement,
            "fem_balance": found.energy_balance,
            "fem_dofs": found.fine.dofs,
            "fem_cpu_seconds": time.process_time() - begin,
            "fem_heat_W": {patch.name: patch.watts for patch in found.heat},
        }
        np.savez(path, points=found.points, temperature=found.temperature, about=json.dumps(about))
    with np.load(path) as stored:
        return stored["points"], stored["temperature"], json.loads(str(stored["about"]))


def error(problem: Problem, known: Known, **options) -> tuple[float, dict]:
    """‖T − T*‖ / ‖T* − mean T*‖ of a solution, and its figures."""
    points, exact, _ = known
    begin = time.process_time()
    result = solve(problem, key=jax.random.key(0), **options)
    seconds = time.process_time() - begin
    found = evaluate(result.value, points / problem.domain.metres_per_unit)
    figures = {
        "estimated_error": result.estimated_error if np.isfinite(result.estimated_error) else None,
        "status": result.status,
        "energy_balance": result.energy_balance,
        "heat_W": dict(result.heat),
        "parameters": result.parameters,
        "iterations": result.iterations,
        "cpu_seconds": seconds,
    }
    return float(np.linalg.norm(found - exact) / np.linalg.norm(exact - exact.mean())), figures


def row(name: str, cache: Path) -> dict:
    """The figures of one part, and of the linear problem in its place."""
    make = {
        "slab": slab,
        "shell": shell,
        "bracket": lambda **how: bracket(False, **how),
        "bracket of k(T)": lambda **how: bracket(True, **how),
    }[name]
    problem, formulas = make(), {"slab": slab_temperature, "shell": shell_temperature}
    if name in formulas:
        known = by_formula(problem, formulas[name])
    else:
        known = by_elements(problem, cache / f"{name.replace(' ', '_')}.npz", MESHES[name])
    options = {"tolerance": TOLERANCE, "cells": CELLS.get(name, 200_000)}
    relative, figures = error(problem, known, **options)
    baseline, linear = error(make(linear=True), known, **options)
    versions = {package: version(package) for package in ("jax", "numpy", "scipy", "scikit-fem")}
    lowest, highest = float(known[1].min()), float(known[1].max())
    about = {"relative_error": relative, **figures, **known[2], "lowest_K": lowest, "highest_K": highest}
    compared = {key: linear[key] for key in ("heat_W", "iterations", "cpu_seconds")}
    return {**about, "linearised": {"relative_error": baseline, **compared}, "versions": versions}


def commit() -> str:
    """The commit that the code belongs to; "+" marks changes on top of it."""
    done = subprocess.run(
        ["git", "describe", "--always", "--dirty=+"], cwd=HERE, capture_output=True, text=True
    )
    return done.stdout.strip() or "unknown"


def main() -> None:
    """Adds the rows that are missing."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("--only")
    parser.add_argument("--force", action="store_true")
    parser.add_argument("--cache", type=Path, default=Path(tempfile.gettempdir()) / "geoembed_radiation")
    options = parser.parse_args()
    options.cache.mkdir(parents=True, exist_ok=True)
    rows = json.loads(ROWS.read_text()) if ROWS.exists() else {}
    for name in ("slab", "shell", "bracket", "bracket of k(T)"):
        if options.only in (None, name) and (options.force or name not in rows):
            rows[name] = {"commit": commit(), **row(name, options.cache)}
            ROWS.write_text(json.dumps(rows, indent=1) + "\n")
            print(name, json.dumps(rows[name]))


if __name__ == "__main__":
    main()
