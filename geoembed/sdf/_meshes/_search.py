"""Which triangle is nearest: an exact search in static shapes.

Triangles lie in compact clusters with boxes, clusters in groups; points are treated in compact blocks. For one block
the groups are visited in the order of the distance between boxes. Of the clusters of a group those are opened, the
nearest first, whose box is nearer to some point of the block than the nearest triangle of that point so far: a dense
points × triangles kernel. The result is an integer, so derivatives never pass here.
"""

from typing import Any

import equinox as eqx
import jax.numpy as jnp
import numpy as np
from jax import lax
from jaxtyping import Array, Float, Int, Int32

from ...core import register
from ._blocks import Block, in_blocks
from ._keys import NONE, least, limit, number_mask
from ._keys import keys as keys_of
from ._triangle import Triangles

_FAR = 1e30  # a box there is never looked into; its square is infinite in float32
_TIE = 1e-30  # weight of the distance of centres among boxes that overlap: far below rounding


@register
class SearchTable(eqx.Module):
    """Clusters of triangles in groups, each triangle in a frame of its own: origin v₀, axes e₀, m₀ and n."""

    lower: Float[Array | np.ndarray, "g 3"]
    upper: Float[Array | np.ndarray, "g 3"]
    boxes: Float[Array | np.ndarray, "g 6 k"]  # lower and upper corners of the clusters of each group
    frames: Float[Array | np.ndarray, "g k 19 s"]
    faces: Int[Array | np.ndarray, "g k s"]


def search_table(
    triangles: Triangles, members: Int[np.ndarray | Array, "g k s"], xp: Any = np
) -> SearchTable:
    """Prepares the search.

    Args:
        triangles: The triangles.
        members: Their numbers in each cluster of each group, −1 for none; see `grouped_clusters`.
        xp: numpy, or jax.numpy when the triangles are traced.
    """
    empty = (members < 0)[:, :, 0, None]
    faces = xp.maximum(members, 0).astype(np.int32)
    corners = triangles.corners[faces]
    far = np.asarray(_FAR, corners.dtype)
    lower = xp.where(empty, far, corners.min(axis=(2, 3)))
    upper = xp.where(empty, far, corners.max(axis=(2, 3)))
    return SearchTable(
        lower=lower.min(axis=1),
        upper=xp.where(empty, -far, upper).max(axis=1),
        boxes=xp.swapaxes(xp.concatenate([lower, upper], axis=2), 1, 2),
        frames=xp.swapaxes(_frames(triangles, xp)[faces], 2, 3),
        faces=xp.where(members < 0, -1, faces),
    )


def _frames(triangles: Triangles, xp: Any) -> Any:
    edges, x, y = triangles.edges, triangles.edges[:, 0], triangles.inward[:, 0]
    second, third = ([xp.sum(edges[:, i] * axis, axis=1) for axis in (x, y)] for i in (1, 2))
    return xp.column_stack(
        [triangles.corners[:, 0], x, y, triangles.normal, triangles.lengths, *second, *third]
    )


# XLA's minimum and maximum carry nan and cost three instructions where a comparison with a selection costs one.
def _less(a: Array, b: Array | int) -> Array:
    return jnp.where(a < b, a, b)


def _more(a: Array, b: Array | int) -> Array:
    return jnp.where(a > b, a, b)


def _to_segment(along: Array, across: Array, start: Array | int, end: Array | int) -> Array:
    beyond = along - _less(_more(along, start), end)
    return across * across + beyond * beyond


def _squared_distances(points: Float[Array, "3 b"], frames: Float[Array, "19 s"]) -> Float[Array, "s b"]:
    """Squared distances of a block of points to a cluster."""
    column = [row[:, None] for row in frames]
    u = [points[i][None, :] - column[i] for i in range(3)]
    x, y, h = (u[0] * column[k] + u[1] * column[k + 1] + u[2] * column[k + 2] for k in (3, 6, 9))
    length0, length1, length2, c1, s1, c2, s2 = column[12:]
    z = x - length0
    across1, across2 = c1 * y - s1 * z, c2 * y - s2 * x
    rim = _less(
        _to_segment(x, y, 0, length0),
        _less(
            _to_segment(c1 * z + s1 * y, across1, 0, length1),
            _to_segment(c2 * x + s2 * y, across2, -length2, 0),  # from v₀, where the third edge ends
        ),
    )
    in_face = _less(y, _less(across1, across2)) >= 0
    return h * h + jnp.where(in_face, 0, rim)


def _search_block(table: SearchTable, block: Block) -> Int32[Array, " b"]:
    """Returns the number of the triangle nearest to each point of a block."""
    size, groups = block.points.shape[1], len(table.lower)
    gap = _more(_more(table.lower - block.upper[None], block.lower[None] - table.upper), 0)
    middle = block.lower + block.upper
    apart = jnp.sum((table.lower + table.upper - middle[None]) ** 2, axis=1)
    keys = keys_of(jnp.sum(gap**2, axis=1) + _TIE * apart)

    def after(key: Array) -> Array:
        return least(jnp.where(keys > key, keys, NONE))

    def unfinished(state: tuple) -> Array:
        key, best, _ = state
        return key < -least(-limit(best, groups))

    def visit(state: tuple) -> tuple:
        key, best, face = state
        group = key & np.int32(number_mask(groups))
        return after(key), *_search_group(table, block, middle, group, best, face)

    best = jnp.full(size, _FAR, block.points.dtype)
    start = (after(jnp.int32(-1)), best, jnp.zeros(size, jnp.int32))
    return lax.while_loop(unfinished, visit, start)[2]


def _search_group(
    table: SearchTable,
    block: Block,
    middle: Float[Array, "3"],
    group: Array,
    best: Float[Array, " b"],
    face: Int32[Array, " b"],
) -> tuple[Array, Array]:
    """Opens the clusters of one group that may hold a nearer triangle."""
    boxes = table.boxes[group]
    clusters = boxes.shape[1]
    x, y, z = (
        _more(_more(low[None, :] - p[:, None], p[:, None] - high[None, :]), 0)
        for p, low, high in zip(block.points, boxes[:3], boxes[3:], strict=True)
    )
    apart = jnp.sum((boxes[:3] + boxes[3:] - middle[:, None]) ** 2, axis=0)
    keys = keys_of(x * x + y * y + z * z + (_TIE * apart)[None, :])
    nearest = jnp.min(keys, axis=0)

    def urgent(last: Array, best: Float[Array, " b"]) -> Array:
        """The nearest cluster after the last one that may still matter to a point."""
        open_keys = jnp.min(jnp.where(keys < limit(best, clusters)[:, None], keys, NONE), axis=0)
        return jnp.min(jnp.where((open_keys < NONE) & (nearest > last), nearest, NONE))

    def visit(state: tuple) -> tuple:
        key, best, face = state
        cluster = key & np.int32(number_mask(clusters))
        squares = _squared_distances(block.points, table.frames[group, cluster])
        shortest = jnp.min(squares, axis=0)
        members = table.faces[group, cluster][:, None]
        member = jnp.min(jnp.where(squares <= shortest[None], members, NONE), axis=0)
        face = jnp.where(shortest < best, member, face)
        best = _less(shortest, best)
        return urgent(key, best), best, face

    start = (urgent(jnp.int32(-1), best), best, face)
    return lax.while_loop(lambda state: state[0] < NONE, visit, start)[1:]


_nearest = in_blocks(_search_block)


def nearest_triangle(table: SearchTable, point: Float[Array, "3"]) -> Int[Array, ""]:
    """Returns the number of the triangle nearest to a point; no derivative passes through it.

    Cost: at most O(triangles) for one point. `vmap` over n points reaches the block search: time between O(n) and
    O(n · triangles), by how tightly the boxes can be told apart, in O(n) memory.
    """
    return _nearest(table, point)
