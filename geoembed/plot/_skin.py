"""A part's surface as it is drawn: its own, or moved."""

from dataclasses import dataclass
from functools import cached_property

import numpy as np
from jaxtyping import Float, Int

from ..sdf import MeshSDF

_SLIVER = 0.02  # height of a triangle in lengths of its longest edge


@dataclass(frozen=True)
class Skin:
    """A closed triangle surface for a picture.

    Args:
        vertices: Its corners.
        faces: The corners of each triangle, counter-clockwise from outside.
        unit: The length unit.
        home: The outer unit normal of the face that each triangle is a piece of; taken for slivers, whose own is noise.
    """

    vertices: Float[np.ndarray, "v 3"]
    faces: Int[np.ndarray, "f 3"]
    unit: str
    home: Float[np.ndarray, "f 3"]

    @cached_property
    def normals(self) -> Float[np.ndarray, "f 3"]:
        """The outer unit normal of each face."""
        a, b, c = np.moveaxis(self.vertices[self.faces], 1, 0)
        normal = np.cross(b - a, c - a)
        length = np.linalg.norm(normal, axis=1, keepdims=True)
        longest = np.max([np.sum(e**2, axis=1) for e in (b - a, c - b, a - c)], axis=0)[:, None]
        sliver = length <= _SLIVER * longest
        return np.where(sliver, self.home, normal / np.where(sliver, 1.0, length))

    @property
    def bounds(self) -> tuple[Float[np.ndarray, "3"], Float[np.ndarray, "3"]]:
        """The lower and the upper corner of its box."""
        return self.vertices.min(axis=0), self.vertices.max(axis=0)

    def blend(
        self, values: Float[np.ndarray, " v"], face: Int[np.ndarray, " n"], points: Float[np.ndarray, "n 3"]
    ) -> Float[np.ndarray, " n"]:
        """Returns values given at the corners, linear on each triangle.

        Args:
            values: At the corners.
            face: The triangle that each point lies on.
            points: The points.
        """
        corners = self.vertices[self.faces[face]]
        a, b, p = corners[:, 1] - corners[:, 0], corners[:, 2] - corners[:, 0], points - corners[:, 0]
        aa, ab, bb = (np.sum(one * other, axis=1) for one, other in ((a, a), (a, b), (b, b)))
        pa, pb = np.sum(p * a, axis=1), np.sum(p * b, axis=1)
        size = aa * bb - ab**2
        size = np.where(size > 0, size, 1.0)
        second, third = np.clip((bb * pa - ab * pb) / size, 0, 1), np.clip((aa * pb - ab * pa) / size, 0, 1)
        share = np.stack([1 - second - third, second, third], axis=1)
        return np.sum(share * values[self.faces[face]], axis=1)


Drawn = MeshSDF | Skin
