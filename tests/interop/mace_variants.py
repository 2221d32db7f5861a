"""Random models of mace-torch, one for each feature that is converted, and what they say about a few structures."""

import contextlib
import copy
import warnings
from collections.abc import Iterator
from typing import Any

import numpy as np

from geoembed.atoms import Frame

NUMBERS = (1, 8, 14)
RESIDUAL, PLAIN = "RealAgnosticResidualInteractionBlock", "RealAgnosticInteractionBlock"
DENSE_RESIDUAL = "RealAgnosticDensityResidualInteractionBlock"
DENSE = "RealAgnosticDensityInteractionBlock"

VARIANTS: dict[str, dict[str, Any]] = {
    "residual": {"max_ell": 3, "correlation": 3},
    "plain": {"cls": "MACE", "first": PLAIN, "hidden": "4x0e", "correlation": 3},
    "plain_everywhere": {"cls": "MACE", "first": PLAIN, "block": PLAIN},
    "density": {"first": DENSE, "block": DENSE_RESIDUAL, "transform": "Agnesi", "pair_repulsion": True},
    "density_everywhere": {"first": DENSE_RESIDUAL, "block": DENSE, "transform": "Soft"},
    "degree_two": {"hidden": "4x0e+4x1o+4x2e", "max_ell": 3},
    "linear": {"correlation": 1, "max_ell": 1},
    "heads": {"heads": ["ours", "theirs", "old"], "pair_repulsion": True},
    "heads_without_scale": {"cls": "MACE", "heads": ["ours", "theirs"]},
    "gaussian": {"radial_type": "gaussian"},
    "chebyshev": {"radial_type": "chebyshev", "transform": "Agnesi"},
    "repulsion": {"cls": "MACE", "pair_repulsion": True},
    "one_layer": {"num_interactions": 1},
    "three_layers": {"num_interactions": 3, "correlation": [3, 1, 2], "hidden": "4x0e+4x1o+4x2e"},
    "other_sizes": {"radial_MLP": [12, 7], "num_bessel": 5, "num_polynomial_cutoff": 6, "mlp": "5x0e"},
    "last_layer_kept": {"keep_last_layer_irreps": True},
    "last_readout_only": {"use_last_readout_only": True, "num_interactions": 3},
}


def build(
    cls: str = "ScaleShiftMACE",
    first: str = RESIDUAL,
    block: str = RESIDUAL,
    hidden: str = "4x0e+4x1o",
    mlp: str = "6x0e",
    transform: str = "None",
    seed: int = 0,
    **options: Any,
) -> Any:
    """A model with random numbers everywhere, also where mace-torch starts from 0 or 1; float64."""
    import torch
    from mace import modules  # before e3nn, which reads its tables as mace sets torch up

    o3 = modules.models.o3
    heads = options.get("heads") or ["Default"]
    rng = np.random.default_rng(seed)
    settings = {
        "r_max": 4.5,
        "num_bessel": 8,
        "num_polynomial_cutoff": 5,
        "max_ell": 2,
        "num_interactions": 2,
        "correlation": 2,
        "avg_num_neighbors": 7.3,
        "radial_MLP": [16, 16],
        **options,
    }
    if cls == "ScaleShiftMACE":
        settings["atomic_inter_scale"] = rng.uniform(0.5, 1.5, len(heads)) if len(heads) > 1 else 0.8
        settings["atomic_inter_shift"] = rng.normal(size=len(heads)) if len(heads) > 1 else 0.13
    before = torch.get_default_dtype()
    torch.set_default_dtype(torch.float64)
    try:
        with warnings.catch_warnings(), torch.random.fork_rng():
            warnings.simplefilter("ignore")
            torch.manual_seed(seed)
            return getattr(modules, cls)(
                interaction_cls_first=modules.interaction_classes[first],
                interaction_cls=modules.interaction_classes[block],
                num_elements=len(NUMBERS),
                hidden_irreps=o3.Irreps(hidden),
                MLP_irreps=o3.Irreps(mlp),
                atomic_energies=rng.normal(size=(len(heads), len(NUMBERS))) * 10,
                atomic_numbers=list(NUMBERS),
                gate=torch.nn.functional.silu,
                distance_transform=transform,
                **settings,
            )
    finally:
        torch.set_default_dtype(before)


def structures() -> list[Frame]:
    """A molecule, a cell of one atom with three different angles, an isolated atom, a small cell."""
    rng = np.random.default_rng(3)
    molecule = np.array(
        [[0.0, 0.0, 0.0], [0.7, 0.2, 0.0], [-0.4, 0.9, 0.7], [0.3, -1.3, 1.9], [2.1, 1.4, -0.8]]
    )
    skew = np.array([[2.9, 0.0, 0.0], [0.7, 3.1, 0.0], [-0.5, 0.9, 3.3]])
    cell = np.array([[4.2, 0.1, 0.0], [0.0, 4.6, 0.2], [0.3, 0.0, 5.1]])
    inside = np.array([[0.0, 0.0, 0.0], [2.0, 2.1, 0.3], [0.2, 2.2, 2.6], [2.1, 0.1, 2.7]])
    inside = inside + 0.1 * rng.normal(size=inside.shape)
    periodic, open_ends = np.ones(3, bool), np.zeros(3, bool)
    return [
        Frame(np.array([8, 1, 1, 14, 8]), molecule, None, open_ends),
        Frame(np.array([14]), np.zeros((1, 3)), skew, periodic),
        Frame(np.array([1]), np.ones((1, 3)), None, open_ends),
        Frame(np.array([14, 8, 8, 1]), inside, cell, periodic),
    ]


@contextlib.contextmanager
def precision_of(model: Any) -> Iterator[None]:
    """torch's default precision is that of the model: powers of whole numbers are taken in it."""
    import torch

    before = torch.get_default_dtype()
    torch.set_default_dtype(next(model.parameters()).dtype)
    try:
        yield
    finally:
        torch.set_default_dtype(before)


def batch_of(model: Any, frames: list[Frame], head: int) -> dict[str, Any]:
    """The structures as mace-torch takes them, in its precision."""
    from ase import Atoms
    from mace import data, tools
    from mace.tools import torch_geometric

    table = tools.AtomicNumberTable([int(z) for z in model.atomic_numbers])
    heads, items = list(model.heads), []
    with precision_of(model):
        for frame in frames:
            atoms = Atoms(frame.numbers, frame.positions, cell=frame.cell, pbc=frame.pbc)
            configuration = data.config_from_atoms(atoms, head_name=heads[head])
            items.append(
                data.AtomicData.from_config(configuration, table, cutoff=float(model.r_max), heads=heads)
            )
        loader = torch_geometric.dataloader.DataLoader(items, batch_size=len(items), shuffle=False)
        return next(iter(loader)).to_dict()


def answers(model: Any, frames: list[Frame], head: int = 0) -> dict[str, np.ndarray]:
    """Energies, energies of atoms, forces and stress by mace-torch, all structures in one batch."""
    batch = batch_of(model, frames, head)
    with precision_of(model):
        said = model(batch, compute_force=True, compute_stress=True)
    periodic = np.array([frame.cell is not None for frame in frames])
    return {
        "energy": said["energy"].detach().numpy(),
        "atom_energies": said["node_energy"].detach().numpy(),
        "forces": said["forces"].detach().numpy(),
        "stress": np.where(periodic[:, None, None], said["stress"].detach().numpy(), 0.0),
    }


def copied(model: Any) -> Any:
    """The same model, to change something in it."""
    return copy.deepcopy(model)
