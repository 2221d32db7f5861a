"""Bounds on differences and derivatives: Lipschitz constant, eikonal equation, smoothness."""

from collections.abc import Callable
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import PRNGKeyArray

from ._check import Check, asserting, default_tolerance, gap, worst
from ._items import Arguments, as_items, cast, directions, float_dtype, on_floats, stack

_STEP = 1e-6  # half the width over which a derivative of a smooth function must not jump


def lipschitz(
    f: Callable[..., Any],
    constant: int | float,
    x: Any,
    *,
    key: PRNGKeyArray,
    scale: float | None = None,
    samples: int = 64,
    tolerance: float | None = None,
) -> Check:
    """Measure the length of f(x) − f(y) over that of x − y, and of the Jacobian of f.

    Pairs are an item and a point at distances `scale` × (1, 0.1, 0.01) in random directions; their rounding
    is allowed for. The Jacobian's largest singular value catches what no pair hits.

    Args:
        f: The encoder.
        constant: The Lipschitz constant L that f must not exceed, in units of output per input.
        x: One item, or a list of items of one shape.
        key: Random key of the directions.
        scale: Largest distance, in the unit of the input; None for the spread of the items, 1 for one item.
        samples: Number of pairs, shared among the items, at least one for each of the three distances.
        tolerance: Relative excess over L; None for 1e-5 in float32 and 1e-12 in float64.

    Returns:
        The largest slope found, held against L (1 + tolerance).
    """
    items = as_items(x)
    dtype = float_dtype(items)
    slack = default_tolerance(dtype) if tolerance is None else tolerance
    reach = _spread(items) if scale is None else scale
    draws = max(1, samples // (3 * len(items)))

    distances = jnp.asarray([reach, 0.1 * reach, 0.01 * reach], dtype)

    def one(args: Arguments, ways: jax.Array) -> jax.Array:
        g, point = on_floats(f, args)
        here, pull = jax.vjp(g, point)
        (jacobian,) = jax.vmap(pull)(jnp.eye(here.size, dtype=here.dtype))
        slope = jnp.linalg.norm(jacobian, ord=2) if jacobian.size else jnp.zeros((), dtype)
        steps = distances[:, None, None] * (ways / jnp.linalg.norm(ways, axis=1, keepdims=True))[None]
        others = point[None] + steps.reshape(-1, point.size)
        return jnp.concatenate([slope[None], _slopes(point, here, others, jax.vmap(g)(others))])

    values = jax.jit(jax.vmap(one))(stack(items), directions(key, items, draws))
    return worst(f"lipschitz {constant:g}", values, items, constant * (1 + slack))


def _slopes(point: jax.Array, here: jax.Array, others: jax.Array, there: jax.Array) -> jax.Array:
    """The slopes from one point to others, less what rounding may have added."""
    size = jnp.max(jnp.abs(here), initial=0.0) + jnp.max(jnp.abs(point), initial=0.0)
    rounding = 8 * float(jnp.finfo(point.dtype).eps) * size
    rise = jnp.maximum(jnp.linalg.norm(there - here[None], axis=1) - rounding, 0.0)
    return jnp.where(jnp.isfinite(rise), rise / jnp.linalg.norm(others - point[None], axis=1), jnp.inf)


def _spread(items: list[Arguments]) -> float:
    floats = np.stack([np.asarray(on_floats(lambda *_: None, item)[1], np.float64) for item in items])
    return float(floats.std(axis=0).max(initial=0.0)) or 1.0


def eikonal(f: Callable[..., Any], x: Any, *, tolerance: float | None = None) -> Check:
    """Measure that the gradient of a scalar f has length 1, as a distance has.

    Args:
        f: The encoder; one number per item.
        x: One item, or a list of items of one shape, off the surface and off the medial axis.
        tolerance: Largest deviation of the length from 1; None for 1e-5 in float32 and 1e-12 in float64.

    Returns:
        The largest deviation and the item where it occurs.
    """
    items = as_items(x)

    def one(args: Arguments) -> jax.Array:
        g, point = on_floats(f, args)
        length = jnp.linalg.norm(jax.grad(lambda vector: jnp.squeeze(g(vector)))(point))
        return jnp.abs(length - 1.0)

    tolerance = default_tolerance(float_dtype(items)) if tolerance is None else tolerance
    return worst("eikonal", jax.jit(jax.vmap(one))(stack(items)), items, tolerance)


def smooth(
    f: Callable[..., Any],
    order: int,
    x: Any,
    *,
    key: PRNGKeyArray,
    samples: int = 32,
    tolerance: float = 1e-3,
) -> Check:
    """Measure that f and its derivatives up to an order do not jump at given points, in float64.

    Along random directions v the k-th derivatives at x − hv and x + hv are compared, h = 1e-6. Give points
    where a kink is to be feared: a kink elsewhere is not seen.

    Args:
        f: The encoder; its jax arrays are cast to float64.
        order: Highest derivative that must be continuous.
        x: One item, or a list of items of one shape.
        key: Random key of the directions.
        samples: Number of directions, shared among the items, at least one each.
        tolerance: Largest jump, absolute below 1 and relative above.

    Returns:
        The largest jump and the item where it occurs.
    """
    with jax.enable_x64(True):
        f, items = cast(f, jnp.float64), cast(as_items(x), jnp.float64)

        def one(args: Arguments, way: jax.Array) -> jax.Array:
            g, point = on_floats(f, args)

            def start(t: jax.Array) -> jax.Array:
                return g(point + t * way)

            along: Callable[..., jax.Array] = start
            jumps = []
            for _ in range(order + 1):
                step = jnp.asarray(_STEP, point.dtype)
                jumps.append(gap(along(step), along(-step)))
                along = _derivative(along)
            return jnp.max(jnp.stack(jumps))

        ways = directions(key, items, max(1, samples // len(items)))
        values = jax.jit(jax.vmap(jax.vmap(one, (None, 0))))(stack(items), ways)
        return worst(f"smooth to order {order}", values, items, tolerance)


def _derivative(curve: Callable[[jax.Array], jax.Array]) -> Callable[[jax.Array], jax.Array]:
    return lambda t: jax.jvp(curve, (t,), (jnp.ones_like(t),))[1]


assert_lipschitz = asserting(lipschitz)
assert_eikonal = asserting(eikonal)
assert_smooth = asserting(smooth)
