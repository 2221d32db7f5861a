# ruff: noqa: RUF001  (mathematical symbols in what the user reads)
"""The configuration of `geoembed solve` for heat in a part in time: every key, its unit, default and meaning."""

from typing import Annotated, Any, Literal

from pydantic import Field, model_validator

from ._config import Part, Patch
from ._solid_config import Capacity, Conductivity, Course, TemperatureCourse
from ._table import Number, PartOutputTable, Table
from ._values_config import Said, Value

_MOST_PICTURES = 6

Moments = Annotated[
    list[Number], Field(min_length=1, max_length=_MOST_PICTURES), Said("list of one to six numbers")
]


class TransientPhysics(Table):
    """What happens in the part."""

    kind: Literal["transient_heat"] = Field(description="the equation: ρc ∂T/∂t − ∇·(K ∇T) = q")
    conductivity: Conductivity = Field(
        description="K, W/(m K), may depend on `x`, `y`, `z` in the part's unit; a matrix is symmetric and positive "
        "definite"
    )
    capacity: Capacity = Field(
        description="ρc, density times specific heat, J/(m³ K), may depend on `x`, `y`, `z`; steel has 3.8e6"
    )
    source: Course = Field(0.0, description="q, heat released in the volume, W/m³")

    @model_validator(mode="before")
    @classmethod
    def _knows_no_table(cls, given: Any) -> Any:
        if isinstance(given, dict) and "conductivity_table" in given:
            raise ValueError(
                "in time the conductivity cannot depend on the temperature yet: give conductivity at a mean "
                "temperature"
            )
        return given


class TransientConvectionTable(Table):
    """Heat exchange with the surroundings."""

    h: Annotated[float, Field(ge=0, allow_inf_nan=False)] = Field(
        description="heat transfer coefficient, W/(m² K), the same at all times"
    )
    ambient: TemperatureCourse = Field(description="temperature around, K")


class TransientConditionTable(Table):
    """A condition on a patch: a temperature, or flux and convection together. Without one it is insulated."""

    patch: str = Field(description='name of a patch, or "rest" for all that no patch takes')
    temperature: TemperatureCourse | None = Field(
        None, description="temperature at which the patch is held, K"
    )
    flux: Course | None = Field(None, description="heat flux into the part, W/m²")
    convection: TransientConvectionTable | None = Field(
        None, description="heat exchange with the surroundings"
    )

    @model_validator(mode="before")
    @classmethod
    def _does_not_radiate(cls, given: Any) -> Any:
        if isinstance(given, dict) and "radiation" in given:
            raise ValueError(
                "in time the surface of a part does not radiate yet: give convection with h = 4 ε σ T³, T a mean "
                "temperature"
            )
        return given

    @model_validator(mode="after")
    def _says_one_thing(self) -> "TransientConditionTable":
        others = [self.flux, self.convection]
        if self.temperature is None and others == [None] * 2:
            raise ValueError("a condition needs one of temperature, flux, convection")
        if self.temperature is not None and others != [None] * 2:
            raise ValueError("a patch held at a temperature cannot carry a flux or convection too")
        return self


class InitialTable(Table):
    """The first moment."""

    temperature: Value = Field(description="temperature at the first moment, K, may depend on `x`, `y`, `z`")


class PartTimeTable(Table):
    """The span of time."""

    start: Number = Field(0.0, description="first moment, s")
    end: Number = Field(description="last moment, s")

    @model_validator(mode="after")
    def _in_order(self) -> "PartTimeTable":
        if self.start >= self.end:
            raise ValueError(f"start = {self.start:g} is not before end = {self.end:g}")
        return self


class TransientSolveTable(Table):
    """How far to go."""

    tolerance: Annotated[float, Field(gt=0, lt=1)] = Field(
        5e-3,
        description="stop when the estimated error over the part and the time, relative to the spread of the "
        "temperature, is below this; a step in time may have a fiftieth of it",
    )
    cells: Annotated[int, Field(ge=1000, le=10_000_000)] = Field(
        30_000, description="the most grid cells; each grid is marched through the whole time"
    )
    time_limit: Annotated[float, Field(gt=0, allow_inf_nan=False)] | None = Field(
        None, description="stop computing after this and keep the best so far, s; no limit by default"
    )


class TransientOutputTable(PartOutputTable):
    """What is drawn of a part. Coordinates are in the part's unit; slices.png shows the last moment."""

    times: Moments | None = Field(
        None,
        description="moments of temperature.png, s; by default 1/16, 1/4, 9/16 and all of the time",
    )
    moments: Annotated[int, Field(ge=2, le=1000)] = Field(
        11, description="moments of temperature.pvd, evenly in time"
    )


class TransientConfig(Table):
    """A configuration file of `geoembed solve` for heat in a part in time."""

    part: Part = Field(description="the part")
    patches: dict[str, Patch] = Field(default_factory=dict, description="patches of its surface, by name")
    physics: TransientPhysics = Field(description="what happens in the part")
    time: PartTimeTable = Field(description="the span of time")
    initial: InitialTable = Field(description="the first moment")
    conditions: list[TransientConditionTable] = Field([], description="conditions on patches")
    solve: TransientSolveTable = Field(default_factory=TransientSolveTable, description="how far to go")
    output: TransientOutputTable = Field(default_factory=TransientOutputTable, description="what is drawn")
