"""The coefficients of an equation: numbers, matrices, functions of the point, functions of the point and the field.

A Python number or a numpy array is a constant in full precision, cast to the dtype of the point. A jax array stays as
it is and is a parameter: an inverse problem trains it. Both are leaves, so `jit` traces them and `grad` differentiates
in them; the parameters of a coefficient that is a module are leaves too.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import equinox as eqx
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Float

from ...core import InputError, register
from ...sdf._shapes._parameters import as_parameter, known, like

Coefficient = Any  # a number, an array, a function of the point, or FieldDependent


@register
class FieldDependent(eqx.Module):
    """A coefficient that depends on the point and on the field there, as a conductivity k(x, T) does.

    Args:
        function: c(x, u) of the point and the value of the field, shape () for one unknown, (m,) for several.

    Example:
        >>> import jax.numpy as jnp
        >>> from geoembed.pinn import HeatEquation
        >>> equation = HeatEquation(FieldDependent(lambda x, T: 16.0 + 0.25 * T))
        >>> equation.residual(lambda x: 300.0 + 2.0 * x[0], jnp.zeros(2)).tolist()
        [-1.0]
    """

    function: Callable[[Any, Any], Any]

    def __call__(self, x: Any, u: Any) -> Any:
        """Returns the coefficient at a point with this value of the field."""
        return self.function(x, u)


@dataclass(frozen=True)
class _Rule:
    """What a coefficient must be; sizes are known always, values only outside jit."""

    unit: str
    lowest: float
    open: bool  # the lowest value itself is not allowed
    highest: float  # itself not allowed
    rank: int  # 0: a number; 1: or a vector; 2: or a square matrix


def coefficient(
    unit: str,
    *,
    positive: bool = False,
    nonnegative: bool = False,
    above: float = -np.inf,
    below: float = np.inf,
    rank: int = 0,
    **default: Any,
) -> Any:
    """A field of an equation that holds a coefficient.

    Args:
        unit: Its unit, for messages.
        positive: Refuse numbers that are not above 0.
        nonnegative: Refuse numbers below 0.
        above: Refuse numbers that are not above this one.
        below: Refuse numbers that are not below this one.
        rank: 0 for a number, 1 if a vector is welcome too, 2 if a square matrix is; `positive` asks it to be definite.
        **default: `default=` the value if none is given; None stands for a term that is absent.
    """
    lowest = 0.0 if positive or nonnegative else above
    rule = _Rule(unit, lowest, not nonnegative, below, rank)
    return eqx.field(converter=_converted, metadata={"rule": rule}, **default)


def _converted(value: Any) -> Any:
    return value if value is None or callable(value) else as_parameter(value)


def check_coefficients(equation: eqx.Module) -> None:
    """Raises InputError when a known coefficient is out of range, ValueError when one has a wrong shape."""
    for name, field in equation.__dataclass_fields__.items():
        rule, value = field.metadata.get("rule"), getattr(equation, name)
        if rule is not None and value is not None and not callable(value):
            _check(type(equation).__name__, name, value, rule)


def _check(owner: str, name: str, value: Any, rule: _Rule) -> None:
    square = value.ndim < 2 or value.shape[0] == value.shape[1]
    if value.ndim not in (0, rule.rank) or not square:
        kinds = ["one number", "one number or a vector", "one number or a square matrix"][rule.rank]
        raise ValueError(f"{owner}: {name} must be {kinds}, received an array of shape {value.shape}")
    numbers = known(value)
    if numbers is None:
        return
    if not np.all(np.isfinite(numbers)):
        raise InputError("equation", f"{owner}: {name}", f"{_show(numbers)} is not finite", _hint(rule))
    decisive = np.linalg.eigvalsh((numbers + numbers.T) / 2) if numbers.ndim == 2 else numbers
    if np.any(decisive <= rule.lowest if rule.open else decisive < rule.lowest):
        bound = f"{'above' if rule.open else 'at least'} {rule.lowest:g}"
        what = "has an eigenvalue that is not" if numbers.ndim == 2 else "is not"
        raise InputError("equation", f"{owner}: {name}", f"{_show(numbers)} {what} {bound}", _hint(rule))
    if np.any(decisive >= rule.highest):
        reason = f"{_show(numbers)} is not below {rule.highest:g}"
        raise InputError("equation", f"{owner}: {name}", reason, _hint(rule))


def _hint(rule: _Rule) -> str:
    return "Give a number without unit" if rule.unit == "dimensionless" else f"Give it in {rule.unit}"


def _show(numbers: np.ndarray) -> str:
    return f"{numbers.item():g}" if numbers.ndim == 0 else str(numbers.tolist())


def at_point(value: Coefficient, x: Float[Array, " d"], u: Any) -> Float[Array, "..."]:
    """A coefficient at one point, in its dtype.

    Args:
        value: The coefficient.
        x: The point.
        u: The field, a function of the point.
    """
    if isinstance(value, FieldDependent):
        return jnp.asarray(value(x, u(x)), x.dtype)
    return jnp.asarray(value(x), x.dtype) if callable(value) else like(value, x)


def number_at(value: Coefficient, x: Float[Array, " d"], u: Any) -> Float[Array, ""]:
    """A coefficient at one point that must be one number there."""
    found = at_point(value, x, u)
    if found.shape != ():
        raise ValueError(f"a coefficient must be one number at every point, received shape {found.shape}")
    return found


def vector_at(value: Coefficient, x: Float[Array, " d"], u: Any, size: int) -> Float[Array, " m"]:
    """A coefficient at one point that has so many components there; one number stands for all of them."""
    found = at_point(value, x, u)
    if found.shape not in ((), (size,)):
        raise ValueError(
            f"a coefficient must have {size} components at every point, received shape {found.shape}"
        )
    return jnp.broadcast_to(found, (size,))


def as_function(value: Coefficient, x: Float[Array, " d"], u: Any) -> Any:
    """A coefficient as the operators take it: a constant in the dtype of the point, or a function of the point."""
    return (lambda y: at_point(value, y, u)) if callable(value) else at_point(value, x, u)
