"""The loss of the first-order training: terms, their balance, and weights that follow the time."""

from collections.abc import Callable, Sequence
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Float

_LIGHTEST = 1e-6  # share of all gradients that a term counts with at least, so that none is divided by 0

Blocks = list[Any]  # points inside; for each soft condition, points and normals


def slice_means(
    squares: Float[Array, "n k"], share: Float[Array, " n"], slices: int
) -> Float[Array, "{slices} k"]:
    """The mean in each slice of the time; 0 in one without points.

    Args:
        squares: Values at some points.
        share: Where their moments lie, from 0 to 1.
        slices: How many slices.
    """
    number = jnp.clip((share * slices).astype(jnp.int32), 0, slices - 1)
    member = jax.nn.one_hot(number, slices, dtype=squares.dtype)
    return (member.T @ squares) / jnp.maximum(jnp.sum(member, axis=0), 1.0)[:, None]


def causal_weights(losses: Float[Array, " s"], strictness: Float[Array, ""]) -> Float[Array, " s"]:
    """wᵢ = exp(−ε Σ_{j<i} Lⱼ), which no gradient goes through.

    S. Wang, S. Sankaran, P. Perdikaris, arXiv 2203.07404, equation 3.6.
    """
    before = jnp.cumsum(losses) - losses
    return jax.lax.stop_gradient(jnp.exp(-strictness * before))


class Terms:
    """The mean squares Lₖ of a problem as functions of a model.

    Args:
        functions: For each block of points, the function of a model and an item with its rows.
        time: The first and the last moment; None without causal weights.
        slices: Slices of the time.
    """

    def __init__(self, functions: Sequence[Callable], time: tuple[float, float] | None, slices: int):
        self.functions, self.time, self.slices = tuple(functions), time, slices

    def squares(self, model: Any, blocks: Blocks) -> list[Float[Array, "n k"]]:
        """The squared rows of every block."""
        return [
            jax.vmap(lambda item, rows=rows: rows(model, item))(items) ** 2
            for rows, items in zip(self.functions, blocks, strict=True)
        ]

    def means(self, model: Any, blocks: Blocks) -> Float[Array, " terms"]:
        """L₁, L₂, …"""
        return jnp.concatenate([jnp.mean(part, axis=0) for part in self.squares(model, blocks)])

    def losses(
        self, squares: Float[Array, "n k"], points: Float[Array, "n d"], weights: Float[Array, " terms"]
    ) -> Float[Array, " s"]:
        """The weighted loss of the equation in each slice of the time."""
        assert self.time is not None
        first, last = self.time
        means = slice_means(squares, (points[:, -1] - first) / (last - first), self.slices)
        return means @ weights[: squares.shape[1]]

    def loss(
        self,
        model: Any,
        blocks: Blocks,
        weights: Float[Array, " terms"],
        strictness: Float[Array, ""],
        held: Float[Array, " s"] | None,
    ) -> Float[Array, ""]:
        """Σ λₖ Lₖ, with causal weights of this moment or those held."""
        inside, *sides = self.squares(model, blocks)
        count = inside.shape[1]
        if self.time is None:
            total = jnp.mean(inside, axis=0) @ weights[:count]
        else:
            losses = self.losses(inside, blocks[0], weights)
            total = jnp.mean((causal_weights(losses, strictness) if held is None else held) * losses)
        for part in sides:
            total = total + jnp.mean(part) * weights[count]
            count += 1
        return total

    def gradient_sizes(self, model_of: Callable, parameters: Any, blocks: Blocks) -> Float[Array, " terms"]:
        """‖∇Lₖ‖."""
        slopes = jax.jacrev(lambda theta: self.means(model_of(theta), blocks))(parameters)
        return jnp.sqrt(_sums_of_squares(slopes, 1))

    def kernel_sizes(self, model_of: Callable, parameters: Any, blocks: Blocks) -> Float[Array, " terms"]:
        """The mean of ‖∇r‖² over the rows r of each term: the trace of its neural tangent kernel, for one row."""
        sizes = []
        for rows, items in zip(self.functions, blocks, strict=True):

            def one(item: Any, rows: Callable = rows) -> Float[Array, " k"]:
                return _sums_of_squares(jax.jacrev(lambda theta: rows(model_of(theta), item))(parameters), 1)

            sizes.append(jnp.mean(jax.vmap(one)(items), axis=0))
        return jnp.concatenate(sizes)


def balanced(sizes: Float[np.ndarray, " terms"]) -> Float[np.ndarray, " terms"]:
    """λₖ = s₁/sₖ for sizes s of gradients: 1 for the first term."""
    sizes = np.maximum(sizes, _LIGHTEST * np.sum(sizes))
    return sizes[0] / sizes if np.all(np.isfinite(sizes)) and sizes[0] > 0 else np.ones_like(sizes)


def _sums_of_squares(tree: Any, kept: int) -> Array:
    """Σ of the squares over all leaves and all axes but the first ones."""
    leaves = [leaf.reshape(*leaf.shape[:kept], -1) for leaf in jax.tree.leaves(tree)]
    return sum(jnp.sum(leaf**2, axis=-1) for leaf in leaves)  # pyright: ignore[reportReturnType]
