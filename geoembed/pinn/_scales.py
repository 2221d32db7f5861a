"""The units in which the problem of a part has numbers of order one."""

from dataclasses import dataclass
from typing import Any

import numpy as np

from ..sdf import evaluate, signed_volume
from ._conditions import Convection, HeatFlux, Temperature, value_at

MOMENTS = 65  # evenly over the time of a problem, at which its functions of the time are looked at


@dataclass(frozen=True)
class Scales:
    """Length, temperature and conductance that make a problem dimensionless.

    With ξ = x/length and θ = (T − reference)/span: −∇²θ = source, ∂θ/∂n = flux + biot (ambient − θ). For an elastic
    part u/span and stresses in units of Young's modulus · span / metres.

    Args:
        length: The longest side of the part's box, in the part's unit.
        metres: The same in metres.
        reference: Temperature that becomes 0, K; 0 for an elastic part.
        span: Temperature difference that becomes 1, K; displacement that becomes 1, m.
        heat: Heat flow that becomes 1: k · metres · span with the mean k, W; force that becomes 1: E · metres · span,
            N.
    """

    length: float
    metres: float
    reference: float
    span: float
    heat: float


def scales_of(problem: Any) -> Scales:
    """Returns the scales of a `Problem` in a part."""
    lower, upper = problem.domain.bounds
    length = float(np.max(upper - lower))
    metres = length * problem.domain.metres_per_unit
    if problem.elastic:
        return _elastic_scales(problem, length, metres)
    if problem.transient:
        return _transient_scales(problem, length, metres)
    table, k = problem.face_conditions, problem.conduction.mean
    levels = table.levels
    driven = (np.abs(table.flux).max() * metres + abs(problem.equation.source) * metres**2) / k
    span = float(max(np.ptp(levels), driven))
    span = span if span > 0 else 1.0
    return Scales(length, metres, float(levels.min()), span, k * metres * span)


def _elastic_scales(problem: Any, length: float, metres: float) -> Scales:
    table, young = problem.face_loads, problem.equation.young
    pull = float(np.abs(table.traction).max()) * metres
    weight = max(abs(component) for component in problem.equation.body_force) * metres**2
    moved = float(np.abs(table.displacement[table.held]).max(initial=0.0))
    span = max(moved, (pull + weight) / young)
    span = span if span > 0 else 1.0
    return Scales(length, metres, 0.0, span, young * metres * span)


def _transient_scales(problem: Any, length: float, metres: float) -> Scales:
    """The span of the given temperatures, or what the given heat can do in the time, if that is more."""
    begin, end = problem.moments
    levels, fluxes = [_first_levels(problem)], [0.0]
    for time in np.linspace(begin, end, MOMENTS).tolist():
        for condition in problem.heat_conditions:
            match condition:
                case Temperature(value=value) | Convection(ambient=value):
                    levels.append(np.array([value_at(value, time)]))
                case HeatFlux(value=value):
                    fluxes.append(abs(value_at(value, time)))
    level = np.concatenate(levels)
    source = max(abs(value_at(problem.equation.source, t)) for t in np.linspace(begin, end, MOMENTS).tolist())
    k, domain = problem.conduction.mean, problem.domain
    per_volume = float(domain.areas.sum()) / signed_volume(domain.vertices, domain.faces) * length / metres
    released = max(fluxes) * per_volume + source
    driven = min(
        (max(fluxes) * metres + source * metres**2) / k, released * (end - begin) / problem.mean_capacity
    )
    span = float(max(np.ptp(level), driven))
    span = span if span > 0 else 1.0
    return Scales(length, metres, float(level.min()), span, k * metres * span)


def _first_levels(problem: Any) -> np.ndarray:
    value: Any = problem.initial.value
    if not callable(value):
        return np.array([float(value)])
    begin = problem.moments[0]
    places = np.pad(problem.conduction.places, ((0, 0), (0, 1)), constant_values=begin)
    return np.asarray(evaluate(value, places), np.float64)
