"""Finite elements for a field problem: tables of the shape functions, conditions at facets, values at points."""

from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Float, Int
from scipy import sparse
from scipy.spatial import KDTree

from ._domains._outline import Piece
from ._domains._parts import Edge, End, Round
from ._fem_field_form import NoReference
from ._fem_field_mesh import interval_mesh, plane_mesh
from ._fem_field_outline import away_from
from ._fem_mesh import fem_package
from ._field_conditions import Dirichlet, Neumann, Robin, Value
from ._field_problem import FieldProblem

Points = Float[np.ndarray, "n d"]

_DEGREE = {1: 4, 2: 2}  # by the dimension


@dataclass(frozen=True)
class Table:
    """Shape functions at the nodes of a quadrature rule.

    Args:
        points: The nodes, (cells, nodes, d).
        weights: (cells, nodes).
        shapes: Values, then slopes along each coordinate, (cells, nodes, 1 + d, shape functions).
        dofs: The unknowns that they belong to, (cells, shape functions).
    """

    points: Float[np.ndarray, "c q d"]
    weights: Float[np.ndarray, "c q"]
    shapes: Float[np.ndarray, "c q k n"]
    dofs: Int[np.ndarray, "c n"]


class Space:
    """The finite elements on one mesh: degree 4 on an interval, 2 in the plane.

    Args:
        problem: The problem.
        count: Cells of an interval, vertices in the plane.

    Raises:
        NoReference: The domain has no mesh.
    """

    def __init__(self, problem: FieldProblem, count: int):
        skfem = fem_package("skfem")
        self.problem, self.dimension = problem, problem.domain.dimension
        lower, upper = problem.domain.bounds
        joined = any(problem.periodic)
        if self.dimension == 1:
            self.mesh: Any = interval_mesh(float(lower[0]), float(upper[0]), count, joined)
        else:
            self.mesh = plane_mesh(problem.domain, count, self._conditions_at, not joined)
        self.basis: Any = skfem.CellBasis(
            self.mesh, self._element(), intorder=2 * _DEGREE[self.dimension] + 2
        )
        self.first, self.size = _joined(self.basis, self._sides, problem.periodic, lower, upper)

    @cached_property
    def inside(self) -> Table:
        """The shape functions inside."""
        return self._table(self.basis)

    def on_facets(self, condition: Neumann | Robin) -> Table:
        """The shape functions on the facets of a condition."""
        skfem = fem_package("skfem")
        facets = self._facets(condition.piece)
        order = 2 * _DEGREE[self.dimension] + 2
        return self._table(skfem.FacetBasis(self.mesh, self._element(), facets=facets, intorder=order))

    def held(self, condition: Dirichlet) -> tuple[Int[np.ndarray, " k"], Points]:
        """The unknowns that a condition gives, and their places."""
        dofs = np.unique(self.basis.get_dofs(facets=self._facets(condition.piece)).flatten())
        return self.first[dofs], self.basis.doflocs[:, dofs].T

    def at(self, points: Points) -> sparse.csr_array:
        """The matrix that takes the unknowns to values at points inside."""
        cells, mapping = self._cells(points), self.basis.mapping
        local = mapping.invF(np.ascontiguousarray(points.T)[:, :, None], tind=cells)
        count = self.basis.Nbfun
        element = self._element()
        values = [element.gbasis(mapping, local, i, tind=cells)[0] for i in range(count)]
        table = np.stack([np.broadcast_to(np.asarray(v), (len(points), 1))[:, 0] for v in values], axis=1)
        columns = self.first[self.basis.element_dofs[:, cells].T]
        rows = np.repeat(np.arange(len(points)), count)
        return sparse.csr_array((table.ravel(), (rows, columns.ravel())), shape=(len(points), self.size))

    def _element(self) -> Any:
        """A new element each time: scikit-fem's remembers values at the points of its last call."""
        skfem = fem_package("skfem")
        return skfem.ElementLinePp(_DEGREE[1]) if self.dimension == 1 else skfem.ElementTriP2()

    def _table(self, basis: Any) -> Table:
        values = [basis.basis[i][0] for i in range(basis.Nbfun)]
        shape = basis.dx.shape
        slopes = [np.broadcast_to(v.grad, (self.dimension, *shape)) for v in values]
        values = [np.broadcast_to(np.asarray(v), shape) for v in values]
        stacked = [np.concatenate([v[None], g]) for v, g in zip(values, slopes, strict=True)]
        points = np.moveaxis(np.asarray(basis.global_coordinates()), 0, -1)
        shapes = np.ascontiguousarray(np.transpose(np.stack(stacked), (2, 3, 1, 0)))
        return Table(points, basis.dx, shapes, self.first[basis.element_dofs.T])

    @cached_property
    def _sides(self) -> Int[np.ndarray, " b"]:
        return self.mesh.boundary_facets()

    def _facets(self, name: str) -> Int[np.ndarray, " f"]:
        vertices = self.mesh.facets[:, self._sides]
        middle = self.mesh.p[:, vertices].mean(axis=1).T
        found = self._sides[_in_pieces(self.problem, name, middle)]
        if not len(found):
            raise NoReference(f"no facet of the mesh lies on {name!r}")
        return found

    def _conditions_at(self, points: Points) -> Int[np.ndarray, " n"]:
        """A number that says which conditions hold at points of the boundary."""
        code = np.zeros(len(points), np.int64)
        for condition in self.problem.conditions:
            if isinstance(condition, Dirichlet | Neumann | Robin):
                code = 2 * code + _in_pieces(self.problem, condition.piece, points)
        return code

    def _cells(self, points: Points) -> Int[np.ndarray, " n"]:
        """The cell of each point; the nearest one of a point outside."""
        corners = self.mesh.p[:, self.mesh.t].T.transpose(1, 0, 2) if self.dimension == 1 else None
        if corners is not None:
            ends = np.sort(self.mesh.p[0, self.mesh.t], axis=0)
            order = np.argsort(ends[0])
            return order[
                np.clip(np.searchsorted(ends[0, order], points[:, 0], "right") - 1, 0, len(order) - 1)
            ]
        return _triangles_of(self.mesh.p[:, self.mesh.t].transpose(2, 1, 0), points)


def _triangles_of(corner: Float[np.ndarray, "t 3 2"], points: Points) -> Int[np.ndarray, " n"]:
    """The triangle of each point, looked for among those with the nearest centres, more of them step by step."""
    inverse = np.linalg.inv((corner[:, 1:] - corner[:, :1]).transpose(0, 2, 1))
    tree = KDTree(corner.mean(axis=1))
    cell, best = np.zeros(len(points), np.int64), np.full(len(points), -np.inf)
    left = np.arange(len(points))
    for neighbours in (8, 64, 512):
        near = np.atleast_2d(tree.query(points[left], k=min(neighbours, len(corner)))[1])
        rest = np.einsum("nkij,nkj->nki", inverse[near], points[left][:, None] - corner[near, 0])
        least = np.minimum(rest.min(axis=2), 1 - rest.sum(axis=2))
        pick = least.argmax(axis=1)
        cell[left] = near[np.arange(len(left)), pick]
        best[left] = least[np.arange(len(left)), pick]
        left = np.flatnonzero(best < -1e-9)
        if not len(left):
            break
    return cell


def _in_pieces(problem: FieldProblem, name: str, points: Points) -> np.ndarray:
    """Which points of the boundary belong to the pieces that a condition names."""
    pieces, wanted = problem.outline, problem.pieces(name)
    nearest = np.argmin([_away(piece, points) for piece in pieces], axis=0)
    found = np.zeros(len(points), bool)
    for piece in wanted:
        number = next(i for i, other in enumerate(pieces) if other.part is piece.part)
        mine = nearest == number
        if piece.where is not None and mine.any():
            mine[mine] = np.asarray(piece.where(points[mine]), bool)
        found |= mine
    return found


def _away(piece: Piece, points: Points) -> Float[np.ndarray, " n"]:
    part = piece.part
    if isinstance(part, End):
        return np.abs(points[:, 0] - part.place)
    return away_from(part, points) if isinstance(part, Edge | Round) else np.zeros(len(points))


def _joined(
    basis: Any, sides: Any, periodic: tuple[bool, ...], lower: Any, upper: Any
) -> tuple[np.ndarray, int]:
    """The number of each unknown once the ends of periods are one, and how many there are."""
    every = np.arange(basis.N)
    facet_dofs = np.unique(basis.get_dofs(facets=sides).flatten())
    for axis, flag in enumerate(periodic[: len(lower)]):
        if not flag:
            continue
        span = upper[axis] - lower[axis]
        place = basis.doflocs[:, facet_dofs].T
        low, high = (
            facet_dofs[np.abs(place[:, axis] - end) < 1e-9 * span] for end in (lower[axis], upper[axis])
        )
        moved = basis.doflocs[:, high].T - span * np.eye(len(lower))[axis]
        gap, match = KDTree(basis.doflocs[:, low].T).query(moved)
        if len(low) != len(high) or gap.max() > 1e-8 * span:
            raise NoReference("the mesh does not repeat with the period")
        every[high] = every[low[match]]
    for _ in periodic:
        every = every[every]
    kept, number = np.unique(every, return_inverse=True)
    return number.reshape(-1), len(kept)


def on_points(value: Value) -> Callable[[Points], Float[np.ndarray, " n"]]:
    """A number or a function of one point as a function of many, in float64."""
    if not callable(value):
        return lambda points: np.full(len(points), float(value))
    compiled = jax.jit(jax.vmap(lambda x: jnp.asarray(value(x), x.dtype).reshape(())))
    return lambda points: np.asarray(compiled(jnp.asarray(points)))
