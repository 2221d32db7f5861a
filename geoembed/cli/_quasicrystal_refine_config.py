"""The configuration of `geoembed quasicrystal refine`: every key, its unit, its default and its meaning."""

from typing import Annotated, Literal

from pydantic import Field, model_validator

from ._table import Number, Table

Positive = Annotated[float, Field(gt=0, allow_inf_nan=False)]
Known = Literal["size", "position", "amplitude", "b_parallel", "b_perp"]


class FormFactorTable(Table):
    """An atomic form factor Σ a exp(−b (Q/4π)²) + c, as International Tables list it."""

    a: list[Number] = Field(description="electrons")
    b: list[Number] = Field(description="squares of the unit of length")
    c: Number = Field(0.0, description="electrons")

    @model_validator(mode="after")
    def _as_many(self) -> "FormFactorTable":
        if len(self.a) != len(self.b):
            raise ValueError("a and b need equally many numbers")
        return self


class SurfaceTable(Table):
    """An atomic surface."""

    window: Literal["cube", "ball"] = Field(
        description='"cube", the projection of the unit cube (interval, octagon, dodecagon, triacontahedron), or "ball"'
    )
    size: Positive = Field(
        1.0, description="what the projected cube is multiplied by, or the radius in lattice constants"
    )
    position: list[Number] | None = Field(
        None, description="its centre in the unit cell, in the basis of the lattice; the origin by default"
    )
    amplitude: Number = Field(1.0, description="occupancy, or the scattering amplitude without a form factor")
    b_parallel: Number = Field(
        0.0, description="B of the Debye-Waller factor of phonons, squares of the unit of length"
    )
    b_perp: Number = Field(0.0, description="the same of phasons, squares of the lattice constant")
    form_factor: FormFactorTable | None = Field(None, description="1 by default")
    refine: list[Known] = Field([], description="which of these numbers are refined")


class PhasonTable(Table):
    """The phason strain."""

    value: list[list[Number]] | None = Field(
        None, description="a row for each perpendicular axis; 0 by default"
    )
    refine: bool = Field(False, description="whether it is refined")


class SpreadTable(Table):
    """Standard deviations of the random starts around the given values."""

    size: Positive = Field(0.03, description="of sizes, as a share of them")
    position: Positive = Field(0.01, description="of positions, in the basis of the lattice")
    amplitude: Positive = Field(0.1, description="of amplitudes, as a share of them")
    b_parallel: Positive = Field(0.3, description="squares of the unit of length")
    b_perp: Positive = Field(0.1, description="squares of the lattice constant")
    phason_strain: Positive = Field(0.003, description="of every component")


class RefineConfig(Table):
    """A configuration file of `geoembed quasicrystal refine`."""

    model: Literal["fibonacci", "ammann_beenker", "dodecagonal", "icosahedral"] = Field(
        description="whose lattice and unit cube are taken"
    )
    constant: Positive = Field(
        1.0, description="lattice constant (icosahedral) or edge of tiles, unit of length"
    )
    reflections: str = Field(
        description="CSV file with the columns h1, …, hD, intensity, sigma; a relative path starts here"
    )
    surfaces: list[SurfaceTable] = Field(min_length=1, description="atomic surfaces")
    phason_strain: PhasonTable = Field(default_factory=PhasonTable, description="the phason strain")
    starts: Annotated[int, Field(ge=1, le=1000)] = Field(
        10, description="how many; the first is the given one"
    )
    steps: Annotated[int, Field(ge=1)] = Field(100, description="the most least-squares steps of a start")
    spread: SpreadTable = Field(default_factory=SpreadTable, description="how far the starts differ")

    @model_validator(mode="after")
    def _refines_something(self) -> "RefineConfig":
        if not self.phason_strain.refine and not any(surface.refine for surface in self.surfaces):
            raise ValueError('nothing is refined: add refine = ["size", …] to [[surfaces]]')
        return self
