"""How much heat passes through each patch of a part."""

import numpy as np
from jaxtyping import Bool, Float

from ..sdf import MeshSDF, mesh_sdf, value_and_gradient
from ._conditions import FaceConditions
from ._edges import held_faces
from ._field import SplineField
from ._heldout import HeldOut
from ._problem import Problem

_DEPTH = 0.1  # of the part's length: how deep the layer is in which heat through a held patch is measured


def heat_flows(problem: Problem, field: SplineField, points: HeldOut) -> dict[str, float]:
    """Returns the heat that enters through each patch and from the source, in W.

    On convecting patches it is ∫ h (ambient − T) dS, on radiating ones ∫ ε σ (ambient⁴ − T⁴) dS, on flux patches what
    is prescribed. On a patch held at a
    temperature (or by convection with a Biot number above 100), where ∂T/∂n is singular at the rim, it is the domain
    integral

        Q = ∫ K ∇T·∇χ dV − ∫ χ q dV − ∫_{other faces} χ (n·K ∇T) dS

    with a weight χ that falls from 1 on the patch to 0 at a tenth of the part's length from it. All integrals run
    over held-out points and χ is none of the features, so nothing makes the sum vanish but a right solution.

    Args:
        problem: The problem.
        field: The temperature.
        points: Held-out points.

    Returns:
        Heat into the part by patch name, and "source" when heat is released inside.

    References:
        G. F. Carey, S. S. Chow, M. K. Seager, Comput. Methods Appl. Mech. Eng. 50 (1985) 107 (boundary fluxes from
        domain integrals).
    """
    metres, source = problem.domain.metres_per_unit, problem.equation.source
    flows = patch_flows(problem, field, points, problem.face_conditions, source)
    if source != 0:
        flows["source"] = source * float(points.interior.weights.sum()) * metres**3
    return flows


def patch_flows(
    problem: Problem,
    field: SplineField,
    points: HeldOut,
    table: FaceConditions,
    released: float | Float[np.ndarray, " n"],
) -> dict[str, float]:
    """Returns the heat that enters through each patch; see `heat_flows`.

    Args:
        problem: The problem.
        field: The temperature, or its integral over the time.
        points: Held-out points.
        table: The conditions of the faces, or their integrals over the time.
        released: Heat released at the points inside, W/m³, less what they store, or the integral of both.
    """
    metres = problem.domain.metres_per_unit
    inflow = _surface_inflow(problem, field, points, table)  # W/m² into the part; nan on held faces
    area = points.surface.weights * (problem.scales.length * metres) ** 2
    patch = problem.resolved.face_patch[points.surface.faces]
    held = held_faces(problem)
    flows = {}
    for number, name in enumerate(problem.resolved.names):
        of_patch = problem.resolved.face_patch == number
        if not of_patch.any():
            continue
        if held[of_patch].any():
            flows[name] = _through_held(problem, field, points, of_patch, inflow, area, released)
        else:
            flows[name] = float(np.sum((inflow * area)[patch == number]))
    return flows


def energy_balance(flows: dict[str, float]) -> float:
    """Returns |Σ Q| / Σ Q⁺: 0 when as much heat leaves as enters or nothing flows, inf when heat only leaves."""
    entering = sum(max(flow, 0.0) for flow in flows.values())
    lost = abs(sum(flows.values()))
    if lost == 0:
        return 0.0
    return lost / entering if entering > 0 else float("inf")


def _surface_inflow(
    problem: Problem, field: SplineField, points: HeldOut, table: FaceConditions
) -> Float[np.ndarray, " n"]:
    faces = points.surface.faces
    temperature, _ = value_and_gradient(field, points.surface.points)
    return np.where(held_faces(problem)[faces], np.nan, table.inflow(faces, temperature))


def _through_held(
    problem: Problem,
    field: SplineField,
    points: HeldOut,
    of_patch: Bool[np.ndarray, " f"],
    inflow: Float[np.ndarray, " n"],
    area: Float[np.ndarray, " n"],
    released: float | Float[np.ndarray, " n"],
) -> float:
    """The domain integral of `heat_flows`.

    Where another held patch comes into the layer its flux is unknown, so χ is made to vanish there: with a and b
    the distances from this and from the other held patches, χ = max(0, 1 − a/min(depth, (a + b)/2)). It vanishes
    half-way already: weights that overlap could sum to 1, and then the flows would balance for any temperature.
    """
    metres = problem.domain.metres_per_unit
    others = held_faces(problem) & ~of_patch
    chi, slope = layer_weight(problem, of_patch, others, points.interior.points)
    temperature, gradient = value_and_gradient(field, points.interior.points)
    volume = points.interior.weights * metres**3
    heat = problem.conduction.heat(points.interior.points, temperature, gradient)
    conducted = np.sum(heat * slope, axis=1) / metres**2
    inside = float(np.sum(volume * (conducted - released * chi)))
    on_surface, _ = layer_weight(problem, of_patch, others, points.surface.points)
    return inside - float(np.nansum(area * on_surface * inflow))


def layer_weight(
    problem: Problem,
    patch: Bool[np.ndarray, " f"],
    others: Bool[np.ndarray, " f"],
    points: Float[np.ndarray, "n 3"],
) -> tuple[Float[np.ndarray, " n"], Float[np.ndarray, "n 3"]]:
    """Returns the weight χ of `heat_flows` for some faces at points, and its gradient.

    Args:
        problem: The problem.
        patch: The faces on which it is 1.
        others: Faces on which it is to vanish.
        points: Points, in the part's unit.
    """
    depth = _DEPTH * problem.scales.length
    a, grad_a = _distance_to(problem.domain, patch, points)
    reach, grad_reach = np.full(len(points), depth), np.zeros((len(points), 3))
    if others.any():
        b, grad_b = _distance_to(problem.domain, others, points)
        near = a + b < 2 * depth
        reach = np.where(near, 0.5 * (a + b), reach)
        grad_reach = np.where(near[:, None], 0.5 * (grad_a + grad_b), grad_reach)
    reach = np.maximum(reach, 1e-12 * depth)
    inside = a < reach
    chi = np.where(inside, 1 - a / reach, 0.0)
    slope = -grad_a / reach[:, None] + grad_reach * (a / reach**2)[:, None]
    return chi, np.where(inside[:, None], slope, 0.0)


def _distance_to(
    domain: MeshSDF, patch: Bool[np.ndarray, " f"], points: Float[np.ndarray, "n 3"]
) -> tuple[Float[np.ndarray, " n"], Float[np.ndarray, "n 3"]]:
    """Unsigned distance to some faces, and its gradient."""
    distance, normal = value_and_gradient(
        mesh_sdf(domain.vertices, domain.faces[patch], unit=domain.unit), points
    )
    return np.abs(distance), np.sign(distance)[:, None] * normal
