"""Least squares of sensor readings on one grid."""

from dataclasses import dataclass
from functools import cached_property

import numpy as np
from jaxtyping import Float
from scipy import sparse

from ._parameters import Parameters
from ._reduced_heat import FullSolver, ReducedHeat

_REACH = 2.0  # how far a search goes from where the model was made, in ln v or scaled v
_ROUNDS = 30  # of searching and making the model better
_TIE = 1e-3  # weight of the first guess: it keeps a search still where no sensor sees it move
_CLOSE = 1e-2  # of the noise, by which the reduced model and the grid may differ at a sensor
_WIDE = 3.0  # standard deviation of ln v, or of v in its scale, from which on it counts as not determined
_NOISE_ROUNDS, _SETTLED = 20, 1e-3
_LEAST_NOISE = 1e-9  # of the largest reading: below this, readings agree with the model to rounding

Prior = tuple[Float[np.ndarray, "r p"], Float[np.ndarray, " r"]]


@dataclass(frozen=True, eq=False)
class Observation:
    """Sensors on one grid.

    Args:
        rows: The features at the sensors.
        readings: Above the reference temperature, K.
        sigma: Standard deviations of the noise, K; None: unknown.
    """

    rows: sparse.csr_array
    readings: Float[np.ndarray, " n"]
    sigma: Float[np.ndarray, " n"] | None

    def seen(self, model: ReducedHeat) -> Float[np.ndarray, "n m"]:
        """Returns the model's basis at the sensors."""
        return self.rows @ model.basis


@dataclass(frozen=True, eq=False)
class Fit:
    """The minimum of the weighted squares on one grid, in the coordinates of `Parameters`.

    Args:
        model: The model.
        u: The coordinates.
        covariance: Of the coordinates by the noise, in the directions that are determined.
        gain: What a change of the readings by one sigma each adds to u.
        blind: Rows: directions that are not determined.
        residuals: Readings minus model, K.
        sigma: Of each sensor, K.
        chi_square: Σ (residual/sigma)², of readings and of what is known.
        degrees: Of freedom that are left.
        converged: Whether the search came to an end where the model holds.
        solutions: Systems of the whole grid that were solved.
        steps: Of conjugate gradients in them.
    """

    model: ReducedHeat
    u: Float[np.ndarray, " p"]
    covariance: Float[np.ndarray, "p p"]
    gain: Float[np.ndarray, "p n"]
    blind: Float[np.ndarray, "b p"]
    residuals: Float[np.ndarray, " n"]
    sigma: Float[np.ndarray, " n"]
    chi_square: float
    degrees: int
    converged: bool
    solutions: int
    steps: int


def fit_sensors(
    model: ReducedHeat,
    observation: Observation,
    parameters: Parameters,
    prior: Prior,
    start: Float[np.ndarray, " p"],
) -> Fit:
    """Fits the unknown numbers.

    Searches on the reduced model, then solves the grid where the search ended. Where the two differ at a sensor by a
    hundredth of the noise or more, the solution and its derivatives join the model, and the search goes on.

    Args:
        model: The reduced model; it grows.
        observation: The sensors.
        parameters: The unknown numbers.
        prior: Rows that say what is known of them.
        start: Coordinates to start from.

    Returns:
        The fit.
    """
    names, solutions, steps = parameters.names, 0, 0
    if model.basis.shape[1] == 1:
        full = FullSolver(model, parameters.numbers(start))
        model.add([full.state, *full.derivatives(names)])
        solutions, steps = 1 + len(names), full.steps
    u, converged = start, False
    for _ in range(_ROUNDS):
        search = _Search(model, observation, parameters, prior)
        u, at_wall = search.minimum(u)
        full = FullSolver(model, parameters.numbers(u))
        gap = observation.rows @ full.state - search.temperatures(u)
        solutions, steps = solutions + 1, steps + full.steps
        if np.all(np.abs(gap) < _CLOSE * search.sigma) and not at_wall:
            converged = True
            break
        model.add([full.state, *full.derivatives(names)])
        solutions, steps = solutions + len(names), steps + full.steps
    search.update_noise(u)
    return search.fit(u, converged, solutions, steps)


class _Search:
    """The weighted squares over the reduced model."""

    def __init__(self, model: ReducedHeat, observation: Observation, parameters: Parameters, prior: Prior):
        self.model, self.observation, self.parameters, self.prior = model, observation, parameters, prior
        self.readings = observation.readings
        self.seen = observation.seen(model)
        given = observation.sigma
        self.sigma = np.full(len(self.readings), self._floor) if given is None else given
        self.given = given is not None

    @cached_property
    def _floor(self) -> float:
        return _LEAST_NOISE * max(float(np.abs(self.readings).max()), 1.0)

    def temperatures(self, u: Float[np.ndarray, " p"]) -> Float[np.ndarray, " n"]:
        """Returns the temperatures at the sensors above the reference, K."""
        return self.seen @ self.model.solve(self.parameters.numbers(u), self.parameters.names)[0]

    def slopes(self, u: Float[np.ndarray, " p"]) -> Float[np.ndarray, "n p"]:
        """Returns the derivatives of the temperatures in the coordinates."""
        change = self.model.solve(self.parameters.numbers(u), self.parameters.names)[1]
        return (self.seen @ change) * self.parameters.slopes(u)[None]

    def minimum(self, start: Float[np.ndarray, " p"]) -> tuple[Float[np.ndarray, " p"], bool]:
        """Returns the minimum around a place, and whether it lies at the border of what was searched."""
        u = start
        if self.given:
            return self._minimum(u, start)
        self.update_noise(u)
        for _ in range(_NOISE_ROUNDS):  # what is known of the numbers weighs more the noisier the sensors are
            before = self.sigma[0]
            u, at_wall = self._minimum(u, start)
            self.update_noise(u)
            if not len(self.prior[1]) or abs(self.sigma[0] - before) <= _SETTLED * before:
                break
        return u, at_wall

    def update_noise(self, u: Float[np.ndarray, " p"]) -> None:
        """Estimates the noise from the residuals where it is not given."""
        if self.given:
            return
        squares = float(np.sum((self.readings - self.temperatures(u)) ** 2))
        free = max(len(self.readings) + len(self.prior[1]) - len(u), 1)
        self.sigma = np.full(len(self.readings), max(np.sqrt(squares / free), self._floor))

    def _minimum(
        self, u: Float[np.ndarray, " p"], middle: Float[np.ndarray, " p"]
    ) -> tuple[Float[np.ndarray, " p"], bool]:
        from scipy.optimize import least_squares  # takes a second to import

        rows, right = self.prior

        def residual(u):
            misfit = (self.temperatures(u) - self.readings) / self.sigma
            return np.concatenate([misfit, rows @ u - right, _TIE * (u - middle)])

        def slopes(u):
            return np.concatenate([self.slopes(u) / self.sigma[:, None], rows, _TIE * np.eye(len(u))])

        low, high = middle - _REACH, middle + _REACH
        inside = np.clip(u, low + 1e-6, high - 1e-6)
        found = least_squares(
            residual,
            inside,
            jac=slopes,  # pyright: ignore[reportArgumentType]
            bounds=(low, high),
            xtol=1e-12,
            ftol=1e-14,
            gtol=1e-14,
        )
        at_wall = np.minimum(found.x - low, high - found.x) < 1e-3
        return found.x, bool(at_wall.any())

    def fit(self, u: Float[np.ndarray, " p"], converged: bool, solutions: int, steps: int) -> Fit:
        """Returns what is known at the minimum."""
        rows = np.concatenate([self.slopes(u) / self.sigma[:, None], self.prior[0]])
        left, size, right = np.linalg.svd(rows, full_matrices=False)
        size = np.concatenate([size, np.zeros(len(u) - len(size))])
        seen = size > 1 / _WIDE
        inverse = right[seen[: len(right)]].T / size[seen]
        blind = _complement(right[seen[: len(right)]])
        count, residuals = len(self.readings), self.readings - self.temperatures(u)
        known = self.prior[0] @ u - self.prior[1]
        return Fit(
            model=self.model,
            u=u,
            covariance=inverse @ inverse.T,
            gain=inverse @ left[:count, seen[: left.shape[1]]].T,
            blind=blind,
            residuals=residuals,
            sigma=self.sigma,
            chi_square=float(np.sum((residuals / self.sigma) ** 2) + known @ known),
            degrees=len(rows) - int(seen.sum()),
            converged=converged,
            solutions=solutions,
            steps=steps,
        )


def _complement(rows: Float[np.ndarray, "r p"]) -> Float[np.ndarray, "b p"]:
    """Orthonormal rows that complete orthonormal ones."""
    return np.linalg.svd(np.concatenate([rows, np.zeros((1, rows.shape[1]))]))[2][len(rows) :]
