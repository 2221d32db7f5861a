"""The weak form of a spline's residual: one number for each test function, and a band matrix of its derivatives."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Bool, Float, Int

from ._band_lu import BandLU
from ._equations._divergence import DivergenceForm, jet
from ._field_conditions import Neumann, Robin
from ._field_problem import FieldProblem
from ._rows import Form
from ._spline_grid import SplineGrid
from ._spline_rows import SplinePrograms, gauss, in_chunks
from ._tensor_spline import LocalSpline
from ._values import as_function
from ._weak_bumps import bumps, jet_of

_ENTRIES = 2**20  # of the matrices of the cells that are computed at a time
_HELD_OUT = 1024  # boxes, with
_HELD_OUT_RULE = {1: 24, 2: 12, 3: 6}  # Gauss points of each direction, by the number of coordinates

Tables = tuple[Float[Array, "_ _"], ...]


@dataclass(frozen=True, eq=False)
class Faces:
    """Sides of cells on the boundary where one condition gives the flux.

    Args:
        condition: The number of the condition.
        cells: The cells.
        places: Gauss points on that side of the unit cube.
        shares: What each of them stands for, in units of the coordinates; 0 where the condition does not hold.
    """

    condition: int
    cells: Int[np.ndarray, "c d"]
    places: Float[np.ndarray, "q d"]
    shares: Float[np.ndarray, "c q"]


@dataclass(frozen=True, eq=False)
class WeakSample:
    """Where the weak form of one grid is integrated.

    Args:
        grid: The grid.
        shares: 1 for each cell of the grid that lies in the domain; 0 outside.
        faces: Sides of cells where the flux is given.
        free: Which coefficients are not known beforehand.
        weights: Of blocks of side conditions: there are none.
    """

    grid: SplineGrid
    shares: Float[np.ndarray, "c 1"]
    faces: tuple[Faces, ...]
    free: Bool[np.ndarray, " n"]
    weights: tuple[float, ...] = ()

    @property
    def cells(self) -> Int[np.ndarray, "i d"]:
        """The cells inside the domain."""
        return self.grid.cells[self.shares[:, 0] > 0]


class WeakPrograms:
    """Compiled programs for the cells of any grid of one degree.

    Test functions are the features of the field, m B, so they vanish where a value is given. Along the time they are
    splines of one degree less, of which there are as many as there are coefficients after the first moment.

    Args:
        problem: The problem.
        form: Makes the field of a network.
        strong: The programs of the strong form, of which the values at points are used.
        degree: Of the polynomials.
    """

    def __init__(self, problem: FieldProblem, form: Form, strong: SplinePrograms, degree: int):
        equation = problem.equation
        assert isinstance(equation, DivergenceForm)  # `WeakProblem` has looked at it
        self.equation, self._form, self._strong = equation, form, strong
        self.transient, self.dimension = problem.time is not None, strong.dimension
        self.copies = 1.5  # of the band matrix: LU needs three where Cholesky's factor needs two
        self.unknowns = len(equation.fields)
        self.box = strong.upper - strong.lower
        self.values = strong.values
        self.rule, self.rule_weights = gauss(self.dimension, degree + 1)
        local = (degree + 1) ** self.dimension * self.unknowns
        self.chunk = max(1 << (_ENTRIES // local**2).bit_length() - 1, 4)
        sides = [_Flux(condition, problem.number(condition)) for condition in given_fluxes(problem)]
        self._programs = [self._compiled(rows) for rows in (self._inside, *sides)]
        self._around = jax.jit(jax.vmap(bumps(problem, _HELD_OUT_RULE[self.dimension])))
        self._jets = jax.jit(jax.vmap(lambda spline, x: jet_of(equation, form(spline), x)))

    def residual(self, sample: WeakSample, vector: Float[np.ndarray, " n"]) -> Float[np.ndarray, " n"]:
        """∫ (s v + F·∇v) − ∮ flux v for each test function."""
        found = np.zeros(sample.grid.size)
        for number, cells, places, shares in _blocks(sample, self):
            for rows, _, count, inputs in self._chunks(sample.grid, vector, cells, shares):
                part = np.asarray(self._programs[number][0](*inputs, places))[:count]
                np.add.at(found, rows.ravel(), part.reshape(rows.shape).ravel())
        return np.where(sample.free, found, 0.0)

    def system(
        self, sample: WeakSample, vector: Float[np.ndarray, " n"]
    ) -> tuple[BandLU, Float[np.ndarray, " n"]]:
        """The derivatives of the residual by the coefficients, and the residual."""
        matrix, found = BandLU(sample.grid.size, sample.grid.band), np.zeros(sample.grid.size)
        for number, cells, places, shares in _blocks(sample, self):
            for rows, columns, count, inputs in self._chunks(sample.grid, vector, cells, shares):
                both = self._programs[number][1](*inputs, places)
                part, local = (np.asarray(each)[:count] for each in both)
                np.add.at(found, rows.ravel(), part.reshape(rows.shape).ravel())
                matrix.add(rows, columns, local.reshape(*rows.shape, -1))
        return matrix, np.where(sample.free, found, 0.0)

    def residuals(self, grid: SplineGrid, vector: Float[np.ndarray, " n"], points: Any) -> np.ndarray:
        """The weak residual in boxes about the first of many points, which the test functions of the grid are not."""
        around, tests = (np.asarray(part) for part in self._around(jnp.asarray(points[:_HELD_OUT])))
        flat = around.reshape(-1, self.dimension)
        lower, upper = self._strong.lower, self._strong.upper
        found = self._strong.at_points(self._jets, grid, vector, np.clip(flat, lower, upper))
        found = found.reshape(*around.shape[:2], *found.shape[1:])
        return np.einsum("bqtk,bqmk->btm", tests, found).reshape(len(tests), -1)

    def _compiled(self, rows: Any) -> tuple[Any, Any]:
        over = (0, 0, 0, None)
        alone = jax.jit(jax.vmap(lambda *cell: self._cell(rows, *cell)[0], in_axes=over))
        return alone, jax.jit(jax.vmap(lambda *cell: self._cell(rows, *cell), in_axes=over))

    def _chunks(
        self, grid: SplineGrid, vector: np.ndarray, cells: np.ndarray, shares: np.ndarray
    ) -> Iterator[tuple[np.ndarray, np.ndarray, int, tuple]]:
        """Rows, columns, how many cells count, and the programs' inputs, for chunks of one size."""
        axes = list(grid.axes)
        if self.transient:
            axes[-1] = type(axes[-1])(axes[-1].breaks, grid.degree - 1, periodic=False)
        shape = (grid.degree + 1,) * self.dimension
        for some, full in in_chunks(np.arange(len(cells)), self.chunk):
            own = LocalSpline(*map(jnp.asarray, grid.inputs(vector, cells[full])))
            tests = tuple(jnp.asarray(axis.tables[cells[full, a]]) for a, axis in enumerate(axes))
            places = grid.places(cells[some])
            later = places.reshape(-1, *shape)[..., 1:] if self.transient else places
            rows, columns = (
                (part.reshape(len(some), -1, 1) + np.arange(self.unknowns)).reshape(len(some), -1)
                for part in (later, places)
            )
            yield rows, columns, len(some), (own, tests, jnp.asarray(shares[full]))

    def _cell(
        self, rows: Any, spline: LocalSpline, tests: Tables, shares: Array, places: Array
    ) -> tuple[Float[Array, "k m"], Float[Array, "k m l m"]]:
        """The residual of the test functions of one cell, and its derivatives by the coefficients there."""
        box = jnp.asarray(self._strong.upper - self._strong.lower)
        width = spline.width * box / 2
        unit = spline.lower[None] + spline.width[None] * places
        x = jnp.asarray(self._strong.lower)[None] + box[None] * (unit + 1) / 2
        given, factor = jax.vmap(self._shaped)(x)
        trial = _shaped_features(_products(tuple(spline.tables), places, width), factor)
        test = _shaped_features(_products(tests, places, width), factor)
        test = test[:, :, : 1 + self.dimension - self.transient]
        own = given + jnp.einsum("qibl,li->qib", trial, spline.coefficients)
        found = jax.vmap(rows)(own, x)
        slopes = jax.vmap(jax.jacfwd(rows))(own, x)
        test = test[:, :, : found.shape[2]] * shares[:, None, None, None]
        inner = jnp.einsum("qiajb,qjbl->qialj", slopes, trial)
        return jnp.einsum("qia,qiak->ki", found, test), jnp.einsum("qiak,qialj->kilj", test, inner)

    def _inside(self, own: Float[Array, "m b"], x: Float[Array, " d"]) -> Float[Array, "m a"]:
        return jet(self.equation, own[:, 0], own[:, 1:], x)

    def _shaped(self, x: Float[Array, " d"]) -> tuple[Float[Array, "m b"], Float[Array, "m b"]]:
        """g and m at a point, each with its derivatives."""

        def value(number: float) -> Any:
            same = lambda unit: jnp.full(self.unknowns, number, unit.dtype)  # noqa: E731
            return lambda y: jnp.atleast_1d(self._form(same)(y))

        given, one = value(0.0), value(1.0)
        both = [
            jnp.concatenate([function(x)[:, None], jax.jacfwd(function)(x)], axis=1)
            for function in (given, lambda y: one(y) - given(y))
        ]
        return both[0], both[1]


def given_fluxes(problem: FieldProblem) -> tuple[Neumann | Robin, ...]:
    """The conditions that give a flux."""
    return tuple(condition for condition in problem.soft if isinstance(condition, Neumann | Robin))


class _Flux:
    """The flux that a condition asks for, as rows without derivatives of the test functions."""

    def __init__(self, condition: Neumann | Robin, number: int):
        self._number, self._value = number, as_function(condition.value)
        self._coefficient = as_function(condition.coefficient) if isinstance(condition, Robin) else None

    def __call__(self, own: Float[Array, "m b"], x: Float[Array, " d"]) -> Float[Array, "m 1"]:
        flux = self._value(x)
        if self._coefficient is not None:
            flux = flux - self._coefficient(x) * own[self._number, 0]
        return jnp.zeros((own.shape[0], 1), x.dtype).at[self._number, 0].set(-flux)


def _blocks(
    sample: WeakSample, programs: WeakPrograms
) -> Iterator[tuple[int, np.ndarray, Array, np.ndarray]]:
    grid = sample.grid
    cells = sample.cells
    width = grid.inputs(np.zeros(grid.size), cells)[3]
    volume = np.prod(width * programs.box / 2, axis=1)
    yield 0, cells, jnp.asarray(programs.rule), volume[:, None] * programs.rule_weights
    for faces in sample.faces:
        yield 1 + faces.condition, faces.cells, jnp.asarray(faces.places), faces.shares


def _products(
    tables: Tables, places: Float[Array, "q d"], width: Float[Array, " d"]
) -> Float[Array, "q b k"]:
    """Products of splines and their derivatives, at places in the unit cube."""
    values, slopes = [], []
    for axis, table in enumerate(tables):
        along = places[:, axis]
        powers = [along**j for j in range(table.shape[1])]
        rates = [jnp.zeros_like(along), *(j * powers[j - 1] for j in range(1, table.shape[1]))]
        values.append(jnp.stack(powers, axis=1) @ table.T)
        slopes.append(jnp.stack(rates, axis=1) @ table.T / width[axis])
    found = []
    for own in range(-1, len(tables)):
        product = jnp.ones((len(places), 1), places.dtype)
        for axis in range(len(tables)):
            along = slopes[axis] if axis == own else values[axis]
            product = (product[:, :, None] * along[:, None]).reshape(len(places), -1)
        found.append(product)
    return jnp.stack(found, axis=1)


def _shaped_features(
    features: Float[Array, "q b k"], factor: Float[Array, "q m b"]
) -> Float[Array, "q m b k"]:
    """m B of each unknown with its derivatives."""
    plain = factor[:, :, :1, None] * features[:, None]
    bent = factor[:, :, 1:, None] * features[:, None, :1]
    return jnp.concatenate([plain[:, :, :1], plain[:, :, 1:] + bent], axis=2)
