"""The conditions of a problem at points on its surface, without dimensions."""

from dataclasses import dataclass

import numpy as np
from jaxtyping import Float, Int

from ..sdf import SurfaceRule
from ._exchange import Exchange
from ._kirchhoff import kirchhoff
from ._problem import Problem

# Biot number of the contact that holds a face. The flux is singular at a patch's rim, so its drop counts for more than
# 1/HOLD: with 1e4 the plate with holes was 3e-3 too cold on every grid. With 1e6 held faces that are curved lock on
# coarse grids: their splines cannot be constant on the face and differ beside it.
HOLD = 1e5


@dataclass(frozen=True)
class Surface:
    """Dimensionless conditions at points on the surface.

    Args:
        points: Points, in the part's unit.
        weights: Areas, in units of length².
        faces: The face of each point.
        transfer: Biot number, at most HOLD, which it is where the temperature is held.
        target: Ambient or held temperature.
        flux: Prescribed flux into the part.
        exchange: What the surface takes up besides, where that is not linear in the unknown; None: nothing.
    """

    points: Float[np.ndarray, "n 3"]
    weights: Float[np.ndarray, " n"]
    faces: Int[np.ndarray, " n"]
    transfer: Float[np.ndarray, " n"]
    target: Float[np.ndarray, " n"]
    flux: Float[np.ndarray, " n"]
    exchange: Exchange | None = None


def surface_conditions(problem: Problem, rule: SurfaceRule) -> Surface:
    """Brings the conditions at the points of a surface rule into dimensionless form."""
    if problem.nonlinear:
        return _nonlinear(problem, rule)
    scales, table, f = problem.scales, problem.face_conditions, rule.faces
    k, hold = problem.conduction.mean, HOLD * problem.conduction.highest_at(rule.points)
    level = np.where(table.held, table.temperature, table.ambient)[f]
    transfer = np.where(table.held[f], hold, np.minimum(table.h[f] * scales.metres / k, hold))
    target = np.where(transfer > 0, (level - scales.reference) / scales.span, 0.0)
    flux = table.flux * scales.metres / (k * scales.span)
    return Surface(rule.points, rule.weights / scales.length**2, f, transfer, target, flux[f])


def _nonlinear(problem: Problem, rule: SurfaceRule) -> Surface:
    """The same where faces radiate or k depends on T: then convection is not linear in the unknown either."""
    scales, table, equation = problem.scales, problem.face_conditions, problem.equation
    k = problem.conduction.mean
    transform = kirchhoff(equation, scales.reference, k)
    h = np.where(table.held, 0.0, np.minimum(table.h, HOLD * k / scales.metres))
    linear = np.zeros_like(h) if equation.varies else h
    level = np.where(table.held, transform.of(np.where(table.held, table.temperature, 0.0)), table.ambient)
    transfer = np.where(table.held, HOLD, linear * scales.metres / k)[rule.faces]
    f = rule.faces
    transfer = np.where(table.held[f], transfer * problem.conduction.highest_at(rule.points), transfer)
    target = np.where(transfer > 0, (level[f] - scales.reference) / scales.span, 0.0)
    flux = table.flux * scales.metres / (k * scales.span)
    columns = (np.asarray(table.emissivity), np.asarray(table.radiant), h - linear, table.ambient)
    exchange = Exchange(transform, scales.metres, scales.span, *(column[f] for column in columns))
    weights = rule.weights / scales.length**2
    return Surface(rule.points, weights, f, transfer, target, flux[f], exchange)
