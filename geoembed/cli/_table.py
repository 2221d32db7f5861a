"""What the tables of all configurations have in common."""

from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field

Number = Annotated[float, Field(allow_inf_nan=False)]
Triple = Annotated[list[Number], Field(min_length=3, max_length=3)]
Pair = Annotated[list[Number], Field(min_length=2, max_length=2)]
Unit = Literal["m", "cm", "mm", "um", "in", "ft"]


class Table(BaseModel):
    """A table that knows all its keys and refuses the others; numbers are not read from strings."""

    model_config = ConfigDict(extra="forbid", strict=True, frozen=True)


class SlicesTable(Table):
    """The planes of slices.png."""

    x: Number | None = Field(None, description="where a plane across x cuts; by default near the middle")
    y: Number | None = Field(None, description="the same across y")
    z: Number | None = Field(None, description="the same across z")


class PartOutputTable(Table):
    """What is drawn of a part. Coordinates are in the part's unit."""

    slices: SlicesTable = Field(default_factory=SlicesTable, description="the planes of slices.png")
