"""Forces on the patches of an elastic part."""

from typing import Any

import numpy as np
from jaxtyping import Bool, Float

from ..sdf import evaluate
from ._edges import held_faces
from ._elastic_grid import ElasticHeldOut
from ._field import SplineField
from ._heat import layer_weight
from ._problem import Problem
from ._stress import Elasticity, Stress

Force = tuple[float, float, float]


def elastic_evidence(problem: Problem, field: SplineField, points: ElasticHeldOut) -> dict[str, Any]:
    """Returns what a `Result` says about an elastic part beside its displacement."""
    first, shear = problem.equation.lame
    elasticity = Elasticity(first, shear, problem.domain.metres_per_unit)
    forces = patch_forces(problem, field, points, elasticity)
    return {
        "heat": (),
        "energy_balance": force_balance(forces),
        "forces": tuple(forces.items()),
        "elasticity": elasticity,
    }


def patch_forces(
    problem: Problem, field: SplineField, points: ElasticHeldOut, elasticity: Elasticity
) -> dict[str, Force]:
    """Returns the force on the part through each patch and in its volume, in N.

    On free and loaded patches and on springs it is the integral of the traction. On a patch of which a component is
    held (or on springs as stiff), where the stress is singular at the rim, it is the domain integral

        F = ∫ σ ∇χ dV − ∫ χ f dV − ∫_{other faces} χ (σ n) dS

    with a weight χ that falls from 1 on the patch to 0 at a tenth of the part's length from it. All integrals run
    over held-out points and χ is none of the features, so nothing makes the sum vanish but a right solution.

    Args:
        problem: The problem.
        field: The displacement.
        points: Held-out points.
        elasticity: The material.

    Returns:
        Force by patch name, and "body" when there is a force in the volume.
    """
    metres = problem.domain.metres_per_unit
    held, faces = held_faces(problem), points.surface.faces
    pull = np.where(held[faces][:, None], np.nan, _pull(problem, field, points))
    area = points.surface.weights * problem.scales.metres**2
    patch = problem.resolved.face_patch
    forces: dict[str, Force] = {}
    for number, name in enumerate(problem.resolved.names):
        mine = patch == number
        if not mine.any():
            continue
        if held[mine].any():
            force = _through_held(problem, field, points, elasticity, mine, pull, area)
        else:
            force = (pull * area[:, None])[patch[faces] == number].sum(axis=0)
        forces[name] = _vector(force)
    weight = np.array(problem.equation.body_force)
    if weight.any():
        forces["body"] = _vector(weight * float(points.interior.weights.sum()) * metres**3)
    return forces


def force_balance(forces: dict[str, Force]) -> float:
    """Returns |Σ F| / Σ |F|: 0 when the forces cancel or there are none."""
    sizes = sum(float(np.linalg.norm(force)) for force in forces.values())
    return float(np.linalg.norm(np.sum(list(forces.values()), axis=0))) / sizes if sizes > 0 else 0.0


def _vector(force: Float[np.ndarray, "3"]) -> Force:
    return float(force[0]), float(force[1]), float(force[2])


def _pull(problem: Problem, field: SplineField, points: ElasticHeldOut) -> Float[np.ndarray, "n 3"]:
    """The traction at the surface points by the conditions, Pa."""
    table, faces = problem.face_loads, points.surface.faces
    return table.traction[faces] - table.stiffness[faces] * evaluate(field, points.surface.points)


def _through_held(
    problem: Problem,
    field: SplineField,
    points: ElasticHeldOut,
    elasticity: Elasticity,
    patch: Bool[np.ndarray, " f"],
    pull: Float[np.ndarray, "n 3"],
    area: Float[np.ndarray, " n"],
) -> Float[np.ndarray, "3"]:
    metres, weight = problem.domain.metres_per_unit, np.array(problem.equation.body_force)
    others = held_faces(problem) & ~patch
    chi, slope = layer_weight(problem, patch, others, points.interior.points)
    near = np.flatnonzero(chi > 0)
    stress = evaluate(Stress(field, elasticity), points.interior.points[near])
    volume = points.interior.weights[near] * metres**3
    pulled = np.einsum("nij,nj->ni", stress, slope[near] / metres) - chi[near][:, None] * weight
    on_surface, _ = layer_weight(problem, patch, others, points.surface.points)
    return volume @ pulled - np.nansum((area * on_surface)[:, None] * pull, axis=0)
