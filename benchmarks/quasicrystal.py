"""Points per second of icosahedral cuts, beside the naive box of indices.

Each row is a cut of a cube in one precision, the full result (points, perpendicular coordinates, indices, species), and
the share of its time that writing as many bytes into fresh memory takes. The naive box tests all indices of a box in
six dimensions, and is slower the larger the cube; it runs on a small one.

python benchmarks/quasicrystal.py [--quick]     last line printed: one JSON object of figures and ratios
"""

import argparse
import itertools
import json
import time
from typing import Any

import jax
import numpy as np
from rows import RESULTS, commit, row

from geoembed import quasicrystal

FILE = RESULTS / "quasicrystal.jsonl"
SIZES = (10.0, 20.0, 40.0, 60.0, 95.0)  # half sides; the last holds 3e7 points
NAIVE = 2.0


def naive(half: float) -> int:
    """The number of points in a cube: every index of a box in six dimensions is projected and tested."""
    model = quasicrystal.icosahedral()
    p, q = (np.asarray(part, np.float64) for part in model.lattice.projections())
    normals, offsets = (np.asarray(part, np.float64) for part in model.surfaces[0].window.half_spaces())
    shift = np.asarray(model.shift, np.float64)
    corners = np.abs(np.linalg.inv(np.concatenate([p, q]))) @ np.array([half] * 3 + [1.2] * 3)
    ranges = [np.arange(-int(c), int(c) + 1) for c in corners]
    rest = np.array(list(itertools.product(*ranges[3:])))
    rest_p, rest_q = rest @ p[:, 3:].T, rest @ q[:, 3:].T + shift
    count = 0
    for first in itertools.product(*ranges[:3]):
        x = rest_p + p[:, :3] @ np.array(first)
        inside = (np.abs(x) <= half).all(1)
        w = rest_q[inside] + q[:, :3] @ np.array(first)
        count += int((w @ normals.T <= offsets).all(1).sum())
    return count


def seconds(function: Any, repeats: int) -> float:
    """The median time of a call; the first call compiles and does not count."""
    function()
    times = []
    for _ in range(repeats):
        start = time.perf_counter()
        function()
        times.append(time.perf_counter() - start)
    return float(np.median(times))


def measure_naive() -> dict[str, Any]:
    start = time.perf_counter()
    count = naive(NAIVE)
    duration = time.perf_counter() - start
    assert count == len(quasicrystal.cut(quasicrystal.icosahedral(), box=NAIVE)), "the same points"
    return {"points": count, "points_per_second": count / duration}


def measure_cut(half: float, precision: str, repeats: int) -> dict[str, Any]:
    with jax.enable_x64(precision == "float64"):
        model = quasicrystal.icosahedral()
        result = quasicrystal.cut(model, box=half)
        size = sum(leaf.nbytes for leaf in jax.tree.leaves(result))
        duration = seconds(lambda: jax.block_until_ready(quasicrystal.cut(model, box=half)), repeats)
        fresh = seconds(lambda: np.full(size, 1, np.uint8), repeats)
    return {
        "points": len(result),
        "bytes_per_point": size / len(result),
        "points_per_second": len(result) / duration,
        "share_of_writing": fresh / duration,
        "error_of_density": len(result) / (4.352501798965641 * (2 * half) ** 3) - 1,
    }


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--quick", action="store_true", help="the smallest size only")
    parser.add_argument("--again", action="store_true", help="measure rows that are there already")
    options = parser.parse_args()
    version = {"commit": commit(), "jax": jax.__version__}
    base = row(FILE, {"name": "naive", "half": NAIVE, **version}, measure_naive, again=options.again)
    figures: dict[str, Any] = {"naive_points_per_second": base["points_per_second"]}
    for half in SIZES[:1] if options.quick else SIZES:
        for precision in ("float32", "float64"):
            identity = {"name": "cut", "half": half, "precision": precision, **version}
            found = row(
                FILE,
                identity,
                lambda half=half, precision=precision: measure_cut(
                    half, precision, 3 if options.quick else 7
                ),
                again=options.again,
            )
            figures[f"{precision}_{half:g}"] = {
                "points": found["points"],
                "points_per_second": found["points_per_second"],
                "share_of_writing": found["share_of_writing"],
                "ratio_to_naive": found["points_per_second"] / base["points_per_second"],
            }
    print(json.dumps(figures))


if __name__ == "__main__":
    main()
