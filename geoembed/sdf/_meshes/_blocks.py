"""Functions of many points that work on compact blocks of them, inside any nest of `vmap`."""

from collections.abc import Callable
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
from jax import lax
from jax.custom_batching import custom_vmap
from jaxtyping import Array, Float, Shaped

from ._hilbert import hilbert_order

BLOCK = 32  # points treated together; XLA on CPU turns reductions of more elements into slow windows
_CHUNK = 2**17  # points ordered together
_FAR = 1e14  # the square of a distance from there is finite in float32


class Block(NamedTuple):
    """Points near to each other, and their box. Components come first: every line of code is one loop."""

    points: Float[Array, "3 b"]
    lower: Float[Array, "3"]
    upper: Float[Array, "3"]


def in_blocks(one_block: Callable[[Any, Block], Array]) -> Callable[[Any, Array], Array]:
    """Makes of a function of a block a function of one point that `vmap` sends to the blocks.

    Any nest of vmaps over n points ends in one pass over blocks of neighbours: one after the other on a CPU, side by
    side on an accelerator. Memory does not grow but with the points and the results.

    Args:
        one_block: Maps (tables, block) to one number for each point; it is never differentiated.

    Returns:
        The function of (tables, point).
    """

    @custom_vmap
    def call(tables: Any, points: Float[Array, "*n 3"]) -> Shaped[Array, "*n"]:
        found = _all_points(lambda block: one_block(tables, block), points.reshape(-1, 3))
        return found.reshape(points.shape[:-1])

    @call.def_vmap
    def rule(axis_size: int, batched: list, tables: Any, points: Array) -> tuple[Array, bool]:
        if not any(jax.tree.leaves(batched[0])):
            return call(tables, points), True

        def one_item(i: Array) -> Array:
            return call(*jax.tree.map(lambda leaf, has: leaf[i] if has else leaf, [tables, points], batched))

        return lax.map(one_item, jnp.arange(axis_size)), True

    return lambda tables, point: call(lax.stop_gradient(tables), lax.stop_gradient(point))


def _all_points(function: Callable[[Block], Array], points: Float[Array, "n 3"]) -> Shaped[Array, " n"]:
    count = len(points)
    # One nan must not spoil its block. (`jnp.clip` would make float64 numbers of the limits.)
    points = jnp.minimum(jnp.maximum(jnp.nan_to_num(points), -_FAR), _FAR)
    if count <= BLOCK:
        return function(_boxed(points)) if count else function(_boxed(jnp.zeros((1, 3), points.dtype)))[:0]
    chunks = -(-count // _CHUNK)
    if chunks == 1:
        return _one_chunk(function, points)
    length = -(-count // chunks)
    padded = jnp.pad(points, ((0, chunks * length - count), (0, 0)), mode="edge").reshape(chunks, length, 3)
    return lax.map(lambda chunk: _one_chunk(function, chunk), padded).reshape(-1)[:count]


def _one_chunk(function: Callable[[Block], Array], points: Float[Array, "n 3"]) -> Shaped[Array, " n"]:
    count = len(points)
    order = hilbert_order(points)
    padded = jnp.pad(order, (0, -count % BLOCK), mode="edge")
    blocks = _boxed(points[padded].reshape(-1, BLOCK, 3))
    found = lax.platform_dependent(
        blocks, cpu=lambda blocks: lax.map(function, blocks), default=jax.vmap(function)
    )
    found = found.reshape(-1)[:count]
    return jnp.zeros_like(found).at[order].set(found, unique_indices=True)


def _boxed(points: Float[Array, "*k b 3"]) -> Block:
    return Block(jnp.swapaxes(points, -1, -2), points.min(axis=-2), points.max(axis=-2))
