"""Which sites of a tiling are joined by an edge."""

import numpy as np
from jaxtyping import Float, Int
from scipy.spatial import KDTree


def bonds_of_length(
    points: Float[np.ndarray, "n d"], edge: float, slack: float = 1e-3
) -> Int[np.ndarray, "m 2"]:
    """Pairs of points that are an edge apart.

    Args:
        points: The sites.
        edge: The length.
        slack: How far a length may be from it, relatively.
    """
    pairs = KDTree(points).query_pairs(edge * (1 + slack), output_type="ndarray")
    apart = np.linalg.norm(points[pairs[:, 0]] - points[pairs[:, 1]], axis=1)
    return pairs[apart >= edge * (1 - slack)]


def bonds_of_indices(
    points: Float[np.ndarray, "n d"],
    indices: Int[np.ndarray, "n D"],
    reach: float,
    jump: Int[np.ndarray, " D"],
) -> Int[np.ndarray, "m 2"]:
    """Pairs of neighbours whose lattice vectors differ by a basis vector, also across the cut of a dislocation.

    Args:
        points: The sites.
        indices: Their lattice vectors.
        reach: The longest bond.
        jump: By how much the lattice vectors jump at the cut: the Burgers vector; 0 for none.
    """
    pairs = KDTree(points).query_pairs(reach, output_type="ndarray")
    steps = indices[pairs[:, 0]] - indices[pairs[:, 1]]
    unit = np.zeros(len(pairs), bool)
    for sign in (-1, 0, 1):
        unit |= np.abs(steps + sign * jump).sum(axis=1) == 1
    return pairs[unit]
