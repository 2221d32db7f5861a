"""Making a card: every declared property and every duty of an encoder, one row each."""

from collections.abc import Callable, Iterator
from functools import partial
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
from jaxtyping import PRNGKeyArray

from geoembed.core import Property

from ._card import Card, Row
from ._check import Check, first_line
from ._derivatives import finite_at, gradient_matches
from ._groups import as_group
from ._items import as_items, cast, on_floats
from ._metric import eikonal, lipschitz, smooth
from ._program import PLATFORMS, dtype_kept, exports, jit_matches_eager, one_trace, vmap_matches_loop
from ._symmetry import equivariant, invariant, periodic, sensitive

_OWN = 32  # items that an encoder makes for its card


def card(
    encoder: Callable[..., Any],
    example: Any = None,
    *,
    key: PRNGKeyArray,
    dtypes: tuple[str, ...] = ("float32", "float64"),
    platforms: tuple[str, ...] = PLATFORMS,
    callback: Callable[[Row], None] | None = None,
) -> Card:
    """Measure every property in `encoder.properties`, and what every encoder owes.

    The latter: compiled equals eager, batched equals looped, finite values and gradients, gradient equal to
    differences (where an input is a floating-point number), dtype kept, traced once, lowering for each platform. A
    measurement that raises is a failed row.

    Args:
        encoder: An encoder, with a tuple `properties` of `geoembed.core.Property` or without.
        example: One item, or a list of items of one shape, in the domain of the properties. A tuple is the
            arguments of one call. None for 32 items of the encoder's own method `examples(count, *, key)`.
        key: Random key of group elements, directions and examples.
        dtypes: Precisions to measure in; the encoder's jax arrays are cast, numpy tables stay as they are.
            Smoothness and gradients are measured in float64 only.
        platforms: Platforms that it must lower for.
        callback: Called with every row as soon as it is measured: a large encoder compiles for a minute.

    Returns:
        The card.

    Raises:
        ValueError: There is no example and the encoder makes none, its properties are no tuple of `Property`, or
            `dtypes` or `platforms` is empty or unknown.

    Example:
        >>> import jax, jax.numpy as jnp
        >>> bool(card(jnp.sin, jnp.ones(3), key=jax.random.key(0)))
        True
    """
    if not dtypes or not set(dtypes) <= {"float32", "float64"}:
        raise ValueError(f"dtypes must be 'float32', 'float64' or both, received {dtypes}")
    if not platforms:
        raise ValueError("a card needs at least one platform, for example platforms=('cpu',)")
    declared = _promises(encoder)
    example = _own_examples(encoder, key) if example is None else example
    rows = []
    for line in _plan(encoder, example, declared, key, dtypes, platforms):
        row = Row(_guarded(line.name, line.measure), line.dtype, line.declared)
        rows.append(row)
        if callback is not None:
            callback(row)
    return Card(name_of(encoder), tuple(rows))


def name_of(encoder: Any) -> str:
    """The name of a function or of an encoder's class."""
    return getattr(encoder, "__name__", type(encoder).__name__)


def title(declared: Property) -> str:
    """The name of the row that measures a property."""
    match declared.kind:
        case "eikonal":
            return "eikonal"
        case "lipschitz":
            return f"lipschitz {_number(declared):g}"
        case "smooth":
            return f"smooth to order {_number(declared):g}"
    joint = {"sensitive": "to", "periodic": "in"}.get(declared.kind, "under")
    group = declared.group
    name = group if isinstance(group, str) else getattr(group, "name", f"lattice {group}")
    return f"{declared.kind} {joint} {name}"


def _promises(encoder: Any) -> tuple[Property, ...]:
    declared = getattr(encoder, "properties", ())
    if not isinstance(declared, tuple) or not all(isinstance(promise, Property) for promise in declared):
        raise ValueError(f"properties must be a tuple of geoembed.core.Property, received {declared!r}")
    return declared


def _own_examples(encoder: Any, key: PRNGKeyArray) -> list[Any]:
    own = getattr(encoder, "examples", None)
    if own is None:
        raise ValueError(
            f"{name_of(encoder)} has no method examples(count, *, key): pass one item or a list of items"
        )
    items = own(_OWN, key=key)
    if not isinstance(items, list) or not items:
        raise ValueError(f"{name_of(encoder)}.examples must return a list of items, received {items!r}")
    return items


class _Line(NamedTuple):
    """A row that is still to be measured."""

    name: str
    dtype: str
    declared: Property | None
    measure: Callable[[], Check]


def _plan(
    encoder: Any,
    example: Any,
    declared: tuple[Property, ...],
    key: Any,
    dtypes: tuple[str, ...],
    platforms: tuple[str, ...],
) -> Iterator[_Line]:
    """The rows of a card: what is declared, what is owed in each precision, what is owed once."""
    for dtype in dtypes:
        for promise in declared:
            if promise.kind != "smooth":
                measure = partial(_in, dtype, encoder, example, partial(_kept, promise, dtype, key))
                yield _Line(title(promise), dtype, promise, measure)
    for promise in declared:
        if promise.kind == "smooth":
            measure = partial(_in, "float64", encoder, example, partial(_kept, promise, "float64", key))
            yield _Line(title(promise), "float64", promise, measure)
    for dtype in dtypes:
        for name, check in _OWED.items():
            yield _Line(name, dtype, None, partial(_in, dtype, encoder, example, check))
    items, default = as_items(example), jnp.zeros(()).dtype.name
    if on_floats(encoder, items[0])[1].size:
        slopes = partial(gradient_matches, encoder, example, key=key)
        yield _Line("gradient matches differences", "float64", None, slopes)
    yield _Line("dtype kept", "both", None, partial(dtype_kept, encoder, items))
    yield _Line("traced once", default, None, partial(one_trace, encoder, items))
    lowers = partial(exports, encoder, items, platforms=platforms)
    yield _Line(f"lowers for {', '.join(platforms)}", default, None, lowers)


_OWED = {
    "jit matches eager": jit_matches_eager,
    "vmap matches loop": vmap_matches_loop,
    "finite values and gradients": finite_at,
}


def _in(dtype: str, encoder: Any, example: Any, check: Callable[[Any, Any], Check]) -> Check:
    """The check with encoder and items in a precision."""
    with jax.enable_x64(dtype == "float64"):
        return check(cast(encoder, jnp.dtype(dtype)), cast(as_items(example), jnp.dtype(dtype)))


def _kept(declared: Property, dtype: str, key: Any, f: Any, items: list[Any]) -> Check:
    """The check of one declared property."""
    tolerance = declared.tol_f64 if dtype == "float64" else declared.tol_f32
    match declared.kind:
        case "invariant":
            return invariant(f, as_group(declared.group), items, key=key, tolerance=tolerance)
        case "equivariant":
            rho = declared.representation
            group = as_group(declared.group)
            return equivariant(f, group, items, key=key, representation=rho, tolerance=tolerance)
        case "sensitive":
            least = 1e-3 if declared.constant is None else declared.constant
            return sensitive(f, as_group(declared.group), items, key=key, least=least)
        case "periodic":
            return periodic(f, _period(declared.group), items, key=key, tolerance=tolerance)
        case "eikonal":
            return eikonal(f, items, tolerance=tolerance)
        case "lipschitz":
            return lipschitz(f, _number(declared), items, key=key, tolerance=tolerance)
        case "smooth":
            return smooth(f, int(_number(declared)), items, key=key)


def _number(declared: Property) -> int | float:
    assert declared.constant is not None  # Property checked it
    return declared.constant


def _period(group: Any) -> Any:
    return as_group(group) if isinstance(group, str) else group


def _guarded(name: str, measure: Callable[[], Check]) -> Check:
    """The check, or a failed one in its place when it raises: a card has all its rows."""
    try:
        return measure()
    except Exception as error:
        return Check(name, float("inf"), 0.0, None, False, f"raised {first_line(error)}")
