"""Inverse problems of heat in a part: conductivity, heat transfer, flux or source from sensors."""

import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import jax
import numpy as np
from jaxtyping import Float, PRNGKeyArray
from scipy import sparse

from ..core import InputError
from ..sdf import value_and_gradient
from ._fit_sensors import Fit, Observation, fit_sensors
from ._grids import grid_spacing, ladder
from ._heat_terms import heat_terms
from ._identified import Identified
from ._nested_cells import nested_cells
from ._nested_features import NestedFeatures
from ._parameters import Parameters, check_names
from ._problem import Problem
from ._reduced_heat import ReducedHeat
from ._sensors import Sensors

_ORDER, _SAFETY = 4 / 3, 1.25  # of the solver's estimate from two grids
_SMALL = 0.25  # share of the noise's part of the uncertainty that the grid's may have
_OFF = 1e-3  # of the part's length: how far from the surface a sensor may be given
_INWARDS = (
    0.0,
    0.02,
    0.1,
    0.3,
)  # spacings that a sensor is moved where its cell holds hardly any of the part


class InverseProblem:
    """Heat in a part with unknown numbers, for any set of sensors.

    Grids, their integrals and the solutions found on the way are kept: a second call of `identify`, with other
    readings or other sensors, costs a small part of the first.

    Args:
        problem: The problem. Its values of the unknown numbers are the first guess.
        unknown: Names of the unknown numbers, see `identify`.
        key: A random key: places the grids.
        cells: The most cells the part may occupy.
        first_cells: The cells of the first grid.

    Raises:
        InputError: The problem is not heat in a part, has no such number, or a first guess is not positive.
    """

    def __init__(
        self,
        problem: Problem,
        unknown: Sequence[str],
        *,
        key: PRNGKeyArray,
        cells: int = 200_000,
        first_cells: int = 5_000,
    ):
        if isinstance(unknown, str):
            unknown = [unknown]
        check_names(problem, unknown)
        self.problem, self.unknown = problem, tuple(unknown)
        self._steps = ladder(first_cells, cells)
        with jax.enable_x64(True):
            keys = jax.random.split(key, len(self._steps))
            self._offsets = [np.asarray(jax.random.uniform(one, (3,)), np.float64) for one in keys]
        self._models: list[ReducedHeat] = []

    def identify(
        self, sensors: Sensors, known: Mapping[str, tuple[float, float]] | None = None
    ) -> Identified:
        """Recovers the unknown numbers; see `geoembed.pinn.identify`."""
        start, history = time.monotonic(), []
        places, inwards = sensor_places(self.problem, sensors)
        level = self.problem.scales.reference
        span = max(self.problem.scales.span, float(np.abs(sensors.temperature - level).max()))
        parameters = Parameters(self.problem, self.unknown, span)
        prior = parameters.prior(known or {})
        u, before = np.zeros(len(self.unknown)), None
        for number in range(len(self._steps)):
            model = self._model(number)
            rows = sensor_rows(model.terms.features, places, inwards, sensors)
            observation = Observation(rows, sensors.temperature - level, sensors.deviations)
            fit = fit_sensors(model, observation, parameters, prior, u)
            u, now = fit.u, _Done(observation, fit)
            error, before = _grid_error(before, now, parameters), now
            judged = _Judged.of(fit, error)
            history.append(_record(model, parameters, fit, judged))
            if fit.converged and judged.small:
                break
        return self._result(sensors, parameters, _Outcome(model, fit, judged, error, tuple(history), start))

    def _result(self, sensors: Sensors, parameters: Parameters, at: "_Outcome") -> Identified:
        fit, judged = at.fit, at.judged
        status = "diverged" if not fit.converged else "converged" if judged.small else "cell limit"
        scale = np.where(parameters.positive, 1.0, parameters.scale)
        return Identified(
            names=self.unknown,
            values=parameters.values(fit.u),
            positive=tuple(parameters.positive.tolist()),
            covariance=judged.covariance * scale[:, None] * scale[None, :],
            bias=judged.bias * scale,
            blind=fit.blind,
            residuals=fit.residuals,
            sigma=fit.sigma,
            noise_given=sensors.sigma is not None,
            chi_square=fit.chi_square,
            degrees=fit.degrees,
            model_error=float(np.sqrt(np.mean(at.error**2))),
            status=status,
            cells=at.model.terms.features.cells.leaves,
            history=at.history,
            seconds=time.monotonic() - at.start,
            problem=parameters.applied(fit.u),
        )

    def _model(self, number: int) -> ReducedHeat:
        if number == len(self._models):
            spacing = grid_spacing(self.problem, self._steps[number])
            features = NestedFeatures(nested_cells(self.problem, spacing, self._offsets[number]))
            self._models.append(ReducedHeat(heat_terms(self.problem, features)))
        return self._models[number]


def identify(
    problem: Problem,
    sensors: Sensors,
    *,
    unknown: Sequence[str],
    key: PRNGKeyArray,
    known: Mapping[str, tuple[float, float]] | None = None,
    cells: int = 200_000,
    first_cells: int = 5_000,
) -> Identified:
    """Recovers unknown numbers of a heat problem in a part from temperatures that sensors measured.

    Minimises Σ ((Tᵢ − T(xᵢ; v))/σᵢ)² over the unknown numbers v by Gauss–Newton steps in a trust region, in ln v of
    what must be positive. T minimises the energy that `solve` minimises, on the same grids; its derivatives are exact
    for the grid (A ∂c = ∂b − ∂A c). Grids are refined until the estimated effect of the grid on the numbers is below a
    quarter of that of the noise.

    **What sensors cannot say.** Heat flows are not seen by thermometers. Where no flux and no source is given, only
    ratios of conductivities and heat transfer coefficients are determined: with a base that is held at a temperature,
    h/k but neither h nor k. Such directions are found from the singular values of the derivatives and named in the
    result (`not_identified`); the interval of a number that takes part in one is infinite. A value that is known from
    elsewhere, with its uncertainty (`known`), or a known heat flux mends it.

    Args:
        problem: The problem. Its values of the unknown numbers are the first guess.
        sensors: The readings.
        unknown: Names of the unknown numbers: "conductivity", "source", and for a patch "NAME.h", "NAME.ambient",
            "NAME.flux" or "NAME.temperature", as its condition has them.
        key: A random key: places the grids.
        known: Value and standard deviation of numbers that are not quite unknown, SI units.
        cells: The most cells the part may occupy.
        first_cells: The cells of the first grid.

    Returns:
        The numbers with their uncertainty. Check `status`, `not_identified` and `consistent`.

    Raises:
        InputError: The problem is not heat in a part or has no such number, or a sensor lies outside the part.

    References:
        A. Tarantola, Inverse Problem Theory, SIAM 2005, ch. 3 (least squares with a linearised posterior).
        P. J. Roache, J. Fluids Eng. 116 (1994) 405 (the estimate from two grids).
    """
    inverse = InverseProblem(problem, unknown, key=key, cells=cells, first_cells=first_cells)
    return inverse.identify(sensors, known)


def sensor_places(
    problem: Problem, sensors: Sensors
) -> tuple[Float[np.ndarray, "n 3"], Float[np.ndarray, "n 3"]]:
    """The sensors' points, those just outside moved to the surface, and the direction inwards at each."""
    domain = problem.domain
    distance, outwards = value_and_gradient(domain, sensors.points)
    far = np.flatnonzero(distance > _OFF * problem.scales.length)
    if len(far):
        shown = ", ".join(str(number + 1) for number in far[:10]) + (" …" if len(far) > 10 else "")
        reason = f"{len(far)} of {sensors.count} lie outside the part, the farthest by {distance.max():.3g}"
        hint = f"Give points in the part's unit ({domain.unit}) and in its coordinates, or remove them"
        raise InputError(sensors.source, f"sensors {shown}", f"{reason} {domain.unit}", hint)
    return sensors.points - np.maximum(distance, 0.0)[:, None] * outwards, -outwards


def sensor_rows(
    features: NestedFeatures,
    places: Float[np.ndarray, "n 3"],
    inwards: Float[np.ndarray, "n 3"],
    sensors: Sensors,
) -> sparse.csr_array:
    """The features at the sensors. One in a cell that holds hardly any of the part is moved inwards a little."""
    step, lost = features.spacing / 2 ** (len(features.grids) - 1), np.ones(len(places), bool)
    points = places.copy()
    for share in _INWARDS:
        points[lost] = places[lost] + share * step * inwards[lost]
        rows = features.values(points)
        lost = np.abs(rows @ features.constant - 1) > 1e-6
        if not lost.any():
            return rows
    number = int(np.flatnonzero(lost)[0]) + 1
    hint = "Move it into the part, or allow more cells"
    raise InputError(sensors.source, f"sensor {number}", "no cell of the grid holds it", hint)


@dataclass(frozen=True)
class _Done:
    observation: Observation
    fit: Fit

    @property
    def spacing(self) -> float:
        return self.fit.model.terms.features.spacing


@dataclass(frozen=True)
class _Outcome:
    model: ReducedHeat
    fit: Fit
    judged: "_Judged"
    error: Float[np.ndarray, " n"]
    history: tuple[dict, ...]
    start: float


def _grid_error(before: _Done | None, now: _Done, parameters: Parameters) -> Float[np.ndarray, " n"]:
    """The estimated error of the temperatures at the sensors: Richardson's from two grids at the same numbers."""
    if before is None:
        return np.full(len(now.fit.residuals), np.inf)
    numbers = parameters.numbers(now.fit.u)
    fine, coarse = (one.fit.model.solve(numbers, ["conductivity"])[0] for one in (now, before))
    seen, seen_before = (one.observation.seen(one.fit.model) for one in (now, before))
    change = seen @ fine - seen_before @ coarse
    return _SAFETY * change / ((before.spacing / now.spacing) ** _ORDER - 1)


@dataclass(frozen=True)
class _Judged:
    """Uncertainty of a fit with that of its grid: C = C_noise + bias biasᵀ."""

    covariance: Float[np.ndarray, "p p"]
    bias: Float[np.ndarray, " p"]
    small: bool

    @staticmethod
    def of(fit: Fit, error: Float[np.ndarray, " n"]) -> "_Judged":
        if not np.isfinite(error).all():
            return _Judged(fit.covariance, np.full(len(fit.u), np.inf), small=False)
        bias = fit.gain @ (error / fit.sigma)
        noise = np.sqrt(np.diag(fit.covariance))
        return _Judged(
            fit.covariance + np.outer(bias, bias), bias, small=bool(np.all(np.abs(bias) <= _SMALL * noise))
        )


def _record(model: ReducedHeat, parameters: Parameters, fit: Fit, judged: _Judged) -> dict:
    features = model.terms.features
    return {
        "cells": features.cells.leaves,
        "parameters": features.count,
        "values": dict(zip(parameters.names, parameters.values(fit.u).tolist(), strict=True)),
        "noise": np.sqrt(np.diag(fit.covariance)).tolist(),
        "bias": judged.bias.tolist(),
        "solutions": fit.solutions,
        "steps": fit.steps,
        "converged": fit.converged,
    }
