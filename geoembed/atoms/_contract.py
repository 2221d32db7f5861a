"""A matrix product for each of many items, whose derivatives transpose the smaller factor only."""

from collections.abc import Callable

import jax
import jax.numpy as jnp
from jaxtyping import Array, Float

Saved = tuple[Array, Array]


def contract(
    small: Float[Array, "items rows few"], large: Float[Array, "items rows many"], *, reverse_only: bool
) -> Float[Array, "items few many"]:
    """Σ_rows small ⊗ large for each item.

    Automatic derivatives would write `large` a second time, transposed: on a CPU that takes longer than the product.
    With `reverse_only` its derivatives are products of the same kind, to any order, but only in reverse mode.
    """
    return _contract(small, large) if reverse_only else _product(small, large)


def _product(small: Array, large: Array) -> Array:
    return jax.lax.dot_general(small, large, (((1,), (1,)), ((0,), (0,))))


@jax.custom_vjp
def _contract(small: Array, large: Array) -> Array:
    return _product(small, large)


@jax.custom_vjp
def _by_small(large: Array, out: Array) -> Array:
    return jax.lax.dot_general(large, jnp.swapaxes(out, 1, 2), (((2,), (1,)), ((0,), (0,))))


@jax.custom_vjp
def _by_large(small: Array, out: Array) -> Array:
    return jax.lax.dot_general(small, out, (((2,), (1,)), ((0,), (0,))))


def _keep(product: Callable[[Array, Array], Array]) -> Callable[[Array, Array], tuple[Array, Saved]]:
    return lambda a, b: (product(a, b), (a, b))


_contract.defvjp(_keep(_contract), lambda saved, out: (_by_small(saved[1], out), _by_large(saved[0], out)))
_by_small.defvjp(
    _keep(_by_small), lambda saved, small: (_by_large(small, saved[1]), _contract(small, saved[0]))
)
_by_large.defvjp(
    _keep(_by_large), lambda saved, large: (_by_small(large, saved[1]), _contract(saved[0], large))
)
