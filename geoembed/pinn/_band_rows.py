"""A band matrix and a few dense rows: A + RᵀR."""

from dataclasses import dataclass
from functools import cached_property

import numpy as np
from jaxtyping import Bool, Float, Int
from scipy import linalg

from ._banded import BandMatrix, refined, solved

_PIN = 1.0  # added to a diagonal that is 1


@dataclass(eq=False)
class BandAndRows:
    """A symmetric band matrix A with dense rows R beside it: the matrix A + RᵀR, and its damped solution.

    Each row is integrated over everything, so RᵀR has no band. A alone can be singular: what the rows fix, for
    instance the level of the field, nothing else may fix. So as many diagonal entries are raised by 1, their places E,
    which keeps the band, and the solution takes that away again:

        (A + EEᵀ) x + E s + Rᵀ y = b,    Eᵀx + s = 0,    R x − y = 0.

    With the factor of A + EEᵀ these are as many small equations for (s, y) as E and R have rows.

    Args:
        band: A.
        rows: R, with the roots of the weights.

    References:
        W. W. Hager, SIAM Rev. 31 (1989) 221: changes of low rank.
    """

    band: BandMatrix
    rows: Float[np.ndarray, "k n"]

    def scaled(self, free: Bool[np.ndarray, " n"]) -> Float[np.ndarray, " n"]:
        """Scales A as `BandMatrix.scaled` does, and R with the same factors, which are returned."""
        factor = self.band.scaled(free)
        self.rows = self.rows * factor
        return factor

    @cached_property
    def pinned(self) -> Int[np.ndarray, " k"]:
        """Columns in which the rows are large and as different as can be."""
        sizes = np.linalg.norm(self.rows, axis=1, keepdims=True)
        order = linalg.qr(self.rows / np.where(sizes > 0, sizes, 1.0), mode="r", pivoting=True)[-1]
        return np.asarray(order[: len(self.rows)])

    def solve(self, right: Float[np.ndarray, " n"], damping: float) -> Float[np.ndarray, " n"] | None:
        """Solves (A + RᵀR + damping) x = right; None where rounding has made the matrix indefinite."""
        diagonal, before = self.band.entries[:, 0], self.band.entries[self.pinned, 0]
        diagonal[self.pinned] += _PIN
        factor = self.band.factor(damping)
        diagonal[self.pinned] = before
        if factor is None:
            return None
        count = len(self.rows)
        border = np.zeros((2 * count, len(right)))
        border[np.arange(count), self.pinned] = 1.0
        border[count:] = self.rows
        turned = solved(factor, border.T)
        corner = np.diag(np.repeat([1 / _PIN, -1.0], count)) - border @ turned

        def nearly(b: Float[np.ndarray, " n"]) -> Float[np.ndarray, " n"]:
            first = solved(factor, b)
            return first + turned @ np.linalg.solve(corner, border @ first)

        def times(x: Float[np.ndarray, " n"]) -> Float[np.ndarray, " n"]:
            return self.band.times(x, damping) + (self.rows @ x) @ self.rows

        return refined(right, times, nearly)
