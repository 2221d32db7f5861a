"""Steady heat conduction by quadratic finite elements on tetrahedra: the independent judge.

Find T with −∇·(K∇T) = q inside and, on each boundary facet, either T given or
n·K∇T = h (T_ambient − T) + flux. scikit-fem assembles; conjugate gradients with an algebraic multigrid
preconditioner (pyamg) solve. Lengths are divided by the part's largest extent and the equation by k, so the
matrix entries are of order one; temperatures stay in K, measured from a level near the boundary data.
"""

from dataclasses import dataclass
from typing import Any, Protocol, runtime_checkable

import numpy as np
from jaxtyping import Bool, Float, Int

from ._fem_mesh import TetMesh, fem_package, locate
from ._fem_solid import SolidConductivity, solid_stiffness
from ._fem_surface import face_areas

# Residual of the linear system over that of the starting values.
TOLERANCE = 1e-10
_MOST_ITERATIONS = 500


@runtime_checkable
class FaceTable(Protocol):
    """One row of boundary data per surface triangle, in SI units (see `FaceConditions`).

    A table may also have the columns `emissivity` and `radiant`.
    """

    @property
    def temperature(self) -> np.ndarray: ...
    @property
    def h(self) -> np.ndarray: ...
    @property
    def ambient(self) -> np.ndarray: ...
    @property
    def flux(self) -> np.ndarray: ...


def radiation_columns(conditions: FaceTable) -> tuple[np.ndarray, np.ndarray]:
    """Return emissivity and temperature of the surroundings, K, per triangle; zeros if the table has none."""
    zero = np.zeros(len(conditions.h))
    columns = (getattr(conditions, name, None) for name in ("emissivity", "radiant"))
    emissivity, radiant = (zero if column is None else np.asarray(column, np.float64) for column in columns)
    return emissivity, radiant


def patches_by_condition(conditions: FaceTable) -> tuple[Int[np.ndarray, "f"], tuple[str, ...]]:
    """Group the triangles whose conditions are equal; returns each one's group and the groups' names."""
    columns = (conditions.temperature, conditions.h, conditions.ambient, conditions.flux)
    columns = (*columns, *radiation_columns(conditions))
    rows = np.stack([np.asarray(column, np.float64) for column in columns], axis=1)
    # np.unique takes rows with NaN for unequal; −1 K stands in for "not held".
    distinct, group = np.unique(np.where(np.isfinite(rows), rows, -1.0), axis=0, return_inverse=True)
    return group.reshape(-1), tuple(_condition_name(*row) for row in distinct)


def _condition_name(
    temperature: float, h: float, ambient: float, flux: float, emissivity: float, radiant: float
) -> str:
    if temperature >= 0:
        return f"held at {temperature:g} K"
    parts = [f"convection h={h:g} W/(m² K), ambient {ambient:g} K"] if h > 0 else []
    parts += [f"radiation ε={emissivity:g}, surroundings {radiant:g} K"] if emissivity > 0 else []
    parts += [f"flux {flux:g} W/m²"] if flux or not parts else []
    return " and ".join(parts)


@dataclass(frozen=True)
class FemSolution:
    """A temperature field on a tetrahedral mesh and the heat that enters through its boundary.

    Attributes:
        mesh: The mesh, in metres.
        nodal: Temperature of each degree of freedom, K.
        element_dofs: The ten degrees of freedom of each tetrahedron, scikit-fem's order.
        facet_heat: Heat that enters through each boundary facet that is not held at a temperature, W.
        held_heat: Heat that enters through each boundary facet held at a temperature, W: the residual of the
            linear system at its degrees of freedom, so that the sum over all facets and the source is zero up
            to the linear solver's tolerance.
        source_heat: Heat released inside, W.
        iterations: Conjugate gradient iterations.
        residual: Final residual over the initial one.
    """

    mesh: TetMesh
    nodal: Float[np.ndarray, "d"]
    element_dofs: Int[np.ndarray, "10 t"]
    facet_heat: Float[np.ndarray, "b"]
    held_heat: Float[np.ndarray, "b"]
    source_heat: float
    iterations: int
    residual: float

    @property
    def dofs(self) -> int:
        """Number of degrees of freedom, those held at a temperature included."""
        return len(self.nodal)

    def value(self, points: Float[np.ndarray, "n 3"]) -> Float[np.ndarray, "n"]:
        """Return the temperature in K at points in metres; see `evaluate` for points outside the mesh."""
        return evaluate(self, points)[0]

    def heat(self, face_group: Int[np.ndarray, "f"], groups: int) -> Float[np.ndarray, "g"]:
        """Return the heat that enters through each group of surface triangles, W."""
        group = face_group[self.mesh.facet_face]
        return np.bincount(group, self.facet_heat + self.held_heat, minlength=groups)

    def area(self, face_group: Int[np.ndarray, "f"], groups: int) -> Float[np.ndarray, "g"]:
        """Return the mesh's boundary area of each group of surface triangles, m²."""
        group = face_group[self.mesh.facet_face]
        return np.bincount(group, face_areas(self.mesh.points, self.mesh.facets), minlength=groups)


def solve_heat(
    mesh: TetMesh,
    conditions: FaceTable,
    conductivity: float | SolidConductivity,
    source: float = 0.0,
    *,
    tolerance: float = TOLERANCE,
) -> FemSolution:
    """Solve steady heat conduction on a tetrahedral mesh.

    Minimises ∫ ∇T·K∇T/2 − qT dV + ∫ h(T − T_ambient)²/2 − flux·T dA over continuous piecewise quadratics
    with the given temperatures on the held facets.

    Args:
        mesh: The mesh, in metres.
        conditions: Boundary data per surface triangle; a facet takes the row of its triangle.
        conductivity: k > 0, W/(m K), or a `SolidConductivity`.
        source: q, W/m³.
        tolerance: Residual at which the linear solver stops, over that of its starting values.

    Returns:
        The field with the heat through every facet.

    Raises:
        ImportError: The extra `fem` is not installed.
        ValueError: k is not positive, or nothing fixes the temperature level (only fluxes are given).
        NotSolved: The linear solver does not converge.
    """
    unit = conductivity.mean if isinstance(conductivity, SolidConductivity) else conductivity
    if not unit > 0:
        raise ValueError(f"conductivity must be positive, got {unit}")
    temperature, h, ambient, flux = (
        np.asarray(column, np.float64)[mesh.facet_face]
        for column in (conditions.temperature, conditions.h, conditions.ambient, conditions.flux)
    )
    held = np.isfinite(temperature)
    h, flux = np.where(held, 0.0, h), np.where(held, 0.0, flux)
    if not held.any() and not (h > 0).any():
        raise ValueError("nothing fixes the temperature: give one patch a temperature or convection")
    level = float(np.mean(np.r_[temperature[held], ambient[h > 0]]))
    scaled = ScaledMesh(mesh)
    biot, slope = h * scaled.length / unit, flux * scaled.length / unit
    outside = np.where(h > 0, ambient - level, 0.0)
    robin, robin_load = scaled.robin(biot, outside)
    source_load = scaled.volume(source * scaled.length**2 / unit)
    load = scaled.load(slope) + robin_load + source_load
    matrix = (scaled.stiffness(conductivity) + robin).tocsr()
    theta, fixed = scaled.held_values(temperature - level, held)
    theta, iterations, residual = solve_linear(matrix, load, theta, fixed, tolerance)
    watts = unit * scaled.length  # from the scaled weak form to W
    reaction = np.where(fixed, matrix @ theta - load, 0.0) * watts
    return FemSolution(
        mesh=mesh,
        nodal=theta + level,
        element_dofs=scaled.inside.element_dofs,
        facet_heat=watts * scaled.facet_integral(biot, slope, outside, theta),
        held_heat=scaled.share_among_held_facets(reaction, held),
        source_heat=watts * float(source_load.sum()),
        iterations=iterations,
        residual=residual,
    )


class ScaledMesh:
    """scikit-fem bases on the mesh scaled to size one, and the integrals over them."""

    def __init__(self, mesh: TetMesh):
        self.fem: Any = fem_package("skfem")
        self.length = float(np.ptp(mesh.points, axis=0).max())
        self.centre = mesh.points.mean(0)
        scaled = (mesh.points - self.centre) / self.length
        tets = self.fem.MeshTet(np.ascontiguousarray(scaled.T), np.ascontiguousarray(mesh.tets.T))
        element = self.fem.ElementTetP2()
        self.facets = _facet_numbers(tets.facets, mesh.facets)
        self.inside = self.fem.Basis(tets, element, intorder=2)
        self.surface = self.fem.FacetBasis(tets, element, facets=self.facets, intorder=4)

    def stiffness(self, conductivity: float | SolidConductivity = 1.0):
        """∫ ∇u·∇v, or ∫ ∇u·K∇v with K over its mean."""
        if isinstance(conductivity, SolidConductivity):
            return solid_stiffness(self, conductivity)
        return self.fem.BilinearForm(lambda u, v, w: (u.grad * v.grad).sum(0)).assemble(self.inside)

    def volume(self, source: float) -> np.ndarray:
        """∫ source v."""
        return self.fem.LinearForm(lambda v, w: source * v).assemble(self.inside)

    def _at_quadrature(self, value: np.ndarray) -> np.ndarray:
        return np.repeat(value[:, None], self.surface.X.shape[-1], axis=1)

    def robin(self, biot: np.ndarray, ambient: np.ndarray):
        """Matrix ∫ Bi u v and vector ∫ Bi ambient v over the boundary."""
        b, a = self._at_quadrature(biot), self._at_quadrature(biot * ambient)
        matrix = self.fem.BilinearForm(lambda u, v, w: w.b * u * v).assemble(self.surface, b=b)
        return matrix, self.fem.LinearForm(lambda v, w: w.a * v).assemble(self.surface, a=a)

    def load(self, flux: np.ndarray) -> np.ndarray:
        """∫ flux v over the boundary."""
        return self.fem.LinearForm(lambda v, w: w.q * v).assemble(self.surface, q=self._at_quadrature(flux))

    def facet_integral(self, biot, flux, ambient, theta) -> np.ndarray:
        """∫ Bi (ambient − θ) + flux over each boundary facet."""
        value = self.surface.interpolate(theta)
        inflow = biot[:, None] * (ambient[:, None] - np.asarray(value)) + flux[:, None]
        return (inflow * self.surface.dx).sum(1)

    def held_values(
        self, value: Float[np.ndarray, "b"], held: Bool[np.ndarray, "b"]
    ) -> tuple[np.ndarray, np.ndarray]:
        """Nodal values on the held facets (0 elsewhere) and the mask of those degrees of freedom.

        Where two held facets with unequal values meet, the shared nodes take the mean.
        """
        dofs = self._facet_dofs()[:, held]
        total, count = np.zeros(self.inside.N), np.zeros(self.inside.N)
        np.add.at(total, dofs, np.broadcast_to(value[held], dofs.shape))
        np.add.at(count, dofs, 1.0)
        return np.divide(total, count, out=np.zeros_like(total), where=count > 0), count > 0

    def share_among_held_facets(self, nodal: np.ndarray, held: Bool[np.ndarray, "b"]) -> np.ndarray:
        """Split what enters at nodes evenly among the held facets around each node."""
        dofs = self._facet_dofs()[:, held]
        count = np.bincount(dofs.ravel(), minlength=self.inside.N)
        heat = np.zeros(len(held))
        heat[held] = (nodal[dofs] / count[dofs]).sum(0)
        return heat

    def _facet_dofs(self) -> np.ndarray:
        """The six degrees of freedom (three corners, three edges) of each boundary facet."""
        numbering, mesh = self.inside.dofs, self.inside.mesh
        corners = numbering.nodal_dofs[0][mesh.facets[:, self.facets]]
        return np.concatenate([corners, numbering.edge_dofs[0][mesh.f2e[:, self.facets]]])


def _facet_numbers(all_facets: np.ndarray, wanted: np.ndarray) -> np.ndarray:
    """Find the column of `all_facets` [3, n] (sorted corners) that holds each wanted facet [b, 3]."""
    base = int(all_facets.max()) + 1

    def key(corners: np.ndarray) -> np.ndarray:
        a, b, c = np.sort(corners, axis=0).astype(np.int64)
        return (a * base + b) * base + c

    keys = key(all_facets)
    order = np.argsort(keys)
    return order[np.searchsorted(keys, key(wanted.T), sorter=order)]


class NotSolved(RuntimeError):
    """The linear solver of the finite elements does not converge: the mesh has tetrahedra that are almost flat."""


def solve_linear(matrix, load, values, fixed, tolerance) -> tuple[np.ndarray, int, float]:
    """Solve for the free degrees of freedom; returns all values, the iterations, the residual ratio."""
    pyamg = fem_package("pyamg")
    free = np.flatnonzero(~fixed)
    right = (load - matrix @ values)[free]
    system = matrix[free][:, free].tocsr()
    hierarchy = pyamg.smoothed_aggregation_solver(system, max_coarse=500)
    residuals: list[float] = []
    solution = values.copy()
    solution[free] = hierarchy.solve(
        right, tol=tolerance, accel="cg", maxiter=_MOST_ITERATIONS, residuals=residuals
    )
    start = float(np.linalg.norm(right))
    final = float(np.linalg.norm(right - system @ solution[free])) / start if start > 0 else 0.0
    if not final < 100 * tolerance:
        raise NotSolved(f"the finite-element solver stopped at a relative residual of {final:.1e}")
    return solution, len(residuals), final


def evaluate(
    solution: FemSolution, points: Float[np.ndarray, "n 3"]
) -> tuple[np.ndarray, Bool[np.ndarray, "n"]]:
    """Evaluate a field at points.

    Args:
        solution: The field.
        points: Where, in metres.

    Returns:
        Temperatures in K, and whether each point lies in the mesh. A point outside gets the value of the
        polynomial of the nearest tetrahedron that was found.
    """
    element = fem_package("skfem").ElementTetP2()
    tet, barycentric = locate(solution.mesh, points)
    value = np.zeros(len(points))
    for i, dof in enumerate(solution.element_dofs):
        value += element.lbasis(barycentric.T[1:], i)[0] * solution.nodal[dof[tet]]
    return value, barycentric.min(1) >= -1e-9
