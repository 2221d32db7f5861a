"""Atoms at a planar fault: the lattice beyond a plane is displaced, then cut."""

import numpy as np
from jaxtyping import Float64

from ._ball_points import ball_points
from ._dislocation import DefectCut
from ._strip import Accepts


def faulted_cut(
    parallel: Float64[np.ndarray, "d D"],
    perp: Float64[np.ndarray, "e D"],
    normal: Float64[np.ndarray, " d"],
    jump: Float64[np.ndarray, " D"],
    window: Accepts,
    *,
    radius: float,
    window_radius: float,
    height: float = 0.0,
    shift: Float64[np.ndarray, " e"] | None = None,
) -> DefectCut:
    """All sites in a ball around 0 where the lattice beyond a plane is displaced by a constant vector.

    A jump with only perpendicular components is a phason wall, one with only parallel components a stacking fault or
    a grain shifted against the other, and (P k, Q k) for a lattice vector k no fault at all.

    Args:
        parallel: P, the projection of the lattice on physical space.
        perp: Q, the projection on perpendicular space.
        normal: Of the plane, of any length, towards the displaced side.
        jump: The displacement there, its d parallel components first.
        window: Which perpendicular coordinates [n, e] belong to a site.
        radius: Of the ball, in the unit of P.
        window_radius: The largest distance from 0 in the window.
        height: Of the plane above 0 along its normal.
        shift: Moves the lattice in perpendicular space.

    Returns:
        The sites; those on the displaced side at their displaced places.
    """
    d, e = len(parallel), len(perp)
    unit = normal / np.linalg.norm(normal)
    offset = np.zeros(e) if shift is None else shift
    far = window_radius + float(np.linalg.norm(offset)) + float(np.linalg.norm(jump[d:]))
    indices = ball_points(parallel, perp, radius + float(np.linalg.norm(jump[:d])), far)
    base = np.concatenate([indices @ parallel.T, indices @ perp.T + offset], axis=1)
    places = np.concatenate([base, base + jump])
    beyond = np.repeat([False, True], len(base))
    chosen = ((places[:, :d] @ unit > height) == beyond) & (np.linalg.norm(places[:, :d], axis=1) <= radius)
    chosen[chosen] = window(places[chosen, d:])
    kept = np.tile(indices, (2, 1))[chosen]
    return DefectCut(places[chosen, :d], places[chosen, d:], kept, np.zeros(len(kept)))
