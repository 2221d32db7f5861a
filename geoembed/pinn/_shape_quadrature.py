"""Sums over the quadrature points of the cells of a part, with fields and their slopes there."""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from jaxtyping import Float, Int

from ..sdf import micro_centres
from ._nested_features import NestedFeatures
from ._spline import spline_gradients, spline_values

_CELLS_AT_A_TIME = 2048


@dataclass(frozen=True)
class CellBlock:
    """Some cells of one grid with the same quadrature points.

    Args:
        grid: The number of the grid.
        own: The splines of each cell.
        weights: Volumes of the points, in units of length³.
        values: The 27 splines at the points.
        slopes: Their gradients, per unit of length.
    """

    grid: int
    own: Int[np.ndarray, "b 27"]
    weights: Float[np.ndarray, "b q"]
    values: Float[np.ndarray, "q 27"]
    slopes: Float[np.ndarray, "q 27 3"]

    def at(self, splines: list[Float[np.ndarray, " _"]]) -> Float[np.ndarray, "b q"]:
        """Returns a field at the points, from its coefficients on each grid."""
        return splines[self.grid][self.own] @ self.values.T

    def gradient(self, splines: list[Float[np.ndarray, " _"]]) -> Float[np.ndarray, "b q 3"]:
        """Returns its gradient there."""
        mine = splines[self.grid][self.own]
        flat = np.moveaxis(self.slopes, 1, 0).reshape(mine.shape[1], -1)
        return (mine @ flat).reshape(len(mine), -1, 3)


def cell_blocks(features: NestedFeatures, length: float) -> Iterator[CellBlock]:
    """Yields all leaves: Gauss points in whole cells, the centres of the micro-cells in cut ones.

    Args:
        features: The features.
        length: The unit of length, in the part's unit.
    """
    gauss, gauss_weight = _cube_rule()
    centres = micro_centres()
    for number, grid in enumerate(features.grids):
        cells, leaf = grid.cells, ~features.cells.refined[number]
        edge = cells.spacing / length
        is_cut = np.zeros(len(leaf), bool)
        is_cut[cells.cut] = True
        whole = np.flatnonzero(leaf & ~is_cut)
        cut = np.flatnonzero(leaf[cells.cut])
        for t, rows, weights in (
            (gauss, whole, np.broadcast_to(gauss_weight, (len(whole), len(gauss)))),
            (centres, cells.cut[cut], cells.filled[cut] / len(centres)),
        ):
            values, slopes = spline_values(t, np), spline_gradients(t, np) / edge
            for start in range(0, len(rows), _CELLS_AT_A_TIME):
                some = slice(start, start + _CELLS_AT_A_TIME)
                own = grid.cell_features[rows[some]]
                yield CellBlock(number, own, weights[some] * edge**3, values, slopes)


def _cube_rule() -> tuple[Float[np.ndarray, "27 3"], Float[np.ndarray, " 27"]]:
    """Returns points and weights on the unit cube: three-point Gauss rules, exact for products of two features."""
    nodes, weights = np.polynomial.legendre.leggauss(3)
    nodes, weights = 0.5 * (nodes + 1), 0.5 * weights
    t = np.stack(np.meshgrid(nodes, nodes, nodes, indexing="ij"), axis=-1).reshape(-1, 3)
    return t, np.einsum("a,b,c->abc", weights, weights, weights).ravel()
