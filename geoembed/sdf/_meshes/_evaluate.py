"""The distance to a mesh and the nearest point, from the nearest triangle."""

from typing import NamedTuple, Protocol, runtime_checkable

import jax.numpy as jnp
from jaxtyping import Array, Bool, Float, Int

from ._triangle import Triangles, direction, foot, signed_distance


class Closest(NamedTuple):
    """The point of a surface that is nearest to a given point.

    Args:
        point: The nearest point, in the mesh's unit.
        distance: The signed distance to it, negative inside.
        normal: The gradient of the signed distance: (x − point)/distance, and on the surface the
            pseudonormal.
        face: The face it lies on (of several that share it: any one).
        feature: 0 on the face; 1, 2, 3 on its edge v₀v₁, v₁v₂, v₂v₀; 4, 5, 6 at its vertex v₀, v₁, v₂.
        barycentric: The weights of the three corners; `point = Σ weight · corner`.
    """

    point: Float[Array, "3"]
    distance: Float[Array, ""]
    normal: Float[Array, "3"]
    face: Int[Array, ""]
    feature: Int[Array, ""]
    barycentric: Float[Array, "3"]


@runtime_checkable
class Searchable(Protocol):
    """A mesh in a frame in which it has size about 1."""

    def enter(self, x: Float[Array, "3"]) -> tuple[Float[Array, "3"], Float[Array, ""]]:
        """Returns a point in the frame, and the length of the frame."""
        ...

    def nearest(self, point: Float[Array, "3"]) -> tuple[Int[Array, ""], Triangles]:
        """Returns the number of the triangle nearest to a point of the frame, and the triangle."""
        ...

    def turned(self, point: Float[Array, "3"], distance: Float[Array, ""]) -> Bool[Array, ""] | None:
        """Returns whether the sign of the distance is to be changed; None for a mesh where it never is."""
        ...


def distance_to(mesh: Searchable, x: Float[Array, "3"]) -> Float[Array, ""]:
    """Returns the signed distance of one point."""
    point, scale = mesh.enter(x)
    _, triangle = mesh.nearest(point)
    distance = signed_distance(point, triangle.corners, triangle)
    turned = mesh.turned(point, distance)
    return scale * (distance if turned is None else jnp.where(turned, -distance, distance))


def closest_on(mesh: Searchable, x: Float[Array, "3"]) -> Closest:
    """Returns the nearest point of the surface and what is known about it."""
    point, scale = mesh.enter(x)
    face, triangle = mesh.nearest(point)
    there = foot(point, triangle.corners, triangle)
    distance, normal = signed_distance(point, triangle.corners, triangle), direction(there, triangle)
    turned = mesh.turned(point, distance)
    if turned is not None:
        distance, normal = (jnp.where(turned, -value, value) for value in (distance, normal))
    return Closest(
        point=x - scale * there.offset,
        distance=scale * distance,
        normal=normal,
        face=face,
        feature=there.feature,
        barycentric=there.weights,
    )
