"""A network of dense layers."""

import math
from typing import Literal, get_args

import equinox as eqx
import jax
import jax.numpy as jnp
from jaxtyping import Array, Float, PRNGKeyArray

from .._properties import Property
from .._registry import register
from ._dense import Biases, Weights, affine, draw, layer_sizes, require_counts, vector

Activation = Literal["swish", "tanh", "softplus"]
_SHARPNESS = 100.0  # of the softplus, as in IGR


@register
class MLP(eqx.Module):
    """Dense layers h ← φ(h W + b) and a linear one behind them.

    φ is "swish", x/(1 + e⁻ˣ); "tanh"; or "softplus", log(1 + e^βx)/β with β = 100, a ReLU with rounded corner. All are
    smooth, so the network has derivatives of every order. Weights start as normal numbers with variance
    2/inputs (1/inputs for tanh and for the last layer), biases at 0.

    Args:
        inputs: Numbers in.
        outputs: Numbers out.
        width: Units of a hidden layer.
        depth: Hidden layers.
        activation: φ.
        key: Random key of the weights.

    Raises:
        ValueError: A size is below 1, or there is no such activation.

    References:
        K. He et al., ICCV 2015, eq. 10: the variance. A. Gropp et al., ICML 2020 (IGR): the softplus.

    Example:
        >>> import jax, jax.numpy as jnp
        >>> network = MLP(3, 1, 16, 2, key=jax.random.key(0))
        >>> network(jnp.zeros(3)).shape
        (1,)
    """

    weights: Weights
    biases: Biases
    activation: Activation = eqx.field(static=True)

    def __init__(
        self,
        inputs: int,
        outputs: int,
        width: int,
        depth: int,
        *,
        activation: Activation = "swish",
        key: PRNGKeyArray,
    ):
        require_counts("an MLP", inputs=inputs, outputs=outputs, width=width, depth=depth)
        if activation not in get_args(Activation):
            raise ValueError(
                f"unknown activation {activation!r}: use one of {', '.join(get_args(Activation))}"
            )
        sizes = layer_sizes(inputs, outputs, width, depth)
        keys = jax.random.split(key, len(sizes))
        gains = [1.0 if activation == "tanh" else 2.0] * depth + [1.0]
        self.weights = tuple(
            jax.random.normal(k, size) * math.sqrt(gain / size[0])
            for k, size, gain in zip(keys, sizes, gains, strict=True)
        )
        self.biases = tuple(jnp.zeros(size[1]) for size in sizes)
        self.activation = activation

    def __call__(
        self, x: Float[Array, " inputs"], shifts: Float[Array, "depth width"] | None = None
    ) -> Float[Array, " outputs"]:
        """Returns the outputs for one input vector, in its dtype.

        Args:
            x: The inputs.
            shifts: Added to the arguments of φ: a linear function of a code here is the code joined to the
                input of every hidden layer.

        Raises:
            ValueError: It is not one vector of as many floating-point numbers as there are inputs.
        """
        x = vector(x, self.weights[0].shape[0], "MLP")
        for i, (weight, bias) in enumerate(zip(self.weights[:-1], self.biases[:-1], strict=True)):
            z = affine(weight, bias, x)
            x = _activate(self.activation, z if shifts is None else z + shifts[i])
        return affine(self.weights[-1], self.biases[-1], x)

    def examples(self, count: int, *, key: PRNGKeyArray) -> list[Float[Array, " inputs"]]:
        """Vectors from the cube from −1 to 1."""
        return draw(self.weights[0].shape[0], count, key)

    def __hash__(self) -> int:
        return hash((self.activation, tuple(w.shape for w in self.weights)))  # lets `jax.jit(network)` work

    @property
    def properties(self) -> tuple[Property, ...]:
        """What it promises whatever it has learned; see `geoembed.check`."""
        return (Property("smooth", constant=2, domain="for weights of order 1"),)


def _activate(name: Activation, z: Float[Array, " width"]) -> Float[Array, " width"]:
    if name == "swish":
        return jax.nn.swish(z)
    if name == "tanh":
        return jnp.tanh(z)
    return jax.nn.softplus(_SHARPNESS * z) / _SHARPNESS
