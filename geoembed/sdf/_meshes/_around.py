"""Random points around a mesh: items for the checks of its properties."""

from collections.abc import Callable

import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Float, PRNGKeyArray

from ...core import host_generator, rows_on_device


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
    batch = max(64, 4 * count + 16)  # few different sizes: the search is compiled for each
    points = host_generator(key).uniform(lower - margin, upper + margin, (batch, 3))
    values = jax.vmap(distance)(jax.device_put(points.astype(jnp.result_type(float))))
    distances = np.abs(np.asarray(values))
    far_enough = np.argsort(distances < 4e-3 * margin, stable=True)  # those on the surface come last
    return rows_on_device(points[far_enough[:count]])
