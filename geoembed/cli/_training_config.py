"""How a network is trained, in a configuration: a table for each way, told apart by `kind`."""

from typing import Annotated, Literal

from pydantic import Field, model_validator

from ._table import Table

Positive = Annotated[float, Field(gt=0, allow_inf_nan=False)]
Points = Annotated[int, Field(ge=64, le=10_000_000)]
Count = Annotated[int, Field(ge=1)]


class LeastSquaresTable(Table):
    """Levenberg–Marquardt steps, then quasi-Newton steps: far more accurate on small networks."""

    kind: Literal["least_squares"] = Field(description="steps that solve a linear least-squares problem each")
    points: Points = Field(4000, description="points inside at the end; a sixth of them at the start")
    steps: Count = Field(100_000, description="the most steps")
    mixed: bool = Field(True, description="Jacobians in float32 while that does no harm")


class FirstOrderTable(Table):
    """Steps along gradients: for networks with more numbers than a matrix of their square can hold, and to compare
    with published work."""

    kind: Literal["first_order"] = Field(description="every step costs a multiple of one evaluation")
    optimiser: Literal["soap", "adam", "lbfgs"] = Field("soap", description="which steps are taken")
    steps: Count = Field(20_000, description="the most steps, shared evenly by the windows")
    points: Points = Field(1024, description="points inside in one step")
    rate: Positive | None = Field(
        None, description="highest learning rate; 3e-3 by default; L-BFGS finds its own"
    )
    redrawn: bool | None = Field(
        None, description="new points in every step, or the same in all; by default new ones, not for L-BFGS"
    )
    balance: Literal["kernel", "gradient", "none"] = Field(
        "kernel",
        description="what sets the weights of the soft conditions and of the parts of the residual: the neural tangent "
        "kernel, norms of gradients, or nothing",
    )
    causal: Positive | None = Field(
        None, description="first ε of causal weights: a moment counts once all before it are solved"
    )
    slices: Annotated[int, Field(ge=2, le=10_000)] = Field(
        16, description="slices of the time for causal weights"
    )
    windows: Annotated[int, Field(ge=1, le=1000)] = Field(
        1, description="windows of the time, solved one after the other"
    )
    report: Count = Field(100, description="steps between two looks at the held-out residual")

    @model_validator(mode="after")
    def _fits(self) -> "FirstOrderTable":
        if self.optimiser == "lbfgs" and self.rate is not None:
            raise ValueError("the line search of L-BFGS finds the rate: leave it away")
        if self.optimiser == "lbfgs" and self.redrawn:
            raise ValueError(
                "the line search of L-BFGS needs the same points in all steps: leave redrawn away"
            )
        if self.steps < self.windows:
            raise ValueError(f"{self.steps} steps are fewer than the {self.windows} windows")
        return self


TrainingTable = Annotated[LeastSquaresTable | FirstOrderTable, Field(discriminator="kind")]
