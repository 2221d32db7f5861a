"""The tables of a configuration that ask how a temperature changes with the shape of a part."""

from typing import Annotated, Literal

from pydantic import Field, model_validator

from ._table import Table, Triple


class MoveTable(Table):
    """A patch that is moved; all other faces stay in their planes. It must end at sharp edges."""

    patch: str = Field(description="name of the patch")
    name: str | None = Field(
        None, description="name of this motion in the report; by default that of the patch"
    )
    direction: Triple | None = Field(
        None,
        description="where it moves, in the part's unit for each unit of the motion; by default outwards along the "
        "normals, by one",
    )


class ShapeTable(Table):
    """How a temperature changes when patches of the part are moved: K for each of the part's units."""

    functional: Literal["peak", "mean"] = Field(
        "peak", description="of which number: the mean, or a smooth maximum, width · ln(mean of exp(T/width))"
    )
    over: str | None = Field(None, description="patch that it is taken over; by default the volume")
    width: Annotated[float, Field(gt=0, allow_inf_nan=False)] | None = Field(
        None,
        description="what is within this of the hottest counts as hot, K; by default a twentieth of the spread of the "
        "surface's temperature",
    )
    cells: Annotated[int, Field(ge=100, le=10_000_000)] = Field(
        10_000, description="cells of the grid of its own that it is computed on"
    )
    form: Literal["volume", "surface"] = Field("volume", description="which form of the derivative")
    moves: list[MoveTable] = Field(description="`[[shape.moves]]`: the patches that are moved")

    @model_validator(mode="after")
    def _moves_something(self) -> "ShapeTable":
        if not self.moves:
            raise ValueError("nothing moves: add [[shape.moves]] with patch = …")
        if self.functional == "mean" and self.width is not None:
            raise ValueError("a mean has no width: leave it away")
        return self
