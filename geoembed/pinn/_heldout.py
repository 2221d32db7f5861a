"""The energy at points that the training never sees."""

from dataclasses import dataclass, replace

import jax
import numpy as np
from jaxtyping import Float, PRNGKeyArray
from scipy import sparse

from ..sdf import InteriorSample, SurfaceRule, sample_interior, sample_surface
from ._energy import dimensionless_source
from ._equations._solid import conducted
from ._nested_features import NestedFeatures
from ._problem import Problem
from ._surface_conditions import Surface, surface_conditions

# Biot number of the best contact in the held-out energy. That of the training is ten times as good: a grid would be
# judged by how far it misses the held temperature between its own points, by 1e-4 of the span and less.
_CONTACT = 1e4


@dataclass(frozen=True)
class HeldOut:
    """Quasi-random points inside a part and on its surface, apart from every quadrature point of the training.

    Args:
        interior: Points inside.
        surface: Conditions at points on the surface.
    """

    interior: InteriorSample
    surface: Surface


def hold_out(problem: Problem, points: int, *, key: PRNGKeyArray) -> HeldOut:
    """Draws held-out points.

    Args:
        problem: The problem.
        points: How many inside; as many on the surface.
        key: A random key.

    Returns:
        The points.
    """
    interior, rule = held_out_points(problem, points, key=key)
    return HeldOut(interior, surface_conditions(problem, rule))


def held_out_points(
    problem: Problem, points: int, *, key: PRNGKeyArray
) -> tuple[InteriorSample, SurfaceRule]:
    """Draws points inside and as many on the surface; see `hold_out`."""
    inside_key, surface_key = jax.random.split(key)
    interior = sample_interior(problem.domain, points, key=inside_key)
    surface = sample_surface(problem.domain, points, key=surface_key)
    return interior, SurfaceRule(surface.points, surface.weights, surface.faces)


class HeldOutFeatures:
    """The features of a field and their slopes at held-out points.

    Args:
        problem: The problem.
        interior: The points inside.
        surface: The points on the surface.
        features: The features.
    """

    def __init__(
        self,
        problem: Problem,
        interior: InteriorSample,
        surface: Float[np.ndarray, "n 3"],
        features: NestedFeatures,
    ):
        length = problem.scales.length
        self.slopes: sparse.csr_array = features.gradients(interior.points) * length
        self.inside: sparse.csr_array = features.values(interior.points)
        self.on_surface: sparse.csr_array = features.values(surface)
        self.weights = interior.weights / length**3


class HeldOutEnergy:
    """The energy J of a field at held-out points, with contacts that are not too stiff; comparable between all grids.

    Args:
        problem: The problem.
        points: The held-out points.
        features: The features of the field.
    """

    def __init__(self, problem: Problem, points: HeldOut, features: NestedFeatures):
        self._at = HeldOutFeatures(problem, points.interior, points.surface.points, features)
        best = _CONTACT * problem.conduction.highest_at(points.surface.points)
        self._surface = replace(points.surface, transfer=np.minimum(points.surface.transfer, best))
        self._source = dimensionless_source(problem)
        conduction, where = problem.conduction, points.interior.points
        self._relative = None if conduction.plain else conduction.at(where) / conduction.mean

    def inside(self, coefficients: Float[np.ndarray, " d"]) -> Float[np.ndarray, " n"]:
        """Returns the dimensionless temperature at the interior points."""
        return self._at.inside @ coefficients

    def spread(self, inside: Float[np.ndarray, " n"]) -> float:
        """Returns what errors are relative to: how much the temperature varies."""
        return float(np.linalg.norm(inside - inside.mean()))

    def dissipation(self, coefficients: Float[np.ndarray, " d"]) -> float:
        """Returns ½ ∫ ∇θ·κ∇θ dV: the natural size of the energy."""
        slopes = (self._at.slopes @ coefficients).reshape(-1, 3)
        heat = slopes if self._relative is None else conducted(self._relative, slopes)
        return float(0.5 * self._at.weights @ np.sum(slopes * heat, axis=1))

    def __call__(self, coefficients: Float[np.ndarray, " d"]) -> float:
        """Returns J."""
        s = self._surface
        theta = self._at.on_surface @ coefficients
        on_surface = s.weights @ (0.5 * s.transfer * (theta - s.target) ** 2 - s.flux * theta)
        if s.exchange is not None:
            on_surface = on_surface + s.weights @ s.exchange.energy(theta)
        released = self._source * float(self._at.weights @ self.inside(coefficients))
        return self.dissipation(coefficients) + float(on_surface) - released
