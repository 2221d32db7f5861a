"""What one triangle adds to the potential of a patch."""

import jax
import jax.numpy as jnp
from jaxtyping import Array, Float

from .._meshes._triangle import Triangles
from ._boundary_potential import share

PerEdge = Float[Array, "3"]


def triangle_share(point: Float[Array, "3"], triangle: Triangles, power: int) -> Float[Array, ""]:
    """Returns K₁ or K₃ of one triangle; see `_boundary_potential`.

    D changes sign where the foot of the point crosses an edge. Its four terms cancel there, so they are put together
    from the nearest edge: with the third corner at height H above that edge and at s₃ along it, a the distance of the
    foot inwards from the edge and q that of the point from its line,

        D = R₃ (R₁R₂ + r₁·r₂) + s₃ (s₂R₁ + s₁R₂) + (q² − H a)(R₁ + R₂),

    each factor computed without cancellation. So neither slivers nor points in the plane of the triangle lose digits.

    Args:
        point: The point, in the frame of the triangle; not one of the corners.
        triangle: The triangle.
        power: p.
    """
    to_point = point[None] - triangle.corners
    start = -jnp.sum(to_point * triangle.edges, axis=1)  # along each edge, from the foot of the point
    end = triangle.lengths + start
    across = jnp.sum(to_point * triangle.inward, axis=1)
    height = jnp.abs(jnp.sum(to_point[0] * triangle.normal))
    squares = across**2 + height**2
    first = jnp.sqrt(jnp.sum(to_point**2, axis=1))
    second, third = jnp.roll(first, -1), jnp.roll(first, -2)
    # R₁ + R₂ − L of each edge, which is 0 on it
    excess = _gap(first, start, squares) + _gap(second, -end, squares)
    sums = 0.5 * excess * (first + second + triangle.lengths)  # R₁R₂ + r₁·r₂
    opposite = jnp.roll(triangle.corners, -2, axis=0) - triangle.corners
    along_third = start + jnp.sum(opposite * triangle.edges, axis=1)
    rises = jnp.roll(triangle.heights, -2)
    d = (
        third * sums
        + along_third * _moment(start, end, first, second, squares)
        + (squares - rises * across) * (first + second)
    )
    beyond = jnp.maximum(start, 0.0) + jnp.minimum(end, 0.0)
    # ∂D/∂(h²) with ∂R/∂(h²) = 1/2R and ∂(r·r′)/∂(h²) = 1.
    d_rise = jnp.sum(first + 0.5 * sums / third)
    area = triangle.lengths[0] * rises[0]
    return share(area, _at_least(squares + beyond**2, d), d_rise, height, power)


def _at_least(squares: PerEdge, values: PerEdge) -> Float[Array, ""]:
    """The value that belongs to the least square. Written out: a gather is slow, and its transpose slower."""
    a, b, c = jax.lax.stop_gradient(squares)
    return jnp.where((a <= b) & (a <= c), values[0], jnp.where(b <= c, values[1], values[2]))


def _gap(radius: PerEdge, s: PerEdge, squares: PerEdge) -> PerEdge:
    """R + s, where R² = q² + s²: q²/(R − s) when s < 0."""
    behind = s < 0
    return jnp.where(behind, squares / jnp.where(behind, radius - s, 1.0), radius + s)


def _moment(start: PerEdge, end: PerEdge, first: PerEdge, second: PerEdge, squares: PerEdge) -> PerEdge:
    """s₂R₁ + s₁R₂; when the foot lies between the ends, q² (s₂² − s₁²)/(s₂R₁ − s₁R₂)."""
    between = (start < 0) & (end > 0)
    inner = squares * (end - start) * (start + end) / jnp.where(between, end * first - start * second, 1.0)
    return jnp.where(between, inner, end * first + start * second)
