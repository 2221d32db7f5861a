"""A function of space on any number of points, from the host, in constant device memory."""

import os
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from typing import Any

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Float

CHUNK = 2**17
_LEAST = 1024  # smaller batches are filled up: so many points take no longer, compiling for another size does
_WORKERS = min(os.cpu_count() or 1, 8)

Progress = Callable[[int, int], None]


def evaluate(
    function: Callable[[Array], Array],
    points: Float[np.ndarray, "n d"],
    *,
    callback: Progress | None = None,
) -> np.ndarray:
    """Evaluates a function of one point on many points, chunk by chunk.

    Computes in the dtype of the points whatever the caller's setting is, and leaves that setting alone. One chunk is
    131,072 points, and there are as many of them on the device at a time as the machine has cores, but at most 8: a
    search in a mesh keeps one core busy, so this is also the way to use them all.

    Args:
        function: Maps one point to one array, as a signed distance does.
        points: Points of the dimension of the function, float32 or float64, in its unit of length.
        callback: Receives the number of points done and of all points after each chunk.

    Returns:
        The results, stacked along the first axis.

    Example:
        >>> import numpy as np
        >>> from geoembed import sdf
        >>> evaluate(sdf.Sphere(1.0), np.array([[0.0, 0.0, 3.0], [0.0, 0.5, 0.0]])).tolist()
        [2.0, -0.5]
    """
    points = np.asarray(points)
    # powers of two: few compilations
    size = min(CHUNK, max(_LEAST, 1 << max(len(points) - 1, 0).bit_length()))
    return in_chunks(partial(_every, function), points, size, callback)


def in_chunks(
    every: Callable[[Array], Any],
    points: Float[np.ndarray, "n d"],
    size: int,
    callback: Progress | None = None,
) -> Any:
    """Evaluates a function of a batch of points on batches of one size, several at a time.

    Args:
        every: Maps a batch of points to a pytree of arrays that have a row for each point.
        points: The points; the batches have their dtype.
        size: Points in a batch.
        callback: Receives the number of points done and of all points after each batch.

    Returns:
        The pytree, with a row for each point, in host memory.
    """
    count, device = len(points), jax.config.jax_default_device  # pyright: ignore[reportAttributeAccessIssue]

    def one_chunk(start: int) -> Any:
        part = points[start : start + size]
        padded = np.pad(part, ((0, size - len(part)), (0, 0)), mode="edge" if len(part) else "constant")
        # Both settings belong to the thread.
        with jax.enable_x64(points.dtype == np.float64), jax.default_device(device):
            return jax.tree.map(lambda rows: np.asarray(rows)[: len(part)], every(jnp.asarray(padded)))

    def store(start: int, rows: Any) -> None:
        for whole, part in zip(jax.tree.leaves(found), jax.tree.leaves(rows), strict=True):
            whole[start : start + len(part)] = part
        if callback is not None:
            callback(min(start + size, count), count)

    first = one_chunk(0)  # alone: it compiles
    found = jax.tree.map(lambda part: np.empty((count, *part.shape[1:]), part.dtype), first)
    store(0, first)
    starts = range(size, count, size)
    with ThreadPoolExecutor(_WORKERS) as pool:
        for early in range(0, len(starts), _WORKERS):
            some = starts[early : early + _WORKERS]
            for start, rows in zip(some, pool.map(one_chunk, some), strict=True):
                store(start, rows)
    return found


@eqx.filter_jit
def _every(function: Callable[[Array], Array], points: Array) -> Any:
    return jax.vmap(lambda x: function(x))(points)
