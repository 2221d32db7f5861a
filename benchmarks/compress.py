"""Tables of elements as vectors: errors at every rank, and an element added; the last line printed is one JSON object.

    python benchmarks/compress.py [--only parity metals molecules many] [--quick] [--again]

Potentials with a table of elements, as MACE has them:
parity     of mace-torch with random weights (GEOEMBED_DATA/atoms/mace_parity): Na and Cl;
metals     trained here on Mo, Nb, Ta, W and their binaries (GEOEMBED_DATA/atoms/monbtaw), 16 channels;
molecules  trained here on 3BPA at 300 K (GEOEMBED_DATA/atoms/3bpa): H, C, N, O, 16 channels;
many       with random weights for 89 elements, the worst case: nothing to find.
Each is compressed to every rank (`many` to some). A row holds the relative error of the tables, how far energies and
forces are from those before, their errors against labels where there are any, before and after all weights are
trained for six epochs more, and by how much energies and forces change when an element is added (largest absolute
values). All in float64; trained in float32. Rows go to results/compress.jsonl.
"""

import argparse
import json
import os
from collections.abc import Sequence
from pathlib import Path
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
from rows import RESULTS, commit, row

from geoembed import atoms
from geoembed.atoms import ElementEmbedding, Frame, Mace, MacePotential
from geoembed.core import is_parameter

MORE = 6  # epochs after compression
DATA = Path(os.environ.get("GEOEMBED_DATA", "."))
NAME = "scaleshiftmace_8ch_nacl"
NEW = {"parity": ("K", "Na"), "metals": ("Re", "W"), "molecules": ("F", "O"), "many": ("Th", "Ac")}
SIZES = {"channels": 16, "max_ell": 2, "hidden_ell": 0, "correlation": 2, "layers": 1}


class Case(NamedTuple):
    """A potential, what it has learned from, and the structures that judge it."""

    potential: MacePotential
    train: list[Frame]
    frames: list[Frame]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--only", nargs="+", choices=list(CASES), default=list(CASES))
    parser.add_argument(
        "--quick", action="store_true", help="short trainings, the smallest and the full rank"
    )
    parser.add_argument("--again", action="store_true", help="measure even what is in the results")
    options = parser.parse_args()
    summary = {}
    for name in options.only:
        made: list[Case] = []  # trained only if a row is missing
        for rank in ranks(name, options.quick):
            identity = {"case": name, "rank": rank, "quick": options.quick, "commit": commit()}

            def measure(name: str = name, rank: int = rank, made: list[Case] = made) -> dict[str, Any]:
                if not made:
                    made.append(CASES[name](options.quick))
                return at_rank(name, made[0], rank, options.quick)

            found = row(RESULTS / "compress.jsonl", identity, measure, again=options.again)
            keys = ("tables", "forces_difference", "forces_rmse", "forces_rmse_trained", "old_forces_changed")
            summary[f"{name}/{rank}"] = {key: found[key] for key in keys if key in found}
    print(json.dumps(summary))


def ranks(name: str, quick: bool) -> list[int]:
    """The numbers that a vector gets, the full one last."""
    full = {"parity": 2, "metals": 4, "molecules": 4, "many": 89}[name]
    some = [1, 8, 32, 64, 89] if name == "many" else list(range(1, full + 1))
    return [some[0], full] if quick else some


def at_rank(name: str, case: Case, rank: int, quick: bool) -> dict[str, Any]:
    """The figures of one rank."""
    potential, train, frames = case
    small, report = atoms.compress(potential, rank, free_elements=1, frames=frames)
    symbol, like = NEW[name]
    grown = atoms.add_element(small, symbol, like=like, e0=0.0)
    before, after, largest = said(small, frames), said(grown, frames), said(potential, frames)
    found = {
        "elements": len(potential.numbers),
        "parameters": list(report.parameters),
        "tables": report.error,
        "energy_difference": report.energy,
        "forces_difference": report.forces,
        "largest_force": float(np.abs(largest[1]).max()),
        "old_energy_changed": float(np.abs(before[0] - after[0]).max()),
        "old_forces_changed": float(np.abs(before[1] - after[1]).max()),
        "new_element": f"{symbol} like {like}",
    }
    if name == "parity":
        stored = state()
        found["forces_from_mace_torch"] = float(np.abs(before[1] - stored["F"].reshape(-1)).max())
    if any(frame.forces is not None for frame in frames):
        errors = atoms.evaluate(small, frames).errors
        found |= {"energy_rmse": errors.energy.rmse, "forces_rmse": errors.forces.rmse}
    if train and rank < report.full:
        errors = atoms.evaluate(fitted(small, train, frames, 1 if quick else MORE, 0.003), frames).errors
        found |= {"energy_rmse_trained": errors.energy.rmse, "forces_rmse_trained": errors.forces.rmse}
    return found


def said(potential: MacePotential, frames: Sequence[Frame]) -> tuple[np.ndarray, np.ndarray]:
    """Energies of the structures, eV/atom without E0, and components of the forces, eV/Å."""
    asked = [
        Frame(f.numbers, f.positions, f.cell, f.pbc, energy=0.0, forces=np.zeros_like(f.positions))
        for f in frames
    ]
    found = atoms.evaluate(potential, asked)
    return found.energy[:, 1], found.forces[:, 1]


def state() -> dict[str, np.ndarray]:
    with np.load(DATA / "atoms" / "mace_parity" / f"{NAME}.npz", allow_pickle=False) as file:
        return {name: file[name] for name in file}


def parity(quick: bool) -> Case:
    """The model of mace-torch, and its structures."""
    stored = state()
    meta = json.loads((DATA / "atoms" / "mace_parity" / f"{NAME}.json").read_text())
    weights = {name.removeprefix("sd:"): array for name, array in stored.items() if name.startswith("sd:")}
    potential = atoms.mace_from_state(weights, average_neighbours=meta["avg"][0], gain=meta["silu_cst"])
    numbers = stored["sd:atomic_numbers"][stored["na"].argmax(axis=1)]
    cells = stored["cell"].reshape(-1, 3, 3)
    owners = stored["batch"]
    frames = [
        Frame(numbers[owners == k], stored["pos"][owners == k], cell, np.ones(3, bool))
        for k, cell in enumerate(cells)
    ]
    return Case(potential, [], frames)


def metals(quick: bool) -> Case:
    """Structures of each of the files, as many of each; judged by the test files."""
    names = ("Mo", "Nb", "Ta", "W"), ("MoW", "MoTa", "NbMo", "NbTa", "NbW", "TaW")
    folder, count = DATA / "atoms" / "monbtaw", 1 if quick else 8
    train = [
        f
        for n in names[0]
        for kind in ("AIMD", "Elastic")
        for f in read(folder / f"{n}_{kind}.xyz.gz", count)
    ]
    train += [f for n in names[1] for f in read(folder / f"{n}_SS.xyz.gz", count)]
    test = [f for n in (*names[0], *names[1]) for f in read(folder / f"{n}_Test.xyz.gz", 2)]
    return Case(trained(train, test, 1 if quick else 25, 5.0), train, test)


def molecules(quick: bool) -> Case:
    """3BPA at 300 K; judged at all three temperatures."""
    folder = DATA / "atoms" / "3bpa"
    train = read(folder / "train_300K.xyz.gz", 5 if quick else 200)
    test = read(folder / "train_mixedT.xyz.gz", 30)
    return Case(trained(train, test, 1 if quick else 30, 4.5), train, test)


def many(quick: bool) -> Case:
    """Random weights for 89 elements, and clusters of all of them."""
    encoder = Mace(
        ElementEmbedding.one_hot(list(range(1, 90))), channels=8, max_ell=1, hidden_ell=0, correlation=2,
        num_interactions=1, key=jax.random.key(0),
    )  # fmt: skip
    draw = np.random.default_rng(0)
    places = np.array(list(np.ndindex(5, 5, 4))) * 2.2
    frames = [
        Frame(draw.permutation(np.arange(100) % 89 + 1), places + draw.normal(0, 0.2, places.shape), None,
              np.zeros(3, bool))
        for _ in range(2)
    ]  # fmt: skip
    return Case(MacePotential(encoder, key=jax.random.key(1)), [], frames)


def read(path: Path, count: int) -> list[Frame]:
    """So many structures of a file, evenly chosen."""
    frames = atoms.read_extxyz(path)
    places = np.linspace(0, len(frames) - 1, min(count, len(frames))).round().astype(int)
    return [frames[place] for place in places]


def trained(train: list[Frame], valid: list[Frame], epochs: int, cutoff: float) -> MacePotential:
    """A potential with one-hot vectors, trained in float32 and turned into float64."""
    with jax.enable_x64(False):
        start = atoms.untrained_mace(
            atoms.statistics(train, cutoff), key=jax.random.key(0), cutoff=cutoff, elements="one_hot", **SIZES
        )
    return fitted(start, train, valid, epochs, 0.01)


def fitted(
    potential: MacePotential, train: list[Frame], valid: list[Frame], epochs: int, rate: float
) -> MacePotential:
    """Trained in float32, and turned into float64."""
    with jax.enable_x64(False):
        start = jax.tree.map(lambda x: x.astype(jnp.float32) if is_parameter(x) else x, potential)
        settings = atoms.Training(epochs=epochs, batch=4, rate=rate, validate=max(1, epochs // 4))
        found = atoms.fit(start, train, valid[::2], key=jax.random.key(1), settings=settings).potential
    return jax.tree.map(lambda x: x.astype(jnp.float64) if is_parameter(x) else x, found)


CASES = {"parity": parity, "metals": metals, "molecules": molecules, "many": many}

if __name__ == "__main__":
    jax.config.update("jax_enable_x64", True)
    main()
