"""Quasicrystals by numbers and in pictures.

    python experiments/quasicrystal/run.py

Writes results/values.json and the pictures; two minutes on one core. The space groups need spglib (extra `spglib`).
"""

import json
import tomllib
from pathlib import Path
from typing import Any

import direct_sums
import jax
import numpy as np
import stability
import values
from matplotlib.figure import Figure

from geoembed import plot
from geoembed import quasicrystal as qc

HERE = Path(__file__).resolve().parent
RESULTS = HERE / "results"
CONFIG = tomllib.loads((HERE / "config.toml").read_text(encoding="utf-8"))
AXES = {2: (0, 0, 0, 0, 1, -1), 5: (1, 0, 0, 0, 0, 0)}  # in the basis of the lattice


def draw() -> None:
    """All pictures."""
    limits = CONFIG["diffraction"]
    plane, ico = qc.ammann_beenker(), qc.icosahedral()
    spots = qc.bragg(plane, **limits["ammann_beenker"])
    save(plot.diffraction_figure(spots, title="Ammann-Beenker tiling"), "diffraction_ammann_beenker")
    spots = qc.bragg(ico, **limits["icosahedral"])
    for fold in (5, 2):
        seen = turned(spots, np.asarray(ico.lattice.parallel) @ AXES[fold])
        save(
            plot.diffraction_figure(seen, title=f"Icosahedral, along a {fold}-fold axis"),
            f"diffraction_icosahedral_{fold}",
        )
    save(plot.tiling_figure(qc.cut(plane, box=13.0), edge=1.0, title="Ammann-Beenker"), "tiling")
    table = CONFIG["dislocations"]["ammann_beenker"] | {"radius": 10.0}
    sites = values.dislocated(plane, table, 1.0, -180.0)
    perp = np.asarray(plane.lattice.perpendicular)
    save(plot.dislocation_figure(sites, perp, np.array(table["burgers"]), edge=1.0), "dislocation")
    save(stability.draw(CONFIG["stability"]), "stability")


def save(figure: Figure, name: str) -> None:
    """Writes a picture."""
    figure.savefig(RESULTS / f"{name}.png")


def turned(found: qc.Bragg, axis: np.ndarray) -> qc.Bragg:
    """Reflections in axes whose third is the given one."""
    unit = axis / np.linalg.norm(axis)
    first = np.cross([1.0, 0, 0], unit)
    first /= np.linalg.norm(first)
    axes = np.stack([np.cross(first, unit), first, unit])
    return qc.Bragg(found.indices, found.q @ axes.T, found.q_perp, found.factors)


def main() -> None:
    """Measure, check, draw."""
    RESULTS.mkdir(exist_ok=True)
    with jax.enable_x64(True):
        measured: dict[str, Any] = values.measure(CONFIG)
        measured["stability"] = stability.check(CONFIG["stability"])
        measured["direct sums"] = direct_sums.measure(CONFIG["direct_sums"])
        text = json.dumps(measured, indent=1, ensure_ascii=False)
        (RESULTS / "values.json").write_text(text + "\n", encoding="utf-8")
        draw()
        save(direct_sums.draw(measured["direct sums"]), "direct_sums")
    print(text)


if __name__ == "__main__":
    main()
