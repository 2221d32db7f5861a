"""Properties of f as a program: compiled as eager, batched as looped, traced once, dtype kept, exported."""

import copy
from collections.abc import Callable, Iterator
from typing import Any

import equinox as eqx
import jax
import jax.export
import jax.numpy as jnp

from ._check import Check, asserting, default_tolerance, gap, to_host, worst
from ._items import Arguments, as_items, cast, complex_of, float_dtype, on_floats, several, stack

PLATFORMS = ("cpu", "cuda", "tpu")


def jit_matches_eager(f: Callable[..., Any], x: Any, *, tolerance: float | None = None) -> Check:
    """Measure that the compiled f returns what the eager f returns: numbers, shapes and dtypes.

    Args:
        f: The encoder.
        x: One item, or a list of items, of which the first four are used.
        tolerance: Largest deviation; None for 1e-5 in float32 and 1e-12 in float64.

    Returns:
        The largest deviation and the item where it occurs.
    """
    items = as_items(x)[:4]
    compiled = jax.jit(lambda args: f(*args))
    values = [gap(compiled(args), _as_arrays(f(*args))) for args in items]
    return worst("jit matches eager", jnp.stack(values), items, _tolerance(tolerance, items))


def vmap_matches_loop(f: Callable[..., Any], x: Any, *, tolerance: float | None = None) -> Check:
    """Measure that a batch through `vmap` returns what one item after the other returns.

    Args:
        f: The encoder.
        x: One item, or a list of items of one shape, of which the first eight are used. A single one is
            joined by scaled copies.
        tolerance: Largest deviation; None for 1e-5 in float32 and 1e-12 in float64.

    Returns:
        The largest deviation and the item where it occurs.
    """
    items = several(as_items(x)[:8], 4)
    one = jax.jit(lambda args: f(*args))
    batch = jax.jit(jax.vmap(lambda args: f(*args)))(stack(items))
    rows = [jax.tree.map(lambda leaf, i=i: leaf[i], batch) for i in range(len(items))]
    values = [gap(row, one(args)) for row, args in zip(rows, items, strict=True)]
    return worst("vmap matches loop", jnp.stack(values), items, _tolerance(tolerance, items))


def one_trace(f: Callable[..., Any], x: Any) -> Check:
    """Count how often f is traced for inputs of one shape and for an equal copy of f.

    A static field that compares by identity, or holds an array, makes every copy (a loaded one, a deep copy)
    compile again.

    Args:
        f: The encoder.
        x: One item, or a list of items, of which the first is used.

    Returns:
        The number of traces; it passes at 1.
    """
    items = as_items(x)[:1]
    first, second = several(items, 2)
    traces = 0

    def call(f: Callable[..., Any], args: Arguments) -> Any:
        nonlocal traces
        traces += 1
        return f(*args)

    compiled = eqx.filter_jit(call)
    for g, args in ((f, first), (f, second), (_copied(f), first)):
        compiled(g, args)
    return worst("traced once", [float(traces)], items, 1.0)


def dtype_kept(f: Callable[..., Any], x: Any) -> Check:
    """Count outputs whose dtype is not that of the input, and float64 inside a float32 computation.

    float32 and float64 are tried with x64 on, where a float64 constant would widen a float32 program
    unnoticed. Python numbers, which adapt to the other operand, are fine.

    Args:
        f: The encoder; its jax arrays are cast as the input.
        x: One item, or a list of items, of which the first is used.

    Returns:
        The count; it passes at 0.
    """
    item = as_items(x)[0]
    faults: list[str] = []
    with jax.enable_x64(True):
        for dtype in (jnp.float32, jnp.float64):
            g, args = cast(f, dtype), cast(item, dtype)
            traced, outputs = jax.make_jaxpr(lambda args, g=g: g(*args), return_shape=True)(args)
            allowed = {jnp.dtype(dtype), complex_of(dtype)}
            wrong = [
                out.dtype.name
                for out in jax.tree.leaves(outputs)
                if _inexact(out) and out.dtype not in allowed
            ]
            faults += [f"{jnp.dtype(dtype).name} gives {name}" for name in wrong]
            if dtype == jnp.float32:
                faults += [f"{name} in float64" for name in _wide_operations(traced.jaxpr)]
    return Check("dtype kept", float(len(faults)), 0.0, to_host(item), not faults, "; ".join(faults[:5]))


def exports(f: Callable[..., Any], x: Any, *, platforms: tuple[str, ...] = PLATFORMS) -> Check:
    """Count the platforms for which f or its gradient does not lower through `jax.export`.

    Lowering needs no such device: it runs on a CPU.

    Args:
        f: The encoder.
        x: One item, or a list of items, of which the first is used.
        platforms: Names as `jax.export` takes them.

    Returns:
        The number of platforms that fail; it passes at 0. `detail` has the first line of each error.
    """
    item = as_items(x)[0]

    def value_and_gradient(args: Arguments) -> Any:
        g, point = on_floats(f, args)
        value, pull = jax.vjp(g, point)
        return f(*args), pull(jnp.ones_like(value))

    failed = []
    for platform in platforms:
        try:
            jax.export.export(jax.jit(value_and_gradient), platforms=(platform,))(item)
        except Exception as error:  # whatever a lowering rule raises
            failed.append(f"{platform}: {type(error).__name__}: {str(error).splitlines()[0]}")
    name = f"lowers for {', '.join(platforms)}"
    return Check(name, float(len(failed)), 0.0, to_host(item), not failed, "; ".join(failed))


def _wide_operations(jaxpr: Any) -> Iterator[str]:
    """The operations whose result is float64 or complex128 and no Python number."""
    for equation in jaxpr.eqns:
        for out in equation.outvars:
            if str(getattr(out.aval, "dtype", "")) in ("float64", "complex128") and not out.aval.weak_type:
                yield equation.primitive.name
        for inner in jax.tree.leaves(list(equation.params.values()), is_leaf=lambda p: hasattr(p, "eqns")):
            inner = getattr(inner, "jaxpr", inner)
            if hasattr(inner, "eqns"):
                yield from _wide_operations(inner)


def _copied(f: Any) -> Any:
    """An equal copy that shares nothing; a function is its own only copy."""
    return copy.deepcopy(f) if isinstance(f, eqx.Module) else f


def _inexact(leaf: Any) -> bool:
    return jnp.issubdtype(leaf.dtype, jnp.inexact)


def _as_arrays(tree: Any) -> Any:
    return jax.tree.map(jnp.asarray, tree)


def _tolerance(tolerance: float | None, items: list[Arguments]) -> float:
    return default_tolerance(float_dtype(items)) if tolerance is None else tolerance


assert_jit_matches_eager = asserting(jit_matches_eager)
assert_vmap_matches_loop = asserting(vmap_matches_loop)
assert_one_trace = asserting(one_trace)
assert_dtype_kept = asserting(dtype_kept)
assert_exports = asserting(exports)
