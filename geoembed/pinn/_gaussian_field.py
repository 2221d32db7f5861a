"""A smooth unknown field: what is expected of it before anything is measured."""

import numpy as np
from jaxtyping import Float
from scipy import linalg

_JITTER = 1e-8  # added to the variance at the nodes, relative: two nodes may nearly coincide
_APART = 0.5  # of the correlation length: how far nodes are from one another, at most
_MOST_NODES = 600


class GaussianField:
    """A Gaussian process with mean 0 and covariance spread² exp(−|x − y|²/(2 length²)), as g(x) = ψ(x)·a.

    The coefficients a are independent and standard normal. ψ(x) = spread · L⁻¹ c(x, nodes) with L Lᵀ = c(nodes, nodes):
    the process as far as its values at the nodes tell it. `missing` is the rest of its variance, close to nothing where
    nodes are near. Distances are straight lines, also across gaps of the part.

    Args:
        points: Points that fill the region; nodes are chosen among them.
        spread: Standard deviation of the field.
        length: Correlation length, in the points' unit.

    References:
        C. E. Rasmussen, C. K. I. Williams, Gaussian Processes for Machine Learning (2006), ch. 8.3 (subset of
        regressors).
    """

    def __init__(self, points: Float[np.ndarray, "n 3"], spread: float, length: float):
        self.spread, self.length = spread, length
        self.nodes = _spread_out(points, _APART * length)
        among = self._correlation(self.nodes)
        self._root = linalg.cholesky(among + _JITTER * np.eye(len(among)), lower=True)

    @property
    def count(self) -> int:
        """How many coefficients there are."""
        return len(self.nodes)

    def features(self, points: Float[np.ndarray, "n 3"]) -> Float[np.ndarray, "n m"]:
        """Returns ψ at points."""
        return self.spread * linalg.solve_triangular(self._root, self._correlation(points).T, lower=True).T

    def missing(self, features: Float[np.ndarray, "n m"]) -> Float[np.ndarray, " n"]:
        """Returns the variance at points that the coefficients do not hold."""
        return np.maximum(self.spread**2 - np.sum(features**2, axis=1), 0.0)

    def _correlation(self, points: Float[np.ndarray, "n 3"]) -> Float[np.ndarray, "n m"]:
        squares = np.sum((points[:, None] - self.nodes[None]) ** 2, axis=2)
        return np.exp(-0.5 * squares / self.length**2)


def _spread_out(points: Float[np.ndarray, "n 3"], apart: float) -> Float[np.ndarray, "m 3"]:
    """Chooses points one by one, always the one farthest from all before, until every point is near one."""
    chosen, distance = [0], np.linalg.norm(points - points[0], axis=1)
    while distance.max() > apart and len(chosen) < _MOST_NODES:
        chosen.append(int(distance.argmax()))
        distance = np.minimum(distance, np.linalg.norm(points - points[chosen[-1]], axis=1))
    return points[chosen]
