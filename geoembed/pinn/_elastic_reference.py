"""Elastic parts judged by finite elements that share nothing with the solver; see `certify` for the rule."""

import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
from jaxtyping import Float, Int

from ._certificate import Judged, Status, fem_versions, verdict
from ._fem import TOLERANCE, evaluate
from ._fem_adapt import adapt, error_indicator, on_sound_mesh
from ._fem_elasticity import ElasticFemSolution, LoadTable, Material, solve_elasticity
from ._fem_mesh import MeshDeviation, TetMesh, mesh_deviation, sample_mesh
from ._fem_surface import inside_surface
from ._problem import Problem

# The two meshes: tetrahedra from the mesher, and tetrahedra after local refinement.
_COARSE, _FINE = (8_000, 20_000), (16_000, 50_000)
_POINTS = 12_000


@dataclass(frozen=True)
class ElasticReference:
    """Two finite-element solutions of one elastic part, and their values at common points.

    Attributes:
        coarse: Solution on the coarser mesh.
        fine: Solution on the finer mesh, made by a separate run of the mesher.
        points: Points drawn uniformly over the volume, inside both meshes and the surface, m.
        displacement: Values of `fine` there, m.
        agreement: ‖u_coarse − u_fine‖ / ‖u_fine‖ over the points.
        deviation: How far the finer mesh is from the surface, lengths in m.
        forces: Force on the part through each patch, from `fine`, N.
        seconds: Wall time of meshing, solving and evaluating.
    """

    coarse: ElasticFemSolution
    fine: ElasticFemSolution
    points: Float[np.ndarray, "n 3"]
    displacement: Float[np.ndarray, "n 3"]
    agreement: float
    deviation: MeshDeviation
    forces: dict[str, tuple[float, float, float]]
    seconds: float


@dataclass(frozen=True)
class ElasticCertificate(Judged):
    """How far a displacement is from an independent finite-element solution.

    Attributes:
        status: "certified", "failed" or "uncertified", as in `Certificate`.
        text: The verdict in one sentence.
        relative_error: ‖u − u_fem‖ / ‖u_fem‖ over points drawn uniformly over the volume, all components together.
        max_error: Largest distance between the two displacements over the points, m.
        fem_agreement: The same measure between the two finite-element solutions.
        bar: The largest relative error that passes.
        points: Number of points compared.
        deviation: How far the finer mesh is from the surface, lengths in m.
        forces: Force on the part through each patch in the finite-element solution, N.
        dofs: Degrees of freedom on the coarser and the finer mesh.
        tets: Tetrahedra of the coarser and the finer mesh.
        seconds: Wall time of the judge.
        seed: Seed of the points.
        versions: Versions of the packages the judge is made of.
    """

    status: Status
    text: str
    relative_error: float
    max_error: float
    fem_agreement: float
    bar: float
    points: int
    deviation: MeshDeviation
    forces: dict[str, tuple[float, float, float]]
    dofs: tuple[int, int]
    tets: tuple[int, int]
    seconds: float
    seed: int
    versions: dict[str, str]


def elastic_reference(
    problem: Problem,
    *,
    seed: int,
    coarse: tuple[int, int] = _COARSE,
    fine: tuple[int, int] = _FINE,
    points: int = _POINTS,
) -> ElasticReference:
    """Solve an elastic part by finite elements on two meshes.

    Args:
        problem: The problem; its equation is `SteadyElasticity`.
        seed: Seed of the points.
        coarse: Tetrahedra asked of the mesher, and to refine to, for the coarser mesh.
        fine: The same for the finer mesh.
        points: Points to draw; a few fall outside the surface or the coarser mesh and are dropped.

    Returns:
        Both solutions and their values at the points.

    Raises:
        ImportError: The extra `fem` is not installed.
        InputError: No mesh is good enough for the linear solver.
    """
    begin, domain = time.perf_counter(), problem.domain
    vertices, faces = domain.vertices * domain.metres_per_unit, domain.faces
    material = Material(problem.equation.young, problem.equation.poisson, problem.equation.body_force)

    def solve(mesh: TetMesh, tolerance: float = TOLERANCE) -> ElasticFemSolution:
        return solve_elasticity(mesh, problem.face_loads, material, tolerance=tolerance)

    group = _equal_loads(problem.face_loads)

    def adapted(mesh: TetMesh, tets: int) -> ElasticFemSolution:
        return adapt(mesh, vertices, faces, group, solve=solve, indicator=_indicator, tets=tets)

    first, second = (
        on_sound_mesh(vertices, faces, start, lambda mesh, end=end: adapted(mesh, end))
        for start, end in (coarse, fine)
    )
    where = sample_mesh(second.mesh, points, np.random.default_rng(seed))
    where = where[inside_surface(vertices, faces, where)]
    (other, in_coarse), (value, in_fine) = _evaluate(first, where), _evaluate(second, where)
    kept = in_coarse & in_fine
    names = problem.resolved.names
    forces = second.force(problem.resolved.face_patch, len(names))
    return ElasticReference(
        coarse=first,
        fine=second,
        points=where[kept],
        displacement=value[kept],
        agreement=relative_error(other[kept], value[kept]),
        deviation=mesh_deviation(second.mesh, vertices, faces),
        forces={name: (float(f[0]), float(f[1]), float(f[2])) for name, f in zip(names, forces, strict=True)},
        seconds=time.perf_counter() - begin,
    )


def judge_elastic(
    reference: ElasticReference, predict: Callable[[np.ndarray], Any], *, bar: float = 1e-2, seed: int = 0
) -> ElasticCertificate:
    """Compare a displacement with a finite-element reference.

    Args:
        reference: What `elastic_reference` returned.
        predict: Displacements in m, shape [n, 3], at points in m, shape [n, 3].
        bar: Largest relative error that passes.
        seed: The seed the reference's points were drawn with; it is only written down.

    Returns:
        The verdict with its figures.

    Raises:
        ValueError: `predict` returns a wrong shape.
    """
    answer = np.asarray(predict(reference.points), np.float64)
    if answer.shape != reference.displacement.shape:
        raise ValueError(f"predict must return shape {reference.displacement.shape}, got {answer.shape}")
    error = relative_error(answer, reference.displacement)
    status, text = verdict(error, reference.agreement, len(answer), bar)
    return ElasticCertificate(
        status=status,
        text=text,
        relative_error=error,
        max_error=float(np.linalg.norm(answer - reference.displacement, axis=1).max()),
        fem_agreement=reference.agreement,
        bar=bar,
        points=len(answer),
        deviation=reference.deviation,
        forces=reference.forces,
        dofs=(reference.coarse.dofs, reference.fine.dofs),
        tets=(len(reference.coarse.mesh.tets), len(reference.fine.mesh.tets)),
        seconds=reference.seconds,
        seed=seed,
        versions=fem_versions(),
    )


def relative_error(value: Float[np.ndarray, "n 3"], reference: Float[np.ndarray, "n 3"]) -> float:
    """Return ‖value − reference‖ / ‖reference‖; NaN for a reference that vanishes."""
    size = float(np.linalg.norm(reference))
    return float(np.linalg.norm(value - reference)) / size if size > 0 else float("nan")


def _equal_loads(loads: LoadTable) -> Int[np.ndarray, "f"]:
    """The group of each triangle: those with equal loads and supports."""
    rows = np.concatenate([loads.displacement, loads.stiffness, loads.traction], axis=1)
    marked = np.concatenate([np.isfinite(rows), np.nan_to_num(rows)], axis=1)
    return np.unique(marked, axis=0, return_inverse=True)[1].reshape(-1)


def _indicator(solution: ElasticFemSolution) -> Float[np.ndarray, "t"]:
    return np.sum([error_indicator(solution.component(axis)) for axis in range(3)], axis=0)


def _evaluate(solution: ElasticFemSolution, points: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    parts = [evaluate(solution.component(axis), points) for axis in range(3)]
    return np.stack([value for value, _ in parts], axis=1), parts[0][1]
