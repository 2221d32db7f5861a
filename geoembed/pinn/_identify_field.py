"""Inverse problems of heat in a part whose unknown varies in space."""

import time
from dataclasses import dataclass
from typing import Any

import numpy as np
from jaxtyping import Float, PRNGKeyArray
from scipy import linalg, special
from scipy.sparse.linalg import splu

from ..core import InputError
from ._field_terms import CellField, FieldTerm, PatchField
from ._gaussian_field import GaussianField
from ._grids import grid_features
from ._heat_terms import HeatTerms, heat_terms, numbers_of
from ._identify import sensor_places, sensor_rows
from ._parameters import Parameters, check_names, is_positive
from ._problem import Problem
from ._sensors import Sensors

_STEPS, _HALVINGS = 30, 8
_STILL = 1e-3  # a step by less than this share of the standard normal coefficients' size ends the search


@dataclass(frozen=True, eq=False)
class IdentifiedField:
    """A field that was recovered from sensors, with its uncertainty.

    Args:
        name: What it is.
        positive: Whether it must be positive: then its logarithm is the Gaussian field.
        guess: Its value before anything was measured.
        prior: What was expected.
        coefficients: Of the Gaussian field, the most probable ones.
        covariance: Of the coefficients, at the most probable ones.
        residuals: Readings minus temperatures of the model, K.
        sigma: Standard deviation of the noise of each sensor, K.
        determined: How many directions the sensors determine: the trace of the information they add.
        status: "converged" or "step limit".
        cells: Cells of the grid.
        seconds: Wall time.
    """

    name: str
    positive: bool
    guess: float
    prior: GaussianField
    coefficients: Float[np.ndarray, " m"]
    covariance: Float[np.ndarray, "m m"]
    residuals: Float[np.ndarray, " n"]
    sigma: Float[np.ndarray, " n"]
    determined: float
    status: str
    cells: int
    seconds: float

    def value(self, points: Float[np.ndarray, "n 3"]) -> Float[np.ndarray, " n"]:
        """Returns the field at points of the part, SI units: the median of what it may be."""
        change = self.prior.features(points) @ self.coefficients
        return self.guess * np.exp(change) if self.positive else self.guess + change

    def std(self, points: Float[np.ndarray, "n 3"]) -> Float[np.ndarray, " n"]:
        """Returns its standard deviation at points: of the logarithm of what must be positive. Where it comes near the
        `spread` that was expected, the sensors say nothing.
        """
        features = self.prior.features(points)
        inside = np.einsum("nm,mk,nk->n", features, self.covariance, features)
        return np.sqrt(np.maximum(inside, 0.0) + self.prior.missing(features))

    def interval(
        self, points: Float[np.ndarray, "n 3"], level: float = 0.9
    ) -> tuple[Float[np.ndarray, " n"], Float[np.ndarray, " n"]]:
        """Returns the ends of the interval that covers the true value at each point with a probability."""
        half = float(special.ndtri(0.5 + 0.5 * level)) * self.std(points)
        value = self.value(points)
        if self.positive:
            return value * np.exp(-half), value * np.exp(half)
        return value - half, value + half

    @property
    def chi_square(self) -> float:
        """Σ (residual/sigma)²; about the number of sensors minus `determined`."""
        return float(np.sum((self.residuals / self.sigma) ** 2))


def identify_field(
    problem: Problem,
    sensors: Sensors,
    *,
    unknown: str,
    spread: float,
    length: float,
    key: PRNGKeyArray,
    cells: int = 15_000,
) -> IdentifiedField:
    """Recovers a field of a heat problem in a part from temperatures that sensors measured.

    The unknown is v(x) = v₀ exp g(x) if it must be positive (conductivity, h), else v₀ + g(x), with v₀ from the
    problem and g a Gaussian process (`GaussianField`). A few sensors do not determine a field: what they leave open,
    the process fills with a smooth one, and `std` says where. The most probable field minimises

        Σ ((Tᵢ − T(xᵢ; a))/σᵢ)² + |a|²

    by Gauss–Newton steps, halved until they lower the sum, with exact derivatives of the grid by one adjoint solution
    for each sensor. The uncertainty is that of the linear model there. The error of the grid is not part of it: compare
    two numbers of cells.

    Args:
        problem: The problem; its value of the unknown is the first guess v₀.
        sensors: The readings, with their standard deviations.
        unknown: "conductivity", "source", "PATCH.h" or "PATCH.flux".
        spread: Standard deviation that is expected of g: of ln v, or of v in SI units.
        length: The distance over which the field varies (correlation length), in the part's unit.
        key: A random key: places the grid.
        cells: About how many cells the part is to occupy.

    Returns:
        The field with its uncertainty. Check `status` and `chi_square`.

    Raises:
        InputError: The problem has no such field, a sensor lies outside the part, or the noise is not stated.

    References:
        A. Tarantola, Inverse Problem Theory, SIAM 2005, ch. 3. A. M. Stuart, Acta Numerica 19 (2010) 451.
    """
    begin = time.monotonic()
    _check(problem, sensors, unknown, spread, length)
    features = grid_features(problem, cells, key=key)
    in_cells = unknown in ("conductivity", "source")
    field = CellField(problem, features, unknown) if in_cells else PatchField(problem, features, unknown)
    places, inwards = sensor_places(problem, sensors)
    rows = sensor_rows(features, places, inwards, sensors)
    search = _FieldSearch(problem, sensors, heat_terms(problem, features), field, rows, unknown)
    prior = GaussianField(field.places, spread, length)
    at, steps = search.minimum(prior)
    return IdentifiedField(
        name=unknown,
        positive=search.positive,
        guess=search.guess,
        prior=prior,
        coefficients=at.coefficients,
        covariance=at.covariance,
        residuals=search.readings - at.temperatures,
        sigma=search.sigma,
        determined=at.determined,
        status="converged" if steps < _STEPS else "step limit",
        cells=features.cells.leaves,
        seconds=time.monotonic() - begin,
    )


def _check(problem: Problem, sensors: Sensors, unknown: str, spread: float, length: float) -> None:
    check_names(problem, [unknown])
    if unknown.endswith((".ambient", ".temperature")):
        raise InputError(
            "unknown", repr(unknown), "is no field here", "Choose conductivity, source, h or flux"
        )
    if sensors.sigma is None:
        hint = "State the noise: sigma="
        raise InputError(sensors.source, "sigma", "a field needs the standard deviation of the noise", hint)
    for name, value in (("spread", spread), ("length", length)):
        if not 0 < value < float("inf"):
            raise InputError("<options>", name, f"{value} is not a positive number", "Say how much it varies")


@dataclass(frozen=True, eq=False)
class _Linear:
    """The linear model at some coefficients."""

    coefficients: Float[np.ndarray, " m"]
    temperatures: Float[np.ndarray, " n"]
    slopes: Float[np.ndarray, "n m"]
    sigma: Float[np.ndarray, " n"]

    def best(self, readings: Float[np.ndarray, " n"]) -> Float[np.ndarray, " m"]:
        """Returns the most probable coefficients if the model were linear."""
        scaled = self.slopes / self.sigma[:, None]
        wanted = (readings - self.temperatures) / self.sigma + scaled @ self.coefficients
        return scaled.T @ linalg.solve(self._information(scaled), wanted, assume_a="pos")

    @property
    def covariance(self) -> Float[np.ndarray, "m m"]:
        scaled = self.slopes / self.sigma[:, None]
        gained = scaled.T @ linalg.solve(self._information(scaled), scaled, assume_a="pos")
        return np.eye(len(self.coefficients)) - gained

    @property
    def determined(self) -> float:
        return len(self.coefficients) - float(np.trace(self.covariance))

    def _information(self, scaled: Float[np.ndarray, "n m"]) -> Float[np.ndarray, "n n"]:
        return scaled @ scaled.T + np.eye(len(scaled))


class _FieldSearch:
    """The most probable field."""

    def __init__(
        self, problem: Problem, sensors: Sensors, terms: HeatTerms, field: FieldTerm, rows: Any, unknown: str
    ):
        level = problem.scales.reference
        self.terms, self.field, self.rows = terms, field, rows
        self.positive, self.guess = is_positive(unknown), numbers_of(problem)[unknown]
        self.numbers = Parameters(problem, [unknown], 1.0).numbers(np.zeros(1))
        self.readings, self.sigma = sensors.temperature - level, np.asarray(sensors.deviations)

    def minimum(self, prior: GaussianField) -> tuple[_Linear, int]:
        """Returns the linear model at the minimum, and the steps that led there."""
        features = prior.features(self.field.places)
        at = self.linear(np.zeros(prior.count), features)
        for number in range(_STEPS):
            step = at.best(self.readings) - at.coefficients
            if np.linalg.norm(step) <= _STILL * max(np.linalg.norm(at.coefficients), 1.0):
                return at, number
            before = self._sum(at)
            for _ in range(_HALVINGS):
                moved = self.linear(at.coefficients + step, features)
                if self._sum(moved) < before:
                    break
                step = 0.5 * step
            else:
                return at, number
            at = moved
        return at, _STEPS

    def linear(self, coefficients: Float[np.ndarray, " m"], features: Float[np.ndarray, "e m"]) -> _Linear:
        """Solves the grid and its adjoints."""
        change = features @ coefficients
        values = self.guess * np.exp(change) if self.positive else self.guess + change
        matrix, load = self.field.system(self.terms, self.numbers, values)
        factor = splu(
            matrix.tocsc(), permc_spec="MMD_AT_PLUS_A", diag_pivot_thresh=0.0, options={"SymmetricMode": True}
        )
        state, adjoints = factor.solve(load), factor.solve(self.rows.T.toarray())
        pieces = self.field.change(state, adjoints, self.numbers)
        slopes = (pieces * values[None] if self.positive else pieces) @ features
        return _Linear(coefficients, self.rows @ state, slopes, self.sigma)

    def _sum(self, at: _Linear) -> float:
        misfit = (self.readings - at.temperatures) / self.sigma
        return float(misfit @ misfit + at.coefficients @ at.coefficients)
