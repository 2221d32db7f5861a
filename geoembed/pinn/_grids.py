"""From a number of cells to everything one grid needs."""

from dataclasses import dataclass
from functools import cached_property
from typing import ClassVar

import jax
import numpy as np
from jaxtyping import Float, PRNGKeyArray

from ..sdf import signed_volume, value_and_gradient
from ..train import ConjugateGradient
from ._descent import Descent
from ._edges import singular_edges
from ._energy import Quadratic, assemble
from ._features import SplineFeatures
from ._field import SplineDetail, SplineField
from ._heldout import HeldOut, HeldOutEnergy
from ._nested_cells import LOSS, depths, nested_cells
from ._nested_features import NestedFeatures
from ._nonlinear_energy import NonlinearEnergy, nonlinear_energy
from ._problem import Problem
from ._surface_conditions import surface_conditions

_SURFACE_SHARE = 0.52  # occupied cells beyond volume/spacing³, per area/spacing²: a typical part
_BESIDE = 7.5  # cells that a spacing's length of edge divides: typical
# Edges lose more of their error (a factor of 16) where the answer is a temperature: 4.0e-3 became 2.8e-3 on the heat
# sink. Elastic parts need the cells in plates that bend, shape gradients and sensors on the whole surface.
HEAT_LOSS = 2.0
_CHILDREN = 7.0  # of the eight parts of a divided cell that the part occupies: typical


@dataclass(frozen=True)
class Grid:
    """One grid: its features, the energy on them, and the energy at held-out points."""

    # Steps that lower the energy by less than this share of the dissipation end a grid.
    stall: ClassVar[float] = 1e-7

    problem: Problem
    features: NestedFeatures
    energy: Quadratic | NonlinearEnergy
    held_out: HeldOutEnergy

    @property
    def parameters(self) -> int:
        """How many numbers are trained."""
        return self.features.count

    @cached_property
    def solver(self) -> ConjugateGradient | Descent:
        """The solver of ∇J = 0."""
        if isinstance(self.energy, NonlinearEnergy):
            return Descent(self.energy)
        return ConjugateGradient(self.energy.matrix, self.energy.load, self.energy.inverse)

    def field(self, coefficients: Float[np.ndarray, " d"]) -> SplineField:
        """Returns the field with this output layer."""
        return spline_field(self.problem, self.features, self.features.splines(coefficients))

    def first_guess(self, previous: SplineField | None) -> Float[np.ndarray, " d"]:
        """Returns the output layer that comes close to a field on another grid.

        The coefficient of a spline is the field at its middle, up to O(spacing²).
        """
        if previous is None:
            zero = np.zeros(self.features.count)
            return zero if isinstance(self.energy, Quadratic) else self.energy.levelled(zero)
        guesses = []
        for grid in self.features.grids:
            value, _ = value_and_gradient(previous, middles(grid))
            guess = (value - previous.reference) / previous.scale
            guesses.append(np.where(np.isfinite(guess), guess, np.nanmean(guess)))
        return self.features.fit(guesses)


def spline_field(
    problem: Problem, features: NestedFeatures, splines: list[Float[np.ndarray, "_ *m"]]
) -> SplineField:
    """Returns the field with these coefficients of the splines of each grid; a column for each component."""
    scales, finer = problem.scales, None
    for number in reversed(range(1, len(features.grids))):
        children = features.cells.children(number)
        finer = SplineDetail(splines[number], features.grids[number].cell_features, children, finer)
    coarsest = features.grids[0]
    return SplineField(
        coefficients=splines[0],
        cell_features=coarsest.cell_features,
        keys=coarsest.cells.keys.astype(np.int32),
        origin=coarsest.cells.origin,
        shape=coarsest.cells.shape,
        spacing=coarsest.cells.spacing,
        reference=scales.reference,
        scale=scales.span,
        finer=finer,
        trained=features.count * int(np.prod(splines[0].shape[1:])),
    )


def middles(grid: SplineFeatures) -> Float[np.ndarray, "s 3"]:
    """The mean of the centres of the cells on which each spline lives."""
    own = grid.cell_features.ravel()
    centre = np.repeat(grid.cells.origin + grid.cells.spacing * (grid.cells.index + 0.5), 27, axis=0)
    total = np.stack([np.bincount(own, centre[:, axis], minlength=grid.count) for axis in range(3)], axis=1)
    return total / np.bincount(own, minlength=grid.count)[:, None]


def ladder(first: int, last: int) -> list[int]:
    """Returns growing numbers of cells: each step multiplies by 3 (spacing / 1.44); the last ends at `last`."""
    steps = [min(first, last)]
    while steps[-1] < last:
        steps.append(min(3 * steps[-1], last))
    if len(steps) > 1 and steps[-1] < 2 * steps[-2]:  # two grids that are nearly equal tell nothing
        del steps[-2]
    return steps


def grid_spacing(problem: Problem, cells: int, loss: float = LOSS) -> float:
    """Returns the spacing at which the part has about this many leaves, in its unit."""
    domain = problem.domain
    volume, area = signed_volume(domain.vertices, domain.faces), float(domain.areas.sum())
    edges, exponents = singular_edges(problem)
    lengths, depth = np.linalg.norm(edges[:, 1] - edges[:, 0], axis=1), depths(exponents, loss)
    per_level = [float(lengths[depth > level].sum()) for level in range(int(depth.max(initial=0)))]

    def leaves(spacing: float) -> float:
        here = volume / spacing**3 + _SURFACE_SHARE * area / spacing**2
        total = here
        for level, length in enumerate(per_level):
            divided = min(here, _BESIDE * length * 2**level / spacing)
            here = _CHILDREN * divided
            total += here - divided
        return total

    low, high = (volume / cells) ** (1 / 3), 2 * float(problem.scales.length)
    for _ in range(60):  # bisection: the count falls with the spacing
        middle = 0.5 * (low + high)
        low, high = (middle, high) if leaves(middle) > cells else (low, middle)
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
    features = grid_features(problem, cells, key=key, loss=HEAT_LOSS)
    energy = assemble(problem, features)
    if problem.nonlinear:
        surface = surface_conditions(problem, features.cells.rule)
        energy = nonlinear_energy(energy, features, surface)
    return Grid(problem, features, energy, HeldOutEnergy(problem, points, features))


def grid_features(problem: Problem, cells: int, *, key: PRNGKeyArray, loss: float = LOSS) -> NestedFeatures:
    """Builds the features of a grid; see `build_grid`."""
    with jax.enable_x64(True):
        offset = np.asarray(jax.random.uniform(key, (3,)), np.float64)
    return NestedFeatures(nested_cells(problem, grid_spacing(problem, cells, loss), offset, loss))
