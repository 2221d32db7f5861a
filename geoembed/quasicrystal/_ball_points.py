"""Lattice points near the slice: all integer vectors whose two projections are short."""

import numpy as np
from jaxtyping import Float64, Int64

from ..core import InputError


def ball_points(
    parallel: Float64[np.ndarray, "d D"], perp: Float64[np.ndarray, "e D"], radius: float, perp_radius: float
) -> Int64[np.ndarray, "n D"]:
    """Every k ∈ Z^D with |P k| ≤ radius and |Q k| ≤ perp_radius, for any lattice. Exact up to rounding at the rims.

    One coordinate after the other is bounded by what the ellipsoid |P k|²/R² + |Q k|²/r² ≤ 2 leaves it (Fincke and
    Pohst), for all vectors side by side. The cost is that of the points in the ellipsoid, a few times those returned.

    Args:
        parallel: P, the projection of the lattice on physical space.
        perp: Q, the projection on perpendicular space.
        radius: In physical space, in the unit of P.
        perp_radius: In perpendicular space, in the unit of Q.

    Returns:
        Integer vectors in lexicographic order of their reversed coordinates.

    Raises:
        InputError: P and Q together are no invertible D×D matrix, or a radius is not positive.

    Example:
        >>> golden = (1 + 5**0.5) / 2
        >>> ball_points(np.array([[golden, 1.0]]), np.array([[-1.0, golden]]), 2.0, 1.0).tolist()
        [[-1, 0], [0, 0], [1, 0]]

    References:
        Fincke, Pohst, Math. Comp. 44, 463 (1985), algorithm 2.8.
    """
    size = parallel.shape[1]
    both = np.concatenate([parallel, perp])
    if both.shape[0] != size or np.linalg.matrix_rank(both) < size:
        raise InputError(
            "lattice",
            "P and Q",
            f"together they are a matrix {both.shape} of rank {np.linalg.matrix_rank(both)}",
            "give projections whose rows together are D independent ones",
        )
    if not (radius > 0 and perp_radius > 0):
        raise InputError(
            "lattice", "radius", f"{radius} and {perp_radius} are not both positive", "give positive ones"
        )
    scaled = np.concatenate([parallel / radius, perp / perp_radius])
    triangle = np.linalg.qr(scaled)[1]
    points, left = np.zeros((1, 0), np.int64), np.full(1, 2 * (1 + 1e-12))
    for i in reversed(range(size)):
        centre = -(points @ triangle[i, i + 1 :]) / triangle[i, i]
        reach = np.sqrt(left) / abs(triangle[i, i])
        first = np.ceil(centre - reach).astype(np.int64)
        count = np.maximum(np.floor(centre + reach).astype(np.int64) - first + 1, 0)
        parent = np.repeat(np.arange(len(points)), count)
        value = first[parent] + np.arange(len(parent)) - (np.cumsum(count) - count)[parent]
        left = np.maximum(left[parent] - (triangle[i, i] * (value - centre[parent])) ** 2, 0)
        points = np.concatenate([value[:, None], points[parent]], axis=1)
    short = (np.linalg.norm(points @ parallel.T, axis=1) <= radius) & (
        np.linalg.norm(points @ perp.T, axis=1) <= perp_radius
    )
    return points[short]
