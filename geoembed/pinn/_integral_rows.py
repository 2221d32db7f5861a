"""Integrals of the field as rows of the least squares."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Float

from ..core import InputError
from ._field_conditions import Integral
from ._field_problem import FieldProblem
from ._integral_rules import rule_of
from ._quadrature import Breaks, Rule
from ._rows import Form
from ._spline_grid import SplineGrid
from ._spline_rows import in_chunks
from ._trial import Shaping
from ._values import as_function

_CHUNK = 4096
_INTERVALS = {1: 16, 2: 8, 3: 4, 4: 3}  # along each coordinate, for layers


@dataclass(frozen=True, eq=False)
class Measured:
    """An integral of a field as Σ weights · u(points), divided by ∫|weight|, and the value that it must have.

    Args:
        rule: Points and weights.
        value: What the integral is, divided likewise.
        number: Of the unknown.
    """

    rule: Rule
    value: float
    number: int

    @property
    def items(self) -> tuple[Float[np.ndarray, "1 q d"], Float[np.ndarray, "1 q"]]:
        """Points and weights as the one item of a block of rows."""
        return self.rule.points[None], self.rule.weights[None]


class MeasuredIntegral:
    """An integral condition of a problem, on any grid.

    Args:
        problem: The problem.
        condition: The condition.
    """

    def __init__(self, problem: FieldProblem, condition: Integral):
        self.problem, self.condition, self.number = problem, condition, problem.number(condition)
        weight = as_function(condition.weight)
        self._weight = jax.jit(jax.vmap(weight))

    def measured(self, breaks: Breaks) -> Measured:
        """The integral for a field that is smooth between these breaks.

        Raises:
            InputError: The weight is 0 everywhere, or not finite somewhere.
        """
        rule = rule_of(self.problem, self.condition, breaks)
        weights = rule.weights * in_pieces(self._weight, rule.points)
        size = float(np.abs(weights).sum())
        if not 0 < size < np.inf:
            reason = "its weight is 0 everywhere" if size == 0 else "its weight is not finite everywhere"
            raise InputError("conditions", "Integral", reason, "Give another weight")
        return Measured(Rule(rule.points, weights / size), self.condition.value / size, self.number)

    def for_layers(self) -> Measured:
        """The integral for fields without a grid."""
        box = self.problem.coordinates
        count = _INTERVALS[len(box.lower)]
        return self.measured(
            [np.linspace(a, b, count + 1) for a, b in zip(box.lower, box.upper, strict=True)]
        )


class SplineIntegral(MeasuredIntegral):
    """An integral as an affine function of the coefficients of a spline.

    Args:
        problem: The problem.
        condition: The condition.
        shaping: g and m of the unknown u = g + m S.
    """

    def __init__(self, problem: FieldProblem, condition: Integral, shaping: Shaping):
        super().__init__(problem, condition)
        self._ends = jax.jit(
            jax.vmap(lambda x: jnp.stack([shaping(x, jnp.full((), s, x.dtype)) for s in (0.0, 1.0)]))
        )

    def row(self, grid: SplineGrid) -> tuple[Float[np.ndarray, " n"], float]:
        """The row a of a grid and what it must be for the coefficients: a · c = b."""
        lower, upper = self.problem.coordinates.lower, self.problem.coordinates.upper
        lines = zip(lower, upper, grid.axes, strict=True)
        found = self.measured([a + (b - a) * (axis.breaks + 1) / 2 for a, b, axis in lines])
        points, weights = found.rule.points, found.rule.weights
        given, whole = in_pieces(self._ends, points).T
        unit = 2 * (points - lower) / (upper - lower) - 1
        row = grid.functional(unit, weights * (whole - given), self.number)
        return row, found.value - float(weights @ given)


def in_pieces(program: Callable, points: Float[np.ndarray, "n d"]) -> Float[np.ndarray, "n *k"]:
    """What a compiled program makes of many points."""
    chunks = in_chunks(np.arange(len(points)), _CHUNK)
    return np.concatenate(
        [np.asarray(program(jnp.asarray(points[full])))[: len(some)] for some, full in chunks]
    )


def integral_rows(form: Form, measured: Measured) -> Any:
    """Returns the function of a network and (points, weights) with the residual of an integral."""

    def rows(network: Any, item: tuple[Array, Array]) -> Float[Array, " 1"]:
        points, weights = item
        field = form(network)
        values = jax.vmap(lambda x: jnp.atleast_1d(field(x))[measured.number])(points)
        return (jnp.sum(values * weights) - measured.value)[None]

    return rows
