"""Meshes of intervals and of domains in the plane, for the finite-element judge.

In the plane: points on the outline, a hexagonal lattice inside, Delaunay's triangles between them; then triangles are
divided towards corners and where conditions change. Round pieces have curved (quadratic) triangles.
"""

from typing import Any

import numpy as np
from jaxtyping import Float, Int

from ._domains._domain import Domain
from ._fem_field_form import NoReference
from ._fem_field_outline import Loop, loops
from ._fem_mesh import fem_package
from ._fem_refine import unnoticed

_HALVINGS = 7  # of the intervals at the ends
_SLOPE = 0.3  # of the size of triangles against the distance from a corner
_SMALLEST = 1e-3  # size of the triangles at a corner, in parts of the domain
_MOST_CORNERS = 8  # of which all attract small triangles; of more only those that open inwards
_TRIES = 5
_ROUNDS = 40


def interval_mesh(lower: float, upper: float, count: int, periodic: bool) -> Any:
    """An interval in `count` equal cells, and smaller ones towards ends that a period does not join."""
    inner = np.linspace(lower, upper, count + 1)
    if not periodic:
        step = (upper - lower) / count * 0.5 ** np.arange(1, _HALVINGS + 1)
        inner = np.concatenate([inner, lower + step, upper - step])
    return fem_package("skfem").MeshLine(np.unique(inner)[None])


def plane_mesh(domain: Domain, count: int, changes: Any, graded: bool) -> Any:
    """A mesh of a domain in the plane with about `count` vertices before it is refined towards corners.

    Args:
        domain: The domain.
        count: Vertices.
        changes: Says of points (n, 2) on the boundary which conditions hold there, as numbers (n,).
        graded: Whether triangles get smaller towards corners.

    Raises:
        NoReference: The mesher does not find the outline.
    """
    skfem = fem_package("skfem")
    size = float(np.sqrt(2 * domain.measure / (np.sqrt(3) * count)))
    for _ in range(_TRIES):
        found = loops(domain, size)
        points, triangles = _triangles(domain, found, size)
        if _has_outline(triangles, found):
            break
        size *= 0.75
    else:
        raise NoReference("the mesher cannot follow the outline of the domain")
    mesh = skfem.MeshTri(np.ascontiguousarray(points.T), np.ascontiguousarray(triangles.T))
    if graded:
        mesh = _graded(mesh, domain, found, changes)
    return _curved(mesh, found)


def _triangles(domain: Domain, found: list[Loop], size: float) -> tuple[np.ndarray, np.ndarray]:
    """Delaunay's triangles between the outline, whose points come first, and a lattice inside."""
    from scipy.spatial import Delaunay

    outline = np.concatenate([loop.points for loop in found])
    lower, upper = domain.bounds
    steps = (size, size * float(np.sqrt(0.75)))
    x, y = (np.arange(a - size, b + size, step) for a, b, step in zip(lower, upper, steps, strict=True))
    grid = np.stack(np.meshgrid(x, y), axis=-1)
    grid[1::2, :, 0] += size / 2
    inside = grid.reshape(-1, 2)
    inside = inside[domain.distance(inside) < -0.6 * size]
    points = np.concatenate([outline, inside])
    triangles = Delaunay(points, qhull_options="Qbb Qc Qz Q12").simplices
    corner = points[triangles]
    one, two = corner[:, 1] - corner[:, 0], corner[:, 2] - corner[:, 0]
    area = 0.5 * np.abs(one[:, 0] * two[:, 1] - one[:, 1] * two[:, 0])
    longest = np.max(np.sum((corner - np.roll(corner, 1, axis=1)) ** 2, axis=2), axis=1)
    kept = (area > 1e-6 * longest) & domain.contains(corner.mean(axis=1))
    return points, triangles[kept]


def _has_outline(triangles: Int[np.ndarray, "t 3"], found: list[Loop]) -> bool:
    """Whether the edges that one triangle has alone are those of the loops."""
    edges = np.sort(triangles[:, [[0, 1], [1, 2], [2, 0]]].reshape(-1, 2), axis=1)
    edges, times = np.unique(edges, axis=0, return_counts=True)
    wanted, first = [], 0
    for loop in found:
        index = first + np.arange(len(loop.points))
        wanted.append(np.stack([index, np.roll(index, -1)], axis=1))
        first += len(loop.points)
    expected = np.unique(np.sort(np.concatenate(wanted), axis=1), axis=0)
    return times.max(initial=0) <= 2 and np.array_equal(edges[times == 1], expected)


def _graded(mesh: Any, domain: Domain, found: list[Loop], changes: Any) -> Any:
    """Divides triangles near corners, and along the outline where conditions change."""
    every = [(place, angle) for loop in found for place, angle in loop.corners]
    inward = [place for place, angle in every if angle > np.pi * 1.01]
    corners = [place for place, _ in every] if len(every) <= _MOST_CORNERS else inward
    least = _SMALLEST * float(np.max(domain.upper - domain.lower))
    for _ in range(_ROUNDS):
        corner = mesh.p[:, mesh.t]
        longest = np.max(np.linalg.norm(corner - np.roll(corner, 1, axis=1), axis=0), axis=0)
        target = np.full(len(longest), np.inf)
        for place in corners:
            away = np.min(np.linalg.norm(corner - place[:, None, None], axis=0), axis=0)
            target = np.minimum(target, np.maximum(_SLOPE * away, least))
        facets = mesh.boundary_facets()
        ends = mesh.p[:, mesh.facets[:, facets]]
        differ = changes(0.9 * ends[:, 0].T + 0.1 * ends[:, 1].T) != changes(
            0.1 * ends[:, 0].T + 0.9 * ends[:, 1].T
        )
        target[mesh.f2t[0, facets[differ]]] = least
        marked = np.flatnonzero(longest > 1.5 * target)
        if not len(marked):
            break
        with unnoticed():
            mesh = mesh.refined(marked)
        mesh = _snapped(mesh, found)
    return mesh


def _snapped(mesh: Any, found: list[Loop]) -> Any:
    """Moves the vertices on the boundary onto round pieces."""
    rounds = [loop for loop in found if loop.onto is not None]
    if not rounds:
        return mesh
    vertices = np.unique(mesh.facets[:, mesh.boundary_facets()])
    points = mesh.p.copy()
    points[:, vertices] = _onto(rounds, found, points[:, vertices].T).T
    return type(mesh)(points, mesh.t)


def _curved(mesh: Any, found: list[Loop]) -> Any:
    """The mesh with quadratic triangles at round pieces; as it is where there are none."""
    skfem = fem_package("skfem")
    rounds = [loop for loop in found if loop.onto is not None]
    if not rounds:
        return mesh
    with unnoticed():
        curved = skfem.MeshTri2.from_mesh(mesh)
    middle = curved.dofs.get_facet_dofs(curved.boundary_facets()).flatten()
    places = curved.doflocs.copy()
    places[:, middle] = _onto(rounds, found, places[:, middle].T).T
    return type(curved)(places, curved.t)


def _onto(rounds: list[Loop], found: list[Loop], points: Float[np.ndarray, "n 2"]) -> np.ndarray:
    """Points moved onto the loop that they are nearest to, if it is round."""
    nearest = np.argmin([loop.distance(points) for loop in found], axis=0)
    moved = points.copy()
    for number, loop in enumerate(found):
        mine = nearest == number
        if loop.onto is not None and mine.any():
            moved[mine] = loop.onto(points[mine])
    return moved
