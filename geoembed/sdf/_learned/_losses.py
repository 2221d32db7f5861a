"""What a network is trained to minimise."""

from collections.abc import Callable
from dataclasses import dataclass

import jax
import jax.numpy as jnp
from jaxtyping import Array, Float, PRNGKeyArray

from ...core import norm
from ._training_points import Pool

_SHARPNESS = 100.0  # of the penalty for a surface where there is no point
_SPREAD = 0.05  # half of the free points lie about this far from data, in the coordinates of the network


@dataclass(frozen=True)
class Terms:
    """The weights of the terms of the loss, all lengths in halves of the box's longest side.

    Args:
        value: Of the mean of |f − d|.
        normal: Of the mean of |∇f − ∇d|².
        eikonal: Of the mean of (|∇f| − 1)² at free points, half of them anywhere in the box, half near data.
        empty: Of the mean of exp(−100 |f|) anywhere in the box: no surface where there is no point.
    """

    value: float = 1.0
    normal: float = 0.02
    eikonal: float = 0.02
    empty: float = 0.0


def distance_loss(
    field: Callable[[Array], Array], pool: Pool, terms: Terms, batch: int, key: PRNGKeyArray
) -> Float[Array, ""]:
    """The loss on a random batch; a quarter of it is used for gradients, as many free points for the eikonal term.

    References:
        A. Gropp et al., ICML 2020, eqs. 2 and 3 (eikonal and normal term); V. Sitzmann et al., NeurIPS 2020, eq. 6
        (the penalty of surfaces without data).
    """
    pick, anywhere, near = jax.random.split(key, 3)
    rows = jax.random.randint(pick, (batch,), 0, len(pool.points))
    points, values, normals = pool.points[rows], pool.values[rows], pool.normals[rows]
    few = max(batch // 4, 2)
    found, slopes = jax.vmap(jax.value_and_grad(field))(points[:few])
    others = jax.vmap(field)(points[few:])
    loss = terms.value * jnp.mean(jnp.abs(jnp.concatenate([found, others]) - values))
    if terms.normal > 0:
        loss = loss + terms.normal * jnp.mean(jnp.sum((slopes - normals[:few]) ** 2, axis=1))
    if terms.eikonal > 0 or terms.empty > 0:
        half = few // 2
        spread = jax.random.uniform(anywhere, (few - half, 3), points.dtype, -1.0, 1.0) * pool.wall[None]
        close = points[:half] + _SPREAD * jax.random.normal(near, (half, 3), points.dtype)
        free = jnp.concatenate([jnp.clip(close, -pool.wall[None], pool.wall[None]), spread])
        level, slope = jax.vmap(jax.value_and_grad(field))(free)
        loss = loss + terms.eikonal * jnp.mean((norm(slope) - 1.0) ** 2)
        if terms.empty > 0:
            loss = loss + terms.empty * jnp.mean(jnp.exp(-_SHARPNESS * jnp.abs(level[half:])))
    return loss
