"""Invariance, equivariance, sensitivity and periodicity, measured on random group elements."""

import dataclasses
from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Bool, Float, PRNGKeyArray

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
    gaps = _compare(f, group, x, key, samples, lambda g, y: y)
    return _deviation("invariant under", group, gaps, tolerance)


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

    gaps = _compare(f, group, x, key, samples, turn)
    return _deviation("equivariant under", group, gaps, tolerance)


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
        The smallest change and the item where it occurs; it passes from `least` upwards, and never below what
        rounding alone may change (1e-5 in float32, 1e-12 in float64).

    Raises:
        ValueError: `least` is not above 0.
    """
    if not least > 0:
        raise ValueError(f"the least change must be above 0, received {least}: pass what counts as noticed")
    group = as_group(group)
    gaps = _compare(f, group, x, key, samples, lambda g, y: y)
    changes = np.where(gaps.finite, gaps.values, 0.0)  # nan is no sign of noticing
    smallest = np.where(gaps.moved, changes, np.inf).min(axis=1)  # what did not move need not be noticed
    index = int(smallest.argmin())
    value, least = float(smallest[index]), max(least, default_tolerance(float_dtype(gaps.items)))
    moved = bool(gaps.moved.any())
    detail = "" if moved else _UNMOVED.format(group.name)
    worst_input = to_host(gaps.items[index])
    return Check(f"sensitive to {group.name}", value, least, worst_input, moved and value >= least, detail)


def periodic(
    f: Callable[..., Any],
    period: float | Sequence[Any] | np.ndarray | Group,
    x: Any,
    *,
    key: PRNGKeyArray,
    samples: int = 32,
    tolerance: float | None = None,
) -> Check:
    """Measure f(x + p) = f(x) for p up to three periods away on every axis.

    Args:
        f: The encoder.
        period: One period for every axis, one for each coordinate (None for none), the lattice vectors as rows, or a
            group of translations, see `lattice`.
        x: One item, or a list of items of one shape. The first argument is shifted.
        key: Random key of the shifts.
        samples: Number of shifts, shared among the items, at least one each.
        tolerance: Largest deviation, absolute below 1 and relative above; None for 1e-5 in float32 and 1e-12
            in float64. The rounding of x + p counts as deviation, times the slope of f.

    Returns:
        The largest deviation and the item where it occurs.
    """
    group = period if isinstance(period, Group) else lattice(period)
    gaps = _compare(f, group, x, key, samples, lambda g, y: y)
    return _deviation("periodic in", group, gaps, tolerance)


class _Gaps(NamedTuple):
    """The gaps between f(g·x) and what it should be, for every item and drawn element."""

    values: Float[np.ndarray, "items draws"]
    moved: Bool[np.ndarray, "items draws"]  # whether g·x ≠ x
    finite: Bool[np.ndarray, "items draws"]  # whether all of f(x) and f(g·x) is
    sizes: Float[np.ndarray, " items"]  # the largest number of f(x); inf where any difference would show
    items: list[Arguments]


def _compare(
    f: Callable[..., Any],
    group: Group,
    x: Any,
    key: Any,
    samples: int,
    expected: Callable[[Any, Any], Any],
) -> _Gaps:
    """Compares f(g·x) with `expected(g, f(x))`."""
    items = as_items(x)

    def one(args: Arguments, elements: Any) -> Any:
        here = f(*args)

        def at(g: Any) -> tuple[jax.Array, ...]:
            moved = group.move(g, args)
            there = f(*moved)
            return gap(there, expected(g, here)), gap(moved, args) > 0, _finite(here) & _finite(there)

        return *jax.vmap(at)(elements), _size(here)

    stacked = stack(items)
    elements = group.draw(jax.random.split(key, (len(items), max(1, samples // len(items)))), stacked)
    return _Gaps(*map(np.asarray, jax.jit(jax.vmap(one))(stacked, elements)), items=items)


def _finite(output: Any) -> jax.Array:
    leaves = [
        leaf for leaf in map(jnp.asarray, jax.tree.leaves(output)) if jnp.issubdtype(leaf.dtype, jnp.inexact)
    ]
    return jnp.all(jnp.stack([jnp.all(jnp.isfinite(leaf)) for leaf in leaves] or [jnp.asarray(True)]))


def _size(output: Any) -> jax.Array:
    """The largest number of an output; infinite where it holds integers, which differ or do not."""
    leaves = [jnp.asarray(leaf) for leaf in jax.tree.leaves(output)]
    if not all(jnp.issubdtype(leaf.dtype, jnp.inexact) for leaf in leaves):
        return jnp.asarray(jnp.inf)
    dtype = jnp.zeros(()).dtype
    return jnp.max(jnp.stack([jnp.max(jnp.abs(leaf), initial=0).astype(dtype) for leaf in leaves]))


def _deviation(kind: str, group: Group, gaps: _Gaps, tolerance: float | None) -> Check:
    """The largest gap. A measurement that could not fail is a failed one: nothing moved, or all is too small."""
    if tolerance is None:
        tolerance = default_tolerance(float_dtype(gaps.items))
    check = worst(f"{kind} {group.name}", gaps.values, gaps.items, tolerance)
    if not gaps.moved.any():
        detail = _UNMOVED.format(group.name)
        return dataclasses.replace(check, value=float("inf"), passed=False, detail=detail)
    if check.passed and gaps.sizes.max() < tolerance:
        return dataclasses.replace(check, passed=False, detail=_TOO_SMALL.format(gaps.sizes.max()))
    return check


_UNMOVED = "no element of {} moved any item: nothing was measured"
_TOO_SMALL = "the largest output is {:.1g}, below the tolerance: nothing could fail"

assert_invariant = asserting(invariant)
assert_equivariant = asserting(equivariant)
assert_sensitive = asserting(sensitive)
assert_periodic = asserting(periodic)
