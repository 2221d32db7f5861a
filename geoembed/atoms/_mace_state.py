"""The weights of a MACE model, by the names of their arrays, as a potential of this library."""

import itertools
import math
from collections.abc import Mapping
from typing import Any

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np

from ..core import InputError
from ._element_embedding import ElementEmbedding
from ._mace import Mace, MacePotential
from ._product import Couplings, Product
from ._product_basis import coupled
from ._radial import BesselBasis
from ._readout import LinearReadout

State = Mapping[str, np.ndarray]
_TOLERANCE = 1e-9


def mace_from_state(
    state: State, *, average_neighbours: float, gain: float, source: str = "the MACE model"
) -> MacePotential:
    """Builds the potential that computes the same energies as a ScaleShiftMACE of mace-torch.

    Sizes are read off the shapes. Where an array depends on the number of elements by a convention of e3nn (1/√Z), the
    factor is taken into the weights. If the basis of products is neither of those of `Product`, its weights are
    expressed in the independent one, which is exact.

    Args:
        state: The arrays by the names in mace-torch's state dict.
        average_neighbours: Its avg_num_neighbors.
        gain: The constant of its normalised SiLU (e3nn's normalize2mom: `act.cst`).
        source: What the arrays come from, for messages.

    Returns:
        The potential. In float64 where jax's x64 mode is on.

    Raises:
        InputError: An array is missing or has a shape that does not fit.
    """
    reader = _State(state, source)
    numbers = reader["atomic_numbers"].tolist()
    channels = reader["node_embedding.linear.weight"].size // len(numbers)
    layers = int(reader["num_interactions"])
    first = [reader.shape(f"interactions.0.conv_tp_weights.layer{k}.weight") for k in range(reader.depth())]
    contractions = "products.0.symmetric_contractions.contractions"
    max_ell = math.isqrt(reader.shape(f"{contractions}.0.U_matrix_1")[-2]) - 1
    hidden_ell = reader.count(contractions + ".{}.weights_max") - 1
    correlation = reader.count(contractions + ".0.U_matrix_{}", start=1)
    radial = BesselBasis(
        float(reader["r_max"]), first[0][0], power=int(reader["radial_embedding.cutoff_fn.p"])
    )
    elements = ElementEmbedding.one_hot(numbers)
    couplings = _couplings(reader, max_ell, hidden_ell, correlation)

    def shaped() -> MacePotential:
        encoder = Mace(
            elements,
            channels=channels,
            hidden_ell=hidden_ell,
            max_ell=max_ell,
            correlation=correlation,
            num_interactions=layers,
            radial=radial,
            radial_layers=tuple(shape[1] for shape in first[:-1]),
            average_neighbours=average_neighbours,
            residual_first=reader["interactions.0.skip_tp.weight"].size == channels**2 * len(numbers),
            couplings=couplings,
            gain=gain,
            key=jax.random.key(0),
        )
        hidden = _hidden(reader, channels, layers)
        return MacePotential(encoder, hidden=hidden, gain=gain, key=jax.random.key(0))

    shapes = eqx.filter_eval_shape(shaped)  # every array comes from the state
    return _filled(eqx.tree_at(lambda m: m.encoder.elements, shapes, elements), reader)


class _State:
    """The arrays, with errors that name them."""

    def __init__(self, state: State, source: str):
        self.state, self.source = state, source

    def __getitem__(self, name: str) -> np.ndarray:
        if name not in self.state:
            hint = "Only ScaleShiftMACE with (residual) real agnostic interactions is supported"
            raise InputError(self.source, name, "this array is missing", hint)
        return np.asarray(self.state[name])

    def shape(self, name: str) -> tuple[int, ...]:
        return self[name].shape

    def count(self, pattern: str, start: int = 0) -> int:
        """How many arrays there are whose names differ by a running number."""
        found = 0
        while pattern.format(start + found) in self.state:
            found += 1
        return found

    def depth(self) -> int:
        return self.count("interactions.0.conv_tp_weights.layer{}.weight")

    def fit(self, name: str, like: Any, scale: float = 1.0) -> jax.Array:
        """An array in the shape and dtype of a leaf of the model."""
        values = self[name]
        if values.size != like.size:
            reason = f"this array has {values.size} numbers, the model needs {like.size}"
            raise InputError(self.source, name, reason, "The options of this model may not be supported")
        return jnp.asarray((values * scale).reshape(like.shape), like.dtype)

    def parts(self, name: str, likes: tuple[Any, ...], scale: float = 1.0) -> tuple[jax.Array, ...]:
        """A flat array cut into leaves, one after the other."""
        sizes = [like.size for like in likes]
        values = self[name].reshape(-1)
        if values.size != sum(sizes):
            reason = f"this array has {values.size} numbers, the model needs {sum(sizes)}"
            raise InputError(self.source, name, reason, "The options of this model may not be supported")
        pieces = np.split(values * scale, np.cumsum(sizes)[:-1])
        return tuple(
            jnp.asarray(piece.reshape(like.shape), like.dtype)
            for piece, like in zip(pieces, likes, strict=True)
        )


def _hidden(reader: _State, channels: int, layers: int) -> int:
    name = f"readouts.{layers - 1}.linear_1.weight"
    return reader[name].size // channels if layers > 1 else 16


def _tensor(reader: _State, layer: int, ell: int, order: int) -> np.ndarray:
    name = f"products.{layer}.symmetric_contractions.contractions.{ell}.U_matrix_{order}"
    tensor = reader[name]
    return tensor[None] if ell == 0 and tensor.ndim == order + 1 else tensor


def _couplings(reader: _State, max_ell: int, hidden_ell: int, correlation: int) -> Couplings:
    """The full basis of e3nn if the model has it."""
    for ell in range(hidden_ell + 1):
        tensor, own = _tensor(reader, 0, ell, correlation), coupled(max_ell, ell, correlation, False)
        if tensor.shape != own.shape or np.abs(tensor - own).max() > _TOLERANCE:
            return "independent"
    return "all"


def _product_weights(reader: _State, layer: int, product: Product) -> tuple[tuple[jax.Array, ...], ...]:
    out = []
    for ell, orders in enumerate(product.weights):
        prefix = f"products.{layer}.symmetric_contractions.contractions.{ell}"
        names = [f"{prefix}.weights.{k}" for k in reversed(range(len(orders) - 1))] + [
            f"{prefix}.weights_max"
        ]
        row = []
        for order, (name, like) in enumerate(zip(names, orders, strict=True), start=1):
            change = _change(reader, layer, ell, order, product.max_ell, product.couplings)
            weights = np.einsum("qk,zkc->zqc", change, reader[name])
            if weights.shape != like.shape:
                reason = f"this array has the shape {weights.shape}, the model needs {like.shape}"
                raise InputError(
                    reader.source, name, reason, "The options of this model may not be supported"
                )
            row.append(jnp.asarray(weights, like.dtype))
        out.append(tuple(row))
    return tuple(out)


def _change(
    reader: _State, layer: int, ell: int, order: int, max_ell: int, couplings: Couplings
) -> np.ndarray:
    """The matrix T with U[k] = Σ_q T[q, k] B[q] between the model's tensors and ours."""
    tensor = _tensor(reader, layer, ell, order)
    own = coupled(max_ell, ell, order, couplings == "independent")
    if couplings == "all":
        return np.eye(own.shape[-1])
    axes = list(range(1, order + 1))
    turned = [np.transpose(tensor, (0, *p, order + 1)) for p in itertools.permutations(axes)]
    even = np.mean(np.stack(turned), axis=0)
    flat, given = own.reshape(-1, own.shape[-1]), even.reshape(-1, even.shape[-1])
    change = np.linalg.lstsq(flat, given, rcond=None)[0]
    if np.abs(flat @ change - given).max() > _TOLERANCE:
        name = f"products.{layer}.symmetric_contractions.contractions.{ell}.U_matrix_{order}"
        hint = "Its conventions differ from e3nn's; please report the version of mace-torch"
        raise InputError(reader.source, name, "this basis of products is not the usual one", hint)
    return change


def _bessel(shapes: Any, reader: _State) -> Any:
    frequencies = reader.fit("radial_embedding.bessel_fn.bessel_weights", shapes.frequencies)
    return eqx.tree_at(lambda basis: basis.frequencies, shapes, frequencies)


def _filled(model: MacePotential, reader: _State) -> MacePotential:
    """The model with every array replaced."""
    encoder = model.encoder
    assert isinstance(encoder, Mace)
    elements = len(encoder.elements.numbers)
    by_element = 1 / math.sqrt(elements)
    new: list[tuple[Any, Any]] = [
        (
            lambda m: m.encoder.embed,
            reader.fit("node_embedding.linear.weight", model.encoder.embed, by_element),
        ),
        (lambda m: m.energies, reader.fit("atomic_energies_fn.atomic_energies", model.energies)),
        (lambda m: m.scale, reader.fit("scale_shift.scale", model.scale)),
        (lambda m: m.shift, reader.fit("scale_shift.shift", model.shift)),
        (lambda m: m.encoder.radial, _bessel(model.encoder.radial, reader)),
    ]
    for k, block in enumerate(encoder.interactions):
        name = f"interactions.{k}"
        radial = tuple(
            reader.fit(f"{name}.conv_tp_weights.layer{i}.weight", w) for i, w in enumerate(block.radial)
        )
        new += [
            (lambda m, k=k: m.encoder.interactions[k].up, reader.parts(f"{name}.linear_up.weight", block.up)),
            (lambda m, k=k: m.encoder.interactions[k].radial, radial),
            (
                lambda m, k=k: m.encoder.interactions[k].down,
                reader.parts(f"{name}.linear.weight", block.down),
            ),
            (
                lambda m, k=k: m.encoder.interactions[k].skip,
                reader.parts(f"{name}.skip_tp.weight", block.skip, by_element),
            ),
        ]
    for k, block in enumerate(encoder.products):
        new += [
            (lambda m, k=k: m.encoder.products[k].weights, _product_weights(reader, k, block)),
            (
                lambda m, k=k: m.encoder.products[k].linear,
                reader.parts(f"products.{k}.linear.weight", block.linear),
            ),
        ]
    for k, readout in enumerate(model.readouts):
        if isinstance(readout, LinearReadout):
            weight = reader.fit(f"readouts.{k}.linear.weight", readout.weight)
            new.append((lambda m, k=k: m.readouts[k].weight, weight))
        elif readout is not None:
            first = reader.fit(f"readouts.{k}.linear_1.weight", readout.first)
            second = reader.fit(f"readouts.{k}.linear_2.weight", readout.second)
            new.append((lambda m, k=k: (m.readouts[k].first, m.readouts[k].second), (first, second)))
    for where, value in new:
        model = eqx.tree_at(where, model, value)
    return model
