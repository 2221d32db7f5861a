"""Conjugate gradients for a sparse symmetric positive semi-definite system, in steps that can be saved and resumed."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Protocol, runtime_checkable

import numpy as np
from jaxtyping import Float


@runtime_checkable
class Matrix(Protocol):
    """What conjugate gradients ask of a matrix; scipy's sparse ones have it."""

    def __matmul__(self, other: Any, /) -> Any: ...

    def diagonal(self) -> Any: ...


@dataclass(frozen=True)
class CGState:
    """Everything the next step depends on: resuming from it repeats the uninterrupted run bit by bit.

    Args:
        x: The current solution.
        residual: b − A x.
        direction: The search direction.
        rho: residual · D⁻¹ residual.
        iteration: Steps done.
    """

    x: Float[np.ndarray, " d"]
    residual: Float[np.ndarray, " d"]
    direction: Float[np.ndarray, " d"]
    rho: float
    iteration: int


class ConjugateGradient:
    """Solves A x = b with the diagonal of A as preconditioner, or another approximate inverse of A.

    Host code: scipy's sparse product is several times faster on a CPU than a gather in XLA.

    Args:
        matrix: A, symmetric positive semi-definite; anything that multiplies a vector and knows its diagonal.
        rhs: b, in the range of A.
        inverse: Multiplies a vector by an approximate inverse of A, symmetric positive definite; None: by that of the
            diagonal.

    References:
        M. R. Hestenes, E. Stiefel, J. Res. Natl. Bur. Stand. 49 (1952) 409.
    """

    def __init__(
        self,
        matrix: Matrix,
        rhs: Float[np.ndarray, " d"],
        inverse: Callable[[np.ndarray], np.ndarray] | None = None,
    ):
        self.matrix = matrix
        self.rhs = rhs
        self.inverse = inverse
        diagonal = matrix.diagonal()
        self.inverse_diagonal = 1 / np.where(diagonal > 0, diagonal, 1.0)
        self.size = float(np.sqrt(rhs @ self._precondition(rhs)))

    def start(self, x: Float[np.ndarray, " d"]) -> CGState:
        """Returns the state at a first guess."""
        residual = self.rhs - self.matrix @ x
        direction = self._precondition(residual)
        return CGState(x, residual, direction, float(residual @ direction), 0)

    def advance(self, state: CGState, steps: int) -> CGState:
        """Returns the state some steps later; stops early when the residual is exactly zero."""
        x, residual, direction, rho = state.x, state.residual, state.direction, state.rho
        done = 0
        for _ in range(steps):
            image = self.matrix @ direction
            curvature = float(direction @ image)
            if rho == 0 or curvature <= 0:
                break
            step = rho / curvature
            x = x + step * direction
            residual = residual - step * image
            preconditioned = self._precondition(residual)
            new_rho = float(residual @ preconditioned)
            direction = preconditioned + (new_rho / rho) * direction
            rho = new_rho
            done += 1
        return CGState(x, residual, direction, rho, state.iteration + done)

    def _precondition(self, residual: Float[np.ndarray, " d"]) -> Float[np.ndarray, " d"]:
        return self.inverse_diagonal * residual if self.inverse is None else self.inverse(residual)

    def relative_residual(self, state: CGState) -> float:
        """Returns |b − A x| / |b| in the norm of the preconditioner."""
        return float(np.sqrt(state.rho)) / self.size if self.size > 0 else 0.0
