"""Evaluating a scalar function of space and its gradient on many points from the host, in float64."""

from collections.abc import Callable
from functools import partial

import jax
import numpy as np
from jaxtyping import Array, Float

from ._many import in_chunks

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
    return in_chunks(partial(_evaluate, function), np.asarray(points, np.float64), CHUNK)


@jax.jit
def _evaluate(function: Callable[[Array], Array], points: Array) -> tuple[Array, Array]:
    return jax.vmap(jax.value_and_grad(lambda x: function(x)))(points)
