"""A sum of products of networks of one coordinate each."""

import functools
import math
import operator
from collections.abc import Sequence

import equinox as eqx
import jax
import jax.numpy as jnp
from jaxtyping import Array, Float, PRNGKeyArray

from .._properties import Property
from .._registry import register
from ._dense import draw, require_counts, vector
from ._mlp import MLP, Activation


@register
class Separable(eqx.Module):
    """u(x) = Σᵣ Πᵢ fᵢʳ(xᵢ), with one small `MLP` fᵢ for each coordinate: cheap on a grid, see `grid`.

    On a box it comes as near to any continuous function as one likes if rank and width are high enough; features
    along the axes of the coordinates need the lowest rank. The networks are smooth, so u has derivatives of every
    order. They start as an `MLP`, their last layers smaller by the factor rank^(−1/2n): the sum over the rank starts
    with the size of one product.

    Parameters, with n inputs, m outputs, rank R, width w and depth D: n (2 w + (D − 1)(w + 1) w + (w + 1) R m).

    Args:
        inputs: Numbers in: the networks.
        outputs: Numbers out.
        width: Units of a hidden layer of each network.
        depth: Hidden layers of each network.
        rank: R, the products that are added.
        activation: That of the networks.
        key: Random key of the weights.

    Raises:
        ValueError: A size is below 1, or there is no such activation.

    References:
        J. Cho et al., Separable physics-informed neural networks, NeurIPS 2023 (SPINN).

    Example:
        >>> import jax, jax.numpy as jnp
        >>> network = Separable(3, 1, 16, 2, rank=8, key=jax.random.key(0))
        >>> network(jnp.zeros(3)).shape
        (1,)
        >>> network.grid([jnp.linspace(0, 1, 5), jnp.linspace(0, 1, 6), jnp.linspace(0, 2, 7)]).shape
        (5, 6, 7, 1)
    """

    networks: tuple[MLP, ...]
    rank: int = eqx.field(static=True)

    def __init__(
        self,
        inputs: int,
        outputs: int,
        width: int,
        depth: int,
        rank: int,
        *,
        activation: Activation = "tanh",
        key: PRNGKeyArray,
    ):
        require_counts("a Separable", inputs=inputs, outputs=outputs, width=width, depth=depth, rank=rank)
        factor = math.pow(rank, -0.5 / inputs)
        networks = [
            MLP(1, rank * outputs, width, depth, activation=activation, key=k)
            for k in jax.random.split(key, inputs)
        ]
        self.networks = tuple(
            eqx.tree_at(lambda network: network.weights[-1], network, factor * network.weights[-1])
            for network in networks
        )
        self.rank = rank

    def __call__(self, x: Float[Array, " inputs"]) -> Float[Array, " outputs"]:
        """Returns the outputs for one input vector, in its dtype.

        Args:
            x: The inputs.

        Raises:
            ValueError: It is not one vector of as many floating-point numbers as there are inputs.
        """
        x = vector(x, len(self.networks), "Separable")
        factors = [network(x[i : i + 1]) for i, network in enumerate(self.networks)]
        return jnp.sum(functools.reduce(operator.mul, factors).reshape(self.rank, -1), axis=0)

    def grid(self, axes: Sequence[Float[Array, " _"]]) -> Float[Array, "*grid outputs"]:
        """Returns the outputs at all points of the grid axes[0] × axes[1] × …, the last axis being that of the outputs.

        A network is evaluated once for each number of its axis, Σ nᵢ times in all and not Π nᵢ times; the products
        cost O(rank outputs Π nᵢ). A derivative along axis i on the whole grid is a `jax.jvp` whose tangent is 1
        on that axis and 0 on the others. Equal to the outputs at the single points up to rounding.

        Args:
            axes: The coordinates along each axis, as many vectors as there are inputs, of one dtype.

        Raises:
            ValueError: They are not as many vectors as there are inputs, of floating-point numbers of one dtype.
        """
        axes = [jnp.asarray(axis) for axis in axes]
        if len(axes) != len(self.networks) or any(axis.ndim != 1 for axis in axes):
            shapes = ", ".join(str(axis.shape) for axis in axes)
            raise ValueError(
                f"a grid of this Separable takes {len(self.networks)} vectors, received shapes {shapes}"
            )
        if len({axis.dtype for axis in axes}) > 1 or not jnp.issubdtype(axes[0].dtype, jnp.floating):
            kinds = ", ".join(str(axis.dtype) for axis in axes)
            raise ValueError(f"a grid takes floating-point numbers of one dtype, received {kinds}")
        factors = [self._along(network, axis) for network, axis in zip(self.networks, axes, strict=True)]
        product = factors[0]
        for i, factor in enumerate(factors[1:-1], start=1):
            product = product[..., None, :, :] * factor.reshape((1,) * i + factor.shape)
        if len(factors) == 1:
            return jnp.sum(product, axis=1)
        return jnp.einsum("...ro,nro->...no", product, factors[-1])

    def _along(self, network: MLP, axis: Float[Array, " n"]) -> Float[Array, "n rank outputs"]:
        return jax.vmap(network)(axis[:, None]).reshape(axis.shape[0], self.rank, -1)

    def examples(self, count: int, *, key: PRNGKeyArray) -> list[Float[Array, " inputs"]]:
        """Vectors from the cube from −1 to 1."""
        return draw(len(self.networks), count, key)

    def __hash__(self) -> int:
        return hash((self.networks, self.rank))  # lets `jax.jit(network)` find its cache

    @property
    def properties(self) -> tuple[Property, ...]:
        """What it promises whatever it has learned; see `geoembed.check`."""
        return (Property("smooth", constant=2, domain="for weights of order 1"),)
