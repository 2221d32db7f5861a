"""A potential with the numbers of a description."""

import math
from collections.abc import Callable
from typing import Any, TypeVar

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np

from ..core import InputError
from ._chebyshev import ChebyshevBasis
from ._distance_transform import AgnesiTransform, SoftTransform
from ._element_embedding import ElementEmbedding
from ._heads import Head, HeadsPotential
from ._interaction import Interaction
from ._mace import Mace, MacePotential
from ._mace_couplings import rebased, signs_between
from ._mace_description import MaceConfig, MaceDescription
from ._product import Product
from ._product_basis import coupled
from ._radial import BesselBasis, GaussianBasis
from ._readout import LinearReadout, NonlinearReadout
from ._repulsion import Repulsion

T = TypeVar("T")


def potential_from(description: MaceDescription) -> MacePotential | HeadsPotential:
    """Builds the potential of a description: elements one-hot, all weights as parameters.

    Exact up to rounding. Features of the last layer above degree 0, which no readout sees, are left out.

    Args:
        description: The shape and the numbers.

    Returns:
        The potential; a `HeadsPotential` where there are several heads. In the precision of the arrays, also while
        jax's x64 mode is off.

    Raises:
        InputError: The description has something that the potential cannot have.
    """
    with jax.enable_x64(_dtype(description.arrays) == "float64"):
        encoder = _encoder(description)
        first, *others = (_head(description, k) for k in range(len(description.config.heads)))
        frame = MacePotential(encoder, repulsion=_repulsion(description), key=jax.random.key(0))
        potential = _with(
            frame,
            lambda m: (m.readouts, m.energies, m.scale, m.shift),
            (first.readouts, first.energies, first.scale, first.shift),
        )
    return HeadsPotential(potential, tuple(others), description.config.heads) if others else potential


def _with(module: T, where: Callable[[T], Any], values: Any) -> T:
    return eqx.tree_at(where, module, values, is_leaf=lambda leaf: leaf is None)


def _encoder(description: MaceDescription) -> Mace:
    config, arrays = description.config, description.arrays
    hidden = config.layers[0].outputs[-1] if len(config.layers) > 1 else 0
    _check(config, hidden)
    frame = Mace(
        ElementEmbedding.one_hot(config.numbers),
        channels=config.channels,
        hidden_ell=hidden,
        max_ell=config.degree,
        correlation=1,
        num_interactions=len(config.layers),
        radial=_basis(description),
        transform=_transform(description),
        radial_layers=(),
        key=jax.random.key(0),
    )
    interactions = tuple(_interaction(description, i, hidden) for i in range(len(config.layers)))
    products = tuple(_product(description, i, hidden) for i in range(len(config.layers)))
    elements = eqx.tree_at(
        lambda e: e.vectors, frame.elements, jnp.eye(len(config.numbers), dtype=_dtype(arrays))
    )
    return _with(
        frame,
        lambda m: (m.elements, m.embed, m.interactions, m.products),
        (elements, jnp.asarray(arrays["embedding"]), interactions, products),
    )


def _dtype(arrays: dict[str, np.ndarray]) -> str:
    return arrays["embedding"].dtype.name


def _check(config: MaceConfig, hidden: int) -> None:
    ells = tuple(range(hidden + 1))
    for i, layer in enumerate(config.layers):
        last = i == len(config.layers) - 1
        if layer.inputs != (ells if i else (0,)) or layer.outputs[: 1 if last else None] != (
            (0,) if last else ells
        ):
            raise _refusal(f"layers.{i}", f"degrees {layer.inputs} to {layer.outputs} are not supported")
        if layer.correlation > 3:
            raise _refusal(f"layers.{i}.correlation", "products of more than three factors are not supported")


def _refusal(where: str, reason: str) -> InputError:
    return InputError("the MACE model", where, reason, "Only what geoembed computes exactly is converted")


def _basis(description: MaceDescription) -> BesselBasis | GaussianBasis | ChebyshevBasis:
    config, arrays = description.config, description.arrays
    if config.basis == "chebyshev":
        return ChebyshevBasis(config.cutoff, config.basis_size, config.envelope)
    given = arrays["basis.weights"]
    if config.basis == "gaussian":
        _require("basis.weights", given, np.linspace(0.0, config.cutoff, config.basis_size))
        width = config.cutoff / (config.basis_size - 1)
        _require("basis.coefficient", arrays["basis.coefficient"], -0.5 / width**2)
        return GaussianBasis(config.cutoff, config.basis_size, config.envelope)
    _require("basis.prefactor", arrays["basis.prefactor"], math.sqrt(2 / config.cutoff))
    basis = BesselBasis(config.cutoff, config.basis_size, power=config.envelope)
    return eqx.tree_at(lambda b: b.frequencies, basis, jnp.asarray(given))


def _require(name: str, given: np.ndarray | np.floating, expected: np.ndarray | float) -> None:
    if not np.allclose(given, expected, rtol=1e-6, atol=1e-6):
        raise _refusal(name, "the radial functions are not the usual ones")


def _transform(description: MaceDescription) -> AgnesiTransform | SoftTransform | None:
    arrays = {k.removeprefix("transform."): v for k, v in description.arrays.items()}
    match description.config.transform:
        case "agnesi":
            q, p, a = (float(arrays[k]) for k in ("q", "p", "a"))
            return AgnesiTransform(q, p, a, arrays["radii"])
        case "soft":
            return SoftTransform(float(arrays["alpha"]), arrays["radii"])
    return None


def _repulsion(description: MaceDescription) -> Repulsion | None:
    power, arrays = description.config.repulsion, description.arrays
    if power is None:
        return None
    weights = tuple(float(c) for c in arrays["repulsion.c"])
    exponent, prefactor = (float(arrays[f"repulsion.{k}"]) for k in ("exponent", "prefactor"))
    return Repulsion(power, weights, exponent, prefactor, arrays["repulsion.radii"])


def _interaction(description: MaceDescription, i: int, hidden: int) -> Interaction:
    config, layer = description.config, description.config.layers[i]
    last = i == len(config.layers) - 1

    def stack(name: str) -> tuple[jax.Array, ...]:
        stem, found = f"layers.{i}.{name}.", []
        while f"{stem}{len(found)}" in description.arrays:
            found.append(jnp.asarray(description.arrays[f"{stem}{len(found)}"]))
        return tuple(found)

    radial = stack("radial")
    frame = Interaction(
        config.channels,
        input_ell=layer.inputs[-1],
        output_ell=0 if last else hidden,
        max_ell=config.degree,
        radial=config.basis_size,
        radial_layers=tuple(w.shape[1] for w in radial[:-1]),
        size=len(config.numbers),
        average_neighbours=layer.neighbours,
        residual=layer.residual,
        density=layer.density,
        gain=config.activation,
        key=jax.random.key(0),
    )
    if frame.paths != layer.paths:
        raise _refusal(f"layers.{i}.paths", "the paths of its messages are not all that there are")
    density = description.arrays.get(f"layers.{i}.density")
    down = tuple(w.reshape(-1, config.channels) for w in stack("down"))
    values = (stack("up"), radial, down, stack("skip")[: len(frame.skip)])
    frame = _with(frame, lambda m: (m.up, m.radial, m.down, m.skip), values)
    return frame if density is None else _with(frame, lambda m: m.density, jnp.asarray(density))


def _product(description: MaceDescription, i: int, hidden: int) -> Product:
    config, layer, arrays = description.config, description.config.layers[i], description.arrays
    output_ell = 0 if i == len(config.layers) - 1 else hidden
    names = [
        [f"layers.{i}.{{}}.{ell}.{v}" for v in range(1, layer.correlation + 1)]
        for ell in range(output_ell + 1)
    ]
    every = all(
        signs_between(arrays[name.format("coupling")], coupled(config.degree, ell, v + 1, False)) is not None
        for ell, row in enumerate(names)
        for v, name in enumerate(row)
    )
    frame = Product(
        config.channels,
        max_ell=config.degree,
        output_ell=output_ell,
        correlation=layer.correlation,
        size=len(config.numbers),
        couplings="all" if every else "independent",
        key=jax.random.key(0),
    )
    weights = tuple(
        tuple(
            jnp.asarray(
                rebased(
                    arrays[name.format("product")],
                    arrays[name.format("coupling")],
                    coupled(config.degree, ell, v + 1, not every),
                )
            )
            for v, name in enumerate(row)
        )
        for ell, row in enumerate(names)
    )
    linear = tuple(jnp.asarray(arrays[f"layers.{i}.mix.{ell}"]) for ell in range(output_ell + 1))
    return _with(frame, lambda m: (m.weights, m.linear), (weights, linear))


def _head(description: MaceDescription, k: int) -> Head:
    """The k-th head. Hidden features of the others are 0 in it, which leaves a factor 1/√heads."""
    config, arrays = description.config, description.arrays
    several, readouts = math.sqrt(len(config.heads)), {}
    for i, (layer, hidden) in enumerate(config.readouts):
        first = jnp.asarray(arrays[f"readouts.{i}.0"])
        if hidden:
            own = slice(k * hidden, (k + 1) * hidden)
            second = jnp.asarray(arrays[f"readouts.{i}.1"][own, k : k + 1] / several)
            frame = NonlinearReadout(config.channels, hidden, gain=config.activation, key=jax.random.key(0))
            readouts[layer] = _with(frame, lambda m: (m.first, m.second), (first[:, own], second))
        else:
            frame = LinearReadout(config.channels, key=jax.random.key(0))
            readouts[layer] = _with(frame, lambda m: m.weight, first[:, k : k + 1])
    one = np.ones(len(config.heads), _dtype(arrays))
    scale, shift = arrays.get("scale", one), arrays.get("shift", 0 * one)
    return Head(
        tuple(readouts.get(i) for i in range(len(config.layers))),
        jnp.asarray(arrays["isolated"][k]),
        jnp.asarray(scale[k]),
        jnp.asarray(shift[k]),
    )
