"""Names in the conditions of a configuration, checked against its domain, equation and regions."""

from typing import Any

from ..pinn import Equation, Interval
from ..pinn._domains._outline import ALL, outline
from ..pinn._regions import REST
from ..sdf import Box, Shape, Translate
from ._condition_config import DirichletTable, InitialTable, IntegralTable, InterfaceTable, PeriodicTable
from ._field_config import FieldConfig
from ._lines import Place
from ._make_domain import Domain
from ._make_equation import rates
from ._mistakes import nearest
from ._places import Places

_AXES = ("x", "y", "z")


def check_conditions(config: FieldConfig, domain: Domain, equation: Equation, places: Places) -> None:
    """Checks names: of pieces, of unknowns, of axes, of regions; and that the first moment is given.

    Args:
        config: The configuration.
        domain: The domain.
        equation: The equation.
        places: Makes the messages.

    Raises:
        InputError: A name is unknown, or an initial value is missing.
    """
    known = [piece.name for piece in outline(domain)]
    own = list(config.patches)
    for name in own:
        if name in (ALL, *known):
            raise places.wrong(("patches", name), f"the name {name!r} is taken", "Choose another name")
    needed = rates(equation)
    for number, table in enumerate(config.conditions):
        place: Place = ("conditions", number)
        if isinstance(table, PeriodicTable):
            _check_axis(table, domain, place, places)
            continue
        _check_regions(table, config, place, places)
        if isinstance(table, InterfaceTable):
            if table.field is not None:
                _check_field(table, equation, place, places)
            continue
        _check_field(table, equation, place, places)
        if isinstance(table, InitialTable):
            if config.time is None:
                raise places.wrong(
                    place, f"{config.physics.kind} has no first moment", "Remove this condition"
                )
            continue
        if isinstance(table, IntegralTable):
            _check_integral(table, config, place, places)
        pieces = [table.piece] if isinstance(table.piece, str) else table.piece or []
        for name in pieces:
            if name not in (ALL, *known, *own):
                raise places.wrong(
                    (*place, "piece"),
                    f"there is no piece {name!r} of the boundary",
                    nearest(name, [*known, *own, ALL]),
                )
            if name in own and isinstance(table, DirichletTable) and table.hard:
                reason = f"a value on {name!r}, a part of the boundary by its formula, cannot hold exactly"
                raise places.wrong((*place, "piece"), reason, "Add hard = false")
    _check_initial(config, needed, places)


def _check_integral(table: IntegralTable, config: FieldConfig, place: Place, places: Places) -> None:
    if table.moment is None:
        return
    if config.time is None:
        raise places.wrong((*place, "moment"), f"{config.physics.kind} has no time", "Remove this line")
    first, last = config.time.start, config.time.end
    if not first <= table.moment <= last:
        raise places.wrong(
            (*place, "moment"), f"the time is from {first:g} to {last:g}", "Choose one of these"
        )


def _check_regions(table: Any, config: FieldConfig, place: Place, places: Places) -> None:
    """Checks the names of regions, and that a value for each of them is for all of them."""
    names = [*(region.name for region in config.regions), REST]
    if isinstance(table, InterfaceTable):
        if not config.regions:
            raise places.wrong((*place, "kind"), "there are no regions that could meet", "Add [[regions]]")
        for name in table.between or []:
            if name not in names:
                raise places.wrong((*place, "between"), f"there is no region {name!r}", nearest(name, names))
        return
    for key in ("value", "coefficient"):
        given = getattr(table, key, None)
        if not isinstance(given, dict):
            continue
        if not config.regions:
            reason = "there are values for regions, but there are no regions"
            raise places.wrong((*place, key), reason, "Give one value, or add [[regions]]")
        for name in given:
            if name not in names:
                raise places.wrong((*place, key), f"there is no region {name!r}", nearest(name, names))
        missing = [name for name in names if name not in given]
        if missing:
            raise places.wrong(
                (*place, key), f"there is no value for {missing[0]!r}", "Give one for each region"
            )


def _check_axis(table: PeriodicTable, domain: Domain, place: Place, places: Places) -> None:
    dimension = 1 if isinstance(domain, Interval) else domain.dimension
    if _AXES.index(table.axis) >= dimension:
        raise places.wrong(
            (*place, "axis"), f"the domain has no axis {table.axis!r}", nearest("x", [*_AXES[:dimension]])
        )
    if not _has_ends(domain):
        hint = "Use an interval, or a box without holes"
        raise places.wrong(place, "only such a domain has ends that a period can join", hint)


def _has_ends(domain: Domain | Shape) -> bool:
    """Whether a domain is an interval, or a box without holes, moved or not."""
    while isinstance(domain, Translate):
        domain = domain.shape
    return isinstance(domain, Interval | Box)


def _check_field(table: Any, equation: Equation, place: Place, places: Places) -> None:
    listed = ", ".join(equation.fields)
    if table.field is None and len(equation.fields) > 1:
        raise places.wrong(
            place,
            f"this equation has the unknowns {listed}",
            f'Say which is meant: field = "{equation.fields[0]}"',
        )
    if table.field is not None and table.field not in equation.fields:
        raise places.wrong(
            (*place, "field"),
            f"there is no unknown {table.field!r}",
            nearest(table.field, [*equation.fields]),
        )


def _check_initial(config: FieldConfig, needed: dict[str, int], places: Places) -> None:
    """The solver takes a problem without its first moment, and then finds any of many solutions."""
    first = next(iter(needed), None)
    for name, count in needed.items():
        given = [c for c in config.conditions if isinstance(c, InitialTable) and (c.field or first) == name]
        for order in range(count):
            if not any(c.order == order for c in given):
                what = name if order == 0 else f"∂{name}/∂t"
                extra = f', field = "{name}"' if len(needed) > 1 else ""
                extra += ", order = 1" if order else ""
                reason = f"{what} is not given at the first moment"
                raise places.wrong(
                    ("conditions",), reason, f'Add [[conditions]] with kind = "initial"{extra}, value = …'
                )
