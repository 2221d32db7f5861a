"""The rows of the least squares: the residual of the equation and of the conditions that are not exact."""

from typing import Any

import jax.numpy as jnp
from jaxtyping import Array, Float

from ._field_conditions import Dirichlet, Neumann
from ._field_problem import FieldProblem, Soft
from ._trial import NetworkField, Shaping
from ._values import as_function


def field_of(problem: FieldProblem, network: Any, shapings: tuple[Shaping, ...]) -> NetworkField:
    """The field that a network stands for."""
    return NetworkField(network, problem.coordinates, shapings, len(problem.equation.fields) == 1)


def inside_rows(problem: FieldProblem, shapings: tuple[Shaping, ...]) -> Any:
    """Returns the function of a network and a point with the residual of the equation there.

    Near a corner where the solution is singular it is weighted down, see `CornerFunctions.weight`.
    """
    weight = problem.corner_functions

    def rows(network: Any, x: Float[Array, " d"]) -> Float[Array, " k"]:
        residual = problem.equation.residual(field_of(problem, network, shapings), x)
        return residual if weight is None else residual * weight.weight(x)

    return rows


def side_rows(problem: FieldProblem, shapings: tuple[Shaping, ...], condition: Soft) -> Any:
    """Returns the function of a network and (point, normal) with the residual of a condition there."""
    number, value = problem.number(condition), as_function(condition.value)

    def rows(network: Any, item: tuple[Array, Array]) -> Float[Array, " 1"]:
        x, normal = item
        field = field_of(problem, network, shapings)
        own = jnp.atleast_1d(field(x))[number]
        if isinstance(condition, Dirichlet):
            return (own - value(x))[None]
        flux = problem.equation.flux(field, x, normal)[number]
        if isinstance(condition, Neumann):
            return (flux - value(x))[None]
        return (flux + as_function(condition.coefficient)(x) * own - value(x))[None]

    return rows
