"""From a number of cells to everything one grid needs."""

from dataclasses import dataclass
from functools import cached_property

import jax
import numpy as np
from jaxtyping import Float, PRNGKeyArray

from ..sdf import occupied_cells, signed_volume, triangle_rule, value_and_gradient
from ..train import ConjugateGradient
from ._energy import Quadratic, assemble, surface_conditions
from ._features import SplineFeatures
from ._field import SplineField
from ._heldout import HeldOut, HeldOutEnergy
from ._problem import Problem

_SURFACE_SHARE = 0.52  # occupied cells beyond volume/spacing³, per area/spacing²: a typical part
_SURFACE_SPACING = 0.7  # of the cells' spacing


@dataclass(frozen=True)
class Grid:
    """One grid: its features, the energy on them, and the energy at held-out points."""

    problem: Problem
    features: SplineFeatures
    energy: Quadratic
    held_out: HeldOutEnergy

    @cached_property
    def solver(self) -> ConjugateGradient:
        """The solver of ∇J = 0."""
        return ConjugateGradient(self.energy.matrix, self.energy.load)

    def field(self, coefficients: Float[np.ndarray, " d"]) -> SplineField:
        """Returns the field with this output layer."""
        cells, scales = self.features.cells, self.problem.scales
        return SplineField(
            coefficients=coefficients,
            cell_features=self.features.cell_features,
            keys=cells.keys.astype(np.int32),
            origin=cells.origin,
            shape=cells.shape,
            spacing=cells.spacing,
            reference=scales.reference,
            scale=scales.span,
        )

    def first_guess(self, previous: SplineField | None) -> Float[np.ndarray, " d"]:
        """Returns the output layer that comes close to a field on another grid.

        The coefficient of a spline is the field at its middle, up to O(spacing²).
        """
        if previous is None:
            return np.zeros(self.features.count)
        cells, own = self.features.cells, self.features.cell_features.ravel()
        middle = cells.origin + cells.spacing * (cells.index + 0.5)
        members = np.bincount(own, minlength=self.features.count)
        position = (
            np.stack(
                [
                    np.bincount(own, np.repeat(middle[:, axis], 27), minlength=self.features.count)
                    for axis in range(3)
                ],
                axis=1,
            )
            / members[:, None]
        )
        value, _ = value_and_gradient(previous, position)
        guess = (value - previous.reference) / previous.scale
        return np.where(np.isfinite(guess), guess, np.nanmean(guess))


def ladder(first: int, last: int) -> list[int]:
    """Returns growing numbers of cells: each step multiplies by 3 (spacing / 1.44); the last ends at `last`."""
    steps = [min(first, last)]
    while steps[-1] < last:
        steps.append(min(3 * steps[-1], last))
    if len(steps) > 1 and steps[-1] < 2 * steps[-2]:  # two grids that are nearly equal tell nothing
        del steps[-2]
    return steps


def grid_spacing(problem: Problem, cells: int) -> float:
    """Returns the spacing at which the part occupies about this many cells, in its unit."""
    domain = problem.domain
    volume, area = signed_volume(domain.vertices, domain.faces), float(domain.areas.sum())
    low, high = (volume / cells) ** (1 / 3), float(problem.scales.length)
    for _ in range(60):  # bisection: the count falls with the spacing
        middle = 0.5 * (low + high)
        count = volume / middle**3 + _SURFACE_SHARE * area / middle**2
        low, high = (middle, high) if count > cells else (low, middle)
    return 0.5 * (low + high)


def build_grid(problem: Problem, points: HeldOut, cells: int, *, key: PRNGKeyArray) -> Grid:
    """Builds a grid.

    Args:
        problem: The problem.
        points: The held-out points.
        cells: About how many cells the part is to occupy.
        key: Decides where the grid lies relative to the part.

    Returns:
        The grid; the same for the same arguments.
    """
    domain, spacing = problem.domain, grid_spacing(problem, cells)
    with jax.enable_x64(True):
        offset = np.asarray(jax.random.uniform(key, (3,)), np.float64)
    rule = triangle_rule(domain.vertices[domain.faces], _SURFACE_SPACING * spacing)
    anchors = np.concatenate([rule.points, domain.vertices])
    surface = surface_conditions(problem, rule)
    tied = np.concatenate([surface.transfer > 0, np.zeros(len(domain.vertices), bool)])
    occupied = occupied_cells(domain, domain.bounds, spacing, offset=offset, surface=anchors, tied=tied)
    features = SplineFeatures(occupied)
    energy = assemble(problem, features, surface)
    return Grid(problem, features, energy, HeldOutEnergy(problem, points, features))
