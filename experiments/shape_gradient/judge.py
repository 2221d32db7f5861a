"""Finite elements as the judge: gradients by central differences on two meshes that move with the shape.

A new mesh for each shape would put the noise of meshing into the differences. Here the vertices of one mesh follow the
shape by a map that is exact on its planes and circles, so that the temperature is a smooth function of the parameters
and small steps can be taken. The difference between two meshes says how far the answer is from the right one.
"""

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import numpy as np
import parts

from geoembed.pinn import MeanTemperature, PeakTemperature, Problem, fem_reference
from geoembed.pinn._fem import FemSolution, ScaledMesh, solve_heat
from geoembed.pinn._fem_mesh import TetMesh

Move = Callable[[np.ndarray, Any, Any], np.ndarray]


def meshes(problem: Problem, coarse: tuple[int, int], fine: tuple[int, int]) -> tuple[TetMesh, TetMesh]:
    """Two tetrahedral meshes, in m."""
    domain = problem.domain
    found = fem_reference(
        domain.vertices * 1e-3,
        domain.faces,
        problem.face_conditions,
        problem.equation.conductivity,
        problem.equation.source,
        seed=0,
        coarse=coarse,
        fine=fine,
    )
    print(f"finite elements: the two meshes agree to {found.agreement:.1e}", flush=True)
    return found.coarse.mesh, found.fine.mesh


def solved(problem: Problem, mesh: TetMesh) -> FemSolution:
    equation = problem.equation
    return solve_heat(mesh, problem.face_conditions, equation.conductivity, equation.source)


def functional(problem: Problem, solution: FemSolution, j: MeanTemperature | PeakTemperature) -> float:
    """J of a finite-element solution."""
    mesh = ScaledMesh(solution.mesh)
    if j.over is None:
        basis, chosen = mesh.inside, slice(None)
    else:
        basis, chosen = mesh.surface, problem.resolved.mask(j.over)[solution.mesh.facet_face]
    value, weight = np.asarray(basis.interpolate(solution.nodal))[chosen], np.asarray(basis.dx)[chosen]
    if isinstance(j, MeanTemperature):
        return float(np.sum(weight * value) / np.sum(weight))
    top = value.max()
    return float(top + j.width * np.log(np.sum(weight * np.exp((value - top) / j.width)) / np.sum(weight)))


def differences(
    problem: Problem, mesh: TetMesh, move: Move, old: Any, j: Any, changes: dict[str, tuple[Any, Any, float]]
) -> dict[str, float]:
    """Central differences dJ/dp: for each name the parameters on both sides and the distance between them."""
    found = {}
    for name, (less, more, distance) in changes.items():
        ends = []
        for new in (less, more):
            moved = replace(mesh, points=move(mesh.points * 1e3, old, new) * 1e-3)
            ends.append(functional(problem, solved(problem, moved), j))
        found[name] = (ends[1] - ends[0]) / distance
    return found


def move_sink(points: np.ndarray, old: Any, new: Any) -> np.ndarray:
    """Places, thicknesses and heights of the fins; what is between moves along."""
    (low, _), (high, _) = parts.HEATER
    half, base = parts.PLATE[0] / 2, parts.PLATE[2]

    def planes(p: Any) -> np.ndarray:
        return np.array(
            [-half, half, low, high, *(p["place"] - p["thick"] / 2), *(p["place"] + p["thick"] / 2)]
        )

    order = np.argsort(planes(old), kind="stable")
    before, after = planes(old)[order], planes(new)[order]
    found = points.copy()
    found[:, 0] = np.interp(points[:, 0], before, after)
    for x, thick, h, taller in zip(old["place"], old["thick"], old["height"], new["height"], strict=True):
        here = (np.abs(points[:, 0] - x) < thick / 2 + 1e-3) & (points[:, 2] > base)
        found[here, 2] = base + (points[here, 2] - base) * taller / h
    return found


def move_block(points: np.ndarray, old: Any, new: Any) -> np.ndarray:
    """Centre and radius of the channel, fading out to twice its radius."""
    away = points[:, :2] - old["centre"]
    r, radius = np.linalg.norm(away, axis=1), float(old["radius"])
    fade = np.clip(2 - r / radius, 0.0, 1.0)[:, None]
    change = np.asarray(new["centre"]) - old["centre"] + away * (float(new["radius"]) / radius - 1)
    found = points.copy()
    found[:, :2] += fade * change
    return found
