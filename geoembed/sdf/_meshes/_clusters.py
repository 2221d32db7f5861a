"""Compact clusters of triangles, in groups (numpy, host)."""

from collections.abc import Iterator

import numpy as np
from jaxtyping import Float, Int

CLUSTER = 32  # triangles that a search treats at once
GROUP = 16  # clusters whose boxes it looks at together


def grouped_clusters(
    lower: Float[np.ndarray, "f 3"],
    upper: Float[np.ndarray, "f 3"],
    cluster: int = CLUSTER,
    group: int = GROUP,
) -> Int[np.ndarray, "g {group} {cluster}"]:
    """Sorts triangles into clusters of equal size with small boxes, and those into groups.

    Each set of triangles is cut in two where the sum over both halves of number × surface area of the box is least,
    over the three axes and all places that leave whole groups, then whole clusters. The chance that a box lies
    nearer to a point than the nearest triangle grows with its surface area, so few boxes need to be opened; on
    parts with triangles of many sizes half as many as after cuts into equal halves. O(f log² f).

    Args:
        lower: The lower corners of the boxes of the triangles.
        upper: Their upper corners.
        cluster: Triangles in a cluster.
        group: Clusters in a group.

    Returns:
        The numbers of the triangles. To be full a cluster may repeat one of them; clusters without any are filled with
        −1. The number of groups is a power of two, so that meshes of similar size share one compilation.

    References:
        J. D. MacDonald and K. S. Booth, The Visual Computer 6, 153 (1990): the surface area heuristic.
    """
    count = len(lower)
    everything = np.pad(np.arange(count), (0, -count % cluster), mode="edge")[None]
    found = []
    for members, _ in _cut_up(everything, lower, upper, cluster * group):
        parts = list(_cut_up(members, lower, upper, cluster))
        owner = np.concatenate([rows for _, rows in parts])
        clusters = np.concatenate([part for part, _ in parts])[np.argsort(owner, kind="stable")]
        full = clusters.reshape(len(members), -1, cluster)
        found.append(np.pad(full, ((0, 0), (0, group - full.shape[1]), (0, 0)), constant_values=-1))
    groups = np.concatenate(found)
    added = 2 ** (len(groups) - 1).bit_length() - len(groups)
    return np.pad(groups, ((0, added), (0, 0), (0, 0)), constant_values=-1)


def _cut_up(
    rows: Int[np.ndarray, "m n"], lower: np.ndarray, upper: np.ndarray, unit: int
) -> Iterator[tuple[Int[np.ndarray, "p k"], Int[np.ndarray, " p"]]]:
    """Cuts each row into pieces of `unit` members; yields pieces of one length with the numbers of their rows."""
    waiting = {rows.shape[1]: [(rows, np.arange(len(rows)))]}
    while waiting:
        length = max(waiting)  # all pieces of one length are cut together
        same = waiting.pop(length)
        pieces, owners = np.concatenate([p for p, _ in same]), np.concatenate([o for _, o in same])
        if length <= unit:
            yield pieces, owners
            continue
        ordered, place = _best_cuts(pieces, lower, upper, unit)
        for cut in np.unique(place):
            chosen, owner = ordered[place == cut], owners[place == cut]
            waiting.setdefault(int(cut), []).append((chosen[:, :cut], owner))
            waiting.setdefault(length - int(cut), []).append((chosen[:, cut:], owner))


def _best_cuts(
    pieces: Int[np.ndarray, "m n"], lower: np.ndarray, upper: np.ndarray, unit: int
) -> tuple[Int[np.ndarray, "m n"], Int[np.ndarray, " m"]]:
    """Returns each piece in the order of its best axis, and how many members to cut off in front."""
    length = pieces.shape[1]
    along = np.argsort((lower + upper)[pieces], axis=1, kind="stable")  # m n 3: in order along each axis
    ordered = np.take_along_axis(pieces[:, :, None], along, axis=1)
    front = np.arange(unit, length, unit)
    first, last = _areas_of_halves(ordered, lower, upper, np.arange(0, length, unit))
    cost = front[None, :, None] * first + (length - front)[None, :, None] * last
    place, axis = np.divmod(cost.reshape(len(pieces), -1).argmin(axis=1), 3)
    return np.take_along_axis(ordered, axis[:, None, None], axis=2)[:, :, 0], front[place]


def _areas_of_halves(
    ordered: Int[np.ndarray, "m n 3"], lower: np.ndarray, upper: np.ndarray, starts: Int[np.ndarray, " s"]
) -> tuple[Float[np.ndarray, "m s-1 3"], Float[np.ndarray, "m s-1 3"]]:
    """Returns half the surface areas of the boxes before and after each start but the first, for three orders."""
    high = np.maximum.reduceat(upper[ordered], starts, axis=1)
    low = np.minimum.reduceat(lower[ordered], starts, axis=1)

    def areas(high: np.ndarray, low: np.ndarray) -> np.ndarray:
        size = np.maximum.accumulate(high, axis=1) - np.minimum.accumulate(low, axis=1)
        x, y, z = np.moveaxis(size, -1, 0)
        return x * y + y * z + z * x

    return areas(high, low)[:, :-1], areas(high[:, ::-1], low[:, ::-1])[:, -2::-1]
