"""A problem in the weak form that a spline solves: what can be integrated by parts, and where."""

from dataclasses import dataclass
from functools import cached_property

import numpy as np
from jaxtyping import Float

from ..core import InputError
from ._domains._outline import Piece
from ._domains._parts import Round
from ._equations._divergence import DivergenceForm
from ._field_conditions import Dirichlet
from ._field_problem import FieldProblem
from ._radiation import Radiation
from ._rows import Form
from ._spline_grid import SplineGrid
from ._spline_problem import SplineProblem
from ._spline_rows import Sample, Weighted, gauss
from ._tensor_spline import UnitCoordinates
from ._weak_rows import Faces, WeakPrograms, WeakSample, given_fluxes


@dataclass(frozen=True, eq=False)
class WeakProblem:
    """A problem whose residual is tested with the features of the spline.

    Args:
        strong: The same problem with the residual itself.
    """

    strong: SplineProblem

    def __post_init__(self) -> None:
        check_weak(self.problem)
        if any(isinstance(condition, Dirichlet) for condition in self.problem.soft):
            raise _refused("a given value", "it is not built into the field", "Give it with hard=True")
        if any(isinstance(condition, Radiation) for condition in self.problem.soft):
            raise _refused("Radiation", "splines have no weak form of it", "Use form='strong'")
        if self.strong.started:
            raise _refused("initial", "it is not smooth across the seam of a period", "Use form='strong'")
        if any(layers != (self.problem.time is not None) for layers in self.strong.layers):
            raise _refused("initial", "every unknown needs one value at the first moment", "Give Initial(…)")
        if self.problem.soft and not self.problem.is_box:
            raise _refused("domain", "a flux is given, and it is no box", "Use form='strong'")

    @property
    def problem(self) -> FieldProblem:
        """The problem."""
        return self.strong.problem

    @property
    def degree(self) -> int:
        """Of the splines."""
        return self.strong.degree

    @property
    def coordinates(self) -> UnitCoordinates:
        """From −1 to 1 in the box."""
        return self.strong.coordinates

    @property
    def unknowns(self) -> int:
        """How many functions are looked for."""
        return self.strong.unknowns

    @property
    def form(self) -> Form:
        """The field that a spline stands for."""
        return self.strong.form

    @cached_property
    def programs(self) -> WeakPrograms:
        """The compiled residuals."""
        return WeakPrograms(self.problem, self.form, self.strong.programs, self.degree)

    def factor(self, sample: WeakSample) -> Float[np.ndarray, "*cells m"]:
        """See `SplineProblem.factor`."""
        return self.strong.factor(Sample(sample.grid, sample.shares, (), (), sample.free))

    def held_sides(self, count: int) -> tuple[Weighted, ...]:
        """None: conditions on the flux are in the residual of the equation."""
        del count
        return ()

    def sample(self, grid: SplineGrid, vector: Float[np.ndarray, " n"]) -> WeakSample:
        """Where the weak form of a grid is integrated."""
        del vector
        shares = np.ones((len(grid.cells), 1))
        if not self.problem.is_box:
            inside = self.strong.inside(grid)
            if np.any(inside.any(axis=1) & ~inside.all(axis=1)):
                raise _refused("domain", "its boundary cuts cells of the grid", "Use form='strong'")
            shares = np.all(inside, axis=1, keepdims=True).astype(float)
        faces = tuple(
            self._faces(grid, number, piece)
            for number, condition in enumerate(given_fluxes(self.problem))
            for piece in self.problem.pieces(condition.piece)
        )
        return WeakSample(grid, shares, faces, self.strong.free(grid))

    def _faces(self, grid: SplineGrid, number: int, piece: Piece) -> Faces:
        """The sides of cells on a piece of the boundary of a box."""
        assert piece.part is not None  # it is of a box
        assert not isinstance(piece.part, Round)
        outward = np.atleast_1d(piece.part.outward)
        axis = int(np.argmax(np.abs(outward)))
        end = float(outward[axis] > 0)
        last = grid.axes[axis].intervals - 1 if end else 0
        cells = grid.cells[grid.cells[:, axis] == last]
        others, weights = gauss(len(grid.axes) - 1, self.degree + 1)
        places = np.insert(others, axis, end, axis=1)
        _, _, lower, width = grid.inputs(np.zeros(grid.size), cells)
        box = self.coordinates.upper - self.coordinates.lower
        area = np.prod(np.delete(width * box / 2, axis, axis=1), axis=1)
        shares = area[:, None] * weights
        if piece.where is not None:
            unit = lower[:, None] + width[:, None] * places
            points = self.coordinates.lower + box * (unit + 1) / 2
            chosen = piece.where(points[..., : len(outward)].reshape(-1, len(outward)))
            shares = shares * chosen.reshape(shares.shape)
        return Faces(number, cells, places, shares)


def check_weak(problem: FieldProblem) -> None:
    """Refuses an equation without a weak form."""
    if not isinstance(problem.equation, DivergenceForm):
        name = type(problem.equation).__name__
        raise _refused("equation", f"{name} is not known as the divergence of a flux", "Use form='strong'")
    if problem.regions is not None:
        raise _refused("domain", "it has several materials", "Use form='strong'")
    if problem.integrals:
        raise _refused("Integral", "it is a row of its own, which no test function has", "Use form='strong'")


def _refused(where: str, reason: str, hint: str) -> InputError:
    return InputError("weak form", where, reason, hint)
