"""Exact properties of a potential, measured; prints one line of JSON with the figures and their bars.

    python benchmarks/atoms_symmetry.py [--quick] [--only NAME …] [--again]

A MACE with random weights (two layers, max_ell 3, correlation 3, features to degree 1): symmetries, derivatives,
smoothness at the cutoff, supercells, images in tiny cells, programs compiled for a data set of mixed sizes
(GEOEMBED_DATA), and the energy of a run of molecular dynamics. Rows go to results/atoms_symmetry.jsonl.
"""

import argparse
import json
import os
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
from rows import RESULTS, commit, row
from scipy.spatial.transform import Rotation

from geoembed import atoms
from geoembed.atoms import Frame

CUTOFF, CHANNELS = 5.0, 8
BARS = {
    "symmetry_float32": 1e-5,
    "symmetry_float64": 1e-12,
    "derivatives": 1e-6,
    "supercell": 1e-12,
    "images": 1e-12,
}
TRACES: list[tuple[int, ...]] = []


class Traced(eqx.Module):
    """A potential that notes how often it is traced."""

    inner: atoms.MacePotential

    @property
    def cutoff(self) -> float:
        return self.inner.cutoff

    def __call__(self, batch: atoms.Batch) -> jax.Array:
        TRACES.append(batch.neighbours.index.shape)
        return self.inner(batch)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--only", nargs="+", choices=list(CASES), default=list(CASES))
    parser.add_argument("--quick", action="store_true", help="few structures, 0.1 ps")
    parser.add_argument("--again", action="store_true", help="measure even what is in the results")
    options = parser.parse_args()
    summary = {}
    for name in options.only:
        precision = "float32" if name.endswith("float32") else "float64"
        identity = {"case": name, "quick": options.quick, "commit": commit()}

        def measure(case: Callable = CASES[name], precision: str = precision) -> dict[str, Any]:
            with jax.enable_x64(precision == "float64"):
                return case(precision, options.quick)

        found = row(RESULTS / "atoms_symmetry.jsonl", identity, measure, again=options.again)
        summary[name] = {key: value for key, value in found.items() if key not in identity}
        if name in BARS:
            passed = found["worst"] <= BARS[name]
            summary[name] |= {"bar": BARS[name], "passed": passed}
    print(json.dumps(summary))


def potential(numbers: tuple[int, ...], precision: str, channels: int = CHANNELS) -> atoms.MacePotential:
    """A MACE with random weights."""
    encoder = atoms.Mace(
        atoms.ElementEmbedding.random(list(numbers), 6, key=jax.random.key(0)),
        cutoff=CUTOFF,
        channels=channels,
        key=jax.random.key(1),
    )
    made = atoms.MacePotential(encoder, key=jax.random.key(2))
    return jax.tree.map(lambda x: x.astype(precision) if eqx.is_inexact_array(x) else x, made)


def crystals(count: int) -> list[Frame]:
    """Triclinic cells of six atoms of two elements, at random but not on top of each other."""
    draw, frames = np.random.default_rng(0), []
    while len(frames) < count:
        cell = 5.0 * np.eye(3) + draw.uniform(-1.2, 1.2, (3, 3))
        one = Frame(draw.choice([8, 14], 6), draw.random((6, 3)) @ cell, cell, np.ones(3, bool))
        if atoms.minimum_distance(one) > 1.4:
            frames.append(one)
    return frames


def symmetry(precision: str, quick: bool) -> dict[str, Any]:
    """Largest relative errors under random elements of E(3) and permutations, over structures."""
    model, draw = potential((8, 14), precision), np.random.default_rng(1)
    frames = crystals(2 if quick else 20)
    slots = 4 + max(int(np.bincount(atoms.neighbour_pairs(one, CUTOFF).atom).max()) for one in frames)

    @eqx.filter_jit
    def look(model: Any, batch: atoms.Batch) -> Any:
        return atoms.predict(model, batch, stress=True), model.encoder(batch)

    worst = dict.fromkeys(("energy", "forces", "stress", "features"), 0.0)
    for one in frames:
        turn = Rotation.random(random_state=int(draw.integers(2**31))).as_matrix() * draw.choice([-1, 1])
        order = draw.permutation(len(one.numbers))
        places = (one.positions @ turn.T + draw.normal(size=3))[order]
        moved = replace(one, numbers=one.numbers[order], positions=places, cell=one.cell @ turn.T)
        (here, h), (there, k) = (
            jax.tree.map(np.asarray, look(model, atoms.pack([f], CUTOFF, slots=slots, dtype=precision)))
            for f in (one, moved)
        )
        expected = {
            "energy": (here.energy, there.energy),
            "forces": (here.forces[order] @ turn.T, there.forces),
            "stress": (turn @ here.stress @ turn.T, there.stress),
        }
        blocks = [(a[order], b) for a, b in zip(h, k, strict=True)]
        parts = [(a[:, :1], b[:, :1]) for a, b in blocks]
        parts += [(np.einsum("ij,ajc->aic", turn, a[:, 1:4]), b[:, 1:4]) for a, b in blocks[:-1]]
        for name, (a, b) in expected.items():
            worst[name] = max(worst[name], float(np.abs(a - b).max() / np.abs(a).max()))
        worst["features"] = max(
            worst["features"], *(float(np.abs(a - b).max() / np.abs(a).max()) for a, b in parts)
        )
    return {"structures": len(frames), **worst, "worst": max(worst.values())}


def derivatives(precision: str, quick: bool) -> dict[str, Any]:
    """Forces, stress and Hessian products against central differences of fourth order, relative to the largest."""
    model, worst = potential((8, 14), precision), dict.fromkeys(("forces", "stress", "hessian"), 0.0)
    draw, h = np.random.default_rng(2), 1e-3
    look = eqx.filter_jit(lambda m, b: atoms.predict(m, b, stress=True))
    product = eqx.filter_jit(atoms.hessian_product)
    stencil = ((-2, 1 / 12), (-1, -2 / 3), (1, 2 / 3), (2, -1 / 12))
    frames = crystals(1 if quick else 5)
    slots = 8 + max(int(np.bincount(atoms.neighbour_pairs(one, CUTOFF).atom).max()) for one in frames)
    for one in frames:

        def at(step: Any = 0.0, strain: Any = 0.0, one: Frame = one) -> Any:
            grown = np.eye(3) + strain
            moved = replace(one, positions=(one.positions + step) @ grown, cell=one.cell @ grown)
            return jax.tree.map(np.asarray, look(model, atoms.pack([moved], CUTOFF, slots=slots)))

        base, volume = at(), abs(np.linalg.det(one.cell))
        way = draw.normal(size=one.positions.shape)
        ends = [(w / h, at(k * h * way)) for k, w in stencil]
        slope = sum(w * end.energy[0] for w, end in ends)
        size = np.abs(base.forces).max() * np.linalg.norm(way)
        worst["forces"] = max(worst["forces"], abs(slope + np.sum(base.forces * way)) / size)
        exact = np.asarray(product(model, atoms.pack([one], CUTOFF, slots=slots), jnp.asarray(way)))
        change = -sum(w * end.forces for w, end in ends)
        worst["hessian"] = max(worst["hessian"], np.abs(exact - change).max() / np.abs(exact).max())
        even = draw.normal(size=(3, 3))
        even = even + even.T
        slope = sum(w / h * at(strain=k * h * even).energy[0] for k, w in stencil)
        size = np.abs(base.stress).max() * np.linalg.norm(even) * volume
        worst["stress"] = max(worst["stress"], abs(slope - np.sum(base.stress[0] * even) * volume) / size)
    worst = {name: float(value) for name, value in worst.items()}
    return {"structures": len(frames), **worst, "worst": max(worst.values())}


def smoothness(precision: str, quick: bool) -> dict[str, Any]:
    """What a neighbour at distance c(1 − δ) adds falls as δⁿ: value, slope and curvature vanish where n > 2."""
    model = potential((8, 14), precision)
    look = eqx.filter_jit(lambda m, b: atoms.predict(m, b))

    def pair(r: float) -> Any:
        one = Frame(np.array([8, 14]), np.array([[0, 0, 0], [r, 0, 0]]), None, np.zeros(3, bool))
        return jax.tree.map(np.asarray, look(model, atoms.pack([one], CUTOFF, slots=1)))

    far, deltas = pair(1.1 * CUTOFF).energy[0], np.array([0.004, 0.008, 0.016])
    added = np.array([abs(pair(CUTOFF * (1 - d)).energy[0] - far) for d in deltas])
    powers = np.diff(np.log(added)) / np.diff(np.log(deltas))
    at = pair(CUTOFF * (1 - 1e-9))
    return {
        "power": round(float(powers[0]), 3),
        "energy_step": float(abs(at.energy[0] - far)),
        "force_at_cutoff": float(np.abs(at.forces).max()),
        "passed": bool(powers.min() > 2.9),
    }


def supercells(precision: str, quick: bool) -> dict[str, Any]:
    """Energy per cell, forces and stress of 2 × 1 × 3 cells against one."""
    model, worst = potential((8, 14), precision), 0.0
    frames, look = crystals(1 if quick else 4), eqx.filter_jit(lambda m, b: atoms.predict(m, b, stress=True))
    slots = max(int(np.bincount(atoms.neighbour_pairs(one, CUTOFF).atom).max()) for one in frames)
    for one in frames:
        here, there = (
            jax.tree.map(np.asarray, look(model, atoms.pack([f], CUTOFF, slots=slots)))
            for f in (one, atoms.supercell(one, (2, 1, 3)))
        )
        for a, b in (
            (6 * here.energy, there.energy),
            (np.tile(here.forces, (6, 1)), there.forces),
            (here.stress, there.stress),
        ):
            worst = max(worst, float(np.abs(a - b).max() / np.abs(a).max()))
    return {"structures": len(frames), "worst": worst}


def images(precision: str, quick: bool) -> dict[str, Any]:
    """One atom in a skewed cell smaller than the cutoff, against the middle atom of a cluster cut out of the crystal.

    Two layers see up to twice the cutoff.
    """
    model, cell = potential((14,), precision), np.array([[2.6, 0, 0], [1.9, 2.2, 0], [-1.1, 0.9, 2.5]])
    one = Frame(np.array([14]), np.array([[0.3, -7.0, 1.2]]), cell, np.ones(3, bool))
    grid = np.stack(np.meshgrid(*[np.arange(-9, 10)] * 3, indexing="ij"), -1).reshape(-1, 3) @ cell
    inside = grid[np.linalg.norm(grid, axis=1) < 2 * CUTOFF + 1e-6]
    inside = inside[np.argsort(np.linalg.norm(inside, axis=1))]
    cluster = Frame(np.full(len(inside), 14), inside, None, np.zeros(3, bool))
    look = eqx.filter_jit(lambda m, b: atoms.predict(m, b, forces=False).atom_energies[0])
    crystal, middle = (float(look(model, atoms.pack([f], CUTOFF))) for f in (one, cluster))
    neighbours = len(atoms.neighbour_pairs(one, CUTOFF).atom)
    worst = abs(crystal - middle) / abs(crystal)
    return {"neighbours": neighbours, "cluster": len(inside), "worst": worst}


def traces(precision: str, quick: bool) -> dict[str, Any]:
    """Programs compiled while a shuffled set of molecules and crystals of mixed sizes goes by twice."""
    folder, frames = Path(os.environ["GEOEMBED_DATA"]) / "atoms" / "misc", []
    for path in sorted(folder.glob("*.xyz")):
        frames += atoms.read_extxyz(path)
    frames = frames[:: 10 if quick else 1]
    numbers = tuple(sorted({int(z) for one in frames for z in one.numbers}))
    sizes = [len(one.numbers) for one in frames]
    result: dict[str, Any] = {
        "frames": len(frames),
        "atoms": [min(sizes), max(sizes)],
        "elements": len(numbers),
    }
    model = Traced(potential(numbers, "float32", channels=4))
    look = eqx.filter_jit(lambda m, b: atoms.predict(m, b).energy)
    stream = atoms.batches(frames, CUTOFF, 8, seed=0, dtype="float32", shapes=4)
    TRACES.clear()
    seen = set()
    for epoch in range(2):
        for batch in stream.epoch(epoch):
            seen.add((batch.neighbours.index.shape, batch.kinds.shape))
            look(model, batch)
    result |= {"batches": 2 * stream.steps, "buckets": stream.buckets.count, "shapes_seen": len(seen)}
    result |= {"programs": len(TRACES), "waste": round(stream.buckets.waste, 3)}
    return result | {"passed": len(TRACES) == len(seen) <= stream.buckets.count}


def dynamics(precision: str, quick: bool) -> dict[str, Any]:
    """NVE with ASE: eight atoms, relaxed first; random weights, so this is no material but as smooth as one."""
    import ase.build
    import ase.units
    from ase.md.verlet import VelocityVerlet
    from ase.optimize import FIRE

    from geoembed.interop.ase import Calculator

    picoseconds, step = (0.1 if quick else 5.0), 1.0
    crystal = ase.build.bulk("Si", cubic=True)
    crystal.calc = Calculator(Traced(potential((14,), precision, channels=8)), skin=0.5)
    TRACES.clear()
    FIRE(crystal, logfile=None).run(fmax=1e-3, steps=200)
    draw = np.random.default_rng(0)
    speeds = draw.normal(size=(8, 3)) * np.sqrt(300 * ase.units.kB / 28.085)
    crystal.set_velocities(speeds - speeds.mean(axis=0))
    run, energies, kinetic = VelocityVerlet(crystal, step * ase.units.fs), [], []
    for _ in range(round(1000 * picoseconds / step / 10)):
        run.run(10)
        energies.append(crystal.get_total_energy() / 8)
        kinetic.append(crystal.get_kinetic_energy() / 8)
    times = np.arange(1, len(energies) + 1) * 10 * step / 1000
    drift = float(np.polyfit(times, energies, 1)[0])
    return {
        "picoseconds": picoseconds,
        "step_fs": step,
        "drift_meV_per_atom_ps": 1e3 * drift,
        "largest_change_meV_per_atom": 1e3 * float(np.ptp(energies)),
        "kinetic_meV_per_atom": 1e3 * float(np.mean(kinetic)),
        "searches": crystal.calc.searches,
        "programs": len(TRACES),
    }


CASES = {
    "symmetry_float32": symmetry,
    "symmetry_float64": symmetry,
    "derivatives": derivatives,
    "smoothness": smoothness,
    "supercell": supercells,
    "images": images,
    "traces": traces,
    "dynamics": dynamics,
}


if __name__ == "__main__":
    main()
