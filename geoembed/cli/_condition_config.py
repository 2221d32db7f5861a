"""The conditions of an equation in a configuration: a table for each kind, told apart by `kind`."""

from typing import Annotated, Literal

from pydantic import Field

from ._table import Table
from ._values_config import Names, RegionNames, Value, Values


class WhereTable(Table):
    """A piece of the boundary of your own. Conditions on it cannot be hard."""

    where: str = Field(description='a condition on the coordinates, such as "x > 0.5 and y < 0"')


class DirichletTable(Table):
    """A given value."""

    kind: Literal["dirichlet"] = Field(description="u = value")
    piece: Names = Field(description='pieces of the boundary; "all" for all of it')
    value: Values = Field(0.0, description="the value, defined in the whole domain")
    field: str | None = Field(None, description="which unknown; not needed if there is one")
    hard: bool = Field(True, description="exactly, by the form of the network; else by least squares")


class NeumannTable(Table):
    """A given natural flux."""

    kind: Literal["neumann"] = Field(description="natural flux = value; for Poisson's equation a ∂u/∂n")
    piece: Names = Field(description="pieces of the boundary")
    value: Values = Field(0.0, description="the flux")
    field: str | None = Field(None, description="which unknown; not needed if there is one")


class RobinTable(Table):
    """A flux that depends on the value."""

    kind: Literal["robin"] = Field(description="natural flux + coefficient · u = value")
    piece: Names = Field(description="pieces of the boundary")
    coefficient: Values = Field(description="the coefficient")
    value: Values = Field(0.0, description="the right-hand side")
    field: str | None = Field(None, description="which unknown; not needed if there is one")


class RadiationTable(Table):
    """Radiation to surroundings, for the equation `heat` with temperatures in K."""

    kind: Literal["radiation"] = Field(description="the surface radiates as a grey body")
    piece: Names = Field(description="pieces of the boundary")
    emissivity: Annotated[float, Field(ge=0, le=1)] = Field(description="from 0 to 1, a black body")
    ambient: Value = Field(description="temperature of the surroundings, K")


class InitialTable(Table):
    """The first moment."""

    kind: Literal["initial"] = Field(description="u = value, or ∂u/∂t = value, at the first moment")
    value: Values = Field(0.0, description="the value")
    order: Literal[0, 1] = Field(0, description="0 for u, 1 for ∂u/∂t")
    field: str | None = Field(None, description="which unknown; not needed if there is one")


class PeriodicTable(Table):
    """A period."""

    kind: Literal["periodic"] = Field(description="u and all derivatives agree at both ends")
    axis: Literal["x", "y", "z"] = Field("x", description="along which coordinate")


class IntegralTable(Table):
    """A given integral: ∫ weight · u = value. It fixes what fluxes alone leave free, or an unknown number."""

    kind: Literal["integral"] = Field(
        description="∫ weight · u = value over the domain or a piece of its boundary"
    )
    value: float = Field(0.0, description="the number that the integral is")
    weight: Value = Field(1.0, description="the weight, defined in the whole domain")
    piece: str | None = Field(None, description="a piece of the boundary; by default the domain")
    moment: float | None = Field(
        None, description="the moment at which it holds; by default over all of the time"
    )
    field: str | None = Field(None, description="which unknown; not needed if there is one")


class InterfaceTable(Table):
    """What holds where two regions a and b meet: uₐ − u_b = jump + resistance · q and Fₐ − F_b = flux_jump, with the
    natural fluxes F along the normal out of a, and q what flows from a to b. Without it the contact is perfect."""

    kind: Literal["interface"] = Field(description="the contact of two regions")
    between: RegionNames | None = Field(
        None, description="the names of a and b; by default every two regions that meet, in their order"
    )
    jump: Value = Field(0.0, description="by how much u in a is above u in b")
    flux_jump: Value = Field(0.0, description="what the contact takes up; negative where it releases")
    resistance: Value = Field(
        0.0, description="contact resistance; for `heat` in m² K/W, 1/h of a contact that conducts h"
    )
    field: str | None = Field(None, description="which unknown; by default all that have a flux")


ConditionTable = Annotated[
    DirichletTable
    | NeumannTable
    | RobinTable
    | RadiationTable
    | InitialTable
    | PeriodicTable
    | IntegralTable
    | InterfaceTable,
    Field(discriminator="kind"),
]
