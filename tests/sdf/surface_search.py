"""Distances to the surface of a solid of which only membership is known."""

import numpy as np
from scipy.spatial import cKDTree

from tests.sdf.members import Member

_STARTS = 6  # of the random search, for each query


def distances(member: Member, points: np.ndarray, lower, upper, seed: int = 0) -> np.ndarray:
    """Upper bounds of the distances to the surface that converge to them, from membership alone.

    Pairs of an inside and an outside point give points of the surface by bisection. From several near each query a
    random search shortens the way: a ray of the present length whose end lies on the other side of the
    surface has crossed it earlier. Its step grows with success and shrinks without.
    """
    random = np.random.default_rng(seed)
    cloud = _surface_points(member, lower, upper, random)
    x = np.repeat(points, _STARTS, axis=0)
    near = cKDTree(cloud).query(points, 4 * _STARTS)[1][:, ::4]
    way = cloud[near.ravel()] - x
    length = np.linalg.norm(way, axis=1)
    way /= length[:, None]
    side, step = member(x), np.full(len(x), 0.5)
    for _ in range(90):
        tried = way[:, None] + step[:, None, None] * random.normal(size=(len(x), 8, x.shape[1]))
        tried /= np.linalg.norm(tried, axis=2, keepdims=True)
        crossed = member(x[:, None] + length[:, None, None] * tried) != side[:, None]
        found = crossed.any(axis=1)
        better = np.flatnonzero(found)
        way[better] = tried[better, crossed[better].argmax(axis=1)]
        length[better] = _crossing(member, x[better], way[better], length[better])
        step = np.where(found, np.minimum(1.6 * step, 1.0), 0.75 * step)
    return length.reshape(len(points), _STARTS).min(axis=1)


def _surface_points(member: Member, lower, upper, random, count: int = 8000) -> np.ndarray:
    drawn = random.uniform(lower, upper, (4 * count, len(lower)))
    inside = member(drawn)
    a, b = random.choice(drawn[inside], count), random.choice(drawn[~inside], count)
    way = b - a
    return a + _crossing(member, a, way, np.ones(count))[:, None] * way


def _crossing(member: Member, x: np.ndarray, way: np.ndarray, far: np.ndarray) -> np.ndarray:
    """Where on rays whose start and end lie on different sides the side changes."""
    low, high, side = np.zeros_like(far), far.copy(), member(x)
    for _ in range(45):
        middle = 0.5 * (low + high)
        same = member(x + middle[:, None] * way) == side
        low, high = np.where(same, middle, low), np.where(same, high, middle)
    return high
