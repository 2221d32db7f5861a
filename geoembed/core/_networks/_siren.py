"""A network of sines."""

import math

import equinox as eqx
import jax
import jax.numpy as jnp
from jaxtyping import Array, Float, PRNGKeyArray

from .._properties import Property
from .._registry import register
from ._dense import (
    Biases,
    Weights,
    affine,
    draw,
    layer_sizes,
    require_counts,
    require_positive,
    uniform,
    vector,
)


@register
class Siren(eqx.Module):
    """Layers h ← sin(ω (h W + b)) and a linear one behind them: as smooth as a sine, with sharp detail.

    Inputs are meant for [−1, 1]. The first layer has a frequency ω of its own, which sets the finest detail at the
    start. Its weights start uniform in ±1/inputs, all others in ±√(6/inputs)/ω; then the arguments of the hidden
    sines have about the standard deviation 1 in every layer, however many there are. Biases start uniform in
    ±1/√inputs.

    Args:
        inputs: Numbers in.
        outputs: Numbers out.
        width: Units of a hidden layer.
        depth: Hidden layers, at least one.
        first: ω of the first layer, in radians per unit of its argument.
        frequency: ω of the other layers.
        key: Random key of the weights.

    Raises:
        ValueError: A size is below 1 or a frequency not above 0.

    References:
        V. Sitzmann et al., Implicit neural representations with periodic activation functions, NeurIPS 2020,
        section 3.2 and theorem 1.8 of its supplement.

    Example:
        >>> import jax, jax.numpy as jnp
        >>> network = Siren(3, 1, 16, 2, key=jax.random.key(0))
        >>> jax.hessian(lambda x: network(x)[0])(jnp.zeros(3)).shape
        (3, 3)
    """

    weights: Weights
    biases: Biases
    first: float = eqx.field(static=True)
    frequency: float = eqx.field(static=True)

    def __init__(
        self,
        inputs: int,
        outputs: int,
        width: int,
        depth: int,
        *,
        first: float = 30.0,
        frequency: float = 30.0,
        key: PRNGKeyArray,
    ):
        require_counts("a Siren", inputs=inputs, outputs=outputs, width=width, depth=depth)
        require_positive("a Siren", first=first, frequency=frequency)
        sizes = layer_sizes(inputs, outputs, width, depth)
        keys = jax.random.split(key, 2 * len(sizes))
        bounds = [1 / inputs] + [math.sqrt(6 / size[0]) / frequency for size in sizes[1:]]
        self.weights = tuple(uniform(k, size, b) for k, size, b in zip(keys, sizes, bounds, strict=False))
        self.biases = tuple(
            uniform(k, size[1:], size[0] ** -0.5) for k, size in zip(keys[len(sizes) :], sizes, strict=True)
        )
        self.first, self.frequency = float(first), float(frequency)

    def __call__(
        self, x: Float[Array, " inputs"], shifts: Float[Array, "depth width"] | None = None
    ) -> Float[Array, " outputs"]:
        """Returns the outputs for one input vector, in its dtype.

        Args:
            x: The inputs, in [−1, 1].
            shifts: Added to the arguments of the sines, in radians: a linear function of a code here is the code
                joined to the input of every hidden layer.

        Raises:
            ValueError: It is not one vector of as many floating-point numbers as there are inputs.
        """
        x = vector(x, self.weights[0].shape[0], "Siren")
        for i, (weight, bias) in enumerate(zip(self.weights[:-1], self.biases[:-1], strict=True)):
            z = (self.first if i == 0 else self.frequency) * affine(weight, bias, x)
            x = jnp.sin(z if shifts is None else z + shifts[i])
        return affine(self.weights[-1], self.biases[-1], x)

    def examples(self, count: int, *, key: PRNGKeyArray) -> list[Float[Array, " inputs"]]:
        """Vectors from the cube from −1 to 1."""
        return draw(self.weights[0].shape[0], count, key)

    def __hash__(self) -> int:
        sizes = tuple(weight.shape for weight in self.weights)
        return hash((self.first, self.frequency, sizes))  # lets `jax.jit(network)` find its cache

    @property
    def properties(self) -> tuple[Property, ...]:
        """What it promises whatever it has learned; see `geoembed.check`."""
        return (Property("smooth", constant=2, domain="for frequencies up to about 30"),)
