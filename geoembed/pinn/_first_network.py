"""The network that a problem gets when the user brings none."""

import math
from typing import Any

import equinox as eqx
import jax
import jax.numpy as jnp
from jaxtyping import Array, Float, PRNGKeyArray

from ..core import MLP, is_parameter
from ._field_problem import FieldProblem

_WIDTH, _DEPTH = 16, 4
_STEEPEST = 3.0  # slope of a first layer's unit, in parts of the gentlest


def first_network(
    problem: FieldProblem, *, key: PRNGKeyArray, width: int = _WIDTH, depth: int = _DEPTH
) -> MLP:
    """Layers of tanh whose first units are bends spread over the domain.

    Unit i of the first layer is tanh(wᵢ·(f − fᵢ)), with fᵢ the features of a random point of the box, wᵢ of random
    direction and a length between 1 and 3, even in its logarithm. Small random biases and slopes of one size would
    leave all bends near the middle: a shock then takes six times the error for the same steps.

    Args:
        problem: The problem.
        key: Random key.
        width: Units of a hidden layer.
        depth: Hidden layers.
    """
    layers, places, ways, lengths = jax.random.split(key, 4)
    size = problem.coordinates.size
    network = MLP(size, len(problem.shapings), width, depth, activation="tanh", key=layers)
    return bent(network, _features(problem, width, places), 1.0, ways=ways, lengths=lengths)


def bent(
    network: MLP,
    centres: Float[Array, "width f"],
    gentlest: float,
    *,
    ways: PRNGKeyArray,
    lengths: PRNGKeyArray,
) -> MLP:
    """A network whose first units bend at given features, in random directions, with slopes up to 3 times the gentlest.

    Args:
        network: The network.
        centres: Where each unit is 0.
        gentlest: The smallest slope.
        ways: Random key of the directions.
        lengths: Random key of the slopes, even in their logarithm.
    """
    width, size = centres.shape
    way = jax.random.normal(ways, (size, width))
    length = gentlest * jnp.exp(math.log(_STEEPEST) * jax.random.uniform(lengths, (width,)))
    slopes = way * (length / jnp.linalg.norm(way, axis=0))[None]
    weights = (slopes, *network.weights[1:])
    biases = (-jnp.sum(slopes * centres.T, axis=0), *network.biases[1:])
    return eqx.tree_at(lambda net: (net.weights, net.biases), network, (weights, biases))


def in_double(network: Any) -> Any:
    """A network with its trained numbers in float64."""
    return jax.tree.map(lambda leaf: leaf.astype(jnp.float64) if is_parameter(leaf) else leaf, network)


def _features(problem: FieldProblem, count: int, key: PRNGKeyArray) -> Array:
    """The features of random points of the box around the domain."""
    lower, upper = (jnp.asarray(corner) for corner in (problem.coordinates.lower, problem.coordinates.upper))
    share = jax.random.uniform(key, (count, lower.shape[0]), lower.dtype)
    return jax.vmap(problem.coordinates)(lower[None] + share * (upper - lower)[None])
