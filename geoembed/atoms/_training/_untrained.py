"""A new potential whose numbers fit a data set."""

from collections.abc import Callable
from typing import Any, Literal

import equinox as eqx
import jax
import jax.numpy as jnp
from jaxtyping import PRNGKeyArray

from .._cast import cast
from .._element_embedding import ElementEmbedding
from .._mace import Encoder, Mace, MacePotential
from .._nequip import Nequip
from .._readout import LinearReadout, NonlinearReadout
from .._statistics import Statistics

Vectors = Literal["one_hot", "random", "physical"]
ELEMENT_SIZE = 16
# The random numbers of all shapes in one program, which runs once: compiling takes longer than running.
_ONCE = {"xla_backend_optimization_level": 0, "xla_llvm_disable_expensive_passes": True}


def untrained_mace(
    found: Statistics,
    *,
    key: PRNGKeyArray,
    cutoff: float = 5.0,
    channels: int = 32,
    hidden_ell: int = 1,
    max_ell: int = 3,
    correlation: int = 3,
    layers: int = 2,
    pair_weights: bool = False,
    elements: Vectors = "one_hot",
    element_size: int | None = None,
    free_elements: int = 0,
    dtype: str = "float32",
) -> MacePotential:
    """A MACE potential with random weights for the elements of a data set, and with its E0, shift and scale.

    Its readouts start at zero: every structure has the energy that E0 and shift say, and no forces, while one of random
    readouts is off by about `scale` for every atom. The first step moves the readouts, and then all else.

    Args:
        found: What `statistics` found for the structures from which it will learn, and the same cutoff.
        key: Random key of the weights.
        cutoff: Up to which distance atoms are neighbours, Å.
        channels: Channels of features and messages.
        hidden_ell: Largest degree of the features between layers.
        max_ell: Largest degree of the spherical harmonics.
        correlation: How many messages are multiplied at most.
        layers: How many layers.
        pair_weights: Whether radial functions depend on the elements of both atoms, see `Mace`.
        elements: The element vectors: "one_hot", where elements share nothing, as in MACE; "random"; or "physical",
            where elements that are alike start alike, see `ElementEmbedding`.
        element_size: How many numbers a random or physical vector has; None for 16.
        free_elements: How many rows of the element table stay free for elements to be added.
        dtype: float32, or float64, which needs jax's x64 mode.

    Returns:
        The potential.

    Raises:
        ValueError: A size is given for one-hot vectors, or is too small for physical ones.
    """

    def encoder(table: ElementEmbedding, key: PRNGKeyArray) -> Mace:
        return Mace(
            table,
            cutoff=cutoff,
            channels=channels,
            hidden_ell=hidden_ell,
            max_ell=max_ell,
            correlation=correlation,
            num_interactions=layers,
            pair_weights=pair_weights,
            average_neighbours=found.neighbours,
            key=key,
        )

    return _potential(found, encoder, elements, element_size, free_elements, dtype, key)


def untrained_nequip(
    found: Statistics,
    *,
    key: PRNGKeyArray,
    cutoff: float = 5.0,
    channels: int = 32,
    hidden_ell: int = 1,
    max_ell: int = 3,
    layers: int = 4,
    odd: bool = False,
    elements: Vectors = "one_hot",
    element_size: int | None = None,
    free_elements: int = 0,
    dtype: str = "float32",
) -> MacePotential:
    """The same as `untrained_mace` with the encoder `Nequip`, which has gates in the place of products.

    Args:
        found: What `statistics` found for the structures from which it will learn, and the same cutoff.
        key: Random key of the weights.
        cutoff: Up to which distance atoms are neighbours, Å.
        channels: Channels of every irrep.
        hidden_ell: Largest degree of the features between layers.
        max_ell: Largest degree of the spherical harmonics.
        layers: How many layers.
        odd: Whether features of both parities are kept for every degree.
        elements: The element vectors, see `untrained_mace`; so for the following.
        element_size: How many numbers a random or physical vector has; None for 16.
        free_elements: How many rows of the element table stay free for elements to be added.
        dtype: float32, or float64, which needs jax's x64 mode.

    Returns:
        The potential.

    Raises:
        ValueError: A size is given for one-hot vectors, or is too small for physical ones.
    """

    def encoder(table: ElementEmbedding, key: PRNGKeyArray) -> Nequip:
        return Nequip(
            table,
            cutoff=cutoff,
            channels=channels,
            hidden_ell=hidden_ell,
            max_ell=max_ell,
            num_interactions=layers,
            odd=odd,
            average_neighbours=found.neighbours,
            key=key,
        )

    return _potential(found, encoder, elements, element_size, free_elements, dtype, key)


def _potential(
    found: Statistics,
    encoder: Callable[[ElementEmbedding, PRNGKeyArray], Encoder],
    elements: Vectors,
    element_size: int | None,
    free_elements: int,
    dtype: str,
    key: PRNGKeyArray,
) -> MacePotential:
    """Random weights; E0, shift and scale of a data set; readouts of zero."""
    weights, readouts, vectors = jax.random.split(key, 3)
    table = _table(found.numbers.tolist(), elements, element_size, free_elements, vectors)

    def made(weights: PRNGKeyArray, readouts: PRNGKeyArray) -> MacePotential:
        potential = MacePotential(
            encoder(table, weights),
            energies=jnp.asarray([*found.e0.tolist(), *[0.0] * free_elements]),
            scale=found.force_scale,
            shift=found.shift,
            key=readouts,
        )
        return cast(_silent(potential), jnp.dtype(dtype))

    return jax.jit(made, compiler_options=_ONCE)(weights, readouts)


def _table(
    numbers: list[int], kind: Vectors, size: int | None, free: int, key: PRNGKeyArray
) -> ElementEmbedding:
    capacity = len(numbers) + free
    if kind == "one_hot":
        if size is not None:
            raise ValueError(f"one-hot vectors have the size of the table, received element_size={size}")
        return ElementEmbedding.one_hot(numbers, capacity=capacity)
    size = ELEMENT_SIZE if size is None else size
    if kind == "physical":
        return ElementEmbedding.physical(numbers, size, capacity=capacity)
    return ElementEmbedding.random(numbers, size, capacity=capacity, key=key)


def _silent(potential: MacePotential) -> MacePotential:
    """The potential with zeros in the last layer of every readout."""

    def last(potential: Any) -> list[Any]:
        found = []
        for readout in potential.readouts:
            if isinstance(readout, LinearReadout):
                found.append(readout.weight)
            elif isinstance(readout, NonlinearReadout):
                found.append(readout.second)
        return found

    return eqx.tree_at(last, potential, [jnp.zeros_like(weight) for weight in last(potential)])
