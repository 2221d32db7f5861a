# ruff: noqa: RUF001  (mathematical symbols in what the user reads)
"""The equations in a configuration: a table for each, told apart by `kind`."""

from typing import Annotated, Literal

from pydantic import Field, model_validator

from ._table import Table
from ._values_config import Fluxes, Formulas, Matrix, Names, Value, Vector


class PoissonTable(Table):
    """Poisson's and Laplace's equation."""

    kind: Literal["poisson"] = Field(description="the equation: −∇·(a ∇u) + c u = f")
    source: Value = Field(0.0, description="f; a formula may contain u, then the equation is nonlinear")
    diffusivity: Matrix = Field(1.0, description="a, the diffusivity, positive")
    reaction: Value = Field(0.0, description="c, the reaction")


class HelmholtzTable(Table):
    """A wave of one frequency."""

    kind: Literal["helmholtz"] = Field(description="the equation: −∇²u − k² u = f")
    wavenumber: Value = Field(description="k, radians per unit of length")
    source: Value = Field(0.0, description="f, the source")


class HeatTable(Table):
    """Heat conduction, with time if there is a capacity."""

    kind: Literal["heat"] = Field(description="the equation: ρc ∂T/∂t − ∇·(k ∇T) = q")
    conductivity: Matrix = Field(description="k, W/(m K), positive; a formula may contain T")
    source: Value = Field(0.0, description="q, W/m³")
    capacity: Value | None = Field(None, description="ρc, J/(m³ K); without it the problem is steady")


class AdvectionDiffusionTable(Table):
    """Something that is carried and spreads."""

    kind: Literal["advection_diffusion"] = Field(description="the equation: ∂u/∂t + v·∇u − ∇·(D ∇u) = f")
    velocity: Vector = Field(description="v, the velocity")
    diffusivity: Matrix = Field(description="D, the diffusivity, positive")
    source: Value = Field(0.0, description="f, the source")
    transient: bool = Field(True, description="whether there is time")


class BurgersTable(Table):
    """Burgers' equation."""

    kind: Literal["burgers"] = Field(description="the equation: ∂u/∂t + u ∂u/∂x = ν ∂²u/∂x²")
    viscosity: Value = Field(description="ν, not negative")


class KdVTable(Table):
    """The equation of Korteweg and de Vries."""

    kind: Literal["kdv"] = Field(description="the equation: ∂u/∂t + a u ∂u/∂x + b ∂³u/∂x³ = 0")
    advection: Value = Field(1.0, description="a, of the advection")
    dispersion: Value = Field(0.022**2, description="b, of the third derivative")


class KuramotoSivashinskyTable(Table):
    """The equation of Kuramoto and Sivashinsky."""

    kind: Literal["kuramoto_sivashinsky"] = Field(
        description="the equation: ∂u/∂t + a u ∂u/∂x + b ∂²u/∂x² + c ∂⁴u/∂x⁴ = 0"
    )
    advection: Value = Field(1.0, description="a, of the advection")
    growth: Value = Field(1.0, description="b, of the second derivative")
    damping: Value = Field(1.0, description="c, of the fourth derivative, positive")


class AllenCahnTable(Table):
    """The equation of Allen and Cahn."""

    kind: Literal["allen_cahn"] = Field(description="the equation: ∂u/∂t = d ∇²u + r (u − u³)")
    diffusivity: Value = Field(1e-4, description="d, the diffusivity, positive")
    rate: Value = Field(5.0, description="r, the rate")


class WaveTable(Table):
    """The wave equation."""

    kind: Literal["wave"] = Field(description="the equation: ∂²u/∂t² − ∇·(c² ∇u) = f")
    speed: Value = Field(description="c, units of length per unit of time, positive")
    source: Value = Field(0.0, description="f, the source")


class EikonalTable(Table):
    """Arrival times of a front."""

    kind: Literal["eikonal"] = Field(description="the equation: ‖∇u‖ = s")
    slowness: Value = Field(1.0, description="s, units of time per unit of length, not negative")


class NavierStokesTable(Table):
    """An incompressible flow in the plane, with the unknowns u, v (velocity) and p (pressure)."""

    kind: Literal["navier_stokes"] = Field(
        description="the equations: ρ (∂v/∂t + v·∇v) = −∇p + μ ∇²v + f, ∇·v = 0"
    )
    viscosity: Value = Field(description="μ, Pa s, or 1/Re; positive")
    density: Value = Field(1.0, description="ρ, kg/m³; positive")
    force: Vector = Field(0.0, description="f, N/m³")
    transient: bool = Field(False, description="whether there is time")


class ElasticityTable(Table):
    """Small deformations of an elastic solid, with the unknowns ux, uy and in space uz."""

    kind: Literal["elasticity"] = Field(
        description="the equations: ρ ∂²u/∂t² − ∇·σ = f, σ = λ (∇·u) I + μ (∇u + ∇uᵀ)"
    )
    young: Value = Field(description="Young's modulus, N/m², positive")
    poisson: Value = Field(description="Poisson's ratio, above −1 and below 0.5")
    plane: Literal["strain", "stress"] = Field("strain", description="in the plane: plane strain or stress")
    force: Vector = Field(0.0, description="f, N/m³")
    density: Value | None = Field(None, description="ρ, kg/m³; without it the problem is steady")


class OwnTable(Table):
    """An equation written out: `residual` as it stands, or `flux` and `balance`, which also have a weak form. Formulas
    contain the coordinates, the unknowns and their derivatives: `u_t`, `u_xx`, `u_xy`."""

    kind: Literal["own"] = Field(description="your own equation: residual = 0, or ∇·flux = balance")
    unknowns: Names = Field(["u"], description="names of the unknowns")
    residual: Formulas | None = Field(
        None, description="what is zero, with derivatives up to order 4; one formula for each scalar equation"
    )
    balance: Formulas | None = Field(
        None, description="what ∇·flux is, with derivatives of order 1; one formula for each unknown"
    )
    flux: Fluxes | None = Field(
        None,
        description="F with the natural flux F·n, with derivatives of order 1: a component for each coordinate in "
        "space; for several unknowns a list of these. Without it, beside `residual`, the natural flux is ∂u/∂n",
    )
    transient: bool = Field(False, description="whether there is time")

    @model_validator(mode="after")
    def _says_one_thing(self) -> "OwnTable":
        if (self.residual is None) == (self.balance is None):
            raise ValueError("give one of residual and balance")
        if self.balance is not None and self.flux is None:
            raise ValueError("balance says what the divergence of flux is: give flux too")
        return self


EquationTable = Annotated[
    PoissonTable
    | HelmholtzTable
    | HeatTable
    | AdvectionDiffusionTable
    | BurgersTable
    | KdVTable
    | KuramotoSivashinskyTable
    | AllenCahnTable
    | WaveTable
    | EikonalTable
    | NavierStokesTable
    | ElasticityTable
    | OwnTable,
    Field(discriminator="kind"),
]
