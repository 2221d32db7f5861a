"""The sparse matrix of the energy from the small matrices of the cells."""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from jaxtyping import Bool, Float, Int
from scipy import sparse

from ..sdf import OccupiedCells
from ._cell_moments import moments, slope_products, spline_moments, whole_moments
from ._features import SplineFeatures
from ._placed_form import GHOST, PlacedForm, slope_forms
from ._spline import FEATURES, spline_values

CELLS_AT_A_TIME = 4096  # assembled at a time
_REACH = 5  # splines along each axis, from two before to two after, that share a cell with a spline
_LOCAL = np.stack(np.meshgrid(*[np.arange(3)] * 3, indexing="ij"), axis=-1).reshape(-1, 3)
Conduct = np.ndarray | Callable[[np.ndarray], np.ndarray] | None
# Where local spline b stands among the 5³ neighbours of local spline a.
_PLACE = (_LOCAL[None] - _LOCAL[:, None] + 2) @ np.array([_REACH**2, _REACH, 1])


@dataclass(frozen=True)
class GridIntegrals:
    """Integrals over the leaves of one grid.

    Args:
        matrix: ∫ ∇Bᵢ·κ∇Bⱼ dV + Σ weight Bᵢ Bⱼ at the surface points.
        integral: ∫ Bᵢ dV.
        volume: ∫ dV, in the part's unit cubed.
    """

    matrix: sparse.csr_array
    integral: Float[np.ndarray, " s"]
    volume: float


def grid_integrals(
    splines: SplineFeatures,
    leaf: Bool[np.ndarray, " c"],
    edge: float,
    points: Float[np.ndarray, "n 3"],
    weight: Float[np.ndarray, " n"],
    conduct: Conduct = None,
) -> GridIntegrals:
    """Integrates the splines of one grid over its leaves and at surface points in them.

    Args:
        splines: The splines.
        leaf: Which cells to integrate over.
        edge: Edge length of the cells, dimensionless.
        points: Surface points, in the part's unit.
        weight: Their weights, dimensionless.
        conduct: κ, dimensionless: None for 1, a matrix, or a function of points.

    Returns:
        The integrals.
    """
    cells = splines.cells
    quadrature, contact = CellQuadrature(cells, edge, conduct), Contact(cells, points, weight)
    table = CellTable(splines.cell_features[leaf], splines.count)
    integral, volume = np.zeros(splines.count), 0.0
    rows = np.flatnonzero(leaf)
    for start in range(0, len(rows), CELLS_AT_A_TIME):
        block = rows[start : start + CELLS_AT_A_TIME]
        local, inside, filled = quadrature(block)
        contact.add(local, block)
        table.add(local, start)
        np.add.at(integral, splines.cell_features[block].ravel(), inside.ravel())
        volume += filled * cells.spacing**3
    return GridIntegrals(table.matrix(), integral, volume)


class CellQuadrature:
    """∫ ∇bᵢ·κ∇bⱼ and ∫ bᵢ of the splines of single cells: whole cells are all alike, cut cells have their moments.

    Where κ is a function of the point no two cells are alike: see `PlacedForm`.
    """

    def __init__(self, cells: OccupiedCells, edge: float, conduct: Conduct = None):
        self.edge, self.filled = edge, cells.filled
        self.cut = np.full(len(cells.index), -1)
        self.cut[cells.cut] = np.arange(len(cells.cut))
        products = slope_products(0, 0) + slope_products(1, 1) + slope_products(2, 2)
        if isinstance(conduct, np.ndarray):
            pairs = [conduct[i, j] * slope_products(i, j) for i in range(3) for j in range(3)]
            products = np.sum(pairs, axis=0)
        self.placed = PlacedForm(cells, slope_forms(), conduct) if callable(conduct) else None
        self.products = products.reshape(-1, FEATURES**2)
        self.stiffness = (whole_moments() @ self.products).reshape(FEATURES, FEATURES)
        self.integral = whole_moments() @ spline_moments()

    def __call__(self, block: Int[np.ndarray, " b"]) -> tuple[np.ndarray, np.ndarray, float]:
        """Returns both for some cells, and how many cells they fill."""
        inside = np.broadcast_to(self.integral, (len(block), FEATURES)).copy()
        cut = np.flatnonzero(self.cut[block] >= 0)
        part = moments(self.filled[self.cut[block[cut]]])
        inside[cut] = part @ spline_moments()
        filled = len(block) - len(cut) + float(part[:, 0].sum())
        local = self._stiffness(block, cut, part) if self.placed is None else self.placed(block)
        return local * self.edge, inside * self.edge**3, filled

    def _stiffness(
        self, block: Int[np.ndarray, " b"], cut: Int[np.ndarray, " k"], part: Float[np.ndarray, "k 125"]
    ) -> Float[np.ndarray, "b 27 27"]:
        local = np.broadcast_to(self.stiffness, (len(block), FEATURES, FEATURES)).copy()
        local[cut] = (part @ self.products).reshape(-1, FEATURES, FEATURES) + GHOST * self.stiffness
        return local


class Contact:
    """Σ weight bᵢ bⱼ at the surface points of single cells."""

    def __init__(
        self, cells: OccupiedCells, points: Float[np.ndarray, "n 3"], weight: Float[np.ndarray, " n"]
    ):
        row = cells.locate(points)
        kept = np.flatnonzero((row >= 0) & (weight > 0))
        kept = kept[np.argsort(row[kept], kind="stable")]
        self.row, self.weight = row[kept], weight[kept]
        self.position = (points[kept] - cells.origin) / cells.spacing - cells.index[self.row]

    def add(self, local: Float[np.ndarray, "b 27 27"], block: Int[np.ndarray, " b"]) -> None:
        """Adds those of some cells, ascending, to their matrices."""
        first, last = np.searchsorted(self.row, [block[0], block[-1] + 1])
        some = slice(int(first), int(last))
        inside = np.isin(self.row[some], block)
        row, weight = self.row[some][inside], self.weight[some][inside]
        if not len(row):
            return
        values = spline_values(self.position[some][inside], np)
        cell, starts = np.unique(row, return_index=True)
        for one in range(FEATURES):  # row by row of the matrices bounds the memory
            products = (weight * values[:, one])[:, None] * values
            local[np.searchsorted(block, cell), one] += np.add.reduceat(products, starts, axis=0)


class CellTable:
    """Sums the matrices of cells into a sparse one.

    A spline meets at most 5³ others, each at its place in a table. Where a neighbour is cut into several pieces they
    share one place: the table holds one of them, and the others go to a list.
    """

    def __init__(self, own: Int[np.ndarray, "c 27"], count: int):
        self.own, self.count = own, count
        self.column = np.full((count, _REACH**3), -1, np.int32)
        for one in range(FEATURES):
            self.column[own[:, one][:, None], _PLACE[one][None]] = own
        self.entry = np.zeros((count, _REACH**3))
        self.others = []

    def add(self, local: Float[np.ndarray, "b 27 27"], start: int) -> None:
        """Adds the matrices of the cells from number `start`."""
        own = self.own[start : start + len(local)]
        for one in range(FEATURES):  # no spline is local spline `one` of two cells: no place is hit twice
            place = own[:, one][:, None], _PLACE[one][None]
            listed = self.column[place] != own
            self.entry[place] += np.where(listed, 0.0, local[:, one])
            cell, other = np.nonzero(listed)
            if len(cell):
                self.others.append((local[cell, one, other], own[cell, one], own[cell, other]))

    def matrix(self) -> sparse.csr_array:
        """Returns the sum."""
        used = self.column >= 0
        starts = np.concatenate([[0], np.cumsum(used.sum(axis=1))])
        shape = (self.count, self.count)
        total = sparse.csr_array((self.entry[used], self.column[used], starts), shape=shape)
        if self.others:
            entries, rows, columns = (np.concatenate(part) for part in zip(*self.others, strict=True))
            total = total + sparse.csr_array((entries, (rows, columns)), shape=shape)
        return total
