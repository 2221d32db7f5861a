"""Points per second of icosahedral cuts, beside the naive box of indices and beside writing as many bytes.

A row is a cube in one precision: the full cut (points, perpendicular coordinates, indices, species), the points only,
or the full cut in chunks. `share_of_writing` is the time that the same threads need to fill as many bytes of fresh
memory, by the time of the cut; `peak_of_result` is the largest memory on the way by the size of the result. The naive
box tests all indices of a box in six dimensions, and is slower the larger the cube; it runs on a small one, where both
find the same indices.

python benchmarks/quasicrystal.py [--quick]     last line printed: one JSON object of figures and ratios
"""

import argparse
import concurrent.futures
import itertools
import json
import os
import time
from pathlib import Path
from typing import Any

import jax
import numpy as np
from rows import RESULTS, commit, row

from geoembed import quasicrystal

FILE = RESULTS / "quasicrystal.jsonl"
SIZES = (10.0, 20.0, 40.0, 60.0, 96.0)  # half sides; the last holds 3.1e7 points
STREAMED = 150.0  # 1.2e8 points
NAIVE = 2.0
PROCESS = Path("/proc/self")  # Linux only: elsewhere there is no peak


def naive(half: float) -> np.ndarray:
    """The indices of the points in a cube: every index of a box in six dimensions is projected and tested."""
    model = quasicrystal.icosahedral()
    p, q = (np.asarray(part, np.float64) for part in model.lattice.projections())
    window = model.surfaces[0].window
    assert isinstance(window, quasicrystal.Zonotope)
    normals, offsets = (np.asarray(part, np.float64) for part in window.half_spaces())
    shift = np.asarray(model.shift, np.float64)
    corners = np.abs(np.linalg.inv(np.concatenate([p, q]))) @ np.array([half] * 3 + [1.2] * 3)
    ranges = [np.arange(-int(c), int(c) + 1) for c in corners]
    rest = np.array(list(itertools.product(*ranges[3:])))
    rest_p, rest_q = rest @ p[:, 3:].T, rest @ q[:, 3:].T + shift
    found = []
    for first in itertools.product(*ranges[:3]):
        x = rest_p + p[:, :3] @ np.array(first)
        inside = np.flatnonzero((np.abs(x) <= half).all(1))
        w = rest_q[inside] + q[:, :3] @ np.array(first)
        chosen = rest[inside[(w @ normals.T <= offsets).all(1)]]
        found.append(np.concatenate([np.broadcast_to(first, (len(chosen), 3)), chosen], axis=1))
    return np.concatenate(found)


def seconds(function: Any, repeats: int) -> tuple[float, float]:
    """The median time of a call and of the processors in it; the first call compiles and does not count."""
    function()
    times = []
    for _ in range(repeats):
        start = time.perf_counter(), time.process_time()
        function()
        times.append((time.perf_counter() - start[0], time.process_time() - start[1]))
    wall, cpu = np.median(times, axis=0)
    return float(wall), float(cpu)


def fill(size: int) -> None:
    """Writes so many bytes into fresh memory, with as many threads as there are processors."""
    fresh = np.empty(size, np.uint8)
    threads = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else 2
    with concurrent.futures.ThreadPoolExecutor(threads) as pool:
        list(pool.map(lambda part: part.fill(1), np.array_split(fresh, 16 * threads)))


def peak(function: Any) -> int | None:
    """How many bytes more a call keeps in memory at most."""
    if not PROCESS.exists():
        return None

    def status(name: str) -> int:
        lines = (PROCESS / "status").read_text().splitlines()
        return 1024 * int(next(line for line in lines if line.startswith(name)).split()[1])

    (PROCESS / "clear_refs").write_text("5")  # forgets the peak so far
    before = status("VmRSS")
    kept = function()
    after = status("VmHWM") - before
    del kept
    return after


def measure_naive() -> dict[str, Any]:
    start = time.perf_counter()
    found = naive(NAIVE)
    duration = time.perf_counter() - start
    ours = np.asarray(quasicrystal.cut(quasicrystal.icosahedral(), box=NAIVE).indices)
    assert set(map(tuple, found.tolist())) == set(map(tuple, ours.tolist())), "the same points"
    return {"points": len(found), "points_per_second": len(found) / duration}


def measure(name: str, half: float, precision: str, repeats: int) -> dict[str, Any]:
    function = {"cut": quasicrystal.cut, "points": quasicrystal.cut_points}[name]
    with jax.enable_x64(precision == "float64"):
        model = quasicrystal.icosahedral()
        result = function(model, box=half)
        count = len(result)
        size = sum(leaf.nbytes for leaf in jax.tree.leaves(result))
        del result
        wall, cpu = seconds(lambda: jax.block_until_ready(function(model, box=half)), repeats)
        most = peak(lambda: jax.block_until_ready(function(model, box=half)))
        fresh, _ = seconds(lambda: fill(size), repeats)
    return {
        "points": count,
        "bytes_per_point": size / count,
        "points_per_second": count / wall,
        "points_per_cpu_second": count / cpu,
        "writing_bytes_per_second": size / fresh,
        "share_of_writing": fresh / wall,
        "peak_of_result": None if most is None else most / size,
        "error_of_density": count / (4.352501798965641 * (2 * half) ** 3) - 1,
    }


def measure_chunks(half: float, precision: str) -> dict[str, Any]:
    with jax.enable_x64(precision == "float64"):
        model = quasicrystal.icosahedral()
        list(quasicrystal.cut_chunks(model, box=12.0))  # compiles
        count = 0

        def run() -> None:
            nonlocal count
            count = sum(len(chunk) for chunk in quasicrystal.cut_chunks(model, box=half))

        start = time.perf_counter()
        most = peak(run)
        duration = time.perf_counter() - start
    return {"points": count, "points_per_second": count / duration, "peak_bytes": most}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--quick", action="store_true", help="the smallest size only")
    parser.add_argument("--again", action="store_true", help="measure rows that are there already")
    options = parser.parse_args()
    version = {"commit": commit(), "jax": jax.__version__}
    repeats = 3 if options.quick else 5
    base = row(FILE, {"name": "naive", "half": NAIVE, **version}, measure_naive, again=options.again)
    figures: dict[str, Any] = {"naive_points_per_second": base["points_per_second"]}
    sizes = SIZES[:1] if options.quick else SIZES
    for half, name, precision in itertools.product(sizes, ("cut", "points"), ("float32", "float64")):
        identity = {"name": name, "half": half, "precision": precision, **version}
        found = row(
            FILE,
            identity,
            lambda name=name, half=half, precision=precision: measure(name, half, precision, repeats),
            again=options.again,
        )
        keys = ("points", "points_per_second", "points_per_cpu_second", "share_of_writing", "peak_of_result")
        figures[f"{name}_{precision}_{half:g}"] = {key: found[key] for key in keys} | {
            "ratio_to_naive": found["points_per_second"] / base["points_per_second"]
        }
    if not options.quick:
        identity = {"name": "chunks", "half": STREAMED, "precision": "float32", **version}
        streamed = row(FILE, identity, lambda: measure_chunks(STREAMED, "float32"), again=options.again)
        figures["chunks"] = {key: streamed[key] for key in ("points", "points_per_second", "peak_bytes")}
    print(json.dumps(figures))


if __name__ == "__main__":
    main()
