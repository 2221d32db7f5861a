"""Weighted points in, on and near any shape, with a fixed number of them: everything here can be jitted."""

from collections.abc import Callable
from typing import Any, Literal, NamedTuple

import jax
import jax.numpy as jnp
from jaxtyping import Array, Bool, Float, Int, PRNGKeyArray

from ._bounds import bounds_of
from ._curvature import Field
from ._sequences import Method, uniform_points

_TAIL = 3.0  # standard deviations at which the normal distribution of offsets ends
Bounds = tuple[Any, Any] | None


class Draw(NamedTuple):
    """Points with weights: Σ wᵢ φ(xᵢ) estimates ∫ φ over the region.

    Args:
        points: In the length unit of the shape.
        weights: Volumes (on a boundary: areas); 0 where `valid` is False.
        valid: Which points are new. When there were too few candidates, the last ones repeat the first.
        measure: The estimated volume or area of the region, the sum of the weights.
        normals: The unit normal ∇f, for points on a boundary only.
        faces: The face of each point, for points on a mesh only.
    """

    points: Float[Array, "n d"]
    weights: Float[Array, " n"]
    valid: Bool[Array, " n"]
    measure: Float[Array, ""]
    normals: Float[Array, "n d"] | None = None
    faces: Int[Array, " n"] | None = None


def draw_weighted(
    density: Callable[[Array], Array],
    bounds: tuple[Any, Any],
    count: int,
    *,
    peak: float,
    key: PRNGKeyArray,
    candidates: int | None = None,
    method: Method = "sobol",
) -> Draw:
    """Draws points of a box with a given density and the weights that undo it.

    Candidates are spread evenly over the box; one at x is taken with the chance p = min(1, density/peak) and
    weighs 1/p. Σ wᵢ φ(xᵢ) estimates the integral of φ over the part of the box where the density is not zero.
    With `method="random"` the estimate is unbiased over keys, however many candidates are taken. With "sobol" and
    "halton" it is, too, as long as no more candidates are taken than `count` holds; else nearly so.

    Args:
        density: A function of a point, not negative; its scale does not matter.
        bounds: The lower and upper corner of the box.
        count: How many points; static.
        peak: A density at which every candidate is taken, the largest one at best.
        key: Random key.
        candidates: How many; static; None for 8 times the count.
        method: "sobol", "halton" or "random".

    Returns:
        The points. Where too few candidates were taken `valid` says so.

    Raises:
        ValueError: A count is below one, or fewer candidates than points.

    Example:
        >>> key, box = jax.random.key(0), (jnp.zeros(2), jnp.ones(2))
        >>> draw = jax.jit(lambda key: draw_weighted(lambda x: 0.1 + x[0], box, 512, peak=1.1, key=key))
        >>> found = draw(key)
        >>> round(float(jnp.sum(found.weights * found.points[:, 0])), 1)  # ∫ x dA
        0.5
    """
    low, high = (jnp.asarray(corner) for corner in bounds)
    candidates = 8 * count if candidates is None else candidates
    if not 1 <= count <= candidates:
        raise ValueError(f"1 ≤ count ≤ candidates expected, received {count} and {candidates}")
    dimension = len(low)
    unit = uniform_points(method, candidates, dimension + 1, key, low.dtype)
    points = low[None] + (high - low)[None] * unit[:, :dimension]
    chance = jnp.clip(jax.vmap(density)(points) / peak, 0.0, 1.0)
    taken = unit[:, dimension] < chance
    found = jnp.sum(taken)
    used = jnp.clip(found, 1, count)
    slot = jnp.arange(count) % used
    place = jnp.nonzero(taken, size=count, fill_value=0)[0][slot]
    valid = jnp.arange(count) < found
    share = found.astype(low.dtype) / used.astype(low.dtype)
    each = jnp.prod(high - low) / candidates * share
    weights = jnp.where(valid, each / jnp.where(valid, chance[place], 1.0), 0.0)
    return Draw(points[place], weights, valid, jnp.sum(weights))


def draw_interior(
    f: Field,
    count: int,
    *,
    key: PRNGKeyArray,
    bounds: Bounds = None,
    candidates: int | None = None,
    method: Method = "sobol",
) -> Draw:
    """Draws points uniformly by volume from where f < 0.

    As `draw_weighted` with density 1 inside and 0 outside. `sample_interior` does the same for a mesh on the
    host, with the mesh's exact volume and never too few points.

    Args:
        f: A function of a point, negative inside, such as a shape in the plane or in space.
        count: How many points; static.
        key: Random key.
        bounds: A box around the inside; None for `f.bounds`.
        candidates: How many points of the box are tried; static; None for 8 times the count.
        method: "sobol", "halton" or "random".

    Returns:
        The points; their weights are equal.

    Raises:
        ValueError: No bounds, or counts that do not fit.

    Example:
        >>> from geoembed.sdf import Sphere
        >>> found = jax.jit(lambda key: draw_interior(Sphere(1.0), 1024, key=key))(jax.random.key(0))
        >>> round(float(found.measure), 1)
        4.2
    """
    box = _box(f, bounds, 0.0)
    inside = lambda x: (f(x) < 0).astype(x.dtype)  # noqa: E731
    return draw_weighted(inside, box, count, peak=1.0, key=key, candidates=candidates, method=method)


def draw_near(
    f: Field,
    count: int,
    *,
    width: float,
    spread: Literal["uniform", "normal"] = "uniform",
    key: PRNGKeyArray,
    bounds: Bounds = None,
    candidates: int | None = None,
    method: Method = "sobol",
) -> Draw:
    """Draws points near the surface f = 0, with a given density of the values of f.

    "uniform": evenly in |f| < width. "normal": with density ∝ exp(−f²/2 width²) in |f| < 3 width. The weights
    undo the density: Σ wᵢ φ(xᵢ) estimates ∫ φ dV over the band. Where f is a distance its values are offsets.

    Args:
        f: A function of a point, such as a shape.
        count: How many points; static.
        width: In the length unit of f.
        spread: The density.
        key: Random key.
        bounds: A box around the surface, which is grown by the band; None for `f.bounds`.
        candidates: How many points of the box are tried; static; None for 16 times the count.
        method: "sobol", "halton" or "random".

    Returns:
        The points.

    Raises:
        ValueError: No bounds, no such density, or counts that do not fit.
    """
    if spread not in ("uniform", "normal"):
        raise ValueError(f"spread must be 'uniform' or 'normal', received {spread!r}")
    reach = width if spread == "uniform" else _TAIL * width

    def density(x: Array) -> Array:
        value = f(x)
        bell = jnp.ones_like(value) if spread == "uniform" else jnp.exp(-0.5 * (value / width) ** 2)
        return jnp.where(jnp.abs(value) < reach, bell, 0.0)

    candidates = 16 * count if candidates is None else candidates
    box = _box(f, bounds, reach)
    return draw_weighted(density, box, count, peak=1.0, key=key, candidates=candidates, method=method)


def draw_boundary(
    f: Field,
    count: int,
    *,
    width: float,
    side: Literal["both", "outside", "inside"] = "both",
    key: PRNGKeyArray,
    bounds: Bounds = None,
    candidates: int | None = None,
    method: Method = "sobol",
) -> Draw:
    """Draws points on the surface of a shape whose f is its exact distance near the surface.

    Points x of a band along the surface are projected to x − f∇f. The layer of the band over a piece of surface
    dA is det(1 − f ∇²f)⁻¹ dA thick, so that the weight det(1 − f ∇²f) per thickness gives each piece its area.
    Exact (unbiased as `draw_weighted` is) where every point of the band has one nearest point: on a smooth surface
    as long as the width is below its radii of curvature, on the outside of a convex body for any width. Along an
    edge the side on which nearest points jump gives an error O(width²) per length; choose the other `side`.

    Args:
        f: An exact distance near its surface, twice differentiable off its kinks.
        count: How many points; static.
        width: Of the band on each side, in the length unit of f.
        side: On which side of the surface the band lies.
        key: Random key.
        bounds: A box around the surface, which is grown by the width; None for `f.bounds`.
        candidates: How many points of the box are tried; static; None for 16 times the count.
        method: "sobol", "halton" or "random".

    Returns:
        Points on the surface with areas and unit normals.

    Raises:
        ValueError: No bounds, no such side, or counts that do not fit.

    Example:
        >>> from geoembed.sdf import Box
        >>> box = Box((1.0, 2.0, 3.0))
        >>> found = jax.jit(lambda key: draw_boundary(box, 2048, width=0.2, side="outside", key=key))(jax.random.key(0))
        >>> bool(abs(found.measure / 22 - 1) < 0.05)
        True
    """
    if side not in ("both", "outside", "inside"):
        raise ValueError(f"side must be 'both', 'outside' or 'inside', received {side!r}")

    def in_band(x: Array) -> Array:
        value = f(x)
        right = (value > 0) if side == "outside" else (value < 0) if side == "inside" else True
        return ((jnp.abs(value) < width) & right).astype(x.dtype)

    candidates = 16 * count if candidates is None else candidates
    box = _box(f, bounds, width)
    band = draw_weighted(in_band, box, count, peak=1.0, key=key, candidates=candidates, method=method)

    def drop(x: Array) -> tuple[Array, Array, Array]:
        value, normal = jax.value_and_grad(f)(x)
        layer = jnp.eye(len(x), dtype=x.dtype) - value * jax.hessian(f)(x)
        return x - value * normal, normal, jnp.linalg.det(layer)

    points, normals, factor = jax.vmap(drop)(band.points)
    thickness = 2.0 * width if side == "both" else width
    weights = jnp.where(band.valid, band.weights * factor / thickness, 0.0)
    return Draw(points, weights, band.valid, jnp.sum(weights), normals)


def resample(
    scores: Float[Array, " n"], count: int, *, key: PRNGKeyArray, floor: float = 0.0
) -> tuple[Int[Array, " {count}"], Float[Array, " {count}"]]:
    """Picks items of a pool in proportion to their scores, with the weights that undo it.

    Systematic: item i is picked count · pᵢ times, rounded up or down, pᵢ = (1 − floor) scoreᵢ/Σ score + floor/n.
    Σ wₖ φ(iₖ) with w = 1/(count · p) is an unbiased estimate of Σ φ(i) over the items with pᵢ > 0.

    Args:
        scores: Not negative; those of residuals, say.
        count: How many picks; static.
        key: Random key.
        floor: The part of the picks that is spread evenly; keeps the weights below n/(floor · count).

    Returns:
        The numbers of the picked items and their weights.

    Raises:
        ValueError: `floor` is not between 0 and 1.

    References:
        J. Carpenter, P. Clifford and P. Fearnhead, IEE Proc. Radar Sonar Navig. 146 (1999) 2 (systematic).

    Example:
        >>> picked, weights = resample(jnp.array([0.0, 1.0, 3.0]), 4, key=jax.random.key(0))
        >>> picked.tolist(), weights.tolist()
        ([1, 2, 2, 2], [1.0, 0.3333..., 0.3333..., 0.3333...])
    """
    if not 0 <= floor <= 1:
        raise ValueError(f"floor must lie between 0 and 1, received {floor}")
    number = len(scores)
    total = jnp.sum(scores)
    share = jnp.where(total > 0, scores / jnp.where(total > 0, total, 1.0), 1.0 / number)
    chance = (1.0 - floor) * share + floor / number
    ends = jnp.cumsum(chance)
    steps = (jnp.arange(count, dtype=scores.dtype) + jax.random.uniform(key, (), scores.dtype)) / count
    picked = jnp.searchsorted(ends, steps * ends[-1], side="right")
    last = number - 1 - jnp.argmax(chance[::-1] > 0)  # rounding may lead past the last item with a chance
    picked = jnp.minimum(picked, last.astype(picked.dtype))
    return picked, 1.0 / (count * chance[picked])


def _box(f: Field, bounds: Bounds, grow: float) -> tuple[Array, Array]:
    corners = bounds_of(f, bounds)
    low, high = (
        jnp.asarray(c, None if isinstance(c, jax.Array) else jnp.result_type(float)) for c in corners
    )
    return low - grow, high + grow
