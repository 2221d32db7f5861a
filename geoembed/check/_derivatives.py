"""Gradients against finite differences, and finiteness at chosen points."""

from collections.abc import Callable
from functools import partial
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Float, Float64, PRNGKeyArray

from ._check import Check, asserting, worst
from ._items import (
    QUICKLY,
    Arguments,
    as_items,
    cast,
    differentiable,
    normals,
    on_floats,
    points,
    reach,
    seed_of,
    stack,
)

# Several steps: a kink of a piecewise smooth f that a longer one straddles is not within reach of a shorter one.
_STEPS = (1e-3, 1e-4, 1e-6)
_STENCIL = np.array([-2.0, -1.0, 1.0, 2.0])
_WEIGHTS = np.array([1.0, -8.0, 8.0, -1.0]) / 12.0
_EPS = float(np.finfo(np.float64).eps)
_LEAST = 2.0**-26  # of the coordinate
_COORDINATES = 32  # as many single coordinates are tried besides random directions


def gradient_matches(
    f: Callable[..., Any], x: Any, *, key: PRNGKeyArray, samples: int = 16, tolerance: float = 1e-6
) -> Check:
    """Measure the reverse-mode gradient against central differences of fourth order, in float64.

    ⟨w, ∂f/∂v⟩ is compared with ⟨∇⟨w, f⟩, v⟩ for random and for single coordinates v. The weights w are random and
    bring every output to the scale of its own slope, so that neither a small output nor a weak input is hidden by
    others.

    Args:
        f: The encoder; its jax arrays are cast to float64.
        x: One item, or a list of items of one shape, where f is differentiable.
        key: Random key of the directions and weights.
        samples: Number of random directions, shared among the items, at least one each. Up to 32 single
            coordinates are added.
        tolerance: Largest deviation, relative to the slope of each output along each direction; a slope counts as
            1e-3 of the output's steepest slope at least. What rounding adds to the differences stays below it.

    Returns:
        The largest deviation and the item where it occurs.

    Raises:
        ValueError: No input or no output is a floating-point number.

    Example:
        >>> import jax, jax.numpy as jnp
        >>> key = jax.random.key(0)
        >>> gradient_matches(jnp.sin, jnp.ones(3), key=key).passed
        True
        >>> gradient_matches(lambda x: jnp.sin(jax.lax.stop_gradient(x)), jnp.ones(3), key=key).passed
        False
    """
    with jax.enable_x64(True):
        f, items = cast(f, jnp.float64), cast(as_items(x), jnp.float64)
        seed = seed_of(key)
        moves = jnp.asarray(_displacements(items, seed, samples))
        values = jax.jit(partial(_deviations, f, seed, tolerance), compiler_options=QUICKLY)(
            stack(items), moves
        )
        return worst("gradient matches differences", values, items, tolerance)


def _deviations(
    f: Callable[..., Any],
    seed: list[int],
    tolerance: float,
    stacked: Arguments,
    moves: Float[Array, "items directions steps size"],
) -> Float[Array, "items directions"]:
    """How far gradients are from differences, by the step that suits each direction best."""

    def slopes(args: Arguments, moves: jax.Array) -> tuple[jax.Array, jax.Array]:
        return _differences(*differentiable(f, args), moves)

    def gradients(args: Arguments, weights: jax.Array) -> jax.Array:
        g, point = differentiable(f, args)
        value, pull = jax.vjp(g, point)
        rows = jax.vmap(lambda w: pull(w)[0])(weights.reshape(-1, value.size))
        return rows.reshape(*weights.shape[:-1], point.size)

    measured, size = jax.vmap(slopes)(stacked, moves)
    lengths = jnp.linalg.norm(moves, axis=-1, keepdims=True)
    scale = _scale(measured, 16 * _EPS / max(tolerance, 1e-12) * size / lengths)
    random = normals(seed, *scale.shape)
    weights = jnp.asarray(random + np.sign(random)) / scale  # none is near 0
    expected = jnp.sum(jax.vmap(gradients)(stacked, weights) * moves / lengths, axis=-1)
    errors = jnp.abs(jnp.sum(weights * measured, axis=-1) - expected)
    return jnp.min(jnp.where(jnp.isnan(errors), jnp.inf, errors), axis=-1)  # a long step may leave the domain


def _differences(
    g: Callable[[jax.Array], jax.Array],
    point: Float[Array, " size"],
    moves: Float[Array, "directions steps size"],
) -> tuple[Float[Array, "directions steps n"], Float[Array, "directions steps n"]]:
    """The slope of every output along every move, and the largest number that it was computed from."""
    around = point[None, None, None] + _STENCIL[:, None, None, None] * moves[None]
    here, values = g(point), jax.vmap(g)(around.reshape(-1, point.size))
    values = values.reshape(*around.shape[:-1], here.size)
    # differences of differences, so that a large constant does not round
    rises = jnp.tensordot(_WEIGHTS, values - here[None, None, None], axes=1)
    return rises / jnp.linalg.norm(moves, axis=-1, keepdims=True), jnp.max(jnp.abs(values), axis=0)


def _scale(
    slopes: Float[Array, "items directions steps n"], least: Float[Array, "items directions steps n"]
) -> Float[Array, "items directions steps n"]:
    """What the error of each slope is relative to.

    The slope itself by any of the steps (at a flat point the shorter ones find less and less), and at least a part of
    the steepest slope of that output, a part of the other outputs, and what rounding asks for.
    """
    steepness = jnp.where(jnp.isfinite(slopes), jnp.abs(slopes), 0.0)
    own = jnp.max(steepness, axis=2, keepdims=True)
    steepest = jnp.max(steepness, axis=(0, 1, 2), keepdims=True)
    least = jnp.where(jnp.isfinite(least), least, 0.0)
    scale = jnp.maximum(jnp.maximum(own, 1e-3 * steepest), least)
    return jnp.maximum(scale, jnp.maximum(1e-8 * jnp.max(scale, axis=-1, keepdims=True), 1e-30))


def _displacements(items: list[Arguments], seed: list[int], samples: int) -> Float64[np.ndarray, "i d s n"]:
    """Short moves of every item: random directions and single coordinates, each in several lengths.

    They are differences of floating-point numbers, so that the moved point is where it is said to be, and long enough
    for f to be computed at both ends with eight digits of the move.
    """
    rows = points(items)
    count, size = rows.shape
    random = normals(seed, count, max(1, samples // count), size)
    random /= np.linalg.norm(random, axis=-1, keepdims=True)
    each = -(-min(size, _COORDINATES) // count)
    turn = np.argsort(normals(seed, size))  # which coordinates are tried, and at which items
    chosen = turn[(np.arange(count)[:, None] * each + np.arange(each)[None]) % size]
    ways = np.concatenate([random, np.eye(size)[chosen]], axis=1)
    scales = sorted({1.0, reach(items)})
    steps = np.array([scale * step for scale in scales for step in _STEPS])
    # no step is a round number, which a period might divide
    uneven = 1 + 0.3 * np.tanh(normals(seed, *ways.shape[:2], len(steps)))
    moves = ways[:, :, None] * (steps * uneven)[..., None]
    start = rows[:, None, None]
    least = np.where(ways == 0, 0.0, _LEAST * np.abs(rows)[:, None])[:, :, None]
    moves = np.where(np.abs(moves) < least, np.sign(moves) * least, moves)
    return (start + moves) - start


def finite_at(f: Callable[..., Any], x: Any) -> Check:
    """Count the numbers that are not finite among values and reverse-mode gradients.

    Args:
        f: The encoder.
        x: One item, or a list of items of one shape: the points to be feared, such as 0 or the cutoff.

    Returns:
        The largest count at one item; it passes at 0.

    Raises:
        ValueError: f returns no floating-point number.
    """
    items = as_items(x)

    def one(args: Arguments) -> jax.Array:
        g, point = on_floats(f, args)
        value, pull = jax.vjp(g, point)
        if value.size == 0:
            raise ValueError("f returns no floating-point number: there is nothing to look at")
        gradient = pull(jnp.ones_like(value))[0]
        return jnp.sum(~jnp.isfinite(value)) + jnp.sum(~jnp.isfinite(gradient))

    return worst("finite values and gradients", jax.jit(jax.vmap(one))(stack(items)), items, 0.0)


assert_gradient_matches = asserting(gradient_matches)
assert_finite_at = asserting(finite_at)
