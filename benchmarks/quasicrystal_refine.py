"""Refinement of an icosahedral quasicrystal with two atomic surfaces against 200 noisy intensities.

The truth: a triacontahedron at the origin and a ball near the body centre, with different amplitudes and Debye–Waller
factors, and a phason strain. Its intensities are computed with another closed form than the refinement uses (the
triacontahedron as a polyhedron, a sum over simplices), and get noise of 2 % and a background; wave vectors get errors
of 1e-3 rad/Å, from which the phason strain follows. 22 numbers are refined, from starts around wrong values. A start
succeeds if it ends in the best minimum; the parameters found are compared with the truth in units of their stated
errors. A position s of the second surface and −s give the same intensities (the structure and its inverse): the nearer
one counts.

python benchmarks/quasicrystal_refine.py [--quick]     last line printed: one JSON object of figures and ratios
"""

import argparse
import itertools
import json
import time
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
from rows import RESULTS, commit, row

from geoembed import quasicrystal as qc

FILE = RESULTS / "quasicrystal_refine.jsonl"
CONSTANT = 5.0  # Å
TRUTH = {
    "amplitude": 0.65,
    "b_parallel": [0.6, 0.9],
    "b_perp": 0.2,
    "phason_strain": [[0.004, -0.002, 0.001], [0.0, 0.003, -0.004], [0.002, 0.001, -0.003]],
    "position": [0.53, 0.48, 0.51, 0.46, 0.52, 0.49],
    "sizes": [1.0, 0.62],
}
SPREAD = {
    "amplitude": 0.1,
    "b_parallel": 0.3,
    "b_perp": 0.1,
    "phason_strain": 0.003,
    "position": 0.02,
    "sizes": 0.05,
}
NOISE, Q_NOISE = 0.02, 1e-3  # of intensities, and rad/Å


def build(p: dict[str, Any], polyhedron: bool = False) -> tuple[qc.Model, qc.Scatterers]:
    base = qc.icosahedral(CONSTANT)
    cube = base.surfaces[0].window
    assert isinstance(cube, qc.Zonotope)
    lattice = qc.Lattice(
        base.lattice.parallel,
        base.lattice.perpendicular,
        CONSTANT,
        phason_strain=p["phason_strain"],
        name="icosahedral",
    )
    window = qc.Zonotope(p["sizes"][0] * cube.generators)
    if polyhedron:
        corners = np.array(list(itertools.product((-0.5, 0.5), repeat=6)))
        window = qc.Polytope(p["sizes"][0] * (jnp.asarray(corners) @ cube.generators))
    surfaces = [
        qc.Surface(window),
        qc.Surface(qc.Ball(p["sizes"][1], 3), p["position"], species=1),
    ]
    amplitudes = jnp.stack([jnp.ones_like(p["amplitude"]), p["amplitude"]])
    return qc.Model(lattice, surfaces), qc.Scatterers(amplitudes, p["b_parallel"], p["b_perp"] * jnp.ones(2))


def measured(count: int, rng: np.random.Generator) -> qc.Reflections:
    """Intensities of half of the strong reflections (the other half are their Friedel mates), with noise."""
    truth = {name: jnp.asarray(value) for name, value in TRUTH.items()}
    model, scatterers = build(truth, polyhedron=True)
    listed = qc.bragg(qc.icosahedral(CONSTANT), q_max=10.0, q_perp_max=6.0)
    h = np.asarray(listed.indices)
    h = h[[tuple(x) > tuple(-x) for x in h]]
    factors = np.asarray(jax.jit(qc.structure_factor)(model, jnp.asarray(h), scatterers))
    intensities = 1e4 * np.abs(factors) ** 2
    strong = rng.choice(np.argsort(-intensities)[: 2 * count], count, replace=False)
    sigmas = np.hypot(NOISE * intensities[strong], 1.0)
    q = np.asarray(qc.wave_vectors(model, jnp.asarray(h[strong]))[0])
    return qc.Reflections(
        h[strong],
        intensities[strong] + sigmas * rng.normal(size=count),
        sigmas,
        q + Q_NOISE * rng.normal(size=q.shape),
        np.full(count, Q_NOISE),
    )


def measure_refinement(starts: int, count: int) -> dict[str, Any]:
    with jax.enable_x64(True):
        rng = np.random.default_rng(7)
        data = measured(count, rng)
        widths = {
            name: jnp.broadcast_to(jnp.asarray(SPREAD[name]), np.shape(value))
            for name, value in TRUTH.items()
        }
        start = {
            name: jnp.asarray(value) + widths[name] * rng.normal(size=np.shape(value))
            for name, value in TRUTH.items()
        }
        began = time.process_time()
        found = qc.refine(build, start, data, key=jax.random.key(0), starts=starts, spread=widths)
        seconds = time.process_time() - began
        pulls = min((pulls_of(found, sign) for sign in (1, -1)), key=lambda x: float(np.abs(x).max()))
        first = np.asarray(qc.structure_factor(*build(start)[:1], jnp.asarray(data.indices), build(start)[1]))
    squares = np.abs(first) ** 2
    k = np.sum(squares * data.intensities / data.sigmas**2) / np.sum((squares / data.sigmas) ** 2)
    amplitudes = np.sqrt(np.maximum(data.intensities, 0))
    return {
        "reflections": count,
        "parameters": len(found.names),
        "starts": starts,
        "success_rate": found.success_rate,
        "r_factor_of_the_first_start": float(
            np.abs(amplitudes - np.sqrt(k * squares)).sum() / amplitudes.sum()
        ),
        "r_factor": found.r_factor,
        "weighted_r": found.weighted_r,
        "goodness": found.goodness,
        "largest_pull": float(np.abs(pulls).max()),
        "root_mean_square_pull": float(np.sqrt(np.mean(pulls**2))),
        "errors": {name: np.asarray(found.errors[name]).tolist() for name in sorted(TRUTH)},
        "steps": found.steps.tolist(),
        "chi_squares": found.chi_squares.tolist(),
        "process_seconds": seconds,
    }


def pulls_of(found: qc.Refinement, sign: int) -> np.ndarray:
    """The deviations from the truth, or from its inverse, in units of their stated errors."""
    values = dict(TRUTH) | {"position": [p if sign > 0 else 1.0 - p for p in TRUTH["position"]]}
    off = [
        (np.asarray(found.parameters[name]) - np.asarray(values[name])) / np.asarray(found.errors[name])
        for name in sorted(values)
    ]
    return np.concatenate([np.ravel(x) for x in off])


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--quick", action="store_true", help="2 starts")
    parser.add_argument("--again", action="store_true", help="measure rows that are there already")
    options = parser.parse_args()
    version = {"commit": commit(), "jax": jax.__version__}
    starts = 2 if options.quick else 12
    refined = row(
        FILE,
        {"name": "refinement", "starts": starts, "reflections": 200, **version},
        lambda: measure_refinement(starts, 200),
        again=options.again,
    )
    kept = ("starts", "success_rate", "r_factor", "r_factor_of_the_first_start", "goodness", "largest_pull")
    figures = {name: refined[name] for name in (*kept, "root_mean_square_pull")}
    print(json.dumps({"refinement": figures}))


if __name__ == "__main__":
    main()
