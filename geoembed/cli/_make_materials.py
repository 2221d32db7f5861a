"""From the regions of a configuration to an equation of several materials."""

from typing import Any

from ..core import InputError
from ..pinn import Equation, Interval, Materials
from ..pinn._regions import REST
from ._field_config import FieldConfig
from ._make_domain import make_shape
from ._make_equation import has_time, make_equation
from ._places import Places


def make_materials(config: FieldConfig, rest: Equation, dimension: int, places: Places) -> Materials:
    """Builds the equation of a domain with regions.

    Args:
        config: The configuration.
        rest: The equation of what no region takes.
        dimension: Of the domain.
        places: Makes the messages.

    Raises:
        InputError: Two regions have one name, a shape is of another dimension, or the equations have other unknowns.
    """
    shapes: dict[str, Any] = {}
    equations = {REST: rest}
    for number, table in enumerate(config.regions):
        place = ("regions", number)
        if table.name in (REST, *shapes):
            raise places.wrong((*place, "name"), f"the name {table.name!r} is taken", "Choose another name")
        shape = make_shape(table.shape, (*place, "shape"), places)
        if (1 if isinstance(shape, Interval) else shape.dimension) != dimension:
            reason = f"this {table.shape.kind} has another dimension than the domain, {dimension}"
            raise places.wrong((*place, "shape"), reason, "Choose a shape of the same dimension")
        if has_time(table.physics) != has_time(config.physics):
            reason = "this region has time and [physics] has none, or the reverse"
            hint = "Give a capacity, a density or transient = true to both or to none"
            raise places.wrong((*place, "physics"), reason, hint)
        equation = make_equation(table.physics, dimension, places, (*place, "physics"))
        if equation.fields != rest.fields:
            reason = (
                f"it has the unknowns {', '.join(equation.fields)}, [physics] has {', '.join(rest.fields)}"
            )
            raise places.wrong((*place, "physics"), reason, "Choose equations with the same unknowns")
        shapes[table.name], equations[table.name] = shape, equation
    try:
        return Materials(shapes, equations)
    except InputError as error:
        raise places.wrong(("regions",), error.reason, error.hint) from error
