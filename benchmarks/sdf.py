"""Signed distances of triangle meshes, exact and baked: accuracy, signs and speed beside other libraries.

    python benchmarks/sdf.py [--quick] [--only NAME] [--force]

Needs the extra `bench` (libigl, open3d, warp-lang, rtree; a peer that cannot be imported is left out) and the meshes:
GEOEMBED_DATA names a folder with sdf/*. Rows go to benchmarks/results/sdf.jsonl; a row whose commit is there already is
not measured again, so an interrupted run goes on where it stopped. `--quick` takes a tenth of the points.

Every mesh is centred and scaled to a box diagonal of 1; points are uniform in 1.1 times its box and rounded to float32.
All libraries run in this process, in turns, and the medians of their times are compared: on a machine that does other
work too, only these ratios mean something, and only while it leaves all cores free: `cores` says how many each library
kept busy. Ours is compiled ahead and keeps one busy; rows of growth go through `sdf.evaluate`, which uses all of them.
References are libigl's float64 distance and its exact winding number.

The last line printed is one JSON object: for each row the figures of `summary`.
"""

import argparse
import json
import os
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
from rows import RESULTS as FOLDER
from rows import commit, row
from sdf_baked import baked
from sdf_cases import Case, in_turns, many, run
from sdf_gradients import gradients
from sdf_peers import peers

from geoembed import sdf

RESULTS = FOLDER / "sdf.jsonl"
CLOSED = [
    "bracket_gen.stl",
    "heatsink_gen.stl",
    "featuretype.STL",
    "plate_holes.STL",
    "torus.STL",
    "spot.obj",
]
IN_SUMMARY = (
    "ratio",
    "error",
    "wrong",
    "finite",
    "status",
    "seconds",
    "first_call",
    "prepare",
    "more_resident",
)
BROKEN = {  # and the undamaged mesh
    "spot_open.obj": "spot.obj",
    "spot_flipped3pct.obj": "spot.obj",
    "heatsink_open_gen.stl": "heatsink_gen.stl",
}


def accuracy(data: Path, name: str, count: int) -> dict[str, Any]:
    """Largest errors in box diagonals, and wrong signs, on a closed mesh."""
    case = Case(data, name, count)
    mesh, exact, inside = case.mesh(), case.distance(), case.inside()
    got = run(mesh, case.points)
    with jax.enable_x64(True):
        fine = run(mesh, case.exact_points)
    far = exact > 1e-5
    return {
        "faces": len(case.faces),
        "sign": mesh.sign,
        "error_f32": float(np.abs(np.abs(got) - exact).max()),
        "error_f64": float(np.abs(np.abs(fine) - exact).max()),
        "wrong_signs_f32": int(np.sum((got < 0) != inside, where=far)),
        "wrong_signs_f64": int(np.sum((fine < 0) != inside, where=far)),
    }


def signs(data: Path, name: str, count: int) -> dict[str, Any]:
    """Wrong signs on a damaged mesh, judged against the undamaged one."""
    case, whole = Case(data, name, count, BROKEN[name]), Case(data, BROKEN[name], count)
    truth, far = whole.inside(), whole.distance() > 1e-5

    def wrong(inside: np.ndarray) -> int:
        return int(np.sum(inside != truth, where=far))

    mesh = case.mesh()
    forced = sdf.mesh_sdf(case.vertices, case.faces, unit="m", sign="winding")
    got = run(mesh, case.points)
    found = {
        "sign": mesh.sign,
        "error_f32": float(np.abs(np.abs(got) - case.distance()).max()),
        "wrong": wrong(got < 0),
        "wrong_with_winding": wrong(run(forced, case.points) < 0),
        "wrong_libigl_winding": wrong(case.inside()),
    }
    for peer in peers(case.vertices, case.faces, case.points):
        found[f"wrong_{peer.name}"] = wrong(peer.run() < 0)
    return found


def speed(data: Path, name: str, count: int, subdivisions: int = 0) -> dict[str, Any]:
    """Queries a second beside other libraries, with preparation, compilation and memory."""
    case = Case(data, name, count, subdivisions=subdivisions)
    start = time.perf_counter()
    mesh = case.mesh()
    prepared = time.perf_counter()
    points = jnp.asarray(case.points)
    jax.clear_caches()  # earlier rows compiled the same program
    compiling = time.perf_counter()
    program = many.lower(mesh, points).compile()
    compiled = time.perf_counter()
    runs: dict[str, Callable[[], np.ndarray]] = {"geoembed": lambda: np.asarray(program(mesh, points))}
    runs |= {peer.name: peer.run for peer in peers(case.vertices, case.faces, case.points)}
    seconds, processor = in_turns(runs)
    row = {
        "faces": len(case.faces),
        "points": count,
        "prepare_seconds": round(prepared - start, 3),
        "compile_seconds": round(compiled - compiling, 3),
        "table_bytes": sum(np.asarray(leaf).nbytes for leaf in jax.tree.leaves(mesh)),
        "temporary_bytes": program.memory_analysis().temp_size_in_bytes,
        "queries_per_second": {name: round(count / time) for name, time in seconds.items()},
        "cores": {name: round(processor[name] / time, 2) for name, time in seconds.items()},
    }
    return row | {
        "ratio": {n: round(t / seconds["geoembed"], 3) for n, t in seconds.items() if n != "geoembed"}
    }


def growth(data: Path, count: int, subdivisions: int = 0) -> dict[str, Any]:
    """Seconds and memory of `sdf.evaluate` on many points, all cores together, from a mesh of many faces."""
    case = Case(data, "spot.obj", count, subdivisions=subdivisions)
    start = time.perf_counter()
    mesh = case.mesh()
    prepared = time.perf_counter()
    sdf.evaluate(mesh, case.points[: min(count, 2**17)])
    first = time.perf_counter()
    before, held = resident_bytes(), []
    sdf.evaluate(mesh, case.points, callback=lambda done, total: held.append(resident_bytes()))
    seconds = time.perf_counter() - first
    return {
        "faces": len(case.faces),
        "points": count,
        "prepare_seconds": round(prepared - start, 3),
        "first_call_seconds": round(first - prepared, 3),
        "seconds": round(seconds, 3),
        "queries_per_second": round(count / seconds),
        "callbacks": len(held),
        "table_bytes": sum(np.asarray(leaf).nbytes for leaf in jax.tree.leaves(mesh)),
        "result_bytes": 4 * count,
        "more_resident_bytes": max(max(held) - before, 0),
    }


def resident_bytes() -> int:
    """The memory of this process (Linux)."""
    return int(Path("/proc/self/statm").read_text().split()[1]) * os.sysconf("SC_PAGE_SIZE")


def cases(quick: bool) -> dict[str, Callable[[Path], dict[str, Any]]]:
    """What is measured, by name of the row."""
    count = 10_000 if quick else 100_000
    found: dict[str, Callable[[Path], dict[str, Any]]] = {}
    for name in CLOSED:
        found[f"accuracy {name}"] = lambda data, name=name: accuracy(data, name, count)
        found[f"speed {name}"] = lambda data, name=name: speed(data, name, count)
    for name in BROKEN:
        found[f"signs {name}"] = lambda data, name=name: signs(data, name, count)
    for times in (2,) if quick else (1, 2, 3):
        found[f"speed spot.obj, cut {times} times"] = lambda data, times=times: speed(
            data, "spot.obj", count, times
        )
    for times in (0, 1, 2, 3):
        found[f"growth of the mesh, cut {times} times"] = lambda data, times=times: growth(data, count, times)
    for points in (10_000, 100_000) if quick else (10_000, 100_000, 1_000_000, 10_000_000):
        found[f"growth of the batch, {points} points"] = lambda data, points=points: growth(data, points)
    for name in ("heatsink_gen.stl", "featuretype.STL", "spot.obj"):
        found[f"baked {name}"] = lambda data, name=name: baked(data, name, count)
    for name in ("featuretype.STL", "spot.obj"):
        found[f"gradients {name}"] = lambda data, name=name: gradients(data, name)
    return found


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--quick", action="store_true", help="a tenth of the points")
    parser.add_argument("--only", default="", help="rows whose name contains this")
    parser.add_argument("--force", action="store_true", help="measure rows again that are there")
    options = parser.parse_args()
    data = os.environ.get("GEOEMBED_DATA")
    if not data:
        raise SystemExit("GEOEMBED_DATA is not set: it names the folder with the meshes")
    summary = {}
    for name, measure in cases(options.quick).items():
        if options.only not in name:
            continue
        identity = {"row": name, "quick": options.quick, "commit": commit()}
        state = {"load": os.getloadavg()[0], "jax": jax.__version__}
        found = row(RESULTS, identity, lambda m=measure, s=state: m(Path(data)) | s, again=options.force)
        summary[name] = {key: value for key, value in found.items() if key.startswith(IN_SUMMARY)}
        print(name, json.dumps(found), file=sys.stderr, flush=True)
    print(json.dumps({"benchmark": "sdf", "quick": options.quick, "rows": summary}))


if __name__ == "__main__":
    main()
