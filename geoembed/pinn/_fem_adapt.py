"""Local refinement where the finite-element solution needs it: re-entrant edges and borders between patches.

At a re-entrant edge or at a border between a held and a free patch the gradient is unbounded, and on uniform
meshes of N tetrahedra the error falls only like N^(-4/9) or slower. Bisecting the tetrahedra with the largest
error indicator about doubles that exponent.
"""

from collections.abc import Callable
from typing import TypeVar

import numpy as np
from jaxtyping import Float, Int

from ..core import InputError
from ._fem import TOLERANCE, FaceTable, FemSolution, NotSolved, patches_by_condition, solve_heat
from ._fem_mesh import TetMesh, fem_package, tet_volumes, tetrahedralise
from ._fem_nonlinear import Conductivity, is_nonlinear, solve_nonlinear_heat
from ._fem_refine import refine, resolve_borders

# Largest share of the tetrahedra that is marked in a round, and how many are added for each one marked, as
# neighbours have to follow.
_MARKED, _GROWTH = 0.15, 3
# A last round for the missing tenth would cost more than it gains.
_NEAR_ENOUGH = 0.9
# Tolerance of the linear solver on the way.
_ROUGH = 1e-5
_TRIES = 3  # meshes, before the judge gives up

Solution = TypeVar("Solution")


def error_indicator(solution: FemSolution) -> Float[np.ndarray, "t"]:
    """Return an estimate of ∫ |∇T − ∇T_h|² over each tetrahedron, K² m.

    The gradient at each vertex is averaged over the tetrahedra around it, weighted by volume; the difference
    between this recovered gradient and the one computed in the tetrahedron estimates the error.

    References:
        O. C. Zienkiewicz and J. Z. Zhu, A simple error estimator and adaptive procedure for practical
        engineering analysis, Int. J. Numer. Methods Eng. 24 (1987), 337-357.
    """
    mesh = solution.mesh
    gradient, volume = _corner_gradients(solution), tet_volumes(mesh.points, mesh.tets)
    weight = np.bincount(mesh.tets.ravel(), np.repeat(volume, 4), minlength=len(mesh.points))
    recovered = np.empty((len(mesh.points), 3))
    for i in range(3):
        total = np.bincount(mesh.tets.ravel(), (volume[:, None] * gradient[..., i]).ravel(), len(mesh.points))
        recovered[:, i] = total / np.where(weight > 0, weight, 1.0)
    return volume * ((recovered[mesh.tets] - gradient) ** 2).sum(2).mean(1)


def _corner_gradients(solution: FemSolution) -> Float[np.ndarray, "t 4 3"]:
    """Return ∇T_h at the four corners of every tetrahedron."""
    element = fem_package("skfem").ElementTetP2()
    corners = np.array([[0.0, 1, 0, 0], [0, 0, 1, 0], [0, 0, 0, 1]])
    local = np.zeros((solution.element_dofs.shape[1], 4, 3))
    for i, dof in enumerate(solution.element_dofs):
        local += solution.nodal[dof][:, None, None] * element.lbasis(corners, i)[1].T
    corner = solution.mesh.points[solution.mesh.tets]
    inverse = np.linalg.inv((corner[:, 1:] - corner[:, :1]).transpose(0, 2, 1))
    return np.einsum("tkj,tji->tki", local, inverse)


def solve_adapted(
    mesh: TetMesh,
    vertices: Float[np.ndarray, "v 3"],
    faces: Int[np.ndarray, "f 3"],
    conditions: FaceTable,
    conductivity: Conductivity,
    source: float,
    *,
    tets: int,
) -> FemSolution:
    """Refine along smooth patch borders, then by the error indicator, up to about `tets` tetrahedra.

    The borders get up to half of the tetrahedra. Only the last of the solutions is solved to full accuracy;
    the others say where to refine.
    """

    def solve(mesh: TetMesh, tolerance: float) -> FemSolution:
        if is_nonlinear(conditions, conductivity):
            return solve_nonlinear_heat(mesh, conditions, conductivity, source, tolerance=tolerance)
        return solve_heat(mesh, conditions, conductivity, source, tolerance=tolerance)  # pyright: ignore

    group = patches_by_condition(conditions)[0]
    return adapt(mesh, vertices, faces, group, solve=solve, indicator=error_indicator, tets=tets)


def on_sound_mesh(
    vertices: Float[np.ndarray, "v 3"],
    faces: Int[np.ndarray, "f 3"],
    tets: int,
    solve: Callable[[TetMesh], Solution],
) -> Solution:
    """What `solve` returns for a mesh of a surface; where almost flat tetrahedra stop it, for another one.

    Args:
        vertices: Corners of the closed surface.
        faces: Its triangles.
        tets: Tetrahedra asked of the mesher.
        solve: Solves on a mesh, or refines it and solves.

    Raises:
        InputError: No mesh was good enough.
    """
    for attempt in range(_TRIES):
        mesh = tetrahedralise(vertices, faces, tets=tets + attempt * tets // 10)
        try:
            return solve(mesh)
        except NotSolved as error:
            last = error
    raise InputError(
        "certify",
        "finite elements",
        f"{last} on each of {_TRIES} meshes",
        "The answer is kept; judge it again, or mend slivers of the surface (geoembed inspect)",
    )


def adapt(
    mesh: TetMesh,
    vertices: Float[np.ndarray, "v 3"],
    faces: Int[np.ndarray, "f 3"],
    group: Int[np.ndarray, "f"],
    *,
    solve: Callable[[TetMesh, float], Solution],
    indicator: Callable[[Solution], Float[np.ndarray, "t"]],
    tets: int,
) -> Solution:
    """Refine along the smooth borders of groups of triangles, then by an indicator; see `solve_adapted`.

    Args:
        mesh: The first mesh.
        vertices: Corners of the surface.
        faces: Its triangles.
        group: The group of each triangle: those with equal conditions.
        solve: Solves on a mesh to a tolerance.
        indicator: Estimates the error of a solution in each tetrahedron.
        tets: Tetrahedra of the last mesh, about.

    Returns:
        The solution on the last mesh.
    """
    mesh = resolve_borders(mesh, vertices, faces, group, tets=tets // 2)
    while len(mesh.tets) < _NEAR_ENOUGH * tets:
        worst_last = np.argsort(indicator(solve(mesh, _ROUGH)))
        count = min(int(_MARKED * len(mesh.tets)), (tets - len(mesh.tets)) // _GROWTH) + 1
        mesh = refine(mesh, worst_last[-count:], vertices, faces)
    return solve(mesh, TOLERANCE)
