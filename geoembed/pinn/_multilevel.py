"""A preconditioner from ever coarser grids."""

import numpy as np
from jaxtyping import Float
from scipy import linalg

from ._block_matrix import BlockMatrix
from ._coarser_cells import coarser_cells
from ._elastic_assemble import elastic_integrals
from ._features import SplineFeatures
from ._nested_features import NestedFeatures, lift

_DIRECT = 400  # splines of a grid that is small enough for a dense factorisation


class Multilevel:
    """Σ over the grids of P D⁻¹ Pᵀ, with an exact solution on the coarsest: an approximate inverse of A.

    A is the matrix of the features, D the diagonal of A on each grid and P the transfer from that grid to the
    features. Error that is smooth on the scale of the features is smooth on none of the coarser grids, where it
    costs little to remove.

    Args:
        features: The features of each component.
        matrix: A.
        lame: λ and μ, dimensionless.
        length: The unit of length, in the part's unit.
        points: Surface points, in the part's unit.
        springs: Springs there, times their weights, dimensionless.

    References:
        J. H. Bramble, J. E. Pasciak, J. Xu, Math. Comp. 55 (1990) 1.
    """

    def __init__(
        self,
        features: NestedFeatures,
        matrix: BlockMatrix,
        lame: tuple[float, float],
        length: float,
        points: Float[np.ndarray, "n 3"],
        springs: Float[np.ndarray, "n 3"],
    ):
        self.inverse_diagonals, self.transfers = [_inverse(matrix.diagonal())], []
        grid, transfer = features.grids[0], None
        while True:
            coarse = SplineFeatures(coarser_cells(grid.cells))
            step = lift(coarse, grid)
            transfer = features.from_coarser(step) if transfer is None else step
            self.transfers.append(transfer)
            part = elastic_integrals(
                coarse,
                np.ones(len(coarse.cells.index), bool),
                coarse.cells.spacing / length,
                lame,
                points,
                springs,
            )
            level, grid = BlockMatrix(part.blocks), coarse
            if grid.count <= _DIRECT or min(grid.cells.shape) <= 2:
                break
            self.inverse_diagonals.append(_inverse(level.diagonal()))
        self.factor = linalg.cho_factor(level.dense() + 1e-12 * np.diag(level.diagonal()))

    def __call__(self, residual: Float[np.ndarray, " d"]) -> Float[np.ndarray, " d"]:
        """Returns the approximate inverse times a vector."""
        return self._from(0, residual)

    def _from(self, number: int, residual: Float[np.ndarray, " d"]) -> Float[np.ndarray, " d"]:
        if number == len(self.transfers):
            return linalg.cho_solve(self.factor, residual)
        transfer = self.transfers[number]
        coarse = (transfer.T @ residual.reshape(3, -1).T).T.ravel()
        below = self._from(number + 1, coarse)
        return self.inverse_diagonals[number] * residual + (transfer @ below.reshape(3, -1).T).T.ravel()


def _inverse(diagonal: Float[np.ndarray, " d"]) -> Float[np.ndarray, " d"]:
    return 1 / np.where(diagonal > 0, diagonal, 1.0)
