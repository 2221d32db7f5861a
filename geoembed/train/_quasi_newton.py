"""Least squares to high accuracy: BFGS that starts from a Gauss–Newton matrix."""

from collections.abc import Sequence
from dataclasses import dataclass, replace

import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Float

from ._least_squares import LevenbergMarquardt, LMState
from ._residuals import Rows, same_batches

_TRIES = 12  # evaluations of one line search
_ARMIJO, _WOLFE = 1e-4, 0.9  # of the slope: how much the loss falls at least, how flat the end of a step is
_SHORTER = 0.3
_ANEW = 1e-4  # damping of the matrix that replaces one which led nowhere


@dataclass(frozen=True, eq=False)
class QNState:
    """Where a quasi-Newton iteration stands.

    Args:
        parameters: The trained numbers θ as one vector.
        inverse: Approximate inverse of the Hessian of the loss.
        loss: ½ Σ r² at θ.
        iteration: Steps so far, with those of the iteration before.
        stalled: Steps since the last one that lowered the loss.
    """

    parameters: Float[Array | np.ndarray, " p"]
    inverse: Float[Array | np.ndarray, "p p"]
    loss: float
    iteration: int
    stalled: int = 0


class QuasiNewton:
    """Minimises ½ Σ r(θ)² by BFGS; the first inverse Hessian is that of a Levenberg–Marquardt step.

    Where Levenberg–Marquardt creeps along a curved valley, its step costs as much as ten evaluations of the loss and
    its gradient. BFGS needs one or two of them for a step and learns the valley's shape. It needs a good first matrix:
    this one is (JᵀJ + λ diag JᵀJ)⁻¹. Memory grows with the square of the number of trained numbers.

    The rows may change between two steps; the matrix is kept.

    Args:
        solver: The iteration that went before.

    References:
        J. Nocedal, S. J. Wright, Numerical Optimization, 2nd ed., Springer 2006, sections 3.5, 6.1 and 10.3.

    Example:
        >>> import jax, jax.numpy as jnp, numpy as np
        >>> from geoembed.train import LevenbergMarquardt, QuasiNewton, Rows
        >>> def rows(model, x):
        ...     return jnp.atleast_1d(model[0] * jnp.exp(model[1] * x) - 2.0 * jnp.exp(-x))
        >>> with jax.enable_x64(True):
        ...     lm = LevenbergMarquardt([rows], jnp.array([1.0, 0.0]))
        ...     data = [Rows(np.linspace(0, 1, 20), np.ones(20))]
        ...     newton = QuasiNewton(lm)
        ...     state = newton.start(lm.step(lm.start(), data), data)
        ...     for _ in range(15):
        ...         state = newton.step(state, data)
        ...     lm.model(state).round(6).tolist()
        [2.0, -1.0]
    """

    def __init__(self, solver: LevenbergMarquardt):
        self.residuals = solver.residuals
        self._last: tuple[Array, tuple[Rows, ...], float, Array] | None = None

    def start(self, state: LMState, batches: Sequence[Rows]) -> QNState:
        """The state that goes on where another iteration stopped."""
        return self._anew(jnp.asarray(state.parameters), batches, state.damping, state.iteration, 0)

    def step(self, state: QNState, batches: Sequence[Rows]) -> QNState:
        """One step with a line search; it never raises the loss of the rows that it is given."""
        parameters = jnp.asarray(state.parameters)
        loss, gradient = self._at(parameters, batches)
        direction, slope = _towards(jnp.asarray(state.inverse), gradient)
        found = self._search(parameters, direction, batches, loss, float(slope))
        if found is None:
            return self._anew(parameters, batches, _ANEW, state.iteration + 1, state.stalled + 1)
        moved, lower, bent = found
        inverse = _updated(jnp.asarray(state.inverse), moved - parameters, bent - gradient)
        self._last = (moved, tuple(batches), lower, bent)
        return replace(
            state,
            parameters=moved,
            inverse=inverse,
            loss=lower,
            iteration=state.iteration + 1,
            stalled=0,
        )

    def _anew(
        self, parameters: Array, batches: Sequence[Rows], damping: float, iteration: int, stalled: int
    ) -> QNState:
        inverse = self.residuals.inverse(parameters, batches, damping)
        return QNState(parameters, inverse, self._at(parameters, batches)[0], iteration, stalled)

    def _at(self, parameters: Array, batches: Sequence[Rows]) -> tuple[float, Array]:
        """Loss and gradient at the start of a step, which the step before knows unless the rows changed."""
        last = self._last
        if last is not None and last[0] is parameters and same_batches(last[1], batches):
            return last[2], last[3]
        loss, gradient = self.residuals.loss_and_gradient(parameters, batches)
        self._last = (parameters, tuple(batches), loss, gradient)
        return loss, gradient

    def _search(
        self, parameters: Array, direction: Array, batches: Sequence[Rows], loss: float, slope: float
    ) -> tuple[Array, float, Array] | None:
        """A step that meets the weak conditions of Wolfe, or at least lowers the loss; None if there is none."""
        short, long, length, best = 0.0, np.inf, 1.0, None
        if not slope < 0:
            return None
        for _ in range(_TRIES):
            moved = parameters + length * direction
            found, gradient = self.residuals.loss_and_gradient(moved, batches)
            if found < (loss if best is None else best[1]):
                best = (moved, found, gradient)
            if not found <= loss + _ARMIJO * length * slope:
                long = length
                length = 0.5 * (short + long) if short else _SHORTER * length
            elif float(gradient @ direction) < _WOLFE * slope:
                short = length
                length = 2 * length if np.isinf(long) else 0.5 * (short + long)
            else:
                return moved, found, gradient
        return best


@jax.jit
def _towards(
    inverse: Float[Array, "p p"], gradient: Float[Array, " p"]
) -> tuple[Float[Array, " p"], Float[Array, ""]]:
    """The step −H g and the slope of the loss along it."""
    direction = -gradient @ inverse.T
    return direction, direction @ gradient


@jax.jit
def _updated(
    inverse: Float[Array, "p p"], move: Float[Array, " p"], bend: Float[Array, " p"]
) -> Float[Array, "p p"]:
    """The BFGS update (Nocedal and Wright, equation 6.17); none where the curvature along the step is not positive."""
    curvature = move @ bend
    held = bend @ inverse.T
    safe = jnp.where(curvature > 0, curvature, 1.0)
    half = ((safe + bend @ held) / (2 * safe**2)) * move - held / safe
    changed = inverse + half[:, None] * move[None, :] + move[:, None] * half[None, :]
    return jnp.where(curvature > 0, changed, inverse)
