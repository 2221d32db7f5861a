"""What a potential is made of, in numpy, for other programs."""

import math

import numpy as np

from ..core import InputError
from ._chebyshev import ChebyshevBasis
from ._distance_transform import AgnesiTransform, SoftTransform
from ._element_embedding import ElementEmbedding
from ._heads import Head, HeadsPotential, Readouts
from ._mace import Mace, MacePotential
from ._mace_description import MaceConfig, MaceDescription, MaceLayer
from ._product_basis import coupled
from ._radial import BesselBasis, GaussianBasis
from ._readout import NonlinearReadout

Arrays = dict[str, np.ndarray]


def describe(potential: MacePotential | HeadsPotential) -> MaceDescription:
    """The shape and the numbers of a potential; elements with vectors of their own become elements with weights of
    their own.

    Args:
        potential: A converted one or one made here.

    Returns:
        The description, in the precision of the potential. Exact up to rounding.

    Raises:
        InputError: The encoder is no `Mace`, has no elements, its heads differ in kind, it multiplies four messages, or
            its radial functions depend on the elements.
    """
    several = isinstance(potential, HeadsPotential)
    first, others = (potential.potential, potential.others) if several else (potential, ())
    encoder = first.encoder
    if not isinstance(encoder, Mace):
        reason = f"its encoder is {type(encoder).__name__}, mace-torch has none but MACE's"
        raise InputError("the potential", "encoder", reason, "Use it from here, or train a `Mace`")
    heads = [Head(first.readouts, first.energies, first.scale, first.shift), *others]
    rows = np.flatnonzero(np.asarray(encoder.elements.numbers))
    if rows.size == 0:
        raise InputError("the potential", "elements", "it knows no element", "Train it first")
    vectors = np.asarray(encoder.elements.vectors)[rows]
    arrays: Arrays = {"embedding": vectors @ np.asarray(encoder.embed)}
    layers = tuple(_layer(encoder, i, vectors, arrays) for i in range(len(encoder.products)))
    config = MaceConfig(
        numbers=_numbers(encoder.elements, rows),
        heads=potential.names if several else ("Default",),
        cutoff=float(encoder.cutoff),
        channels=encoder.channels,
        degree=encoder.max_ell,
        basis=_basis(encoder.radial, arrays),
        basis_size=encoder.interactions[0].radial[0].shape[0],
        envelope=encoder.radial.power,
        transform=_transform(encoder.transform, arrays),
        repulsion=_repulsion(first, arrays),
        layers=layers,
        readouts=_readouts([head.readouts for head in heads], arrays),
        scaled=True,
        activation=_activation(first),
    )
    arrays["isolated"] = np.stack([np.asarray(head.energies)[rows] for head in heads])
    for name in ("scale", "shift"):
        arrays[name] = np.stack([np.asarray(getattr(head, name)) for head in heads])
    dtype = arrays["embedding"].dtype
    return MaceDescription(config, {name: np.asarray(value).astype(dtype) for name, value in arrays.items()})


def _numbers(elements: ElementEmbedding, rows: np.ndarray) -> tuple[int, ...]:
    return tuple(int(z) for z in np.asarray(elements.numbers)[rows])


def _layer(encoder: Mace, i: int, vectors: np.ndarray, arrays: Arrays) -> MaceLayer:
    block, product = encoder.interactions[i], encoder.products[i]
    channels = encoder.channels
    if len(product.weights[0]) > 3:
        hint = "Train with correlation=3 what is to go to mace-torch"
        raise InputError("the potential", "correlation", "products of four are not converted", hint)
    if block.sender is not None:
        reason = "its radial functions depend on both elements, those of mace-torch do not"
        raise InputError(
            "the potential", "pair_weights", reason, "Train without pair_weights what is to go there"
        )
    for name, parts in (("up", block.up), ("radial", block.radial), ("mix", product.linear)):
        arrays |= {f"layers.{i}.{name}.{k}": np.asarray(part) for k, part in enumerate(parts)}
    for ell, part in enumerate(block.down):
        arrays[f"layers.{i}.down.{ell}"] = np.asarray(part).reshape(-1, channels, channels)
    for ell, part in enumerate(block.skip):
        arrays[f"layers.{i}.skip.{ell}"] = np.einsum("zd,udw->uzw", vectors, np.asarray(part))
    if block.density is not None:
        arrays[f"layers.{i}.density"] = np.asarray(block.density)
    for ell, orders in enumerate(product.weights):
        for v, weight in enumerate(orders, start=1):
            table = coupled(product.max_ell, ell, v, product.couplings == "independent")
            arrays[f"layers.{i}.coupling.{ell}.{v}"] = table
            arrays[f"layers.{i}.product.{ell}.{v}"] = np.einsum("zd,dkc->zkc", vectors, np.asarray(weight))
    return MaceLayer(
        inputs=tuple(range(len(block.up))),
        outputs=tuple(range(len(product.linear))),
        paths=block.paths,
        correlation=len(product.weights[0]),
        residual=block.residual,
        density=block.density is not None,
        neighbours=block.average_neighbours,
    )


def _basis(basis: BesselBasis | GaussianBasis | ChebyshevBasis, arrays: Arrays) -> str:
    if isinstance(basis, BesselBasis):
        arrays["basis.weights"] = np.asarray(basis.frequencies)
        arrays["basis.prefactor"] = np.array(math.sqrt(2 / basis.cutoff))
        return "bessel"
    if isinstance(basis, GaussianBasis):
        arrays["basis.weights"] = np.linspace(0.0, basis.cutoff, basis.count)
        arrays["basis.coefficient"] = np.array(-0.5 / (basis.cutoff / (basis.count - 1)) ** 2)
        return "gaussian"
    return "chebyshev"


def _transform(transform: AgnesiTransform | SoftTransform | None, arrays: Arrays) -> str:
    if transform is None:
        return "none"
    arrays["transform.radii"] = np.asarray(transform.radii)
    if isinstance(transform, SoftTransform):
        arrays["transform.alpha"] = np.array(transform.steepness)
        return "soft"
    arrays |= {f"transform.{name}": np.array(getattr(transform, name)) for name in ("q", "p", "a")}
    return "agnesi"


def _repulsion(potential: MacePotential, arrays: Arrays) -> int | None:
    repulsion = potential.repulsion
    if repulsion is None:
        return None
    arrays["repulsion.c"] = np.array(repulsion.weights)
    arrays["repulsion.exponent"] = np.array(repulsion.exponent)
    arrays["repulsion.prefactor"] = np.array(repulsion.prefactor)
    arrays["repulsion.radii"] = np.asarray(repulsion.radii)
    return repulsion.power


def _readouts(heads: list[Readouts], arrays: Arrays) -> tuple[tuple[int, int], ...]:
    """Layer and hidden features of each readout; the second matrices of the heads stand on the diagonal."""
    found: list[tuple[int, int]] = []
    for layer, columns in enumerate(zip(*heads, strict=True)):
        if all(readout is None for readout in columns):
            continue
        stem = f"readouts.{len(found)}"
        if all(isinstance(readout, NonlinearReadout) for readout in columns):
            hidden, count = columns[0].first.shape[1], len(columns)
            if any(readout.first.shape[1] != hidden for readout in columns):
                raise InputError("the potential", stem, "its heads differ in size", "Save one head alone")
            arrays[f"{stem}.0"] = np.concatenate([np.asarray(readout.first) for readout in columns], axis=1)
            second = [np.asarray(readout.second)[:, 0] * math.sqrt(count) for readout in columns]
            arrays[f"{stem}.1"] = np.stack(
                [np.pad(column, (k * hidden, (count - 1 - k) * hidden)) for k, column in enumerate(second)],
                axis=1,
            )
            found.append((layer, hidden))
        elif any(readout is None or isinstance(readout, NonlinearReadout) for readout in columns):
            raise InputError("the potential", stem, "its heads differ in kind", "Save one head alone")
        else:
            arrays[f"{stem}.0"] = np.concatenate([np.asarray(readout.weight) for readout in columns], axis=1)
            found.append((layer, 0))
    return tuple(found)


def _activation(potential: MacePotential) -> float:
    gains = {block.gain for block in potential.encoder.interactions if len(block.radial) > 1}
    gains |= {readout.gain for readout in potential.readouts if isinstance(readout, NonlinearReadout)}
    if len(gains) > 1:
        raise InputError("the potential", "gain", "its activations differ in size", "Give all the same gain")
    return gains.pop() if gains else 1.0
