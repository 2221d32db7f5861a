"""Choosing few of many, one after the other."""

import heapq

import numpy as np
from jaxtyping import Float64, Int64


def by_determinant(
    information: Float64[np.ndarray, "pool n n"], count: int
) -> tuple[Int64[np.ndarray, " count"], Float64[np.ndarray, " count"]]:
    """The items that together say most about n numbers whose covariance is 1 before.

    Item s says Gₛ, a positive semi-definite matrix; the chosen ones together leave the covariance (1 + ΣGₛ)⁻¹. Each
    step takes the item that lowers its determinant most. What an item adds only falls as others are chosen, so items
    are looked at again only while an old gain beats the best new one: the result is that of the plain search. It is
    at least 1 − 1/e of the best that any choice reaches.

    Args:
        information: The matrices.
        count: How many items are chosen.

    Returns:
        Their places in the order of choice, and what each adds, ½ log det, in nats.

    References:
        Nemhauser, Wolsey, Fisher, "An analysis of approximations for maximizing submodular set functions", Math.
        Program. 14, 265 (1978); Minoux, "Accelerated greedy algorithms", 1978.
    """
    left = np.eye(information.shape[1])  # its rows are directions of what is not yet known

    def gain(place: int) -> float:
        seen = left @ information[place] @ left.T
        return 0.5 * float(np.linalg.slogdet(np.eye(len(seen)) + seen)[1])

    heap = [(-gain(place), place) for place in range(len(information))]
    heapq.heapify(heap)
    chosen, gains = [], []
    while len(chosen) < count:
        _, place = heapq.heappop(heap)
        now = gain(place)
        if heap and (-now, place) > heap[0]:
            heapq.heappush(heap, (-now, place))
            continue
        chosen.append(place)
        gains.append(now)
        sizes, axes = np.linalg.eigh(left @ information[place] @ left.T)
        left = (axes.T / np.sqrt(1.0 + np.maximum(sizes, 0.0))[:, None]) @ left
    return np.array(chosen, np.int64), np.array(gains)


def farthest(
    rows: Float64[np.ndarray, "pool n"],
    count: int,
    *,
    known: Float64[np.ndarray, "known n"] | None = None,
    weights: Float64[np.ndarray, " pool"] | None = None,
) -> tuple[Int64[np.ndarray, " count"], Float64[np.ndarray, " count"]]:
    """Each step takes the item whose distance from all that are chosen or known, times its weight, is largest.

    Args:
        rows: The items.
        count: How many are chosen.
        known: Rows that are there already; without any, the first item is the one nearest to the mean, or of the
            largest weight.
        weights: Of the items, not negative; None for all the same.

    Returns:
        Their places in the order of choice, and weight times distance when each was chosen; infinite for the first
        without known rows.

    References:
        Gonzalez, "Clustering to minimize the maximum intercluster distance", Theor. Comput. Sci. 38, 293 (1985).
    """
    scale = np.ones(len(rows)) if weights is None else weights
    near = np.full(len(rows), np.inf)
    for one in np.zeros((0, rows.shape[1])) if known is None else known:
        near = np.minimum(near, np.linalg.norm(rows - one[None], axis=1))
    if np.all(np.isinf(near)):
        off = np.linalg.norm(rows - rows.mean(axis=0, keepdims=True), axis=1)
        first = int(np.argmin(off) if weights is None else np.argmax(weights))
    else:
        first = int(np.argmax(scale * near))
    chosen, gains = [first], [float(scale[first] * near[first]) if scale[first] > 0 else 0.0]
    free = np.ones(len(rows), bool)
    while True:
        free[chosen[-1]] = False
        if len(chosen) == count:
            return np.array(chosen, np.int64), np.array(gains)
        near = np.minimum(near, np.linalg.norm(rows - rows[chosen[-1]][None], axis=1))
        score = np.where(free, scale * near, -1.0)
        chosen.append(int(np.argmax(score)))
        gains.append(float(score[chosen[-1]]))
