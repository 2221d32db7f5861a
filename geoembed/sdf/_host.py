"""Evaluating a scalar function of space on many points from the host, in float64, chunk by chunk."""

from collections.abc import Callable

import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Float

CHUNK = 16_384  # one shape for all calls: one compilation


def value_and_gradient(
    function: Callable[[Array], Array], points: Float[np.ndarray, "n 3"]
) -> tuple[Float[np.ndarray, " n"], Float[np.ndarray, "n 3"]]:
    """Evaluates a scalar function (a signed distance, a field) and its gradient at many points.

    Computes in float64 whatever the caller's setting is, and leaves that setting alone. Memory beyond the result is
    constant.

    Args:
        function: A pytree that maps one point to one scalar.
        points: Points, in the length unit of the function.

    Returns:
        Values and gradients. For a signed distance: negative inside, and unit vectors pointing outwards.
    """
    count = len(points)
    values, gradients = np.empty(count), np.empty((count, 3))
    with jax.enable_x64(True):
        for start in range(0, count, CHUNK):
            block = points[start : start + CHUNK]
            padded = jnp.asarray(np.pad(block, ((0, CHUNK - len(block)), (0, 0)), mode="edge"), jnp.float64)
            value, gradient = _evaluate(function, padded)
            values[start : start + CHUNK] = np.asarray(value)[: len(block)]
            gradients[start : start + CHUNK] = np.asarray(gradient)[: len(block)]
    return values, gradients


@jax.jit
def _evaluate(function: Callable[[Array], Array], points: Array) -> tuple[Array, Array]:
    return jax.vmap(jax.value_and_grad(lambda x: function(x)))(points)
