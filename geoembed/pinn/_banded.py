"""A symmetric band matrix that is summed from small dense ones, and its damped solution."""

from collections.abc import Callable

import numpy as np
from jaxtyping import Bool, Float, Int
from numpy.lib.stride_tricks import sliding_window_view
from scipy import linalg

_EMPTY = 1e-14  # share of the largest diagonal entry that a column has at least, so that none is divided by 0

_ROUNDING, _LARGEST_SHIFT = 1e-14, 1e-7  # of a matrix with diagonal 1
_REFINED = 30  # steps of conjugate gradients at most, until
_REDUCED = 1e-5  # of the energy of the error is left

Vector = Float[np.ndarray, " n"]

(_times_band,) = linalg.get_blas_funcs(("sbmv",), dtype=np.float64)


class BandMatrix:
    """A symmetric matrix whose entries farther than `band` from the diagonal are 0.

    Args:
        size: Its number of rows.
        band: How far from the diagonal entries are.

    Attributes:
        entries: Entry (j, r) is that of row j + r and column j.
    """

    def __init__(self, size: int, band: int):
        self.entries = np.zeros((size, band + 1))

    def add(self, places: Int[np.ndarray, "b k"], parts: Float[np.ndarray, "b k k"]) -> None:
        """Adds dense matrices whose rows and columns stand at these places."""
        row, column = np.broadcast_arrays(places[:, :, None], places[:, None, :])
        lower = row >= column
        first, last = int(places.min()), int(places.max())
        width = self.entries.shape[1]
        target = (column[lower] - first) * width + (row[lower] - column[lower])
        own = self.entries[first : last + 1].reshape(-1)
        own += np.bincount(target, parts[lower], minlength=own.size)

    def scaled(self, free: Bool[np.ndarray, " n"]) -> Float[np.ndarray, " n"]:
        """Scales rows and columns so that the diagonal is 1, and returns the factors.

        Rows and columns that are not free, and those that nothing was added to, become those of the identity; their
        factors are 0.
        """
        diagonal = self.entries[:, 0]
        floor = _EMPTY * diagonal.max()
        factor = np.where(free & (diagonal > 0), 1 / np.sqrt(np.maximum(diagonal, max(floor, 1e-300))), 0.0)
        padded = np.concatenate([factor, np.zeros(self.entries.shape[1] - 1)])
        self.entries *= sliding_window_view(padded, self.entries.shape[1])
        self.entries *= factor[:, None]
        self.entries[factor == 0, 0] = 1.0
        return factor

    def solve(self, right: Float[np.ndarray, " n"], damping: float) -> Float[np.ndarray, " n"] | None:
        """Solves (A + damping) x = right; None where rounding has made the matrix indefinite.

        Where only rounding prevents it, the matrix is factored with more damping, and conjugate gradients with that
        factor take the excess away.
        """
        factor = self.factor(damping)
        if factor is None:
            return None
        return refined(right, lambda x: self.times(x, damping), lambda x: solved(factor, x))

    def factor(self, damping: float) -> Float[np.ndarray, "band n"] | None:
        """Cholesky's factor of A + damping, or of A with a little more damping where rounding asks for it."""
        shift = damping
        while (factor := self._factor(shift)) is None:
            shift = max(30 * shift, _ROUNDING)
            if shift > _LARGEST_SHIFT:
                return None
        return factor

    def _factor(self, shift: float) -> np.ndarray | None:
        damped = self.entries.T.copy(order="F")
        damped[0] += shift
        try:
            return linalg.cholesky_banded(damped, overwrite_ab=True, lower=True, check_finite=False)
        except linalg.LinAlgError:
            return None

    def times(self, vector: Float[np.ndarray, " n"], damping: float) -> Float[np.ndarray, " n"]:
        band = self.entries.shape[1] - 1
        return _times_band(band, 1.0, self.entries.T, vector, lower=1) + damping * vector


def solved(
    factor: Float[np.ndarray, "band n"], right: Float[np.ndarray, "n *k"]
) -> Float[np.ndarray, "n *k"]:
    """A⁻¹ right, from Cholesky's factor of A."""
    return linalg.cho_solve_banded((factor, True), right, check_finite=False)


def refined(right: Vector, times: Callable[[Vector], Vector], nearly: Callable[[Vector], Vector]) -> Vector:
    """Solves A x = right by conjugate gradients.

    Args:
        right: The right side.
        times: x ↦ A x.
        nearly: x ↦ A⁻¹ x, or close to it.
    """
    found = nearly(right)
    left = right - times(found)
    turned = nearly(left)
    way, size = turned, float(left @ turned)
    target = _REDUCED**2 * float(right @ found)
    for _ in range(_REFINED):
        if not size > target:
            break
        image = times(way)
        curvature = float(way @ image)
        if not curvature > 0:
            break
        found, left = found + (size / curvature) * way, left - (size / curvature) * image
        turned = nearly(left)
        size, before = float(left @ turned), size
        way = turned + (size / before) * way
    return found
