"""What is the same seen from both atoms of a pair, kept once for each pair."""

import equinox as eqx
import jax
import jax.numpy as jnp
from jaxtyping import Array, Bool, Float, Int

from ._neighbours import Neighbours


class Halves(eqx.Module):
    """One row for each pair of neighbours, at most half as many as there are slots; the rows left over are empty.

    Args:
        slot: The first slot of each pair, as atom · slots + slot; 0 in empty rows.
        reverse: The second slot of each pair.
        taken: Whether there is a pair in the row.
        row: Where the pair of each slot stands; an empty row for empty slots.
        mask: Which slots are taken.
    """

    slot: Int[Array, " rows"]
    reverse: Int[Array, " rows"]
    taken: Bool[Array, " rows"]
    row: Int[Array, "atoms slots"]
    mask: Bool[Array, "atoms slots"]

    @classmethod
    def of(cls, neighbours: Neighbours) -> "Halves | None":
        """Of neighbours that know where the same pair stands a second time; None if they do not, or have no slots."""
        if neighbours.reverse is None or neighbours.mask.size == 0:
            return None
        mask, reverse = neighbours.mask.reshape(-1), neighbours.reverse.reshape(-1)
        rows = (mask.size + 1) // 2
        first = mask & (jnp.arange(mask.size, dtype=reverse.dtype) < reverse)
        rank = jnp.cumsum(first, dtype=reverse.dtype) - 1
        slot = jnp.nonzero(first, size=rows, fill_value=0)[0].astype(reverse.dtype)
        row = jnp.where(mask, jnp.where(first, rank, rank[reverse]), rows - 1)
        taken = jnp.arange(rows, dtype=reverse.dtype) <= rank[-1]
        return cls(slot, reverse[slot], taken, row.reshape(neighbours.mask.shape), neighbours.mask)

    def first(self, values: Float[Array, "atoms slots"]) -> Float[Array, " rows"]:
        """Of values that both slots of a pair share, one; meaningless in empty rows."""
        return values.reshape(-1)[self.slot]

    def spread(self, values: Float[Array, "rows columns"]) -> Float[Array, "atoms slots columns"]:
        """The value of the pair in both its slots, 0 in empty slots; with derivatives in reverse mode only."""
        return _spread(values, self)


@jax.custom_vjp
def _spread(values: Array, halves: Halves) -> Array:
    return jnp.where(halves.mask[..., None], values[halves.row], 0.0)


@jax.custom_vjp
def _collect(values: Array, halves: Halves) -> Array:
    """The sum of what stands in both slots of a pair: the transpose of `_spread`."""
    flat = values.reshape(-1, values.shape[-1])
    return jnp.where(halves.taken[:, None], flat[halves.slot] + flat[halves.reverse], 0.0)


_spread.defvjp(
    lambda values, halves: (_spread(values, halves), halves), lambda halves, x: (_collect(x, halves), None)
)
_collect.defvjp(
    lambda values, halves: (_collect(values, halves), halves), lambda halves, x: (_spread(x, halves), None)
)
