"""Which features live where: the splines of the occupied cells, one copy for each connected piece of a support."""

import numpy as np
from jaxtyping import Bool, Float, Int
from scipy import sparse

from ..sdf import OccupiedCells
from ._spline import FEATURES, spline_gradients, spline_values

_LOCAL = np.stack(np.meshgrid(*[np.arange(3)] * 3, indexing="ij"), axis=-1).reshape(-1, 3)
_NONE = np.iinfo(np.int32).max


class SplineFeatures:
    """The spline features of the cells that a part occupies.

    A quadratic B-spline lives on 3³ cells. Where the part inside them falls into several pieces (two fins and the
    gap between), each piece gets a feature of its own.

    Args:
        cells: The occupied cells.

    Attributes:
        cells: The occupied cells.
        cell_features: The numbers of the features of each cell, shape [c, 27].
        count: How many features there are.
    """

    cells: OccupiedCells
    cell_features: Int[np.ndarray, "c 27"]
    count: int

    def __init__(self, cells: OccupiedCells):
        self.cells = cells
        spline, splines = _spline_numbers(cells)
        piece = _pieces(spline, splines, cells.open_faces)
        place = (
            FEATURES - 1 - np.arange(FEATURES)
        )  # a cell is the k-th of the spline for which it is local 26 - k
        label = spline * FEATURES + piece[spline, place[None, :]]
        used, numbers = np.unique(label, return_inverse=True)
        self.cell_features = numbers.reshape(label.shape).astype(np.int32)
        self.count = len(used)

    def values(self, points: Float[np.ndarray, "n 3"]) -> sparse.csr_array:
        """Returns the matrix [n, features] of the features at points (zero rows outside the occupied cells)."""
        local, row, found = self._locate(points)
        return self._matrix(spline_values(local, np) * found[:, None], row)

    def gradients(self, points: Float[np.ndarray, "n 3"]) -> sparse.csr_array:
        """Returns the matrix [3n, features] of the derivatives in x, y, z, per unit of the part's length."""
        local, row, found = self._locate(points)
        slope = spline_gradients(local, np) * found[:, None, None] / self.cells.spacing
        return self._matrix(np.moveaxis(slope, 2, 1).reshape(-1, FEATURES), np.repeat(row, 3))

    def _locate(
        self, points: Float[np.ndarray, "n 3"]
    ) -> tuple[np.ndarray, np.ndarray, Bool[np.ndarray, " n"]]:
        row = self.cells.locate(points)
        found = row >= 0
        row = np.where(found, row, 0)
        local = (points - self.cells.origin) / self.cells.spacing - self.cells.index[row]
        return local, row, found

    def _matrix(self, entries: Float[np.ndarray, "m 27"], row: Int[np.ndarray, " m"]) -> sparse.csr_array:
        starts = np.arange(len(entries) + 1) * FEATURES
        columns = self.cell_features[row].ravel()
        return sparse.csr_array((entries.ravel(), columns, starts), shape=(len(entries), self.count))


def _spline_numbers(cells: OccupiedCells) -> tuple[Int[np.ndarray, "c 27"], int]:
    """Numbers the splines of the grid that reach an occupied cell."""
    wide = np.array(cells.shape, np.int64) + 2
    position = cells.index[:, None].astype(np.int64) + _LOCAL[None]
    flat = (position[..., 0] * wide[1] + position[..., 1]) * wide[2] + position[..., 2]
    used, numbers = np.unique(flat, return_inverse=True)
    return numbers.reshape(flat.shape), len(used)


def _pieces(
    spline: Int[np.ndarray, "c 27"], splines: int, open_faces: Bool[np.ndarray, "c 3"]
) -> Int[np.ndarray, "s 27"]:
    """Labels the cells of each spline's support by the connected piece they belong to.

    Every cell starts with its own place as its label; labels spread through open faces until the lowest of each
    piece has reached all of it.
    """
    label = np.full((splines, FEATURES), _NONE, np.int32)
    is_open = np.zeros((3, splines, FEATURES), bool)
    for local in range(FEATURES):
        place = FEATURES - 1 - local
        label[spline[:, local], place] = place
        is_open[:, spline[:, local], place] = open_faces.T
    label, is_open = label.reshape(-1, 3, 3, 3), is_open.reshape(3, -1, 3, 3, 3)
    while True:
        before = label.copy()
        for axis in range(3):
            along = np.moveaxis(label, 1 + axis, 1)  # a view: assignments below reach `label`
            door = np.moveaxis(is_open[axis], 1 + axis, 1)
            for i in range(2):
                joined = door[:, i] & (along[:, i] != _NONE) & (along[:, i + 1] != _NONE)
                low = np.minimum(along[:, i], along[:, i + 1])
                along[:, i] = np.where(joined, low, along[:, i])
                along[:, i + 1] = np.where(joined, low, along[:, i + 1])
        if np.array_equal(before, label):
            return label.reshape(-1, FEATURES)
