"""The grid of a tensor-product spline: its cells, and how its coefficients are numbered for a narrow band."""

from dataclasses import dataclass
from functools import cached_property

import jax.numpy as jnp
import numpy as np
from jaxtyping import Float, Int, Shaped

from ._spline_axis import SplineAxis
from ._tensor_spline import TensorSpline

_AT_A_TIME = 4096  # points


@dataclass(frozen=True, eq=False)
class SplineGrid:
    """Splines along every axis, and all their products.

    Coefficients have one axis for each axis of the grid and one for the unknowns. In a vector they stand so that those
    that meet in a cell are close to each other: the axis with the most splines that is not periodic varies slowest.

    Args:
        axes: The splines along each axis, all of one degree.
        unknowns: How many functions there are.
    """

    axes: tuple[SplineAxis, ...]
    unknowns: int

    @property
    def degree(self) -> int:
        """Of the polynomials."""
        return self.axes[0].degree

    @property
    def shape(self) -> tuple[int, ...]:
        """The shape of the coefficients."""
        return (*(axis.count for axis in self.axes), self.unknowns)

    @property
    def size(self) -> int:
        """How many coefficients there are."""
        return int(np.prod(self.shape))

    @cached_property
    def order(self) -> tuple[int, ...]:
        """The axes from the one that varies slowest."""
        return tuple(
            sorted(range(len(self.axes)), key=lambda a: (self.axes[a].periodic, -self.axes[a].count))
        )

    @property
    def band(self) -> int:
        """How far apart in the vector two coefficients that meet in a cell are at most."""
        slow = self.axes[self.order[0]]
        reach = slow.count if slow.periodic else self.degree + 1
        return min(reach * (self.size // slow.count), self.size) - 1

    def vector(self, coefficients: Shaped[np.ndarray, "*grid m"]) -> Shaped[np.ndarray, " n"]:
        """The coefficients in the order of the vector."""
        return np.transpose(coefficients, (*self.order, len(self.axes))).ravel()

    def coefficients(self, vector: Float[np.ndarray, " n"]) -> Float[np.ndarray, "*grid m"]:
        """The vector as coefficients."""
        shape = [self.shape[axis] for axis in (*self.order, len(self.axes))]
        return np.transpose(vector.reshape(shape), (*np.argsort(self.order), len(self.axes)))

    @cached_property
    def cells(self) -> Int[np.ndarray, "c d"]:
        """The number along each axis of all cells, in the order of the vector."""
        counts = [np.arange(self.axes[axis].intervals) for axis in self.order]
        table = np.stack(np.meshgrid(*counts, indexing="ij"), axis=-1).reshape(-1, len(self.axes))
        return table[:, np.argsort(self.order)]

    @property
    def intervals(self) -> tuple[int, ...]:
        """How many intervals each axis has."""
        return tuple(axis.intervals for axis in self.axes)

    def middles(self) -> Float[np.ndarray, "*cells d"]:
        """The middles of all cells."""
        lines = [axis.breaks[:-1] + 0.5 * axis.widths for axis in self.axes]
        return np.stack(np.meshgrid(*lines, indexing="ij"), axis=-1)

    def places(self, cells: Int[np.ndarray, "c d"]) -> Int[np.ndarray, "c k"]:
        """For each cell the places in the vector of the first unknown's coefficients that matter there."""
        stride, strides = self.unknowns, [0] * len(self.axes)
        for axis in reversed(self.order):
            strides[axis], stride = stride, stride * self.axes[axis].count
        found = np.zeros((len(cells), 1), np.int64)
        for axis, spline in enumerate(self.axes):
            own = spline.numbers[cells[:, axis]] * strides[axis]
            found = (found[:, :, None] + own[:, None, :]).reshape(len(cells), -1)
        return found

    def cells_of(self, unit: Float[np.ndarray, "n d"]) -> Int[np.ndarray, "n d"]:
        """The cells of points, given by coordinates from −1 to 1."""
        return np.stack([axis.find(x) for axis, x in zip(self.axes, unit.T, strict=True)], axis=1)

    def functional(
        self, unit: Float[np.ndarray, "q d"], weights: Float[np.ndarray, " q"], number: int
    ) -> Float[np.ndarray, " n"]:
        """The vector a with a · c = Σ weights · S(points), S the spline of one unknown with the coefficients c."""
        found = np.zeros(self.size)
        powers = np.arange(self.degree + 1)
        for start in range(0, len(unit), _AT_A_TIME):
            points = unit[start : start + _AT_A_TIME]
            cells = self.cells_of(points)
            local = weights[start : start + _AT_A_TIME, None]
            for axis, cell, x in zip(self.axes, cells.T, points.T, strict=True):
                place = (x - axis.breaks[cell]) / axis.widths[cell]
                own = np.einsum("qkj,qj->qk", axis.tables[cell], place[:, None] ** powers)
                local = (local[:, :, None] * own[:, None, :]).reshape(len(points), -1)
            found += np.bincount((self.places(cells) + number).ravel(), local.ravel(), minlength=self.size)
        return found

    def inputs(self, vector: Float[np.ndarray, " n"], cells: Int[np.ndarray, "c d"]) -> tuple:
        """Coefficients, tables, lower corner and width of each cell, as `LocalSpline` takes them."""
        places = self.places(cells)[:, :, None] + np.arange(self.unknowns)
        both = [(axis, cells[:, number]) for number, axis in enumerate(self.axes)]
        tables = np.stack([axis.tables[own] for axis, own in both], axis=1)
        lower = np.stack([axis.breaks[own] for axis, own in both], axis=1)
        return vector[places], tables, lower, np.stack([axis.widths[own] for axis, own in both], axis=1)

    def spline(self, vector: Float[np.ndarray, " n"]) -> TensorSpline:
        """The function that a vector stands for."""
        breaks = tuple(tuple(map(float, axis.breaks)) for axis in self.axes)
        periodic = tuple(axis.periodic for axis in self.axes)
        return TensorSpline(jnp.asarray(self.coefficients(vector)), breaks, self.degree, periodic)

    def lifted(self, vector: Float[np.ndarray, " n"], other: "SplineGrid") -> Float[np.ndarray, " k"]:
        """The vector of the same function on a grid that divides this one; of the nearest one on another grid."""
        found = self.coefficients(vector)
        for number, (axis, finer) in enumerate(zip(self.axes, other.axes, strict=True)):
            if axis.breaks.shape != finer.breaks.shape or not np.all(axis.breaks == finer.breaks):
                found = np.moveaxis(np.tensordot(axis.lift(finer), found, (1, number)), 0, number)
        return other.vector(found)

    def divided(self, vector: Float[np.ndarray, " n"], factor: Float[np.ndarray, "*cells m"]) -> "SplineGrid":
        """The grid with those intervals halved where the splines are too coarse for a function.

        An interval is divided if its error, `SplineAxis.jumps`, is not far below the largest of all axes: halving
        lowers it 2ᵖ⁺¹ times, and the root of that is the mark.

        Args:
            vector: The function.
            factor: What its error is multiplied by in the middle of each cell; 0 where it does not matter.
        """
        coefficients, rough = self.coefficients(vector), []
        known = np.where(factor > 0, 1.0, np.nan)
        middles = [axis.basis(axis.breaks[:-1] + 0.5 * axis.widths) for axis in self.axes]
        for number, axis in enumerate(self.axes):
            highest = coefficients
            for other, middle in enumerate(middles):
                matrix = axis.highest if other == number else middle
                highest = np.moveaxis(np.tensordot(matrix, highest, (1, other)), 0, other)
            found = np.moveaxis(axis.jumps(np.moveaxis(highest * known, number, 0)), 0, number)
            found = np.moveaxis(np.nan_to_num(found) * factor, number, 0).reshape(axis.intervals, -1)
            rough.append(np.sqrt(np.mean(found**2, axis=1)))
        mark = max(float(own.max()) for own in rough) * 2 ** (-(self.degree + 1) / 2)
        axes = [axis.halved(own > mark) for axis, own in zip(self.axes, rough, strict=True)]
        return SplineGrid(tuple(axes), self.unknowns)
