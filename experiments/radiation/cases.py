"""The parts of the experiment, and what their temperatures are."""

import os
from pathlib import Path

import numpy as np
import trimesh
from scipy.integrate import solve_bvp

from geoembed.pinn import ConductivityTable, Convection, HeatFlux, Problem, Radiation, SteadyHeat, Temperature
from geoembed.sdf import facing, in_box, load_mesh, mesh_sdf

SIGMA = 5.670374419e-8
# AISI 304, F. P. Incropera, D. P. DeWitt, Fundamentals of Heat and Mass Transfer, table A.1.
STEEL = ConductivityTable((200.0, 400.0, 600.0, 800.0, 1000.0, 1200.0), (12.6, 16.6, 19.8, 22.6, 25.4, 28.0))
LENGTH, WIDTH = 0.1, 0.03  # of the slab, m
HOT, AROUND, EMISSIVITY = 1000.0, 300.0, 0.8
INNER, OUTER, FLUX = 0.5, 1.0, 40_000.0  # of the shell, m, m, W/m²
FAR = 1000.0


def slab(linear: bool = False) -> Problem:
    """A bar of steel that releases heat, held at one end, radiating at the other."""
    box = trimesh.creation.box(extents=(LENGTH, WIDTH, WIDTH))
    part = mesh_sdf(np.asarray(box.vertices) + np.array([LENGTH / 2, 0, 0]), np.asarray(box.faces), unit="m")
    ends = {"left": facing((-1, 0, 0)), "right": facing((1, 0, 0))}
    return _problem(part, ends, [Temperature("left", HOT)], "right", 2e5, True, linear)


def slab_temperature(points: np.ndarray) -> np.ndarray:
    """The solution of the ordinary differential equation along the bar, by collocation."""

    def slopes(x, y):  # temperature and heat flow k T'
        return np.stack([y[1] / STEEL(y[0]), np.full_like(x, -2e5)])

    def ends(left, right):
        return np.array([left[0] - HOT, right[1] + EMISSIVITY * SIGMA * (right[0] ** 4 - AROUND**4)])

    x = np.linspace(0, LENGTH, 2001)
    first = np.stack([np.linspace(HOT, 0.8 * HOT, len(x)), np.full_like(x, -3e4)])
    found = solve_bvp(slopes, ends, x, first, tol=1e-9, max_nodes=200_000)
    assert found.success, found.message
    return found.sol(points[:, 0])[0]


def shell(linear: bool = False) -> Problem:
    """A hollow ball, heated from inside, that radiates to its surroundings."""
    out, hole = (trimesh.creation.icosphere(subdivisions=4, radius=radius) for radius in (OUTER, INNER))
    for ball, radius in ((out, OUTER), (hole, INNER)):
        ball.apply_scale(np.sqrt(4 * np.pi * radius**2 / ball.area))  # the area that heats and radiates
    faces = np.concatenate([out.faces, hole.faces[:, ::-1] + len(out.vertices)])
    part = mesh_sdf(np.concatenate([out.vertices, hole.vertices]), faces, unit="m")
    edge = 0.55 * np.ones(3)  # every corner of the outer ball is farther out
    patches = {"inside": in_box(tuple(-edge), tuple(edge))}
    return _problem(part, patches, [HeatFlux("inside", FLUX)], "rest", 0.0, False, linear)


def shell_temperature(points: np.ndarray) -> np.ndarray:
    """T = T_o + (Q/4πk)(1/r − 1/r_o), with ε σ (T_o⁴ − T_r⁴) 4π r_o² = Q."""
    watts = 4 * np.pi * INNER**2 * FLUX
    surface = (watts / (4 * np.pi * OUTER**2 * EMISSIVITY * SIGMA) + AROUND**4) ** 0.25
    r = np.linalg.norm(points, axis=1)
    return surface + watts / (4 * np.pi * STEEL.mean) * (1 / r - 1 / OUTER)


def bracket(varies: bool, linear: bool = False) -> Problem:
    """The bracket of steel, hot at its back, that radiates everywhere else."""
    data = os.environ.get("GEOEMBED_DATA")
    if not data:
        raise SystemExit("GEOEMBED_DATA is not set: it names the folder with the mesh")
    part = load_mesh(Path(data) / "sdf" / "bracket_gen.stl", unit="mm")
    wall = {"wall": facing((-1, 0, 0), angle=5) & in_box((-0.01, -FAR, -FAR), (0.01, FAR, FAR))}
    return _problem(part, wall, [Temperature("wall", HOT)], "rest", 0.0, varies, linear)


def _problem(part, patches, conditions, radiating, source, varies, linear) -> Problem:
    """The problem, or what a linear solver would be given in its place: h = 4 ε σ T_m³ and the mean k."""
    middle = 0.5 * (HOT + AROUND)
    k = STEEL if varies and not linear else (float(STEEL(middle)) if varies else STEEL.mean)
    if linear:
        away = Convection(radiating, h=4 * EMISSIVITY * SIGMA * middle**3, ambient=AROUND)
    else:
        away = Radiation(radiating, EMISSIVITY, AROUND)
    return Problem(part, SteadyHeat(k, source), [*conditions, away], patches)
