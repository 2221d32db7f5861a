"""How well two shapes agree: overlap, and distances between their surfaces (host)."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
from jaxtyping import Array, Float, Int, PRNGKeyArray
from scipy.spatial import KDTree

from ...core import InputError, host_generator
from .._many import evaluate
from .._march import march
from .._meshes._mesh import MeshSDF
from .._readers._rawmesh import RawMesh
from .._sequences import sobol

_SAMPLES = 2**16  # of the surface that is measured to
_NEIGHBOURS = 6  # of them whose triangles are looked at


@dataclass(frozen=True)
class Agreement:
    """How well two shapes agree.

    Args:
        iou: Volume of the intersection over that of the union: 1 for equal shapes.
        chamfer: ½ (mean distance from the first surface to the second + the other way round), in the unit of length.
        forth: The mean distance from the first surface to the second.
        back: The mean distance from the second surface to the first.
        largest: The largest of all these distances, an estimate of the Hausdorff distance from below.
    """

    iou: float
    chamfer: float
    forth: float
    back: float
    largest: float


def agreement(
    a: Callable[[Array], Array],
    b: Callable[[Array], Array],
    *,
    key: PRNGKeyArray,
    bounds: Any = None,
    cells: int = 96,
    points: int = 2**14,
    surfaces: tuple[RawMesh | None, RawMesh | None] = (None, None),
) -> Agreement:
    """Measures how well two shapes agree, each the set where a function of a point is negative.

    The volumes are counted at 8 `points` Sobol points of the box. Surfaces are the triangles of a `MeshSDF`, or of
    marching cubes on `cells` cells, which cut off edges within a cell: a chamfer distance below about a tenth of
    a cell means nothing. Distances go from random points of one surface to the triangles of the other.

    Args:
        a: The first shape.
        b: The second shape.
        key: Random key of the points.
        bounds: A box that holds both; None for the bounds of `a`, grown by a tenth.
        cells: Along the longest side of the box.
        points: On each surface.
        surfaces: The triangles of each shape where they are at hand, from `march` say; None to find them.

    Returns:
        The figures.

    Raises:
        ValueError: No bounds.
        InputError: A shape has no surface in the box.

    Example:
        >>> import jax
        >>> from geoembed.sdf import Sphere
        >>> found = agreement(Sphere(1.0), Sphere(0.9), key=jax.random.key(0), cells=40)
        >>> round(found.iou, 2), round(found.chamfer, 2)
        (0.73, 0.1)
    """
    low, high = _box(a, bounds)
    unit = np.asarray(sobol(8 * points, 3, key=key), np.float64)
    drawn = (low + (high - low) * unit).astype(np.float32)
    inside = [evaluate(shape, drawn) < 0 for shape in (a, b)]
    union = np.sum(inside[0] | inside[1])
    if union == 0:
        raise InputError("agreement", "", "no point of the box is inside", "Give bounds around the shapes")
    meshes = [mesh or _surface(f, low, high, cells) for f, mesh in zip((a, b), surfaces, strict=True)]
    triangles = [(mesh.vertices, mesh.faces) for mesh in meshes]
    random = host_generator(key)
    forth, back = (
        surface_distances(sample_triangles(*one, points, random)[0], *other, random)
        for one, other in (triangles, triangles[::-1])
    )
    return Agreement(
        float(np.sum(inside[0] & inside[1]) / union),
        float(0.5 * (forth.mean() + back.mean())),
        float(forth.mean()),
        float(back.mean()),
        float(max(forth.max(), back.max())),
    )


def sample_triangles(
    vertices: Float[np.ndarray, "v 3"], faces: Int[np.ndarray, "f 3"], count: int, random: np.random.Generator
) -> tuple[Float[np.ndarray, "n 3"], Int[np.ndarray, " n"]]:
    """Points spread evenly by area over triangles, and the triangle of each."""
    a, b, c = np.moveaxis(vertices[faces], 1, 0)
    areas = np.linalg.norm(np.cross(b - a, c - a), axis=1)
    face = random.choice(len(faces), count, p=areas / areas.sum())
    root, share = np.sqrt(random.random(count))[:, None], random.random(count)[:, None]
    return a[face] * (1 - root) + root * (b[face] * (1 - share) + c[face] * share), face


def surface_distances(
    points: Float[np.ndarray, "n 3"],
    vertices: Float[np.ndarray, "v 3"],
    faces: Int[np.ndarray, "f 3"],
    random: np.random.Generator,
) -> Float[np.ndarray, " n"]:
    """The distance of points to triangles: the nearest of those that own the nearest samples of the surface."""
    samples, owner = sample_triangles(vertices, faces, _SAMPLES, random)
    _, rows = KDTree(samples).query(points, _NEIGHBOURS)
    corners = vertices[faces[owner[rows]]]
    return triangle_distances(points[:, None], *np.moveaxis(corners, 2, 0)).min(axis=1)


def triangle_distances(p: np.ndarray, a: np.ndarray, b: np.ndarray, c: np.ndarray) -> np.ndarray:
    """The distance of points to triangles with corners a, b and c; the leading axes are broadcast."""
    to_edges = np.minimum(_segment(p, a, b), np.minimum(_segment(p, b, c), _segment(p, c, a)))
    normal = np.cross(b - a, c - a)
    size = np.linalg.norm(normal, axis=-1)
    over = [np.sum(np.cross(q - s, p - s) * normal, axis=-1) >= 0 for s, q in ((a, b), (b, c), (c, a))]
    height = np.abs(np.sum((p - a) * normal, axis=-1)) / np.where(size > 0, size, 1.0)
    return np.where(over[0] & over[1] & over[2] & (size > 0), height, to_edges)


def _segment(p: np.ndarray, s: np.ndarray, t: np.ndarray) -> np.ndarray:
    way = t - s
    share = np.sum((p - s) * way, axis=-1) / np.maximum(np.sum(way**2, axis=-1), 1e-300)
    return np.linalg.norm(p - s - np.clip(share, 0, 1)[..., None] * way, axis=-1)


def _surface(shape: Any, low: np.ndarray, high: np.ndarray, cells: int) -> MeshSDF | RawMesh:
    return shape if isinstance(shape, MeshSDF) else march(shape, low, high, cells=cells)


def _box(a: Any, bounds: Any) -> tuple[np.ndarray, np.ndarray]:
    if bounds is not None:
        return np.asarray(bounds[0], np.float64), np.asarray(bounds[1], np.float64)
    bounds = getattr(a, "bounds", None)
    if bounds is None:
        raise ValueError("the first shape has no bounds: give `bounds`, the corners of a box around both")
    low, high = np.asarray(bounds[0], np.float64), np.asarray(bounds[1], np.float64)
    room = 0.1 * float((high - low).max())
    return low - room, high + room
