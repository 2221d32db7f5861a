"""The numbers a shape is made of: kept in full precision, cast to the dtype of the point.

A Python number or a numpy array becomes a numpy float64 array; a jax array stays as it is. Both are leaves of
the shape: `jit` traces them and `grad` differentiates in them. A shape made while float64 is off therefore
serves float64 points in a scoped `jax.enable_x64(True)` to full precision.
"""

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
from jax.core import Tracer
from jaxtyping import Array, Float

from ...core import norm

Leaf = Array | np.ndarray

if TYPE_CHECKING:  # a field is given as a number and holds a leaf; no annotation says both
    Scalar = Any
    Vector = Any
    Number = Any
    Numbers = Any
else:
    Scalar = Float[Leaf, ""]  # a field
    Vector = Float[Leaf, " d"]
    Number = float | Float[Leaf | np.generic, ""]  # what it may be given as
    Numbers = Float[Leaf, " d"] | list | tuple


@dataclass(frozen=True)
class _Rule:
    """What a parameter must be; sizes are known always, values only outside jit."""

    lengths: tuple[int, ...] | None  # of a vector; None for a number
    lowest: float | None
    open: bool = True  # the lowest value itself is not allowed
    nonzero: bool = False


def number(*, positive: bool = False, nonnegative: bool = False, default: float | None = None) -> Any:
    """A field that holds one number."""
    return _field(_Rule(None, 0.0 if positive or nonnegative else None, positive), default)


def vector(*lengths: int, positive: bool = False, nonnegative: bool = False, nonzero: bool = False) -> Any:
    """A field that holds a vector of one of these lengths."""
    return _field(_Rule(lengths, 0.0 if positive or nonnegative else None, positive, nonzero))


def optional_direction() -> Any:
    """A field that holds a vector in space of any length but 0, or None."""
    rule = _Rule((3,), None, nonzero=True)
    return eqx.field(converter=_as_optional, metadata={"rule": rule}, default=None)


def _as_optional(value: Any) -> Leaf | None:
    return None if value is None else as_parameter(value)


def _field(rule: _Rule, default: float | None = None) -> Any:
    more: dict[str, Any] = {} if default is None else {"default": default}
    return eqx.field(converter=as_parameter, metadata={"rule": rule}, **more)


def as_parameter(value: Any) -> Leaf:
    """Returns a number or an array as a leaf: numpy float64, or the jax array it was.

    A list that mixes Python numbers with jax arrays (traced ones, say) becomes one jax array.
    """
    if isinstance(value, list | tuple) and any(isinstance(part, jax.Array) for part in value):
        dtype = jnp.result_type(*[part.dtype for part in value if isinstance(part, jax.Array)])
        value = jnp.stack([jnp.asarray(part, dtype) for part in value])
    if not isinstance(value, jax.Array):
        return np.array(value, np.float64)
    return value if jnp.issubdtype(value.dtype, jnp.floating) else value.astype(jnp.zeros(()).dtype)


def like(value: Leaf | np.generic, x: Array) -> Array:
    """Returns a parameter in the dtype of the point."""
    if isinstance(value, jax.Array):
        return value.astype(x.dtype)
    return jnp.asarray(np.array(value, x.dtype))  # narrowed by numpy: no float64 enters a float32 program


def unit(direction: Leaf, x: Array) -> Float[Array, " d"]:
    """A direction as a unit vector, in the dtype of the point."""
    arrow = like(direction, x)
    return arrow / norm(arrow)


def known(value: Any) -> np.ndarray | None:
    """Returns the value of a parameter, or None while it is traced."""
    return None if isinstance(value, Tracer) else np.asarray(value, np.float64)


def check_parameters(module: eqx.Module) -> None:
    """Raises ValueError when a parameter of a shape has a wrong size or a known value out of range."""
    for name, field in module.__dataclass_fields__.items():
        rule, value = field.metadata.get("rule"), getattr(module, name)
        if rule is not None and value is not None:
            _check(f"{type(module).__name__}: {name}", value, rule)


def _check(place: str, value: Leaf, rule: _Rule) -> None:
    shapes = [()] if rule.lengths is None else [(length,) for length in rule.lengths]
    if value.shape not in shapes:
        wanted = "one number" if rule.lengths is None else f"{' or '.join(map(str, rule.lengths))} numbers"
        raise ValueError(f"{place} must be {wanted}, received an array of shape {value.shape}")
    numbers = known(value)
    if numbers is None:
        return
    if not np.all(np.isfinite(numbers)):
        raise ValueError(f"{place} must be finite, received {numbers}")
    if rule.lowest is not None and np.any(numbers <= rule.lowest if rule.open else numbers < rule.lowest):
        raise ValueError(f"{place} must be {'above' if rule.open else 'at least'} 0, received {numbers}")
    if rule.nonzero and not np.any(numbers):
        raise ValueError(f"{place} must have a length, received {numbers}")
