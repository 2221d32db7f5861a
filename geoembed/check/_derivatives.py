"""Gradients against finite differences, and finiteness at chosen points."""

from collections.abc import Callable
from typing import Any

import jax
import jax.numpy as jnp
from jaxtyping import PRNGKeyArray

from ._check import Check, asserting, worst
from ._items import Arguments, as_items, cast, directions, on_floats, stack

# Two steps: a kink of a piecewise smooth f that the longer one straddles is not within reach of the other.
_STEPS = (1e-3, 1e-5)


def gradient_matches(
    f: Callable[..., Any], x: Any, *, key: PRNGKeyArray, samples: int = 16, tolerance: float = 1e-6
) -> Check:
    """Measure the reverse-mode gradient against central differences of fourth order, in float64.

    ∂/∂t ⟨w, f(x + tv)⟩ is compared with ⟨∇⟨w, f⟩, v⟩ for random v and several weights w of the outputs.

    Args:
        f: The encoder; its jax arrays are cast to float64.
        x: One item, or a list of items of one shape, where f is differentiable.
        key: Random key of the directions.
        samples: Number of directions, shared among the items, at least one each.
        tolerance: Largest deviation, absolute below 1 and relative above.

    Returns:
        The largest deviation and the item where it occurs.
    """
    with jax.enable_x64(True):
        f, items = cast(f, jnp.float64), cast(as_items(x), jnp.float64)

        def one(args: Arguments, v: jax.Array, phase: jax.Array) -> jax.Array:
            g, point = on_floats(f, args)
            value, pull = jax.vjp(g, point)
            w = 1.0 + jnp.cos(phase + jnp.arange(value.size, dtype=value.dtype))
            slope = jnp.vdot(pull(w)[0], v)
            errors = jnp.abs(_differences(g, point, value, v, w) - slope)
            return jnp.min(errors) / jnp.maximum(1.0, jnp.abs(slope))

        ways = directions(key, items, max(1, samples // len(items)))
        phases = 100.0 * jnp.arange(ways.shape[1], dtype=ways.dtype)
        values = jax.jit(jax.vmap(jax.vmap(one, (None, 0, 0)), (0, 0, None)))(stack(items), ways, phases)
        return worst("gradient matches differences", values, items, tolerance)


def _differences(g: Callable[[jax.Array], jax.Array], point: Any, here: Any, v: Any, w: Any) -> jax.Array:
    """(s(−2h) − 8 s(−h) + 8 s(h) − s(2h)) / 12h for each step h, with s(t) = ⟨w, g(point + tv)⟩."""
    steps = jnp.asarray(_STEPS, point.dtype)
    offsets = steps[:, None] * jnp.asarray([-2.0, -1.0, 1.0, 2.0], point.dtype)[None]
    values = jax.vmap(g)(point[None] + offsets.reshape(-1, 1) * v[None])
    rises = (values - here[None]) @ w  # of differences, so that a large constant does not round
    return rises.reshape(offsets.shape) @ jnp.asarray([1.0, -8.0, 8.0, -1.0], point.dtype) / (12.0 * steps)


def finite_at(f: Callable[..., Any], x: Any) -> Check:
    """Count the numbers that are not finite among values and reverse-mode gradients.

    Args:
        f: The encoder.
        x: One item, or a list of items of one shape: the points to be feared, such as 0 or the cutoff.

    Returns:
        The largest count at one item; it passes at 0.
    """
    items = as_items(x)

    def one(args: Arguments) -> jax.Array:
        g, point = on_floats(f, args)
        value, pull = jax.vjp(g, point)
        numbers = jnp.concatenate([value, pull(jnp.ones_like(value))[0].astype(value.dtype)])
        return jnp.sum(~jnp.isfinite(numbers))

    return worst("finite values and gradients", jax.jit(jax.vmap(one))(stack(items)), items, 0.0)


assert_gradient_matches = asserting(gradient_matches)
assert_finite_at = asserting(finite_at)
