"""Random points around a mesh: items for the checks of its properties."""

from collections.abc import Callable

import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Float, PRNGKeyArray


def points_around(
    distance: Callable[[Array], Array],
    lower: Float[np.ndarray, "3"],
    upper: Float[np.ndarray, "3"],
    count: int,
    key: PRNGKeyArray,
) -> list[Float[Array, "3"]]:
    """Returns points uniform in a box, enlarged by a quarter of its diagonal, and off the surface.

    They are at least 1e-3 of the diagonal from the surface, near which float32 does not hold the direction.
    """
    margin = 0.25 * float(np.linalg.norm(upper - lower))
    size = jnp.asarray(upper - lower + 2 * margin)
    turns = jax.random.uniform(key, (4 * count + 16, 3), size.dtype)
    points = jnp.asarray(lower - margin, size.dtype)[None] + turns * size[None]
    distances = jnp.abs(jax.vmap(distance)(points))
    far_enough = jnp.argsort(distances < 4e-3 * margin, stable=True)  # those on the surface come last
    return list(points[far_enough[:count]])
