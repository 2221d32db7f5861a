"""Weighted points on a triangle mesh, with a fixed number of them: can be jitted and differentiated."""

import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Float, Int, PRNGKeyArray

from ..core import norm
from ._draw import Draw
from ._sequences import Method, uniform_points


def draw_surface(
    vertices: Float[Array | np.ndarray, "v 3"],
    faces: Int[Array | np.ndarray, "f 3"],
    count: int,
    *,
    key: PRNGKeyArray,
    favour: Float[Array | np.ndarray, " f"] | None = None,
    method: Method = "sobol",
) -> Draw:
    """Draws points on a triangle mesh, uniformly by area or more densely where asked.

    The first of three coordinates in the unit cube picks the face k with the chance pₖ = aₖ sₖ / Σ a s from areas a
    and favours s, the other two a point of it by (1 − √u, √u (1 − v), √u v). The weight is aₖ/(n pₖ): Σ wᵢ φ(xᵢ) is
    an unbiased estimate of ∫ φ dA over the faces with s > 0, with every method. Exact but for the rounding of the
    cumulated areas. `sample_surface` does the same on the host, in float64.

    Differentiable in the vertices: the chances do not take part in the derivative, so that the derivative of the
    estimate is an unbiased estimate of the derivative of the integral.

    Args:
        vertices: Vertices; their dtype is that of the result.
        faces: The vertex numbers of each face, counter-clockwise seen from outside.
        count: How many points; static.
        key: Random key.
        favour: How much more densely than by area each face is drawn, not negative; 0 leaves it out. Residuals of
            an equation, say, or `patches.mask("inlet")` as numbers. None for 1 everywhere.
        method: "sobol", "halton" or "random".

    Returns:
        Points with areas, unit normals and the number of the face of each; the patch ids are
        `patches.face_patch[faces]`. The measure is the exact area of the faces drawn from, all points are valid.
        Where no face has an area or a favour, all weights are 0 and no point is valid.

    Raises:
        ValueError: A count below one.

    References:
        R. Osada et al., ACM Trans. Graph. 21 (2002) 807, eq. 1 (a point of a triangle).

    Example:
        >>> corners = jnp.array([[0.0, 0.0, 0.0], [1.0, 0.0, 0.0], [0.0, 1.0, 0.0], [0.0, 0.0, 1.0]])
        >>> faces = jnp.array([[0, 2, 1], [0, 1, 3], [0, 3, 2], [1, 2, 3]])
        >>> only_first = jnp.array([1.0, 0.0, 0.0, 0.0])
        >>> found = jax.jit(lambda key: draw_surface(corners, faces, 64, key=key, favour=only_first))(jax.random.key(0))
        >>> float(found.measure), float(found.points[:, 2].max()), found.normals[0].tolist()
        (0.5, 0.0, [0.0, 0.0, -1.0])
    """
    if count < 1:
        raise ValueError(f"count must be at least 1, received {count}")
    vertices = jnp.asarray(vertices)
    corners = vertices[jnp.asarray(faces)]
    across = jnp.cross(corners[:, 1] - corners[:, 0], corners[:, 2] - corners[:, 0])
    areas = 0.5 * norm(across)
    share = areas if favour is None else areas * jnp.asarray(favour).astype(areas.dtype)
    cumulated = jnp.cumsum(jax.lax.stop_gradient(share))
    some = cumulated[-1] > 0

    unit = uniform_points(method, count, 3, key, vertices.dtype)
    picked = jnp.searchsorted(cumulated, unit[:, 0] * cumulated[-1], side="right")
    last = (
        len(corners) - 1 - jnp.argmax(share[::-1] > 0)
    )  # rounding may lead past the last face with a chance
    picked = jnp.minimum(picked, last.astype(picked.dtype))
    chance = jax.lax.stop_gradient(share[picked]) / jnp.where(some, cumulated[-1], 1.0)
    weights = jnp.where(some, areas[picked] / (count * jnp.where(some, chance, 1.0)), 0.0)
    root = jnp.sqrt(unit[:, 1])
    inside = jnp.stack([1.0 - root, root * (1.0 - unit[:, 2]), root * unit[:, 2]], axis=1)
    points = jnp.sum(inside[:, :, None] * corners[picked], axis=1)
    normals = across[picked] / jnp.where(some, 2.0 * areas[picked], 1.0)[:, None]
    measure = jnp.sum(areas if favour is None else jnp.where(share > 0, areas, 0.0))
    return Draw(points, weights, jnp.broadcast_to(some, (count,)), measure, normals, picked)
