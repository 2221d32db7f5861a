"""Signed distances in the plane to straight edges and to shapes with the symmetry of a wedge."""

import math
from typing import Any

import jax
import jax.numpy as jnp
from jaxtyping import Array, Float

from ...core import norm
from .._select import larger, largest

Length = Float[Array, ""]
Point = Float[Array, "2"]


def corner_distance(gaps: Float[Array, " n"]) -> Length:
    """Signed distance to the corner where n perpendicular half spaces meet, from the distance to each.

    Inside the largest (least negative) gap; outside the length of the positive ones. On the surface the gradient
    is the normal of a face, at an edge that of one of its faces.
    """
    outside = largest(gaps) > 0
    away = norm(jnp.where(outside, larger(gaps, 0), 1.0))
    return jnp.where(outside, away, largest(gaps))


def cross(a: Any, b: Any) -> Any:
    """The z component of a × b, for numpy and jax arrays of shape [..., 2]."""
    return a[..., 0] * b[..., 1] - a[..., 1] * b[..., 0]


def edge_share(
    p: Float[Array, "*#n d"], a: Float[Array, "*n d"], b: Float[Array, "*n d"]
) -> Float[Array, "*n"]:
    """Where on the line from a (0) to b (1) the foot of p lies; 0 when a and b are one point."""
    edge = b - a
    square = jnp.sum(edge**2, axis=-1)
    return jnp.sum((p - a) * edge, axis=-1) / jnp.where(square == 0, 1.0, square)


def edge_distance(p: Point, a: Point, b: Point, left: Array) -> Length:
    """Distance to one edge, with the sign of the side: negative on the left of a → b if `left` is 1, else if −1.

    Beside the edge it is the height over the line, so the gradient is the normal also on the edge and at its ends.
    """
    edge, share = b - a, edge_share(p, a, b)
    length = norm(edge)
    height = -left * cross(edge, p - a) / jnp.where(length == 0, 1.0, length)
    away = norm(p - jnp.where(share >= 1, b, a))
    beside = (share > 0) & (share < 1) | (away == 0)
    return jnp.where(beside, height, jnp.where(height > 0, away, -away))


def in_wedge(p: Point, n: int, first: float) -> Point:
    """Turns p by a multiple of 2π/n into the wedge of that opening around the x axis.

    Args:
        p: The point.
        n: The number of wedges.
        first: The angle of the middle of one wedge, in units of the opening.
    """
    opening = 2 * math.pi / n
    fixed = jax.lax.stop_gradient(p)  # which wedge it is does not change under a small step
    angle = jnp.arctan2(fixed[1], fixed[0])
    angle = jnp.where(jnp.isnan(angle), 0.0, angle)  # of two subnormal numbers
    turns = jnp.round(angle / opening - first) + first
    c, s = jnp.cos(turns * opening), jnp.sin(turns * opening)
    return jnp.stack([c * p[0] + s * p[1], c * p[1] - s * p[0]])


def regular_polygon(p: Point, n: int, radius: Length) -> Length:
    """Signed distance to a regular polygon with a corner on the positive x axis; `radius` to the corners."""
    p = in_wedge(p, n, 0.5)
    height = p[0] - radius * math.cos(math.pi / n)
    beyond = jnp.abs(p[1]) - radius * math.sin(math.pi / n)
    at_corner = beyond > 0
    away = norm(jnp.where(at_corner, jnp.stack([height, beyond]), 1.0))
    return jnp.where(at_corner, away, height)


def star(p: Point, n: int, outer: Length, inner: Length) -> Length:
    """Signed distance to a star with a point on the positive x axis."""
    p = in_wedge(p, n, 0.0)
    p = jnp.stack([p[0], jnp.abs(p[1])])
    tip = jnp.stack([outer, jnp.zeros_like(outer)])
    notch = inner * jnp.asarray([math.cos(math.pi / n), math.sin(math.pi / n)], p.dtype)
    return edge_distance(p, tip, notch, jnp.ones_like(outer))


def arc_gap(p: Point, radius: Length, angle: Length, height: Length | None = None) -> Length:
    """Distance to an arc about the origin, symmetric to the x axis; `height` is how far p lies above its plane."""
    p = jnp.stack([p[0], jnp.abs(p[1])])
    c, s = jnp.cos(0.5 * angle), jnp.sin(0.5 * angle)
    beside = norm(p) - radius
    end = p - radius * jnp.stack([c, s])
    within = c * p[1] <= s * p[0]
    if height is None:
        return jnp.where(within, jnp.abs(beside), norm(end))
    return norm(
        jnp.where(within, jnp.stack([beside, jnp.zeros_like(beside), height]), jnp.append(end, height))
    )
