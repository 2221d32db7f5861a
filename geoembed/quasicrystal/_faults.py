"""Atoms at a planar fault: the lattice beyond a plane is displaced, then cut."""

import numpy as np
from jaxtyping import Float64

from ._dislocation import DefectCut, lattice_sites
from ._model import Coset
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
    position: Float64[np.ndarray, " D"] | None = None,
    coset: Coset | None = None,
) -> DefectCut:
    """All sites in a ball around 0 where the lattice beyond a plane is displaced by a constant vector.

    A jump with only perpendicular components is a phason wall, one with only parallel components a stacking fault or
    a grain shifted against the other, and (P k, Q k) for a lattice vector k no fault at all.
    `faulted` does this for all surfaces of a model.

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
        position: Where in the unit cell the window is centred, in the basis of the lattice; 0 by default.
        coset: On which lattice vectors it sits; all by default.

    Returns:
        The sites; those on the displaced side at their displaced places.
    """
    d = len(parallel)
    unit = normal / np.linalg.norm(normal)
    far, perp_far = (float(np.linalg.norm(part)) for part in np.split(jump, [d]))
    indices, base = lattice_sites(
        parallel, perp, radius + far, window_radius + perp_far, shift, position, coset
    )
    places = np.concatenate([base, base + jump])
    beyond = np.repeat([False, True], len(base))
    chosen = ((places[:, :d] @ unit > height) == beyond) & (np.linalg.norm(places[:, :d], axis=1) <= radius)
    chosen[chosen] = window(places[chosen, d:])
    kept = np.tile(indices, (2, 1))[chosen]
    none = np.zeros(len(kept), np.int64)
    return DefectCut(places[chosen, :d], places[chosen, d:], kept, none.astype(np.float64), none)
