"""Points at which the promises of a shape can be measured."""

from typing import TYPE_CHECKING

import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Bool, Float, PRNGKeyArray

from ...core import host_generator, rows_on_device

if TYPE_CHECKING:
    from ._shape import Shape

_ROUNDS = 20
_ROOM = 0.25  # beyond the region on every side, in parts of its longest side
_OFF_SURFACE = 5e-3  # in parts of the longest side, as the next
_STEP = 2e-3
_JUMP = 0.3  # of the gradient within a step: a kink is near


def draw_examples(
    shape: "Shape", region: tuple[Array, Array], count: int, key: PRNGKeyArray
) -> list[Float[Array, " d"]]:
    """See `Shape.examples`; `region` is a box around what is interesting of the shape."""
    low, high = (np.asarray(corner, np.float64) for corner in region)
    longest = float((high - low).max())
    # Drawn by numpy: compiling a random number generator would cost more than all the rest.
    random = host_generator(key)
    batch = max(64, 2 * count)
    found: list[Float[Array, " d"]] = []
    for _ in range(_ROUNDS):
        drawn = random.uniform(low - _ROOM * longest, high + _ROOM * longest, (batch, len(low)))
        points = drawn.astype(jnp.result_type(float))
        found += rows_on_device(points[_usable(shape, points, longest)])
        if len(found) >= count:
            return found[:count]
    raise ValueError(
        f"{type(shape).__name__}: {len(found)} of {count} examples found in {_ROUNDS * batch} random points: "
        "its exact side is too thin for its size"
    )


@jax.jit
def _evaluated(shape: "Shape", points: Float[Array, "n d"]) -> tuple[Float[Array, " n"], Float[Array, "n d"]]:
    """Values and gradients. The shape is an argument, so that shapes of one structure share a compilation."""
    return jax.vmap(jax.value_and_grad(lambda x: shape(x)))(points)


def _usable(shape: "Shape", points: Float[np.ndarray, "n d"], longest: float) -> Bool[np.ndarray, " n"]:
    d = shape.dimension
    steps = _STEP * longest * np.concatenate([np.zeros((1, d)), np.eye(d), -np.eye(d)])
    around = points[:, None, :] + steps.astype(points.dtype)[None]
    values, gradients = _evaluated(shape, jax.device_put(around.reshape(-1, d)))
    values = np.asarray(values).reshape(len(points), -1)[:, 0]
    gradients = np.asarray(gradients).reshape(len(points), -1, d)
    jumps = np.linalg.norm(gradients - gradients[:, :1], axis=2).max(axis=1)
    exact = [side for side in ("inside", "outside") if getattr(shape.exactness, side) == "exact"]
    side_counts = np.where(values < 0, not exact or "inside" in exact, not exact or "outside" in exact)
    # Written so that nan passes: a check shall see it.
    return side_counts & ~(np.abs(values) <= _OFF_SURFACE * longest) & ~(jumps >= _JUMP)
