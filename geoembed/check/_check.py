"""What a measurement returns, and how two outputs are compared."""

import dataclasses
import functools
import math
from collections.abc import Callable
from typing import Any, ParamSpec

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np

P = ParamSpec("P")

_LISTED = 1000
_DEFAULT_TOLERANCE = {"float64": 1e-12, "float32": 1e-5, "float16": 1e-2, "bfloat16": 5e-2}


@dataclasses.dataclass(frozen=True, eq=False)
class Check:
    """One measured property. It is true when it passed.

    Args:
        name: What was measured.
        value: The measured figure; inf when something was not finite or did not fit.
        tolerance: The figure it was held against.
        worst_input: The input with the worst figure, in numpy arrays.
        passed: The verdict.
        detail: What a reader needs besides, for example an error message.
    """

    name: str
    value: float
    tolerance: float
    worst_input: Any
    passed: bool
    detail: str = ""

    def __bool__(self) -> bool:
        return self.passed

    def __str__(self) -> str:
        verdict = "passed" if self.passed else "FAILED"
        text = f"{self.name}: {verdict}, measured {self.value:.3g}, tolerance {self.tolerance:.3g}"
        if self.passed:
            return text
        return f"{text}\n  worst input: {self.worst_input!r}" + (f"\n  {self.detail}" if self.detail else "")

    def to_dict(self) -> dict[str, Any]:
        """Plain values for JSON; a number that is not finite becomes a string.

        The worst input, of a failed check only, has its arrays as nested lists, those of more than 1000 numbers as
        dtype and shape.
        """
        return {
            "name": self.name,
            "value": _plain(self.value),
            "tolerance": _plain(self.tolerance),
            "passed": self.passed,
            "detail": self.detail,
            "worst_input": None if self.passed else _plain(self.worst_input),
        }


def asserting(check: Callable[P, Check]) -> Callable[P, Check]:
    """The `assert_` twin of a check: raises AssertionError with the figure when it fails, else returns it."""

    @functools.wraps(check)
    def twin(*args: P.args, **kwargs: P.kwargs) -> Check:
        __tracebackhide__ = True  # pytest shows the caller's line
        result = check(*args, **kwargs)
        if not result.passed:
            raise AssertionError(str(result))
        return result

    twin.__name__ = twin.__qualname__ = f"assert_{check.__name__}"
    twin.__doc__ = f"Measure `{check.__name__}` and raise AssertionError with the figure when it fails."
    return twin


def worst(name: str, values: Any, items: list[Any], tolerance: float, detail: str = "") -> Check:
    """The check whose value is the largest of one value per item; it passes up to the tolerance."""
    figures = np.asarray(values, np.float64).reshape(len(items), -1).max(axis=1, initial=0.0)
    figures = np.where(np.isnan(figures), np.inf, figures)
    index = int(figures.argmax())
    value = float(figures[index])
    return Check(name, value, tolerance, to_host(items[index]), value <= tolerance, detail)


def first_line(error: Exception) -> str:
    """The kind of an error and the first line of its message."""
    return ": ".join([type(error).__name__, *str(error).splitlines()[:1]])


def _plain(value: Any) -> Any:
    if isinstance(value, dict):
        return {str(name): _plain(item) for name, item in value.items()}
    if isinstance(value, list | tuple):
        return [_plain(item) for item in value]
    if isinstance(value, np.ndarray | np.generic):
        listed = value.size <= _LISTED and value.dtype.kind in "biuf"
        return _plain(value.tolist()) if listed else f"{value.dtype} {list(value.shape)}"
    if isinstance(value, float) and not math.isfinite(value):
        return str(value)
    return value if value is None or isinstance(value, str | int | float) else repr(value)


def to_host(tree: Any) -> Any:
    """The same tree with numpy arrays, which print short and outlive any jax mode."""
    tree = tree[0] if isinstance(tree, tuple) and len(tree) == 1 else tree
    return jax.tree.map(lambda leaf: np.asarray(leaf) if eqx.is_array(leaf) else leaf, tree)


def default_tolerance(dtype: Any) -> float:
    """What rounding alone may cost a short computation in this dtype."""
    return _DEFAULT_TOLERANCE[jnp.dtype(dtype).name]


def gap_on_host(got: Any, expected: Any) -> float:
    """`gap` of outputs that exist, in numpy: nothing has to be compiled for their shapes."""
    with np.errstate(all="ignore"):
        return float(gap(jax.device_get(got), jax.device_get(expected), np))


def gap(got: Any, expected: Any, xp: Any = jnp) -> Any:
    """How far two outputs differ: absolute below 1, relative to the largest expected number above.

    Infinite when a number is not finite, or when shapes, dtypes or integers differ. Traceable.

    Args:
        got: An output.
        expected: What it should be.
        xp: `jax.numpy` or, for numbers on the host, `numpy`.

    Raises:
        ValueError: There are no numbers: nothing equals nothing, but that is no measurement.
    """
    if not any(jnp.size(leaf) for leaf in jax.tree.leaves((got, expected))):
        raise ValueError("there are no numbers to compare: the output is empty")
    if jax.tree.structure(got) != jax.tree.structure(expected):
        return xp.asarray(xp.inf)
    pairs = zip(jax.tree.leaves(got), jax.tree.leaves(expected), strict=True)
    return functools.reduce(xp.maximum, [_leaf_gap(a, b, xp) for a, b in pairs], xp.zeros(()))


def _leaf_gap(a: Any, b: Any, xp: Any) -> Any:
    a, b = xp.asarray(a), xp.asarray(b)
    if a.shape != b.shape or a.dtype != b.dtype:
        return xp.asarray(xp.inf)
    if a.size == 0:
        return xp.zeros(())
    if not jnp.issubdtype(a.dtype, jnp.inexact):
        return xp.where(xp.any(a != b), xp.inf, 0.0)
    ratio = xp.max(xp.abs(a - b)) / xp.maximum(1, xp.max(xp.abs(b)))
    return xp.where(xp.isfinite(ratio), ratio, xp.inf).astype(xp.zeros(()).dtype)
