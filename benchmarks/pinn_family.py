"""One field for a family of heat sinks: members that it never saw, against finite elements and simpler guesses.

    python benchmarks/pinn_family.py [--keep FOLDER] [--force]

Needs the extra `fem`. 25 members (5 heights of the fins, 5 numbers of fins) are solved by `geoembed.pinn.solve`, a
field is trained on them by `train_family` while 4 others stop the training, and 8 more, none of them among the 29,
are judged by finite elements, the field and four simpler guesses alike. One row checks the gradient of temperatures
in the fins' height by finite differences of finite elements, one the lightest design below a peak temperature. Rows
go to benchmarks/results/pinn_family.jsonl; a row whose commit and settings are there already is not computed again.
Solutions are kept in a folder (--keep), so an interrupted run goes on where it stopped.

The last line printed is one JSON object: the errors of the unseen members, the largest of each guess, milliseconds.
"""

import argparse
import functools
import hashlib
import json
import sys
import tempfile
import time
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
import pinn_family_cases as cases
from rows import RESULTS as FOLDER
from rows import commit, row

import geoembed
from geoembed.core import register
from geoembed.pinn import (
    Family,
    FamilyField,
    FamilyResult,
    FemReference,
    fem_reference,
    judge,
    solve,
    solve_member,
    train_family,
)
from geoembed.pinn._fem import evaluate as evaluate_fem
from geoembed.sdf import evaluate

RESULTS = FOLDER / "pinn_family.jsonl"
BAR = 1e-2
SETTINGS: dict[str, Any] = {"cells": 50_000, "points": 800, "degree": 3, "width": 28, "steps": 110}
MESHES: dict[str, Any] = {"coarse": (8_000, 35_000), "fine": (15_000, 90_000)}  # tetrahedra of the judge
FAMILY = Family(cases.make, register(cases.coordinates), cases.LOWER, cases.UPPER)
CENTRE = np.zeros((1, 3))  # the hottest point, over the middle of the heater
GUESSES = {
    "nearest member": cases.nearest_member,
    "linear between members": cases.linear_between,
    "principal components": cases.principal_components,
    "fin theory": lambda points, member, _: cases.fin_theory(points, member),
}


def name_of(member: tuple) -> str:
    return f"{member[0]:g} mm x {member[1]}"


def solved(folder: Path, number: int, member: tuple) -> Callable:
    """A solver that keeps its result."""

    def solver(problem: Any, *, key: Any) -> Any:
        place = folder / f"{member[0]:g}_{member[1]}"
        if not place.exists():
            cells = SETTINGS["cells"]
            result = solve(problem, key=jax.random.key(number), cells=cells, first_cells=cells, tolerance=0.0)
            geoembed.save(place, result)
            print(name_of(member), f"{result.seconds:.0f} s", file=sys.stderr, flush=True)
        return geoembed.load(place)

    return solver


def trained(folder: Path) -> FamilyResult:
    """The field, and beside it the solutions of the members that it was trained on."""
    members = [*cases.TRAINED, *cases.HELD_OUT]
    known = [
        solve_member(
            FAMILY,
            np.array(member, float),
            key=jax.random.key(1000 + number),
            points=SETTINGS["points"],
            solver=solved(folder, number, member),
        )
        for number, member in enumerate(members)
    ]
    count = len(cases.TRAINED)
    options = {name: SETTINGS[name] for name in ("degree", "width", "steps")}
    return train_family(
        FAMILY,
        known[:count],
        held_out=known[count:],
        key=jax.random.key(0),
        callback=lambda at: print(at, file=sys.stderr, flush=True),
        **options,
    )


def reference(member: tuple) -> FemReference:
    """Finite elements of one member."""
    problem = cases.make(np.array(member, float))
    domain = problem.domain
    return fem_reference(
        domain.vertices * 1e-3,
        domain.faces,
        problem.face_conditions,
        cases.CONDUCTIVITY,
        0.0,
        seed=0,
        **MESHES,
    )


def peak_of(found: FemReference) -> float:
    """The temperature over the middle of the heater."""
    return float(evaluate_fem(found.fine, CENTRE * 1e-3)[0][0])


def underside() -> np.ndarray:
    """Even points of the underside, mm."""
    x, y = (
        (np.arange(count) + 0.5) / count * side / 2 for count, side in ((60, cases.WIDTH), (40, cases.DEPTH))
    )
    return np.stack([*(grid.ravel() for grid in np.meshgrid(x, y)), np.zeros(2400)], axis=1)


def measure(field: FamilyField, folder: Path, member: tuple) -> dict:
    """The field and the guesses against finite elements."""
    found = reference(member)
    fields = {
        other: functools.partial(evaluate, geoembed.load(folder / f"{other[0]:g}_{other[1]}").value)
        for other in cases.TRAINED
    }
    of_member = field.member(np.array(member, float))
    verdict = judge(found, lambda points: evaluate(of_member, points * 1e3), bar=BAR)
    guesses = {
        name: judge(found, lambda points, guess=guess: guess(points * 1e3, member, fields), bar=BAR)
        for name, guess in GUESSES.items()
    }
    return {
        "error": verdict.relative_error,
        "verdict": verdict.status,
        "fem_agreement": verdict.fem_agreement,
        "max_error_K": verdict.max_error,
        "peak_K": float(evaluate(of_member, CENTRE)[0]),
        "peak_fem_K": peak_of(found),
        "guesses": {name: guess.relative_error for name, guess in guesses.items()},
        "ms_10000_points": milliseconds(field, member, found.points[:10_000] * 1e3),
        "ms_peak": milliseconds(field, member, CENTRE),
        "fem_seconds": found.seconds,
    }


def milliseconds(field: FamilyField, member: tuple, points: np.ndarray) -> float:
    """The shortest of many evaluations in float32, compiled before."""
    run = jax.jit(jax.vmap(field, (0, None)))
    where, parameters = jnp.asarray(points, jnp.float32), jnp.asarray(member, jnp.float32)
    run(where, parameters).block_until_ready()
    times = []
    for _ in range(50):
        start = time.perf_counter()
        run(where, parameters).block_until_ready()
        times.append(time.perf_counter() - start)
    return 1e3 * min(times)


def gradient(field: FamilyField, member: tuple, step: float = 1.0) -> dict:
    """Temperatures differentiated in the fins' height, and differences of finite elements."""
    places = {"peak": CENTRE, "mean underside": underside()}
    lower, upper = (reference((member[0] + sign * step, member[1])) for sign in (-1, 1))
    figures: dict[str, Any] = {"member": member, "step_mm": step}
    for name, points in places.items():
        with jax.enable_x64(True):
            slopes = jax.jit(jax.vmap(jax.grad(field, 1), (0, None)))(jnp.asarray(points), jnp.array(member))
            ours = float(np.asarray(slopes)[:, 0].mean())
        ends = [float(evaluate_fem(found.fine, points * 1e-3)[0].mean()) for found in (lower, upper)]
        theirs = (ends[1] - ends[0]) / (2 * step)
        figures[name] = {"K_per_mm": ours, "fem_K_per_mm": theirs, "relative_error": ours / theirs - 1}
    return figures


def lightest(field: FamilyField, limit: float) -> dict:
    """The height at which the peak is at a limit, by Newton's method, for each number of fins; judges the lightest."""
    with jax.enable_x64(True):
        peak = jax.jit(jax.value_and_grad(lambda p: field(jnp.zeros(3), p)))
        heights = {}
        for count in range(round(cases.LOWER[1]), round(cases.UPPER[1]) + 1):
            height = 12.0
            for _ in range(20):
                value, slope = peak(jnp.array([height, count]))
                height = float(np.clip(height - (value - limit) / slope[0], cases.LOWER[0], cases.UPPER[0]))
            if abs(float(peak(jnp.array([height, count]))[0]) - limit) < 1e-3:
                heights[count] = height
    volumes = {count: count * height * cases.THICK * cases.DEPTH for count, height in heights.items()}
    best = min(volumes, key=lambda count: volumes[count])
    design = (round(heights[best], 3), best)
    return {
        "limit_K": limit,
        "fin_mm3": {str(count): volume for count, volume in volumes.items()},
        "height_mm": {str(count): height for count, height in heights.items()},
        "design": design,
        "peak_fem_K": peak_of(reference(design)),
    }


def figures(rows: Iterable[dict]) -> dict:
    """What the last line says of the unseen members."""
    rows = list(rows)
    worst = {name: max(found["guesses"][name] for found in rows) for name in GUESSES}
    return {
        "error": {found["case"]: found["error"] for found in rows},
        "largest_error": max(found["error"] for found in rows),
        "certified": sum(found["verdict"] == "certified" for found in rows),
        "members": len(rows),
        "largest_error_of_guesses": worst,
        "ms_10000_points": float(np.median([found["ms_10000_points"] for found in rows])),
        "ms_peak": float(np.median([found["ms_peak"] for found in rows])),
        "peak_error_K": max(abs(found["peak_K"] - found["peak_fem_K"]) for found in rows),
    }


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--keep", type=Path, default=Path(tempfile.gettempdir()) / "geoembed_family")
    parser.add_argument("--force", action="store_true", help="compute rows again that are there")
    options = parser.parse_args()
    folder: Path = options.keep
    digest = hashlib.sha256(json.dumps([SETTINGS, MESHES, cases.TRAINED]).encode()).hexdigest()[:16]
    common = {"commit": commit(), "config": digest}
    found: list[FamilyResult] = []

    def field() -> FamilyField:
        if not found:
            found.append(trained(folder))
        return found[0].field

    def training() -> dict:
        last = field() and found[0]
        return {
            "status": last.status,
            "steps": last.history[-1].step,
            "parameters": last.field.parameters,
            "errors": last.errors,
            "held_out": dict(zip(map(name_of, cases.HELD_OUT), last.held_out_errors, strict=True)),
            "seconds": last.history[-1].seconds,
            "settings": SETTINGS,
        }

    def one(case: str, compute: Callable[[], dict]) -> dict:
        made = row(RESULTS, {"case": case} | common, compute, again=options.force)
        print(json.dumps(made), file=sys.stderr, flush=True)
        return made

    fit = one("training", training)
    unseen = [
        one(name_of(member), lambda member=member: measure(field(), folder, member))
        for member in cases.UNSEEN
    ]
    slope = one("gradient", lambda: gradient(field(), (16.0, 7)))
    design = one("lightest", lambda: lightest(field(), 360.0))
    kept = {name: slope[name]["relative_error"] for name in ("peak", "mean underside")}
    summary = figures(unseen) | {"held_out": fit["held_out"], "gradient_error": kept}
    summary["lightest"] = {name: design[name] for name in ("design", "limit_K", "peak_fem_K")}
    print(json.dumps({"benchmark": "pinn_family", **summary}))


if __name__ == "__main__":
    main()
