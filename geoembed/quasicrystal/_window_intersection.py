"""Intersections of convex windows: those of the tiles and vertex types of a tiling, for example."""

import itertools
from typing import Any

import equinox as eqx
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Float
from scipy.optimize import linprog
from scipy.spatial import ConvexHull, HalfspaceIntersection

from ..core import register
from ._frames import exactly
from ._simplex import fan, simplex_transform, simplex_volumes
from ._window import ConvexWindow, Points, Window, unit_half_spaces
from ._window_polytopes import on_host

_SAME = 1e-9  # corners and planes nearer than this share of the size of the body are one


@register
class Intersection(ConvexWindow):
    """What two convex windows have in common; the same as `first & second`.

    Which faces meet in which corners is found once, when it is made, and kept while both move: volume and transform
    are exact until a corner passes through another face. Membership needs no corners, and is always right.

    Args:
        first: A zonotope, polytope or intersection of them, not traced here; afterwards it may be.
        second: Another one, of the same dimension.

    Raises:
        ValueError: One of them is no such window, their dimensions differ, or they have no volume in common.

    Example:
        >>> from geoembed.quasicrystal import interval
        >>> print(f"{(interval(-1.0, 0.5) & interval(0.2, 3.0)).volume():.2f}")
        0.30
    """

    first: ConvexWindow
    second: ConvexWindow
    corners: tuple[tuple[int, ...], ...] = eqx.field(static=True)
    faces: tuple[tuple[int, ...], ...] = eqx.field(static=True)

    def __init__(self, first: Window, second: Window):
        if not (isinstance(first, ConvexWindow) and isinstance(second, ConvexWindow)):
            raise ValueError(
                f"Intersection needs convex windows with faces, received {type(first).__name__} and "
                f"{type(second).__name__}: use FunctionWindow with the smaller of both margins"
            )
        self.first, self.second = first, second
        planes: list[Any] = [unit_half_spaces(on_host(window)) for window in (first, second)]  # pyright: ignore
        if planes[0][0].shape[1] != planes[1][0].shape[1]:
            raise ValueError("Intersection needs windows of one dimension")
        self.corners, self.faces = _corners(*(np.concatenate(part) for part in zip(*planes, strict=True)))

    def half_spaces(self) -> tuple[Any, Any]:
        planes = [unit_half_spaces(window) for window in (self.first, self.second)]
        xp = np if isinstance(planes[0][0], np.ndarray) else jnp
        return xp.concatenate([planes[0][0], planes[1][0]]), xp.concatenate([planes[0][1], planes[1][1]])

    @exactly
    def exact_half_spaces(self) -> tuple[np.ndarray, np.ndarray]:
        planes = [window.exact_half_spaces() for window in (self.first, self.second)]
        return np.concatenate([planes[0][0], planes[1][0]]), np.concatenate([planes[0][1], planes[1][1]])

    def vertices(self) -> Any:
        """The corners [k, m]; differentiable in both windows."""
        normals, offsets = self.half_spaces()
        xp = np if isinstance(normals, np.ndarray) else jnp
        chosen = np.array(self.corners)
        return xp.linalg.solve(normals[chosen], offsets[chosen][..., None])[..., 0]

    def volume(self) -> Float[Array, ""]:
        return jnp.sum(simplex_volumes(fan(self.vertices(), self.faces)))

    def transform(self, k: Float[Array, "*n m"]) -> Array:
        return jnp.sum(simplex_transform(fan(self.vertices(), self.faces), k), axis=-1)

    def support(self, directions: Points) -> Any:
        return (directions @ self.vertices().T).max(-1)


def _corners(normals: np.ndarray, offsets: np.ndarray) -> tuple[Any, Any]:
    """For each corner m planes that meet there, and the corners of each face, in pieces that are simplices."""
    m = normals.shape[1]
    point, depth = _deepest(normals, offsets)
    size = np.abs(offsets[offsets < 1e8]).max() + np.abs(point).max()
    if not depth > _SAME * size:
        raise ValueError("Intersection needs windows that have a volume in common")
    if m == 1:
        found = np.array(
            [
                [point[0] + s * (offsets - normals[:, 0] * point[0])[normals[:, 0] * s > 0].min()]
                for s in (-1, 1)
            ]
        )
    else:
        some = np.abs(normals).max(axis=1) > 0
        planes = np.column_stack([normals[some], -offsets[some]])
        found = HalfspaceIntersection(planes, point).intersections
    distinct: list[np.ndarray] = []
    for corner in found:
        if all(np.abs(corner - other).max() > _SAME * size for other in distinct):
            distinct.append(corner)
    corners = []
    for corner in distinct:
        here = np.flatnonzero(np.abs(normals @ corner - offsets) < 10 * _SAME * size).tolist()
        best = max(itertools.combinations(here, m), key=lambda c: abs(np.linalg.det(normals[list(c)])))
        corners.append(tuple(int(i) for i in best))
    if m == 1:
        return tuple(corners), ((0,), (1,))
    hull = ConvexHull(np.array(distinct))
    return tuple(corners), tuple(tuple(int(i) for i in face) for face in hull.simplices)


def _deepest(normals: np.ndarray, offsets: np.ndarray) -> tuple[np.ndarray, float]:
    """The centre of the largest ball inside of unit half-spaces, and its radius."""
    m = normals.shape[1]
    lengths = np.linalg.norm(normals, axis=1)
    found = linprog(
        np.array([0.0] * m + [-1.0]),
        A_ub=np.column_stack([normals, lengths]),
        b_ub=offsets,
        bounds=[(None, None)] * m + [(0.0, None)],
    )
    if found.status != 0:
        return np.zeros(m), 0.0
    return found.x[:-1], float(found.x[-1])
