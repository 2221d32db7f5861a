"""From a configuration to an equation."""

from typing import Any

from .. import pinn
from ..core import InputError
from ..pinn import Equation, FieldDependent, Isotropic, LinearElasticity
from ._equation_config import AdvectionDiffusionTable, ElasticityTable, HeatTable, NavierStokesTable, OwnTable
from ._formula import Formula, Formulas
from ._lines import Place
from ._own_equation import orders_in_time, own_equation
from ._places import Places

EQUATIONS: dict[str, type[Equation]] = {
    "poisson": pinn.Poisson,
    "helmholtz": pinn.Helmholtz,
    "heat": pinn.HeatEquation,
    "advection_diffusion": pinn.AdvectionDiffusion,
    "burgers": pinn.Burgers,
    "kdv": pinn.KdV,
    "kuramoto_sivashinsky": pinn.KuramotoSivashinsky,
    "allen_cahn": pinn.AllenCahn,
    "wave": pinn.Wave,
    "eikonal": pinn.Eikonal,
    "navier_stokes": pinn.NavierStokes2D,
    "elasticity": pinn.LinearElasticity,
}
_ALWAYS = ("burgers", "kdv", "kuramoto_sivashinsky", "allen_cahn", "wave")


def has_time(table: Any) -> bool:
    """Whether the equation of a table has time."""
    match table:
        case HeatTable():
            return table.capacity is not None
        case ElasticityTable():
            return table.density is not None
        case AdvectionDiffusionTable() | NavierStokesTable() | OwnTable():
            return table.transient
    return table.kind in _ALWAYS


def rates(equation: Equation) -> dict[str, int]:
    """How many initial conditions each unknown needs; unknowns that need none are left out."""
    if not equation.transient:
        return {}
    first = equation.equations[0] if isinstance(equation, pinn.Materials) else equation
    own = orders_in_time(first)
    if own is not None:
        return own
    second = isinstance(first, pinn.Wave | LinearElasticity)
    return {name: 2 if second else 1 for name in equation.fields if name != "p"}


def make_equation(table: Any, dimension: int, places: Places, place: Place = ("physics",)) -> Equation:
    """Builds the equation of a configuration.

    Args:
        table: The table [physics].
        dimension: Of the domain.
        places: Makes the messages.
        place: Where the table stands.

    Raises:
        InputError: A coefficient is out of its range, a formula is wrong, or the domain is of another dimension.
    """
    if isinstance(table, OwnTable):
        return own_equation(table, dimension, places, place)
    names = ("x", "y", "z")[:dimension] + (("t",) if has_time(table) else ())
    kind = EQUATIONS[table.kind]
    elastic = isinstance(table, ElasticityTable)
    allowed = (2, 3) if elastic else kind.dimensions
    if dimension not in allowed:
        listed = " or ".join(map(str, allowed))
        reason = f"{table.kind} is for {listed} dimensions, the domain has {dimension}"
        raise places.wrong((*place, "kind"), reason, "Choose another domain or equation")
    unknowns = ("ux", "uy", "uz")[:dimension] if elastic else kind.fields
    given = {
        name: _coefficient(value, (*place, name), names, unknowns, places)
        for name, value in table
        if name not in ("kind", "transient", "plane") and value is not None
    }
    for name in ("velocity", "force"):
        if isinstance(getattr(table, name, None), list) and len(getattr(table, name)) != dimension:
            reason = f"it has {len(getattr(table, name))} components in a domain of {dimension} dimensions"
            raise places.wrong((*place, name), reason, f"Give {dimension} components")
    if hasattr(table, "transient"):
        given["transient"] = table.transient
    try:
        if elastic:
            material = Isotropic(given.pop("young"), given.pop("poisson"))
            return LinearElasticity(material, dimension=dimension, plane=table.plane, **given)
        return kind(**given)
    except InputError as error:  # "Burgers: viscosity"
        name = error.where.rpartition(": ")[2]
        raise places.wrong((*place, name), error.reason, error.hint) from error
    except ValueError as error:
        raise places.wrong(place, str(error), "Correct the coefficient") from error


def _coefficient(
    value: Any, place: Place, names: tuple[str, ...], unknowns: tuple[str, ...], places: Places
) -> Any:
    """A number, a matrix, a function of the point, or of the point and the field."""
    if isinstance(value, list):
        if value and isinstance(value[0], list):
            if len(value) != len([name for name in names if name != "t"]):
                raise places.wrong(
                    place, f"the matrix has {len(value)} rows", "Give one row for each coordinate"
                )
            return value
        found: Any = places.vector(value, place, names, unknowns)
        parts = found.parts if isinstance(found, Formulas) else ()
    else:
        found = places.formula(value, place, names, unknowns)
        parts = (found,) if isinstance(found, Formula) else ()
    return FieldDependent(found) if any(part.sees_field for part in parts) else found
