"""The bracket under load on ever finer grids, against finite elements, and a picture of it.

    python experiments/elasticity/run.py [--only NAME] [--force] [--cache FOLDER]

Needs the extra `fem` and the mesh: GEOEMBED_DATA names a folder with sdf/bracket_gen.stl. Writes results/rows.json and
results/bracket.png. Rows that are already there are kept. Fields and the finite-element reference stay in the cache.
"""

import argparse
import json
import os
import subprocess
import tempfile
import time
from importlib.metadata import version
from pathlib import Path

import jax
import matplotlib
import numpy as np
from matplotlib import pyplot as plt
from matplotlib.colors import Normalize
from mpl_toolkits.mplot3d.art3d import Poly3DCollection

import geoembed
from geoembed.pinn import (
    Displacement,
    Problem,
    SteadyElasticity,
    Traction,
    elastic_reference,
    solve,
)
from geoembed.sdf import evaluate, facing, in_box, load_mesh

HERE = Path(__file__).resolve().parent
ROWS = HERE / "results" / "rows.json"
CELLS = (5_000, 15_000, 45_000)  # each run climbs from 5 000
FAR = 1000.0


def bracket() -> Problem:
    """Steel, clamped at its back, 1 MPa on top of its foot."""
    data = os.environ.get("GEOEMBED_DATA")
    if not data:
        raise SystemExit("GEOEMBED_DATA is not set: it names the folder with the mesh")
    part = load_mesh(Path(data) / "sdf" / "bracket_gen.stl", unit="mm")
    patches = {
        "held": facing((-1, 0, 0), angle=5) & in_box((-0.01, -FAR, -FAR), (0.01, FAR, FAR)),
        "loaded": facing((0, 0, 1), angle=5) & in_box((-FAR, -FAR, 5.99), (FAR, FAR, 6.01)),
    }
    conditions = [Displacement("held"), Traction("loaded", (0.0, 0.0, -1e6))]
    return Problem(part, SteadyElasticity(210e9, 0.3), conditions, patches)


def reference(problem: Problem, cache: Path) -> dict:
    """Points in m, displacements and how well two meshes agree, from finite elements."""
    path = cache / "reference.npz"
    if not path.exists():
        begin = time.process_time()
        found = elastic_reference(problem, seed=0)
        figures = {
            "agreement": found.agreement,
            "cpu_seconds": time.process_time() - begin,
            "dofs": found.fine.dofs,
        }
        np.savez(path, points=found.points, displacement=found.displacement, **figures)
    with np.load(path) as stored:
        return {name: stored[name] for name in stored.files}


def field(problem: Problem, cells: int, cache: Path):
    """The result on grids of up to so many cells, and the processor seconds it took."""
    path = cache / f"bracket_{cells}"
    if not path.exists():
        begin = time.process_time()
        result = solve(problem, key=jax.random.key(0), cells=cells)
        geoembed.save(path, result, meta={"cpu_seconds": time.process_time() - begin})
    return geoembed.load(path), geoembed.core.load_meta(path).get("cpu_seconds")


def row(problem: Problem, cells: int, cache: Path) -> dict:
    """The figures of one number of cells."""
    result, seconds = field(problem, cells, cache)
    fem = reference(problem, cache)
    found = evaluate(result.value, fem["points"] / problem.domain.metres_per_unit)
    error = np.linalg.norm(found - fem["displacement"]) / np.linalg.norm(fem["displacement"])
    return {
        "relative_error_fem": float(error),
        "fem_agreement": float(fem["agreement"]),
        "estimated_error": result.estimated_error if np.isfinite(result.estimated_error) else None,
        "force_balance": result.energy_balance,
        "forces_N": dict(result.forces),
        "parameters": result.parameters,
        "iterations": result.iterations,
        "cpu_seconds": seconds,
        "versions": {package: version(package) for package in ("jax", "numpy", "scipy", "scikit-fem")},
    }


def commit() -> str:
    """The commit that the code belongs to; "+" marks changes on top of it."""
    done = subprocess.run(
        ["git", "describe", "--always", "--dirty=+"], cwd=HERE, capture_output=True, text=True
    )
    return done.stdout.strip() or "unknown"


def triangles(problem: Problem, size: float) -> np.ndarray:
    """The surface in triangles of about this size, [n, 3, 3]."""
    pieces, done = problem.domain.vertices[problem.domain.faces], []
    while len(pieces):
        sides = np.linalg.norm(np.roll(pieces, -1, axis=1) - pieces, axis=2)
        small = sides.max(axis=1) <= size
        done.append(pieces[small])
        pieces, first = pieces[~small], sides[~small].argmax(axis=1)
        row = np.arange(len(pieces))
        a, b, c = (pieces[row, (first + k) % 3] for k in range(3))
        middle = 0.5 * (a + b)
        pieces = np.concatenate([np.stack([a, middle, c], axis=1), np.stack([middle, b, c], axis=1)])
    return np.concatenate(done)


def draw(problem: Problem, result) -> None:
    """The deformed part, much enlarged, coloured by the von Mises stress."""
    shape = triangles(problem, 1.5)
    centre = shape.mean(axis=1)
    stress = evaluate(result.von_mises, centre) / 1e6
    moved = 1e3 * evaluate(result.value, shape.reshape(-1, 3)).reshape(shape.shape)  # mm
    enlarged = 0.15 * np.ptp(shape.reshape(-1, 3), axis=0).max() / np.abs(moved).max()
    normal = np.cross(shape[:, 1] - shape[:, 0], shape[:, 2] - shape[:, 0])
    normal = normal / np.linalg.norm(normal, axis=1, keepdims=True)
    light = 0.75 + 0.25 * np.abs(normal @ np.array([0.35, -0.75, 0.56]))
    norm = Normalize(0.0, float(np.quantile(stress, 0.995)))
    colours = plt.get_cmap("viridis")(norm(stress))
    colours[:, :3] *= light[:, None]
    figure = plt.figure(figsize=(7.2, 5.4), layout="constrained")
    axes = figure.add_subplot(projection="3d", proj_type="ortho", computed_zorder=False)
    axes.add_collection3d(
        Poly3DCollection(shape + enlarged * moved, facecolors=colours, edgecolors=colours, linewidths=0.3)
    )
    lower, upper = problem.domain.bounds
    axes.set(xlim=(lower[0], upper[0]), ylim=(lower[1], upper[1]), zlim=(lower[2] - 9, upper[2]))
    axes.set(xlabel="x / mm", ylabel="y / mm", zlabel="z / mm")
    axes.set_yticks(np.arange(0, 31, 10))
    axes.set_box_aspect((upper - lower) + np.array([0.0, 0.0, 9.0]))
    axes.view_init(22, -58)
    axes.set_title(
        f"clamped at its back, 1 MPa on its foot; displacement enlarged {enlarged:.0f} times", fontsize=10
    )
    shown = plt.cm.ScalarMappable(norm, "viridis")
    figure.colorbar(shown, ax=axes, shrink=0.6, label="von Mises stress / MPa", extend="max")
    figure.savefig(HERE / "results" / "bracket.png", dpi=120)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--only", default="", help="rows whose name contains this")
    parser.add_argument("--force", action="store_true", help="compute rows again that are there")
    parser.add_argument("--cache", type=Path, default=Path(tempfile.gettempdir()) / "geoembed-elasticity")
    options = parser.parse_args()
    matplotlib.use("Agg")
    options.cache.mkdir(parents=True, exist_ok=True)
    ROWS.parent.mkdir(exist_ok=True)
    rows = json.loads(ROWS.read_text()) if ROWS.exists() else {}
    problem = bracket()
    for cells in CELLS:
        name = f"{cells} cells"
        if options.only in name and (options.force or name not in rows):
            rows[name] = row(problem, cells, options.cache) | {"commit": commit()}
            ROWS.write_text(json.dumps(rows, indent=1) + "\n")
        print(name, json.dumps(rows.get(name)), flush=True)
    draw(problem, field(problem, CELLS[-1], options.cache)[0])


if __name__ == "__main__":
    main()
