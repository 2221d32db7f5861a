"""The nonlinear system of a field problem in finite elements, and its solution by Newton's method."""

from dataclasses import dataclass
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Float
from scipy import sparse
from scipy.sparse.linalg import splu

from ._fem_field_form import NoReference, WeakForm, weak_form
from ._fem_field_space import Space, Table, on_points
from ._field_conditions import Dirichlet, Initial, Neumann, Robin

Vector = Float[np.ndarray, " n"]
_STEPS = 40
_CLOSE = 1e-10  # relative change of the field in the last step of a steady problem
_FREE = 1e-9  # a smaller response to a constant means that the level is free


@dataclass(frozen=True)
class Slopes:
    """Derivatives of the equations in the field and in its rate in time."""

    stiffness: sparse.csc_matrix
    mass: sparse.csc_matrix


class System:
    """Residual and derivatives of the weak form with the conditions at facets and the given values.

    Args:
        space: The finite elements.
    """

    def __init__(self, space: Space):
        problem = space.problem
        self.space, self.transient = space, problem.time is not None
        form = weak_form(problem.equation)
        self._terms, self._slopes = _compiled(form)
        self._natural = form.natural
        self._sides = [
            (
                space.on_facets(c),
                on_points(c.value),
                on_points(c.coefficient if isinstance(c, Robin) else 0.0),
            )
            for c in problem.conditions
            if isinstance(c, Neumann | Robin)
        ]
        self._held = [
            (*space.held(c), on_points(c.value)) for c in problem.conditions if isinstance(c, Dirichlet)
        ]
        held = [dofs for dofs, _, _ in self._held]
        self.held = np.unique(np.concatenate(held)) if held else np.zeros(0, np.int64)
        self._free = np.ones(space.size)
        self._free[self.held] = 0.0
        self._check_sides()

    def given(self, time: float) -> Vector:
        """The values of the unknowns that conditions give, 0 elsewhere."""
        found = np.zeros(self.space.size)
        for dofs, places, value in self._held:
            found[dofs] = value(self._points(places, time))
        return found

    def start(self, time: float) -> Vector:
        """The field at the first moment: the projection of the initial values, 0 in a steady problem."""
        field = np.zeros(self.space.size)
        given = [c for c in self.space.problem.conditions if isinstance(c, Initial)]
        if given:
            table = self.space.inside
            value = on_points(given[0].value)(self._points(_flat(table.points), time))
            load = np.einsum(
                "cq,cqn,cq->cn", value.reshape(table.weights.shape), table.shapes[:, :, 0], table.weights
            )
            mass = np.einsum("cqm,cqn,cq->cmn", table.shapes[:, :, 0], table.shapes[:, :, 0], table.weights)
            field = splu(self._matrix(table, mass)).solve(self._vector(table, load))
        field[self.held] = self.given(time)[self.held]
        return field

    def rest(self, time: float, field: Vector, rate: Vector) -> Vector:
        """What is left of the equations at a field and its rate in time, and of the given values."""
        table = self.space.inside
        out = np.asarray(self._terms(*self._seen(time, field, rate))).reshape(*table.weights.shape, -1)
        rest = self._vector(table, np.einsum("cqkn,cqk->cn", table.shapes, out * table.weights[..., None]))
        for side, value, coefficient in self._sides:
            given, share = (self._on_side(side, f, time) for f in (value, coefficient))
            shapes = side.shapes[:, :, 0]
            here = np.einsum("cqn,cn->cq", shapes, field[side.dofs])
            rest -= self._natural * self._vector(side, np.einsum("cqn,cq->cn", shapes, given - share * here))
        return self._free * rest + (1.0 - self._free) * (field - self.given(time))

    def slopes(self, time: float, field: Vector, rate: Vector) -> Slopes:
        """The derivatives of `rest` in the field and in its rate."""
        table = self.space.inside
        slopes = np.asarray(self._slopes(*self._seen(time, field, rate)))
        slopes = slopes.reshape(*table.weights.shape, *slopes.shape[1:]) * table.weights[..., None, None]
        stiff = np.matmul(_turned(table.shapes), _stacked(np.matmul(slopes[..., 1:], table.shapes)))
        mass = np.matmul(_turned(table.shapes), _stacked(slopes[..., :1] * table.shapes[:, :, :1]))
        stiffness = self._matrix(table, stiff)
        for side, _, coefficient in self._sides:
            shapes, share = side.shapes[:, :, 0], self._on_side(side, coefficient, time)
            local = np.einsum("cqm,cqn,cq->cmn", shapes, shapes, share)
            stiffness = stiffness + self._natural * self._matrix(side, local)
        keep: Any = sparse.diags(self._free)
        one: Any = sparse.diags(1.0 - self._free)
        return Slopes((keep @ stiffness + one).tocsc(), (keep @ self._matrix(table, mass)).tocsc())

    def steady(self) -> Vector:
        """Solves a steady problem by Newton's method.

        Raises:
            NoReference: The steps do not settle, or nothing fixes the level of the field.
        """
        field, still = self.start(0.0), np.zeros(self.space.size)
        size = np.inf
        for number in range(_STEPS):
            stiffness = self.slopes(0.0, field, still).stiffness
            if number == 0:
                self._check_level(stiffness)
            change = -splu(stiffness).solve(self.rest(0.0, field, still))
            field = field + change * min(1.0, 2.0 * size / max(np.linalg.norm(change), 1e-300))
            size = float(np.linalg.norm(change))
            if not np.isfinite(size):
                break
            if size <= _CLOSE * max(float(np.linalg.norm(field)), 1e-300):
                return field
        raise NoReference("Newton's method of the finite elements does not settle")

    def _seen(self, time: float, field: Vector, rate: Vector) -> tuple[np.ndarray, np.ndarray]:
        """The nodes inside; the rate of the field there, its value and its slopes."""
        table = self.space.inside
        value = np.einsum("cqkn,cn->cqk", table.shapes, field[table.dofs])
        moved = np.einsum("cqn,cn->cq", table.shapes[:, :, 0], rate[table.dofs])
        seen = np.concatenate([moved[..., None], value], axis=2)
        return self._points(_flat(table.points), time), _flat(seen)

    def _on_side(self, side: Table, value: Any, time: float) -> np.ndarray:
        """A value at the nodes of facets, times their weights."""
        return value(self._points(_flat(side.points), time)).reshape(side.weights.shape) * side.weights

    def _check_level(self, stiffness: sparse.csc_matrix) -> None:
        one = np.zeros(self.space.size)
        one[self.space.first[np.unique(self.space.basis.nodal_dofs)]] = 1.0
        if self.space.dimension == 2:
            one[:] = 1.0
        if np.abs(stiffness @ one).max() <= _FREE * np.abs(stiffness.data).max():
            raise NoReference("the conditions fix the solution up to a constant only")

    def _check_sides(self) -> None:
        """Refuses pieces of the boundary without a condition: what the equation does there is left open."""
        problem = self.space.problem
        facets = self.space.mesh.facets[:, self.space._sides]
        middle = self.space.mesh.p[:, facets].mean(axis=1).T
        if problem.outline and (self.space._conditions_at(middle[self._apart(middle)]) == 0).any():
            raise NoReference("a part of the boundary has no condition")

    def _apart(self, points: np.ndarray) -> np.ndarray:
        """Which points lie on no end that a period joins."""
        lower, upper = self.space.problem.domain.bounds
        ends = [
            np.minimum(np.abs(points[:, i] - lower[i]), np.abs(points[:, i] - upper[i]))
            < 1e-9 * (upper[i] - lower[i])
            for i in range(self.space.dimension)
            if self.space.problem.periodic[i]
        ]
        return ~np.any(ends, axis=0) if ends else np.ones(len(points), bool)

    def _points(self, places: np.ndarray, time: float) -> np.ndarray:
        return np.column_stack([places, np.full(len(places), time)]) if self.transient else places

    def _vector(self, table: Table, local: np.ndarray) -> Vector:
        return np.bincount(table.dofs.ravel(), local.ravel(), self.space.size)

    def _matrix(self, table: Table, local: np.ndarray) -> sparse.csc_matrix:
        count = table.dofs.shape[1]
        rows = np.repeat(table.dofs, count, axis=1).ravel()
        columns = np.tile(table.dofs, (1, count)).ravel()
        return sparse.csc_matrix((local.ravel(), (rows, columns)), shape=(self.space.size,) * 2)


def _turned(shapes: np.ndarray) -> np.ndarray:
    """(c, q, k, n) as (c, n, q k)."""
    return np.transpose(shapes, (0, 3, 1, 2)).reshape(shapes.shape[0], shapes.shape[3], -1)


def _stacked(table: np.ndarray) -> np.ndarray:
    """(c, q, k, n) as (c, q k, n)."""
    return table.reshape(table.shape[0], -1, table.shape[3])


def _flat(table: np.ndarray) -> np.ndarray:
    """(c, q, d) as (c q, d)."""
    return table.reshape(-1, table.shape[-1])


def _compiled(form: WeakForm) -> tuple[Any, Any]:
    """Bulk and spread at many points, and their derivatives in (rate, value, slopes)."""

    def terms(x: jax.Array, seen: jax.Array) -> jax.Array:
        bulk, spread = form.terms(x, seen[1], seen[2:], seen[0])
        return jnp.concatenate([bulk[None], spread])

    return jax.jit(jax.vmap(terms)), jax.jit(jax.vmap(jax.jacfwd(terms, argnums=1)))
