"""An arm of benchmarks/new_element.py in mace-torch: its model, loader, loss, step and moving average.

    PYTHON new_element_torch.py FOLDER SECONDS RATE SEED

FOLDER is what new_element_hand_over.py writes. The last line printed is one JSON object: the figures of the row. The
weights are those of geoembed's arm; the schedule is the same cosine, epoch by epoch. Precision is float32.
"""

import argparse
import copy
import json
import logging
import math
import sys
import time
import warnings
from pathlib import Path
from typing import Any

warnings.simplefilter("ignore")

import numpy as np  # noqa: E402
import torch  # noqa: E402

from mace import data, modules, tools  # isort: skip  # noqa: E402  sets how e3nn may load its tables
from mace.tools import torch_geometric  # noqa: E402
from mace.tools.scripts_utils import get_optimizer, get_params_options  # noqa: E402
from mace.tools.train import train_one_epoch  # noqa: E402
from torch_ema import ExponentialMovingAverage  # noqa: E402

OUTPUTS = {"forces": True, "virials": False, "stress": False}
CPU = torch.device("cpu")
CALIBRATION = 20  # steps by which the time of an epoch is measured


class Silent:
    """Their logger, which writes to a file at every step."""

    def log(self, _: dict[str, Any]) -> None:
        """Does nothing."""


def main() -> None:
    folder, seconds, rate, seed = Path(sys.argv[1]), *map(float, sys.argv[2:4]), int(sys.argv[4])
    logging.disable(logging.INFO)
    torch.set_num_threads(1)
    torch.set_default_dtype(torch.float32)
    tools.set_seeds(seed)
    task = json.loads((folder / "task.json").read_text())
    model, numbers = model_of(folder / "potential")
    sets = {
        name: graphs(folder / f"{name}.npz", numbers, task["cutoff"]) for name in ("train", "valid", "test")
    }
    first = sets["train"][: CALIBRATION // 2]
    train(copy.deepcopy(model), first, sets["valid"], task, rate, 1)
    began = time.process_time()
    train(copy.deepcopy(model), sets["train"][:CALIBRATION], sets["valid"][:1], task, rate, 1)
    each = (time.process_time() - began) * len(sets["train"]) / len(sets["train"][:CALIBRATION])
    epochs = max(1, round(seconds / each))
    began = time.process_time()
    score, best = train(model, sets["train"], sets["valid"], task, rate, epochs)
    cpu = time.process_time() - began
    with np.load(folder / "test.npz", allow_pickle=False) as file:
        names = file["sets"]
    said = {"cpu": round(cpu, 1), "epochs": epochs, "steps": epochs * len(sets["train"]), "best_epoch": best}
    trained = sum(p.numel() for p in model.parameters() if p.requires_grad)
    print(
        json.dumps(said | {"score": score, "trained": trained, "errors": judged(model, sets["test"], names)})
    )


def model_of(place: Path) -> tuple[Any, list[int]]:
    """The potential as a model of mace-torch."""
    from geoembed import load
    from geoembed.interop.mace import to_torch

    potential = load(place)
    return to_torch(potential).to(torch.float32), sorted(potential.numbers.tolist())


def train(
    model: Any, frames: list[Any], valid: list[Any], task: dict[str, Any], rate: float, epochs: int
) -> tuple[float, int]:
    """The loop of `mace.tools.train.train` with a cosine schedule; leaves the best average in the model."""
    options = argparse.Namespace(
        lr=rate,
        weight_decay=0.0,
        amsgrad=True,
        beta=0.9,
        optimizer="adam",
        freeze=None,
        lr_params_factors="{}",
    )
    loss = modules.WeightedEnergyForcesLoss(task["energy"], task["forces"])
    optimiser = get_optimizer(options, get_params_options(options, model))
    average = ExponentialMovingAverage(model.parameters(), decay=task["average"])
    own, best, kept = loader(frames, task["batch"], shuffle=True), (math.inf, 0), None
    every = max(1, epochs // 20)
    for epoch in range(epochs):
        share = (epoch + 0.5) / epochs
        for group in optimiser.param_groups:
            group["lr"] = rate * min(1.0, share / task["warm_up"]) * 0.5 * (1 + math.cos(math.pi * share))
        train_one_epoch(
            model, loss, own, optimiser, epoch, OUTPUTS, task["clip"], average, Silent(), CPU, False
        )
        if (epoch + 1) % every and epoch + 1 < epochs:
            continue
        with average.average_parameters():
            score = score_of(model, valid, task)
            if score < best[0]:
                best, kept = (score, epoch + 1), copy.deepcopy(model.state_dict())
    if kept is not None:
        model.load_state_dict(kept)
    return best


def score_of(model: Any, frames: list[Any], task: dict[str, Any]) -> float:
    """The loss of squares over all structures."""
    energy, forces = differences(model, frames)
    return float(task["energy"] * np.mean(energy**2) + task["forces"] * np.mean(np.concatenate(forces) ** 2))


def differences(model: Any, frames: list[Any]) -> tuple[np.ndarray, list[np.ndarray]]:
    """Errors of the energy per atom and of the forces of each structure, eV/atom and eV/Å."""
    energy, forces = [], []
    for batch in loader(frames, 1, shuffle=False):
        said = model(batch.to_dict(), training=False, compute_force=True)
        energy.append(float(said["energy"] - batch.energy) / len(batch.forces))
        forces.append((said["forces"] - batch.forces).detach().numpy().astype(np.float64).ravel())
    return np.array(energy), forces


def judged(model: Any, frames: list[Any], names: np.ndarray) -> dict[str, dict[str, float]]:
    """What `errors` of new_element_arms.py says, meV/atom and meV/Å."""
    energy, forces = differences(model, frames)
    found = {}
    for name in dict.fromkeys(names.tolist()):
        own = np.flatnonzero(names == name)
        each = np.concatenate([forces[k] for k in own])
        values = {
            "energy": np.sqrt(np.mean(energy[own] ** 2)),
            "spread": energy[own].std(),
            "forces": np.sqrt(np.mean(each**2)),
        }
        found[name] = {key: round(1e3 * float(value), 2) for key, value in values.items()}
    return found


def graphs(path: Path, numbers: list[int], cutoff: float) -> list[Any]:
    """The structures as what their loader takes."""
    table, weights = tools.AtomicNumberTable(numbers), {"energy": 1.0, "forces": 1.0}
    with np.load(path, allow_pickle=False) as file:
        own = {name: file[name] for name in file}
    ends = np.cumsum(own["counts"])
    found = []
    for end, count, cell, energy in zip(ends, own["counts"], own["cells"], own["energy"], strict=True):
        atoms = slice(end - count, end)
        configuration = data.Configuration(
            atomic_numbers=own["numbers"][atoms],
            positions=own["positions"][atoms],
            properties={"energy": float(energy), "forces": own["forces"][atoms]},
            property_weights=weights,
            pbc=(True,) * 3,
            cell=cell,
        )
        found.append(data.AtomicData.from_config(configuration, z_table=table, cutoff=cutoff))
    return found


def loader(frames: list[Any], size: int, *, shuffle: bool) -> Any:
    """Batches as `mace_run_train` makes them."""
    return torch_geometric.dataloader.DataLoader(dataset=frames, batch_size=size, shuffle=shuffle)


if __name__ == "__main__":
    main()
