"""The energy of a temperature field, as a quadratic function of the output layer.

In the dimensionless form of `Scales`, steady conduction minimises (Ritz)

    J(θ) = ½ ∫ ∇θ·κ∇θ dV − ∫ s θ dV + Σ_faces ∫ [ ½ t (θ − g)² − f θ ] dS

with κ = K/k (1 for a number k; k the mean conductivity of others), t = Biot number, g = ambient on convecting faces
and f the prescribed flux. A face that is held at g has
t = HOLD, a contact so good that its temperature drop is negligible.
With θ = Σ cᵢ Bᵢ, J is a least-squares problem in c.
"""

from dataclasses import dataclass
from functools import cached_property

import numpy as np
from jaxtyping import Float, Int
from scipy import sparse

from ..sdf import signed_volume
from ._assemble import grid_integrals
from ._held_inverse import HeldInverse, held_features
from ._nested_features import NestedFeatures
from ._problem import Problem
from ._surface_conditions import surface_conditions


def dimensionless_source(problem: Problem) -> float:
    """Returns s = q L²/(k ΔT)."""
    scales, equation = problem.scales, problem.equation
    if callable(equation.source):  # of the time: `heat_in_time` has its load
        return 0.0
    return equation.source * scales.metres**2 / (problem.conduction.mean * scales.span)


@dataclass(frozen=True)
class Quadratic:
    """J(c) = ½ cᵀ A c − bᵀ c + constant.

    Args:
        matrix: A.
        load: b.
        constant: J of the zero field.
        one: The coefficients of the field θ = 1.
        level: A times these: ∫ t Bᵢ dS.
        held: Which features reach a held face.
    """

    matrix: sparse.csr_array
    load: Float[np.ndarray, " d"]
    constant: float
    one: Float[np.ndarray, " d"]
    level: Float[np.ndarray, " d"]
    held: Int[np.ndarray, " k"]

    @cached_property
    def inverse(self) -> HeldInverse:
        """An approximate inverse of A."""
        return HeldInverse(self.matrix, self.held)

    def __call__(self, coefficients: Float[np.ndarray, " d"]) -> float:
        """Returns J(c)."""
        return float((0.5 * (self.matrix @ coefficients) - self.load) @ coefficients + self.constant)

    def levelled(self, coefficients: Float[np.ndarray, " d"]) -> Float[np.ndarray, " d"]:
        """Returns c plus the constant that minimises J: as much heat leaves as enters.

        At small Biot numbers J hardly depends on the level of the temperature, and the solver is slow to find it.
        """
        missing = self.one @ self.load - self.level @ coefficients
        return coefficients + (missing / (self.one @ self.level)) * self.one


def assemble(problem: Problem, features: NestedFeatures) -> Quadratic:
    """Assembles the energy over the quadrature of the cells and of the surface.

    Args:
        problem: The problem.
        features: The features of the field.

    Returns:
        The energy as a function of the output layer, in units of heat · span.
    """
    surface = surface_conditions(problem, features.cells.rule)
    owner = features.cells.owner(surface.points)
    weight = surface.weights * surface.transfer
    drive = weight * surface.target + surface.weights * surface.flux
    edge, conduct = features.spacing / problem.scales.length, problem.conduction.relative
    matrix = sparse.csr_array((features.count, features.count))
    load, level, integral, volume = *np.zeros((3, features.count)), 0.0
    for number, (splines, transfer) in enumerate(zip(features.grids, features.transfer, strict=True)):
        mine = np.flatnonzero(owner == number)
        leaf = ~features.cells.refined[number]
        at = splines.values(surface.points[mine])
        part = grid_integrals(splines, leaf, edge / 2**number, surface.points[mine], weight[mine], conduct)
        matrix = matrix + transfer.T @ (part.matrix @ transfer)
        load += transfer.T @ (at.T @ drive[mine])
        level += transfer.T @ (at.T @ weight[mine])
        integral += transfer.T @ part.integral
        volume += part.volume
    # The exact heat must be released: where only convection carries it away, a share of it too much raises the whole
    # part by that share of (T − ambient), which is 1/Biot times as much as T varies inside.
    exact = signed_volume(problem.domain.vertices, problem.domain.faces)
    released = dimensionless_source(problem) * exact / volume
    return Quadratic(
        matrix=sparse.csr_array(matrix),
        load=load + released * integral,
        constant=float(0.5 * np.sum(weight * surface.target**2)),
        one=features.constant,
        level=level,
        held=held_features(problem, features),
    )
