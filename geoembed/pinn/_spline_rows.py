"""The least squares of a spline: residuals at Gauss points of the cells and at points on the boundary."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Bool, Float, Int

from ._band_rows import BandAndRows
from ._banded import BandMatrix
from ._collocation import Sides
from ._rows import Form
from ._spline_grid import SplineGrid
from ._tensor_spline import LocalSpline

_ENTRIES = 2**20  # of the matrices of the cells that are computed at a time
_POINTS = 2048  # off the Gauss points, computed at a time

Rows = Callable[[Any, Any], Float[Array, " r"]]


@dataclass(frozen=True, eq=False)
class Weighted:
    """Points on the boundary with the parts of it that they stand for, which sum up to 1."""

    sides: Sides
    shares: Float[np.ndarray, " n"]


@dataclass(frozen=True, eq=False)
class Sample:
    """Where the least squares of one grid are measured.

    Args:
        grid: The grid.
        shares: For each cell of the grid and each Gauss point in it its part of the domain; 0 outside.
        blocks: Points for each block of side conditions.
        weights: What the squares of the rows of each block are multiplied by, then those of the integrals.
        free: Which coefficients are not known beforehand.
        integrals: Integrals of the field; None if there is none.
    """

    grid: SplineGrid
    shares: Float[np.ndarray, "c q"]
    blocks: tuple[Weighted, ...]
    weights: tuple[float, ...]
    free: Bool[np.ndarray, " n"]
    integrals: "Integrals | None" = None

    @property
    def side_weights(self) -> tuple[float, ...]:
        """The weights of the blocks."""
        return self.weights[: len(self.blocks)]

    @property
    def integral_weights(self) -> Float[np.ndarray, " k"]:
        """Those of the integrals."""
        return np.array(self.weights[len(self.blocks) :], np.float64)

    def lacking(self, vector: Float[np.ndarray, " n"]) -> Float[np.ndarray, " k"]:
        """By how much the integrals miss their values."""
        return np.zeros(0) if self.integrals is None else self.integrals.rows @ vector - self.integrals.values


@dataclass(frozen=True, eq=False)
class Integrals:
    """Integrals of the field, which must have given values: rows · c = values."""

    rows: Float[np.ndarray, "k n"]
    values: Float[np.ndarray, " k"]


class SplinePrograms:
    """Compiled programs for the cells and points of any grid of one degree.

    Args:
        lower: The lower corner of the box of all points, time last.
        upper: The upper corner.
        inside: The residual of the equation as a function of a network and a point.
        sides: The residuals of the conditions, each as a function of a network and (point, normal).
        form: Makes the field of a network.
        unknowns: How many functions there are.
        degree: Of the polynomials.
    """

    def __init__(
        self,
        lower: Float[np.ndarray, " d"],
        upper: Float[np.ndarray, " d"],
        inside: Rows,
        sides: list[Rows],
        form: Form,
        unknowns: int,
        degree: int,
    ):
        self.copies = 1.0  # of the band matrix, in units of those that Cholesky's factor needs
        self.lower, self.upper, self.dimension = lower, upper, len(lower)
        self.rule, self.rule_weights = gauss(self.dimension, (degree + 2) // 2)
        local = (degree + 1) ** self.dimension * unknowns
        self.chunk = max(1 << (_ENTRIES // local**2).bit_length() - 1, 8)
        self._inside = inside
        self._cell_loss = jax.jit(lambda *cells: jnp.sum(jax.vmap(self._cell_rows)(*cells) ** 2))
        self._cell_normal = jax.jit(jax.vmap(self._cell_matrix))
        self._sides = [(jax.jit(_squares(rows)), jax.jit(jax.vmap(_matrix(rows)))) for rows in sides]
        self._residual = jax.jit(jax.vmap(lambda spline, x: inside(spline, x)))
        self._value = jax.jit(jax.vmap(lambda spline, x: form(spline)(x)))

    def loss(self, sample: Sample, vector: Float[np.ndarray, " n"]) -> float:
        """Σ r²; inf where it is not finite."""
        cells = self._cells(sample, vector)
        total = sum(float(self._cell_loss(*inputs)) for _, _, inputs in cells)
        for block, weight, (squares, _) in zip(sample.blocks, sample.side_weights, self._sides, strict=True):
            points = self._side_points(sample.grid, vector, block)
            total += weight * sum(float(squares(*inputs)) for _, _, inputs in points)
        total += float(np.sum(sample.integral_weights * sample.lacking(vector) ** 2))
        return total if np.isfinite(total) else np.inf

    def normal(
        self, sample: Sample, vector: Float[np.ndarray, " n"]
    ) -> tuple[BandMatrix | BandAndRows, Float[np.ndarray, " n"], float]:
        """JᵀJ, Jᵀr and Σ r²."""
        matrix = BandMatrix(sample.grid.size, sample.grid.band)
        slope, total = np.zeros(sample.grid.size), 0.0
        parts = [(1.0, self._cell_normal, self._cells(sample, vector))]
        for block, weight, (_, normal) in zip(sample.blocks, sample.side_weights, self._sides, strict=True):
            parts.append((weight, normal, self._side_points(sample.grid, vector, block)))
        for weight, program, chunks in parts:
            for places, count, inputs in chunks:
                local, gradient, square = (np.asarray(found)[:count] for found in program(*inputs))
                matrix.add(places, weight * local)
                np.add.at(slope, places.ravel(), weight * gradient.ravel())
                total += weight * float(square.sum())
        if sample.integrals is None:
            return matrix, slope, total
        roots = np.sqrt(sample.integral_weights)
        lacking, rows = roots * sample.lacking(vector), roots[:, None] * sample.integrals.rows
        return BandAndRows(matrix, rows), slope + lacking @ rows, total + float(np.sum(lacking**2))

    def traces(self, sample: Sample, vector: Float[np.ndarray, " n"]) -> list[float]:
        """Σ |∂r/∂c|² over the free coefficients, of the cells, each block and each integral, without weights."""
        parts = [(self._cell_normal, self._cells(sample, vector))]
        for block, (_, normal) in zip(sample.blocks, self._sides, strict=True):
            parts.append((normal, self._side_points(sample.grid, vector, block)))
        found = []
        for program, chunks in parts:
            total = 0.0
            for places, count, inputs in chunks:
                diagonal = np.diagonal(np.asarray(program(*inputs)[0])[:count], axis1=1, axis2=2)
                total += float(np.sum(diagonal * sample.free[places]))
            found.append(total)
        if sample.integrals is not None:
            found += np.sum((sample.integrals.rows * sample.free) ** 2, axis=1).tolist()
        return found

    def values(self, grid: SplineGrid, vector: Float[np.ndarray, " n"], points: Any) -> np.ndarray:
        """The field at points."""
        return self.at_points(self._value, grid, vector, points)

    def residuals(self, grid: SplineGrid, vector: Float[np.ndarray, " n"], points: Any) -> np.ndarray:
        """The residual of the equation at points."""
        return self.at_points(self._residual, grid, vector, points)

    def at_points(self, program: Callable, grid: SplineGrid, vector: np.ndarray, points: Any) -> np.ndarray:
        """What a compiled program makes of the splines of its cell and of each point."""
        cells, found = grid.cells_of(self.unit(points)), []
        for some, full in in_chunks(np.arange(len(points)), _POINTS):
            spline = LocalSpline(*map(jnp.asarray, grid.inputs(vector, cells[full])))
            found.append(np.asarray(program(spline, jnp.asarray(points[full])))[: len(some)])
        return np.concatenate(found)

    def side_square(
        self, grid: SplineGrid, vector: Float[np.ndarray, " n"], block: Weighted, number: int
    ) -> float:
        """The mean of r² of one side condition at points."""
        squares = self._sides[number][0]
        return sum(float(squares(*inputs)) for _, _, inputs in self._side_points(grid, vector, block))

    def gauss_points(self, grid: SplineGrid) -> Float[np.ndarray, "c q d"]:
        """The Gauss points of all cells."""
        _, _, lower, width = grid.inputs(np.zeros(grid.size), grid.cells)
        unit = lower[:, None] + width[:, None] * self.rule
        return self.lower + (self.upper - self.lower) * (unit + 1) / 2

    def gauss_shares(self, grid: SplineGrid) -> Float[np.ndarray, "c q"]:
        """The parts of the box that they stand for."""
        width = grid.inputs(np.zeros(grid.size), grid.cells)[3]
        return np.prod(width / 2, axis=1)[:, None] * self.rule_weights

    def unit(self, points: Float[np.ndarray, "n d"]) -> Float[np.ndarray, "n d"]:
        """Points in coordinates from −1 to 1."""
        return 2 * (points - self.lower) / (self.upper - self.lower) - 1

    def _cells(self, sample: Sample, vector: np.ndarray) -> Iterator[tuple[np.ndarray, int, tuple]]:
        """Chunks of one size: where their coefficients stand, how many cells count, the programs' inputs."""
        grid = sample.grid
        used = np.flatnonzero(sample.shares.any(axis=1))
        for some, full in in_chunks(used, self.chunk):
            roots = np.sqrt(sample.shares[full])
            roots[len(some) :] = 0.0
            inputs = LocalSpline(*map(jnp.asarray, grid.inputs(vector, grid.cells[full])))
            yield _all_unknowns(grid, grid.cells[some]), len(some), (inputs, jnp.asarray(roots))

    def _side_points(
        self, grid: SplineGrid, vector: np.ndarray, block: Weighted
    ) -> Iterator[tuple[np.ndarray, int, tuple]]:
        cells = grid.cells_of(self.unit(block.sides.points))
        for some, full in in_chunks(np.arange(len(cells)), min(self.chunk * 4, _POINTS)):
            roots = np.sqrt(block.shares[full])
            roots[len(some) :] = 0.0
            inputs = LocalSpline(*map(jnp.asarray, grid.inputs(vector, cells[full])))
            item = (jnp.asarray(block.sides.points[full]), jnp.asarray(block.sides.normals[full]))
            yield _all_unknowns(grid, cells[some]), len(some), (inputs, item, jnp.asarray(roots))

    def _cell_point(self, spline: LocalSpline, place: Array) -> Array:
        unit = spline.lower + spline.width * place
        return jnp.asarray(self.lower) + jnp.asarray(self.upper - self.lower) * (unit + 1) / 2

    def _cell_rows(self, spline: LocalSpline, roots: Float[Array, " q"]) -> Float[Array, " n"]:
        points = [self._cell_point(spline, place) for place in jnp.asarray(self.rule)]
        found = jax.vmap(lambda x: self._inside(spline, x))(jnp.stack(points))
        return (found * roots[:, None]).ravel()

    def _cell_matrix(self, spline: LocalSpline, roots: Float[Array, " q"]) -> tuple[Array, Array, Array]:
        def one(place: Array, root: Array) -> tuple[Array, Array]:
            rows = _of_coefficients(self._inside, spline, self._cell_point(spline, place), root)
            return rows(spline.coefficients), jax.jacrev(rows)(spline.coefficients)

        residual, jacobian = jax.vmap(one)(jnp.asarray(self.rule), roots)
        return _products(residual, jacobian)


def in_chunks(
    rows: Int[np.ndarray, " n"], size: int
) -> Iterator[tuple[Int[np.ndarray, " _"], Int[np.ndarray, " size"]]]:
    """Chunks of some rows, and each filled up to one size with its first row: one program serves them all."""
    for start in range(0, len(rows), size):
        some = rows[start : start + size]
        yield some, np.concatenate([some, np.repeat(some[:1], size - len(some))])


def _all_unknowns(grid: SplineGrid, cells: np.ndarray) -> np.ndarray:
    return (grid.places(cells)[:, :, None] + np.arange(grid.unknowns)).reshape(len(cells), -1)


def gauss(dimension: int, count: int) -> tuple[np.ndarray, np.ndarray]:
    """Gauss points of the unit cube and their weights, which sum up to 1; one point in no dimension."""
    place, weight = np.polynomial.legendre.leggauss(count)
    if dimension == 0:
        return np.zeros((1, 0)), np.ones(1)
    places = np.stack(np.meshgrid(*[(place + 1) / 2] * dimension, indexing="ij"), axis=-1)
    weights = np.stack(np.meshgrid(*[weight / 2] * dimension, indexing="ij"), axis=-1)
    return places.reshape(-1, dimension), np.prod(weights, axis=-1).ravel()


def _of_coefficients(rows: Rows, spline: LocalSpline, item: Any, root: Array) -> Callable[[Array], Array]:
    def found(coefficients: Array) -> Array:
        own = LocalSpline(coefficients, spline.tables, spline.lower, spline.width)
        return rows(own, item) * root

    return found


def _products(residual: Array, jacobian: Array) -> tuple[Array, Array, Array]:
    residual = residual.reshape(-1)
    jacobian = jacobian.reshape(residual.shape[0], -1)
    return jacobian.T @ jacobian, residual @ jacobian, residual @ residual


def _matrix(rows: Rows) -> Callable:
    def one(spline: LocalSpline, item: Any, root: Array) -> tuple[Array, Array, Array]:
        found = _of_coefficients(rows, spline, item, root)
        return _products(found(spline.coefficients), jax.jacrev(found)(spline.coefficients))

    return one


def _squares(rows: Rows) -> Callable:
    def total(spline: LocalSpline, items: Any, roots: Array) -> Array:
        return jnp.sum((jax.vmap(rows)(spline, items) * roots[:, None]) ** 2)

    return total
