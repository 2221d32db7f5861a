"""Finite elements as the judge: gradients by central differences on meshes that move with the shape.

A new mesh for each shape would put the noise of meshing into the differences. Here one mesh follows the shape, so that
the temperature is a smooth function of the parameters and small steps can be taken. The difference between two meshes
says how far the answer is from the right one.

The heat sink is a grid of bricks between its planes, six tetrahedra each, finer towards the planes, where edges are:
the borders of the heater are sides of elements, and half of the symmetric part is enough. The block has meshes of the
mesher, whose vertices around the channel move with it; no patch has a border there.
"""

import itertools
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import parts

from geoembed.pinn import MeanTemperature, PeakTemperature, Problem, fem_reference
from geoembed.pinn._fem import FemSolution, ScaledMesh, solve_heat
from geoembed.pinn._fem_mesh import TetMesh, boundary_facets

Peak = MeanTemperature | PeakTemperature


@dataclass(frozen=True)
class Model:
    """A mesh in m for any parameters, with the conditions of its facets and which of them are the patch of J."""

    mesh_of: Callable[[Any], TetMesh]
    conditions: Any
    problem: Problem

    def solved(self, p: Any) -> FemSolution:
        equation = self.problem.equation
        return solve_heat(self.mesh_of(p), self.conditions, equation.conductivity, equation.source)

    def value(self, p: Any, j: Peak) -> float:
        return functional(self.solved(p), j)

    def differences(self, changes: dict[str, tuple[Any, Any, float]], j: Peak) -> dict[str, float]:
        """dJ/dp: for each name the parameters on both sides and the distance between them."""
        return {
            name: (self.value(more, j) - self.value(less, j)) / distance
            for name, (less, more, distance) in changes.items()
        }


def functional(solution: FemSolution, j: Peak) -> float:
    """J over the volume of a finite-element solution."""
    basis = ScaledMesh(solution.mesh).inside
    value, weight = np.asarray(basis.interpolate(solution.nodal)), np.asarray(basis.dx)
    if isinstance(j, MeanTemperature):
        return float(np.sum(weight * value) / np.sum(weight))
    top = value.max()
    return float(top + j.width * np.log(np.sum(weight * np.exp((value - top) / j.width)) / np.sum(weight)))


# --- the block: meshes of the mesher ---------------------------------------------------------------------------------


def block_models(p: Any, coarse: tuple[int, int], fine: tuple[int, int]) -> list[Model]:
    problem = parts.block_problem(p)
    domain, equation = problem.domain, problem.equation
    found = fem_reference(
        domain.vertices * 1e-3,
        domain.faces,
        problem.face_conditions,
        equation.conductivity,
        equation.source,
        seed=0,
        coarse=coarse,
        fine=fine,
    )

    def model(mesh: TetMesh) -> Model:
        return Model(
            lambda new: replace(mesh, points=move_block(mesh.points * 1e3, p, new) * 1e-3),
            problem.face_conditions,
            problem,
        )

    return [model(found.coarse.mesh), model(found.fine.mesh)]


def move_block(points: np.ndarray, old: Any, new: Any) -> np.ndarray:
    """Centre and radius of the channel, fading out to twice its radius."""
    away = points[:, :2] - old["centre"]
    r, radius = np.linalg.norm(away, axis=1), float(old["radius"])
    fade = np.clip(2 - r / radius, 0.0, 1.0)[:, None]
    change = np.asarray(new["centre"]) - old["centre"] + away * (float(new["radius"]) / radius - 1)
    found = points.copy()
    found[:, :2] += fade * change
    return found


# --- the heat sink: bricks between its planes ------------------------------------------------------------------------


@dataclass(frozen=True)
class Table:
    """Conditions of facets, SI units."""

    temperature: np.ndarray
    h: np.ndarray
    ambient: np.ndarray
    flux: np.ndarray


def sink_model(p: Any, size: float) -> Model:
    """Half of the heat sink.

    Args:
        p: The parameters; others must have the planes in the same order, and equal heights stay equal.
        size: About how large the bricks are, mm.
    """
    bricks = _Bricks(p, size)
    points = bricks.points(p)
    facets, owner = boundary_facets(bricks.tets)
    middle = points[facets].mean(axis=1)
    (low, _), (high, right) = parts.HEATER
    heated = (middle[:, 2] < 1e-9) & (middle[:, 0] > low) & (middle[:, 0] < high) & (middle[:, 1] < right)
    cut = middle[:, 1] < 1e-9
    air = ~heated & ~cut
    table = Table(
        np.full(len(facets), np.nan),
        np.where(air, parts.AIR["h"], 0.0),
        np.where(air, parts.AIR["ambient"], 0.0),
        np.where(heated, parts.FLUX, 0.0),
    )

    def mesh_of(new: Any) -> TetMesh:
        return TetMesh(bricks.points(new) * 1e-3, bricks.tets, facets, np.arange(len(facets)), owner)

    return Model(mesh_of, table, parts.sink_problem(p))


class _Bricks:
    """Tetrahedra between planes that move; each fin has its own heights."""

    def __init__(self, p: Any, size: float):
        x = self._planes(p)
        self.order = np.argsort(x, kind="stable")
        x = x[self.order]
        half, right, base = parts.PLATE[1] / 2, parts.HEATER[1][1], parts.PLATE[2]
        self.shares = [_shares(b - a, size) for a, b in itertools.pairwise(x)]
        self.y = np.concatenate(
            [right * _shares(right, size)[:-1], right + (half - right) * _shares(half - right, size)]
        )
        self.z = base * _shares(base, size)
        self.up = _shares(12.0, size)[1:]  # in the fins
        grid_x = self._lines(p)
        middle = 0.5 * (grid_x[1:] + grid_x[:-1])
        away = np.abs(middle[:, None] - p["place"][None])
        self.fin = np.where((away < p["thick"][None] / 2).any(axis=1), away.argmin(axis=1), -1)
        shape = (len(grid_x), len(self.y), len(self.z) + len(self.up))
        solid = np.ones([n - 1 for n in shape], bool)
        solid[self.fin < 0, :, len(self.z) - 1 :] = False
        number = np.arange(np.prod(shape)).reshape(shape)
        corner = np.argwhere(solid)
        tets = []
        for path in itertools.permutations(np.eye(3, dtype=int)):
            steps = np.cumsum([np.zeros(3, int), *path], axis=0)
            tet = np.stack([number[tuple((corner + step).T)] for step in steps], axis=1)
            odd = np.linalg.det(np.stack(path)) < 0
            tets.append(tet[:, [0, 1, 3, 2]] if odd else tet)
        self.used, tets = np.unique(np.concatenate(tets), return_inverse=True)
        self.tets, self.shape = tets.reshape(-1, 4), shape

    def points(self, p: Any) -> np.ndarray:
        """The vertices, mm."""
        x, base = self._lines(p), parts.PLATE[2]
        owner = np.full(len(x), -1)  # the fin that a vertical line belongs to, its sides included
        for cell, fin in enumerate(self.fin):
            if fin >= 0:
                owner[[cell, cell + 1]] = fin
        height = np.where(owner >= 0, np.asarray(p["height"])[owner], 12.0)
        z = np.concatenate(
            [np.broadcast_to(self.z, (len(x), len(self.z))), base + height[:, None] * self.up], axis=1
        )
        found = np.empty((*self.shape, 3))
        found[..., 0], found[..., 1], found[..., 2] = x[:, None, None], self.y[None, :, None], z[:, None]
        return found.reshape(-1, 3)[self.used]

    def _planes(self, p: Any) -> np.ndarray:
        half, (low, _), (high, _) = parts.PLATE[0] / 2, *parts.HEATER
        return np.array(
            [-half, half, low, high, *(p["place"] - p["thick"] / 2), *(p["place"] + p["thick"] / 2)]
        )

    def _lines(self, p: Any) -> np.ndarray:
        x = self._planes(p)[self.order]
        lines = [
            a + (b - a) * share[:-1] for (a, b), share in zip(itertools.pairwise(x), self.shares, strict=True)
        ]
        return np.append(np.concatenate(lines), x[-1])


def _shares(length: float, size: float) -> np.ndarray:
    """0…1 in steps that are shorter towards both ends."""
    count = max(2, int(np.ceil(length / size)))
    even = np.linspace(0.0, 1.0, count + 1)
    return 0.3 * even + 0.7 * 0.5 * (1 - np.cos(np.pi * even))
