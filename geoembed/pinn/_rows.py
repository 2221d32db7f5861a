"""The rows of the least squares: the residual of the equation and of the conditions that are not exact."""

from collections.abc import Callable
from typing import Any

import jax.numpy as jnp
from jaxtyping import Array, Float

from ._field_conditions import Dirichlet, Initial, Neumann
from ._field_problem import FieldProblem, Soft
from ._interface_rows import interface_rows
from ._interfaces import Contact
from ._operators import time_derivative
from ._radiation import STEFAN_BOLTZMANN, Radiation, fourth_power
from ._region_field import RegionField
from ._tensor_spline import UnitCoordinates
from ._trial import Coordinates, NetworkField, Shaping
from ._values import as_function

Form = Callable[[Any], NetworkField | RegionField]  # makes a field of a network


def form_of(
    problem: FieldProblem, shapings: tuple[Shaping, ...], coordinates: Coordinates | UnitCoordinates
) -> Form:
    """Returns the function of a network with the field that it stands for."""
    scalar, regions = len(problem.equation.fields) == 1, problem.regions
    if regions is None:
        return lambda network: NetworkField(network, coordinates, shapings, scalar)
    return lambda network: RegionField(NetworkField(network, coordinates, shapings, False), regions, scalar)


def inside_rows(problem: FieldProblem, form: Form) -> Any:
    """Returns the function of a network and a point with the residual of the equation there.

    Near a corner where the solution is singular it is weighted down, see `CornerFunctions.weight` and `Jumps`.
    """
    weight, jumps = problem.corner_functions, problem.jumps

    def rows(network: Any, x: Float[Array, " d"]) -> Float[Array, " k"]:
        residual = problem.equation.residual(form(network), x)
        residual = residual if jumps is None else residual * jumps.inside(x)
        return residual if weight is None else residual * weight.weight(x)

    return rows


def side_rows(problem: FieldProblem, form: Form, condition: Soft) -> Any:
    """Returns the function of a network and (point, normal) with the residual of a condition there.

    A given value is weighted down where another one disagrees with it, see `Jumps`.
    """
    if isinstance(condition, Contact):
        return interface_rows(problem, form, condition)
    radiates = isinstance(condition, Radiation)
    number = problem.number(condition)
    value = as_function(condition.ambient if radiates else condition.value)
    jumps = problem.jumps

    def rows(network: Any, item: tuple[Array, Array]) -> Float[Array, " 1"]:
        x, normal = item
        field = form(network)
        own = jnp.atleast_1d(field(x))[number]
        if isinstance(condition, Dirichlet):
            missing = (own - value(x))[None]
            return missing if jumps is None else missing * jumps.on_side(x)
        flux = problem.equation.flux(field, x, normal)[number]
        if isinstance(condition, Neumann):
            return (flux - value(x))[None]
        if isinstance(condition, Radiation):
            radiated = condition.emissivity * STEFAN_BOLTZMANN
            return (flux - radiated * (fourth_power(own) - fourth_power(value(x))))[None]
        return (flux + as_function(condition.coefficient)(x) * own - value(x))[None]

    return rows


def start_rows(problem: FieldProblem, form: Form, condition: Initial) -> Any:
    """Returns the function of a network and (point, _) with the residual of a condition at the first moment."""
    number, value = problem.number(condition), as_function(condition.value)

    def rows(network: Any, item: tuple[Array, Array]) -> Float[Array, " 1"]:
        x, field = item[0], form(network)
        own = field if condition.order == 0 else time_derivative(field)
        return (jnp.atleast_1d(own(x))[number] - value(x))[None]

    return rows
