"""The regions of a domain with several materials, in a configuration."""

from typing import Annotated

from pydantic import Field

from ._domain_config import BoxShape, CircleShape, IntervalTable, MeshTable, PolygonShape, SphereShape
from ._equation_config import EquationTable
from ._table import Table

RegionShape = Annotated[
    IntervalTable | BoxShape | CircleShape | SphereShape | PolygonShape | MeshTable,
    Field(discriminator="kind"),
]


class RegionTable(Table):
    """A part of the domain with a material of its own. A point belongs to the first region whose shape it lies in, else
    to `rest`, whose material is in `[physics]`."""

    name: str = Field(description='a name, for conditions between regions; "rest" is what no region takes')
    shape: RegionShape = Field(
        description="where it is: a table as `[domain]` has it, without holes; it may reach over the rim"
    )
    physics: EquationTable = Field(
        description="its equation: a table like `[physics]`, with the same unknowns"
    )
