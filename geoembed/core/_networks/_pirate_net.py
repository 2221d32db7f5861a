"""A deep network that starts as a linear function of features and becomes deeper as it learns."""

import equinox as eqx
import jax
import jax.numpy as jnp
from jax.core import Tracer
from jaxtyping import Array, Float, PRNGKeyArray

from .._errors import InputError
from .._properties import Property
from .._registry import register
from ._dense import Biases, Weights, draw, require_counts, vector
from ._fourier import FourierFeatures
from ._gates import dense, gain_of, gated, require_activation, start, zeros
from ._mlp import Activation


@register
class PirateNet(eqx.Module):
    """Gated blocks x ← α h(x) + (1 − α) x behind features Φ; every α starts at 0, the network as Φ(x) W.

    The features are random Fourier features, Φ = (cos 2πBx, sin 2πBx), or, without a scale, one dense layer
    Φ = φ(x W + b). With the gates U = φ(Φ W_u + b_u) and V = φ(Φ W_v + b_v) a block computes

        f = φ(x W₁ + b₁),    f ← f U + (1 − f) V
        g = φ(f W₂ + b₂),    g ← g U + (1 − g) V
        h = φ(g W₃ + b₃),    x ← α h + (1 − α) x,

    and the last layer, x W, is linear and has no bias. φ is one of `MLP`'s activations; all are smooth, so the network
    has derivatives of every order. B is data, which no optimiser moves. Weights start as in `MLP`, biases at 0;
    `fitted` puts the exact least-squares solution into the last layer.

    While every α is 0 the derivative by any weight of a block or gate is 0: the first step moves the α, the last
    layer and the dense layer of features only.

    Parameters, with m outputs, width w and L blocks: (3 L + 2)(w + 1) w + L + w m; without a scale (n + 1) w more.

    Args:
        inputs: Numbers in.
        outputs: Numbers out.
        width: Features, and units of each layer; even where there is a scale.
        blocks: Blocks, of three layers each.
        scale: Standard deviation of the frequencies, in cycles per unit of the input: 1/(2π) of the one in the paper.
            None: the dense layer, for inputs that are features already.
        activation: φ.
        key: Random key of the frequencies and weights.

    Raises:
        ValueError: A size is below 1, the width odd or the scale not above 0, or there is no such activation.

    References:
        S. Wang, B. Li, Y. Chen, P. Perdikaris, PirateNets: physics-informed deep learning with residual adaptive
        networks, Journal of Machine Learning Research 25 (2024).

    Example:
        >>> import jax, jax.numpy as jnp
        >>> network = PirateNet(1, 1, 16, 2, scale=0.5, key=jax.random.key(0))
        >>> points = jnp.linspace(-1.0, 1.0, 50)[:, None]
        >>> network = network.fitted(jax.vmap(network.basis)(points), points**2)
        >>> bool(jnp.abs(network(jnp.array([0.3]))[0] - 0.09) < 1e-3)
        True
    """

    features: FourierFeatures | None
    weights: Weights
    biases: Biases
    alpha: Float[Array, " blocks"]
    activation: Activation = eqx.field(static=True)

    def __init__(
        self,
        inputs: int,
        outputs: int,
        width: int,
        blocks: int,
        *,
        scale: float | None = 0.3,
        activation: Activation = "tanh",
        key: PRNGKeyArray,
    ):
        require_counts("a PirateNet", inputs=inputs, outputs=outputs, width=width, blocks=blocks)
        require_activation(activation)
        if scale is not None and width % 2:
            raise ValueError(
                f"a PirateNet with a scale needs an even width, cosines and sines, received {width}"
            )
        first, hidden, last = jax.random.split(key, 3)
        front = [] if scale is not None else [(inputs, width)]
        sizes = front + [(width, width)] * (2 + 3 * blocks)
        self.features = None if scale is None else FourierFeatures(inputs, width // 2, scale=scale, key=first)
        self.weights = start(sizes, gain_of(activation), hidden) + start([(width, outputs)], 1.0, last)
        self.biases = zeros(sizes)
        self.alpha = jnp.zeros(blocks)
        self.activation = activation

    def __call__(self, x: Float[Array, " inputs"]) -> Float[Array, " outputs"]:
        """Returns the outputs for one input vector, in its dtype.

        Args:
            x: The inputs.

        Raises:
            ValueError: It is not one vector of as many floating-point numbers as there are inputs.
        """
        basis = self.basis(x)
        return basis @ self.weights[-1].astype(basis.dtype)

    def basis(self, x: Float[Array, " inputs"]) -> Float[Array, " width"]:
        """Returns what the last layer multiplies, for one input vector and in its dtype: Φ(x) while every α is 0.

        Args:
            x: The inputs.

        Raises:
            ValueError: It is not one vector of as many floating-point numbers as there are inputs.
        """
        x = vector(x, self._inputs, "PirateNet")
        used = 0 if self.features is not None else 1
        x = self.features(x) if self.features is not None else self._layer(0, x)
        u, v = self._layer(used, x), self._layer(used + 1, x)
        for block in range(self.alpha.shape[0]):
            one, two, three = range(used + 2 + 3 * block, used + 5 + 3 * block)
            h = gated(self._layer(one, x), u, v)
            h = gated(self._layer(two, h), u, v)
            alpha = self.alpha[block].astype(x.dtype)
            x = alpha * self._layer(three, h) + (1.0 - alpha) * x
        return x

    def fitted(
        self,
        rows: Float[Array, "count width"],
        targets: Float[Array, "count outputs"],
        *,
        cutoff: float | None = None,
    ) -> "PirateNet":
        """Returns the network with the last layer W that makes |rows W − targets|² least.

        Rows `jax.vmap(network.basis)(points)` fit values at points, for instance those of an initial condition. A
        linear operator on each entry of `basis`, like a Laplacian, gives the rows that fit a linear equation; rows
        of both kinds may stand above each other. Where many W are as good (to rounding), the smallest is taken. It
        is computed in the dtype of the rows, in O(count width²), and kept in the dtype of the network: use float64
        for both where the fit must be close.

        Args:
            rows: What is multiplied with the last layer.
            targets: What should come out, of the dtype of the rows.
            cutoff: Singular values of the rows below so many times the largest count as 0. None: the rounding.

        Raises:
            ValueError: The shapes or dtypes do not belong together.
            InputError: A number is not finite.

        References:
            The paper of the class, "physics-informed initialization".
        """
        rows, targets, last = jnp.asarray(rows), jnp.asarray(targets), self.weights[-1]
        if rows.ndim != 2 or (rows.shape[1:], targets.shape) != (last.shape[:1], (len(rows), last.shape[1])):
            raise ValueError(
                f"this PirateNet takes rows of shape (count, {last.shape[0]}) and targets of shape "
                f"(count, {last.shape[1]}), received {rows.shape} and {targets.shape}"
            )
        if rows.dtype != targets.dtype:
            raise ValueError(f"rows and targets need one dtype, received {rows.dtype} and {targets.dtype}")
        _require_finite(rows, "rows")
        _require_finite(targets, "targets")
        best = jnp.linalg.lstsq(rows, targets, rcond=cutoff)[0].astype(last.dtype)
        return eqx.tree_at(lambda network: network.weights[-1], self, best)

    def _layer(self, index: int, x: Float[Array, " size"]) -> Float[Array, " width"]:
        return dense(self.activation, self.weights[index], self.biases[index], x)

    @property
    def _inputs(self) -> int:
        return self.weights[0].shape[0] if self.features is None else self.features.matrix.shape[1]

    def examples(self, count: int, *, key: PRNGKeyArray) -> list[Float[Array, " inputs"]]:
        """Vectors from the cube from −1 to 1."""
        return draw(self._inputs, count, key)

    def __hash__(self) -> int:
        sizes = tuple(weight.shape for weight in self.weights)
        return hash((self.activation, self.features, sizes))  # lets `jax.jit(network)` find its cache

    @property
    def properties(self) -> tuple[Property, ...]:
        """What it promises whatever it has learned; see `geoembed.check`."""
        return (
            Property("smooth", constant=2, domain="for weights of order 1 and frequencies up to about 10"),
        )


def _require_finite(values: Float[Array, "..."], name: str) -> None:
    if not isinstance(values, Tracer) and not bool(jnp.all(jnp.isfinite(values))):
        raise InputError(
            "PirateNet.fitted", name, "a number is not finite", "remove the points where it arises"
        )
