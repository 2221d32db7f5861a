"""Windows given by functions of one's own."""

from collections.abc import Callable
from typing import Any

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Float

from ..core import register
from ._complex import as_complex, wave
from ._frames import decimals
from ._functions import as_pytree
from ._window import Points, Window


@register
class FunctionWindow(Window):
    """The points of a box where a function is not negative.

    Membership is what the function says, in float64. Volume and transform are sums over a grid of the box, with an edge
    as thick as a cell: their error falls with the square of the spacing, if the function is a distance near the
    boundary; `volume_error` estimates it. All are differentiable in the parameters of the function.

    Args:
        function: How deep a point [m] lies inside, negative outside; about the distance to the boundary near it. Any
            function that jax can trace; modules keep their parameters.
        lower: The corner of a box that holds the window [m], m ≤ 3.
        upper: The opposite corner.
        nodes: The number of cells of the grid along each side.

    Raises:
        ValueError: The box is empty.

    Example:
        >>> import jax.numpy as jnp
        >>> disc = FunctionWindow(lambda q: 1.0 - jnp.sqrt(q @ q), jnp.full(2, -1.1), jnp.full(2, 1.1))
        >>> print(f"{disc.volume():.2f}")
        3.14
    """

    function: Callable[[Float[Array, " m"]], Float[Array, ""]]
    lower: Float[Array, " m"]
    upper: Float[Array, " m"]
    nodes: int = eqx.field(static=True)

    def __init__(
        self,
        function: Callable[[Float[Array, " m"]], Float[Array, ""]],
        lower: Float[Array, " m"],
        upper: Float[Array, " m"],
        nodes: int = 64,
    ):
        if not np.all(np.asarray(lower) < np.asarray(upper)):
            raise ValueError(f"FunctionWindow needs lower < upper, received {lower} and {upper}")
        self.function = as_pytree(function)
        self.lower, self.upper, self.nodes = lower, upper, nodes

    def margin(self, q: Points) -> Any:
        """What the function says, and outside of the box at most the distance to the box."""
        if isinstance(q, np.ndarray):
            with jax.enable_x64(True):
                return np.asarray(self.margin(jnp.asarray(q, jnp.float64)))
        m = q.shape[-1]
        values = jax.vmap(self.function)(q.reshape(-1, m)).reshape(q.shape[:-1])
        shape = (1,) * (q.ndim - 1) + (m,)
        lower, upper = (jnp.asarray(side, q.dtype).reshape(shape) for side in (self.lower, self.upper))
        return jnp.minimum(values, jnp.minimum(q - lower, upper - q).min(axis=-1))

    def volume(self) -> Float[Array, ""]:
        weights, _, cell = self._grid(self.nodes)
        return jnp.sum(weights) * cell

    def volume_error(self) -> Float[Array, ""]:
        """How much the volume changes when the spacing is halved to the present one: three times the error or so."""
        weights, _, cell = self._grid(self.nodes // 2)
        return jnp.abs(self.volume() - jnp.sum(weights) * cell)

    def transform(self, k: Float[Array, "*n m"]) -> Array:
        weights, axes, cell = self._grid(self.nodes)

        def one(k: Float[Array, " m"]) -> Array:
            total = as_complex(weights)
            for i, axis in enumerate(axes):  # one axis after the other: a sum of products of waves
                total = jnp.tensordot(wave(-k[i] * axis), total, 1)
            return total

        flat = k.reshape(-1, k.shape[-1])
        return as_complex(cell) * jax.lax.map(one, flat).reshape(k.shape[:-1])

    def support(self, directions: Points) -> Any:
        return directions @ (0.5 * (self.lower + self.upper)) + abs(directions) @ (
            0.5 * (self.upper - self.lower)
        )

    def exact_depth(self, q: np.ndarray) -> np.ndarray:
        return decimals(self.margin(q.astype(np.float64)))

    def _grid(self, nodes: int) -> tuple[Array, list[Array], Array]:
        """The share of each cell inside, the middles of the cells along each axis, and the volume of a cell."""
        sides = (self.upper - self.lower) / nodes
        steps = jnp.asarray(np.arange(nodes) + 0.5, sides.dtype)
        axes = [self.lower[i] + sides[i] * steps for i in range(len(sides))]
        points = jnp.stack(jnp.meshgrid(*axes, indexing="ij"), axis=-1)
        return self.soft(points, jnp.max(sides)), axes, jnp.prod(sides)
