"""A network of dense layers between two gates."""

import equinox as eqx
import jax
from jaxtyping import Array, Float, PRNGKeyArray

from .._properties import Property
from .._registry import register
from ._dense import Biases, Weights, affine, draw, layer_sizes, require_counts, vector
from ._gates import dense, gain_of, gated, require_activation, start, zeros
from ._mlp import Activation


@register
class ModifiedMLP(eqx.Module):
    """Dense layers, each of which chooses between two gates of the input, and a linear one behind them.

    With the gates U = φ(x W_u + b_u) and V = φ(x W_v + b_v), each hidden layer is

        h ← φ(h W + b),    h ← h U + (1 − h) V    unit by unit,

    so that products of functions of the input appear in every layer. φ is one of `MLP`'s activations; all are smooth,
    so the network has derivatives of every order. Weights start as normal numbers with variance 2/inputs (1/inputs
    for tanh and for the last layer), biases at 0.

    Parameters, with n inputs, m outputs, width w and depth D: 3 (n + 1) w + (D − 1)(w + 1) w + (w + 1) m, that is
    2 (n + 1) w more than an `MLP`.

    Args:
        inputs: Numbers in.
        outputs: Numbers out.
        width: Units of a hidden layer and of a gate.
        depth: Hidden layers.
        activation: φ.
        key: Random key of the weights.

    Raises:
        ValueError: A size is below 1, or there is no such activation.

    References:
        S. Wang, Y. Teng, P. Perdikaris, Understanding and mitigating gradient flow pathologies in physics-informed
        neural networks, SIAM J. Sci. Comput. 43 (2021), A3055, "an improved fully-connected architecture". There U
        and V have changed places, and the first hidden layer has no gate.

    Example:
        >>> import jax, jax.numpy as jnp
        >>> network = ModifiedMLP(3, 1, 16, 2, key=jax.random.key(0))
        >>> network(jnp.zeros(3)).shape
        (1,)
    """

    gate_weights: Weights
    gate_biases: Biases
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
        activation: Activation = "tanh",
        key: PRNGKeyArray,
    ):
        require_counts("a ModifiedMLP", inputs=inputs, outputs=outputs, width=width, depth=depth)
        require_activation(activation)
        gates, hidden, last = jax.random.split(key, 3)
        sizes, gate_sizes = layer_sizes(inputs, outputs, width, depth), [(inputs, width)] * 2
        gain = gain_of(activation)
        self.gate_weights, self.gate_biases = start(gate_sizes, gain, gates), zeros(gate_sizes)
        self.weights = start(sizes[:-1], gain, hidden) + start(sizes[-1:], 1.0, last)
        self.biases = zeros(sizes)
        self.activation = activation

    def __call__(self, x: Float[Array, " inputs"]) -> Float[Array, " outputs"]:
        """Returns the outputs for one input vector, in its dtype.

        Args:
            x: The inputs.

        Raises:
            ValueError: It is not one vector of as many floating-point numbers as there are inputs.
        """
        x = vector(x, self.weights[0].shape[0], "ModifiedMLP")
        u, v = (
            dense(self.activation, weight, bias, x)
            for weight, bias in zip(self.gate_weights, self.gate_biases, strict=True)
        )
        for weight, bias in zip(self.weights[:-1], self.biases[:-1], strict=True):
            x = gated(dense(self.activation, weight, bias, x), u, v)
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
