"""Where the vector of a new element comes from, and what each way is worth; the last line printed is one JSON object.

    python benchmarks/element_vector.py [--quick] [--again]

A potential over element vectors (8 numbers, 16 channels, one layer) is trained on Mo, Nb, Ta and their binaries
(GEOEMBED_DATA/atoms/monbtaw). Then W is added, with nothing trained by descent: as a copy of Mo or Ta, as the mixture
that properties suggest, at random, or by the least squares fit of `add_element` to k labelled structures. E0 is that
with which the energies of the same 25 structures are met best, or of the k ones where they choose the vector. A row
holds the errors on test structures with W, those on structures without it (which must not change), and CPU seconds.
Rows go to results/element_vector.jsonl.
"""

import argparse
import json
import time
from functools import cache
from typing import Any

import jax
import numpy as np
from compress import DATA, fitted, read
from rows import RESULTS, commit, row

from geoembed import atoms
from geoembed.atoms import Frame, MacePotential

FOLDER = DATA / "atoms" / "monbtaw"
POOL = ("W_AIMD", "W_Elastic", "MoW_SS", "NbW_SS", "TaW_SS")
WAYS = ("Mo", "Ta", "properties", "random", "frames 5", "frames 10", "frames 25")
CUTOFF = 5.0


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--quick", action="store_true", help="a short training")
    parser.add_argument("--again", action="store_true", help="measure even what is in the results")
    options = parser.parse_args()
    summary = {}
    for way in WAYS:
        identity = {"way": way, "quick": options.quick, "commit": commit()}
        found = row(
            RESULTS / "element_vector.jsonl",
            identity,
            lambda w=way: added(w, options.quick),
            again=options.again,
        )
        summary[way] = {key: found[key] for key in ("forces_rmse", "energy_rmse", "cpu_s")}
    print(json.dumps(summary))


def added(way: str, quick: bool) -> dict[str, Any]:
    """W added in one way, and its errors."""
    before, start = trained(quick), time.process_time()
    source: dict[str, Any] = {"frames": pool(25)}
    if way.startswith("frames"):
        source = {"frames": pool(int(way.split()[1]))}
    elif way == "random":
        source["key"] = jax.random.key(0)
    elif way == "properties":
        source["vector"] = way
    else:
        source["like"] = way
    potential = atoms.add_element(before, "W", **source)
    seconds = time.process_time() - start
    new = [
        f for name in ("W", "MoW", "NbW", "TaW", "Multinary") for f in read(FOLDER / f"{name}_Test.xyz.gz", 6)
    ]
    old = [f for name in ("Mo", "Nb", "Ta") for f in read(FOLDER / f"{name}_Test.xyz.gz", 6)]
    errors, kept = atoms.evaluate(potential, new).errors, atoms.evaluate(potential, old)
    was = atoms.evaluate(before, old)
    return {
        "forces_rmse": errors.forces.rmse,
        "energy_rmse": errors.energy.rmse,
        "forces_rmse_old": kept.errors.forces.rmse,
        "old_forces_changed": float(np.abs(kept.forces[:, 1] - was.forces[:, 1]).max()),
        "e0": float(potential.energies[-1]),
        "cpu_s": round(seconds, 1),
    }


def pool(count: int) -> list[Frame]:
    """Labelled structures with W, as many of each file."""
    return [frame for name in POOL for frame in read(FOLDER / f"{name}.xyz.gz", count // len(POOL))]


@cache
def trained(quick: bool) -> MacePotential:
    """The potential that knows no W, with a free row."""
    count = 1 if quick else 12
    train = [
        f
        for n in ("Mo", "Nb", "Ta")
        for k in ("AIMD", "Elastic")
        for f in read(FOLDER / f"{n}_{k}.xyz.gz", count)
    ]
    train += [f for n in ("MoTa", "NbMo", "NbTa") for f in read(FOLDER / f"{n}_SS.xyz.gz", count)]
    start = atoms.untrained_mace(
        atoms.statistics(train, CUTOFF), key=jax.random.key(0), cutoff=CUTOFF, channels=16, max_ell=2, hidden_ell=0,
        correlation=2, layers=1, elements="physical", element_size=8, free_elements=1,
    )  # fmt: skip
    valid = [f for name in ("Mo", "Nb", "Ta") for f in read(FOLDER / f"{name}_Test.xyz.gz", 3)]
    return fitted(start, train, valid, 1 if quick else 30, 0.01)


if __name__ == "__main__":
    jax.config.update("jax_enable_x64", True)
    main()
