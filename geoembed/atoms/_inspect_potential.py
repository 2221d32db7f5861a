"""A report about a potential."""

from typing import Any

import jax
import numpy as np

from ..core import is_parameter
from ._element_map import element_weights, nearest_elements
from ._elements import SYMBOLS
from ._heads import HeadsPotential
from ._mace import Encoder, Mace, MacePotential
from ._nequip import Nequip
from ._predict import Potential

_NEAREST = 3


def inspect_potential(potential: Potential) -> dict[str, Any]:
    """Say what a potential is, what it knows and how large it is.

    Args:
        potential: Any `Potential`; more is said about one with an encoder of this library.

    Returns:
        JSON values: kind, class, cutoff (Å), the number of parameters, their dtypes, and flags in words. Of a
        `MacePotential` or `HeadsPotential` also the elements, free rows for others, how many numbers describe an
        element, E0 of each element (eV), scale and shift (eV), the sizes of the network, how the parameters are shared
        out, heads, and for each element the nearest by `element_weights` with their distances.
    """
    leaves = _parameters(potential)
    report: dict[str, Any] = {
        "kind": "potential",
        "class": type(potential).__name__,
        "cutoff": float(potential.cutoff),
        "parameters": _count(potential),
        "dtypes": sorted({str(leaf.dtype) for leaf in leaves}),
    }
    heads = potential.names if isinstance(potential, HeadsPotential) else ()
    first = potential.potential if isinstance(potential, HeadsPotential) else potential
    if isinstance(first, MacePotential):
        report |= _mace(first) | {"heads": list(heads)}
    wrong = sum(not np.all(np.isfinite(leaf)) for leaf in leaves)
    return report | {"flags": [f"{wrong} arrays hold numbers that are not finite"] if wrong else []}


def _mace(potential: MacePotential) -> dict[str, Any]:
    encoder = potential.encoder
    numbers = potential.numbers
    taken = numbers > 0
    symbols = [SYMBOLS[number - 1] for number in numbers[taken]]
    return {
        "elements": symbols,
        "free_rows": int(np.sum(~taken)),
        "element_size": encoder.elements.vectors.shape[1],
        "e0": dict(zip(symbols, np.asarray(potential.energies, np.float64)[taken].tolist(), strict=True)),
        "scale": float(potential.scale),
        "shift": float(potential.shift),
        "repulsion": potential.repulsion is not None,
        "network": _network(encoder),
        "parameters_by_part": {
            "element_vectors": _count(encoder.elements),
            "times_element_vectors": _count(encoder.by_element),
            "encoder": _count(encoder),
            "readouts": _count(potential.readouts),
            "e0": _count(potential.energies),
        },
        "nearest_elements": {
            symbol: ", ".join(f"{other} {distance:.3g}" for other, distance in near)
            for symbol, near in nearest_elements(element_weights(potential), count=_NEAREST).items()
        },
    }


def _network(encoder: Encoder) -> dict[str, Any]:
    return {
        "encoder": type(encoder).__name__,
        "channels": encoder.channels,
        "layers": encoder.num_interactions,
        "max_ell": encoder.max_ell,
        **(_mace_degrees(encoder) if isinstance(encoder, Mace) else _nequip_degrees(encoder)),
        "radial": type(encoder.radial).__name__,
        "transform": None if encoder.transform is None else type(encoder.transform).__name__,
        "average_neighbours": float(encoder.interactions[0].average_neighbours),
    }


def _mace_degrees(encoder: Mace) -> dict[str, Any]:
    products = encoder.products
    return {
        "hidden_ell": max(len(product.weights) for product in products) - 1,
        "correlation": max(len(orders) for product in products for orders in product.weights),
    }


def _nequip_degrees(encoder: Nequip) -> dict[str, Any]:
    names = ["+".join(f"{ell}{'e' if p > 0 else 'o'}" for ell, p in irreps) for irreps in encoder.irreps]
    return {
        "hidden_ell": max(ell for irreps in encoder.irreps for ell, _ in irreps),
        "irreps": ", ".join(names),
    }


def _parameters(tree: Any) -> list[Any]:
    return [leaf for leaf in jax.tree.leaves(tree) if is_parameter(leaf)]


def _count(tree: Any) -> int:
    return sum(leaf.size for leaf in _parameters(tree))
