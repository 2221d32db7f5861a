"""The inputs of a measurement: one item or a list of items; a tuple is the arguments of a call."""

from collections.abc import Callable
from typing import Any

import equinox as eqx
import jax
import jax.flatten_util
import jax.numpy as jnp
import numpy as np

Arguments = tuple[Any, ...]


def as_items(x: Any) -> list[Arguments]:
    """The items as argument tuples with jax arrays."""
    items = x if isinstance(x, list) else [x]
    if not items:
        raise ValueError("the list of items is empty: pass at least one item")
    items = [item if isinstance(item, tuple) else (item,) for item in items]
    return [jax.tree.map(_as_jax, item) for item in items]


def stack(items: list[Arguments]) -> Arguments:
    """All items with a leading axis, for `vmap`."""
    shapes = {str(jax.tree.map(jnp.shape, item)) for item in items}
    if len(shapes) > 1:
        raise ValueError(
            f"items differ in shape: {' and '.join(sorted(shapes))}; measure each shape by itself"
        )
    return jax.tree.map(lambda *leaves: jnp.stack(leaves), *items)


def several(items: list[Arguments], least: int) -> list[Arguments]:
    """At least this many items: a few are followed by scaled copies of themselves."""
    copies = -(-least // len(items))
    return [_scaled(item, 1 + step / 8) for step in range(copies) for item in items]


def float_dtype(items: list[Arguments]) -> Any:
    """The dtype of the floating inputs; jax's default where there are none."""
    floats = [leaf for leaf in jax.tree.leaves(items) if jnp.issubdtype(leaf.dtype, jnp.floating)]
    return floats[0].dtype if floats else jnp.zeros(()).dtype


def cast(tree: Any, dtype: Any) -> Any:
    """Every floating or complex jax array in this precision.

    numpy arrays stay: a module keeps its tables in float64 on the host and casts them to its input's dtype
    itself.
    """
    real, complex_ = jnp.dtype(dtype), complex_of(dtype)

    def leaf(value: Any) -> Any:
        if not isinstance(value, jax.Array) or not jnp.issubdtype(value.dtype, jnp.inexact):
            return value
        return value.astype(complex_ if jnp.issubdtype(value.dtype, jnp.complexfloating) else real)

    return jax.tree.map(leaf, tree)


def complex_of(dtype: Any) -> Any:
    """The complex dtype of this precision."""
    return jnp.dtype(jnp.complex128 if jnp.dtype(dtype) == jnp.float64 else jnp.complex64)


def flat_floats(tree: Any) -> jax.Array:
    """All floating numbers of an output as one vector."""
    return jax.flatten_util.ravel_pytree(eqx.filter(tree, eqx.is_inexact_array))[0]


def on_floats(f: Callable[..., Any], args: Arguments) -> tuple[Callable[[jax.Array], jax.Array], jax.Array]:
    """f as a map between vectors of its floating inputs and outputs, and the point that `args` are."""
    floats, rest = eqx.partition(args, eqx.is_inexact_array)
    point, unravel = jax.flatten_util.ravel_pytree(floats)
    return lambda vector: flat_floats(f(*eqx.combine(unravel(vector), rest))), point


def directions(key: Any, items: list[Arguments], draws: int) -> jax.Array:
    """Normal numbers [items, draws, size] for moving the floating inputs of each item.

    Drawn by numpy from the key: compiling a normal distribution would cost more than the measurement.
    """
    point = on_floats(lambda *_: None, items[0])[1]
    seed = np.asarray(jax.random.key_data(key)).ravel()
    numbers = np.random.default_rng(seed).normal(size=(len(items), draws, point.size))
    return jnp.asarray(numbers, point.dtype)


def _as_jax(leaf: Any) -> Any:
    return (
        jnp.asarray(leaf) if isinstance(leaf, (np.ndarray, np.generic, float, int, bool, complex)) else leaf
    )


def _scaled(item: Arguments, factor: float) -> Arguments:
    return jax.tree.map(lambda leaf: leaf * factor if eqx.is_inexact_array(leaf) else leaf, item)
