"""Elastic parts under load: `geoembed.pinn.solve` against finite elements.

    python benchmarks/elasticity.py [--quick] [--only NAME] [--force] [--keep FOLDER]

Needs the extra `fem` and the meshes: GEOEMBED_DATA names a folder with sdf/*.stl. Each part is solved with the default
settings and judged by quadratic finite elements on two adapted meshes. The baseline is the same finite elements on one
mesh without adaptation, `PLAIN` tetrahedra as the mesher makes them. Rows go to benchmarks/results/elasticity.jsonl;
a row whose commit and settings are there already is not computed again. `--quick` allows 15 000 cells; `--keep` saves
the fields.

The last line printed is one JSON object: for each part the error ‖u − u_fem‖ / ‖u_fem‖ against the finer mesh, the
agreement of the two meshes, the balance of forces |Σ F| / Σ |F|, the processor seconds of the solver, and error and
processor seconds of the baseline.
"""

import argparse
import json
import os
import sys
import time
from pathlib import Path

import jax
import numpy as np
from rows import RESULTS as FOLDER
from rows import commit, row

import geoembed
from geoembed.pinn import (
    Displacement,
    Problem,
    SteadyElasticity,
    Traction,
    elastic_reference,
    judge_elastic,
    solve,
)
from geoembed.pinn._elastic_reference import relative_error
from geoembed.pinn._fem import evaluate as fem_evaluate
from geoembed.pinn._fem_elasticity import Material, solve_elasticity
from geoembed.pinn._fem_mesh import tetrahedralise
from geoembed.sdf import evaluate, facing, in_box, load_mesh

RESULTS = FOLDER / "elasticity.jsonl"
BAR = 1e-2
PLAIN = 16_000
FAR = 1000.0
STEEL, ALUMINIUM = SteadyElasticity(210e9, 0.3), SteadyElasticity(70e9, 0.33)


def bracket(folder: Path) -> Problem:
    """An angle bracket held at its back; 1 MPa on top of its foot."""
    part = load_mesh(folder / "bracket_gen.stl", unit="mm")
    patches = {
        "held": facing((-1, 0, 0), angle=5) & in_box((-0.01, -FAR, -FAR), (0.01, FAR, FAR)),
        "loaded": facing((0, 0, 1), angle=5) & in_box((-FAR, -FAR, 5.99), (FAR, FAR, 6.01)),
    }
    return Problem(part, STEEL, [Displacement("held"), Traction("loaded", (0.0, 0.0, -1e6))], patches)


def plate_holes(folder: Path) -> Problem:
    """A plate with holes and rounded edges, held along one narrow side; 1 MPa along the other bends it."""
    part = load_mesh(folder / "plate_holes.STL", unit="mm")
    patches = {
        "held": facing((-1, 0, 0), angle=1) & in_box((-0.01, -FAR, -FAR), (0.01, FAR, FAR)),
        "loaded": facing((1, 0, 0), angle=1) & in_box((203.19, -FAR, -FAR), (203.21, FAR, FAR)),
    }
    return Problem(part, ALUMINIUM, [Displacement("held"), Traction("loaded", (0.0, 0.0, -1e6))], patches)


PARTS = {"bracket": bracket, "plate_holes": plate_holes}


def plain_fem(problem: Problem, reference) -> dict:
    """The baseline: its error against the finer mesh of the judge."""
    begin, domain = time.process_time(), problem.domain
    mesh = tetrahedralise(domain.vertices * domain.metres_per_unit, domain.faces, tets=PLAIN)
    equation = problem.equation
    solution = solve_elasticity(mesh, problem.face_loads, Material(equation.young, equation.poisson))
    seconds = time.process_time() - begin
    parts = [fem_evaluate(solution.component(axis), reference.points)[0] for axis in range(3)]
    error = relative_error(np.stack(parts, axis=1), reference.displacement)
    return {
        "relative_error_fem": error,
        "cpu_seconds": seconds,
        "tets": len(mesh.tets),
        "dofs": solution.dofs,
        "max_displacement_m": float(np.linalg.norm(solution.nodal, axis=1).max()),
    }


def measure(name: str, problem: Problem, cells: int, keep: Path | None) -> dict:
    """The figures of one part."""
    begin = time.process_time()
    result = solve(problem, key=jax.random.key(0), cells=cells)
    seconds = time.process_time() - begin
    if keep is not None:
        geoembed.save(keep / name, result)
    print(name, result.status, f"{seconds:.0f} s of processor", file=sys.stderr, flush=True)
    begin = time.process_time()
    reference = elastic_reference(problem, seed=0)
    fem_seconds = time.process_time() - begin
    metres = problem.domain.metres_per_unit
    verdict = judge_elastic(reference, lambda x: evaluate(result.value, x / metres), bar=BAR)
    return {
        "relative_error_fem": verdict.relative_error,
        "verdict": verdict.status,
        "fem_agreement": verdict.fem_agreement,
        "estimated_error": result.estimated_error,
        "status": result.status,
        "force_balance": result.energy_balance,
        "forces_N": dict(result.forces),
        "fem_forces_N": verdict.forces,
        "max_displacement_m": float(np.linalg.norm(reference.displacement, axis=1).max()),
        "parameters": result.parameters,
        "grids": [h["cells"] for h in result.history if h["finished"]],
        "iterations": result.iterations,
        "seconds": result.seconds,
        "cpu_seconds": seconds,
        "fem_seconds": verdict.seconds,
        "fem_cpu_seconds": fem_seconds,
        "fem_dofs": verdict.dofs,
        "plain_fem": plain_fem(problem, reference),
        "versions": verdict.versions,
    }


def figures(found: dict) -> dict:
    """What the last line says about a part."""
    kept = (
        "relative_error_fem",
        "verdict",
        "fem_agreement",
        "force_balance",
        "estimated_error",
        "cpu_seconds",
        "fem_cpu_seconds",
    )
    return {name: found[name] for name in kept} | {
        "plain_fem_error": found["plain_fem"]["relative_error_fem"],
        "plain_fem_cpu_seconds": found["plain_fem"]["cpu_seconds"],
    }


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--quick", action="store_true", help="at most 15 000 cells")
    parser.add_argument("--only", default="", help="parts whose name contains this")
    parser.add_argument("--force", action="store_true", help="compute rows again that are there")
    parser.add_argument("--keep", type=Path, default=None, help="folder for the fields")
    options = parser.parse_args()
    data = os.environ.get("GEOEMBED_DATA")
    if not data:
        raise SystemExit("GEOEMBED_DATA is not set: it names the folder with the meshes")
    cells, summary = 15_000 if options.quick else 200_000, {}
    for name, make in PARTS.items():
        if options.only not in name:
            continue
        problem = make(Path(data) / "sdf")
        identity = {"part": name, "cells": cells, "commit": commit()}
        found = row(
            RESULTS,
            identity,
            lambda n=name, p=problem: measure(n, p, cells, options.keep),
            again=options.force,
        )
        summary[name] = figures(found)
        print(name, json.dumps(summary[name]), file=sys.stderr, flush=True)
    print(json.dumps({"benchmark": "elasticity", "quick": options.quick, "parts": summary}))


if __name__ == "__main__":
    main()
