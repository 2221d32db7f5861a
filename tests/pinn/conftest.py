"""Solved problems that several files look at."""

from dataclasses import dataclass
from typing import Any

import jax
import numpy as np
import pytest

from geoembed.pinn import Convection, Problem, Progress, Result, SteadyHeat, Temperature, _solve_part, solve
from tests.pinn.parts import ENDS, box

KEY = jax.random.key(7)
LADDER = {"cells": 600, "first_cells": 200}


@pytest.fixture(scope="session", autouse=True)
def few_heat_points():
    """Heat flows need fewer points in tests than in reports."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(_solve_part, "_HEAT_POINTS", 16_384)
        yield


@dataclass(frozen=True)
class Solved:
    problem: Problem
    result: Result
    reports: list[Progress]
    exact: Any


@pytest.fixture(scope="session")
def slab_problem():
    """x = 0 held at 400 K, x = 0.1 m convecting to 300 K, sides insulated."""
    conditions = [Temperature("left", 400.0), Convection("right", 50.0, 300.0)]
    return Problem(box((0.1, 0.03, 0.03)), SteadyHeat(2.0), conditions, ENDS)


@pytest.fixture(scope="session")
def slab(slab_problem):
    """Solved on two grids without interruption."""
    reports = []
    result = solve(slab_problem, key=KEY, tolerance=0.0, callback=reports.append, **LADDER)
    slope = 100.0 * 50.0 / (2.0 + 50.0 * 0.1)  # flux k s = h (400 − s L − 300)
    return Solved(slab_problem, result, reports, lambda x: 400.0 - slope * x[:, 0])


@pytest.fixture(scope="session")
def points():
    """Fractions of a box."""
    return np.random.default_rng(5).uniform(0, 1, (2000, 3))
