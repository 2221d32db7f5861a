"""Values of atoms brought to their neighbours, with a derivative that needs no scattering."""

import jax
import jax.numpy as jnp
from jaxtyping import Array, Float, Int

from ._neighbours import Neighbours


def at_neighbours(
    values: Float[Array, "atoms *shape"], neighbours: Neighbours
) -> Float[Array, "atoms slots *shape"]:
    """The values of the neighbour in every slot.

    Adding up over neighbours, the derivative, is a scattered sum: slow on a CPU. As every pair stands in two slots,
    it is also a permutation of slots and a sum over the slots of each atom. That form is taken where
    `neighbours.reverse` is known; it has derivatives of every order in reverse mode, but none in forward mode
    (`jax.jvp` of it fails, `jax.jvp` of a gradient too). Without `reverse` both modes work.

    Args:
        values: One entry for each atom.
        neighbours: Which atoms are near which.

    Returns:
        values[index].
    """
    if neighbours.reverse is None:
        return values[neighbours.index]
    return _spread(values, neighbours.index, neighbours.reverse)


@jax.custom_vjp
def _spread(values: Array, index: Int[Array, "atoms slots"], reverse: Int[Array, "atoms slots"]) -> Array:
    return values[index]


def _spread_forward(values: Array, index: Array, reverse: Array) -> tuple[Array, tuple[Array, Array]]:
    return values[index], (index, reverse)


def _spread_backward(saved: tuple[Array, Array], cotangent: Array) -> tuple[Array, None, None]:
    return jnp.sum(_swap(cotangent, saved[1]), axis=1), None, None


@jax.custom_vjp
def _swap(x: Array, reverse: Int[Array, "atoms slots"]) -> Array:
    """Every slot gets what stands in the slot of the same pair seen from the other atom: its own transpose."""
    return x.reshape(-1, *x.shape[2:])[reverse]


def _swap_forward(x: Array, reverse: Array) -> tuple[Array, Array]:
    return _swap(x, reverse), reverse


def _swap_backward(reverse: Array, cotangent: Array) -> tuple[Array, None]:
    return _swap(cotangent, reverse), None


_spread.defvjp(_spread_forward, _spread_backward)
_swap.defvjp(_swap_forward, _swap_backward)
