"""From a configuration of an equation in a domain to a problem."""

from dataclasses import replace
from pathlib import Path

from ..core import InputError
from ..pinn import Initial, Integral, Interface, Interval, Periodic, Problem
from ._check_conditions import check_conditions
from ._condition_config import InterfaceTable
from ._field_config import FieldConfig
from ._formula import Where
from ._make_conditions import check_values, make_conditions
from ._make_domain import make_domain
from ._make_equation import has_time, make_equation
from ._make_materials import make_materials
from ._make_training import check_training
from ._parse_formula import FormulaError
from ._places import Places

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
    if config.regions:
        equation = make_materials(config, equation, dimension, places)
    patches = _patches(config, _AXES[:dimension], places)
    check_conditions(config, domain, equation, places)
    made = [
        make_conditions(table, number, dimension, equation, places)
        for number, table in enumerate(config.conditions)
    ]
    time = None if config.time is None else (config.time.start, config.time.end)
    check_values(made, domain, time, places)
    flat = [condition for several in made for condition in several]
    try:
        problem = Problem(domain=domain, equation=equation, conditions=flat, patches=patches, time=time)
        _check_samples(problem, places)
    except InputError as error:
        raise error if error.file == str(file) else _placed(config, error, places) from error
    check_training(config, problem, places)
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
            if not isinstance(c, Initial | Periodic | Interface | Integral)
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
    kinds = [n for n, table in enumerate(config.conditions) if table.kind == error.where.lower()]
    named = kinds or named
    for number, table in enumerate(config.conditions):
        if isinstance(table, InterfaceTable) and error.where == " and ".join(table.between or []):
            named = [number]
    return places.wrong(("conditions", named[-1] if named else 0), said, hint)
