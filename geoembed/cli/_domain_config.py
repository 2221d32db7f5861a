"""The tables of a configuration that are shapes: a domain, its holes, its regions."""

from typing import Annotated, Literal

from pydantic import Field, model_validator

from ._table import Table, Unit
from ._values_config import Constant, Positive

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
