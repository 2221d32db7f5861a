"""Cells of twice the size from the cells of a grid, without another look at the part."""

import numpy as np
from jaxtyping import Float, Int
from scipy import sparse

from ..sdf import OccupiedCells


def coarser_cells(cells: OccupiedCells) -> OccupiedCells:
    """Returns the cells of twice the spacing that hold some cell of a grid: cell i lies in its cell i // 2.

    Their micro-cells are means of those of the grid, and the part continues through a face if it does through one
    of the four that make it up.

    Args:
        cells: The cells of the grid.

    Returns:
        The coarser cells. The grid has the same corner.
    """
    shape = tuple(-(-extent // 2) for extent in cells.shape)
    parent = cells.index.astype(np.int64) // 2
    flat = (parent[:, 0] * shape[1] + parent[:, 1]) * shape[2] + parent[:, 2]
    keys, home = np.unique(flat, return_inverse=True)
    index = np.stack(np.unravel_index(keys, shape), axis=1)
    filled = _filled(cells, home, len(keys))
    cut = np.flatnonzero(filled.min(axis=1) < 1)
    open_faces = np.zeros((len(keys), 3), bool)
    for axis in range(3):
        through = cells.open_faces[:, axis] & (cells.index[:, axis] % 2 == 1)
        open_faces[home[through], axis] = True
    spacing = 2 * cells.spacing
    return OccupiedCells(
        cells.origin, spacing, (shape[0], shape[1], shape[2]), index, cut, filled[cut], open_faces
    )


def _filled(cells: OccupiedCells, home: Int[np.ndarray, " c"], count: int) -> Float[np.ndarray, "p micro"]:
    """The filled fraction of each micro-cell of the coarser cells."""
    micro = cells.filled.shape[1]
    edge = round(micro ** (1 / 3))
    half = edge // 2
    own = np.ones((len(cells.index), half**3))
    split = cells.filled.reshape(-1, half, 2, half, 2, half, 2)
    own[cells.cut] = split.mean(axis=(2, 4, 6)).reshape(-1, half**3)
    place = np.stack(np.unravel_index(np.arange(half**3), (half,) * 3), axis=1)
    at = (cells.index % 2)[:, None] * half + place[None]
    flat = (at[..., 0] * edge + at[..., 1]) * edge + at[..., 2]
    entries = (own.ravel(), ((home[:, None] * micro + flat).ravel(), np.zeros(own.size, np.int64)))
    return sparse.coo_array(entries, shape=(count * micro, 1)).toarray().reshape(count, micro)
