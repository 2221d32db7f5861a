"""Levenberg–Marquardt: least squares by damped Gauss–Newton steps."""

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any, Literal

import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Float

from ._matrix_free import MatrixFree
from ._residuals import Evaluated, Residuals, RowFunction, Rows, column_scale, in_single, same_batches

_FACTORS = (0.1, 1.0, 10.0)  # dampings tried in one step, in parts of the current one
_RAISE = 100.0  # when none of them helps
_LOWEST, _HIGHEST = 1e-15, 1e8  # of the damping
_SINGLE = 1e-5  # above this damping the rounding of float32 cannot be felt in a step
_CHUNK = 512  # items whose Jacobian is held at once
_DENSE = 2e10  # the largest (smaller of numbers and rows)² × larger for which a matrix is formed and factored

Method = Literal["auto", "dense", "matrix-free"]


@dataclass(frozen=True, eq=False)
class LMState:
    """Where a Levenberg–Marquardt iteration stands.

    Args:
        parameters: The trained numbers θ as one vector.
        damping: λ, relative to the diagonal of JᵀJ.
        loss: ½ Σ r² before the last step; inf at the start.
        iteration: Steps so far.
        stalled: Steps since the last one that lowered the loss.
    """

    parameters: Float[Array | np.ndarray, " p"]
    damping: float = 1e-2
    loss: float = math.inf
    iteration: int = 0
    stalled: int = 0


class LevenbergMarquardt:
    """Minimises ½ Σ r(θ)² over the trained numbers of a model.

    A step solves (JᵀJ + λ diag JᵀJ) δ = −Jᵀr for three dampings λ and takes the θ + δ with the smallest loss, if that
    is smaller than the loss at θ. Steps never raise the loss of the rows that they are given. With more trained numbers
    than rows the same δ comes from the system of the rows, J S²Jᵀ + λ (S the scaling of the columns). Where both are
    many, no matrix is formed: conjugate gradients solve the system to a few percent with products of JᵀJ and vectors,
    see `fits_dense` and `MatrixFree` in the source.

    The Jacobian is built for 512 items at a time, so memory does not grow with the number of items, and programs are
    compiled once. While λ > 1e-5 the Jacobian is computed in float32 (`mixed`), which rounds less than λ damps; the
    residuals, and steps with smaller λ, have the dtype of the model.

    Args:
        functions: For each block of rows, a function of the model and one item that returns the item's rows.
        model: A pytree with the trained numbers, see `geoembed.core.is_parameter`.
        mixed: Whether Jacobians may be computed in float32.
        chunk: How many items at a time.
        method: "dense" with a matrix, "matrix-free" without, "auto" by the numbers of rows and parameters.

    References:
        J. J. Moré, in Numerical Analysis (Springer 1978) 105: column scaling. D. W. Marquardt, J. SIAM 11 (1963) 431.

    Example:
        >>> import jax.numpy as jnp, numpy as np
        >>> from geoembed.train import LevenbergMarquardt, Rows
        >>> def rows(model, x):
        ...     return jnp.atleast_1d(model[0] * jnp.exp(model[1] * x) - 2.0 * jnp.exp(-x))
        >>> lm = LevenbergMarquardt([rows], jnp.array([1.0, 0.0]))
        >>> data = [Rows(np.linspace(0, 1, 20, dtype=np.float32), np.ones(20, np.float32))]
        >>> state = lm.start()
        >>> for _ in range(15):
        ...     state = lm.step(state, data)
        >>> lm.model(state).round(3).tolist()
        [2.0, -1.0]
    """

    def __init__(
        self,
        functions: Sequence[RowFunction],
        model: Any,
        *,
        mixed: bool = True,
        chunk: int = _CHUNK,
        method: Method = "auto",
    ):
        self.residuals = Residuals(functions, model, chunk)
        self._mixed = mixed and self.residuals.start.dtype == jnp.float64
        self._free = MatrixFree(self.residuals)
        self._method = method
        self._last: Evaluated | None = None

    @property
    def size(self) -> int:
        """How many numbers are trained."""
        return self.residuals.size

    def start(self) -> LMState:
        """The state with the parameters of the model that the constructor was given."""
        return LMState(self.residuals.start)

    def model(self, state: Any) -> Any:
        """The model with the parameters of a state."""
        return self.residuals.combined(jnp.asarray(state.parameters))

    def loss(self, parameters: Float[Array, " p"], batches: Sequence[Rows]) -> float:
        """½ Σ r²; inf where it is not finite."""
        return self.residuals.loss(parameters, batches)

    def rows(self, parameters: Float[Array, " p"], batch: Rows, block: int = 0) -> Float[np.ndarray, "n k"]:
        """The weighted rows of one block, a line for each item."""
        return self.residuals.rows(parameters, batch, block)

    def step(self, state: LMState, batches: Sequence[Rows]) -> LMState:
        """One step: three dampings are tried, the best is taken if it lowers the loss.

        Args:
            state: Where the iteration stands.
            batches: The items of each block. They may differ from those of the step before.
        """
        parameters, here = jnp.asarray(state.parameters), self._last
        if here is None or here.parameters is not parameters or not same_batches(here.cut.batches, batches):
            here = self.residuals.evaluated(parameters, self.residuals.cut(batches))
        dampings = [state.damping * factor for factor in _FACTORS]
        single = self._mixed and state.damping > _SINGLE
        tried = self._directions(here, dampings, single, state.iteration)
        trials = [self.residuals.evaluated(parameters + step, here.cut) for step in tried]
        best = int(np.argmin([trial.loss for trial in trials]))
        if trials[best].loss < here.loss:
            self._last = trials[best]
            damping = min(max(dampings[best], _LOWEST), _HIGHEST)
            return LMState(trials[best].parameters, damping, here.loss, state.iteration + 1, 0)
        self._last = here
        damping = min(state.damping * _RAISE, _HIGHEST)
        return replace(
            state, damping=damping, loss=here.loss, iteration=state.iteration + 1, stalled=state.stalled + 1
        )

    def _directions(self, here: Evaluated, dampings: list[float], single: bool, number: int) -> list[Array]:
        """The steps δ for several dampings.

        The rows are those in full precision even where the Jacobian is not: an error in a row that is as large as the
        row turns the slope, one in the Jacobian does little while the damping is larger.
        """
        count = sum(part.size for block in here.rows for part in block)
        if self._method == "matrix-free" or (self._method == "auto" and not fits_dense(self.size, count)):
            return list(self._free.directions(here, dampings, single, number))
        work, pieces, rows = here.parameters, here.cut.pieces, here.rows
        if single:
            work, pieces, rows = work.astype(jnp.float32), here.cut.single, in_single(rows)
        if count >= self.size:
            matrix, slope = self.residuals.normal(work, pieces, rows)
            steps = _primal(matrix, slope, jnp.asarray(dampings, work.dtype))
        else:
            flat = jnp.concatenate([part.reshape(-1) for block in rows for part in block])
            steps = _dual(self.residuals.jacobian(work, pieces), flat, jnp.asarray(dampings, work.dtype))
        return list(steps.astype(here.parameters.dtype))


def fits_dense(numbers: int, rows: int) -> bool:
    """Whether a step with a matrix is faster than one without.

    A matrix takes (smaller of the two)² × larger multiplications, a step without one at most ten products of JᵀJ with
    vectors, each ∝ numbers × rows, and a sketch, ∝ numbers. From the times of these parts on one core (float32,
    4096 rows, 5241 and 20 081 numbers): 1.1e-11 s for a multiplication of the matrix, 1.6e-9 s for numbers × rows of a
    product with three vectors, 9e-9 s for those of J, 4e-5 s a number for the sketch. Both cost the same near 1.6e10.
    """
    few, many = sorted((numbers, rows))
    return float(few) ** 2 * many <= _DENSE


@jax.jit
def _primal(
    matrix: Float[Array, "p p"], slope: Float[Array, " p"], dampings: Float[Array, " s"]
) -> Float[Array, "s p"]:
    """−S (S A S + λ)⁻¹ S g for each λ, with S the inverse root of the diagonal of A."""
    scale = column_scale(jnp.diagonal(matrix))
    scaled = matrix * scale[:, None] * scale[None, :]

    def solved(damping: Array) -> Array:
        factor = jax.scipy.linalg.cho_factor(scaled + damping * jnp.eye(scaled.shape[0], dtype=scaled.dtype))
        return -scale * jax.scipy.linalg.cho_solve(factor, scale * slope)

    return jnp.stack([solved(damping) for damping in dampings])


@jax.jit
def _dual(
    jacobian: Float[Array, "n p"], rows: Float[Array, " n"], dampings: Float[Array, " s"]
) -> Float[Array, "s p"]:
    """−S² Jᵀ (J S² Jᵀ + λ)⁻¹ r for each λ: the same steps from the smaller system."""
    scaled = jacobian * column_scale(jnp.sum(jacobian**2, axis=0))[None, :]
    matrix = scaled @ scaled.T

    def solved(damping: Array) -> Array:
        factor = jax.scipy.linalg.cho_factor(matrix + damping * jnp.eye(matrix.shape[0], dtype=matrix.dtype))
        return -column_scale(jnp.sum(jacobian**2, axis=0)) * (
            jax.scipy.linalg.cho_solve(factor, rows) @ scaled
        )

    return jnp.stack([solved(damping) for damping in dampings])
