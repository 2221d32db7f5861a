"""A new potential whose numbers fit a data set."""

import jax
import jax.numpy as jnp
from jaxtyping import PRNGKeyArray

from .._element_embedding import ElementEmbedding
from .._mace import Mace, MacePotential, cast
from .._statistics import Statistics

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
    element_size: int | None = None,
    dtype: str = "float32",
) -> MacePotential:
    """A MACE potential with random weights for the elements of a data set, and with its E0, shift and scale.

    Args:
        found: What `statistics` found for the structures from which it will learn, and the same cutoff.
        key: Random key of the weights.
        cutoff: Up to which distance atoms are neighbours, Å.
        channels: Channels of features and messages.
        hidden_ell: Largest degree of the features between layers.
        max_ell: Largest degree of the spherical harmonics.
        correlation: How many messages are multiplied at most.
        layers: How many layers.
        element_size: How many numbers describe an element; None: each has one of its own, as in MACE.
        dtype: float32, or float64, which needs jax's x64 mode.

    Returns:
        The potential.
    """
    numbers = found.numbers.tolist()

    def made(key: PRNGKeyArray) -> MacePotential:
        weights, readouts, vectors = jax.random.split(key, 3)
        if element_size is None:
            elements = ElementEmbedding.one_hot(numbers)
        else:
            elements = ElementEmbedding.random(numbers, element_size, key=vectors)
        encoder = Mace(
            elements,
            cutoff=cutoff,
            channels=channels,
            hidden_ell=hidden_ell,
            max_ell=max_ell,
            correlation=correlation,
            num_interactions=layers,
            average_neighbours=found.neighbours,
            key=weights,
        )
        potential = MacePotential(
            encoder,
            energies=jnp.asarray(found.e0.tolist()),
            scale=found.force_scale,
            shift=found.shift,
            key=readouts,
        )
        return cast(potential, jnp.dtype(dtype))

    return jax.jit(made, compiler_options=_ONCE)(key)
