"""Looking at a part from a direction: projection, what is seen, and from where most is seen."""

from dataclasses import dataclass

import numpy as np
from jaxtyping import Float, Int

from ._raster import rasterise
from ._skin import Drawn

_ELEVATION = 28.0
_AZIMUTHS = (-60.0, 30.0, 120.0, -150.0)
_FROM_ABOVE = 1.25  # by how much a view from below must show more to be chosen


@dataclass(frozen=True)
class Projection:
    """A parallel projection onto a plane.

    Args:
        axes: How the plane's two coordinates change with x, y, z.
        shift: The plane's coordinates of the origin.
        toward: The unit vector towards the eye.
    """

    axes: Float[np.ndarray, "2 3"]
    shift: Float[np.ndarray, "2"]
    toward: Float[np.ndarray, "3"]

    def __call__(self, points: Float[np.ndarray, "*n 3"]) -> Float[np.ndarray, "*n 3"]:
        """Returns the plane's coordinates of points, and their depth."""
        return np.concatenate(
            [points @ self.axes.T + self.shift, -(points @ self.toward)[..., None]], axis=-1
        )

    def back(self, seen: Float[np.ndarray, "n 3"]) -> Float[np.ndarray, "n 3"]:
        """Returns the points that have these coordinates and depths."""
        matrix = np.concatenate([self.axes, -self.toward[None]])
        shift = np.append(self.shift, 0.0)
        return np.linalg.solve(matrix, (seen - shift).T).T


@dataclass(frozen=True)
class Picture:
    """What is seen of a part.

    Args:
        face: The face seen at each pixel, -1 beside the part; the first row is the lowest.
        points: The point seen at each pixel that shows the part, in the order of `face >= 0`.
        extent: Left, right, bottom and top of the picture in the plane.
        pixel: The size of a pixel, in the part's unit.
    """

    face: Int[np.ndarray, "height width"]
    points: Float[np.ndarray, "n 3"]
    extent: tuple[float, float, float, float]
    pixel: float


def angle_basis(elevation: float, azimuth: float) -> Projection:
    """Returns the projection for an eye at these angles in degrees, in the part's unit."""
    e, a = np.radians(elevation), np.radians(azimuth)
    toward = np.array([np.cos(e) * np.cos(a), np.cos(e) * np.sin(a), np.sin(e)])
    right = np.array([-np.sin(a), np.cos(a), 0.0])
    return Projection(np.stack([right, np.cross(toward, right)]), np.zeros(2), toward)


def look(domain: Drawn, projection: Projection, pixels: int) -> Picture:
    """Finds what is seen of a part.

    Args:
        domain: The part; it must be closed, since only faces that look at the eye are drawn.
        projection: From where, and the plane's coordinates.
        pixels: Of the longer side of the picture.

    Returns:
        The face and the point at each pixel.
    """
    front = np.flatnonzero(domain.normals @ projection.toward > 0)
    seen = projection(domain.vertices)[domain.faces[front]]
    low, high = seen[..., :2].min(axis=(0, 1)), seen[..., :2].max(axis=(0, 1))
    size = float(np.max(high - low)) / pixels
    width, height = (int(n) for n in np.ceil((high - low) / size) + 2)  # one empty pixel around
    corner = low - size
    seen[..., :2] = (seen[..., :2] - corner) / size
    triangle, depth = rasterise(seen, width, height)
    row, column = np.nonzero(triangle >= 0)
    plane = corner + size * (np.stack([column, row], axis=1) + 0.5)
    points = projection.back(np.concatenate([plane, depth[row, column][:, None]], axis=1))
    extent = (corner[0], corner[0] + size * width, corner[1], corner[1] + size * height)
    per_unit = float(np.linalg.norm(projection.axes, axis=1).mean())
    face = np.where(triangle >= 0, front[triangle], -1)
    return Picture(face, points, tuple(float(x) for x in extent), size / per_unit)


def best_angles(domain: Drawn) -> tuple[float, float]:
    """Returns the elevation and azimuth, of eight oblique ones, from which most of the surface is seen."""

    def area(elevation: float, azimuth: float) -> float:
        projection = angle_basis(elevation, azimuth)
        picture = look(domain, projection, 160)
        slant = domain.normals[picture.face[picture.face >= 0]] @ projection.toward
        return float(np.sum(1 / np.maximum(slant, 0.2)) * picture.pixel**2)

    shown = {(_ELEVATION, azimuth): _FROM_ABOVE * area(_ELEVATION, azimuth) for azimuth in _AZIMUTHS}
    shown |= {(-_ELEVATION, azimuth): area(-_ELEVATION, azimuth) for azimuth in _AZIMUTHS}
    enough = 0.98 * max(shown.values())  # the first of equals: a symmetric part is always seen from one side
    return next(angles for angles, seen in shown.items() if seen >= enough)
