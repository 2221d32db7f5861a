"""The problems of benchmarks/pinn.py: a problem, points with the solution there, and a budget."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import jax.numpy as jnp
import numpy as np
from pinn_references import allen_cahn, burgers, kdv
from pinn_references_cavity import cavity
from pinn_references_planar import (
    HOLES,
    SCREENING,
    darcy_waves,
    heat_darcy,
    heat_multiscale,
    l_shape,
    poisson_boltzmann,
    poisson_holes,
)
from pinn_references_table import darcy_table, heat_darcy_table

from geoembed import pinn, sdf

L_SHAPE = ((-1.0, -1.0), (1.0, -1.0), (1.0, 0.0), (0.0, 0.0), (0.0, 1.0), (-1.0, 1.0))


@dataclass(frozen=True)
class Case:
    """A problem with its reference.

    Args:
        make: Returns the problem, the points (n, d) and the values (n,) there; (n, k) of the first k unknowns.
        budget: Seconds of wall clock, which include compilation.
        bar: The relative L2 error that is asked for; None where it is only stated.
    """

    make: Callable[[], tuple[pinn.Problem, np.ndarray, np.ndarray]]
    budget: float
    bar: float | None


def _burgers(viscosity: float) -> Any:
    found = burgers(viscosity, np.linspace(-1, 1, 256), 0.03 * np.arange(34))
    start = pinn.Initial(lambda x: -jnp.sin(jnp.pi * x[0]))
    equation, domain = pinn.Burgers(viscosity), pinn.Interval(-1.0, 1.0)
    problem = pinn.Problem(domain, equation, [start, pinn.Dirichlet("all")], time=(0.0, 1.0))
    return problem, found.points, found.values


def _allen_cahn() -> Any:
    found = allen_cahn()
    conditions = [pinn.Initial(lambda x: x[0] ** 2 * jnp.cos(jnp.pi * x[0])), pinn.Periodic(0)]
    equation, domain = pinn.AllenCahn(1e-4, 5.0), pinn.Interval(-1.0, 1.0)
    return pinn.Problem(domain, equation, conditions, time=(0.0, 1.0)), found.points, found.values


def _kdv() -> Any:
    found = kdv()
    conditions = [pinn.Initial(lambda x: jnp.cos(jnp.pi * x[0])), pinn.Periodic(0)]
    problem = pinn.Problem(pinn.Interval(-1.0, 1.0), pinn.KdV(), conditions, time=(0.0, 1.0))
    return problem, found.points, found.values


def _l_shape() -> Any:
    """−Δu = 1, u = 0 on the boundary."""
    axis = np.linspace(-0.99, 0.99, 100)
    grid = np.stack(np.meshgrid(axis, axis), axis=-1).reshape(-1, 2)
    found = l_shape(grid[(grid[:, 0] < 0) | (grid[:, 1] < 0)])
    problem = pinn.Problem(sdf.Polygon(L_SHAPE), pinn.Poisson(source=1.0), [pinn.Dirichlet("all")])
    return problem, found.points, found.values


def _outside(holes: Any, half: float) -> np.ndarray:
    """Points of a grid in a square about the origin that lie in no hole."""
    axis = np.linspace(-half, half, 101)
    points = np.stack(np.meshgrid(axis, axis), axis=-1).reshape(-1, 2)
    apart = [np.hypot(points[:, 0] - x, points[:, 1] - y) - radius for x, y, radius in holes]
    return points[np.min(apart, axis=0) >= 0]


def _with_holes(
    holes: Any, half: float, outer: float, inner: float
) -> tuple[sdf.Shape, list[pinn.Dirichlet]]:
    """A square less round holes, with a value on its sides and one on the holes."""
    shape, rims = sdf.Box((2 * half, 2 * half)), []
    for number, (x, y, radius) in enumerate(holes):
        shape = shape - sdf.Circle(radius).translate((x, y))
        rims.append(f"hole {number} rim")
    values = dict.fromkeys(("left", "right", "bottom", "top"), outer) | dict.fromkeys(rims, inner)
    return shape, [pinn.Dirichlet(piece, value) for piece, value in values.items()]


def _holes() -> Any:
    """PINNacle's Poisson2d-C: Δu = 0, 1 on the square, 0 on four holes."""
    holes = [(x, y, 0.1) for x in (-0.3, 0.3) for y in (-0.3, 0.3)]
    found = poisson_holes(_outside(holes, 0.5))
    domain, conditions = _with_holes(holes, 0.5, 1.0, 0.0)
    return pinn.Problem(domain, pinn.Poisson(), conditions), found.points, found.values


def _boltzmann() -> Any:
    """PINNacle's Poisson–Boltzmann in a square with four holes of different sizes."""
    found = poisson_boltzmann(_outside(HOLES, 1.0))

    def source(x: Any) -> Any:
        wave = jnp.sin(jnp.pi * x[0]) * jnp.sin(4 * jnp.pi * x[1])
        return 10 * (17 + x[0] ** 2 + x[1] ** 2) * wave

    domain, conditions = _with_holes(HOLES, 1.0, 0.2, 1.0)
    equation = pinn.Poisson(source=source, reaction=SCREENING**2)
    return pinn.Problem(domain, equation, conditions), found.points, found.values


def _multiscale() -> Any:
    """PINNacle's heat equation with waves of two lengths and diffusivities (500π)⁻² and π⁻², exact."""
    axis, moments = np.linspace(0, 1, 81), np.linspace(0, 5, 11)
    x, y, t = np.meshgrid(axis, axis[::4], moments)
    found = heat_multiscale(np.stack([x.ravel(), y.ravel(), t.ravel()], axis=-1))
    equation = pinn.HeatEquation(np.diag([1 / (500 * np.pi) ** 2, 1 / np.pi**2]), capacity=1.0)
    start = pinn.Initial(lambda x: jnp.sin(20 * jnp.pi * x[0]) * jnp.sin(jnp.pi * x[1]))
    domain = sdf.Box((1.0, 1.0)).translate((0.5, 0.5))
    problem = pinn.Problem(domain, equation, [start, pinn.Dirichlet("all")], time=(0.0, 5.0))
    return problem, found.points, found.values


def _darcy() -> Any:
    """PINNacle's heat equation with a conductivity that varies at random; the waves of `darcy_waves`."""
    found = heat_darcy(_darcy_points())
    waves, factors = darcy_waves()

    def conductivity(x: Any) -> Any:
        phase = 2 * np.pi * jnp.asarray(waves, x.dtype) @ x[:2]
        cosine, sine = jnp.asarray(factors.T, x.dtype)
        return jnp.exp(jnp.cos(phase) @ cosine + jnp.sin(phase) @ sine)

    equation = pinn.HeatEquation(conductivity, _darcy_source, capacity=1.0)
    return _darcy_problem(equation), found.points, found.values


def _darcy_from_table() -> Any:
    """The same with a conductivity that is bilinear between the nodes of a random table."""
    found = heat_darcy_table(_darcy_points())
    nodes = darcy_table()
    last = len(nodes) - 1

    def conductivity(x: Any) -> Any:
        table, place = jnp.asarray(nodes, x.dtype), x[:2] * last
        i, j = jnp.clip(jnp.floor(place).astype(int), 0, last - 1)
        s, t = place[0] - i, place[1] - j
        below = (1 - s) * table[j, i] + s * table[j, i + 1]
        return (1 - t) * below + t * ((1 - s) * table[j + 1, i] + s * table[j + 1, i + 1])

    equation = pinn.HeatEquation(conductivity, _darcy_source, capacity=1.0)
    return _darcy_problem(equation), found.points, found.values


def _darcy_points() -> np.ndarray:
    axis, moments = np.linspace(0, 1, 41), np.linspace(0, 5, 21)
    x, y, t = np.meshgrid(axis, axis, moments)
    return np.stack([x.ravel(), y.ravel(), t.ravel()], axis=-1)


def _darcy_source(x: Any) -> Any:
    return 200 * jnp.sin(jnp.pi * x[0]) * jnp.sin(5 * jnp.pi * x[1]) * jnp.sin(jnp.pi * x[2])


def _darcy_problem(equation: pinn.HeatEquation) -> pinn.Problem:
    domain = sdf.Box((1.0, 1.0)).translate((0.5, 0.5))
    return pinn.Problem(domain, equation, [pinn.Initial(), pinn.Dirichlet("all")], time=(0.0, 5.0))


def _cavity(reynolds: float) -> Any:
    """A lid of speed 1 over a square full of fluid; own finite elements. The pressure is not compared."""
    found = cavity(reynolds)
    walls = [pinn.Dirichlet(side, field="u") for side in ("left", "right", "bottom")]
    lid, through = pinn.Dirichlet("top", 1.0, field="u"), pinn.Dirichlet("all", field="v")
    domain = sdf.Box((1.0, 1.0)).translate((0.5, 0.5))
    problem = pinn.Problem(domain, pinn.NavierStokes2D(1 / reynolds), [lid, *walls, through])
    return problem, found.points, found.values


CASES = {
    "burgers": Case(lambda: _burgers(0.01 / np.pi), 120.0, 1e-5),
    "burgers viscous": Case(lambda: _burgers(0.01), 120.0, 1e-8),
    "l-shape": Case(_l_shape, 120.0, 3e-5),
    "allen-cahn": Case(_allen_cahn, 600.0, 1e-5),
    "kdv": Case(_kdv, 600.0, 1e-5),
    "poisson holes": Case(_holes, 120.0, 1e-3),
    "poisson-boltzmann": Case(_boltzmann, 120.0, 1e-3),
    "heat multiscale": Case(_multiscale, 120.0, 1e-3),
    "heat darcy": Case(_darcy, 120.0, 1e-3),
    "heat darcy table": Case(_darcy_from_table, 120.0, 1e-3),
    "cavity 100": Case(lambda: _cavity(100.0), 120.0, 1e-2),
    "cavity 1000": Case(lambda: _cavity(1000.0), 120.0, 1e-2),
}
