"""From numbers of atoms to numbers of structures."""

from typing import Literal, get_args

import jax.numpy as jnp
from jaxtyping import Array, Float

from ._batch import Batch

Reduction = Literal["mean", "sum"]


def over_structures(
    batch: Batch, values: Float[Array, "atoms features"], reduce: Reduction
) -> Float[Array, "structures features"]:
    """The mean or the sum over the atoms of each structure; 0 for padding.

    Raises:
        ValueError: `reduce` is another word.
    """
    if reduce not in get_args(Reduction):
        raise ValueError(f"reduce={reduce!r} is unknown: use one of {', '.join(get_args(Reduction))}")
    total = batch.total(values)
    if reduce == "sum":
        return total
    return total / jnp.maximum(batch.counts, 1).astype(total.dtype)[:, None]
