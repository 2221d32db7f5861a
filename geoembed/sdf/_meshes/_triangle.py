"""Closest point on one triangle, its signed distance and the derivatives of both."""

from typing import NamedTuple

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Float, Int

from ...core import register

# Feature codes: what part of the triangle the closest point lies on.
FACE = 0  # 1, 2, 3: the edges v0v1, v1v2, v2v0; 4, 5, 6: the vertices v0, v1, v2


@register
class Triangles(eqx.Module):
    """Triangles with the float64 frames that make the inside test safe on slivers.

    A barycentric determinant in float32 loses every digit on a sliver. The sign of `(p - vᵢ)·mᵢ` with a unit
    in-plane edge normal `mᵢ` computed in float64 errs by one rounding of the point only.

    All arrays may carry the same leading axes.
    """

    corners: Float[Array | np.ndarray, "*f 3 3"]  # vᵢ
    edges: Float[Array | np.ndarray, "*f 3 3"]  # unit eᵢ from vᵢ to vᵢ₊₁
    inward: Float[Array | np.ndarray, "*f 3 3"]  # unit mᵢ = n × eᵢ, in the plane, pointing into the triangle
    lengths: Float[Array | np.ndarray, "*f 3"]
    heights: Float[Array | np.ndarray, "*f 3"]  # of vᵢ above the opposite edge
    normal: Float[Array | np.ndarray, "*f 3"]  # unit n
    pseudonormals: Float[Array | np.ndarray, "*f 7 3"]  # unit, one per feature code


class Foot(NamedTuple):
    """The foot of the perpendicular from a point to a triangle."""

    offset: Float[Array, "3"]  # p - closest point
    height: Float[Array, ""]  # (p - v₀)·n
    weights: Float[Array, "3"]  # barycentric
    feature: Int[Array, ""]
    touched: Int[Array, ""]  # the feature within rounding of which the closest point lies


def _dot(a: Float[Array, "*n 3"], b: Float[Array, "*n 3"]) -> Float[Array, "*n"]:
    return jnp.sum(a * b, axis=-1)


def rounding(dtype: np.dtype) -> float:
    """The rounding of a position: the mesh has size about 1, and in float64 its tables carry 48 bits."""
    return max(4 * float(jnp.finfo(dtype).eps), 2.0**-46)


def foot(point: Float[Array, "3"], corners: Float[Array, "3 3"], triangle: Triangles) -> Foot:
    """Finds the closest point of one triangle.

    Inside the prism over the face, `(p - vᵢ)·mᵢ > 0` for all i, the foot is `p - n h`; elsewhere it is the
    closest point of the nearest of the three edges.

    Args:
        point: The point, in the frame of the corners.
        corners: The corners, apart from `triangle` because only they carry derivatives.
        triangle: The frames of this triangle.

    Returns:
        The foot. Its offset is differentiable wherever the feature does not change.
    """
    to_point = point[None, :] - corners
    along = _dot(to_point, triangle.edges)
    across = _dot(to_point, triangle.inward)
    height = jnp.sum(to_point[0] * triangle.normal)
    clipped = jnp.minimum(jnp.maximum(along, 0), triangle.lengths)
    edge = jnp.argmin(across**2 + (along - clipped) ** 2)
    last = jnp.mod(edge + 1, 3)

    def feature(margin: float) -> Int[Array, ""]:
        at_start, at_end = along[edge] <= margin, along[edge] >= triangle.lengths[edge] - margin
        rim = jnp.where(at_start, 4 + edge, jnp.where(at_end, 4 + last, 1 + edge))
        return jnp.where(jnp.all(across > margin), FACE, rim).astype(jnp.int32)

    exact = feature(0.0)
    from_edge = to_point[edge] - along[edge] * triangle.edges[edge]
    from_rim = jnp.where(exact < 4, from_edge, to_point[jnp.maximum(exact - 4, 0)])
    offset = jnp.where(exact == FACE, height * triangle.normal, from_rim)
    weights = _barycentric(across, clipped, edge, exact == FACE, triangle)
    return Foot(offset, height, weights, exact, feature(rounding(point.dtype)))


def _barycentric(
    across: Float[Array, "3"],
    clipped: Float[Array, "3"],
    edge: Int[Array, ""],
    in_face: Array,
    triangle: Triangles,
) -> Float[Array, "3"]:
    opposite = jnp.roll(across, -1)  # the edge opposite v₀ is the second one
    inner = jnp.maximum(opposite, 0) / triangle.heights
    end = clipped[edge] / triangle.lengths[edge]
    corner = jnp.arange(3)
    rim = jnp.where(corner == edge, 1 - end, jnp.where(corner == jnp.mod(edge + 1, 3), end, 0))
    return jnp.where(in_face, inner / jnp.where(in_face, jnp.sum(inner), 1), rim)


def direction(there: Foot, triangle: Triangles) -> Float[Array, "3"]:
    """Returns the gradient of the signed distance: a unit vector, everywhere.

    Above a face it is the face normal (no division, so no noise near the surface), next to an edge or a
    vertex the signed `(p - c)/|p - c|`, and on the surface, within rounding, the pseudonormal.
    """
    square = jnp.sum(there.offset**2)
    on_surface = square <= rounding(square.dtype) ** 2
    unit = there.offset / jnp.sqrt(jnp.where(on_surface, 1, square))
    outside = jnp.sum(there.offset * triangle.pseudonormals[there.feature]) >= 0
    above = jnp.where(there.feature == FACE, triangle.normal, jnp.where(outside, unit, -unit))
    return jnp.where(on_surface, triangle.pseudonormals[there.touched], above)


@jax.custom_jvp
def signed_distance(
    point: Float[Array, "3"], corners: Float[Array, "3 3"], triangle: Triangles
) -> Float[Array, ""]:
    """Returns the distance to one triangle with the sign of the pseudonormal (negative inside).

    First derivatives follow from the envelope theorem: with the closest point `c = Σ λᵢ vᵢ` and `g` of
    `direction`, `δd = g·(δp - Σ λᵢ δvᵢ)`. The second derivative in the point is that of the distance to the
    nearest *feature*: 0 on faces, `(I - eeᵀ - ggᵀ)/d` at edges, `(I - ggᵀ)/d` at vertices; it does not see
    the jumps of the gradient across the medial axis and inside convex edges. Second derivatives in the corners are
    right when the frames are functions of the corners.
    """
    there = foot(point, corners, triangle)
    square = jnp.sum(there.offset**2)
    away = jnp.where(square == 0, 0, jnp.sqrt(jnp.where(square == 0, 1, square)))  # nan stays nan
    outside = jnp.sum(there.offset * triangle.pseudonormals[there.feature]) >= 0
    return jnp.where(there.feature == FACE, there.height, jnp.where(outside, away, -away))


@signed_distance.defjvp
def _signed_distance_jvp(primals: tuple, tangents: tuple) -> tuple[Array, Array]:
    point, corners, triangle = primals
    moved, corners_moved, _ = tangents  # by the envelope theorem the frames contribute nothing
    there = foot(point, corners, triangle)
    closest_moved = jnp.sum(there.weights[:, None] * corners_moved, axis=0)
    return signed_distance(point, corners, triangle), jnp.sum(
        direction(there, triangle) * (moved - closest_moved)
    )
