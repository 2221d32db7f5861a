"""From numbers of atoms to numbers of structures."""

import jax.numpy as jnp
from jaxtyping import Array, Float

from ._batch import Batch

REDUCTIONS = ("mean", "sum")


def over_structures(
    batch: Batch, values: Float[Array, "atoms features"], reduce: str
) -> Float[Array, "structures features"]:
    """The mean or the sum over the atoms of each structure; 0 for padding.

    Raises:
        ValueError: `reduce` is another word.
    """
    if reduce not in REDUCTIONS:
        raise ValueError(f"reduce={reduce!r} is unknown: use one of {', '.join(REDUCTIONS)}")
    total = batch.total(values)
    if reduce == "sum":
        return total
    return total / jnp.maximum(batch.counts, 1).astype(total.dtype)[:, None]
