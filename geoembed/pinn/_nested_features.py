"""Spline features on nested grids: coarse ones everywhere, finer ones where the grids are finer."""

import numpy as np
from jaxtyping import Bool, Float
from scipy import sparse

from ._features import SplineFeatures
from ._nested_cells import NestedCells
from ._spline import FEATURES

_LOCAL = np.stack(np.meshgrid(*[np.arange(3)] * 3, indexing="ij"), axis=-1).reshape(-1, 3)
_TWO_SCALE = np.array([1, 3, 3, 1]) / 4  # a quadratic B-spline in those of half the spacing


class NestedFeatures:
    """Hierarchical quadratic B-splines on nested grids.

    A spline of a grid is a feature if the cells of its support are all there, and not all divided again. On the leaves
    of a grid a field is a combination of that grid's splines; their coefficients come from those of the features by
    the two-scale relation of splines, `transfer`. It is C¹ across the borders between the grids.

    Args:
        cells: The nested cells.

    Attributes:
        cells: The nested cells.
        grids: The splines of each grid.
        transfer: For each grid the matrix from the features' coefficients to those of the grid's splines.
        count: How many features there are.
        constant: The features' coefficients of the field 1.

    References:
        R. Kraft, in Surface Fitting and Multiresolution Methods (1997) 209 (hierarchical B-splines).
        A.-V. Vuong et al., Comput. Methods Appl. Mech. Eng. 200 (2011) 3554 (their use in analysis).
    """

    def __init__(self, cells: NestedCells):
        self.cells = cells
        self.grids = tuple(SplineFeatures(grid) for grid in cells.grids)
        there = [self._supports(number) for number in range(len(self.grids))]
        self._is_feature = [whole & ~divided for whole, divided in there]
        self._is_gone = [divided for _, divided in there]
        self._lift = [lift(coarse, fine) for coarse, fine in zip(self.grids, self.grids[1:], strict=False)]
        self.count = int(sum(chosen.sum() for chosen in self._is_feature))
        self.transfer = self._transfer()
        self.constant = self.fit([np.ones(grid.count) for grid in self.grids])

    @property
    def spacing(self) -> float:
        """Edge length of the largest cells, in the part's unit."""
        return self.cells.grids[0].spacing

    def values(self, points: Float[np.ndarray, "n 3"]) -> sparse.csr_array:
        """Returns the matrix [n, features] of the features at points (zero rows outside the occupied cells)."""
        return self._gather(points, 1, SplineFeatures.values)

    def gradients(self, points: Float[np.ndarray, "n 3"]) -> sparse.csr_array:
        """Returns the matrix [3n, features] of the derivatives in x, y, z, per unit of the part's length."""
        return self._gather(points, 3, SplineFeatures.gradients)

    def splines(self, coefficients: Float[np.ndarray, " d"]) -> list[Float[np.ndarray, " _"]]:
        """Returns the coefficients of all splines of each grid.

        Those that live on divided cells only are no features. They get the mean of the finer ones they consist of,
        which is close; nothing but points outside the part ever sees them.
        """
        found = [transfer @ coefficients for transfer in self.transfer]
        for number in reversed(range(len(self._lift))):
            lift, gone = self._lift[number], self._is_gone[number]
            share = lift.T @ np.ones(self.grids[number + 1].count)
            mean = (lift.T @ found[number + 1]) / np.where(share > 0, share, 1.0)
            found[number] = np.where(gone & (share > 0), mean, found[number])
        return found

    def fit(self, splines: list[Float[np.ndarray, " _"]]) -> Float[np.ndarray, " d"]:
        """Returns the features' coefficients from those that each grid's splines should have."""
        found, known = [], np.zeros(0)
        for number, wanted in enumerate(splines):
            chosen = self._is_feature[number]
            coarser = self._lift[number - 1] @ known if number else np.zeros(len(wanted))
            own = np.where(chosen, wanted - coarser, 0.0)
            known = coarser + own
            found.append(own[chosen])
        return np.concatenate(found)

    def from_coarser(self, step: sparse.csr_array) -> sparse.csr_array:
        """Returns the matrix to the features' coefficients from those of splines on a grid coarser than all.

        Args:
            step: The matrix from the coarser grid's coefficients to those of the first grid's splines.
        """
        found, left = [], step
        for number, chosen in enumerate(self._is_feature):
            found.append(left[np.flatnonzero(chosen)])
            if number < len(self._lift):
                left = self._lift[number] @ (sparse.diags_array((~chosen).astype(float)) @ left)
        return sparse.csr_array(sparse.vstack(found, format="csr"))

    def _supports(self, number: int) -> tuple[Bool[np.ndarray, " s"], Bool[np.ndarray, " s"]]:
        """Of which splines of a grid the whole support is there, and of which it is divided again."""
        grid = self.grids[number]
        start = (grid.cells.index[:, None].astype(np.int64) - 2 + _LOCAL[None]).reshape(-1, 3)
        wide = np.array(grid.cells.shape, np.int64) + 2
        number_of = ((start[:, 0] + 2) * wide[1] + start[:, 1] + 2) * wide[2] + start[:, 2] + 2
        _, first, which = np.unique(number_of, return_index=True, return_inverse=True)
        splines = start[first]
        there, divided = np.ones((2, len(splines)), bool)
        for place in _LOCAL:
            there &= self.cells.filled_by(number, splines + place)
            divided &= self.cells.filled_by(number + 1, 2 * (splines + place))
        found = np.zeros((2, grid.count), bool)
        found[:, grid.cell_features.ravel()] = np.stack([there, divided])[:, which.ravel()]
        return found[0], found[1]

    def _transfer(self) -> list[sparse.csr_array]:
        found, start = [], 0
        for number, chosen in enumerate(self._is_feature):
            rows = np.flatnonzero(chosen)
            place = (rows, start + np.arange(len(rows)))
            own = sparse.csr_array((np.ones(len(rows)), place), shape=(len(chosen), self.count))
            found.append(sparse.csr_array(self._lift[number - 1] @ found[-1] + own) if number else own)
            start += len(rows)
        return found

    def _gather(self, points, per: int, matrix) -> sparse.csr_array:
        """Stacks the rows of the points' own grids in the order of the points, `per` rows for each."""
        owner = self.cells.owner(points)
        blocks, rows = [], []
        for number, grid in enumerate(self.grids):
            mine = np.flatnonzero(owner == number)
            blocks.append(matrix(grid, points[mine]) @ self.transfer[number])
            rows.append((mine[:, None] * per + np.arange(per)).ravel())
        stacked = sparse.csr_array(sparse.vstack(blocks, format="csr"))
        return sparse.csr_array(stacked[np.argsort(np.concatenate(rows))])


def lift(coarse: SplineFeatures, fine: SplineFeatures) -> sparse.csr_array:
    """The matrix from the coefficients of a grid's splines to those of the next one's, for the same field.

    A spline lies in several cells, and all give it the same row, unless the finer grid sees a wall open that the
    coarser saw closed; the first one counts.
    """
    _, first = np.unique(fine.cell_features.ravel(), return_index=True)
    cell, local = first // FEATURES, first % FEATURES
    index = fine.cells.index[cell]
    step = (index % 2 + _LOCAL[local] + 2)[:, :, None] - 2 * np.arange(3)
    weight = np.where((step >= 0) & (step <= 3), _TWO_SCALE[np.clip(step, 0, 3)], 0.0)
    weight = np.einsum("ni,nj,nk->nijk", weight[:, 0], weight[:, 1], weight[:, 2]).reshape(-1, FEATURES)
    columns = coarse.cell_features[coarse.cells.find(index // 2)]
    starts = np.arange(fine.count + 1) * FEATURES
    lift = sparse.csr_array((weight.ravel(), columns.ravel(), starts), shape=(fine.count, coarse.count))
    lift.eliminate_zeros()
    return lift
