"""The configuration of `geoembed solve` for an equation in a domain: every key, its default and its meaning."""

from typing import Annotated, Literal

from pydantic import Field, model_validator

from ._condition_config import ConditionTable, WhereTable
from ._domain_config import DomainTable
from ._equation_config import EquationTable
from ._network_config import NetworkTable
from ._region_config import RegionTable
from ._table import Table
from ._training_config import TrainingTable
from ._values_config import Constant


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
    """How far to go. With `points`, `steps`, `width` or `depth`, with `[training]` or `[network]`, a network is trained
    even where splines would do."""

    tolerance: Annotated[float, Field(gt=0, lt=1)] = Field(
        1e-4, description="stop when the estimated error, relative to the size of the field, is below this"
    )
    time_limit: Annotated[float, Field(gt=0, allow_inf_nan=False)] | None = Field(
        None, description="stop after this time and keep the best so far, s; no limit by default"
    )
    form: Literal["strong", "weak"] = Field(
        "strong",
        description='"weak" tests the residual with functions and integrates by parts: for coefficients that are rough '
        "or jump",
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
    regions: list[RegionTable] = Field([], description="parts of the domain with a material of their own")
    conditions: list[ConditionTable] = Field(
        min_length=1, description="conditions on the boundary, at the first moment and between regions"
    )
    time: TimeTable | None = Field(None, description="the span of time of a transient equation")
    training: TrainingTable | None = Field(None, description="how a network is trained")
    network: NetworkTable | None = Field(None, description="which network is trained")
    solve: FieldSolveTable = Field(default_factory=FieldSolveTable, description="how far to go")
    output: OutputTable = Field(default_factory=OutputTable, description="what the files contain")
