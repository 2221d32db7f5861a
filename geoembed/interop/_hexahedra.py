"""A mesh of hexahedra that follows a part, made from the cells of a field."""

from dataclasses import dataclass

import numpy as np
from jaxtyping import Float, Int

from ..pinn import SplineField
from ..sdf import MeshSDF, value_and_gradient

# The corners of a cell in VTK's order: around the bottom, then around the top.
_CORNERS = np.array([[0, 0, 0], [1, 0, 0], [1, 1, 0], [0, 1, 0], [0, 0, 1], [1, 0, 1], [1, 1, 1], [0, 1, 1]])
_FLAT = 1e-6  # a cell with less than this share of its volume left is dropped
_FULL = 0.98  # share of the part's volume that the mesh should fill ...
_FINEST = 3  # ... splitting each cell into at most so many along each edge ...
_MOST = 1_000_000  # ... and into at most so many cells in all


@dataclass(frozen=True)
class Hexahedra:
    """A mesh of hexahedra.

    Args:
        points: The corners, in the part's unit.
        cells: The corners of each cell, in VTK's order.
        distance: The signed distance of each corner before it was moved, at most 0; in the part's unit.
        volume: The volume of each cell, in the part's unit cubed.
    """

    points: Float[np.ndarray, "n 3"]
    cells: Int[np.ndarray, "c 8"]
    distance: Float[np.ndarray, " n"]
    volume: Float[np.ndarray, " c"]


def fitted_hexahedra(domain: MeshSDF, field: SplineField) -> Hexahedra:
    """Moulds the cells of a field to a part.

    Cells without a corner inside are left out; corners outside move to the nearest point of the surface,
    x − d n. Planar faces and convex edges of the part come out exactly. Walls and gaps thinner than a cell do
    not: while more than 2 % of the volume is missing or too much, every cell is split into 2³ or 3³.

    Args:
        domain: The part.
        field: A field on it.

    Returns:
        The mesh. Neighbours share corners, and every cell has a positive volume.
    """
    best: Hexahedra | None = None
    lack = np.inf
    for splits in range(1, _FINEST + 1):
        if best is not None and len(field.keys) * splits**3 > _MOST:
            break
        mesh = _mould(domain, field, splits)
        error = abs(mesh.volume.sum() / abs(domain.quality.volume) - 1)
        if best is None or error < lack:
            best, lack = mesh, error
        if lack <= 1 - _FULL:
            break
    assert best is not None
    return best


def _mould(domain: MeshSDF, field: SplineField, splits: int) -> Hexahedra:
    spacing = field.spacing / splits
    lattice, cells = _lattice(field, splits)
    points = np.asarray(field.origin, np.float64) + spacing * lattice
    distance, normal = value_and_gradient(domain, points)
    cells = cells[(distance[cells] < 0).any(axis=1)]
    outside = distance > 0
    points = np.where(outside[:, None], points - distance[:, None] * normal, points)
    volume = hexahedron_volumes(points[cells])
    solid = volume > _FLAT * spacing**3
    cells, volume = cells[solid], volume[solid]
    used, cells = np.unique(cells, return_inverse=True)
    return Hexahedra(points[used], cells.reshape(-1, 8), np.minimum(distance[used], 0.0), volume)


def _lattice(field: SplineField, splits: int) -> tuple[Int[np.ndarray, "n 3"], Int[np.ndarray, "c 8"]]:
    """Returns the lattice points of a field's split cells, and the numbers of the eight around each cell."""
    index = np.stack(np.unravel_index(np.asarray(field.keys, np.int64), field.shape), axis=1)
    inner = np.stack(np.meshgrid(*[np.arange(splits)] * 3, indexing="ij"), axis=-1).reshape(-1, 3)
    index = (splits * index[:, None] + inner[None]).reshape(-1, 3)
    corners = (index[:, None] + _CORNERS[None]).reshape(-1, 3)
    size = np.array(field.shape, np.int64) * splits + 1
    flat = (corners[:, 0] * size[1] + corners[:, 1]) * size[2] + corners[:, 2]
    numbers, cells = np.unique(flat, return_inverse=True)
    return np.stack(np.unravel_index(numbers, tuple(size)), axis=1), cells.reshape(-1, 8)


def hexahedron_volumes(corners: Float[np.ndarray, "c 8 3"]) -> Float[np.ndarray, " c"]:
    """Returns the signed volumes of trilinear hexahedra, corners in VTK's order.

    V = ∫ det ∂x/∂t dt over the unit cube; the determinant is quadratic in each coordinate, so 2³ Gauss points
    are exact.
    """
    nodes = 0.5 + np.array([-0.5, 0.5]) / np.sqrt(3)
    volume = np.zeros(len(corners))
    for t in np.stack(np.meshgrid(nodes, nodes, nodes, indexing="ij"), axis=-1).reshape(-1, 3):
        factor = np.where(_CORNERS == 1, t, 1 - t)
        sign = np.where(_CORNERS == 1, 1.0, -1.0)
        slopes = [sign[:, k] * np.prod(np.delete(factor, k, axis=1), axis=1) for k in range(3)]
        jacobian = np.einsum("ka,cai->cki", np.stack(slopes), corners)
        volume += np.linalg.det(jacobian) / 8
    return volume
