"""Points with distances and normals on which networks are trained (host)."""

from collections.abc import Callable
from typing import NamedTuple

import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Float, PRNGKeyArray

from ...core import InputError, host_generator
from .._host import value_and_gradient
from .._many import evaluate

_CANDIDATES = 6  # random points of the box for each point that is kept
NEAR = 0.02  # distance at which the density of points has fallen to a half, in parts of the largest half side


Triple = tuple[float, float, float]


class Pool(NamedTuple):
    """Points in the coordinates of the network, in which the longest side of the box is [−1, 1].

    Args:
        points: The points.
        values: The signed distance of each, divided by the largest half side of the box.
        normals: Its gradient.
        wall: Half the sides of the box, in the same coordinates.
    """

    points: Float[Array, "n 3"]
    values: Float[Array, " n"]
    normals: Float[Array, "n 3"]
    wall: Float[Array, "3"]


def pool_of_shape(
    shape: Callable[[Array], Array], centre: Triple, half: Triple, count: int, key: PRNGKeyArray
) -> Pool:
    """Draws points of a box with density ∝ 1/(1 + |d|/ε), ε = `NEAR` times the largest half side, in random order.

    Raises:
        InputError: A distance is not finite.
    """
    scale = max(half)
    random = host_generator(key)
    drawn = np.array(centre) + np.array(half) * random.uniform(-1.0, 1.0, (_CANDIDATES * count, 3))
    distances = evaluate(shape, drawn.astype(np.float32))
    if not np.isfinite(distances).all():
        reason = "the distance is not finite everywhere in the box"
        raise InputError("shape", "", reason, "Choose other bounds, or mend the function")
    weights = 1.0 / (1.0 + np.abs(distances) / (NEAR * scale))
    # The largest u^(1/w) are a sample without replacement (Efraimidis and Spirakis 2006).
    ranks = np.log(random.random(len(drawn))) / weights
    points = drawn[np.sort(np.argpartition(-ranks, count - 1)[:count])]
    values, normals = value_and_gradient(shape, points)
    return as_pool(points, values, normals, centre, half)


def as_pool(
    points: np.ndarray, values: np.ndarray, normals: np.ndarray, centre: Triple, half: Triple
) -> Pool:
    """Points of space in the coordinates of the network, in the caller's default precision."""
    scale, dtype = max(half), jnp.zeros(()).dtype
    parts = ((points - np.array(centre)) / scale, values / scale, normals, np.array(half) / scale)
    return Pool(*[jnp.asarray(part.astype(dtype)) for part in parts])


def checked_cloud(points: np.ndarray, normals: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Points and unit normals in float64.

    Raises:
        InputError: A number is not finite, or a normal is zero.
    """
    points, normals = np.asarray(points, np.float64), np.asarray(normals, np.float64)
    lengths = np.linalg.norm(normals, axis=1)
    bad = np.flatnonzero(~(np.isfinite(points).all(axis=1) & np.isfinite(lengths) & (lengths > 0)))
    if len(bad):
        reason = "a coordinate is not finite, or the normal has no direction"
        raise InputError("points", f"row {bad[0]}", reason, "Leave such points out")
    return points, normals / lengths[:, None]
