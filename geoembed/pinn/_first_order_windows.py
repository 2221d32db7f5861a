"""Windows of the time, each of which begins exactly with the end of the one before."""

from dataclasses import replace

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Float

from ..core import register
from ._along import Point
from ._field_conditions import Initial
from ._field_problem import FieldProblem
from ._operators import time_derivative
from ._trial import NetworkField


@register
class LastValue(eqx.Module):
    """The value, or the rate, of an unknown at the moment of the point.

    Args:
        field: The field.
        number: Which unknown.
        order: 0 for the value, 1 for ∂/∂t.
    """

    field: NetworkField
    number: int = eqx.field(static=True)
    order: int = eqx.field(static=True)

    def __call__(self, x: Point) -> Float[Array, ""]:
        found = self.field if self.order == 0 else time_derivative(self.field)
        return jnp.atleast_1d(found(x))[self.number]


@register
class WindowedField(eqx.Module):
    """A field whose time is divided into windows with a `NetworkField` each.

    The fields agree where two windows meet, and their rates if the problem has an initial rate; higher derivatives in
    time may jump there.

    Args:
        fields: The fields, in the order of the time.
        starts: The first moment of each window but the first.
    """

    fields: tuple[NetworkField, ...] = eqx.field(converter=tuple)
    starts: tuple[float, ...] = eqx.field(static=True, converter=tuple)

    def __call__(self, x: Point) -> Float[Array, "*m"]:
        """Returns the field at one point, time last."""
        x = jnp.asarray(x)
        value = self.fields[0](x)
        for start, field in zip(self.starts, self.fields[1:], strict=True):
            value = jnp.where(x[-1] > start, field(x), value)
        return value

    @property
    def parameters(self) -> int:
        """How many numbers all networks have."""
        return sum(field.parameters for field in self.fields)

    def __hash__(self) -> int:
        return hash(self.starts)  # lets `jax.jit(field)` find its cache


def window(problem: FieldProblem, number: int, windows: int, before: NetworkField | None) -> FieldProblem:
    """The problem in one window.

    Args:
        problem: The problem.
        number: Of the window, from 0.
        windows: How many.
        before: The field of the window before.
    """
    if problem.time is None or windows == 1:
        return problem
    first, last = problem.time
    ends = [float(moment) for moment in np.linspace(first, last, windows + 1)[number : number + 2]]
    conditions = problem.conditions
    if before is not None:
        conditions = tuple(
            Initial(LastValue(before, problem.number(c), c.order), c.field, c.order)
            if isinstance(c, Initial)
            else c
            for c in conditions
        )
    return replace(problem, conditions=conditions, time=(ends[0], ends[1]))


def frozen(field: NetworkField) -> NetworkField:
    """A field that is not trained any more: its numbers are numpy's."""
    return jax.tree.map(lambda leaf: np.asarray(leaf) if isinstance(leaf, jax.Array) else leaf, field)


def joined(fields: list[NetworkField], starts: list[float]) -> NetworkField | WindowedField:
    """One field of those of all windows."""
    return fields[0] if len(fields) == 1 else WindowedField(tuple(fields), tuple(starts))
