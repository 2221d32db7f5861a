"""The energy of a temperature field, as a quadratic function of the output layer.

In the dimensionless form of `Scales`, steady conduction minimises (Ritz)

    J(θ) = ½ ∫ |∇θ|² dV − ∫ s θ dV + Σ_faces ∫ [ ½ t (θ − g)² − f θ ] dS

with t = Biot number, g = ambient on convecting faces and f the prescribed flux. A face that is held at g has
t = HOLD, a contact so good that its temperature drop is negligible.
With θ = Σ cᵢ Bᵢ, J is a least-squares problem in c.
"""

from dataclasses import dataclass

import numpy as np
from jaxtyping import Float, Int
from scipy import sparse

from ..sdf import SurfaceRule, micro_centres, signed_volume
from ._features import SplineFeatures
from ._problem import Problem
from ._spline import FEATURES, spline_gradients, spline_values, unit_cell_integrals

HOLD = 1e4  # Biot number of the contact that holds a face: its temperature drop is of the order of 1e-4 of the span
_GHOST = 1e-6  # share of the stiffness that a cut cell keeps outside the part: bounds the condition number
_CELLS = 4096  # cut cells assembled at a time


@dataclass(frozen=True)
class Surface:
    """Dimensionless conditions at points on the surface.

    Args:
        points: Points, in the part's unit.
        weights: Areas, in units of length².
        faces: The face of each point.
        transfer: Biot number, at most HOLD, which it is where the temperature is held.
        target: Ambient or held temperature.
        flux: Prescribed flux into the part.
    """

    points: Float[np.ndarray, "n 3"]
    weights: Float[np.ndarray, " n"]
    faces: Int[np.ndarray, " n"]
    transfer: Float[np.ndarray, " n"]
    target: Float[np.ndarray, " n"]
    flux: Float[np.ndarray, " n"]


def surface_conditions(problem: Problem, rule: SurfaceRule) -> Surface:
    """Brings the conditions at the points of a surface rule into dimensionless form."""
    scales, table = problem.scales, problem.face_conditions
    k = problem.equation.conductivity
    level = np.where(table.held, table.temperature, table.ambient)
    transfer = np.where(table.held, HOLD, np.minimum(table.h * scales.metres / k, HOLD))
    target = np.where(transfer > 0, (level - scales.reference) / scales.span, 0.0)
    flux = table.flux * scales.metres / (k * scales.span)
    f = rule.faces
    return Surface(rule.points, rule.weights / scales.length**2, f, transfer[f], target[f], flux[f])


def dimensionless_source(problem: Problem) -> float:
    """Returns s = q L²/(k ΔT)."""
    scales, equation = problem.scales, problem.equation
    return equation.source * scales.metres**2 / (equation.conductivity * scales.span)


@dataclass(frozen=True)
class Quadratic:
    """J(c) = ½ cᵀ A c − bᵀ c + constant.

    Args:
        matrix: A.
        load: b.
        constant: J of the zero field.
        level: A times the vector of ones, which is the field θ = 1: ∫ t Bᵢ dS.
    """

    matrix: sparse.csr_array
    load: Float[np.ndarray, " d"]
    constant: float
    level: Float[np.ndarray, " d"]

    def __call__(self, coefficients: Float[np.ndarray, " d"]) -> float:
        """Returns J(c)."""
        return float((0.5 * (self.matrix @ coefficients) - self.load) @ coefficients + self.constant)

    def levelled(self, coefficients: Float[np.ndarray, " d"]) -> Float[np.ndarray, " d"]:
        """Returns c plus the constant that minimises J: as much heat leaves as enters.

        At small Biot numbers J hardly depends on the level of the temperature, and the solver is slow to find it.
        """
        return coefficients + (self.load.sum() - self.level @ coefficients) / self.level.sum()


def assemble(problem: Problem, features: SplineFeatures, surface: Surface) -> Quadratic:
    """Assembles the energy over the quadrature of the cells and of the surface.

    Args:
        problem: The problem.
        features: The features of the field.
        surface: The conditions at the points of a surface rule.

    Returns:
        The energy as a function of the output layer, in units of heat · span.
    """
    edge = features.cells.spacing / problem.scales.length
    values = features.values(surface.points)
    weight = surface.weights * surface.transfer
    load = values.T @ (weight * surface.target + surface.weights * surface.flux)
    matrix = values.T @ (sparse.dia_array((weight[None], [0]), shape=(len(weight), len(weight))) @ values)
    volume_matrix, volume_load = _volume(features, edge)
    # The exact heat must be released: where only convection carries it away, a share of it too much raises the whole
    # part by that share of (T − ambient), which is 1/Biot times as much as T varies inside.
    exact = signed_volume(problem.domain.vertices, problem.domain.faces)
    released = dimensionless_source(problem) * exact / features.cells.volume
    return Quadratic(
        matrix=sparse.csr_array(matrix + volume_matrix),
        load=load + released * volume_load,
        constant=float(0.5 * np.sum(weight * surface.target**2)),
        level=values.T @ weight,
    )


def _volume(features: SplineFeatures, edge: float) -> tuple[sparse.csr_array, Float[np.ndarray, " d"]]:
    """Returns ∫ ∇Bᵢ·∇Bⱼ and ∫ Bᵢ over the part; whole cells share one matrix, cut cells sum their micro-cells."""
    cells = features.cells
    stiffness, integral = unit_cell_integrals()
    is_cut = np.zeros(len(cells.index), bool)
    is_cut[cells.cut] = True
    whole = features.cell_features[~is_cut]
    load = np.zeros(features.count)
    np.add.at(load, whole.ravel(), np.tile(integral * edge**3, len(whole)))
    matrix = _scatter(
        np.broadcast_to(stiffness * edge, (len(whole), FEATURES, FEATURES)), whole, features.count
    )

    micro = micro_centres()
    slopes, values = spline_gradients(micro, np), spline_values(micro, np)
    products = np.einsum("mai,mbi->mab", slopes, slopes).reshape(len(micro), -1)
    for start in range(0, len(cells.cut), _CELLS):
        filled = cells.filled[start : start + _CELLS] / len(micro)
        own = features.cell_features[cells.cut[start : start + _CELLS]]
        local = (filled @ products).reshape(-1, FEATURES, FEATURES) + _GHOST * stiffness
        matrix = matrix + _scatter(local * edge, own, features.count)
        np.add.at(load, own.ravel(), (filled @ values * edge**3).ravel())
    return matrix, load


def _scatter(
    local: Float[np.ndarray, "c 27 27"], own: Int[np.ndarray, "c 27"], count: int
) -> sparse.csr_array:
    """Adds cell matrices into one sparse matrix, a few thousand cells at a time to bound the memory."""
    total = sparse.csr_array((count, count))
    for start in range(0, len(local), _CELLS):
        block = own[start : start + _CELLS]
        rows, columns = np.repeat(block, FEATURES, axis=1).ravel(), np.tile(block, (1, FEATURES)).ravel()
        entries = (local[start : start + _CELLS].ravel(), (rows, columns))
        total = total + sparse.csr_array(entries, shape=(count, count))
    return total
