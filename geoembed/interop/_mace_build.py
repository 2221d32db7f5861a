"""From numpy to a model of mace-torch."""

import contextlib
import importlib
import io
import math
import warnings
from typing import Any

import numpy as np

from ..atoms._mace_couplings import rebased
from ..atoms._mace_description import MaceConfig, MaceDescription
from ._mace_arrays import refusal
from ._mace_extract import BLOCKS, REPULSION


def build(description: MaceDescription) -> Any:
    """A model of mace-torch with the numbers of a description, in their precision.

    Its products use mace-torch's own couplings; where those of the description are others, the weights are solved
    for, so that the products are the same functions.

    Args:
        description: What `extract` returns, or what a potential of geoembed is described by.

    Returns:
        A `mace.modules.MACE` or `ScaleShiftMACE`.

    Raises:
        InputError: mace-torch has no such model, or is not installed.
    """
    torch, modules = imported("torch"), imported("mace.modules")
    config, dtype = description.config, description.arrays["embedding"].dtype
    before = torch.get_default_dtype()
    torch.set_default_dtype(getattr(torch, dtype.name))
    try:
        with warnings.catch_warnings(), torch.random.fork_rng(devices=[]):
            warnings.simplefilter("ignore")  # torch and e3nn warn of their own ways
            name = "ScaleShiftMACE" if config.scaled else "MACE"
            model = getattr(modules, name)(**_options(description, torch, modules))
            state = model.state_dict()
            changed = {
                key: torch.as_tensor(np.asarray(value)).reshape(state[key].shape).to(state[key].dtype)
                for key, value in _state(description, model).items()
            }
            model.load_state_dict({**state, **changed})
            _set_constants(model, description)
    finally:
        torch.set_default_dtype(before)
    return model


def imported(name: str) -> Any:
    """A module of the extra `mace`. mace comes first: it sets torch up so that e3nn can read its tables."""
    try:
        # it warns of its own ways and prints which accelerators it misses
        with warnings.catch_warnings(), contextlib.redirect_stdout(io.StringIO()):
            warnings.simplefilter("ignore")
            importlib.import_module("mace.modules")
            return importlib.import_module(name)
    except ImportError as error:
        raise refusal(name, f"it cannot be imported: {error}", "Install geoembed[mace]") from error


def _options(description: MaceDescription, torch: Any, modules: Any) -> dict[str, Any]:
    """What the constructor is called with."""
    config, arrays = description.config, description.arrays
    irreps = importlib.import_module("e3nn.o3").Irreps
    names = {flags: name for name, flags in BLOCKS.items()}
    first, *rest = [names[layer.residual, layer.density] for layer in config.layers]
    hidden = config.layers[0].outputs
    if len(set(rest)) > 1 or any(layer.outputs != hidden for layer in config.layers[:-1]):
        raise refusal("layers", "mace-torch has no model whose layers after the first differ")
    layers, last = [layer for layer, _ in config.readouts], len(config.layers) - 1
    deep = [hidden > 0 for _, hidden in config.readouts]
    if layers not in ([*range(last + 1)], [last]) or deep != [False] * (len(deep) - 1) + [last > 0]:
        raise refusal("readouts", "mace-torch has no model with these readouts")
    options = {
        "r_max": config.cutoff,
        "num_bessel": config.basis_size,
        "num_polynomial_cutoff": config.envelope,
        "max_ell": config.degree,
        "interaction_cls_first": modules.interaction_classes[first],
        "interaction_cls": modules.interaction_classes[rest[0] if rest else first],
        "num_interactions": len(config.layers),
        "num_elements": len(config.numbers),
        "hidden_irreps": irreps([(config.channels, (l, (-1) ** l)) for l in hidden]),
        "MLP_irreps": irreps(f"{config.readouts[-1][1] or 1}x0e"),
        "atomic_energies": arrays["isolated"],
        "avg_num_neighbors": config.layers[0].neighbours,
        "atomic_numbers": list(config.numbers),
        "correlation": [layer.correlation for layer in config.layers],
        "gate": torch.nn.functional.silu,
        "pair_repulsion": config.repulsion is not None,
        "radial_type": config.basis,
        "radial_MLP": [m.shape[1] for m in _radial(description, 0)[:-1]],
        "heads": list(config.heads),
        "use_reduced_cg": False,
        "use_last_readout_only": len(config.readouts) < len(config.layers),
        "keep_last_layer_irreps": len(config.layers) > 1 and len(config.layers[-1].outputs) > 1,
        "distance_transform": {"none": "None", "agnesi": "Agnesi", "soft": "Soft"}[config.transform],
    }
    if config.scaled:
        several = len(config.heads) > 1
        for name in ("scale", "shift"):
            options[f"atomic_inter_{name}"] = arrays[name] if several else float(arrays[name][0])
    return options


def _radial(description: MaceDescription, i: int) -> list[np.ndarray]:
    found = []
    while f"layers.{i}.radial.{len(found)}" in description.arrays:
        found.append(description.arrays[f"layers.{i}.radial.{len(found)}"])
    return found


def _state(description: MaceDescription, model: Any) -> dict[str, np.ndarray]:
    """The arrays by mace-torch's names."""
    config, arrays = description.config, description.arrays
    several = math.sqrt(len(config.numbers))
    state = {
        "node_embedding.linear.weight": arrays["embedding"] * several,
        "atomic_energies_fn.atomic_energies": arrays["isolated"],
    }
    for name, key in _fixed(config).items():
        state[name] = arrays[key]
    if config.repulsion is not None:
        state["pair_repulsion_fn.p"] = np.array(config.repulsion)
    for i, layer in enumerate(config.layers):
        stem, own = f"interactions.{i}", f"layers.{i}"
        block, product = model.interactions[i], model.products[i]
        if _paths(block.conv_tp) != layer.paths:
            raise refusal(f"{own}.paths", "mace-torch orders these paths in another way")
        state[f"{stem}.linear_up.weight"] = _flat(block.linear_up, arrays, f"{own}.up")
        for k, matrix in enumerate(_radial(description, i)):
            state[f"{stem}.conv_tp_weights.layer{k}.weight"] = matrix
        if layer.density:
            state[f"{stem}.density_fn.layer0.weight"] = arrays[f"{own}.density"]
        state[f"{stem}.linear.weight"] = _flat(block.linear, arrays, f"{own}.down")
        state[f"{stem}.skip_tp.weight"] = several * np.concatenate(
            [arrays[f"{own}.skip.{_degree(block.skip_tp, s)}"].ravel() for s in block.skip_tp.instructions]
        )
        state[f"products.{i}.linear.weight"] = _flat(product.linear, arrays, f"{own}.mix")
        state |= _contractions(description, model, i)
    for i, (_, hidden) in enumerate(config.readouts):
        for k, name in enumerate(("linear_1", "linear_2") if hidden else ("linear",)):
            state[f"readouts.{i}.{name}.weight"] = arrays[f"readouts.{i}.{k}"]
    return state


def _fixed(config: MaceConfig) -> dict[str, str]:
    """Names of the arrays that are the same there and here."""
    stem, names = "radial_embedding", {}
    if config.basis == "bessel":
        names[f"{stem}.bessel_fn.bessel_weights"] = "basis.weights"
        names[f"{stem}.bessel_fn.prefactor"] = "basis.prefactor"
    elif config.basis == "gaussian":
        names[f"{stem}.bessel_fn.gaussian_weights"] = "basis.weights"
    for key in {"agnesi": ("q", "p", "a"), "soft": ("alpha",), "none": ()}[config.transform]:
        names[f"{stem}.distance_transform.{key}"] = f"transform.{key}"
        names[f"{stem}.distance_transform.covalent_radii"] = "transform.radii"
    if config.repulsion is not None:
        names |= {f"pair_repulsion_fn.{name}": f"repulsion.{key}" for key, name in REPULSION.items()}
    if config.scaled:
        names |= {f"scale_shift.{name}": name for name in ("scale", "shift")}
    return names


def _paths(product: Any) -> tuple[tuple[int, int, int], ...]:
    return tuple(
        (product.irreps_in1[s.i_in1].ir.l, product.irreps_in2[s.i_in2].ir.l, product.irreps_out[s.i_out].ir.l)
        for s in product.instructions
    )


def _degree(module: Any, step: Any) -> int:
    return module.irreps_out[step.i_out].ir.l


def _flat(module: Any, arrays: dict[str, np.ndarray], stem: str) -> np.ndarray:
    """The matrices of a linear map one after the other, in the order of its blocks."""
    row: dict[int, int] = {}
    parts = []
    for step in module.instructions:
        degree, (rows, columns) = _degree(module, step), step.path_shape
        start = row.get(degree, 0)
        parts.append(arrays[f"{stem}.{degree}"].reshape(-1, columns)[start : start + rows].ravel())
        row[degree] = start + rows
    return np.concatenate(parts)


def _contractions(description: MaceDescription, model: Any, i: int) -> dict[str, np.ndarray]:
    """The weights of the products of layer i, for the couplings of the new model."""
    layer, state = description.config.layers[i], {}
    for k, degree in enumerate(layer.outputs):
        stem = f"products.{i}.symmetric_contractions.contractions.{k}"
        contraction = model.products[i].symmetric_contractions.contractions[k]
        for v in range(1, layer.correlation + 1):
            theirs = contraction.U_tensors(v).numpy()
            ours = description.arrays[f"layers.{i}.coupling.{degree}.{v}"]
            weights = description.arrays[f"layers.{i}.product.{degree}.{v}"]
            name = "weights_max" if v == layer.correlation else f"weights.{layer.correlation - 1 - v}"
            state[f"{stem}.{name}"] = rebased(weights, ours, theirs[None] if degree == 0 else theirs)
    return state


def _set_constants(model: Any, description: MaceDescription) -> None:
    """Numbers that the model holds outside its arrays."""
    config = description.config
    for i, layer in enumerate(config.layers):
        block = model.interactions[i]
        block.avg_num_neighbors = layer.neighbours
        for k in range(len(block.conv_tp_weights.hs) - 2):
            getattr(block.conv_tp_weights, f"layer{k}").act.cst = config.activation
    for readout in model.readouts:
        if hasattr(readout, "non_linearity"):
            readout.non_linearity.acts[0].cst = config.activation
    if config.basis == "gaussian":
        model.radial_embedding.bessel_fn.coeff = float(description.arrays["basis.coefficient"])
