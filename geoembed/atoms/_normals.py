"""Random weights of many shapes."""

import math

import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, PRNGKeyArray


def normals(key: PRNGKeyArray, *groups: list[tuple[int, ...]]) -> list[tuple[Array, ...]]:
    """An array of normal numbers for each shape of each group; one draw for all, since each takes long to compile."""
    sizes = [math.prod(shape) for shapes in groups for shape in shapes]
    parts = iter(jnp.split(jax.random.normal(key, (sum(sizes),)), np.cumsum(sizes)[:-1].tolist()))
    return [tuple(next(parts).reshape(shape) for shape in shapes) for shapes in groups]
