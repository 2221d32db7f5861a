"""Whether the supports of an elastic part leave it free to move as a rigid body."""

import numpy as np
from jaxtyping import Float

from ..core import InputError
from ..sdf import MeshSDF, bodies
from ._part_loads import FaceLoads

_LEAST = 1e-3  # the supports' resistance to the freest motion over that to the stiffest, in displacement
_NAMES = ("move along x", "move along y", "move along z", "turn about x", "turn about y", "turn about z")


def check_supports(domain: MeshSDF, table: FaceLoads) -> None:
    """Refuses a body that can move rigidly without any support resisting: its displacement is not determined.

    Args:
        domain: The part.
        table: Its loads and supports.

    Raises:
        InputError: A body can move.
    """
    body = bodies(domain)
    for number in range(int(body.max(initial=-1)) + 1):
        mine = body == number
        corners = domain.vertices[domain.faces[mine]].astype(np.float64)
        free = _freest(corners, table.supported[mine], domain.areas[mine])
        if free is None:
            continue
        low, high = (
            ", ".join(f"{x:.6g}" for x in side) for side in (corners.min((0, 1)), corners.max((0, 1)))
        )
        raise InputError(
            "conditions",
            f"the body from ({low}) to ({high}) {domain.unit}",
            f"nothing keeps it from a rigid motion: it can {free}",
            "Hold another patch, or more components of one, by Displacement or ElasticFoundation",
        )


def _freest(
    corners: Float[np.ndarray, "f 3 3"], supported: np.ndarray, areas: Float[np.ndarray, " f"]
) -> str | None:
    """Names the rigid motion that the supports resist least, None when they resist all."""
    centre = 0.5 * (corners.min((0, 1)) + corners.max((0, 1)))
    place = (corners - centre) / max(float(np.ptp(corners.reshape(-1, 3), axis=0).max()), 1e-300)
    motions = rigid_motions(place.reshape(-1, 3)).reshape(6, -1, 3, 3)  # motion, face, corner, component
    weight = np.where(supported, areas[:, None], 0.0)[None, :, None, :]
    gram = np.einsum("mfkc,nfkc->mn", motions * weight, motions)
    size, direction = np.linalg.eigh(gram)
    if size[-1] > 0 and size[0] > _LEAST**2 * size[-1]:
        return None
    share = np.abs(direction[:, 0])
    return _NAMES[int(np.argmax(share))]


def rigid_motions(points: Float[np.ndarray, "n 3"]) -> Float[np.ndarray, "6 n 3"]:
    """Returns the displacements of points in the three unit translations and three unit rotations."""
    unit = np.eye(3)
    shifts = [np.broadcast_to(axis, points.shape) for axis in unit]
    turns = [np.cross(axis, points) for axis in unit]
    return np.stack(shifts + turns)
