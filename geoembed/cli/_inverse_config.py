"""The tables of a configuration that say what is measured and what is unknown."""

from typing import Annotated

from pydantic import Field, model_validator

from ._table import Number, Table

Deviation = Annotated[float, Field(gt=0, allow_inf_nan=False)]


class SensorsTable(Table):
    """Temperatures measured in or on the part, for numbers that are to be found."""

    file: str = Field(
        description="CSV file with the columns x, y, z (part's unit), temperature (K) and, if known, sigma (K); "
        "a relative path starts at the configuration file"
    )
    sigma: Deviation | None = Field(
        None,
        description="standard deviation of the noise of every sensor, K, if the file has no column sigma; with "
        "neither it is estimated",
    )


class PriorTable(Table):
    """What is known about a number from elsewhere."""

    value: Number = Field(description="the value, SI units")
    sigma: Deviation = Field(description="its standard deviation, SI units")


class UnknownTable(Table):
    """A number to be found. The search starts at its value in `[physics]` or `[[conditions]]`."""

    name: str = Field(
        description="`conductivity`, `source`, or `PATCH.h`, `PATCH.ambient`, `PATCH.flux`, `PATCH.temperature`"
    )
    prior: PriorTable | None = Field(None, description="what is known about it from elsewhere")
    bounds: Annotated[list[Number], Field(min_length=2, max_length=2)] | None = Field(
        None,
        description="lowest and highest value that you hold possible; a result outside is reported as a fault",
    )

    @model_validator(mode="after")
    def _in_order(self) -> "UnknownTable":
        if self.bounds is not None and self.bounds[0] >= self.bounds[1]:
            raise ValueError(f"the first of bounds = {self.bounds} is not below the second")
        return self
