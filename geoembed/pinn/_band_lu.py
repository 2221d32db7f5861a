"""A band matrix that need not be symmetric, summed from small dense ones, and its solution."""

import numpy as np
from jaxtyping import Bool, Float, Int
from scipy import linalg


class BandLU:
    """A matrix whose entries farther than `band` from the diagonal are 0.

    Args:
        size: Its number of rows.
        band: How far from the diagonal entries are.

    Attributes:
        entries: Entry (j, 2 band + i − j) is that of row i and column j, as LAPACK wants it.
    """

    def __init__(self, size: int, band: int):
        self.entries, self.band = np.zeros((size, 3 * band + 1)), band

    def add(
        self, rows: Int[np.ndarray, "b k"], columns: Int[np.ndarray, "b l"], parts: Float[np.ndarray, "b k l"]
    ) -> None:
        """Adds dense matrices whose rows and columns stand at these places."""
        first, last, width = int(columns.min()), int(columns.max()), self.entries.shape[1]
        target = (columns[:, None] - first) * width + 2 * self.band + rows[:, :, None] - columns[:, None]
        own = self.entries[first : last + 1].reshape(-1)
        own += np.bincount(target.ravel(), parts.ravel(), minlength=own.size)

    def solve(
        self, right: Float[np.ndarray, " n"], free: Bool[np.ndarray, " n"]
    ) -> Float[np.ndarray, " n"] | None:
        """Solves for the unknowns that are free; 0 for others and for those that have no equation.

        The matrix is used up. None where it is singular.
        """
        diagonal = np.abs(self.entries[:, 2 * self.band])
        used = free & (diagonal > 0)
        factor = np.where(used, 1 / np.sqrt(np.where(used, diagonal, 1.0)), 0.0)
        padded = np.concatenate([np.zeros(2 * self.band), factor, np.zeros(self.band)])
        self.entries *= np.lib.stride_tricks.sliding_window_view(padded, self.entries.shape[1])
        self.entries *= factor[:, None]
        self.entries[~used, 2 * self.band] = 1.0
        lapack = linalg.get_lapack_funcs(("gbtrf", "gbtrs"), dtype=np.float64)
        factored, pivots, status = lapack[0](self.entries.T, self.band, self.band, overwrite_ab=True)
        if status != 0:
            return None
        found = lapack[1](factored, self.band, self.band, factor * right, pivots)[0]
        return factor * found
