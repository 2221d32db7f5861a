"""An encoder's card: everything it declares and everything every encoder owes, measured."""

import dataclasses
from collections.abc import Callable, Iterator
from typing import Any

import jax
import jax.numpy as jnp
from jaxtyping import PRNGKeyArray

from geoembed.core import Property

from ._check import Check
from ._derivatives import finite_at, gradient_matches
from ._groups import as_group
from ._items import as_items, cast
from ._metric import eikonal, lipschitz, smooth
from ._program import PLATFORMS, dtype_kept, exports, jit_matches_eager, one_trace, vmap_matches_loop
from ._symmetry import equivariant, invariant, periodic, sensitive


@dataclasses.dataclass(frozen=True, eq=False)
class Row:
    """One line of a card.

    Args:
        check: The measurement.
        dtype: The precision it was made in.
        declared: The property it measures; None for what every encoder owes.
    """

    check: Check
    dtype: str
    declared: Property | None = None


@dataclasses.dataclass(frozen=True, eq=False)
class Card:
    """What an encoder declares and what was measured. It is true when every row passed.

    Args:
        name: The encoder's class.
        rows: The measurements, declared properties first.
    """

    name: str
    rows: tuple[Row, ...]

    @property
    def passed(self) -> bool:
        """Whether every row passed."""
        return all(row.check.passed for row in self.rows)

    def __bool__(self) -> bool:
        return self.passed

    def __str__(self) -> str:
        return self.to_text()

    def to_text(self) -> str:
        """The card as an aligned table."""
        head = ("property", "dtype", "measured", "tolerance", "verdict", "promise")
        lines = [head, *(_cells(row) for row in self.rows)]
        widths = [max(len(line[i]) for line in lines) for i in range(len(head))]
        table = [
            "  ".join(cell.ljust(w) for cell, w in zip(line, widths, strict=True)).rstrip() for line in lines
        ]
        notes = [f"  {row.check.name}: {row.check.detail}" for row in self.rows if row.check.detail]
        return "\n".join([self.name, *table, *notes])

    def to_dict(self) -> dict[str, Any]:
        """The card as plain values for JSON."""
        rows = [
            row.check.to_dict()
            | {"dtype": row.dtype, "declared": row.declared is not None}
            | ({"exactness": row.declared.exactness, "domain": row.declared.domain} if row.declared else {})
            for row in self.rows
        ]
        return {"name": self.name, "passed": self.passed, "rows": rows}


def card(
    encoder: Callable[..., Any],
    example: Any,
    *,
    key: PRNGKeyArray,
    dtypes: tuple[str, ...] = ("float32", "float64"),
    platforms: tuple[str, ...] = PLATFORMS,
) -> Card:
    """Measure every property in `encoder.properties`, and what every encoder owes.

    The latter: compiled equals eager, batched equals looped, finite values and gradients, gradient equal to
    differences, dtype kept, traced once, lowering for each platform. A measurement that raises is a failed
    row.

    Args:
        encoder: An encoder, with a tuple `properties` of `geoembed.core.Property` or without.
        example: One item, or a list of items of one shape, in the domain of the properties. A tuple is the
            arguments of one call.
        key: Random key of group elements and directions.
        dtypes: Precisions to measure in; the encoder's jax arrays are cast, numpy tables stay as they are.
        platforms: Platforms that it must lower for.

    Returns:
        The card.

    Example:
        >>> import jax, jax.numpy as jnp
        >>> bool(card(jnp.sin, jnp.ones(3), key=jax.random.key(0)))
        True
    """
    rows: list[Row] = []
    for name in dtypes:
        with jax.enable_x64(name == "float64"):
            f, items = cast(encoder, jnp.dtype(name)), cast(as_items(example), jnp.dtype(name))
            for declared in getattr(encoder, "properties", ()):
                rows.append(
                    Row(_guarded(declared.kind, _declared, f, declared, items, name, key), name, declared)
                )
    for name in dtypes:
        with jax.enable_x64(name == "float64"):
            f, items = cast(encoder, jnp.dtype(name)), cast(as_items(example), jnp.dtype(name))
            for check in (jit_matches_eager, vmap_matches_loop, finite_at):
                rows.append(Row(_guarded(check.__name__, check, f, items), name))
    rows.extend(_once(encoder, as_items(example), key, platforms))
    return Card(type(encoder).__name__, tuple(rows))


def _once(encoder: Any, items: list[Any], key: Any, platforms: tuple[str, ...]) -> Iterator[Row]:
    """The rows that need no second precision."""
    default = jnp.zeros(()).dtype.name
    yield Row(_guarded("gradient_matches", gradient_matches, encoder, items, key=key), "float64")
    yield Row(_guarded("dtype_kept", dtype_kept, encoder, items), "both")
    yield Row(_guarded("one_trace", one_trace, encoder, items), default)
    yield Row(_guarded("exports", exports, encoder, items, platforms=platforms), default)


def _declared(f: Any, declared: Property, items: list[Any], dtype: str, key: Any) -> Check:
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


def _guarded(name: str, check: Callable[..., Check], *args: Any, **kwargs: Any) -> Check:
    """The check, or a failed one in its place when it raises: a card has all its rows."""
    try:
        return check(*args, **kwargs)
    except Exception as error:
        reason = str(error).splitlines()[0] if str(error) else ""
        return Check(name, float("inf"), 0.0, None, False, f"raised {type(error).__name__}: {reason}")


def _cells(row: Row) -> tuple[str, ...]:
    verdict = "passed" if row.check.passed else "FAILED"
    promise = f"{row.declared.exactness}, {row.declared.domain}" if row.declared else ""
    figures = (f"{row.check.value:.2g}", f"{row.check.tolerance:.2g}")
    return (row.check.name, row.dtype, *figures, verdict, promise)
