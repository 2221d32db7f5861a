"""Newton steps for the weak form of a spline on one grid."""

from dataclasses import replace

import numpy as np

from ._spline_newton import SplineState
from ._weak_rows import WeakPrograms, WeakSample

_SOLVED = 1e-16  # part of the square of the residual that is rounding
_LEAST = 1e-4  # fall that a step must bring, times its length
_TRIES = 8


def weak_step(programs: WeakPrograms, sample: WeakSample, state: SplineState) -> SplineState:
    """One step of Newton's method: J δ = −r, shortened until the residual falls."""
    matrix, residual = programs.system(sample, state.vector)
    here = float(residual @ residual)
    way = matrix.solve(-residual, sample.free)
    nothing = replace(state, loss=here, iteration=state.iteration + 1, fall=0.0)
    if way is None:
        return nothing
    length = 1.0
    for _ in range(_TRIES):
        vector = state.vector + length * way
        after = programs.residual(sample, vector)
        loss = float(after @ after)
        if loss < (1 - _LEAST * length) * here:
            solved = loss < _SOLVED * here
            fall = 0.0 if solved else 1 - loss / here
            return SplineState(vector, state.damping, loss, state.iteration + 1, fall)
        length /= 2
    return nothing


def is_weakly_linear(programs: WeakPrograms, sample: WeakSample) -> bool:
    """Whether one step from zero solves the problem."""
    nothing = np.zeros(sample.grid.size)
    matrix, residual = programs.system(sample, nothing)
    way = matrix.solve(-residual, sample.free)
    if way is None:
        return False
    after = programs.residual(sample, way)
    return bool(after @ after <= _SOLVED * float(residual @ residual))
