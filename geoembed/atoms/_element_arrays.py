"""The arrays of an encoder that are multiplied with element vectors."""

from typing import Any, NamedTuple

import equinox as eqx
import numpy as np
from jaxtyping import Array, Float64


class ElementArray(NamedTuple):
    """One of them.

    Args:
        name: The way to it from the encoder, such as "interactions.0.skip.1".
        values: The array.
        axis: The axis that a vector is multiplied with.
    """

    name: str
    values: Array
    axis: int


def element_arrays(encoder: Any) -> list[ElementArray]:
    """All of them: first features, skip connections, factors of messages, weights of products."""
    found = [ElementArray("embed", encoder.embed, 0)]
    for k, layer in enumerate(encoder.interactions):
        own = [(f"skip.{ell}", w, 1) for ell, w in enumerate(layer.skip)]
        own += [(name, getattr(layer, name, None), 0) for name in ("sender", "receiver")]
        found += [ElementArray(f"interactions.{k}.{name}", w, axis) for name, w, axis in own if w is not None]
    for k, product in enumerate(getattr(encoder, "products", ())):
        for ell, orders in enumerate(product.weights):
            for order, w in enumerate(orders):
                found.append(ElementArray(f"products.{k}.weights.{ell}.{order}", w, 0))
    return found


def with_element_arrays(encoder: Any, arrays: list[Array]) -> Any:
    """The encoder with other arrays in their places."""
    return eqx.tree_at(lambda e: [one.values for one in element_arrays(e)], encoder, arrays)


def made_of(
    vectors: Float64[np.ndarray, "elements size"], array: ElementArray
) -> Float64[np.ndarray, "elements *shape"]:
    """What vectors become: the weights of each element."""
    return np.tensordot(vectors, np.asarray(array.values, np.float64), axes=(1, array.axis))
