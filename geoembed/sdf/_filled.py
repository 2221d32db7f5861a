"""Which fraction of each micro-cell of a cut cell a part fills."""

from collections.abc import Callable

import numpy as np
from jaxtyping import Array, Bool, Float, Int

from ._host import value_and_gradient

MICRO = 4  # micro-cells along each edge of a cut cell: the resolution of its quadrature
_ALIKE = 0.99  # mean of unit normals that is shorter comes from different planes
_BLOCK = 65_536  # micro-cells divided at a time


def lattice(counts: tuple[int, int, int]) -> Int[np.ndarray, "n 3"]:
    """Returns the positions of a grid, x slowest."""
    return np.stack(np.meshgrid(*map(np.arange, counts), indexing="ij"), axis=-1).reshape(-1, 3)


def micro_centres() -> Float[np.ndarray, "micro 3"]:
    """Returns the centres of the micro-cells of a cell, in cells (0…1)."""
    return (lattice((MICRO, MICRO, MICRO)) + 0.5) / MICRO


def filled_fractions(
    sdf: Callable[[Array], Array], corner: Float[np.ndarray, "k 3"], spacing: float
) -> Float[np.ndarray, "k micro"]:
    """Returns the filled fraction of each micro-cell, by the tangent plane of the octant it lies in.

    Where the directions of the surface near the octants and near the corners of a cell disagree (it holds an edge of
    the part), each micro-cell gets its own plane, and those that this plane cuts get one for each of their eighths.

    Args:
        sdf: The signed distance of the part.
        corner: The lower corner of each cut cell, in the part's unit.
        spacing: The edge length of the cells.

    Returns:
        The fractions, 0…1, x slowest.
    """
    filled = _by_planes(sdf, corner, spacing, 2)
    sharp = np.flatnonzero(_holds_an_edge(sdf, corner, spacing))
    own = _by_planes(sdf, corner[sharp], spacing, MICRO)
    cell, micro = np.nonzero((own > 0) & (own < 1))
    start = corner[sharp[cell]] + spacing * (micro_centres()[micro] - 0.5 / MICRO)
    own[cell, micro] = _by_eighths(sdf, start, spacing / MICRO)
    filled[sharp] = own
    return filled


def _holds_an_edge(
    sdf: Callable[[Array], Array], corner: Float[np.ndarray, "k 3"], spacing: float
) -> Bool[np.ndarray, " k"]:
    """Whether the surface near some places of each cell has different directions."""
    places = np.concatenate([lattice((2, 2, 2)), (lattice((2, 2, 2)) + 0.5) / 2])
    distance, normal = value_and_gradient(sdf, (corner[:, None] + spacing * places[None]).reshape(-1, 3))
    near = np.abs(distance.reshape(-1, 16)) < 0.5 * np.sqrt(3) * spacing
    total = np.einsum("kp,kpi->ki", near, normal.reshape(-1, 16, 3))
    return np.linalg.norm(total, axis=1) < _ALIKE * near.sum(axis=1)


def _by_planes(
    sdf: Callable[[Array], Array], corner: Float[np.ndarray, "k 3"], spacing: float, planes: int
) -> Float[np.ndarray, "k micro"]:
    """The fractions by planes³ tangent planes a cell."""
    places = (lattice((planes, planes, planes)) + 0.5) / planes
    centres = corner[:, None] + spacing * places[None]
    distance, normal = value_and_gradient(sdf, centres.reshape(-1, 3))
    distance, normal = distance.reshape(-1, planes**3), normal.reshape(-1, planes**3, 3)

    micro = micro_centres()
    home = np.rint(np.floor(micro * planes) @ np.array([planes**2, planes, 1])).astype(int)
    step = spacing * (micro - places[home])
    height = distance[:, home] + np.einsum("kmi,mi->km", normal[:, home], step)
    return _below(height, normal[:, home], spacing / MICRO)


def _by_eighths(
    sdf: Callable[[Array], Array], corner: Float[np.ndarray, "n 3"], edge: float
) -> Float[np.ndarray, " n"]:
    """The filled fraction of cubes, by the tangent planes at the centres of their eighths."""
    place = edge * (lattice((2, 2, 2)) + 0.5) / 2
    found = np.empty(len(corner))
    for start in range(0, len(corner), _BLOCK):
        centres = corner[start : start + _BLOCK, None] + place[None]
        distance, normal = value_and_gradient(sdf, centres.reshape(-1, 3))
        found[start : start + _BLOCK] = _below(distance, normal, edge / 2).reshape(-1, 8).mean(axis=1)
    return found


def _below(
    height: Float[np.ndarray, "*n"], normal: Float[np.ndarray, "*n 3"], edge: float
) -> Float[np.ndarray, "*n"]:
    """Which fraction of a cube lies below a plane, from the height of its centre above it.

    It is linear in the height over a width of about edge · |n|₁ (clipped in the corners).
    """
    width = edge * np.abs(normal).sum(axis=-1)
    return np.clip(0.5 - height / np.maximum(width, 1e-300), 0.0, 1.0)
