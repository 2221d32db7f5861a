"""Heat that a surface takes up in a way that is not linear in the unknown."""

from dataclasses import dataclass

import numpy as np
from jaxtyping import Float

from ._kirchhoff import Kirchhoff
from ._radiation import STEFAN_BOLTZMANN, fourth_power


@dataclass(frozen=True)
class Exchange:
    """N(θ) = (L/k₀ΔT) [ε σ (Tᵣ⁴ − T⁴) + h (Tₐ − T)] at points of the surface, with T = T(θ).

    θ = (U − T₀)/ΔT is the unknown, see `Kirchhoff`. N falls with θ, so that its energy −∫ N dθ is convex.

    Args:
        kirchhoff: T of U.
        metres: L, m.
        span: ΔT, K.
        emissivity: ε at each point.
        radiant: Tᵣ, K: what the point radiates to.
        h: Heat transfer coefficient, W/(m² K).
        ambient: Tₐ, K: what it convects to.
    """

    kirchhoff: Kirchhoff
    metres: float
    span: float
    emissivity: Float[np.ndarray, " n"]
    radiant: Float[np.ndarray, " n"]
    h: Float[np.ndarray, " n"]
    ambient: Float[np.ndarray, " n"]

    def at(self, some: np.ndarray) -> "Exchange":
        """Returns the law at some of the points."""
        columns = (column[some] for column in (self.emissivity, self.radiant, self.h, self.ambient))
        return Exchange(self.kirchhoff, self.metres, self.span, *columns)

    @property
    def active(self) -> np.ndarray:
        """At which points there is any."""
        return (self.emissivity > 0) | (self.h > 0)

    def temperature(self, theta: Float[np.ndarray, " n"]) -> Float[np.ndarray, " n"]:
        """Returns T, K."""
        return self.kirchhoff.temperature(self.kirchhoff.reference + self.span * theta)

    def inflow(self, theta: Float[np.ndarray, " n"]) -> Float[np.ndarray, " n"]:
        """Returns N."""
        t = self.temperature(theta)
        watts = self.emissivity * STEFAN_BOLTZMANN * (fourth_power(self.radiant) - fourth_power(t))
        watts = watts + self.h * (self.ambient - t)
        return watts * (self.metres / (self.kirchhoff.mean * self.span))

    def stiffness(self, theta: Float[np.ndarray, " n"]) -> Float[np.ndarray, " n"]:
        """Returns −dN/dθ, the local Biot number."""
        t = self.temperature(theta)
        transfer = 4 * self.emissivity * STEFAN_BOLTZMANN * np.abs(t) ** 3 + self.h
        return transfer * self.metres / self.kirchhoff.conductivity(t)

    def energy(self, theta: Float[np.ndarray, " n"]) -> Float[np.ndarray, " n"]:
        """Returns −∫₀^θ N dθ′ = (L/k₀²ΔT²) ∫_{T₀}^{T} [ε σ (T′⁴ − Tᵣ⁴) + h (T′ − Tₐ)] k dT′."""
        t, whole = self.temperature(theta), self.kirchhoff.integral
        plain = whole(t, 0)
        radiated = whole(t, 2) - fourth_power(self.radiant) * plain
        joules = self.emissivity * STEFAN_BOLTZMANN * radiated
        if self.h.any():
            joules = joules + self.h * (whole(t, 1) - self.ambient * plain)
        return joules * (self.metres / (self.kirchhoff.mean * self.span) ** 2)
