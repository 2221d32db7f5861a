"""The energy at points that the training never sees."""

from dataclasses import dataclass

import jax
import numpy as np
from jaxtyping import Float, PRNGKeyArray
from scipy import sparse

from ..sdf import InteriorSample, SurfaceRule, sample_interior, sample_surface
from ._energy import dimensionless_source
from ._nested_features import NestedFeatures
from ._problem import Problem
from ._surface_conditions import Surface, surface_conditions


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
    inside_key, surface_key = jax.random.split(key)
    interior = sample_interior(problem.domain, points, key=inside_key)
    surface = sample_surface(problem.domain, points, key=surface_key)
    rule = SurfaceRule(surface.points, surface.weights, surface.faces)
    return HeldOut(interior, surface_conditions(problem, rule))


class HeldOutEnergy:
    """The energy J of a field at held-out points; comparable between all grids of one problem.

    Args:
        problem: The problem.
        points: The held-out points.
        features: The features of the field.
    """

    def __init__(self, problem: Problem, points: HeldOut, features: NestedFeatures):
        length = problem.scales.length
        self._slopes: sparse.csr_array = features.gradients(points.interior.points) * length
        self._inside: sparse.csr_array = features.values(points.interior.points)
        self._on_surface: sparse.csr_array = features.values(points.surface.points)
        self._weights = points.interior.weights / length**3
        self._surface = points.surface
        self._source = dimensionless_source(problem)

    def inside(self, coefficients: Float[np.ndarray, " d"]) -> Float[np.ndarray, " n"]:
        """Returns the dimensionless temperature at the interior points."""
        return self._inside @ coefficients

    def spread(self, inside: Float[np.ndarray, " n"]) -> float:
        """Returns what errors are relative to: how much the temperature varies."""
        return float(np.linalg.norm(inside - inside.mean()))

    def dissipation(self, coefficients: Float[np.ndarray, " d"]) -> float:
        """Returns ½ ∫ |∇θ|² dV: the natural size of the energy."""
        slopes = (self._slopes @ coefficients).reshape(-1, 3)
        return float(0.5 * self._weights @ np.sum(slopes**2, axis=1))

    def __call__(self, coefficients: Float[np.ndarray, " d"]) -> float:
        """Returns J."""
        s = self._surface
        theta = self._on_surface @ coefficients
        on_surface = s.weights @ (0.5 * s.transfer * (theta - s.target) ** 2 - s.flux * theta)
        released = self._source * float(self._weights @ self.inside(coefficients))
        return self.dissipation(coefficients) + float(on_surface) - released
