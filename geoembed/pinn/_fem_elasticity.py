"""Elastic parts by quadratic finite elements on tetrahedra: the independent judge.

Find u with −∇·σ = f inside and, on each boundary facet and for each component, either u given or
σ n = traction − stiffness · u. scikit-fem integrates; conjugate gradients with an algebraic multigrid
preconditioner (pyamg) that knows the rigid motions solve. Lengths are divided by the part's largest extent and
stresses by Young's modulus, so the matrix entries are of order one.
"""

from dataclasses import dataclass
from typing import Protocol, runtime_checkable

import numpy as np
from jaxtyping import Bool, Float, Int
from scipy import sparse

from ._fem import TOLERANCE, FemSolution, NotSolved, ScaledMesh
from ._fem_mesh import TetMesh, fem_package

_RESTART = 60
_MOST_ITERATIONS = 1000


@runtime_checkable
class LoadTable(Protocol):
    """Loads and supports of each surface triangle, in SI units (see `FaceLoads`)."""

    @property
    def displacement(self) -> np.ndarray: ...
    @property
    def stiffness(self) -> np.ndarray: ...
    @property
    def traction(self) -> np.ndarray: ...


@dataclass(frozen=True)
class Material:
    """What a part is made of and what pulls at all of it.

    Args:
        young: E, Pa.
        poisson: ν.
        body_force: N/m³.
    """

    young: float
    poisson: float
    body_force: tuple[float, float, float] = (0.0, 0.0, 0.0)


@dataclass(frozen=True)
class ElasticFemSolution:
    """A displacement field on a tetrahedral mesh and the forces on its boundary.

    Attributes:
        mesh: The mesh, in metres.
        nodal: Displacement of each node, m.
        element_dofs: The ten nodes of each tetrahedron, scikit-fem's order.
        facet_force: Force on the part through each boundary facet, N: loads, springs, and the reaction where
            the displacement is given (the residual of the linear system at its nodes).
        body_force: Force in the volume, N.
        iterations: Conjugate gradient iterations.
        residual: Final residual over the initial one.
    """

    mesh: TetMesh
    nodal: Float[np.ndarray, "d 3"]
    element_dofs: Int[np.ndarray, "10 t"]
    facet_force: Float[np.ndarray, "b 3"]
    body_force: Float[np.ndarray, "3"]
    iterations: int
    residual: float

    @property
    def dofs(self) -> int:
        """Number of degrees of freedom, those with a given displacement included."""
        return self.nodal.size

    def component(self, axis: int) -> FemSolution:
        """Returns one component as a scalar field."""
        nothing = np.zeros(len(self.mesh.facets))
        return FemSolution(
            self.mesh,
            self.nodal[:, axis],
            self.element_dofs,
            nothing,
            nothing,
            0.0,
            self.iterations,
            self.residual,
        )

    def force(self, face_group: Int[np.ndarray, "f"], groups: int) -> Float[np.ndarray, "g 3"]:
        """Returns the force on the part through each group of surface triangles, N."""
        group = face_group[self.mesh.facet_face]
        return np.stack([np.bincount(group, part, minlength=groups) for part in self.facet_force.T], axis=1)


def solve_elasticity(
    mesh: TetMesh, loads: LoadTable, material: Material, *, tolerance: float = TOLERANCE
) -> ElasticFemSolution:
    """Solve an elastic part at rest on a tetrahedral mesh.

    Args:
        mesh: The mesh, in metres.
        loads: Loads and supports per surface triangle; a facet takes the row of its triangle.
        material: The material.
        tolerance: Residual at which the linear solver stops, over that of its starting values.

    Returns:
        The displacement with the force through every facet.

    Raises:
        ImportError: The extra `fem` is not installed.
        NotSolved: The linear solver does not converge.
    """
    given, stiffness, traction = (
        np.asarray(column, np.float64)[mesh.facet_face]
        for column in (loads.displacement, loads.stiffness, loads.traction)
    )
    system = _Elastic(mesh, material)
    springs = np.where(np.isfinite(given), 0.0, stiffness) * system.length / material.young
    pull = np.where(np.isfinite(given), 0.0, traction) / material.young
    weight = system.weight()
    matrix = (system.stiffness() + system.springs(springs)).tocsr()
    right = weight + system.loads(pull)
    values, fixed = system.given_values(given / system.length)
    values, iterations, residual = _solve(matrix, right, values, fixed, system.rigid(), tolerance)
    newtons = material.young * system.length**2  # from the scaled weak form to N
    reaction = np.where(fixed, matrix @ values - right, 0.0).reshape(-1, 3) * newtons
    u = values.reshape(-1, 3)
    return ElasticFemSolution(
        mesh=mesh,
        nodal=u * system.length,
        element_dofs=system.scaled.inside.element_dofs,
        facet_force=newtons * system.facet_force(pull, springs, u)
        + system.share(reaction, np.isfinite(given)),
        body_force=newtons * weight.reshape(-1, 3).sum(0),
        iterations=iterations,
        residual=residual,
    )


class _Elastic:
    """The integrals of elasticity over a mesh scaled to size one; unknowns node by node."""

    def __init__(self, mesh: TetMesh, material: Material):
        self.scaled = ScaledMesh(mesh)
        self.material, self.length = material, self.scaled.length
        self.count = self.scaled.inside.N

    def stiffness(self) -> sparse.csr_array:
        """∫ λ (∇·u)(∇·v) + 2μ ε(u):ε(v), from the nine ∫ ∂ᵢu ∂ⱼv of scalar functions."""
        nu = self.material.poisson
        first, shear = nu / ((1 + nu) * (1 - 2 * nu)), 1 / (2 * (1 + nu))
        skfem, basis = self.scaled.fem, self.scaled.inside
        part = {}
        for i in range(3):
            for j in range(3):
                form = skfem.BilinearForm(lambda u, v, w, i=i, j=j: v.grad[i] * u.grad[j])
                part[i, j] = form.assemble(basis).tocsr()
        trace = part[0, 0] + part[1, 1] + part[2, 2]
        blocks = [
            [
                first * part[i, j] + shear * part[j, i] + (shear * trace if i == j else 0 * trace)
                for j in range(3)
            ]
            for i in range(3)
        ]
        return self._by_node(sparse.block_array(blocks, format="csr"))

    def springs(self, stiffness: Float[np.ndarray, "b 3"]) -> sparse.csr_array:
        """∫ t u v over the boundary."""
        parts = [self.scaled.robin(column, np.zeros_like(column))[0] for column in stiffness.T]
        return self._by_node(sparse.block_diag(parts, format="csr"))

    def loads(self, traction: Float[np.ndarray, "b 3"]) -> Float[np.ndarray, " d"]:
        """∫ traction v over the boundary."""
        return np.stack([self.scaled.load(column) for column in traction.T], axis=1).ravel()

    def weight(self) -> Float[np.ndarray, " d"]:
        """∫ f v."""
        force = np.array(self.material.body_force) * self.length / self.material.young
        return np.stack([self.scaled.volume(float(f)) for f in force], axis=1).ravel()

    def facet_force(self, traction, springs, u) -> Float[np.ndarray, "b 3"]:
        """∫ traction − t u over each boundary facet."""
        zero = np.zeros(len(traction))
        return np.stack(
            [
                self.scaled.facet_integral(springs[:, i], traction[:, i], zero, np.ascontiguousarray(u[:, i]))
                for i in range(3)
            ],
            axis=1,
        )

    def given_values(self, given: Float[np.ndarray, "b 3"]) -> tuple[np.ndarray, Bool[np.ndarray, " d"]]:
        """Given displacements of the nodes (0 elsewhere), and the mask of these degrees of freedom."""
        values, fixed = zip(
            *(self.scaled.held_values(column, np.isfinite(column)) for column in given.T), strict=True
        )
        return np.stack(values, axis=1).ravel(), np.stack(fixed, axis=1).ravel()

    def share(
        self, nodal: Float[np.ndarray, "n 3"], held: Bool[np.ndarray, "b 3"]
    ) -> Float[np.ndarray, "b 3"]:
        """Split nodal forces evenly among the held facets around each node."""
        parts = [self.scaled.share_among_held_facets(nodal[:, i], held[:, i]) for i in range(3)]
        return np.stack(parts, axis=1)

    def rigid(self) -> Float[np.ndarray, "d 6"]:
        """The rigid motions of the nodes."""
        place = self.scaled.inside.doflocs.T
        shifts = [np.broadcast_to(axis, place.shape) for axis in np.eye(3)]
        turns = [np.cross(axis, place) for axis in np.eye(3)]
        return np.stack([motion.ravel() for motion in shifts + turns], axis=1)

    def _by_node(self, matrix) -> sparse.csr_array:
        """Reorders a matrix from component after component to node after node."""
        order = np.arange(3 * self.count).reshape(3, -1).T.ravel()
        place = np.empty_like(order)
        place[order] = np.arange(len(order))
        entries = matrix.tocoo()
        coordinates = (place[entries.row], place[entries.col])
        return sparse.csr_array((entries.data, coordinates), shape=matrix.shape)


def _solve(matrix, load, values, fixed, rigid, tolerance) -> tuple[np.ndarray, int, float]:
    """Solve for the free degrees of freedom; returns all values, the iterations, the residual ratio."""
    pyamg = fem_package("pyamg")
    right = np.where(fixed, 0.0, load - matrix @ values)
    # Fixed unknowns stay in the system, uncoupled: nodes keep their three rows.
    free = sparse.diags_array((~fixed).astype(float))
    scale = sparse.diags_array(np.where(fixed, matrix.diagonal(), 0.0))
    system = (free @ matrix @ free + scale).tobsr((3, 3))
    # Relaxation of single unknowns: blocks of a node are nearly singular on coarse levels, and then not symmetric.
    smoother = ("gauss_seidel", {"sweep": "symmetric"})
    hierarchy = pyamg.smoothed_aggregation_solver(
        sparse.bsr_matrix(system),
        B=np.where(fixed[:, None], 0.0, rigid),
        max_coarse=500,
        presmoother=smoother,
        postsmoother=smoother,
    )
    change, iterations = np.zeros_like(right), 0
    start = float(np.linalg.norm(right))
    left, final = right, 1.0 if start > 0 else 0.0
    # Rounding in flat tetrahedra turns long iterations around: they begin anew where they stand.
    while final > tolerance and iterations < _MOST_ITERATIONS:
        residuals: list[float] = []
        part = hierarchy.solve(left, tol=tolerance / final, accel="cg", maxiter=_RESTART, residuals=residuals)
        iterations += len(residuals)
        left_then = right - system @ (change + part)
        final_then = float(np.linalg.norm(left_then)) / start
        if not final_then < 0.9 * final:
            break
        change, left, final = change + part, left_then, final_then
    if not final < 100 * tolerance:
        raise NotSolved(f"the finite-element solver stopped at a relative residual of {final:.1e}")
    return values + np.where(fixed, 0.0, change), iterations, final
