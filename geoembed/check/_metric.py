"""Bounds on differences and derivatives: Lipschitz constant, eikonal equation, smoothness."""

from collections.abc import Callable
from typing import Any

import jax
import jax.numpy as jnp
from jaxtyping import PRNGKeyArray

from ._check import Check, asserting, default_tolerance, gap, worst
from ._items import (
    QUICKLY,
    Arguments,
    as_items,
    cast,
    differentiable,
    float_dtype,
    normals,
    points,
    reach,
    seed_of,
    stack,
)

_STEP = 1e-6  # half the width over which a derivative of a smooth function must not jump, see `reach`


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

    Raises:
        ValueError: No input or no output is a floating-point number.

    Example:
        >>> import jax, jax.numpy as jnp
        >>> key = jax.random.key(0)
        >>> lipschitz(jnp.sin, 1.0, jnp.ones(3), key=key).passed
        True
        >>> lipschitz(lambda x: 2 * jnp.sin(x), 1.0, jnp.ones(3), key=key).passed
        False
    """
    items = as_items(x)
    dtype = float_dtype(items)
    slack = default_tolerance(dtype) if tolerance is None else tolerance
    largest = _spread(items) if scale is None else scale
    draws = max(1, samples // (3 * len(items)))

    distances = jnp.asarray([largest, 0.1 * largest, 0.01 * largest], dtype)

    def one(args: Arguments, ways: jax.Array) -> jax.Array:
        g, point = differentiable(f, args)
        here, pull = jax.vjp(g, point)
        (jacobian,) = jax.vmap(pull)(jnp.eye(here.size, dtype=here.dtype))
        slope = jnp.linalg.norm(jacobian, ord=2)
        steps = distances[:, None, None] * (ways / jnp.linalg.norm(ways, axis=1, keepdims=True))[None]
        others = point[None] + steps.reshape(-1, point.size)
        return jnp.concatenate([slope[None], _slopes(point, here, others, jax.vmap(g)(others))])

    ways = jnp.asarray(normals(seed_of(key), len(items), draws, points(items).shape[1]), dtype)
    values = jax.jit(jax.vmap(one))(stack(items), ways)
    return worst(f"lipschitz {constant:g}", values, items, constant * (1 + slack))


def _slopes(point: jax.Array, here: jax.Array, others: jax.Array, there: jax.Array) -> jax.Array:
    """The slopes from one point to others, less what rounding may have added."""
    size = jnp.max(jnp.abs(here), initial=0.0) + jnp.max(jnp.abs(point), initial=0.0)
    rounding = 8 * float(jnp.finfo(point.dtype).eps) * size
    rise = jnp.maximum(jnp.linalg.norm(there - here[None], axis=1) - rounding, 0.0)
    return jnp.where(jnp.isfinite(rise), rise / jnp.linalg.norm(others - point[None], axis=1), jnp.inf)


def _spread(items: list[Arguments]) -> float:
    return float(points(items).std(axis=0).max(initial=0.0)) or 1.0


def eikonal(f: Callable[..., Any], x: Any, *, tolerance: float | None = None) -> Check:
    """Measure that the gradient of a scalar f has length 1, as a distance has.

    Args:
        f: The encoder; one number per item.
        x: One item, or a list of items of one shape, off the surface and off the medial axis.
        tolerance: Largest deviation of the length from 1; None for 1e-5 in float32 and 1e-12 in float64.

    Returns:
        The largest deviation and the item where it occurs.

    Raises:
        ValueError: No input is a floating-point number, or f does not return one number.

    Example:
        >>> import jax.numpy as jnp
        >>> eikonal(lambda x: jnp.linalg.norm(x) - 1, jnp.ones(3)).passed
        True
        >>> eikonal(lambda x: jnp.sum(x**2) - 1, jnp.ones(3)).passed
        False
    """
    items = as_items(x)

    def one(args: Arguments) -> jax.Array:
        g, point = differentiable(f, args)
        value, pull = jax.vjp(g, point)
        if value.size != 1:
            raise ValueError(f"a distance is one real number, f returns {value.size}: measure one of them")
        return jnp.abs(jnp.linalg.norm(pull(jnp.ones_like(value))[0]) - 1.0)

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

    Along random directions v the k-th derivatives at x − hv and x + hv are compared, h = 1e-6 (of the spread of the
    items where that is below 1). Give points where a kink is to be feared: a kink elsewhere is not seen.

    Args:
        f: The encoder; its jax arrays are cast to float64.
        order: Highest derivative that must be continuous.
        x: One item, or a list of items of one shape.
        key: Random key of the directions.
        samples: Number of directions, shared among the items, at least one each.
        tolerance: Largest jump, absolute below 1 and relative above.

    Returns:
        The largest jump and the item where it occurs.

    Raises:
        ValueError: The order is negative, or no input or no output is a floating-point number.

    Example:
        >>> import jax, jax.numpy as jnp
        >>> key = jax.random.key(0)
        >>> smooth(lambda x: jnp.abs(x) * x, 1, jnp.zeros(2), key=key).passed
        True
        >>> smooth(lambda x: jnp.abs(x) * x, 2, jnp.zeros(2), key=key).passed
        False
    """
    if order < 0:
        raise ValueError(f"the order of a derivative is 0 or more, received {order}")
    with jax.enable_x64(True):
        f, items = cast(f, jnp.float64), cast(as_items(x), jnp.float64)
        half = _STEP * reach(items)

        def one(args: Arguments, way: jax.Array) -> jax.Array:
            g, point = differentiable(f, args)

            def start(t: jax.Array) -> jax.Array:
                return g(point + t * way)

            along: Callable[..., jax.Array] = start
            jumps = []
            for _ in range(order + 1):
                step = jnp.asarray(half, point.dtype)
                jumps.append(gap(along(step), along(-step)))
                along = _derivative(along)
            return jnp.max(jnp.stack(jumps))

        ways = jnp.asarray(
            normals(seed_of(key), len(items), max(1, samples // len(items)), points(items).shape[1])
        )
        jumps = jax.jit(jax.vmap(jax.vmap(one, (None, 0))), compiler_options=QUICKLY)
        values = jumps(stack(items), ways)
        return worst(f"smooth to order {order}", values, items, tolerance)


def _derivative(curve: Callable[[jax.Array], jax.Array]) -> Callable[[jax.Array], jax.Array]:
    return lambda t: jax.jvp(curve, (t,), (jnp.ones_like(t),))[1]


assert_lipschitz = asserting(lipschitz)
assert_eikonal = asserting(eikonal)
assert_smooth = asserting(smooth)
