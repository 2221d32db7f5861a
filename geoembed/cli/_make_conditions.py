"""From the conditions of a configuration to those of a problem."""

from typing import Any

import numpy as np

from ..pinn import Dirichlet, Equation, Initial, Integral, Interface, Neumann, Periodic, Radiation, Robin
from ..pinn._domains._domain import domain_of, even_points
from ..pinn._field_conditions import FieldCondition
from ._condition_config import (
    DirichletTable,
    InitialTable,
    IntegralTable,
    InterfaceTable,
    NeumannTable,
    PeriodicTable,
    RadiationTable,
    RobinTable,
)
from ._formula import Formula
from ._lines import Place
from ._make_domain import Domain
from ._places import Places

_TRIED = 256  # points at which a formula must have a value
_AXES = ("x", "y", "z")
_KEYS = (
    "value",
    "coefficient",
    "ambient",
    "jump",
    "flux_jump",
    "resistance",
    "weight",
)  # that may hold formulas


def make_conditions(
    table: Any, number: int, dimension: int, equation: Equation, places: Places
) -> list[FieldCondition]:
    """The conditions of a table, one for each piece that it names.

    Args:
        table: The table.
        number: Its number among the conditions.
        dimension: Of the domain.
        equation: The equation.
        places: Makes the messages.

    Raises:
        InputError: A formula is wrong.
    """
    place: Place = ("conditions", number)
    space = _AXES[:dimension]
    names = (*space, "t") if equation.transient else space
    match table:
        case PeriodicTable():
            return [Periodic(_AXES.index(table.axis))]
        case InitialTable():
            return [Initial(_values(table.value, (*place, "value"), space, places), table.field, table.order)]
        case IntegralTable():
            weight = places.formula(table.weight, (*place, "weight"), names)
            return [Integral(weight, table.value, table.field, table.piece, table.moment)]
        case InterfaceTable():
            return [_interface(table, place, names, places)]
        case RadiationTable():
            ambient = places.formula(table.ambient, (*place, "ambient"), names)
            return [Radiation(piece, table.emissivity, ambient) for piece in table.piece]
    value = _values(table.value, (*place, "value"), names, places)
    match table:
        case DirichletTable():
            return [Dirichlet(piece, value, table.field, table.hard) for piece in table.piece]
        case NeumannTable():
            return [Neumann(piece, value, table.field) for piece in table.piece]
        case RobinTable():
            coefficient = _values(table.coefficient, (*place, "coefficient"), names, places)
            return [Robin(piece, coefficient, value, table.field) for piece in table.piece]
    raise AssertionError(table)


def _interface(table: InterfaceTable, place: Place, names: tuple[str, ...], places: Places) -> Interface:
    keys = ("jump", "flux_jump", "resistance")
    given: Any = {key: places.formula(getattr(table, key), (*place, key), names) for key in keys}
    between = None if table.between is None else (table.between[0], table.between[1])
    return Interface(between, field=table.field, **given)


def _values(value: Any, place: Place, names: tuple[str, ...], places: Places) -> Any:
    """A number or a function of a point, or one for each region."""
    if not isinstance(value, dict):
        return places.formula(value, place, names)
    return {region: places.formula(own, (*place, region), names) for region, own in value.items()}


def _formulas(value: Any) -> list[Formula]:
    """The formulas in a value."""
    parts = value.values() if isinstance(value, dict) else (value,)
    return [part for part in parts if isinstance(part, Formula)]


def check_values(
    made: list[list[FieldCondition]], domain: Domain, time: tuple[float, float] | None, places: Places
) -> None:
    """Refuses formulas of conditions that have no value somewhere in the domain.

    Args:
        made: The conditions of each table.
        domain: The domain.
        time: The first and the last moment.
        places: Makes the messages.

    Raises:
        InputError: A formula has no finite value somewhere.
    """
    formulas = [
        (("conditions", number, key), formula)
        for number, conditions in enumerate(made)
        for key in _KEYS
        for formula in _formulas(getattr(conditions[0], key, None))
    ]
    if not formulas:
        return
    region = domain_of(domain)
    unit = even_points(_TRIED, region.dimension + 1, np.random.default_rng(0))
    points = region.lower + (region.upper - region.lower) * unit[:, :-1]
    points = np.column_stack([points, unit[:, -1]])[region.contains(points)]
    if time is not None:
        points[:, -1] = time[0] + (time[1] - time[0]) * points[:, -1]
    for place, formula in formulas:
        found = formula.at(points)
        if not np.all(np.isfinite(found)):
            bad = points[np.flatnonzero(~np.isfinite(found))[0]]
            at = ", ".join(
                f"{name} = {x:.4g}" for name, x in zip(formula.names, bad[_columns(formula)], strict=True)
            )
            reason = f"{formula.text!r} has no finite value at {at}"
            raise places.wrong(
                place, reason, "It must have one in the whole domain, not only on the boundary"
            )


def _columns(formula: Formula) -> list[int]:
    """The columns of a formula's coordinates: those in space, and time as the last."""
    return [-1 if name == "t" else _AXES.index(name) for name in formula.names]
