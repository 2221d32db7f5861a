"""The configuration of `geoembed solve` for heat in a part: every key, its unit, its default and its meaning."""

from typing import Annotated, Literal

from pydantic import Field, model_validator

from ._inverse_config import SensorsTable, UnknownTable
from ._shape_config import ShapeTable
from ._solid_config import Conductivity
from ._table import Number, Pair, PartOutputTable, Table, Triple, Unit
from ._values_config import Said


class Part(Table):
    """The part."""

    mesh: str = Field(
        description="STL, OBJ, PLY, OFF or GLB file; a relative path starts at the configuration file"
    )
    unit: Unit = Field(description="length unit of the mesh's coordinates")


class Box(Table):
    """A box."""

    lower: Triple = Field(description="lowest corner, in the part's unit")
    upper: Triple = Field(description="highest corner, in the part's unit")


class Patch(Table):
    """A patch of the surface. Several ways of choosing narrow each other down."""

    facing: Triple | None = Field(None, description="faces whose outward normal points this way")
    segment: Triple | None = Field(
        None,
        description="the smooth region around this point of the surface, up to sharp edges; in the part's unit",
    )
    angle: Annotated[float, Field(ge=0, le=180)] = Field(
        30.0,
        description="how far normals may turn: from `facing`, or across an edge inside `segment`; degrees",
    )
    box: Box | None = Field(None, description="faces that lie wholly inside this box")

    @model_validator(mode="after")
    def _chooses(self) -> "Patch":
        if self.facing is None and self.segment is None and self.box is None:
            raise ValueError("a patch needs at least one of facing, segment, box")
        return self


class Physics(Table):
    """What happens in the part."""

    kind: Literal["steady_heat"] = Field(description="the equation: ∇·(k ∇T) + q = 0")
    conductivity: Conductivity | None = Field(
        None,
        description="k, W/(m K), may depend on `x`, `y`, `z` in the part's unit; a matrix is symmetric and positive "
        "definite; this or `conductivity_table`",
    )
    conductivity_table: Annotated[list[Pair], Said("list of pairs of numbers")] | None = Field(
        None, description="k(T): pairs of K and W/(m K), linear between them, constant beyond"
    )
    source: Number = Field(0.0, description="q, heat released in the volume, W/m³")

    @model_validator(mode="after")
    def _knows_k(self) -> "Physics":
        if (self.conductivity is None) == (self.conductivity_table is None):
            raise ValueError("give one of conductivity (k, W/(m K)) and conductivity_table")
        return self


class ConvectionTable(Table):
    """Heat exchange with the surroundings."""

    h: Annotated[float, Field(ge=0, allow_inf_nan=False)] = Field(
        description="heat transfer coefficient, W/(m² K)"
    )
    ambient: Annotated[float, Field(ge=0, allow_inf_nan=False)] = Field(description="temperature around, K")


class RadiationTable(Table):
    """Radiation to the surroundings."""

    emissivity: Annotated[float, Field(ge=0, le=1)] = Field(description="from 0 to 1, a black body")
    ambient: Annotated[float, Field(ge=0, allow_inf_nan=False)] = Field(
        description="temperature of the surroundings, K"
    )


class ConditionTable(Table):
    """A condition on a patch: a temperature, or flux, convection and radiation in any sum. Without one it is
    insulated."""

    patch: str = Field(description='name of a patch, or "rest" for all that no patch takes')
    temperature: Annotated[float, Field(ge=0, allow_inf_nan=False)] | None = Field(
        None, description="temperature at which the patch is held, K"
    )
    flux: Number | None = Field(None, description="heat flux into the part, W/m²")
    convection: ConvectionTable | None = Field(None, description="heat exchange with the surroundings")
    radiation: RadiationTable | None = Field(None, description="the surface radiates to its surroundings")

    @model_validator(mode="after")
    def _says_one_thing(self) -> "ConditionTable":
        others = [self.flux, self.convection, self.radiation]
        if self.temperature is None and others == [None] * 3:
            raise ValueError("a condition needs one of temperature, flux, convection, radiation")
        if self.temperature is not None and others != [None] * 3:
            raise ValueError("a patch held at a temperature cannot carry a flux, convection or radiation too")
        return self


class SolveTable(Table):
    """How far to go."""

    tolerance: Annotated[float, Field(gt=0, lt=1)] = Field(
        5e-3,
        description="stop when the estimated error, relative to the spread of the temperature, is below this",
    )
    cells: Annotated[int, Field(ge=1000, le=10_000_000)] = Field(
        200_000, description="the most grid cells; 200 000 need about 3 GB of memory"
    )
    time_limit: Annotated[float, Field(gt=0)] | None = Field(
        None, description="stop after this time and keep the best so far, s; no limit by default"
    )


class Config(Table):
    """A configuration file of `geoembed solve`."""

    part: Part = Field(description="the part")
    patches: dict[str, Patch] = Field(default_factory=dict, description="patches of its surface, by name")
    physics: Physics = Field(description="what happens in the part")
    conditions: list[ConditionTable] = Field(min_length=1, description="conditions on patches")
    sensors: SensorsTable | None = Field(None, description="measured temperatures")
    unknown: list[UnknownTable] = Field(
        [], description="numbers to be found from the sensors, before the temperature is solved for"
    )
    shape: ShapeTable | None = Field(None, description="how a temperature changes with the shape")
    solve: SolveTable = Field(default_factory=SolveTable, description="how far to go")
    output: PartOutputTable = Field(default_factory=PartOutputTable, description="what is drawn")

    @model_validator(mode="after")
    def _sensors_for_something(self) -> "Config":
        if self.unknown and self.sensors is None:
            raise ValueError('[[unknown]] needs readings: add [sensors] with file = "...csv"')
        if self.sensors is not None and not self.unknown:
            raise ValueError('[sensors] needs something to find: add [[unknown]] with name = "conductivity"')
        return self
