"""Enantiomers apart by pseudoscalars, and not apart by invariants.

    python experiments/enantiomers/run.py

Writes results/rows.json and results/enantiomers.png; a few minutes on one core, most of them compiling.
"""

import json
import tomllib
from pathlib import Path
from typing import Any

import geometries
import jax
import matplotlib
import numpy as np
from matplotlib import pyplot as plt
from scipy.spatial.transform import Rotation

from geoembed import atoms

HERE = Path(__file__).resolve().parent
RESULTS = HERE / "results"
CONFIG = tomllib.loads((HERE / "config.toml").read_text(encoding="utf-8"))
TRIPLES = {"1,1,1": ((1, 1, 1),), "1,2,2": ((1, 2, 2),)}
DIHEDRALS = np.linspace(-180.0, 180.0, 73)


def descriptors() -> dict[str, Any]:
    """What is compared, by name: invariants first, pseudoscalars after them."""
    key, species = jax.random.key(CONFIG["seed"]), tuple(CONFIG["species"])
    radial = atoms.GaussianBasis(CONFIG["cutoff"], CONFIG["functions"])
    encoder = atoms.Mace(
        atoms.ElementEmbedding.random(species, 8, key=jax.random.fold_in(key, 1)),
        cutoff=CONFIG["cutoff"],
        radial_layers=(16,),
        key=jax.random.fold_in(key, 2),
        **CONFIG["encoder"],
    )
    density = atoms.SoapPowerSpectrum(species, radial, max_ell=2)
    found: dict[str, Any] = {
        "SOAP": atoms.SoapPowerSpectrum(species, radial, **CONFIG["soap"]),
        "invariants of the encoder": atoms.Descriptors(encoder),
    }
    for number, (name, degrees) in enumerate(TRIPLES.items()):
        options = {"outputs": CONFIG["outputs"], "key": jax.random.fold_in(key, 3 + number)}
        found[f"density ({name})"] = atoms.Chirality(density, degrees=degrees, **options)
    found["encoder (1,1,1)"] = atoms.Chirality(
        encoder, outputs=CONFIG["outputs"], key=jax.random.fold_in(key, 9)
    )
    return found


def mirrored(frame: atoms.Frame) -> atoms.Frame:
    """At the plane x = 0."""
    flip = np.array([-1.0, 1.0, 1.0])
    cell = None if frame.cell is None else frame.cell * flip
    return atoms.Frame(frame.numbers, frame.positions * flip, cell, frame.pbc)


def moved(frame: atoms.Frame, random: np.random.Generator) -> atoms.Frame:
    """Turned, shifted and with its atoms in another order."""
    turn = Rotation.from_quat(random.normal(size=4)).as_matrix()
    order = random.permutation(len(frame.numbers))
    cell = None if frame.cell is None else frame.cell @ turn.T
    positions = (frame.positions @ turn.T + random.normal(size=3))[order]
    return atoms.Frame(frame.numbers[order], positions, cell, frame.pbc)


def numbers_of(model: Any, frames: list[atoms.Frame], dtype: str) -> np.ndarray:
    """What a descriptor says of each structure; compiled once, in float64 inside jax's x64 mode."""
    with jax.enable_x64(dtype == "float64"):
        batch = atoms.pack(frames, CONFIG["cutoff"], kinds=CONFIG["species"], dtype=dtype)
        return np.asarray(jax.jit(lambda one: model.of_structures(one, reduce="sum"))(batch))


def measure() -> dict[str, Any]:
    """Every geometry by every descriptor in both precisions."""
    random = np.random.default_rng(CONFIG["seed"])
    made = {name: make() for table in (geometries.CHIRAL, geometries.ACHIRAL) for name, make in table.items()}
    # Turned first, so that no mirror plane of a molecule is a coordinate plane, where all is exact.
    right = [moved(frame, random) for frame in made.values()]
    left = [mirrored(frame) for frame in right]
    again = [moved(frame, random) for frame in right]
    hidden = [moved(frame, random) for frame in left]
    rows: dict[str, Any] = {}
    for name, model in descriptors().items():
        for dtype in ("float32", "float64"):
            parts = np.split(numbers_of(model, [*right, *left, *again, *hidden], dtype), 4)
            rows[f"{name} | {dtype}"] = dict(zip(made, map(compare, *parts), strict=True))
    return {"chiral": list(geometries.CHIRAL), "achiral": list(geometries.ACHIRAL), "rows": rows}


def compare(right: np.ndarray, left: np.ndarray, again: np.ndarray, hidden: np.ndarray) -> dict[str, Any]:
    """Sizes and distances of one geometry's descriptors.

    Args:
        right: Of the geometry.
        left: Of its mirror image at x = 0.
        again: Of the geometry, moved.
        hidden: Of its mirror image, moved.
    """
    return {
        "size": float(np.linalg.norm(right)),
        "rounding": float(np.linalg.norm(right - again)),
        "apart": float(np.linalg.norm(right - hidden)),
        "sign flips bit for bit": bool(np.array_equal(right, -left)),
    }


def verdicts(measured: dict[str, Any]) -> dict[str, Any]:
    """Which pairs are apart: by more than 100 times what any motion or mirror-symmetric geometry changes."""
    found = {}
    for name, row in measured["rows"].items():
        floor = max(one["rounding"] / max(one["size"], 1e-300) for one in row.values())
        chiral, achiral = ([row[k] for k in measured[group]] for group in ("chiral", "achiral"))
        if "(" in name:
            # Zero has no relative error: what is achiral is compared with what is chiral.
            floor = max([one["rounding"] for one in row.values()] + [one["size"] for one in achiral])
            apart = [one["apart"] > 100 * floor for one in chiral]
            flips = sum(one["sign flips bit for bit"] for one in row.values())
            extra = {
                "smallest of a chiral one": min(one["size"] for one in chiral),
                "largest of an achiral one": max(one["size"] for one in achiral),
                "sign flips bit for bit": f"{flips}/{len(row)}",
            }
        else:
            apart = [one["apart"] / one["size"] > 100 * floor for one in chiral]
            extra = {"largest relative distance": max(one["apart"] / one["size"] for one in chiral)}
        missed = [k for k, good in zip(measured["chiral"], apart, strict=True) if not good]
        found[name] = {
            "pairs apart": f"{sum(apart)}/{len(apart)}",
            "not apart": missed,
            "rounding": floor,
        } | extra
    return found


def scan() -> dict[str, list]:
    """H₂O₂ over its dihedral angle: one pseudoscalar of the density."""
    frames = [geometries.dihydrogen("O", 1.46, 0.97, 99.4, float(angle)) for angle in DIHEDRALS]
    values = numbers_of(descriptors()["density (1,1,1)"], frames, "float64")
    return {"dihedral": DIHEDRALS.tolist(), "values": values.T.tolist()}


def draw(measured: dict[str, Any]) -> None:
    """Distances between enantiomers in float64, and the scan."""
    figure, (left, right) = plt.subplots(1, 2, figsize=(12, 5.2), width_ratios=(1.7, 1), layout="constrained")
    names = [*measured["chiral"], *measured["achiral"]]
    for mark, (name, row) in zip(
        "sD^vo", ((n, r) for n, r in measured["rows"].items() if "64" in n), strict=True
    ):
        label = name.split(" | ")[0]
        scale = {k: one["size"] for k, one in row.items()}
        if "(" in name:
            typical = float(np.median([row[k]["size"] for k in measured["chiral"]]))
            scale = dict.fromkeys(names, typical)
        values = [max(row[k]["apart"] / scale[k], 1e-18) for k in names]
        left.plot(values, range(len(names)), mark, label=label, markersize=5, alpha=0.8)
    left.axhline(len(measured["chiral"]) - 0.5, color="grey", linewidth=0.8)
    left.set(
        xscale="log", yticks=range(len(names)), xlabel="distance between a geometry and its mirror image"
    )
    left.set_yticklabels(names, fontsize=8)
    left.invert_yaxis()
    left.legend(fontsize=7, loc="lower right")
    for values in measured["scan"]["values"]:
        right.plot(measured["scan"]["dihedral"], np.array(values) / np.abs(values).max())
    right.set(xlabel="dihedral angle of H₂O₂, degrees", ylabel="pseudoscalars of the density, scaled")
    right.axhline(0, color="grey", linewidth=0.8)
    figure.savefig(RESULTS / "enantiomers.png", dpi=110)


def main() -> None:
    """Measure, judge, draw."""
    matplotlib.use("Agg")
    RESULTS.mkdir(exist_ok=True)
    measured = measure()
    measured["verdicts"] = verdicts(measured)
    measured["scan"] = scan()
    (RESULTS / "rows.json").write_text(
        json.dumps(measured, indent=1, ensure_ascii=False) + "\n", encoding="utf-8"
    )
    draw(measured)
    print(json.dumps(measured["verdicts"], indent=1, ensure_ascii=False))


if __name__ == "__main__":
    main()
