"""The configuration of `geoembed solve` for an equation in a domain: every key, its default and its meaning."""

from typing import Annotated, Literal

from pydantic import Field, model_validator

from ._equation_config import EquationTable
from ._table import Table, Unit
from ._values_config import Constant, Names, Positive, Value

Pair = Annotated[list[Constant], Field(min_length=2, max_length=2)]
Triple = Annotated[list[Constant], Field(min_length=3, max_length=3)]
Corner = Annotated[list[Constant], Field(min_length=2, max_length=3)]


class IntervalTable(Table):
    """A piece of the line."""

    kind: Literal["interval"] = Field(description="all x between two ends")
    lower: Constant = Field(description="left end")
    upper: Constant = Field(description="right end")

    @model_validator(mode="after")
    def _in_order(self) -> "IntervalTable":
        if self.lower >= self.upper:
            raise ValueError(f"lower = {self.lower:g} is not below upper = {self.upper:g}")
        return self


class BoxShape(Table):
    """A rectangle, or a box in space."""

    kind: Literal["box"] = Field(description="all points between two corners")
    lower: Corner = Field(description="lowest corner, two or three numbers")
    upper: Corner = Field(description="highest corner")

    @model_validator(mode="after")
    def _in_order(self) -> "BoxShape":
        if len(self.lower) != len(self.upper):
            raise ValueError(f"lower has {len(self.lower)} numbers and upper has {len(self.upper)}")
        if any(low >= high for low, high in zip(self.lower, self.upper, strict=True)):
            raise ValueError("every number of lower must be below the one of upper")
        return self


class CircleShape(Table):
    """A disc."""

    kind: Literal["circle"] = Field(description="all points of the plane within a radius")
    centre: Pair = Field([0.0, 0.0], description="its middle")
    radius: Positive = Field(description="its radius")


class SphereShape(Table):
    """A ball."""

    kind: Literal["sphere"] = Field(description="all points of space within a radius")
    centre: Triple = Field([0.0, 0.0, 0.0], description="its middle")
    radius: Positive = Field(description="its radius")


class PolygonShape(Table):
    """A polygon."""

    kind: Literal["polygon"] = Field(description="what a closed line of straight edges surrounds")
    vertices: Annotated[list[Pair], Field(min_length=3)] = Field(
        description="its corners in order, in either direction; the line must not cross itself"
    )


class MeshTable(Table):
    """A closed mesh."""

    kind: Literal["mesh"] = Field(description="the inside of a closed surface")
    file: str = Field(
        description="STL, OBJ, PLY, OFF or GLB file; a relative path starts at the configuration file"
    )
    unit: Unit = Field(description="length unit of the mesh's coordinates")


Hole = Annotated[BoxShape | CircleShape | SphereShape | PolygonShape, Field(discriminator="kind")]
_HOLES = "`[[domain.holes]]`: what is cut out, strictly inside and apart from each other"


class BoxTable(BoxShape):
    """A rectangle or a box in space, with or without holes."""

    holes: list[Hole] = Field([], description=_HOLES)


class CircleTable(CircleShape):
    """A disc, with or without holes."""

    holes: list[Hole] = Field([], description=_HOLES)


class SphereTable(SphereShape):
    """A ball, with or without holes."""

    holes: list[Hole] = Field([], description=_HOLES)


class PolygonTable(PolygonShape):
    """A polygon, with or without holes."""

    holes: list[Hole] = Field([], description=_HOLES)


DomainTable = Annotated[
    IntervalTable | BoxTable | CircleTable | SphereTable | PolygonTable | MeshTable,
    Field(discriminator="kind"),
]


class WhereTable(Table):
    """A piece of the boundary of your own. Conditions on it cannot be hard."""

    where: str = Field(description='a condition on the coordinates, such as "x > 0.5 and y < 0"')


class DirichletTable(Table):
    """A given value."""

    kind: Literal["dirichlet"] = Field(description="u = value")
    piece: Names = Field(description='pieces of the boundary; "all" for all of it')
    value: Value = Field(0.0, description="the value, defined in the whole domain")
    field: str | None = Field(None, description="which unknown; not needed if there is one")
    hard: bool = Field(True, description="exactly, by the form of the network; else by least squares")


class NeumannTable(Table):
    """A given natural flux."""

    kind: Literal["neumann"] = Field(description="natural flux = value; for Poisson's equation a ∂u/∂n")
    piece: Names = Field(description="pieces of the boundary")
    value: Value = Field(0.0, description="the flux")
    field: str | None = Field(None, description="which unknown; not needed if there is one")


class RobinTable(Table):
    """A flux that depends on the value."""

    kind: Literal["robin"] = Field(description="natural flux + coefficient · u = value")
    piece: Names = Field(description="pieces of the boundary")
    coefficient: Value = Field(description="the coefficient")
    value: Value = Field(0.0, description="the right-hand side")
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
    value: Value = Field(0.0, description="the value")
    order: Literal[0, 1] = Field(0, description="0 for u, 1 for ∂u/∂t")
    field: str | None = Field(None, description="which unknown; not needed if there is one")


class PeriodicTable(Table):
    """A period."""

    kind: Literal["periodic"] = Field(description="u and all derivatives agree at both ends")
    axis: Literal["x", "y", "z"] = Field("x", description="along which coordinate")


ConditionTable = Annotated[
    DirichletTable | NeumannTable | RobinTable | RadiationTable | InitialTable | PeriodicTable,
    Field(discriminator="kind"),
]


class TimeTable(Table):
    """The span of time of a transient equation."""

    start: Constant = Field(0.0, description="first moment")
    end: Constant = Field(description="last moment")

    @model_validator(mode="after")
    def _in_order(self) -> "TimeTable":
        if self.start >= self.end:
            raise ValueError(f"start = {self.start:g} is not before end = {self.end:g}")
        return self


class FieldSolveTable(Table):
    """How far to go. With `points`, `steps`, `width` or `depth` a tanh network is trained, even where splines do."""

    tolerance: Annotated[float, Field(gt=0, lt=1)] = Field(
        1e-4, description="stop when the estimated error, relative to the size of the field, is below this"
    )
    time_limit: Annotated[float, Field(gt=0, allow_inf_nan=False)] | None = Field(
        None, description="stop after this time and keep the best so far, s; no limit by default"
    )
    cells: Annotated[int, Field(ge=10, le=100_000_000)] = Field(
        200_000, description="the most cells of a grid of splines"
    )
    points: Annotated[int, Field(ge=64, le=10_000_000)] | None = Field(
        None, description="points of a tanh network at which the equation is asked to hold; 4000 by default"
    )
    steps: Annotated[int, Field(ge=1)] | None = Field(
        None, description="the most steps of a tanh network; 100 000 by default"
    )
    seed: Annotated[int, Field(ge=0, lt=2**32)] | None = Field(
        None, description="decides all random choices; 0 by default; --seed takes precedence"
    )
    width: Annotated[int, Field(ge=1, le=2000)] | None = Field(
        None, description="units in a layer of a tanh network; 16 by default"
    )
    depth: Annotated[int, Field(ge=1, le=50)] | None = Field(
        None, description="hidden layers of a tanh network; 4 by default"
    )


class OutputTable(Table):
    """What the files contain."""

    cells: Annotated[int, Field(ge=2, le=2000)] | None = Field(
        None, description="cells along the longest side; 128 by default, 40 in space"
    )
    moments: Annotated[int, Field(ge=2, le=1000)] = Field(11, description="moments, evenly in time")
    table: Literal["npz", "csv"] = Field("npz", description="whether values go to field.npz or field.csv")


class FieldConfig(Table):
    """A configuration file of `geoembed solve` for an equation in a domain."""

    domain: DomainTable = Field(description="where the equation holds")
    patches: dict[str, WhereTable] = Field(
        default_factory=dict, description="pieces of the boundary of your own, by name"
    )
    physics: EquationTable = Field(description="the equation")
    conditions: list[ConditionTable] = Field(
        min_length=1, description="conditions on the boundary and at the first moment"
    )
    time: TimeTable | None = Field(None, description="the span of time of a transient equation")
    solve: FieldSolveTable = Field(default_factory=FieldSolveTable, description="how far to go")
    output: OutputTable = Field(default_factory=OutputTable, description="what the files contain")
