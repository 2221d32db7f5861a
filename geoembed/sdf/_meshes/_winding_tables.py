"""Preparation of the winding number: triangles in clusters, and what these look like from afar."""

import math
from itertools import permutations
from typing import Any

import equinox as eqx
import numpy as np
from jaxtyping import Array, Bool, Float, Int

from ...core import register

Real = np.ndarray | Array
_AWAY = 1e3  # where clusters without triangles lie: far from every point, and without any effect


@register
class WindingTable(eqx.Module):
    """Clusters and groups of triangles with the moments that give their winding number from afar.

    A row of moments: centre c (3), radius, bound E, then the coefficients L (3), Q (6) and C (10) of
    `_winding.from_afar`.
    """

    groups: Float[Real, "24 g"]
    clusters: Float[Real, "g 24 k"]
    corners: Float[Real, "g k 9 s"]


def winding_table(
    corners: Float[Real, "f 3 3"], members: Int[Real, "g k s"], present: Bool[Real, "g k s"], xp: Any = np
) -> WindingTable:
    """Prepares the winding number.

    Args:
        corners: The corners of the triangles, in the frame of the tables.
        members: The triangles of each cluster of each group, −1 for none.
        present: Which of them count; see `counted_once`.
        xp: numpy, or jax.numpy when the corners are traced.
    """
    triangles = xp.where(present[..., None, None], corners[members], 0)
    return WindingTable(
        groups=_moments(triangles.reshape(len(members), -1, 3, 3), xp).T,
        clusters=xp.swapaxes(_moments(triangles, xp), 1, 2),
        corners=xp.swapaxes(triangles.reshape(*members.shape, 9), 2, 3),
    )


def counted_once(members: Int[np.ndarray, "g k s"]) -> Bool[np.ndarray, "g k s"]:
    """Returns which places hold a triangle that has not come before."""
    numbers, first = np.unique(members, return_index=True)
    once = np.zeros(members.size, bool)
    once[first[numbers >= 0]] = True
    return once.reshape(members.shape)


def _moments(triangles: Float[Real, "*n s 3 3"], xp: Any) -> Any:
    """Returns the moments of sets of triangles; a triangle without area counts for nothing."""
    a, b, c = (triangles[..., i, :] for i in range(3))
    vector_area = 0.5 * xp.cross(b - a, c - a)
    area = xp.linalg.norm(vector_area, axis=-1)
    total = area.sum(axis=-1)
    weight = area / xp.where(total > 0, total, 1)[..., None]
    middle = xp.sum(weight[..., None] * (a + b + c), axis=-2) / 3
    centre = xp.where((total > 0)[..., None], middle, np.asarray(_AWAY, middle.dtype))
    y = xp.where((area > 0)[..., None, None], triangles - centre[..., None, None, :], 0)
    reach = xp.linalg.norm(y, axis=-1).max(axis=-1)
    bound = xp.sum(area * reach**3, axis=-1) / math.pi

    first = y.mean(axis=-2)
    outer = xp.einsum("...vi,...vj->...ij", y, y)
    second = (outer + 9 * first[..., :, None] * first[..., None, :]) / 12
    dipole = vector_area.sum(axis=-2)
    quadrupole = _quadratic(xp.einsum("...ti,...tj->...ij", vector_area, first), xp)
    octupole = _cubic(xp.einsum("...ti,...tjk->...ijk", vector_area, second), xp)
    coefficients = xp.concatenate([dipole, quadrupole, octupole], axis=-1) / (4 * math.pi)
    return xp.concatenate([centre, reach.max(axis=-1)[..., None], bound[..., None], coefficients], axis=-1)


QUADRATIC = ((0, 0), (1, 1), (2, 2), (0, 1), (0, 2), (1, 2))
CUBIC = (
    *((0, 0, 0), (1, 1, 1), (2, 2, 2), (0, 0, 1), (0, 0, 2)),
    *((0, 1, 1), (1, 1, 2), (0, 2, 2), (1, 2, 2), (0, 1, 2)),
)


def _quadratic(m: Float[Real, "*n 3 3"], xp: Any) -> Any:
    """The coefficients of 3 dᵀMd − tr(M)|d|² by monomial."""
    full = 3 * m - xp.einsum("...kk,ij->...ij", m, np.eye(3, dtype=m.dtype))
    return xp.stack([full[..., i, j] + (full[..., j, i] if i != j else 0) for i, j in QUADRATIC], axis=-1)


def _cubic(t: Float[Real, "*n 3 3 3"], xp: Any) -> Any:
    """The coefficients of 15/2 T(d, d, d) − 3/2 (Tᵢᵢₖ + Tᵢₖᵢ + Tₖᵢᵢ) dₖ|d|² by monomial."""
    mean = sum(xp.einsum(f"...ijk->...{''.join(order)}", t) for order in permutations("ijk")) / 6
    full = 7.5 * mean - 4.5 * xp.einsum("...iik,lm->...lmk", mean, np.eye(3, dtype=t.dtype))
    orders = [sorted(set(permutations(indices))) for indices in CUBIC]
    return xp.stack([sum(full[..., i, j, k] for i, j, k in order) for order in orders], axis=-1)
