"""Holes of a triangle mesh: the loops of open edges around them, and triangles that fill them (numpy, host)."""

import numpy as np
from jaxtyping import Bool, Float, Int

from ._meshes._mesh_tables import mesh_edges

_FLAT = 1e-6  # a filling triangle whose height is below this part of its longest side is a last resort
_SHAPE = 1e-6  # weight of the sides against the area: decides only between triangulations of equal area


def boundary_loops(faces: Int[np.ndarray, "f 3"]) -> list[Int[np.ndarray, " k"]]:
    """Returns the vertices around each hole, in the direction in which a filling face runs.

    Open edges are followed from vertex to vertex, against the direction of their face. Holes that share a
    vertex become loops of their own; of holes that share two vertices the loops may be exchanged between those.
    Chains that do not close (where windings disagree) are left out.

    Args:
        faces: Vertex numbers, with agreeing windings.
    """
    edges = mesh_edges(faces)
    open_edge = edges.count[edges.index] == 1
    heads, tails = faces[open_edge], np.roll(faces, -1, axis=1)[open_edge]
    exits: dict[int, list[int]] = {}
    for tail, head in zip(tails.tolist(), heads.tolist(), strict=True):
        exits.setdefault(tail, []).append(head)
    loops = []
    for start in list(exits):
        while exits[start]:
            loops += _follow(exits, start)
    return [np.array(loop, np.int64) for loop in loops]


def _follow(exits: dict[int, list[int]], start: int) -> list[list[int]]:
    """Follows edges until none is left at the last vertex, cutting a loop off whenever a vertex comes back."""
    loops, path, place = [], [start], {start: 0}
    while exits.get(path[-1]):
        after = exits[path[-1]].pop()
        if after not in place:
            place[after] = len(path)
            path.append(after)
            continue
        cut = place[after]
        loops.append(path[cut:])
        for vertex in path[cut + 1 :]:
            del place[vertex]
        path = path[: cut + 1]
    return loops


def fill_loop(
    points: Float[np.ndarray, "k 3"], taken: Bool[np.ndarray, "k k"]
) -> Int[np.ndarray, "m 3"] | None:
    """Returns the triangulation of a closed loop with the least area. O(k³) time, O(k²) memory.

    The area A(i, j) of the best surface between the chain i … j and the diagonal ij is
    min over m of A(i, m) + A(m, j) + |triangle i m j|.

    Args:
        points: The corners in order.
        taken: Which pairs of corners are joined by an edge already, so that they cannot be a diagonal.

    Returns:
        Corner numbers of k − 2 triangles with the winding of the loop, or None when the edges of the mesh leave
        no triangulation.

    References:
        G. T. Klincsek, Ann. Discrete Math. 9 (1980) 121; for holes of surfaces G. Barequet and M. Sharir,
        Comput. Aided Geom. Des. 12 (1995) 207.
    """
    count = len(points)
    size = float(np.ptp(points, axis=0).max()) or 1.0
    unit = (points - points[0]) / size
    cost = np.full((count, count), np.inf)
    cost[np.arange(count - 1), np.arange(1, count)] = 0.0
    best = np.zeros((count, count), np.int64)
    for gap in range(2, count):
        i = np.arange(count - gap)
        j = i + gap
        m = i[:, None] + np.arange(1, gap)
        total = (
            cost[i[:, None], m] + cost[m, j[:, None]] + _weight(unit[i][:, None], unit[m], unit[j][:, None])
        )
        choice = np.argmin(total, axis=1)
        best[i, j] = i + 1 + choice
        free = ~taken[i, j] | (gap == count - 1)  # the last one is a side of the loop, not a diagonal
        cost[i, j] = np.where(free, total[i, choice], np.inf)
    return _unfold(best, count) if np.isfinite(cost[0, -1]) else None


def _weight(a: np.ndarray, b: np.ndarray, c: np.ndarray) -> np.ndarray:
    """The area of triangles, a little for their sides, and much for having no height."""
    ab, bc, ca = b - a, c - b, a - c
    squares = np.stack([np.sum(side**2, axis=-1) for side in np.broadcast_arrays(ab, bc, ca)])
    twice_area = np.linalg.norm(np.cross(ab, bc), axis=-1)
    flat = twice_area <= _FLAT * squares.max(axis=0)
    return 0.5 * twice_area + _SHAPE * squares.sum(axis=0) + 1e3 * flat


def _unfold(best: Int[np.ndarray, "k k"], count: int) -> Int[np.ndarray, "m 3"]:
    triangles, waiting = [], [(0, count - 1)]
    while waiting:
        i, j = waiting.pop()
        if j - i < 2:
            continue
        m = int(best[i, j])
        triangles.append((i, m, j))
        waiting += [(i, m), (m, j)]
    return np.array(triangles, np.int64)
