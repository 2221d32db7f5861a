"""Periodic approximants: the slice turned by a phason strain until it meets lattice points again and again."""

import itertools
import math
from typing import NamedTuple

import numpy as np
from jaxtyping import Float64, Int64
from scipy.spatial import KDTree

from ..core import InputError
from ._ball_points import ball_points
from ._strip import Accepts, in_shadow, shadow_radius

# Fractional coordinates this far below 1 count as 0: rounding, and no two sites are so near.
_ROUNDING = 1e-9


class Approximant(NamedTuple):
    """A periodic structure with the local order of a quasicrystal.

    Args:
        cell: The cell vectors as rows, in the unit of P.
        fractional: Positions in units of the cell vectors, in [0, 1).
        positions: Positions in the unit of P.
        perp: Perpendicular coordinates Q'k + shift of the sites, inside the window: features of their surroundings.
        indices: The lattice vectors k of the sites.
        phason_strain: A, with Q' = Q + A P.
        lattice_points: How many translations of the structure a cell holds: 1 if it is primitive, 2 if it is
            body-centred, and so on.
    """

    cell: Float64[np.ndarray, "d d"]
    fractional: Float64[np.ndarray, "n d"]
    positions: Float64[np.ndarray, "n d"]
    perp: Float64[np.ndarray, "n e"]
    indices: Int64[np.ndarray, "n D"]
    phason_strain: Float64[np.ndarray, "e d"]
    lattice_points: int


def icosahedral_periods(p: int, q: int) -> Int64[np.ndarray, "3 6"]:
    """Lattice vectors along the twofold axes that become periods where τ → p/q in perpendicular space.

    They belong to the six vectors (1, τ, 0), (−1, τ, 0), (0, 1, τ), (0, −1, τ), (τ, 0, 1), (τ, 0, −1), in this order.
    The edge of the cubic cell is 2(q + pτ)/√(τ+2) edges of the tiling.

    Args:
        p: Numerator: 1, 2, 3, 5, … for consecutive Fibonacci numbers.
        q: Denominator: 1, 1, 2, 3, …

    Returns:
        One lattice vector for each axis.

    Example:
        >>> icosahedral_periods(2, 1)[0].tolist()
        [1, -1, 0, 0, 2, 2]

    References:
        Elser, Henley, Phys. Rev. Lett. 55, 2883 (1985); Ishii, Phys. Rev. B 39, 11862 (1989).
    """
    return np.array([[q, -q, 0, 0, p, p], [p, p, q, -q, 0, 0], [0, 0, p, p, q, -q]], np.int64)


def approximant(
    parallel: Float64[np.ndarray, "d D"],
    perp: Float64[np.ndarray, "e D"],
    periods: Int64[np.ndarray, "d D"],
    *,
    shift: Float64[np.ndarray, " e"] | None = None,
    window: Accepts | None = None,
    window_radius: float | None = None,
) -> Approximant:
    """The approximant whose cell vectors are the projections of given lattice vectors. Exact up to rounding.

    The phason strain A = −(Q N)(P N)⁻¹ makes the perpendicular part Q' = Q + A P of the periods N vanish.

    Args:
        parallel: P, the projection of the lattice on physical space.
        perp: Q, the projection on perpendicular space.
        periods: d lattice vectors, one a row; `icosahedral_periods` for the cubic ones.
        shift: Moves the lattice in perpendicular space. The default is a generic vector: a special one, such as 0, puts
            sites on the rim of the window.
        window: Which perpendicular coordinates [n, e] belong to a site. The default is the shadow of the unit cube
            under Q', whose sites are the vertices of a tiling by rhombi or rhombohedra.
        window_radius: The largest distance from 0 in the window; needed with `window`.

    Returns:
        One cell of the structure.

    Raises:
        InputError: The periods are not independent in physical space, or `window` has no radius.

    Example:
        >>> golden = (1 + 5**0.5) / 2
        >>> chain = approximant(
        ...     np.array([[golden, 1.0]]), np.array([[-1.0, golden]]), np.array([[3, 2]])
        ... )  # three long and two short tiles
        >>> len(chain.positions), round(float(chain.cell[0, 0]), 9) == round(3 * golden + 2, 9)
        (5, True)

    References:
        Janssen, Chapuis, de Boissieu, Aperiodic Crystals (2007), sec. 3.5; Goldman, Kelton, Rev. Mod. Phys. 65, 213
        (1993).
    """
    cell = periods @ parallel.T
    if periods.shape[0] != parallel.shape[0] or abs(np.linalg.det(cell)) < 1e-9 * np.abs(cell).max() ** len(
        cell
    ):
        raise InputError(
            "approximant",
            "periods",
            "their projections on physical space do not span it",
            f"give {parallel.shape[0]} lattice vectors whose projections are independent",
        )
    strain = -np.linalg.solve(cell, periods @ perp.T).T
    strained = perp + strain @ parallel
    if window is None:
        window, window_radius = (lambda points: in_shadow(strained, points)), shadow_radius(strained)
    if window_radius is None:
        raise InputError(
            "approximant", "window_radius", "it is missing", "give the largest distance from 0 in the window"
        )
    offset = generic_shift(len(perp)) if shift is None else shift
    corners = np.array(list(itertools.product((0, 1), repeat=len(cell)))) @ cell
    reach = np.linalg.norm(corners, axis=1).max() * (1 + 1e-9)
    indices = ball_points(parallel, strained, reach, window_radius + float(np.linalg.norm(offset)))
    fractional = np.linalg.solve(cell.T, parallel @ indices.T).T
    coordinates = indices @ strained.T + offset
    chosen = np.all((fractional >= -_ROUNDING) & (fractional < 1 - _ROUNDING), axis=1)
    chosen[chosen] = window(coordinates[chosen])
    return Approximant(
        cell=cell,
        fractional=np.maximum(fractional[chosen], 0),
        positions=indices[chosen] @ parallel.T,
        perp=coordinates[chosen],
        indices=indices[chosen],
        phason_strain=strain,
        lattice_points=_index(periods),
    )


def minimum_distance(cell: Float64[np.ndarray, "d d"], positions: Float64[np.ndarray, "n d"]) -> float:
    """The smallest distance between two sites of a periodic structure, images included. Exact.

    Args:
        cell: The cell vectors as rows.
        positions: At least one site.

    Returns:
        The distance in the unit of the cell.
    """
    heights = 1 / np.linalg.norm(np.linalg.inv(cell), axis=0)
    bound = min(np.linalg.norm(cell, axis=1).min(), _nearest(positions))
    steps = [np.arange(-n, n + 1) for n in np.ceil(bound / heights).astype(int) + 1]
    shifts = np.stack(np.meshgrid(*steps, indexing="ij"), axis=-1).reshape(-1, len(cell)) @ cell
    images = (positions[None] + shifts[:, None]).reshape(-1, len(cell))
    return float(KDTree(images).query(positions, k=2)[0][:, 1].min())


def generic_shift(e: int) -> Float64[np.ndarray, " e"]:
    """A short vector that no symmetry and no lattice vector singles out.

    Args:
        e: The dimension of perpendicular space.
    """
    return 0.02 * np.sqrt(np.array([2.0, 3, 5, 7, 11, 13])[:e]) * (-1.0) ** np.arange(e) / np.pi


def _nearest(positions: Float64[np.ndarray, "n d"]) -> float:
    return float(KDTree(positions).query(positions, k=2)[0][:, 1].min())


def _index(periods: Int64[np.ndarray, "d D"]) -> int:
    """The index of the periods in all lattice vectors of their span: the greatest common divisor of their minors."""
    d, size = periods.shape
    minors = [round(np.linalg.det(periods[:, list(c)])) for c in itertools.combinations(range(size), d)]
    return math.gcd(*minors)
