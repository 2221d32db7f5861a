"""Which separate body each face of a closed surface bounds."""

import numpy as np
from jaxtyping import Float, Int

from ._mend import signed_volume
from ._meshes._mesh import MeshSDF
from ._topology import count_edges, winding_number


def bodies(domain: MeshSDF) -> Int[np.ndarray, " f"]:
    """Numbers the separate bodies of a part.

    The shells of a closed surface that face outwards bound one body each; a cavity (a shell that faces inwards)
    belongs to the smallest body around it.

    Args:
        domain: The part; closed, so that bodies face outwards and cavities inwards.

    Returns:
        The number of the body of each face, from 0.
    """
    faces = domain.faces.astype(np.int64)
    shell = count_edges(faces).components
    count = int(shell.max()) + 1
    if count == 1:
        return shell
    members = [np.flatnonzero(shell == number) for number in range(count)]
    volume = np.array([signed_volume(domain.vertices, faces[own]) for own in members])
    corners = [domain.vertices[faces[own]] for own in members]
    outward = np.flatnonzero(volume > 0)
    owner = np.arange(count)
    for cavity in np.flatnonzero(volume <= 0):
        around = [number for number in outward if _is_inside(corners[cavity], corners[number])]
        owner[cavity] = min(around, key=lambda number: volume[number], default=cavity)
    _, number = np.unique(owner, return_inverse=True)
    return number[shell]


def _is_inside(inner: Float[np.ndarray, "m 3 3"], outer: Float[np.ndarray, "n 3 3"]) -> bool:
    """Whether a closed shell lies inside another that it does not cut."""
    boxed = np.all(inner.min(axis=(0, 1)) >= outer.min(axis=(0, 1))) and np.all(
        inner.max(axis=(0, 1)) <= outer.max(axis=(0, 1))
    )
    return bool(boxed) and abs(winding_number(inner[0, 0], outer)) > 0.5
