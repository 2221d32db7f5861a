"""A matrix product for each of many items, whose derivatives transpose the smaller factor only."""

import jax
import jax.numpy as jnp
from jaxtyping import Array, Float


@jax.custom_vjp
def contract(
    small: Float[Array, "items rows few"], large: Float[Array, "items rows many"]
) -> Float[Array, "items few many"]:
    """Σ_rows small ⊗ large for each item; in reverse mode only.

    Automatic derivatives would write `large` a second time, transposed: on a CPU that takes longer than the product.
    Here the derivatives are products of the same kind, to any order.
    """
    return jax.lax.dot_general(small, large, (((1,), (1,)), ((0,), (0,))))


@jax.custom_vjp
def _by_small(large: Array, out: Array) -> Array:
    return jax.lax.dot_general(large, jnp.swapaxes(out, 1, 2), (((2,), (1,)), ((0,), (0,))))


@jax.custom_vjp
def _by_large(small: Array, out: Array) -> Array:
    return jax.lax.dot_general(small, out, (((2,), (1,)), ((0,), (0,))))


def _forward(product):
    return lambda a, b: (product(a, b), (a, b))


contract.defvjp(_forward(contract), lambda saved, out: (_by_small(saved[1], out), _by_large(saved[0], out)))
_by_small.defvjp(
    _forward(_by_small), lambda saved, small: (_by_large(small, saved[1]), contract(small, saved[0]))
)
_by_large.defvjp(
    _forward(_by_large), lambda saved, large: (_by_small(large, saved[1]), contract(saved[0], large))
)
