"""Trains mace-torch with its own loader, model, loss, optimiser, schedule and moving average; see run.py.

    PYTHON theirs.py TASK SECONDS SEED

PYTHON has mace-torch, and not geoembed. The loop is that of `mace.tools.train.train` without checkpoints: its own
`train_one_epoch` and `evaluate` are called. Precision is float32, as ours; E0 are zero, because the energies of the
task are those without the isolated atoms, which spares float32 the large numbers.
"""

import argparse
import logging
import sys
import warnings
from pathlib import Path
from typing import Any

warnings.simplefilter("ignore")

import numpy as np  # noqa: E402
import torch  # noqa: E402

from mace import data, modules, tools  # isort: skip  # noqa: E402  sets how e3nn may load its tables
from e3nn import o3  # isort: skip  # noqa: E402
from mace.tools import torch_geometric  # noqa: E402
from mace.tools.scripts_utils import LRScheduler, get_optimizer, get_params_options  # noqa: E402
from mace.tools.train import evaluate, train_one_epoch  # noqa: E402
from task import Clock, say, task_of  # noqa: E402
from torch_ema import ExponentialMovingAverage  # noqa: E402

OUTPUTS = {"forces": True, "virials": False, "stress": False}
CPU = torch.device("cpu")


class Silent:
    """Their logger, which writes to a file at every step."""

    def log(self, _: dict[str, Any]) -> None:
        """Does nothing."""


def main() -> None:
    clock, (folder, seconds, seed) = Clock(), sys.argv[1:]
    logging.disable(logging.INFO)
    torch.set_num_threads(1)
    torch.set_default_dtype(torch.float32)
    tools.set_seeds(int(seed))
    settings, arrays = task_of(Path(folder))
    sets = {name: graphs(settings, arrays, name) for name in ("train", "valid", "test")}
    model = model_of(settings, sets["train"], sorted(set(arrays["numbers"].tolist())))
    say(kind="start", cpu=clock.now())
    loaders = {
        "train": loader(sets["train"], settings["training"]["batch"], True),
        "valid": loader(sets["valid"], 10, False),
        "some": loader(sets["test"][: settings["data"]["test"]], 50, False),
        "test": loader(sets["test"], 50, False),
    }
    train(model, loaders, settings, clock, float(seconds))


def train(
    model: Any, loaders: dict[str, Any], settings: dict[str, Any], clock: Clock, seconds: float
) -> None:
    """The loop of `mace.tools.train.train`."""
    own = settings["training"]
    options = argparse.Namespace(
        lr=own["rate"], weight_decay=0.0, amsgrad=True, beta=0.9, optimizer="adam", freeze=None,
        lr_params_factors="{}", scheduler="ReduceLROnPlateau", lr_factor=own["plateau_factor"],
        scheduler_patience=own["plateau_patience"],
    )  # fmt: skip
    loss = modules.WeightedEnergyForcesLoss(settings["loss"]["energy"], settings["loss"]["forces"])
    optimiser = get_optimizer(options, get_params_options(options, model))
    schedule = LRScheduler(optimiser, options)
    average = ExponentialMovingAverage(model.parameters(), decay=own["average"])
    epoch, score, best, kept, kept_epoch = 0, np.inf, np.inf, None, 0
    while clock.now() < seconds:
        if epoch:
            schedule.step(metrics=score)
        train_one_epoch(
            model,
            loss,
            loaders["train"],
            optimiser,
            epoch,
            OUTPUTS,
            own["clip"],
            average,
            Silent(),
            CPU,
            False,
        )
        with average.average_parameters():
            score, said = evaluate(model, loss, loaders["valid"], OUTPUTS, CPU)
            cpu = clock.now()
            with clock.stopped():
                _, test = evaluate(model, loss, loaders["some"], OUTPUTS, CPU)
            if score < best:
                best, kept, kept_epoch = (
                    score,
                    {k: v.clone() for k, v in model.state_dict().items()},
                    epoch + 1,
                )
        epoch += 1
        errors = {"test_forces": float(test["mae_f"]), "test_energy": float(test["mae_e_per_atom"])}
        rate = float(optimiser.param_groups[0]["lr"])
        say(kind="point", epoch=epoch, cpu=cpu, valid_forces=float(said["mae_f"]), rate=rate, **errors)
    model.load_state_dict(kept)
    _, test = evaluate(model, loss, loaders["test"], OUTPUTS, CPU)
    errors = {"test_forces": float(test["mae_f"]), "test_energy": float(test["mae_e_per_atom"])}
    say(kind="end", cpu=clock.now(), steps=epoch * len(loaders["train"]), epoch=kept_epoch, **errors)


def graphs(settings: dict[str, Any], arrays: dict[str, np.ndarray], part: str) -> list[Any]:
    """The structures of one part of the task as what their loader takes."""
    table = tools.AtomicNumberTable(sorted(set(arrays["numbers"].tolist())))
    rows = zip(*(arrays[f"{part}_{name}"] for name in ("positions", "energy", "forces")), strict=True)
    weights = {"energy": 1.0, "forces": 1.0}
    return [
        data.AtomicData.from_config(
            data.Configuration(
                atomic_numbers=arrays["numbers"], positions=x, properties={"energy": float(e), "forces": f},
                property_weights=weights, pbc=(False,) * 3, cell=np.zeros((3, 3)),
            ),
            z_table=table,
            cutoff=settings["potential"]["cutoff"],
        )
        for x, e, f in rows
    ]  # fmt: skip


def loader(graphs: list[Any], size: int, shuffle: bool) -> Any:
    """Batches as `mace_run_train` makes them."""
    return torch_geometric.dataloader.DataLoader(dataset=graphs, batch_size=size, shuffle=shuffle)


def model_of(settings: dict[str, Any], train: list[Any], numbers: list[int]) -> Any:
    """ScaleShiftMACE with the defaults of `mace_run_train`."""
    own, block = settings["potential"], modules.interaction_classes["RealAgnosticResidualInteractionBlock"]
    hidden = " + ".join(f"{own['channels']}x{ell}{'eo'[ell % 2]}" for ell in range(own["hidden_ell"] + 1))
    scales = loader(train, 50, False)
    energies = np.zeros(len(numbers))
    shift, scale = modules.scaling_classes["rms_forces_scaling"](scales, energies)
    return modules.ScaleShiftMACE(
        r_max=own["cutoff"], num_bessel=8, num_polynomial_cutoff=5, max_ell=own["max_ell"], interaction_cls=block,
        interaction_cls_first=block, num_interactions=own["layers"], num_elements=len(numbers),
        hidden_irreps=o3.Irreps(hidden), MLP_irreps=o3.Irreps("16x0e"), atomic_energies=energies,
        avg_num_neighbors=float(modules.compute_avg_num_neighbors(scales)), atomic_numbers=numbers,
        correlation=own["correlation"], gate=torch.nn.functional.silu, radial_MLP=[64, 64, 64],
        atomic_inter_scale=float(np.ravel(scale)[0]), atomic_inter_shift=float(np.ravel(shift)[0]),
    )  # fmt: skip


if __name__ == "__main__":
    main()
