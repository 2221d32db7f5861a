"""Problems with several materials whose solutions are known in closed form. References are computed with numpy."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import jax.numpy as jnp
import numpy as np
from scipy.optimize import brentq

from geoembed import pinn
from geoembed.sdf import Box, Circle

LAYERS = ((0.12, 0.8), (0.1, 0.04), (0.02, 1.5))  # of a wall: thickness in m, conductivity in W/(m K)
RADIUS = 0.5


@dataclass(frozen=True)
class Case:
    """A problem, points to judge it at and its solution there."""

    problem: pinn.Problem
    points: np.ndarray
    exact: np.ndarray


def wall(resistance: float) -> Case:
    """Brick, wool and plaster between 20 and −5 °C; `resistance` between brick and wool."""
    ends = np.cumsum([0.0, *(thickness for thickness, _ in LAYERS)])
    layers = [pinn.HeatEquation(conductivity) for _, conductivity in LAYERS]
    equations = dict(zip(("brick", "wool", "rest"), layers, strict=True))
    shapes = {"brick": pinn.Interval(-1.0, ends[1]), "wool": pinn.Interval(ends[1], ends[2])}
    conditions: list[Any] = [pinn.Dirichlet("left", 20.0), pinn.Dirichlet("right", -5.0)]
    if resistance:
        conditions.append(pinn.Interface(("brick", "wool"), resistance=resistance))
    problem = pinn.Problem(
        pinn.Interval(0.0, ends[-1]),
        pinn.Materials(shapes, equations),
        conditions,
    )
    x = (np.arange(1000) + 0.5) / 1000 * ends[-1]
    parts = [thickness / conductivity for thickness, conductivity in LAYERS]
    flow = 25.0 / (sum(parts) + resistance)
    passed = sum(
        np.clip(x - start, 0.0, thickness) / conductivity
        for start, (thickness, conductivity) in zip(ends[:-1], LAYERS, strict=True)
    )
    return Case(problem, x[:, None], 20.0 - flow * (passed + resistance * (x > ends[1])))


def cooling(resistance: float, number: int = 1) -> Case:
    """Two layers with zeros at both ends that cool in one of their modes: T = φ(x) exp(−s² t), s by bisection."""
    k, c, end = (1.0, 0.2), (1.0, 0.5), 0.4

    def waves(s: float) -> tuple[float, float]:
        return s * np.sqrt(c[0] / k[0]), s * np.sqrt(c[1] / k[1])

    def lacking(s: float) -> float:
        a, b = waves(s)
        out = k[0] * a * np.cos(a * end)  # of the first layer, for the amplitude 1
        return (np.sin(a * end) + resistance * out) * k[1] * b * np.cos(b * (1 - end)) + out * np.sin(
            b * (1 - end)
        )

    tried = np.linspace(0.05, 15.0, 3000)
    signs = np.array([lacking(s) for s in tried])
    changes = np.flatnonzero(signs[:-1] * signs[1:] < 0)
    s: Any = brentq(lacking, tried[changes[number]], tried[changes[number] + 1], xtol=1e-15)
    a, b = (float(wave) for wave in waves(s))
    other = float(-k[0] * a * np.cos(a * end) / (k[1] * b * np.cos(b * (1 - end))))
    start = {"left": lambda x: jnp.sin(a * x[0]), "rest": lambda x: other * jnp.sin(b * (1 - x[0]))}
    conditions: list[Any] = [pinn.Initial(start), pinn.Dirichlet("all")]
    if resistance:
        conditions.append(pinn.Interface(resistance=resistance))
    equations = [pinn.HeatEquation(own, capacity=capacity) for own, capacity in zip(k, c, strict=True)]
    problem = pinn.Problem(
        pinn.Interval(0.0, 1.0),
        pinn.Materials(
            {"left": pinn.Interval(0.0, end)}, dict(zip(("left", "rest"), equations, strict=True))
        ),
        conditions,
        time=(0.0, 0.2),
    )
    points = np.random.default_rng(0).uniform((0.0, 0.0), (1.0, 0.2), (4000, 2))
    x, t = points.T
    mode = np.where(x < end, np.sin(a * x), other * np.sin(b * (1 - x)))
    return Case(problem, points, mode * np.exp(-(s**2) * t))


def around(ratio: float) -> Callable:
    """The potential on the outer square around a disc in a uniform field, J. C. Maxwell's dipole."""
    share = (1 - ratio) / (1 + ratio) * RADIUS**2
    return lambda x: x[0] + share * x[0] / (x[0] ** 2 + x[1] ** 2)


def disc(ratio: float, equation: pinn.Equation | None = None) -> Case:
    """A disc that conducts `ratio` times as well as the plane; the values on the square are rows."""
    if equation is None:
        equations = {"disc": pinn.Poisson(diffusivity=ratio), "rest": pinn.Poisson()}
        equation = pinn.Materials({"disc": Circle(RADIUS)}, equations)
    conditions: list[Any] = [pinn.Dirichlet("all", around(ratio), hard=False)]
    problem = pinn.Problem(Box([2.0, 2.0]), equation, conditions)
    points = np.random.default_rng(0).uniform(-1.0, 1.0, (8000, 2))
    x, square = points[:, 0], np.sum(points**2, axis=1)
    outside = x * (1 + (1 - ratio) / (1 + ratio) * RADIUS**2 / np.maximum(square, RADIUS**2))
    return Case(problem, points, np.where(square < RADIUS**2, 2 / (1 + ratio) * x, outside))


def blurred(ratio: float, width: float) -> Case:
    """The same as one field with a coefficient that goes from one value to the other within about `width`."""

    def coefficient(x):
        share = 0.5 - 0.5 * jnp.tanh((jnp.sqrt(x[0] ** 2 + x[1] ** 2 + 1e-30) - RADIUS) / (0.5 * width))
        return ratio**share

    return disc(ratio, pinn.Poisson(diffusivity=coefficient))


def abrupt(ratio: float) -> Case:
    """The same as one field with a coefficient that jumps."""

    def coefficient(x):
        return jnp.where(x[0] ** 2 + x[1] ** 2 < RADIUS**2, ratio, 1.0)

    return disc(ratio, pinn.Poisson(diffusivity=coefficient))
