"""From a model of mace-torch to numpy."""

import math
from typing import Any

import numpy as np

from ..atoms._mace_description import MaceConfig, MaceDescription, MaceLayer
from ._mace_arrays import State, linear, near, refusal, skip

BLOCKS = {  # name: (residual, density)
    "RealAgnosticInteractionBlock": (False, False),
    "RealAgnosticResidualInteractionBlock": (True, False),
    "RealAgnosticDensityInteractionBlock": (False, True),
    "RealAgnosticDensityResidualInteractionBlock": (True, True),
}
BASES = {"BesselBasis": "bessel", "GaussianBasis": "gaussian", "ChebychevBasis": "chebyshev"}
TRANSFORMS = {"AgnesiTransform": "agnesi", "SoftTransform": "soft"}
READOUTS = {"LinearReadoutBlock": False, "NonLinearReadoutBlock": True}

_MODULES = {
    *("node_embedding", "radial_embedding", "pair_repulsion_fn", "spherical_harmonics", "atomic_energies_fn"),
    *("interactions", "products", "readouts", "scale_shift"),
}
_ANY = {
    "training",
    "heads",
    "use_reduced_cg",
    "use_edge_irreps_first",
    "use_last_readout_only",
    "pair_repulsion",
}
_SWITCHES = {"apply_cutoff": True}  # every other attribute has to be unset


def extract(model: Any) -> MaceDescription:
    """The numbers of a model of mace-torch (MACE or ScaleShiftMACE) and what they mean.

    Args:
        model: A `torch.nn.Module` of `mace.modules`.

    Returns:
        The description, in the model's precision.

    Raises:
        InputError: The model has a feature that is not converted; the error names its attribute.
    """
    scaled = type(model).__name__ == "ScaleShiftMACE"
    if not scaled and type(model).__name__ != "MACE":
        raise refusal(type(model).__name__, "the model is neither a MACE nor a ScaleShiftMACE")
    _check_attributes(model)
    state, heads = State(model), tuple(getattr(model, "heads", None) or ("Default",))
    numbers = tuple(int(z) for z in state.take("atomic_numbers"))
    channels = _channels(model)
    embedding = state.take("node_embedding.linear.weight").reshape(len(numbers), channels)
    arrays = {"embedding": embedding / math.sqrt(len(numbers))}
    basis, transform, repulsion = _radial(model, state, arrays)
    layers = tuple(_layer(model, i, state, arrays) for i in range(len(model.interactions)))
    readouts = tuple(_readout(model, i, state, arrays) for i in range(len(model.readouts)))
    isolated = state.take("atomic_energies_fn.atomic_energies")
    arrays["isolated"] = np.broadcast_to(np.atleast_2d(isolated), (len(heads), len(numbers))).copy()
    if scaled:
        for name in ("scale", "shift"):
            value = np.atleast_1d(state.take(f"scale_shift.{name}"))
            arrays[name] = np.broadcast_to(value, (len(heads),)).copy()
    state.finish()
    radial = model.radial_embedding
    config = MaceConfig(
        numbers=numbers,
        heads=heads,
        cutoff=float(model.r_max),
        channels=channels,
        degree=max(ir.l for _, ir in model.spherical_harmonics.irreps_out),
        basis=basis,
        basis_size=int(radial.out_dim),
        envelope=int(radial.cutoff_fn.p),
        transform=transform,
        repulsion=repulsion,
        layers=layers,
        readouts=readouts,
        scaled=scaled,
        activation=_activation(model),
    )
    return MaceDescription(config, arrays)


def _check_attributes(model: Any) -> None:
    for name, value in vars(model).items():  # torch's own names start with a line
        if (
            name[0] != "_"
            and name not in _ANY
            and value is not None
            and value is not _SWITCHES.get(name, False)
        ):
            raise refusal(name, f"the value {value!r} is not converted")
    for name in model._modules:
        if name not in _MODULES:
            raise refusal(name, "this part is not converted")
    for i, block in enumerate([*model.interactions, *model.products]):
        for name in ("cueq_config", "oeq_config", "conv_fusion"):
            if getattr(block, name, None) is not None:
                where = f"interactions.{i}.{name}" if i < len(model.interactions) else f"products.{name}"
                raise refusal(where, "the model is laid out for a GPU", "Run mace_cueq_to_e3nn on it first")
        if getattr(block, "use_agnostic_product", False):
            raise refusal("use_agnostic_product", "products that do not know the element are not converted")
    harmonics = model.spherical_harmonics
    if [(ir.l, ir.p) for _, ir in harmonics.irreps_out] != [
        (l, (-1) ** l) for l in range(len(harmonics.irreps_out))
    ]:
        raise refusal("spherical_harmonics", f"the harmonics are {harmonics.irreps_out}")
    if not harmonics.normalize or harmonics.normalization != "component":
        raise refusal("spherical_harmonics.normalization", "the harmonics are normalised in another way")


def _channels(model: Any) -> int:
    channels = model.node_embedding.linear.irreps_out.dim
    for i, product in enumerate(model.products):
        irreps = product.linear.irreps_out
        degrees = [ir.l for _, ir in irreps]
        if any(mul != channels or ir.p != (-1) ** ir.l for mul, ir in irreps) or degrees != sorted(
            set(degrees)
        ):
            raise refusal(f"products.{i}.linear.irreps_out", f"the features are {irreps}")
    for i, interaction in enumerate(model.interactions):
        if str(getattr(interaction, "edge_irreps", interaction.node_feats_irreps)) != str(
            interaction.node_feats_irreps
        ):
            raise refusal(
                f"interactions.{i}.edge_irreps", "edges with other features than atoms are not converted"
            )
    return channels


def _radial(model: Any, state: State, arrays: dict[str, np.ndarray]) -> tuple[str, str, int | None]:
    """The radial functions, the transform of the distance, the repulsion."""
    radial, stem = model.radial_embedding, "radial_embedding"
    basis = BASES.get(type(radial.bessel_fn).__name__)
    if basis is None:
        raise refusal(
            f"{stem}.bessel_fn", f"the radial functions {type(radial.bessel_fn).__name__} are not known"
        )
    if basis == "bessel":
        arrays["basis.weights"] = state.take(f"{stem}.bessel_fn.bessel_weights")
        arrays["basis.prefactor"] = state.take(f"{stem}.bessel_fn.prefactor")
    elif basis == "gaussian":
        arrays["basis.weights"] = state.take(f"{stem}.bessel_fn.gaussian_weights")
        arrays["basis.coefficient"] = np.asarray(radial.bessel_fn.coeff, arrays["basis.weights"].dtype)
    else:
        state.take(f"{stem}.bessel_fn.n")
    if type(radial.cutoff_fn).__name__ != "PolynomialCutoff":
        raise refusal(f"{stem}.cutoff_fn", f"the envelope {type(radial.cutoff_fn).__name__} is not known")
    state.take(f"{stem}.cutoff_fn.p")
    transform = "none"
    if hasattr(radial, "distance_transform"):
        name = type(radial.distance_transform).__name__
        if name not in TRANSFORMS:
            raise refusal(f"{stem}.distance_transform", f"the transform {name} is not known")
        transform = TRANSFORMS[name]
        for key in ("q", "p", "a") if transform == "agnesi" else ("alpha",):
            arrays[f"transform.{key}"] = state.take(f"{stem}.distance_transform.{key}")
        arrays["transform.radii"] = state.take(f"{stem}.distance_transform.covalent_radii")
    if not hasattr(model, "pair_repulsion_fn"):
        return basis, transform, None
    if type(model.pair_repulsion_fn).__name__ != "ZBLBasis":
        raise refusal(
            "pair_repulsion_fn", f"the repulsion {type(model.pair_repulsion_fn).__name__} is not known"
        )
    for key, name in REPULSION.items():
        arrays[f"repulsion.{key}"] = state.take(f"pair_repulsion_fn.{name}")
    return basis, transform, int(state.take("pair_repulsion_fn.p"))


REPULSION = {"c": "c", "exponent": "a_exp", "prefactor": "a_prefactor", "radii": "covalent_radii"}


def _layer(model: Any, i: int, state: State, arrays: dict[str, np.ndarray]) -> MaceLayer:
    block, stem = model.interactions[i], f"interactions.{i}"
    name = type(block).__name__
    if name not in BLOCKS:
        raise refusal(stem, f"the block {name} is not converted")
    residual, density = BLOCKS[name]
    product, channels = model.products[i], model.node_embedding.linear.irreps_out.dim
    for l, weight in linear(block.linear_up, f"{stem}.linear_up", state).items():
        arrays[f"layers.{i}.up.{l}"] = weight
    for k in range(len(block.conv_tp_weights.hs) - 1):
        arrays[f"layers.{i}.radial.{k}"] = state.take(f"{stem}.conv_tp_weights.layer{k}.weight")
    if density:
        if len(block.density_fn.hs) != 2:
            raise refusal(f"{stem}.density_fn", "the density has hidden layers")
        arrays[f"layers.{i}.density"] = state.take(f"{stem}.density_fn.layer0.weight")
    for l, weight in linear(block.linear, f"{stem}.linear", state).items():
        arrays[f"layers.{i}.down.{l}"] = weight.reshape(-1, channels, channels)
    elements = len(model.atomic_numbers)
    for l, weight in skip(block.skip_tp, f"{stem}.skip_tp", state).items():
        arrays[f"layers.{i}.skip.{l}"] = weight / math.sqrt(elements)
    correlation = _contractions(product, i, state, arrays)
    for l, weight in linear(product.linear, f"products.{i}.linear", state).items():
        arrays[f"layers.{i}.mix.{l}"] = weight
    return MaceLayer(
        inputs=tuple(ir.l for _, ir in block.linear_up.irreps_in),
        outputs=tuple(ir.l for _, ir in product.linear.irreps_out),
        paths=_paths(block.conv_tp, stem),
        correlation=correlation,
        residual=residual,
        density=density,
        neighbours=float(block.avg_num_neighbors),
    )


def _paths(product: Any, stem: str) -> tuple[tuple[int, int, int], ...]:
    """The degrees of each product of features and harmonics, in the order of their radial weights."""
    paths = []
    for step in product.instructions:
        degrees = (
            product.irreps_in1[step.i_in1].ir.l,
            product.irreps_in2[step.i_in2].ir.l,
            product.irreps_out[step.i_out].ir.l,
        )
        if step.connection_mode != "uvu" or not near(step.path_weight, math.sqrt(2 * degrees[2] + 1)):
            raise refusal(f"{stem}.conv_tp", "its products are normalised in another way")
        paths.append(degrees)
    return tuple(paths)


def _contractions(product: Any, i: int, state: State, arrays: dict[str, np.ndarray]) -> int:
    """The couplings and weights of the products; returns the correlation."""
    orders = set()
    for k, (_, ir) in enumerate(product.linear.irreps_in):
        stem = f"products.{i}.symmetric_contractions.contractions.{k}"
        order = int(product.symmetric_contractions.contractions[k].correlation)
        for v in range(order, 0, -1):
            coupling = state.take(f"{stem}.U_matrix_{v}")
            name = "weights_max" if v == order else f"weights.{order - 1 - v}"
            arrays[f"layers.{i}.coupling.{ir.l}.{v}"] = coupling[None] if ir.l == 0 else coupling
            arrays[f"layers.{i}.product.{ir.l}.{v}"] = state.take(f"{stem}.{name}")
        orders.add(order)
    if len(orders) != 1:
        raise refusal(
            f"products.{i}.symmetric_contractions", "degrees with different correlations are not converted"
        )
    return orders.pop()


def _readout(model: Any, i: int, state: State, arrays: dict[str, np.ndarray]) -> tuple[int, int]:
    """The layer that a readout reads and its hidden features per head."""
    readout, stem = model.readouts[i], f"readouts.{i}"
    name, layer = type(readout).__name__, len(model.products) - 1 if len(model.readouts) == 1 else i
    if name not in READOUTS:
        raise refusal(stem, f"the readout {name} is not converted")
    if not READOUTS[name]:
        arrays[f"{stem}.0"] = linear(readout.linear, f"{stem}.linear", state)[0]
        return layer, 0
    if any(ir.l for _, ir in readout.linear_1.irreps_out):
        raise refusal(f"{stem}.linear_1", "hidden features that are no scalars are not converted")
    arrays[f"{stem}.0"] = linear(readout.linear_1, f"{stem}.linear_1", state)[0]
    arrays[f"{stem}.1"] = linear(readout.linear_2, f"{stem}.linear_2", state)[0]
    return layer, arrays[f"{stem}.1"].shape[0] // arrays[f"{stem}.1"].shape[1]


def _activation(model: Any) -> float:
    """The factor after SiLU, the same everywhere."""
    found: dict[str, Any] = {}
    for i, block in enumerate(model.interactions):
        if len(block.conv_tp_weights.hs) > 2:
            found[f"interactions.{i}.conv_tp_weights"] = block.conv_tp_weights.layer0.act
    for i, readout in enumerate(model.readouts):
        if hasattr(readout, "non_linearity"):
            found[f"readouts.{i}.non_linearity"] = readout.non_linearity.acts[0]
    factors = set()
    for where, act in found.items():
        if getattr(getattr(act, "f", None), "__name__", "") != "silu":
            raise refusal(where, "activations other than SiLU are not converted")
        factors.add(float(act.cst))
    if len(factors) > 1:
        raise refusal("non_linearity", "activations of different size are not converted")
    return factors.pop() if factors else 1.0
