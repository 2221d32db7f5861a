"""Which triangle is nearest: an exact search in static shapes.

Triangles lie in compact clusters with boxes; points are sorted along a Morton curve and treated in blocks.
For one block the clusters are visited in the order of the distance between boxes, each with a dense points ×
triangles kernel, until no remaining box can hold a nearer triangle. The result is an integer, so derivatives
never pass here.
"""

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
from jax import lax
from jax.custom_batching import custom_vmap
from jaxtyping import Array, Float, Int

from ..core import register
from ._mesh_tables import kd_clusters
from ._triangle import Triangles

BLOCK = 256  # points that share one visiting order
_FAR = 1e30  # its square is infinite in float32


@register
class SearchTable(eqx.Module):
    """Clusters of triangles, each in a frame of its own: origin v₀, axes e₀, m₀ and n."""

    lower: Float[Array | np.ndarray, "c 3"]
    upper: Float[Array | np.ndarray, "c 3"]
    frames: Float[Array | np.ndarray, "c 19 s"]
    faces: Int[Array | np.ndarray, "c s"]


def search_table(triangles: Triangles) -> SearchTable:
    """Prepares the search (host, float64)."""
    corners, edges = triangles.corners, triangles.edges
    x, y = edges[:, 0], triangles.inward[:, 0]
    second = [np.sum(edges[:, 1] * axis, axis=1) for axis in (x, y)]
    third = [np.sum(edges[:, 2] * axis, axis=1) for axis in (x, y)]
    rows = np.column_stack([corners[:, 0], x, y, triangles.normal, triangles.lengths, *second, *third])
    clusters = kd_clusters(corners.mean(axis=1))
    # Padding the clusters to a power of two lets meshes of similar size share one compilation. The added
    # boxes are so far away that the search never looks into them.
    added = (0, 2 ** (len(clusters) - 1).bit_length() - len(clusters))
    return SearchTable(
        lower=np.pad(corners[clusters].min(axis=(1, 2)), (added, (0, 0)), constant_values=_FAR),
        upper=np.pad(corners[clusters].max(axis=(1, 2)), (added, (0, 0)), constant_values=_FAR),
        frames=np.pad(rows[clusters].transpose(0, 2, 1), (added, (0, 0), (0, 0))),
        faces=np.pad(clusters, (added, (0, 0))).astype(np.int32),
    )


def _to_segment(along: Array, across: Array, start: Array | float, end: Array | float) -> Array:
    beyond = along - jnp.minimum(jnp.maximum(along, start), end)
    return across * across + beyond * beyond


def _squared_distances(points: Float[Array, "3 b"], frames: Float[Array, "19 s"]) -> Float[Array, "s b"]:
    """Squared distances of a block of points to a cluster; components first: every line is one loop."""
    column = [row[:, None] for row in frames]
    u = [points[i][None, :] - column[i] for i in range(3)]
    x, y, h = (u[0] * column[k] + u[1] * column[k + 1] + u[2] * column[k + 2] for k in (3, 6, 9))
    length0, length1, length2, c1, s1, c2, s2 = column[12:]
    z = x - length0
    across1, across2 = c1 * y - s1 * z, c2 * y - s2 * x
    rim = jnp.minimum(
        _to_segment(x, y, 0.0, length0),
        jnp.minimum(
            _to_segment(c1 * z + s1 * y, across1, 0.0, length1),
            _to_segment(c2 * x + s2 * y, across2, -length2, 0.0),  # from v₀, where the third edge ends
        ),
    )
    in_face = jnp.minimum(y, jnp.minimum(across1, across2)) >= 0
    return h * h + jnp.where(in_face, 0, rim)


def _search_block(table: SearchTable, points: Float[Array, "3 b"]) -> Int[Array, " b"]:
    lower, upper = points.min(axis=1)[None, :], points.max(axis=1)[None, :]
    gap = jnp.maximum(0, jnp.maximum(table.lower - upper, lower - table.upper))
    bound = jnp.sum(gap**2, axis=1)
    apart = jnp.sum((table.lower + table.upper - lower - upper) ** 2, axis=1)
    # Of overlapping boxes the closest centre first: negative keys, so that one sort serves both orders.
    key = jnp.where(bound > 0, bound, -1 / (1 + apart))
    order = jnp.argsort(key)
    bound = key[order]
    size, clusters = points.shape[1], len(order)

    def unfinished(state: tuple) -> Array:
        visited, best, _ = state
        return (visited < clusters) & (bound[jnp.minimum(visited, clusters - 1)] < jnp.max(best))

    def visit(state: tuple) -> tuple:
        visited, best, winner = state
        cluster = order[visited]
        nearest = jnp.min(_squared_distances(points, table.frames[cluster]), axis=0)
        return visited + 1, jnp.minimum(best, nearest), jnp.where(nearest < best, cluster, winner)

    start = (jnp.int32(0), jnp.full(size, jnp.inf, points.dtype), jnp.zeros(size, order.dtype))
    _, _, winner = lax.while_loop(unfinished, visit, start)
    # Only the winning cluster's number was carried; its nearest member is found again, once.
    frames = jnp.moveaxis(table.frames[winner], 0, -1)  # 19, s, b
    return _nearest_member(points, frames, table.faces[winner])


def _nearest_member(
    points: Array, frames: Float[Array, "19 s b"], faces: Int[Array, "b s"]
) -> Int[Array, " b"]:
    distances = jax.vmap(lambda p, f: _squared_distances(p[:, None], f)[:, 0], (1, 2))(points, frames)
    return jnp.take_along_axis(faces, jnp.argmin(distances, axis=1)[:, None], axis=1)[:, 0]


def _spread(cell: Array) -> Array:
    """Leaves two free bits after each of the 10 low bits."""
    for shift, mask in ((16, 0x030000FF), (8, 0x0300F00F), (4, 0x030C30C3), (2, 0x09249249)):
        cell = (cell | (cell << shift)) & mask
    return cell


def _morton_order(points: Float[Array, "n 3"]) -> Int[Array, " n"]:
    finite = jnp.nan_to_num(points, posinf=0, neginf=0)
    lower = finite.min(axis=0)[None, :]
    extent = jnp.max(finite - lower)
    cells = (finite - lower) / jnp.where(extent > 0, extent, 1) * 1023
    x, y, z = _spread(cells.astype(jnp.uint32)).T
    return jnp.argsort(x | (y << 1) | (z << 2))


def _search_points(table: SearchTable, points: Float[Array, "n 3"]) -> Int[Array, " n"]:
    count = len(points)
    if count == 0:
        return jnp.zeros(0, jnp.int32)
    size = min(BLOCK, count)
    order = _morton_order(points)
    padded = jnp.pad(order, (0, -count % size), mode="edge")
    blocks = jnp.swapaxes(points[padded].reshape(-1, size, 3), 1, 2)
    found = lax.map(lambda block: _search_block(table, block), blocks).reshape(-1)[:count]
    return jnp.zeros_like(found).at[order].set(found)


@custom_vmap
def _search(table: SearchTable, points: Float[Array, "*n 3"]) -> Int[Array, "*n"]:
    return _search_points(table, points.reshape(-1, 3)).reshape(points.shape[:-1])


@_search.def_vmap
def _search_rule(axis_size: int, batched: list, table: SearchTable, points: Array) -> tuple[Array, bool]:
    # The batching rule only adds an axis, so any nest of vmaps ends in one search over all points.
    tables_batched, _ = batched
    if any(jax.tree.leaves(tables_batched)):

        def one_mesh(i: Array) -> Array:
            return _search(
                *jax.tree.map(lambda leaf, has: leaf[i] if has else leaf, [table, points], batched)
            )

        return lax.map(one_mesh, jnp.arange(axis_size)), True
    return _search(table, points), True


def nearest_triangle(table: SearchTable, point: Float[Array, "3"]) -> Int[Array, ""]:
    """Returns the number of the triangle nearest to a point; no derivative passes through it.

    Cost: at most O(triangles) for one point. `vmap` over n points reaches the block search: time between O(n)
        and
    O(n · triangles), by how tightly the boxes can be told apart, in O(n) memory.
    """
    return _search(lax.stop_gradient(table), lax.stop_gradient(point))
