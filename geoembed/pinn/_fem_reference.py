"""The finite-element reference of a heat problem: solutions on two meshes, compared at common points."""

import math
import time
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from jaxtyping import Float, Int

from ._fem import FaceTable, FemSolution, evaluate, patches_by_condition
from ._fem_adapt import on_sound_mesh, solve_adapted
from ._fem_mesh import MeshDeviation, TetMesh, mesh_deviation, sample_mesh
from ._fem_nonlinear import Conductivity
from ._fem_surface import face_areas, inside_surface

# The two meshes: tetrahedra from the mesher, and tetrahedra after local refinement. The finer has two and a
# half times as many: at rates of N^(-2/3) to N^(-1) their difference is about the finer one's error or more.
COARSE, FINE = (15_000, 70_000), (30_000, 180_000)
_POINTS = 12_000


@dataclass(frozen=True)
class PatchHeat:
    """Heat that enters the part through one patch in the finite-element solution.

    Attributes:
        name: Name of the patch.
        watts: Heat into the part, W.
        area: Area of the patch on the surface, m².
        area_error: Area on the tetrahedral mesh over `area`, minus one.
    """

    name: str
    watts: float
    area: float
    area_error: float


@dataclass(frozen=True)
class FemReference:
    """Two finite-element solutions of one problem, and their values at common points.

    Attributes:
        coarse: Solution on the coarser mesh.
        fine: Solution on the finer mesh, made by a separate run of the mesher.
        points: Points drawn uniformly over the volume, inside both meshes and the surface, m.
        temperature: Values of `fine` there, K.
        agreement: ‖T_coarse − T_fine‖ / ‖T_fine − mean(T_fine)‖ over the points.
        deviation: How far the finer mesh is from the surface, lengths in m.
        heat: Heat through each patch, from `fine`.
        energy_balance: |Σ Q| / Σ Q⁺ over patches and source, from `fine`.
        seconds: Wall time of meshing, solving and evaluating.
    """

    coarse: FemSolution
    fine: FemSolution
    points: Float[np.ndarray, "n 3"]
    temperature: Float[np.ndarray, "n"]
    agreement: float
    deviation: MeshDeviation
    heat: tuple[PatchHeat, ...]
    energy_balance: float
    seconds: float


def fem_reference(
    vertices_m: Float[np.ndarray, "v 3"],
    faces: Int[np.ndarray, "f 3"],
    conditions: FaceTable,
    conductivity: Conductivity,
    source: float,
    *,
    seed: int,
    face_patch: Int[np.ndarray, "f"] | None = None,
    names: Sequence[str] = (),
    coarse: tuple[int, int] = COARSE,
    fine: tuple[int, int] = FINE,
    points: int = _POINTS,
) -> FemReference:
    """Solve a heat problem on two meshes; see `certify_heat` for the problem.

    Args:
        vertices_m: Corners of the closed surface, m.
        faces: Its triangles.
        conditions: Boundary data per triangle.
        conductivity: k, W/(m K): a number, a function of an array of temperatures in K, or a `SolidConductivity`.
        source: q, W/m³.
        seed: Seed of the points.
        face_patch: Patch number of each triangle.
        names: Name of each patch.
        coarse: Tetrahedra asked of the mesher, and to refine to, for the coarser mesh.
        fine: The same for the finer mesh.
        points: Points to draw; a few fall outside the surface or the coarser mesh and are dropped.

    Returns:
        Both solutions and their values at the points.

    Raises:
        InputError: No mesh is good enough for the linear solver.
    """
    begin = time.perf_counter()
    if face_patch is None:
        face_patch, names = patches_by_condition(conditions)

    def solve(mesh: TetMesh, tets: int) -> FemSolution:
        return solve_adapted(mesh, vertices_m, faces, conditions, conductivity, source, tets=tets)

    first, second = (
        on_sound_mesh(vertices_m, faces, start, lambda mesh, end=end: solve(mesh, end))
        for start, end in (coarse, fine)
    )
    where = sample_mesh(second.mesh, points, np.random.default_rng(seed))
    where = where[inside_surface(vertices_m, faces, where)]
    (other, in_coarse), (value, in_fine) = evaluate(first, where), evaluate(second, where)
    kept = in_coarse & in_fine
    heat = _patch_heat(second, vertices_m, faces, face_patch, names)
    return FemReference(
        coarse=first,
        fine=second,
        points=where[kept],
        temperature=value[kept],
        agreement=centred_error(other[kept], value[kept]),
        deviation=mesh_deviation(second.mesh, vertices_m, faces),
        heat=heat,
        energy_balance=energy_balance([patch.watts for patch in heat] + [second.source_heat]),
        seconds=time.perf_counter() - begin,
    )


def centred_error(value: Float[np.ndarray, "n"], reference: Float[np.ndarray, "n"]) -> float:
    """Return ‖value − reference‖ / ‖reference − mean(reference)‖; NaN for a reference that is constant."""
    spread = float(np.linalg.norm(reference - reference.mean()))
    if not spread > 1e-9 * float(np.linalg.norm(reference)):
        return math.nan
    return float(np.linalg.norm(value - reference)) / spread


def energy_balance(heats: Sequence[float]) -> float:
    """Return |Σ Q| / Σ Q⁺ of the heats that enter a part, W; 0 when none flows."""
    entering = sum(heat for heat in heats if heat > 0)
    return abs(sum(heats)) / entering if entering > 0 else float(any(heats))


def _patch_heat(solution, vertices, faces, face_patch, names) -> tuple[PatchHeat, ...]:
    count = len(names)
    true_area = np.bincount(face_patch, face_areas(vertices, faces), minlength=count)
    watts, area = solution.heat(face_patch, count), solution.area(face_patch, count)
    return tuple(
        PatchHeat(name, float(watts[i]), float(true_area[i]), float(area[i] / true_area[i] - 1))
        for i, name in enumerate(names)
    )
