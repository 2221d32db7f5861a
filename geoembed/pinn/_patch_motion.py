"""How the vertices of a part follow when one of its patches is moved."""

from collections.abc import Sequence

import numpy as np
from jaxtyping import Float, Int

from ..core import InputError
from ._problem import Problem
from ._shape_motion import corner_normals, kept_directions

_SHARP = 0.9  # cosine of the angle between two faces below which their edge is sharp
_STEP = 0.5  # of the highest velocity: a larger difference between two faces is a step


def patch_velocity(
    problem: Problem, patch: str, direction: Sequence[float] | None = None
) -> Float[np.ndarray, "v 3"]:
    """The velocity of the vertices of a part when one of its patches moves and all other faces stay in their planes.

    The faces of the patch move with V·n = direction·n, or with 1 where no direction is given: a plate thickens, a hole
    narrows. The velocity of a vertex is the shortest vector whose components along the normals of its faces are these,
    so the rim of the patch slides in the faces beside it. Where the patch moves it must end at sharp edges: inside a
    smooth face its border would become a step.

    Args:
        problem: The problem of the part.
        patch: The patch.
        direction: Where it moves, in the part's unit per unit of the number that is changed; None: outwards, along the
            normals.

    Returns:
        The velocity of each vertex, for `ShapeGradient.along`.

    Raises:
        InputError: The part has no such patch, the direction is no vector in space, or the patch that moves ends inside
            a smooth face.

    Example:
        >>> import trimesh
        >>> from geoembed.pinn import Convection, HeatFlux, Problem, SteadyHeat
        >>> from geoembed.sdf import facing, mesh_sdf
        >>> box = trimesh.creation.box(extents=(40.0, 10.0, 10.0))
        >>> cooled = [HeatFlux("hot", 2e4), Convection("rest", h=100.0, ambient=293.0)]
        >>> part = mesh_sdf(box.vertices, box.faces, unit="mm")
        >>> problem = Problem(part, SteadyHeat(15.0), cooled, {"hot": facing((-1, 0, 0))})
        >>> longer = patch_velocity(problem, "hot")
        >>> longer[part.vertices[:, 0] < 0].round(9).tolist() == 4 * [[-1.0, 0.0, 0.0]]
        True
    """
    if not np.any(problem.resolved.mask(patch)):
        raise InputError("patch", repr(patch), "has no face", "Name one of the part's patches")
    domain = problem.domain
    normal, angle = corner_normals(domain)
    along = np.ones(len(normal))
    if direction is not None:
        arrow = np.asarray(direction, np.float64)
        if arrow.shape != (3,) or not np.all(np.isfinite(arrow)) or not np.any(arrow):
            hint = "Give three numbers that are not all 0"
            raise InputError("direction", str(direction), "is no direction in space", hint)
        along = normal @ arrow
    along = np.where(problem.resolved.mask(patch), along, 0.0)
    faces = np.asarray(domain.faces)
    _check_steps(patch, faces, normal, along)
    pull = np.zeros((len(domain.vertices), 3))
    for k in range(3):
        np.add.at(pull, faces[:, k], (angle[:, k] * along)[:, None] * normal)
    return kept_directions(domain, normal, angle, pull)


def _check_steps(
    patch: str,
    faces: Int[np.ndarray, "f 3"],
    normal: Float[np.ndarray, "f 3"],
    along: Float[np.ndarray, " f"],
) -> None:
    """Refuses velocities that differ across an edge which is not sharp."""
    edges = np.sort(np.concatenate([faces[:, [0, 1]], faces[:, [1, 2]], faces[:, [2, 0]]]), axis=1)
    order = np.lexsort(edges.T)
    same = np.flatnonzero(np.all(edges[order[1:]] == edges[order[:-1]], axis=1))
    one, other = order[same] % len(faces), order[same + 1] % len(faces)
    smooth = np.sum(normal[one] * normal[other], axis=1) > _SHARP
    if np.any(smooth & (np.abs(along[one] - along[other]) > _STEP * np.max(np.abs(along)))):
        reason = "it moves but ends inside a smooth face, where its border would become a step"
        raise InputError("patch", repr(patch), reason, "Choose a patch that ends at sharp edges")
