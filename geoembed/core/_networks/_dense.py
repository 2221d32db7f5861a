"""What dense networks share: checks of their sizes, their examples, an affine map in the dtype of its input."""

import itertools

import jax
import jax.numpy as jnp
from jaxtyping import Array, Float, PRNGKeyArray

from .._random import host_generator, rows_on_device

Weights = tuple[Float[Array, "_ _"], ...]
Biases = tuple[Float[Array, " _"], ...]


def affine(
    weight: Float[Array, "inputs outputs"], bias: Float[Array, " outputs"], x: Float[Array, " inputs"]
) -> Float[Array, " outputs"]:
    """x W + b in the dtype of x."""
    return x @ weight.astype(x.dtype) + bias.astype(x.dtype)


def vector(x: Float[Array, " size"], size: int, taker: str) -> Float[Array, " size"]:
    """Returns the argument of a network as an array.

    Raises:
        ValueError: It is not one vector of `size` floating-point numbers.
    """
    x = jnp.asarray(x)
    if x.shape != (size,):
        raise ValueError(
            f"this {taker} takes one vector of shape ({size},), received {x.shape}: use jax.vmap for many"
        )
    if not jnp.issubdtype(x.dtype, jnp.floating):
        raise ValueError(f"a {taker} takes floating-point numbers, received {x.dtype}: convert them first")
    return x


def require_counts(taker: str, **counts: int) -> None:
    """Raises ValueError unless every count is a whole number of at least 1."""
    for name, value in counts.items():
        if not isinstance(value, int) or value < 1:
            raise ValueError(f"{taker} needs {name} of at least 1, received {value!r}")


def require_positive(taker: str, **numbers: float) -> None:
    """Raises ValueError unless every number is finite and above 0."""
    for name, value in numbers.items():
        if not 0 < value < float("inf"):
            raise ValueError(f"{taker} needs a finite {name} above 0, received {value!r}")


def uniform(key: PRNGKeyArray, shape: tuple[int, ...], bound: float) -> Float[Array, "..."]:
    """Numbers from −bound to bound."""
    return jax.random.uniform(key, shape, minval=-bound, maxval=bound)


def layer_sizes(inputs: int, outputs: int, width: int, depth: int) -> list[tuple[int, int]]:
    """Inputs and outputs of the hidden layers and of the linear layer behind them."""
    sizes = [inputs, *[width] * depth, outputs]
    return list(itertools.pairwise(sizes))


def draw(size: int, count: int, key: PRNGKeyArray, low: float = -1.0) -> list[Float[Array, " {size}"]]:
    """Vectors spread evenly over a cube from `low` to 1."""
    return rows_on_device(host_generator(key).uniform(low, 1.0, (count, size)))
