"""A small solved problem that tests of pictures and files share."""

import functools

import jax
import numpy as np

from geoembed.pinn import Convection, Problem, Result, SteadyHeat, Temperature, solve
from geoembed.sdf import MeshSDF, facing, mesh_sdf

HEIGHT = 12.0
CORNERS = np.array([[0, 0], [30, 0], [30, 10], [10, 10], [10, 30], [0, 30]], float)  # an L, anticlockwise, mm
AREA, PERIMETER = 500.0, 120.0  # of the L


def angle_part() -> MeshSDF:
    """An L-shaped prism, 30 x 30 x 12 mm, with walls of 10 mm."""
    top = [(0, 1, 2), (0, 2, 3), (0, 3, 4), (0, 4, 5)]  # all of the L is seen from its first corner
    n = len(CORNERS)
    sides = [(i, (i + 1) % n, n + (i + 1) % n) for i in range(n)]
    sides += [(i, n + (i + 1) % n, n + i) for i in range(n)]
    faces = [*((a + n, b + n, c + n) for a, b, c in top), *((c, b, a) for a, b, c in top), *sides]
    vertices = np.concatenate([np.insert(CORNERS, 2, z, axis=1) for z in (0.0, HEIGHT)])
    return mesh_sdf(vertices, np.array(faces), unit="mm")


def in_angle(points: np.ndarray, margin: float = 0.0) -> np.ndarray:
    """Whether points lie in the prism, by its definition; a negative margin asks for points well inside."""
    x, y, z = points.T
    low, high = -margin, margin
    one = (x >= low) & (x <= 30 + high) & (y >= low) & (y <= 10 + high)
    two = (x >= low) & (x <= 10 + high) & (y >= low) & (y <= 30 + high)
    return (one | two) & (z >= low) & (z <= HEIGHT + high)


@functools.cache
def solved_angle(cells: int = 1500) -> tuple[Problem, Result]:
    """The prism, hot where it faces −y, cooled by air elsewhere."""
    problem = Problem(
        domain=angle_part(),
        equation=SteadyHeat(conductivity=0.5),
        conditions=[Temperature("hot", 350.0), Convection("rest", 25.0, 293.0)],
        patches={"hot": facing((0, -1, 0))},
    )
    return problem, solve(problem, key=jax.random.key(0), cells=cells, first_cells=cells)
