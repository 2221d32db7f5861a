"""The inputs of a measurement: one item or a list of items; a tuple is the arguments of a call."""

from collections.abc import Callable
from typing import Any

import equinox as eqx
import jax
import jax.flatten_util
import jax.numpy as jnp
import numpy as np
from jaxtyping import Float64

Arguments = tuple[Any, ...]

# Compiled in half the time. For programs that run once and whose last digits do not matter: random elements, and
# derivatives in float64 that are held against tolerances far above rounding.
QUICKLY = {"xla_backend_optimization_level": 0}


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
    return jax.tree.map(_stacked, *items)


def _stacked(*leaves: Any) -> jax.Array:
    if any(leaf.weak_type or jnp.issubdtype(leaf.dtype, jax.dtypes.prng_key) for leaf in leaves):
        return jnp.stack(leaves)
    return jax.device_put(np.stack(leaves))  # on the host: nothing is compiled for the number of items


def several(items: list[Arguments], least: int) -> list[Arguments]:
    """At least this many items: a few are followed by scaled copies of themselves, zeros by small numbers."""
    copies = -(-least // len(items))
    return [_varied(item, step) for step in range(copies) for item in items]


def float_dtype(items: list[Arguments]) -> Any:
    """The real dtype of the floating or complex inputs; jax's default where there are none."""
    inexact = [leaf.dtype for leaf in jax.tree.leaves(items) if jnp.issubdtype(leaf.dtype, jnp.inexact)]
    return jnp.finfo(inexact[0]).dtype if inexact else jnp.zeros(()).dtype


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
    """All floating numbers of an output as one real vector; a complex number is two of them."""
    arrays = jax.tree.map(jnp.asarray, tree)
    return jax.flatten_util.ravel_pytree(_as_real(eqx.filter(arrays, eqx.is_inexact_array)))[0]


def on_floats(f: Callable[..., Any], args: Arguments) -> tuple[Callable[[jax.Array], jax.Array], jax.Array]:
    """f as a map between real vectors of its floating inputs and outputs, and the point that `args` are."""
    floats, rest = eqx.partition(args, eqx.is_inexact_array)
    point, unravel = jax.flatten_util.ravel_pytree(_as_real(floats))

    def on_vector(vector: jax.Array) -> jax.Array:
        return flat_floats(f(*eqx.combine(_as_given(floats, unravel(vector)), rest)))

    return on_vector, point


def differentiable(
    f: Callable[..., Any], args: Arguments
) -> tuple[Callable[[jax.Array], jax.Array], jax.Array]:
    """`on_floats`, for measurements that mean nothing without a number to differentiate.

    Raises:
        ValueError: No input or no output is a floating-point number.
    """
    g, point = on_floats(f, args)
    if point.size == 0:
        raise ValueError("x holds no floating-point number to differentiate by: convert it first")

    def checked(vector: jax.Array) -> jax.Array:
        value = g(vector)
        if value.size == 0:
            raise ValueError("f returns no floating-point number: there is nothing to differentiate")
        return value

    return checked, point


def points(items: list[Arguments]) -> Float64[np.ndarray, "items size"]:
    """The floating inputs of every item as one row, on the host."""
    rows = [on_floats(lambda *_: None, item)[1] for item in items]
    return np.stack([np.asarray(row, np.float64) for row in rows])


def seed_of(key: Any) -> list[int]:
    """The numbers of a random key, for numpy: compiling jax's normal distribution costs more than a measurement."""
    return np.asarray(jax.random.key_data(key)).ravel().tolist()


def normals(seed: list[int], *shape: int) -> Float64[np.ndarray, "..."]:
    """Normal numbers of this shape."""
    return np.random.default_rng(seed).normal(size=shape)


def reach(items: list[Arguments]) -> float:
    """A length that is small beside no item's own scale: the spread of the items, at most 1.

    Steps of differences are multiples of it, so that a part may be given in metres or in millimetres.
    """
    rows = points(items)
    spread = float(rows.std(axis=0).max(initial=0.0)) or float(np.abs(rows).max(initial=0.0))
    return min(spread, 1.0) if spread > 0 and np.isfinite(spread) else 1.0


def _as_real(tree: Any) -> Any:
    """Every complex leaf as its real and imaginary part."""
    return jax.tree.map(lambda leaf: (leaf.real, leaf.imag) if jnp.iscomplexobj(leaf) else leaf, tree)


def _as_given(like: Any, tree: Any) -> Any:
    """The tree that `_as_real` took apart, put together."""
    return jax.tree.map(lambda a, b: jax.lax.complex(*b) if jnp.iscomplexobj(a) else b, like, tree)


def _as_jax(leaf: Any) -> Any:
    return (
        jnp.asarray(leaf) if isinstance(leaf, (np.ndarray, np.generic, float, int, bool, complex)) else leaf
    )


def _varied(item: Arguments, step: int) -> Arguments:
    def leaf(value: Any) -> Any:
        if step == 0 or not eqx.is_inexact_array(value):
            return value
        return jnp.where(value == 0, 1e-3 * step, value * (1 + step / 8)).astype(value.dtype)

    return jax.tree.map(leaf, item)
