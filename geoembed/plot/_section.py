"""A plane section of a part: where, its outline, and which points of the plane lie inside."""

from dataclasses import dataclass

import numpy as np
from jaxtyping import Float

from ..sdf import MeshSDF, value_and_gradient

_TRIED = (0.5, 0.47, 0.53, 0.44, 0.56, 0.41, 0.59)  # positions between the part's sides
_MIDDLE = 1.05  # by how much a plane beside the middle must cut more to be chosen
_OFF = 1e-7  # of the part's length: planes are moved by this, off faces that lie in them
_BLOCK = 8  # pixels along the edge of the blocks that are tested first


@dataclass(frozen=True)
class Section:
    """A plane section.

    Args:
        axis: 0, 1, 2 for a plane across x, y, z.
        position: The plane's coordinate on that axis, in the part's unit.
        outline: The ends of the segments in which the plane cuts the surface, in the plane's two coordinates;
            the part is on their left.
        area: The area of the cut, in the part's unit squared.
    """

    axis: int
    position: float
    outline: Float[np.ndarray, "s 2 2"]
    area: float

    @property
    def across(self) -> tuple[int, int]:
        """The axes that run to the right and upwards in a picture of the section."""
        return ((1, 2), (0, 2), (0, 1))[self.axis]

    def points(self, plane: Float[np.ndarray, "n 2"]) -> Float[np.ndarray, "n 3"]:
        """Returns points of the plane in space."""
        return np.insert(plane, self.axis, self.position, axis=1)


def section(domain: MeshSDF, axis: int, position: float) -> Section:
    """Cuts a part by a plane across a coordinate axis. Cost O(faces).

    Args:
        domain: The part.
        axis: 0, 1, 2 for x, y, z.
        position: The plane's coordinate, in the part's unit.

    Returns:
        The section. Its area is that of the outline, ½ |Σ a × b| over its segments.
    """
    corners = domain.vertices[domain.faces]
    height = corners[..., axis] - position
    above = height >= 0
    crossed = np.flatnonzero(above.any(axis=1) & ~above.all(axis=1))
    height, above, corners = height[crossed], above[crossed], corners[crossed]
    # Turn each triangle so that its first corner is alone on its side; the plane cuts its two edges.
    alone = np.where(above.sum(axis=1) == 1, above.argmax(axis=1), (~above).argmax(axis=1))
    turn = (alone[:, None] + np.arange(3)) % 3
    height = np.take_along_axis(height, turn, axis=1)
    corners = np.take_along_axis(corners, turn[..., None], axis=1)
    share = height[:, :1] / (height[:, :1] - height[:, 1:])
    ends = corners[:, :1] + share[..., None] * (corners[:, 1:] - corners[:, :1])
    result = Section(axis, position, np.empty((0, 2, 2)), 0.0)
    outline = ends[..., result.across]
    normal = domain.normals[crossed][:, result.across]
    along = outline[:, 1] - outline[:, 0]
    inwards = along[:, 0] * -normal[:, 1] - along[:, 1] * -normal[:, 0]
    outline = np.where((inwards < 0)[:, None, None], outline[:, ::-1], outline)
    middle = 0.5 * (domain.bounds[0] + domain.bounds[1])[list(result.across)]
    a, b = outline[:, 0] - middle, outline[:, 1] - middle
    area = 0.5 * abs(float(np.sum(a[:, 0] * b[:, 1] - a[:, 1] * b[:, 0])))
    return Section(axis, position, outline, area)


def middle_section(domain: MeshSDF, axes: tuple[int, ...] = (0, 1, 2)) -> Section:
    """Returns the plane section near the part's middle, across one of some axes, that cuts the largest area."""
    lower, upper = domain.bounds
    off = _OFF * float(np.max(upper - lower))
    best: Section | None = None
    for share in _TRIED:
        for axis in axes:
            cut = section(domain, axis, float(lower[axis] + share * (upper - lower)[axis]) + off)
            if best is None or cut.area > best.area * _MIDDLE:
                best = cut
    assert best is not None
    return best


def signed_distances(
    domain: MeshSDF, cut: Section, across: Float[np.ndarray, " w"], up: Float[np.ndarray, " h"]
) -> Float[np.ndarray, "h w"]:
    """Returns the signed distance on a grid of the plane, exact near the surface.

    Blocks of the grid that the surface cannot reach get the distance at their middle.

    Args:
        domain: The part.
        cut: The plane.
        across: Equidistant coordinates to the right.
        up: Equidistant coordinates upwards, with the same spacing.

    Returns:
        Signed distances, in the part's unit, negative inside; the sign is right everywhere.
    """
    spacing = float(across[1] - across[0])
    rows, columns = -(-len(up) // _BLOCK), -(-len(across) // _BLOCK)
    half = 0.5 * (_BLOCK - 1)
    right = across[0] + spacing * (_BLOCK * np.arange(columns) + half)
    top = up[0] + spacing * (_BLOCK * np.arange(rows) + half)
    coarse, _ = value_and_gradient(domain, cut.points(_grid(right, top)))
    fine = np.repeat(np.repeat(coarse.reshape(rows, columns), _BLOCK, axis=0), _BLOCK, axis=1)
    fine = fine[: len(up), : len(across)]
    near = np.abs(fine) <= np.sqrt(2) * (half + 1) * spacing
    points = _grid(across, up)[near.ravel()]
    fine[near], _ = value_and_gradient(domain, cut.points(points))
    return fine


def _grid(across: Float[np.ndarray, " w"], up: Float[np.ndarray, " h"]) -> Float[np.ndarray, "n 2"]:
    return np.stack(np.meshgrid(across, up), axis=-1).reshape(-1, 2)
