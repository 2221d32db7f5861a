"""A baked field beside libigl: queries a second at a stated error, with the whole error report.

`baked` makes one row of benchmarks/sdf.py. The bar is 30 times libigl's queries at a 99th percentile of the error near
the surface of 1e-4 box diagonals.
"""

import dataclasses
import time
from pathlib import Path
from typing import Any

import igl
import jax
import jax.numpy as jnp
import numpy as np
from sdf_cases import Case, in_turns, many, run

from geoembed import sdf

TOLERANCE = 1e-4  # box diagonals
BAND = 0.005  # half the width of the zone near the surface, in the same


def baked(data: Path, name: str, count: int) -> dict[str, Any]:
    """Bakes a mesh to the tolerance, measures its error anew and compares its speed with that of libigl."""
    case = Case(data, name, count)
    start = time.perf_counter()
    field = sdf.bake(case.mesh(), tolerance=TOLERANCE, band=BAND, key=jax.random.key(0))
    seconds = time.perf_counter() - start
    near = near_surface(case, field, len(case.points))
    error = np.abs(run(field, near) - exact(case, near))
    rates = {zone: _rates(case, field, points) for zone, points in (("near", near), ("box", case.points))}
    return {
        "status": field.report.status,
        "error_p99": float(np.quantile(error, 0.99)),
        "error_max": float(error.max()),
        "bytes": field.report.size,
        "bake_seconds": round(seconds, 1),
        "queries_per_second": rates,
        "ratio": {
            f"libigl, {zone}": round(rate["geoembed"] / rate["libigl"], 1) for zone, rate in rates.items()
        },
        "report": dataclasses.asdict(field.report),
    }


def near_surface(case: Case, field: sdf.BakedSDF, count: int) -> np.ndarray:
    """Points uniform in |d| ≤ BAND, in float32. The field only says where asking libigl is worth it."""
    random, found = np.random.default_rng(1), [np.zeros((0, 3), np.float32)]
    reach = 0.5 * np.ptp(case.vertices, axis=0) + BAND
    middle = 0.5 * (case.vertices.max(axis=0) + case.vertices.min(axis=0))
    while sum(map(len, found)) < count:
        tried = (middle + reach * random.uniform(-1, 1, (2**19, 3))).astype(np.float32)
        tried = tried[np.abs(run(field, tried)) <= 2 * BAND]
        found.append(tried[np.abs(exact(case, tried)) <= BAND])
    return np.concatenate(found)[:count]


def exact(case: Case, points: np.ndarray) -> np.ndarray:
    """Libigl's signed distances, in float64, at float32 points."""
    kind = igl.SIGNED_DISTANCE_TYPE_PSEUDONORMAL
    return igl.signed_distance(points.astype(np.float64), case.vertices, case.faces, sign_type=kind)[0]


def _rates(case: Case, field: sdf.BakedSDF, points: np.ndarray) -> dict[str, int]:
    there = jnp.asarray(points)
    runs = {
        "libigl": lambda: exact(case, points),
        "geoembed": lambda: many(field, there).block_until_ready(),
    }
    return {name: round(len(points) / seconds) for name, seconds in in_turns(runs)[0].items()}
