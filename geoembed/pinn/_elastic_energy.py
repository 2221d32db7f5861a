"""The energy of a displacement field, as a quadratic function of the output layer.

In the dimensionless form of `Scales`, an elastic part at rest minimises (Ritz)

    J(u) = ½ ∫ λ (∇·u)² + 2μ ε:ε dV − ∫ f·u dV + Σ_faces ∫ [ ½ Σᵢ tᵢ (uᵢ − gᵢ)² − q·u ] dS

with λ and μ in units of Young's modulus, the traction q and stiff springs t = HOLD that hold a component at g.
With uᵢ = Σ cᵢₐ Bₐ, J is a least-squares problem in c.
"""

from dataclasses import dataclass

import numpy as np
from jaxtyping import Float, Int
from scipy import sparse

from ..sdf import SurfaceRule, signed_volume
from ._block_matrix import BlockMatrix
from ._elastic_assemble import elastic_integrals
from ._multilevel import Multilevel
from ._nested_features import NestedFeatures
from ._problem import Problem

HOLD = 1e4  # stiffness of the springs that hold a face, over E/length


@dataclass(frozen=True)
class LoadedSurface:
    """Dimensionless loads and supports at points on the surface.

    Args:
        points: Points, in the part's unit.
        weights: Areas, in units of length².
        faces: The face of each point.
        springs: Stiffness of the springs along each axis, at most HOLD, which it is where the component is held.
        target: What the springs pull to.
        traction: Force on the part, per area.
    """

    points: Float[np.ndarray, "n 3"]
    weights: Float[np.ndarray, " n"]
    faces: Int[np.ndarray, " n"]
    springs: Float[np.ndarray, "n 3"]
    target: Float[np.ndarray, "n 3"]
    traction: Float[np.ndarray, "n 3"]


def loaded_surface(problem: Problem, rule: SurfaceRule) -> LoadedSurface:
    """Brings the loads at the points of a surface rule into dimensionless form."""
    scales, table, young = problem.scales, problem.face_loads, problem.equation.young
    springs = np.where(table.held, HOLD, np.minimum(table.stiffness * scales.metres / young, HOLD))
    target = np.where(table.held, table.displacement / scales.span, 0.0)
    traction = table.traction * scales.metres / (young * scales.span)
    f = rule.faces
    return LoadedSurface(rule.points, rule.weights / scales.length**2, f, springs[f], target[f], traction[f])


def dimensionless_lame(problem: Problem) -> tuple[float, float]:
    """Returns λ and μ in units of Young's modulus."""
    first, shear = problem.equation.lame
    return first / problem.equation.young, shear / problem.equation.young


def dimensionless_force(problem: Problem) -> Float[np.ndarray, "3"]:
    """Returns f L²/(E U)."""
    scales, equation = problem.scales, problem.equation
    return np.array(equation.body_force) * scales.metres**2 / (equation.young * scales.span)


@dataclass(frozen=True)
class ElasticQuadratic:
    """J(c) = ½ cᵀ A c − bᵀ c + constant.

    Args:
        matrix: A.
        load: b, component after component.
        constant: J of the zero field.
        inverse: An approximate inverse of A.
    """

    matrix: BlockMatrix
    load: Float[np.ndarray, " d"]
    constant: float
    inverse: Multilevel

    def __call__(self, coefficients: Float[np.ndarray, " d"]) -> float:
        """Returns J(c)."""
        return float((0.5 * (self.matrix @ coefficients) - self.load) @ coefficients + self.constant)

    def levelled(self, coefficients: Float[np.ndarray, " d"]) -> Float[np.ndarray, " d"]:
        """Returns c: unlike a temperature, a displacement has no level that the energy hardly feels."""
        return coefficients


def assemble_elastic(problem: Problem, features: NestedFeatures) -> ElasticQuadratic:
    """Assembles the energy over the quadrature of the cells and of the surface.

    Args:
        problem: The problem.
        features: The features of each component of the field.

    Returns:
        The energy as a function of the output layer, in units of heat · span of the scales.
    """
    surface = loaded_surface(problem, features.cells.rule)
    owner = features.cells.owner(surface.points)
    springs = surface.weights[:, None] * surface.springs
    drive = springs * surface.target + surface.weights[:, None] * surface.traction
    lame, edge = dimensionless_lame(problem), features.spacing / problem.scales.length
    blocks = [sparse.csr_array((features.count, features.count)) for _ in range(6)]
    load, integral, volume = np.zeros((3, features.count)), np.zeros(features.count), 0.0
    for number, (splines, transfer) in enumerate(zip(features.grids, features.transfer, strict=True)):
        mine = np.flatnonzero(owner == number)
        leaf = ~features.cells.refined[number]
        part = elastic_integrals(splines, leaf, edge / 2**number, lame, surface.points[mine], springs[mine])
        blocks = [
            sparse.csr_array(block + transfer.T @ (own @ transfer))
            for block, own in zip(blocks, part.blocks, strict=True)
        ]
        load += (transfer.T @ (splines.values(surface.points[mine]).T @ drive[mine])).T
        integral += transfer.T @ part.integral
        volume += part.volume
    exact = signed_volume(problem.domain.vertices, problem.domain.faces)
    weight = dimensionless_force(problem) * exact / volume  # all of it, whatever volume the quadrature sees
    load += weight[:, None] * integral[None]
    held = surface.weights[:, None] * surface.springs * surface.target**2
    matrix = BlockMatrix(blocks)
    inverse = Multilevel(features, matrix, lame, problem.scales.length, surface.points, springs)
    return ElasticQuadratic(matrix, load.ravel(), float(0.5 * np.sum(held)), inverse)
