"""Conjugate gradients for a convex energy that is not quadratic."""

import numpy as np
from jaxtyping import Float

from ..train import CGState
from ._nonlinear_energy import NonlinearEnergy

_TRIALS = 12  # evaluations of the surface along one direction
_FLAT = 1e-2  # share of the slope that may be left at the end of a step


class Descent:
    """Minimises J by nonlinear conjugate gradients, with an approximate inverse of its second derivative.

    A step goes along one direction to where the slope of J vanishes, by Newton's method in one variable: only the
    points of the surface are evaluated, as the rest is quadratic. On a quadratic energy the steps are those of
    `ConjugateGradient`, and the surface changes the second derivative little, so that about as many are needed.

    Args:
        energy: J.

    References:
        E. Polak, G. Ribière, Rev. Fr. Inform. Rech. Oper. 3 (1969) 35.
    """

    def __init__(self, energy: NonlinearEnergy):
        self.energy = energy
        self.inverse = energy.inverse(energy.levelled(np.zeros(len(energy.quadratic.load))))

    def start(self, x: Float[np.ndarray, " d"]) -> CGState:
        """Returns the state at a first guess."""
        residual = self.energy.downhill(x)
        direction = self.inverse(residual)
        return CGState(x, residual, direction, float(residual @ direction), 0)

    def advance(self, state: CGState, steps: int) -> CGState:
        """Returns the state some steps later; stops early when the residual is exactly zero."""
        x, residual, direction, rho, done = state.x, state.residual, state.direction, state.rho, 0
        matrix, energy = self.energy.quadratic.matrix, self.energy
        theta = energy.values @ x
        for _ in range(steps):
            slope = float(residual @ direction)
            if slope <= 0:  # not downhill: start again along the residual
                direction = self.inverse(residual)
                slope = float(residual @ direction)
            if slope <= 0:
                break
            image, along = matrix @ direction, energy.values @ direction
            step, change = self._step(slope, float(direction @ image), theta, along)
            x, theta = x + step * direction, theta + step * along
            before = self.inverse(residual)
            residual = residual - step * image + energy.back @ change
            preconditioned = self.inverse(residual)
            new_rho = float(residual @ preconditioned)
            keep = max(0.0, (new_rho - float(residual @ before)) / rho) if rho > 0 else 0.0
            direction, rho = preconditioned + keep * direction, new_rho
            done += 1
        return CGState(x, residual, direction, rho, state.iteration + done)

    def _step(
        self, slope: float, curvature: float, theta: Float[np.ndarray, " n"], along: Float[np.ndarray, " n"]
    ) -> tuple[float, Float[np.ndarray, " n"]]:
        """How far to go along a direction, and the change of the weighted inflow of the surface there."""
        energy, here = self.energy, self.energy.inflow(theta)
        step, change, left = 0.0, np.zeros_like(here), slope
        for _ in range(_TRIALS):
            bend = energy.weights * energy.exchange.stiffness(theta + step * along)
            step += left / (curvature + float(bend @ along**2))
            change = energy.inflow(theta + step * along) - here
            left = slope - step * curvature + float(change @ along)
            if abs(left) <= _FLAT * slope:
                break
        return step, change
