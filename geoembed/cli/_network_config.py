"""The networks in a configuration: a table for each, told apart by `kind`."""

from typing import Annotated, Literal

from pydantic import Field, model_validator

from ._table import Table

Width = Annotated[int, Field(ge=1, le=2000)]
Depth = Annotated[int, Field(ge=1, le=50)]
Activation = Literal["tanh", "swish", "softplus"]
Positive = Annotated[float, Field(gt=0, allow_inf_nan=False)]

_ACTIVATION = "the function of a unit"


class MLPTable(Table):
    """Plain layers."""

    kind: Literal["mlp"] = Field(description="layer after layer")
    width: Width = Field(16, description="units in a hidden layer")
    depth: Depth = Field(4, description="hidden layers")
    activation: Activation = Field("tanh", description=_ACTIVATION)


class ModifiedMLPTable(Table):
    """Layers with gates."""

    kind: Literal["modified_mlp"] = Field(description="each layer mixes two gates of the first features")
    width: Width = Field(16, description="units in a hidden layer")
    depth: Depth = Field(4, description="hidden layers")
    activation: Activation = Field("tanh", description=_ACTIVATION)


class PirateNetTable(Table):
    """Gated blocks that start as the identity, so that deep networks train."""

    kind: Literal["pirate_net"] = Field(description="residual blocks with gates")
    width: Width = Field(32, description="units in a layer, an even number where there is a scale")
    blocks: Depth = Field(3, description="blocks of three layers")
    scale: Annotated[float, Field(ge=0, allow_inf_nan=False)] = Field(
        0.3,
        description="standard deviation of the random frequencies of the first features; 0 for a plain first layer",
    )
    activation: Activation = Field("tanh", description=_ACTIVATION)

    @model_validator(mode="after")
    def _is_even(self) -> "PirateNetTable":
        if self.scale and self.width % 2:
            raise ValueError(f"width = {self.width} is odd: half of it are cosines and half sines")
        return self


class SirenTable(Table):
    """Layers of sines."""

    kind: Literal["siren"] = Field(description="every unit is a sine")
    width: Width = Field(16, description="units in a hidden layer")
    depth: Depth = Field(4, description="hidden layers")
    first: Positive = Field(30.0, description="frequency of the first layer")
    frequency: Positive = Field(30.0, description="frequency of the other layers")


class SeparableTable(Table):
    """A sum of products of networks of one coordinate each."""

    kind: Literal["separable"] = Field(description="products of functions of one coordinate")
    width: Width = Field(16, description="units in a hidden layer of each network")
    depth: Depth = Field(2, description="hidden layers of each network")
    rank: Width = Field(16, description="products that are added")
    activation: Activation = Field("tanh", description=_ACTIVATION)


NetworkTable = Annotated[
    MLPTable | ModifiedMLPTable | PirateNetTable | SirenTable | SeparableTable, Field(discriminator="kind")
]
