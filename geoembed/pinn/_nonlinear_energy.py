"""The energy of a temperature field whose surface radiates, or whose conductivity depends on the temperature.

    J(c) = ½ cᵀ A c − bᵀ c + constant + Σ_points w Φ(θ),     θ = B c at the points of the surface

with the quadratic part of `Quadratic` and the convex Φ of `Exchange`. Inside the part nothing changes: only the points
of the surface are evaluated again in every step.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
from jaxtyping import Float
from scipy import sparse

from ._energy import Quadratic
from ._exchange import Exchange
from ._held_inverse import HeldInverse
from ._nested_features import NestedFeatures
from ._surface_conditions import Surface

_STEPS = 20  # of Newton's method for the level, before bisection
_CLOSE = 1e-13  # change of the level at which it has settled


@dataclass(frozen=True)
class NonlinearEnergy:
    """J, strictly convex.

    Args:
        quadratic: What is quadratic in c.
        values: B: the features at the points where heat is exchanged.
        back: Bᵀ.
        weights: w.
        exchange: The law at these points.
    """

    quadratic: Quadratic
    values: sparse.csr_array
    back: sparse.csr_array
    weights: Float[np.ndarray, " n"]
    exchange: Exchange

    def __call__(self, coefficients: Float[np.ndarray, " d"]) -> float:
        """Returns J(c)."""
        exchanged = self.exchange.energy(self.values @ coefficients)
        return self.quadratic(coefficients) + float(self.weights @ exchanged)

    def inflow(self, theta: Float[np.ndarray, " n"]) -> Float[np.ndarray, " n"]:
        """Returns w N at the points."""
        return self.weights * self.exchange.inflow(theta)

    def downhill(self, coefficients: Float[np.ndarray, " d"]) -> Float[np.ndarray, " d"]:
        """Returns −∇J."""
        q = self.quadratic
        return q.load - q.matrix @ coefficients + self.back @ self.inflow(self.values @ coefficients)

    def inverse(self, coefficients: Float[np.ndarray, " d"]) -> HeldInverse:
        """Returns an approximate inverse of the second derivative of J: what bends is in its diagonal only."""
        bend = self.weights * self.exchange.stiffness(self.values @ coefficients)
        bent = self.quadratic.matrix + sparse.diags_array(self.back.power(2) @ bend)
        return HeldInverse(sparse.csr_array(bent), self.quadratic.held)

    def levelled(self, coefficients: Float[np.ndarray, " d"]) -> Float[np.ndarray, " d"]:
        """Returns c plus the constant that minimises J: as much heat leaves as enters."""
        q, theta = self.quadratic, self.values @ coefficients
        missing, tied = float(q.one @ q.load - q.level @ coefficients), float(q.one @ q.level)

        def surplus(level: float) -> float:
            return missing - tied * level + float(np.sum(self.inflow(theta + level)))

        level = 0.0
        for _ in range(_STEPS):
            bend = tied + float(self.weights @ self.exchange.stiffness(theta + level))
            step = surplus(level) / bend if bend > 0 else np.inf
            if not abs(step) < 1e3:  # near 0 K a radiating surface feels no change of its temperature
                break
            level += step
            if abs(step) <= _CLOSE * (1 + abs(level)):
                return coefficients + level * q.one
        return coefficients + _bisected(surplus) * q.one


def _bisected(surplus: Callable[[float], float]) -> float:
    """The level at which a falling function vanishes."""
    low, high = -1.0, 1.0
    while surplus(low) < 0:
        low *= 2
    while surplus(high) > 0:
        high *= 2
    from scipy.optimize import brentq  # takes a second to import

    found: Any = brentq(surplus, low, high, xtol=_CLOSE)
    return float(found)


def nonlinear_energy(quadratic: Quadratic, features: NestedFeatures, surface: Surface) -> NonlinearEnergy:
    """Adds what the surface exchanges to the quadratic part of the energy.

    Args:
        quadratic: The quadratic part, from `assemble`.
        features: The features.
        surface: The conditions at the points of the quadrature of the surface.
    """
    exchange = surface.exchange
    if exchange is None:
        raise ValueError("the surface exchanges nothing but what is quadratic")
    some = np.flatnonzero(exchange.active)
    values = sparse.csr_array(features.values(surface.points[some]))
    back = sparse.csr_array(values.T)
    return NonlinearEnergy(quadratic, values, back, surface.weights[some], exchange.at(some))
