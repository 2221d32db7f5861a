"""Properties of f as a program: compiled as eager, batched as looped, traced once, dtype kept, exported."""

import copy
from collections.abc import Callable
from typing import Any

import equinox as eqx
import jax
import jax.export
import jax.monitoring
import jax.numpy as jnp

from ._check import Check, asserting, default_tolerance, first_line, gap_on_host, to_host, worst
from ._items import Arguments, as_items, cast, complex_of, float_dtype, on_floats, several, stack
from ._jaxpr import narrow_operations, wide_operations

PLATFORMS = ("cpu", "cuda", "tpu")

# Eager control flow is traced in every call; it needs a jit around it and is no fault of the encoder.
_CONTROL_FLOW = {"scan", "while", "cond", "switch", "reduce", "custom_linear_solve"}


def jit_matches_eager(f: Callable[..., Any], x: Any, *, tolerance: float | None = None) -> Check:
    """Measure that the compiled f returns what the eager f returns: numbers, shapes and dtypes.

    Args:
        f: The encoder.
        x: One item, or a list of items, of which the first four are used.
        tolerance: Largest deviation; None for 1e-5 in float32 and 1e-12 in float64.

    Returns:
        The largest deviation and the item where it occurs. It fails with the reason in `detail` when the eager f
        runs and the compiled one does not.

    Example:
        >>> import jax.numpy as jnp
        >>> jit_matches_eager(jnp.sin, jnp.ones(3)).passed
        True
        >>> jit_matches_eager(lambda x: x if x[0] > 0 else -x, jnp.ones(3)).passed
        False
    """
    name, items = "jit matches eager", as_items(x)[:4]
    compiled = jax.jit(lambda args: f(*args))
    eager = [_as_arrays(f(*args)) for args in items]
    try:
        values = [gap_on_host(compiled(args), expected) for args, expected in zip(items, eager, strict=True)]
    except Exception as error:  # whatever tracing f raises
        return _refused(name, error, items, _tolerance(tolerance, items))
    return worst(name, values, items, _tolerance(tolerance, items))


def vmap_matches_loop(f: Callable[..., Any], x: Any, *, tolerance: float | None = None) -> Check:
    """Measure that a batch through `vmap` returns what one item after the other returns.

    Args:
        f: The encoder.
        x: One item, or a list of items of one shape, of which the first eight are used. A single one is
            joined by scaled copies; whole numbers stay as they are, so give several of those.
        tolerance: Largest deviation; None for 1e-5 in float32 and 1e-12 in float64.

    Returns:
        The largest deviation and the item where it occurs. It fails with the reason in `detail` when f takes one item
        and no batch.
    """
    name, items = "vmap matches loop", several(as_items(x)[:8], 4)
    one = jax.jit(lambda args: f(*args))
    loop, stacked = [one(args) for args in items], stack(items)
    try:
        batch = jax.device_get(jax.jit(jax.vmap(lambda args: f(*args)))(stacked))
    except Exception as error:  # whatever a batching rule raises
        return _refused(name, error, items, _tolerance(tolerance, items))
    rows = [jax.tree.map(lambda leaf, i=i: leaf[i], batch) for i in range(len(items))]
    values = [gap_on_host(row, expected) for row, expected in zip(rows, loop, strict=True)]
    return worst(name, values, items, _tolerance(tolerance, items))


def one_trace(f: Callable[..., Any], x: Any) -> Check:
    """Count how often f is traced for inputs of one shape and for equal copies of f, and what it traces by itself.

    A static field that compares by identity, or holds an array, makes every copy (a loaded one, a deep copy)
    compile again; a weakly typed array (`jnp.asarray(1.0)`) does once it has been saved or trained, because it comes
    back with a dtype of its own. A `jax.jit` that f makes anew in every call compiles in every eager call.

    Args:
        f: The encoder.
        x: One item, or a list of items, of which the first is used.

    Returns:
        The number of traces; it passes at 1.

    Example:
        >>> import jax, jax.numpy as jnp
        >>> one_trace(jnp.sin, jnp.ones(3)).value
        1.0
        >>> one_trace(lambda x: jax.jit(lambda y: jnp.sin(y))(x), jnp.ones(3)).value
        2.0
    """
    items = as_items(x)[:1]
    first, second = several(items, 2)
    traces = 0

    def call(f: Callable[..., Any], args: Arguments) -> Any:
        nonlocal traces
        traces += 1
        return f(*args)

    compiled = eqx.filter_jit(call)
    for g, args in ((f, first), (f, second), (_copied(f), first), (_strongly_typed(f), first)):
        compiled.lower(g, args)  # traced as in a call; what it would compute does not matter
    again = _traced_again(f, first, second)
    detail = f"called again, it traces {', '.join(again)} again" if again else ""
    return worst("traced once", [float(traces + len(again))], items, 1.0, detail)


def _traced_again(f: Callable[..., Any], first: Arguments, second: Arguments) -> list[str]:
    """The names of the jitted functions that an eager f lowers anew in its third call with one shape.

    Lowering, not tracing: flax asks `jax.eval_shape` for the shapes of its parameters in every call, which compiles
    nothing.
    """
    names = []

    def note(event: str, duration_secs: float, **kwargs: str | int) -> None:
        name = str(kwargs.get("fun_name", "")).removeprefix("jit(").removesuffix(")")
        if event.endswith("/jaxpr_to_mlir_module_duration") and name not in _CONTROL_FLOW:
            names.append(name)

    for args in (first, second):
        f(*args)
    jax.monitoring.register_event_duration_secs_listener(note)
    try:
        f(*first)
    finally:
        jax.monitoring.unregister_event_duration_listener(note)
    return names


def dtype_kept(f: Callable[..., Any], x: Any) -> Check:
    """Count outputs whose dtype is not that of the input, and operations in another precision on the way.

    float32 and float64 are tried with x64 on, where a float64 constant would widen a float32 program unnoticed, in
    the value and in its gradient. In float64, numbers must not pass through a narrower dtype. Python numbers, which
    adapt to the other operand, are fine.

    Args:
        f: The encoder; its jax arrays are cast as the input.
        x: One item, or a list of items, of which the first is used.

    Returns:
        The count; it passes at 0. `detail` has the first five.

    Example:
        >>> import jax.numpy as jnp, numpy as np
        >>> dtype_kept(lambda x: 2.0 * x, jnp.ones(3)).passed
        True
        >>> dtype_kept(lambda x: np.float64(2.0) * x, jnp.ones(3)).detail
        'float32 gives float64; ... in float64'
    """
    item = as_items(x)[0]
    faults: list[str] = []
    with jax.enable_x64(True), jax.numpy_dtype_promotion("standard"):
        for dtype in (jnp.float32, jnp.float64):
            g, args = cast(f, dtype), cast(item, dtype)
            try:
                faults += _other_dtypes(g, args, dtype)
            except Exception as error:  # f may know one precision only
                faults.append(f"in {jnp.dtype(dtype).name} it raises {first_line(error)}")
    detail = "; ".join(faults[:5])
    return Check("dtype kept", float(len(faults)), 0.0, to_host(item), not faults, detail)


def _other_dtypes(f: Callable[..., Any], args: Arguments, dtype: Any) -> list[str]:
    """What leaves the precision of the input, in words."""
    name = jnp.dtype(dtype).name
    traced, outputs = jax.make_jaxpr(lambda args: f(*args), return_shape=True)(args)
    allowed = {jnp.dtype(dtype), complex_of(dtype)}
    wrong = [out.dtype.name for out in jax.tree.leaves(outputs) if _inexact(out) and out.dtype not in allowed]
    faults = [f"{name} gives {other}" for other in wrong]
    look = wide_operations if dtype == jnp.float32 else narrow_operations
    inside = list(look(traced.jaxpr))
    if not inside:
        inside = [f"{name} of the gradient" for name in look(_gradient_program(f, args))]
    return faults + inside


def _gradient_program(f: Callable[..., Any], args: Arguments) -> Any:
    g, point = on_floats(f, args)

    def gradient(vector: jax.Array) -> Any:
        value, pull = jax.vjp(g, vector)
        return pull(jnp.ones_like(value))

    try:
        return jax.make_jaxpr(gradient)(point).jaxpr
    except Exception:  # f has no reverse mode, which `exports` says
        return jax.make_jaxpr(lambda: None)().jaxpr


def exports(f: Callable[..., Any], x: Any, *, platforms: tuple[str, ...] = PLATFORMS) -> Check:
    """Count the platforms for which f or its gradient does not lower through `jax.export`.

    Lowering needs no such device: it runs on a CPU.

    Args:
        f: The encoder.
        x: One item, or a list of items, of which the first is used.
        platforms: Names as `jax.export` takes them.

    Returns:
        The number of platforms that fail; it passes at 0. `detail` has the first line of each error.

    Raises:
        ValueError: No platform is named.

    Example:
        >>> import jax, jax.numpy as jnp
        >>> exports(jnp.sin, jnp.ones(3)).passed
        True
        >>> count = lambda x: jax.lax.while_loop(lambda c: jnp.sum(c) < 9, lambda c: c + 1, x)
        >>> exports(count, jnp.ones(3), platforms=("tpu",)).detail
        'tpu: ValueError: Reverse-mode differentiation does not work for lax.while_loop...'
    """
    if not platforms:
        raise ValueError("exports needs at least one platform, for example platforms=('cpu',)")
    item = as_items(x)[0]

    def value_and_gradient(args: Arguments) -> Any:
        g, point = on_floats(f, args)
        value, pull = jax.vjp(g, point)
        return f(*args), pull(jnp.ones_like(value))

    def refusal(*platforms: str) -> str:
        try:
            jax.export.export(jax.jit(value_and_gradient), platforms=platforms)(item)
        except Exception as error:  # whatever a lowering rule raises
            return first_line(error)
        return ""

    failed = []
    if refusal(*platforms):  # all at once takes a third of the time, and does not say which of them failed
        refusals = {platform: refusal(platform) for platform in platforms}
        failed = [f"{platform}: {message}" for platform, message in refusals.items() if message]
    name = f"lowers for {', '.join(platforms)}"
    return Check(name, float(len(failed)), 0.0, to_host(item), not failed, "; ".join(failed))


def _copied(f: Any) -> Any:
    """An equal copy that shares nothing; a function is its own only copy."""
    return copy.deepcopy(f) if isinstance(f, eqx.Module) else f


def _strongly_typed(f: Any) -> Any:
    """An equal copy whose arrays have a dtype of their own, as after saving and loading."""

    def leaf(value: Any) -> Any:
        return jnp.array(value, value.dtype) if getattr(value, "weak_type", False) else value

    return jax.tree.map(leaf, f)


def _refused(name: str, error: Exception, items: list[Arguments], tolerance: float) -> Check:
    return Check(name, float("inf"), tolerance, to_host(items[0]), False, f"raised {first_line(error)}")


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
