"""Invariance, equivariance, sensitivity and periodicity, measured on random group elements."""

from collections.abc import Callable
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import PRNGKeyArray

from ._check import Check, asserting, default_tolerance, gap, to_host, worst
from ._groups import Group, as_group, lattice
from ._items import Arguments, as_items, float_dtype, stack
from ._representations import Representation, transform


def invariant(
    f: Callable[..., Any],
    group: Group | str,
    x: Any,
    *,
    key: PRNGKeyArray,
    samples: int = 32,
    tolerance: float | None = None,
) -> Check:
    """Measure f(g·x) = f(x).

    Args:
        f: The encoder.
        group: A group or its name, see `GROUPS`.
        x: One item, or a list of items of one shape. A tuple is the arguments of one call.
        key: Random key of the group elements.
        samples: Number of group elements, shared among the items, at least one each.
        tolerance: Largest deviation, absolute below 1 and relative above; None for 1e-5 in float32 and 1e-12
            in float64.

    Returns:
        The largest deviation and the item where it occurs.

    Example:
        >>> import jax, jax.numpy as jnp
        >>> x = jnp.arange(6.0).reshape(2, 3)
        >>> invariant(lambda x: jnp.sum(x**2), "O(3)", x, key=jax.random.key(0)).passed
        True
        >>> invariant(lambda x: jnp.sum(x), "O(3)", x, key=jax.random.key(0)).passed
        False
    """
    group = as_group(group)
    values, items = _compare(f, group, x, key, samples, lambda g, y: y)
    return worst(f"invariant under {group.name}", values, items, _tolerance(tolerance, items))


def equivariant(
    f: Callable[..., Any],
    group: Group | str,
    x: Any,
    *,
    key: PRNGKeyArray,
    representation: Representation | None = None,
    samples: int = 32,
    tolerance: float | None = None,
) -> Check:
    """Measure f(g·x) = ρ(g) f(x).

    Args:
        f: The encoder.
        group: A group or its name, see `GROUPS`.
        x: One item, or a list of items of one shape. A tuple is the arguments of one call.
        key: Random key of the group elements.
        representation: ρ, a callable from a group element to the matrix that acts on the trailing axes of
            every output; None when the group moves the output as it moves the input.
        samples: Number of group elements, shared among the items, at least one each.
        tolerance: Largest deviation, absolute below 1 and relative above; None for 1e-5 in float32 and 1e-12
            in float64.

    Returns:
        The largest deviation and the item where it occurs.
    """
    group = as_group(group)

    def turn(g: Any, y: Any) -> Any:
        if representation is None:
            return jax.tree.map(lambda leaf: group.act(g, leaf), y)
        matrix = representation(g)
        return jax.tree.map(lambda leaf: transform(matrix, leaf), y)

    values, items = _compare(f, group, x, key, samples, turn)
    return worst(f"equivariant under {group.name}", values, items, _tolerance(tolerance, items))


def sensitive(
    f: Callable[..., Any],
    group: Group | str,
    x: Any,
    *,
    key: PRNGKeyArray,
    samples: int = 32,
    least: float = 1e-3,
) -> Check:
    """Measure that f notices a change: f(g·x) ≠ f(x) whenever g·x ≠ x.

    Args:
        f: The encoder.
        group: What must be noticed, for example "mirrors" or "permutations".
        x: One item, or a list of items of one shape, without that symmetry of their own.
        key: Random key of the changes.
        samples: Number of changes, shared among the items, at least one each.
        least: Smallest change of the output that counts, absolute below 1 and relative above.

    Returns:
        The smallest change and the item where it occurs; it passes from `least` upwards.
    """
    group = as_group(group)
    values, items = _compare(f, group, x, key, samples, lambda g, y: y, skip_fixed=True)
    smallest = np.asarray(values, np.float64).reshape(len(items), -1).min(axis=1)
    index = int(smallest.argmin())
    value = float(smallest[index])
    detail = "" if np.isfinite(value) else "no change moved any item"
    passed = bool(np.isfinite(value) and value >= least)
    return Check(f"sensitive to {group.name}", value, least, to_host(items[index]), passed, detail)


def periodic(
    f: Callable[..., Any],
    period: float | tuple[tuple[float, ...], ...] | Group,
    x: Any,
    *,
    key: PRNGKeyArray,
    samples: int = 32,
    tolerance: float | None = None,
) -> Check:
    """Measure f(x + p) = f(x) for p up to three periods away on every axis.

    Args:
        f: The encoder.
        period: One period for every axis, or the lattice vectors as rows, or a group of translations.
        x: One item, or a list of items of one shape. The first argument is shifted.
        key: Random key of the shifts.
        samples: Number of shifts, shared among the items, at least one each.
        tolerance: Largest deviation, absolute below 1 and relative above; None for 1e-5 in float32 and 1e-12
            in float64. The rounding of x + p counts as deviation, times the slope of f.

    Returns:
        The largest deviation and the item where it occurs.
    """
    group = period if isinstance(period, Group) else lattice(period)
    values, items = _compare(f, group, x, key, samples, lambda g, y: y)
    return worst(f"periodic in {group.name}", values, items, _tolerance(tolerance, items))


def _compare(
    f: Callable[..., Any],
    group: Group,
    x: Any,
    key: Any,
    samples: int,
    expected: Callable[[Any, Any], Any],
    skip_fixed: bool = False,
) -> tuple[Any, list[Arguments]]:
    """The gap between f(g·x) and `expected(g, f(x))`, [items, draws].

    With `skip_fixed` a draw that does not move x counts as an infinite change.
    """
    items = as_items(x)
    draws = max(1, samples // len(items))

    def one(args: Arguments, g: Any) -> jax.Array:
        moved = group.move(g, args)
        value = gap(f(*moved), expected(g, f(*args)))
        if not skip_fixed:
            return value
        value = jnp.where(jnp.isfinite(value), value, 0.0)  # nan is no sign of noticing
        return jnp.where(gap(moved, args) > 0, value, jnp.inf)

    stacked = stack(items)
    elements = group.draw(jax.random.split(key, (len(items), draws)), stacked)
    return jax.jit(jax.vmap(jax.vmap(one, (None, 0))))(stacked, elements), items


def _tolerance(tolerance: float | None, items: list[Arguments]) -> float:
    return default_tolerance(float_dtype(items)) if tolerance is None else tolerance


assert_invariant = asserting(invariant)
assert_equivariant = asserting(equivariant)
assert_sensitive = asserting(sensitive)
assert_periodic = asserting(periodic)
