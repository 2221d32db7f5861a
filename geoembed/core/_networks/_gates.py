"""What gated networks share: the start of their layers, a layer, the gate."""

import math
from typing import get_args

import jax
import jax.numpy as jnp
from jaxtyping import Array, Float, PRNGKeyArray

from ._dense import Biases, Weights, affine
from ._mlp import Activation, _activate


def require_activation(activation: str) -> None:
    """Raises ValueError unless there is such an activation."""
    if activation not in get_args(Activation):
        raise ValueError(f"unknown activation {activation!r}: use one of {', '.join(get_args(Activation))}")


def gain_of(activation: Activation) -> float:
    """Variance of a starting weight times the number of inputs, as in `MLP`."""
    return 1.0 if activation == "tanh" else 2.0


def start(sizes: list[tuple[int, int]], gain: float, key: PRNGKeyArray) -> Weights:
    """Normal numbers with variance gain/inputs, for layers of these sizes."""
    keys = jax.random.split(key, len(sizes))
    return tuple(
        jax.random.normal(k, size) * math.sqrt(gain / size[0]) for k, size in zip(keys, sizes, strict=True)
    )


def zeros(sizes: list[tuple[int, int]]) -> Biases:
    """Biases for layers of these sizes."""
    return tuple(jnp.zeros(size[1]) for size in sizes)


def dense(
    activation: Activation,
    weight: Float[Array, "inputs outputs"],
    bias: Float[Array, " outputs"],
    x: Float[Array, " inputs"],
) -> Float[Array, " outputs"]:
    """φ(x W + b) in the dtype of x."""
    return _activate(activation, affine(weight, bias, x))


def gated(
    h: Float[Array, " width"], u: Float[Array, " width"], v: Float[Array, " width"]
) -> Float[Array, " width"]:
    """h U + (1 − h) V, unit by unit: U where U = V, whatever h is."""
    return h * u + (1.0 - h) * v
