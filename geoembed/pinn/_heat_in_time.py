"""Heat in a part as a system of ordinary differential equations for the output layer.

With θ = (T − reference)/span = Σ cᵢ(t) Bᵢ, t in s, C and k the mean ρc and conductivity,

    M dc/dt + A c = b(t),   M = ∫ (ρc/C) Bᵢ Bⱼ dV,   b = Σ gⱼ(t) ℓⱼ

with A as in `assemble`, divided by the unit of time C L²/k, a vector ℓⱼ for each condition and for the source, and a
number gⱼ that may depend on the time.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
from jaxtyping import Bool, Float, Int
from scipy import sparse

from ..sdf import OccupiedCells, SurfaceRule, evaluate, signed_volume
from ._assemble import CELLS_AT_A_TIME, CellTable
from ._cell_moments import moments, spline_moments, value_products, whole_moments
from ._conditions import Convection, HeatFlux, Temperature, value_at
from ._energy import assemble
from ._equations._solid import solid_values
from ._features import SplineFeatures
from ._march_heat import solved
from ._nested_features import NestedFeatures
from ._placed_form import GHOST, PlacedForm, value_forms
from ._problem import Problem
from ._spline import FEATURES, spline_values
from ._surface_conditions import surface_conditions

_NODES = np.array(
    [0.5 - np.sqrt(3) / 4, 0.5, 0.5 + np.sqrt(3) / 4]
)  # Chebyshev's, where a given field is taken
_CLOSE = 1e-8  # relative error of the linear solver at the first moment
_PLACES = np.stack(np.meshgrid(_NODES, _NODES, _NODES, indexing="ij"), axis=-1).reshape(-1, 3)


@dataclass(frozen=True)
class HeatInTime:
    """The system of one grid.

    Args:
        features: The features.
        mass: M.
        stiffness: A.
        loads: The vectors ℓⱼ, as columns.
        drives: The functions gⱼ of the time in s.
        start: c at the first moment.
        held: Which features reach a face that is held.
    """

    features: NestedFeatures
    mass: sparse.csr_array
    stiffness: sparse.csr_array
    loads: Float[np.ndarray, "d j"]
    drives: tuple[Callable[[float], float], ...]
    start: Float[np.ndarray, " d"]
    held: Int[np.ndarray, " k"]

    def load(self, time: float) -> Float[np.ndarray, " d"]:
        """Returns b at a time in s."""
        return self.loads @ np.array([drive(time) for drive in self.drives])


def heat_in_time(problem: Problem, features: NestedFeatures) -> HeatInTime:
    """Assembles the system of a grid."""
    scales, given = problem.scales, _initial(problem)
    edge = features.spacing / scales.length
    mass, volume = sparse.csr_array((features.count, features.count)), 0.0
    begin, content = np.zeros((2, features.count))
    for number, (splines, transfer) in enumerate(zip(features.grids, features.transfer, strict=True)):
        leaf = ~features.cells.refined[number]
        own, projected, integral, filled = _grid_mass(problem, splines, leaf, edge / 2**number, given)
        mass = mass + transfer.T @ (own @ transfer)
        begin += transfer.T @ projected
        content += transfer.T @ integral
        volume += filled
    # As for the source: where only convection carries heat away, what is stored must be exact.
    exact = signed_volume(problem.domain.vertices, problem.domain.faces) / volume
    mass = sparse.csr_array(mass)
    if callable(given):
        size = float(np.sqrt(begin @ solved(mass, begin, np.zeros(len(begin)), np.inf)[0]))
        at_start = solved(mass, begin, np.zeros(len(begin)), _CLOSE * size)[0]
    else:
        at_start = (given - scales.reference) / scales.span * features.constant
    loads, drives = _loads(problem, features, content * exact)
    unit = problem.mean_capacity * scales.metres**2 / problem.conduction.mean
    steady = assemble(problem, features)
    stiffness = steady.matrix / unit
    return HeatInTime(features, mass * exact, stiffness, loads / unit, drives, at_start, steady.held)


def _grid_mass(
    problem: Problem, splines: SplineFeatures, leaf: Bool[np.ndarray, " c"], edge: float, given: Any
) -> tuple[sparse.csr_array, np.ndarray, np.ndarray, float]:
    """∫ c BᵢBⱼ, ∫ c Bᵢ θ₀ and ∫ Bᵢ over the leaves of one grid, and their volume in the part's unit cubed.

    In each cell θ₀ is taken to be the quadratic through its values at 3³ places, a combination of the cell's splines.
    """
    cells, scales = splines.cells, problem.scales
    table, form = (
        CellTable(splines.cell_features[leaf], splines.count),
        CellMass(cells, _relative_capacity(problem)),
    )
    projected, integral = np.zeros((2, splines.count))
    volume, rows = 0.0, np.flatnonzero(leaf)
    for start in range(0, len(rows), CELLS_AT_A_TIME):
        block = rows[start : start + CELLS_AT_A_TIME]
        local, inside, filled = form(block)
        table.add(local * edge**3, start)
        own = splines.cell_features[block].ravel()
        if callable(given):
            wanted = (np.asarray(given(_places(cells, block))) - scales.reference) / scales.span
            taken = np.einsum("bij,bj->bi", local, wanted.reshape(len(block), -1) @ _FROM_NODES.T)
            np.add.at(projected, own, taken.ravel() * edge**3)
        np.add.at(integral, own, inside.ravel() * edge**3)
        volume += filled * cells.spacing**3
    return table.matrix(), projected, integral, volume


class CellMass:
    """∫ c bᵢ bⱼ and ∫ bᵢ of the splines of single cells, in cells, with a factor c that may depend on the point."""

    def __init__(self, cells: OccupiedCells, factor: Callable[[np.ndarray], np.ndarray] | None):
        self.filled, self.cut = cells.filled, np.full(len(cells.index), -1)
        self.cut[cells.cut] = np.arange(len(cells.cut))
        self.products = value_products().reshape(-1, FEATURES**2)
        self.whole = (whole_moments() @ self.products).reshape(FEATURES, FEATURES)
        self.integral = whole_moments() @ spline_moments()
        self.placed = None if factor is None else PlacedForm(cells, value_forms(), factor)

    def __call__(self, block: np.ndarray) -> tuple[np.ndarray, np.ndarray, float]:
        """Returns both for some cells, and how many cells they fill."""
        cut = np.flatnonzero(self.cut[block] >= 0)
        part = moments(self.filled[self.cut[block[cut]]])
        inside = np.broadcast_to(self.integral, (len(block), FEATURES)).copy()
        inside[cut] = part @ spline_moments()
        filled = len(block) - len(cut) + float(part[:, 0].sum())
        if self.placed is not None:
            return self.placed(block), inside, filled
        local = np.broadcast_to(self.whole, (len(block), FEATURES, FEATURES)).copy()
        local[cut] = (part @ self.products).reshape(-1, FEATURES, FEATURES) + GHOST * self.whole
        return local, inside, filled


# From the values of a quadratic at the nodes of a cell to the coefficients of the cell's splines.
_FROM_NODES = np.linalg.inv(spline_values(_PLACES, np))


def _places(cells: OccupiedCells, block: np.ndarray) -> Float[np.ndarray, "n 3"]:
    return (cells.origin + cells.spacing * (cells.index[block][:, None] + _PLACES)).reshape(-1, 3)


def _initial(problem: Problem) -> Any:
    """The temperature at the first moment: a number, or a function of points, K."""
    value: Any = problem.initial.value
    begin = problem.moments[0]
    if not callable(value):
        return float(value)
    return lambda points: evaluate(value, np.pad(points, ((0, 0), (0, 1)), constant_values=begin))


def _relative_capacity(problem: Problem) -> Callable[[np.ndarray], np.ndarray] | None:
    capacity, mean = problem.equation.capacity, problem.mean_capacity
    if not callable(capacity):
        return None
    return lambda points: solid_values("capacity", capacity, points) / mean


def _loads(
    problem: Problem, features: NestedFeatures, content: Float[np.ndarray, " d"]
) -> tuple[np.ndarray, tuple[Callable[[float], float], ...]]:
    """The vectors ℓⱼ and the functions gⱼ."""
    scales, rule, k = problem.scales, features.cells.rule, problem.conduction.mean
    surface = surface_conditions(problem, rule)
    back = sparse.csr_array(features.values(rule.points).T)
    loads: list[np.ndarray] = []
    drives: list[Callable[[float], float]] = []
    for condition in problem.heat_conditions:
        here = surface.weights * _on(problem, rule, condition.patch)
        match condition:
            case Temperature(value=value) | Convection(ambient=value):
                loads.append(back @ (here * surface.transfer))
                drives.append(_scaled(value, 1 / scales.span, scales.reference))
            case HeatFlux(value=value):
                loads.append(back @ here)
                drives.append(_scaled(value, scales.metres / (k * scales.span)))
    loads.append(content)
    drives.append(_scaled(problem.equation.source, scales.metres**2 / (k * scales.span)))
    return np.stack(loads, axis=1), tuple(drives)


def _on(problem: Problem, rule: SurfaceRule, patch: str) -> np.ndarray:
    return problem.resolved.mask(patch)[rule.faces].astype(np.float64)


def _scaled(value: Any, factor: float, origin: float = 0.0) -> Callable[[float], float]:
    return lambda time: (value_at(value, time) - origin) * factor
