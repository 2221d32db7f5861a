"""Volume, area, centre and inertia of a closed triangle mesh, exactly."""

from typing import Any, NamedTuple

import jax.numpy as jnp
import numpy as np
from jaxtyping import Float, Int

from ..core import InputError, norm
from ._shapes._parameters import Leaf
from ._topology import count_edges


class Integrals(NamedTuple):
    """Integrals over a body of density one.

    Args:
        volume: ∫ dV, in length³.
        area: ∫ dA over its surface, in length².
        centre: ∫ x dV / ∫ dV, in length.
        inertia: ∫ (|r|² 1 − r rᵀ) dV with r = x − centre, in length⁵.
    """

    volume: Float[Leaf | np.generic, ""]
    area: Float[Leaf | np.generic, ""]
    centre: Float[Leaf, "3"]
    inertia: Float[Leaf, "3 3"]


def mesh_integrals(vertices: Float[Leaf, "v 3"], faces: Int[Leaf, "f 3"]) -> Integrals:
    """Volume, area, centre of mass and inertia of the body inside a closed mesh, exact up to rounding.

    By the divergence theorem the integral of a polynomial over the body is a sum over the faces of its integral
    over the signed tetrahedra from one fixed point to the face.

    Differentiable in the vertices. The derivative of the volume in a vertex is a third of the sum of the area
    vectors of the faces around it. Jax arrays are computed in their dtype; numpy arrays in numpy, in float64.

    Args:
        vertices: Vertices.
        faces: The vertex numbers of each face, counter-clockwise seen from outside (inwards, the volume and the
            inertia are negative). Known numbers, not traced ones.

    Returns:
        The integrals, in the length unit of the vertices.

    Raises:
        InputError: The mesh has open edges, edges with more than two faces, or disagreeing windings: then it
            has no inside.

    References:
        B. Mirtich, J. Graphics Tools 1 (1996) 31; the moments of a tetrahedron as in F. Tonon, J. Math. Stat. 1
        (2005) 8.

    Example:
        >>> corners = np.array([[0, 0, 0], [1, 0, 0], [0, 1, 0], [0, 0, 1]], float)
        >>> found = mesh_integrals(corners, np.array([[0, 2, 1], [0, 1, 3], [0, 3, 2], [1, 2, 3]]))
        >>> round(float(found.volume), 6), found.centre.tolist()
        (0.166667, [0.25, 0.25, 0.25])
    """
    faces = np.asarray(faces, np.int64)
    _require_closed(faces)
    on_host = isinstance(vertices, np.ndarray)
    xp: Any = np if on_host else jnp
    vertices = vertices.astype(np.float64) if on_host else vertices
    origin = xp.mean(vertices, axis=0)  # near the body, so that little cancels
    a, b, c = (vertices[faces[:, k]] - origin[None] for k in range(3))
    volumes = xp.sum(a * xp.cross(b, c), axis=1) / 6
    volume, total = xp.sum(volumes), a + b + c
    first = xp.sum(volumes[:, None] * total, axis=0) / 4
    second = sum(_outer(xp, volumes, p) for p in (total, a, b, c)) / 20
    across = xp.cross(b - a, c - a)
    areas = np.linalg.norm(across, axis=1) if on_host else norm(across)
    return assemble(xp, volume, 0.5 * xp.sum(areas), first, second, origin)


def assemble(xp: Any, volume: Any, area: Any, first: Any, second: Any, origin: Any) -> Integrals:
    """Integrals from the moments ∫ 1, ∫ y and ∫ y yᵀ about an origin; the centre of nothing is the origin."""
    some = volume != 0
    shift = xp.where(some, first / xp.where(some, volume, 1.0), 0.0)
    central = second - volume * shift[:, None] * shift[None]
    inertia = xp.trace(central) * xp.eye(3, dtype=central.dtype) - central
    return Integrals(volume, area, origin + shift, inertia)


def _outer(xp: Any, weights: Any, points: Any) -> Any:
    return xp.sum(weights[:, None, None] * points[:, :, None] * points[:, None, :], axis=0)


def _require_closed(faces: np.ndarray) -> None:
    edges = count_edges(faces)
    if edges.open_edges + edges.nonmanifold + edges.disagreeing == 0 and len(faces):
        return
    reason = (
        f"the mesh is not closed: {edges.open_edges} open edges, {edges.nonmanifold} with more than two faces, "
        f"{edges.disagreeing} with disagreeing windings"
    )
    raise InputError("<arrays>", "faces", reason, "Repair it first, see geoembed.sdf.repair")
