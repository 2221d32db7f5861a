"""Gauss–Newton steps for the coefficients of a spline on one grid."""

from dataclasses import dataclass, replace

import numpy as np
from jaxtyping import Float

from ._spline_rows import Sample, SplinePrograms

_LOWEST, _HIGHEST = 1e-18, 1e8
_FALL = (1e-2, 0.3)  # of the damping after a step that was taken at once, and after one that was not
_RAISE = 10.0
_LINEAR = 1e-8  # damping of a step that tells, and the part of the loss by which it may err
_NOTHING = 1e-3  # part of the loss that is not worth another step
_TRIES = 12


@dataclass(frozen=True, eq=False)
class SplineState:
    """Where an iteration stands.

    Args:
        vector: The coefficients.
        damping: λ.
        loss: Σ r², at the coefficients before the last step until it is `settled`.
        iteration: Steps so far.
        fall: The part of the loss that the last step has removed; 0 if none was found.
    """

    vector: Float[np.ndarray, " n"]
    damping: float = 1e-4
    loss: float = np.inf
    iteration: int = 0
    fall: float = 1.0


def step(programs: SplinePrograms, sample: Sample, state: SplineState) -> SplineState:
    """One step of Levenberg–Marquardt: (JᵀJ + λ diag JᵀJ) δ = −Jᵀr, with a λ at which the loss falls.

    A sparse direct solution: JᵀJ is a band matrix.
    """
    matrix, slope, here = programs.normal(sample, state.vector)
    factor = matrix.scaled(sample.free)
    damping, growth = state.damping, _RAISE
    for attempt in range(_TRIES):
        found = matrix.solve(-factor * slope, damping)
        if found is not None:
            if -found @ (factor * slope) < _NOTHING * here:  # half of what a linear problem would lose
                break
            vector = state.vector + factor * found
            loss = programs.loss(sample, vector)
            if loss < here:
                after = max(damping * _FALL[attempt > 0], _LOWEST)
                return SplineState(vector, after, loss, state.iteration + 1, 1 - loss / here)
        damping = min(max(damping, 1e-12) * growth, _HIGHEST)
        growth *= 2
    return replace(state, loss=here, iteration=state.iteration + 1, fall=0.0)


def is_linear(programs: SplinePrograms, sample: Sample) -> bool:
    """Whether one Gauss–Newton step from zero lowers the loss by just what it would in a linear problem."""
    nothing = np.zeros(sample.grid.size)
    matrix, slope, here = programs.normal(sample, nothing)
    factor = matrix.scaled(sample.free)
    found = matrix.solve(-factor * slope, _LINEAR)
    if found is None:
        return False
    expected = here + found @ (factor * slope) - _LINEAR * float(found @ found)
    return bool(abs(programs.loss(sample, nothing + factor * found) - expected) <= _LINEAR * here)
