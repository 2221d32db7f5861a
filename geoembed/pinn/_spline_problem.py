"""A problem in the form that a spline solves: which conditions are built in, which are rows, and where."""

from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Bool, Float

from ._collocation import Collocation, Sides
from ._field_conditions import Initial
from ._field_problem import FieldProblem
from ._integral_rows import SplineIntegral
from ._interfaces import Contact
from ._operators import derivative
from ._region_cells import cut_cells, region_shares
from ._region_field import all_copies
from ._rows import Form, form_of, inside_rows, side_rows, start_rows
from ._spline_grid import SplineGrid
from ._spline_rows import Integrals, Sample, SplinePrograms, Weighted, in_chunks
from ._tensor_spline import UnitCoordinates
from ._trial import Shaping
from ._values import as_function

_SIDE_POINTS = 2**15  # drawn on the pieces of a condition, and
_PER_CELL = 2  # times the degree of them are kept in each cell
_HIGHEST_WEIGHT = 1e8
_SEAM = 1e-9  # relative difference of derivatives at the two ends of a period that counts as none
_SEAM_POINTS = 16
_MOSTLY = 0.3  # share of a cell inside the domain from which its spline is well determined
_AT_A_TIME = 4096


@dataclass(frozen=True, eq=False)
class SplineProblem:
    """A problem whose unknowns are u = g + m S with a tensor-product spline S.

    Values at the first moment are built in: g takes them, and the first coefficients of S along the time are 0. Only
    values that are not smooth across the seam of a period, which no spline can undo, become rows.

    Args:
        problem: The problem.
        degree: Of the splines.
        draw: Draws points.
    """

    problem: FieldProblem
    degree: int
    draw: Collocation

    @cached_property
    def coordinates(self) -> UnitCoordinates:
        """From −1 to 1 in the box."""
        found = self.problem.coordinates
        return UnitCoordinates(found.lower, found.upper, found.periodic)

    @cached_property
    def started(self) -> tuple[Initial, ...]:
        """The conditions at the first moment that become rows."""
        given = [c for c in self.problem.conditions if isinstance(c, Initial)]
        rough = {self.problem.number(c) for c in given if not self._is_smooth(c)}
        return tuple(c for c in given if self.problem.number(c) in rough)

    @cached_property
    def layers(self) -> tuple[int, ...]:
        """How many conditions at the first moment each unknown has."""
        given = [self.problem.number(c) for c in self.problem.conditions if isinstance(c, Initial)]
        fields = len(self.problem.equation.fields)
        return tuple(given.count(number % fields) for number in range(self.unknowns))

    @property
    def unknowns(self) -> int:
        """How many functions are looked for."""
        return len(self.problem.shapings)

    @cached_property
    def form(self) -> Form:
        """The field that a spline stands for."""
        return form_of(self.problem, self._shapings, self.coordinates)

    @cached_property
    def _shapings(self) -> tuple[Shaping, ...]:
        return tuple(
            replace(shaping, initial=() if rough else shaping.initial, settled=True)
            for shaping, rough in zip(self.problem.shapings, self._rough, strict=True)
        )

    @cached_property
    def _integrals(self) -> tuple[SplineIntegral, ...]:
        given, shapings = self.problem.integrals, self._shapings
        return tuple(SplineIntegral(self.problem, c, shapings[self.problem.number(c)]) for c in given)

    def _rows_of_integrals(self, grid: SplineGrid) -> Integrals | None:
        """The integrals on a grid of all of the time; None on another, where they say nothing."""
        whole = self.problem.time is None or bool(np.all(np.abs(grid.axes[-1].breaks[[0, -1]]) == 1))
        if not (self._integrals and whole):
            return None
        rows, values = zip(*(integral.row(grid) for integral in self._integrals), strict=True)
        return Integrals(np.array(rows), np.array(values))

    @cached_property
    def _rough(self) -> tuple[bool, ...]:
        """Which unknowns have values at the first moment that are rows."""
        rough = {self.problem.number(c) for c in self.started}
        return tuple(number % len(self.problem.equation.fields) in rough for number in range(self.unknowns))

    @cached_property
    def programs(self) -> SplinePrograms:
        """The compiled residuals."""
        problem, form, box = self.problem, self.form, self.coordinates
        sides = [side_rows(problem, form, condition) for condition in problem.soft]
        sides += [start_rows(problem, form, condition) for condition in self.started]
        inside = inside_rows(problem, form)
        if problem.regions is not None:
            sides.append(lambda network, item: inside(network, item[0]))
        return SplinePrograms(box.lower, box.upper, inside, sides, form, self.unknowns, self.degree)

    def sample(self, grid: SplineGrid, vector: Float[np.ndarray, " n"]) -> Sample:
        """Where the least squares of a grid are measured. The weights of its blocks depend on the field there is.

        A grid that begins later than the problem continues another one: its first coefficients are known.
        """
        later = self.problem.time is not None and bool(grid.axes[-1].breaks[0] > -1)
        shares = self.programs.gauss_shares(grid)
        if not self.problem.is_box:
            shares = shares * self.inside(grid)
        blocks = [self._on_sides(grid, drawn) for drawn in self._drawn]
        blocks += [self._none if later else self._at_start(grid) for _ in self.started]
        total = float(shares.sum())
        if self.problem.regions is not None:
            cut, block = cut_cells(self.problem, grid, self._met(blocks))
            shares[cut] = 0.0
            blocks.append(Weighted(block.sides, block.shares / total))
        free = self.free(grid, later=later)
        integrals = self._rows_of_integrals(grid)
        weights = (1.0,) * (len(blocks) + (0 if integrals is None else len(integrals.values)))
        found = Sample(grid, shares / total, tuple(blocks), weights, free, integrals)
        return replace(found, weights=self._balanced(found, vector)) if weights else found

    def factor(self, sample: Sample) -> Float[np.ndarray, "*cells m"]:
        """∂u/∂S in the middle of every cell of a grid; 0 in cells that lie mostly outside the domain."""
        grid = sample.grid
        box = self.coordinates
        points = box.lower + (box.upper - box.lower) * (grid.middles() + 1) / 2
        found = np.abs(self._slopes(points.reshape(-1, len(box.lower)))).reshape(*points.shape[:-1], -1)
        if not self.problem.is_box or self.problem.regions is not None:
            inside = np.zeros(found.shape)
            inside[tuple(grid.cells.T)] = self._is_filled(sample)
            found = found * inside
        if self.problem.jumps is not None:  # where given values disagree no grid is fine enough
            worth = self.problem.jumps.relevance(points.reshape(-1, len(box.lower)))
            found = found * worth.reshape(points.shape[:-1])[..., None]
        return found

    def _slopes(self, points: Float[np.ndarray, "n d"]) -> Float[np.ndarray, "n m"]:
        chunks = in_chunks(np.arange(len(points)), _AT_A_TIME)
        found = [np.asarray(self._slope(jnp.asarray(points[full])))[: len(some)] for some, full in chunks]
        return np.concatenate(found)

    @cached_property
    def _slope(self) -> Any:
        one, zero = _Number(1.0, self.unknowns), _Number(0.0, self.unknowns)

        def full(network: Any) -> Any:
            return all_copies(self.form(network))

        return jax.jit(jax.vmap(lambda x: jnp.atleast_1d(full(one)(x)) - jnp.atleast_1d(full(zero)(x))))

    def inside(self, grid: SplineGrid) -> Bool[np.ndarray, "c q"]:
        """Which Gauss points lie in the domain."""
        points = self.programs.gauss_points(grid)
        dimension = self.problem.domain.dimension
        return self.problem.domain.contains(points[..., :dimension].reshape(-1, dimension)).reshape(
            points.shape[:2]
        )

    def _is_filled(self, sample: Sample) -> Bool[np.ndarray, "c m"]:
        """In which cells each unknown is well determined: those that lie mostly in its region of the domain."""
        regions = self.problem.regions
        if regions is None:
            return np.repeat((sample.shares > 0).mean(axis=1)[:, None] > _MOSTLY, self.unknowns, axis=1)
        shares = region_shares(self.problem, self.programs.gauss_points(sample.grid))
        mostly = shares > np.minimum(_MOSTLY, 0.5 * shares.max(axis=0))
        return np.repeat(mostly, self.unknowns // regions.count, axis=1)

    def held_sides(self, count: int) -> tuple[Weighted, ...]:
        """Points for every condition that becomes rows which are never trained on."""
        found = [self.draw.on(c, count, 2000 + number) for number, c in enumerate(self.problem.soft)]
        if self.started and self.problem.time is not None:
            points = self.draw.inside(count, 4)
            points[:, -1] = self.problem.time[0]
            found += [Sides(points, np.zeros((count, 1)))] * len(self.started)
        held = [Weighted(sides, np.full(len(sides.points), 1 / len(sides.points))) for sides in found]
        return tuple(held) if self.problem.regions is None else (*held, self._none)

    @property
    def _none(self) -> Weighted:
        """A block without points."""
        nowhere = np.zeros((0, len(self.coordinates.lower)))
        return Weighted(Sides(nowhere, nowhere), np.zeros(0))

    def _balanced(self, sample: Sample, vector: Float[np.ndarray, " n"]) -> tuple[float, ...]:
        """Weights that give the rows of every block gradients of one size, see `FieldRun`."""
        own, *found = self.programs.traces(sample, vector)
        sides, integrals = found[: len(sample.blocks)], found[len(sample.blocks) :]
        cut = [] if self.problem.regions is None else [sides.pop()]
        own += sum(cut)
        found = [float(np.clip(own / max(side, 1e-300), 1.0, _HIGHEST_WEIGHT)) for side in sides]
        return (*found, *(1.0 for _ in cut), *(own / max(size, 1e-300) for size in integrals))

    def free(self, grid: SplineGrid, *, later: bool = False) -> Bool[np.ndarray, " n"]:
        """Which coefficients are not known beforehand: all but the first ones along the time."""
        free = np.ones(grid.shape, bool)
        for number, layers in enumerate(self.layers):
            if layers and (later or not self._rough[number]):
                free[..., :layers, number] = False
        return grid.vector(free)

    def _met(self, blocks: list[Weighted]) -> list[np.ndarray]:
        """The points of some blocks that lie on interfaces, in coordinates from −1 to 1."""
        soft = enumerate(self.problem.soft)
        return [self.programs.unit(blocks[i].sides.points) for i, own in soft if isinstance(own, Contact)]

    @cached_property
    def _drawn(self) -> tuple[Sides, ...]:
        """Many points on the pieces of every condition that becomes rows."""
        soft = enumerate(self.problem.soft)
        return tuple(self.draw.on(condition, _SIDE_POINTS, 5000 + number) for number, condition in soft)

    def _on_sides(self, grid: SplineGrid, drawn: Sides) -> Weighted:
        """Points on the pieces of a condition: some in every cell, however small, each for its part of the piece."""
        unit = self.programs.unit(drawn.points)
        if self.problem.time is not None:
            ends = grid.axes[-1].breaks[[0, -1]]
            within = (unit[:, -1] >= ends[0]) & (unit[:, -1] <= ends[1])
            drawn, unit = Sides(drawn.points[within], drawn.normals[within]), unit[within]
        _, cell, counts = np.unique(grid.cells_of(unit), axis=0, return_inverse=True, return_counts=True)
        order = np.argsort(cell.ravel(), kind="stable")
        rank = np.arange(len(order)) - np.repeat(np.cumsum(counts) - counts, counts)
        most = _PER_CELL * self.degree
        kept = order[rank < most]
        share = counts / np.minimum(counts, most)
        return Weighted(Sides(drawn.points[kept], drawn.normals[kept]), share[cell.ravel()[kept]] / len(unit))

    def _at_start(self, grid: SplineGrid) -> Weighted:
        """Gauss points of the cells at the first moment."""
        points, shares = self.programs.gauss_points(grid), self.programs.gauss_shares(grid)
        first = grid.cells[:, -1] == 0
        points, shares = points[first].reshape(-1, points.shape[-1]), shares[first].ravel()
        points[:, -1] = self.problem.time[0] if self.problem.time else 0.0
        return Weighted(Sides(points, np.zeros((len(points), 1))), shares / shares.sum())

    def _is_smooth(self, condition: Initial) -> bool:
        """Whether a value at the first moment and its derivatives agree at both ends of every period."""
        if not callable(condition.value):
            return True
        lower, upper = np.asarray(self.coordinates.lower), np.asarray(self.coordinates.upper)
        some = np.random.default_rng(0).uniform(lower, upper, (_SEAM_POINTS, len(lower)))
        value = as_function(condition.value)
        for axis in np.flatnonzero(self.coordinates.periodic).tolist():
            for order in range(self.degree):
                function = jax.vmap(derivative(value, *(axis,) * order) if order else value)
                ends = []
                for end in (lower[axis], upper[axis]):
                    some[:, axis] = end
                    ends.append(np.asarray(function(jnp.asarray(some))))
                size = np.abs(np.concatenate(ends)).max() + (2 * np.pi / (upper - lower)[axis]) ** order
                if np.abs(ends[0] - ends[1]).max() > _SEAM * size:
                    return False
        return True


class _Number(eqx.Module):
    """The same outputs everywhere."""

    value: float = eqx.field(static=True)
    count: int = eqx.field(static=True)

    def __call__(self, unit: Any) -> Any:
        return jnp.full(self.count, self.value, unit.dtype)
