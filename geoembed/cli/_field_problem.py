"""From a configuration of an equation in a domain to a problem."""

from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np

from ..core import InputError
from ..pinn import (
    Dirichlet,
    Equation,
    Initial,
    Interface,
    Interval,
    Neumann,
    Periodic,
    Problem,
    Radiation,
    Robin,
)
from ..pinn._domains._domain import domain_of, even_points
from ..pinn._domains._outline import ALL, outline
from ..sdf import Box, Shape, Translate
from ._field_config import (
    DirichletTable,
    FieldConfig,
    InitialTable,
    NeumannTable,
    PeriodicTable,
    RadiationTable,
    RobinTable,
)
from ._formula import Formula, Where
from ._lines import Place
from ._make_domain import Domain, make_domain
from ._make_equation import has_time, make_equation, rates
from ._mistakes import nearest
from ._parse_formula import FormulaError
from ._places import Places

_TRIED = 256  # points at which a formula must have a value
_SLIVER = 0.02  # of a piece: a smaller part counts as a mistake
_AXES = ("x", "y", "z")


def make_field_problem(config: FieldConfig, file: Path) -> Problem:
    """Builds the problem that a configuration describes.

    Args:
        config: The configuration.
        file: The file it came from: messages name it, and relative paths start there.

    Returns:
        The problem.

    Raises:
        InputError: A shape, a formula, a coefficient or a condition cannot be used.
    """
    places = Places(file)
    _check_time(config, places)
    domain = make_domain(config, places)
    dimension = 1 if isinstance(domain, Interval) else domain.dimension
    equation = make_equation(config.physics, dimension, places)
    patches = _patches(config, _AXES[:dimension], places)
    _check_conditions(config, domain, equation, places)
    made = [
        _conditions(table, number, dimension, equation, places)
        for number, table in enumerate(config.conditions)
    ]
    time = None if config.time is None else (config.time.start, config.time.end)
    _check_values(config, domain, made, places)
    flat = [condition for several in made for condition in several]
    try:
        problem = Problem(domain=domain, equation=equation, conditions=flat, patches=patches, time=time)
        _check_samples(problem, places)
    except InputError as error:
        raise error if error.file == str(file) else _placed(config, error, places) from error
    return problem


def _check_samples(problem: Problem, places: Places) -> None:
    """Refuses a patch of which some piece of the boundary has only a sliver: the solver cannot draw points on it."""
    for name in problem.patches:
        for piece in problem.in_fields.pieces(name):
            if piece.measure < _SLIVER * replace(piece, where=None).measure:
                reason = (
                    "it takes so small a part of one piece of the boundary that no points can be drawn there"
                )
                hint = "Let it take whole stretches of the boundary, such as x <= -1 instead of x < -0.99"
                raise places.wrong(("patches", name, "where"), reason, hint) from None


def free_pieces(problem: Problem) -> list[str]:
    """Returns the pieces of the boundary on which an unknown has no condition, in words."""
    said = []
    field_problem = problem.in_fields
    for number, name in enumerate(field_problem.equation.fields):
        mine = [c for c in field_problem.conditions if field_problem.number(c) == number]
        if name == "p" or (
            any(isinstance(c, Initial | Periodic) for c in mine) and not field_problem.outline
        ):
            continue
        on = {
            p.name
            for c in mine
            if not isinstance(c, Initial | Periodic | Interface)
            for p in field_problem.pieces(c.piece)
        }
        own = on & set(problem.patches)
        free = [piece.name for piece in field_problem.outline if piece.name not in on]
        if free and not own:
            said.append(f"{name} has no condition on {', '.join(free)}: it is free there, not insulated")
    return said


def _check_time(config: FieldConfig, places: Places) -> None:
    kind = config.physics.kind
    if has_time(config.physics) and config.time is None:
        raise places.wrong(
            ("physics", "kind"),
            f"{kind} has a rate in time, but there is no table [time]",
            "Add [time] with end = …",
        )
    if config.time is not None and not has_time(config.physics):
        needs = {"heat": "a capacity", "elasticity": "a density"}.get(kind, "transient = true")
        hint = f"Remove [time], or give [physics] {needs}"
        if kind in ("poisson", "helmholtz", "eikonal"):
            hint = "Remove [time]"
        raise places.wrong(("time",), f"{kind} as it stands has no time", hint)


def _patches(config: FieldConfig, names: tuple[str, ...], places: Places) -> dict[str, Where]:
    made = {}
    for name, table in config.patches.items():
        place = ("patches", name, "where")
        try:
            made[name] = Where(table.where, names)
        except FormulaError as error:
            raise places.in_formula(place, table.where, error) from error
    return made


def _check_conditions(config: FieldConfig, domain: Domain, equation: Equation, places: Places) -> None:
    """Checks names: of pieces, of unknowns, of axes; and that the first moment is given."""
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
        _check_field(table, equation, place, places)
        if isinstance(table, InitialTable):
            if config.time is None:
                raise places.wrong(
                    place, f"{config.physics.kind} has no first moment", "Remove this condition"
                )
            continue
        for name in table.piece:
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


def _conditions(table: Any, number: int, dimension: int, equation: Equation, places: Places) -> list[Any]:
    """The conditions of a table, one for each piece that it names."""
    place: Place = ("conditions", number)
    space = _AXES[:dimension]
    names = (*space, "t") if equation.transient else space
    match table:
        case PeriodicTable():
            return [Periodic(_AXES.index(table.axis))]
        case InitialTable():
            return [Initial(places.formula(table.value, (*place, "value"), space), table.field, table.order)]
        case RadiationTable():
            ambient = places.formula(table.ambient, (*place, "ambient"), names)
            return [Radiation(piece, table.emissivity, ambient) for piece in table.piece]
    value = places.formula(table.value, (*place, "value"), names)
    match table:
        case DirichletTable():
            return [Dirichlet(piece, value, table.field, table.hard) for piece in table.piece]
        case NeumannTable():
            return [Neumann(piece, value, table.field) for piece in table.piece]
        case RobinTable():
            coefficient = places.formula(table.coefficient, (*place, "coefficient"), names)
            return [Robin(piece, coefficient, value, table.field) for piece in table.piece]
    raise AssertionError(table)


def _check_values(config: FieldConfig, domain: Domain, made: list[list[Any]], places: Places) -> None:
    """Refuses formulas of conditions that have no value somewhere in the domain."""
    formulas = [
        (("conditions", number, key), getattr(conditions[0], key))
        for number, conditions in enumerate(made)
        for key in ("value", "coefficient", "ambient")
        if isinstance(getattr(conditions[0], key, None), Formula)
    ]
    if not formulas:
        return
    region = domain_of(domain)
    unit = even_points(_TRIED, region.dimension + 1, np.random.default_rng(0))
    points = region.lower + (region.upper - region.lower) * unit[:, :-1]
    points = np.column_stack([points, unit[:, -1]])[region.contains(points)]
    if config.time is not None:
        points[:, -1] = config.time.start + (config.time.end - config.time.start) * points[:, -1]
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


def _placed(config: FieldConfig, error: InputError, places: Places) -> InputError:
    """An error of the problem as one about the condition that its message names, else about all of them."""
    if error.file != "conditions":
        return places.wrong(("domain",), f"{error.where} {error.reason}".strip(), error.hint)
    hint = error.hint.replace("hard=False", "hard = false")
    for name in config.patches:
        if error.where == repr(name) and "no point" in error.reason:
            return places.wrong(("patches", name, "where"), error.reason, "Change the condition")
    said = f"{error.where}: {error.reason}".strip(": ")
    named = [
        number
        for number, table in enumerate(config.conditions)
        if any(piece in error.where or repr(piece) in said for piece in getattr(table, "piece", ()))
    ]
    if error.where in ("initial", "Initial"):
        named = [n for n, table in enumerate(config.conditions) if isinstance(table, InitialTable)]
    return places.wrong(("conditions", named[-1] if named else 0), said, hint)
