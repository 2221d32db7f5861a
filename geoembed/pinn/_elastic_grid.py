"""One grid of an elastic part: its features, the energy on them, and the energy at held-out points."""

from dataclasses import dataclass
from functools import cached_property
from typing import ClassVar

import numpy as np
from jaxtyping import Float, PRNGKeyArray

from ..sdf import InteriorSample, evaluate
from ..train import ConjugateGradient
from ._elastic_energy import (
    ElasticQuadratic,
    LoadedSurface,
    assemble_elastic,
    dimensionless_force,
    dimensionless_lame,
    loaded_surface,
)
from ._field import SplineField
from ._grids import grid_features, middles, spline_field
from ._heldout import HeldOutFeatures, held_out_points
from ._nested_features import NestedFeatures
from ._problem import Problem


@dataclass(frozen=True)
class ElasticHeldOut:
    """Quasi-random points inside a part and on its surface, apart from every quadrature point of the training.

    Args:
        interior: Points inside.
        surface: Loads and supports at points on the surface.
    """

    interior: InteriorSample
    surface: LoadedSurface


def hold_out_elastic(problem: Problem, points: int, *, key: PRNGKeyArray) -> ElasticHeldOut:
    """Draws held-out points: so many inside and as many on the surface."""
    interior, rule = held_out_points(problem, points, key=key)
    return ElasticHeldOut(interior, loaded_surface(problem, rule))


class ElasticHeldOutEnergy:
    """The energy J of a displacement at held-out points; comparable between all grids of one problem.

    Args:
        problem: The problem.
        points: The held-out points.
        features: The features of each component.
    """

    def __init__(self, problem: Problem, points: ElasticHeldOut, features: NestedFeatures):
        self._at = HeldOutFeatures(problem, points.interior, points.surface.points, features)
        self._surface = points.surface
        self._force = dimensionless_force(problem)
        self._first, self._shear = dimensionless_lame(problem)

    def inside(self, coefficients: Float[np.ndarray, " d"]) -> Float[np.ndarray, "n 3"]:
        """Returns the dimensionless displacement at the interior points."""
        return self._at.inside @ coefficients.reshape(3, -1).T

    def spread(self, inside: Float[np.ndarray, "n 3"]) -> float:
        """Returns what errors are relative to: the norm of the displacement."""
        return float(np.linalg.norm(inside))

    def dissipation(self, coefficients: Float[np.ndarray, " d"]) -> float:
        """Returns the strain energy ½ ∫ σ:ε dV: the natural size of the energy."""
        slopes = (self._at.slopes @ coefficients.reshape(3, -1).T).reshape(-1, 3, 3)
        strain = 0.5 * (slopes + slopes.transpose(0, 2, 1))
        density = 0.5 * self._first * np.trace(strain, axis1=1, axis2=2) ** 2
        return float(self._at.weights @ (density + self._shear * np.sum(strain**2, axis=(1, 2))))

    def __call__(self, coefficients: Float[np.ndarray, " d"]) -> float:
        """Returns J."""
        s = self._surface
        u = self._at.on_surface @ coefficients.reshape(3, -1).T
        on_surface = s.weights @ np.sum(0.5 * s.springs * (u - s.target) ** 2 - s.traction * u, axis=1)
        weight = float(self._at.weights @ (self.inside(coefficients) @ self._force))
        return self.dissipation(coefficients) + float(on_surface) - weight


@dataclass(frozen=True)
class ElasticGrid:
    """One grid: the features of each component, the energy on them, and the energy at held-out points."""

    # Steps that lower the energy by less than this share of the strain energy end a grid: with a good preconditioner
    # what is left is not much more.
    stall: ClassVar[float] = 1e-6

    problem: Problem
    features: NestedFeatures
    energy: ElasticQuadratic
    held_out: ElasticHeldOutEnergy

    @property
    def parameters(self) -> int:
        """How many numbers are trained."""
        return 3 * self.features.count

    @cached_property
    def solver(self) -> ConjugateGradient:
        """The solver of ∇J = 0."""
        return ConjugateGradient(self.energy.matrix, self.energy.load, self.energy.inverse)

    def field(self, coefficients: Float[np.ndarray, " d"]) -> SplineField:
        """Returns the field with this output layer."""
        splines = [self.features.splines(component) for component in coefficients.reshape(3, -1)]
        columns = [np.stack(parts, axis=1) for parts in zip(*splines, strict=True)]
        return spline_field(self.problem, self.features, columns)

    def first_guess(self, previous: SplineField | None) -> Float[np.ndarray, " d"]:
        """Returns the output layer that comes close to a field on another grid."""
        if previous is None:
            return np.zeros(self.parameters)
        guesses = []
        for grid in self.features.grids:
            guess = evaluate(previous, middles(grid)) / previous.scale
            guesses.append(np.where(np.isfinite(guess), guess, np.nanmean(guess, axis=0)))
        parts = [self.features.fit([guess[:, axis] for guess in guesses]) for axis in range(3)]
        return np.concatenate(parts)


def build_elastic_grid(
    problem: Problem, points: ElasticHeldOut, cells: int, *, key: PRNGKeyArray
) -> ElasticGrid:
    """Builds a grid.

    Args:
        problem: The problem.
        points: The held-out points.
        cells: About how many cells the part is to occupy.
        key: Decides where the grid lies relative to the part.

    Returns:
        The grid; the same for the same arguments.
    """
    features = grid_features(problem, cells, key=key)
    energy = assemble_elastic(problem, features)
    return ElasticGrid(problem, features, energy, ElasticHeldOutEnergy(problem, points, features))
