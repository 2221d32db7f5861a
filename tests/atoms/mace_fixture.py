"""A small MACE model with random weights, its structures, and what mace-torch computes for them in float64."""

import json
from pathlib import Path
from typing import Any

import numpy as np

from geoembed.atoms import Frame, MacePotential, mace_from_state

NAME = "scaleshiftmace_8ch_nacl"


def arrays(data: Path) -> dict[str, np.ndarray]:
    with np.load(data / "atoms" / "mace_parity" / f"{NAME}.npz", allow_pickle=False) as file:
        return {name: file[name] for name in file}


def state(stored: dict[str, np.ndarray]) -> dict[str, np.ndarray]:
    return {name.removeprefix("sd:"): values for name, values in stored.items() if name.startswith("sd:")}


def options(data: Path) -> dict[str, Any]:
    meta = json.loads((data / "atoms" / "mace_parity" / f"{NAME}.json").read_text(encoding="utf-8"))
    return {"average_neighbours": meta["avg"][0], "gain": meta["silu_cst"]}


def potential(data: Path) -> MacePotential:
    return mace_from_state(state(arrays(data)), **options(data))


def frames(stored: dict[str, np.ndarray]) -> list[Frame]:
    numbers = stored["sd:atomic_numbers"][stored["na"].argmax(axis=1)]
    cells = stored["cell"].reshape(-1, 3, 3)
    return [
        Frame(numbers[own], stored["pos"][own], cell, np.ones(3, bool))
        for own, cell in zip(stored["batch"][None] == np.arange(len(cells))[:, None], cells, strict=True)
    ]
