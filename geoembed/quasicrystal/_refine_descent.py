"""From one start of a refinement to a minimum of χ²."""

from typing import NamedTuple

import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Float

from ..train import LMState
from ._refine_problem import Problem

_STALLS = 6  # rejected steps, each with a hundred times the damping
_DAMPING = 1.0  # at first: far from a minimum undamped steps lead astray
_FLAT = 1e-7  # relative fall of χ² in a step


class End(NamedTuple):
    """Where a start ended.

    Args:
        numbers: The flat parameters, and the logarithm of the scale if it is refined.
        chi_square: χ² there.
        converged: Whether χ² fell no more before the steps were used up.
        steps: How many were taken.
    """

    numbers: Float[Array, " p"]
    chi_square: float
    converged: bool
    steps: int


def descend(problem: Problem, flat: Float[Array, " k"], steps: int) -> End:
    """Levenberg–Marquardt steps until χ² falls no more.

    Args:
        problem: What is minimised.
        flat: The parameters of the start; the scale begins with the best one for them.
        steps: The most steps.
    """
    solver, data = problem.solver, [problem.data]
    state = LMState(problem.numbers(flat), _DAMPING)
    converged = False
    for _ in range(steps):
        before = state
        state = solver.step(state, data)
        # `loss` is the one before a step, so the two tell what the step before achieved, if it was taken
        fell = before.stalled == 0 and state.stalled == 0
        flattened = fell and before.loss - state.loss <= _FLAT * state.loss
        converged = flattened or state.stalled >= _STALLS
        if converged:
            break
    numbers = jnp.asarray(state.parameters)
    chi_square = 2.0 * solver.loss(numbers, data)
    return End(numbers, chi_square, converged and bool(np.isfinite(chi_square)), state.iteration)
