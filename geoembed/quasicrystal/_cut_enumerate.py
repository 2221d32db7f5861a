"""Cuts through any lattice: all candidates of a bounded enumeration are tested."""

import itertools
import math
from collections.abc import Iterator

import numpy as np

from ._region import Placed, Region

_CANDIDATES = 1_000_000  # tested at a time


def enumerate_surface(surface: Placed, region: Region) -> tuple[np.ndarray, bool]:
    """The indices [n, D] of one surface in a region, in lexical order, and whether a point lies on a boundary."""
    found = list(enumerated_chunks(surface, region))
    indices = np.concatenate([np.zeros((0, surface.parallel.shape[1]), int), *(n for n, _ in found)])
    return indices[np.lexsort(indices.T[::-1])], any(touched for _, touched in found)


def enumerated_chunks(surface: Placed, region: Region) -> Iterator[tuple[np.ndarray, bool]]:
    """Some indices [n, D] of one surface in a region at a time, and whether one of them lies on a boundary.

    The indices are split into u (d of them) and v (m of them, those with the largest determinant of Q). The window
    bounds v for every u to a small box, and both together bound u.
    """
    p, q = surface.parallel, surface.perpendicular
    (d, dimension), m = p.shape, q.shape[0]
    v = max(
        itertools.combinations(range(dimension), m), key=lambda chosen: abs(np.linalg.det(q[:, list(chosen)]))
    )
    order = [*(i for i in range(dimension) if i not in v), *v]
    (pu, pv), (qu, qv) = np.split(p[:, order], [d], axis=1), np.split(q[:, order], [d], axis=1)
    inverse = np.linalg.inv(qv)
    # v = inverse (q − q₀ − Qᵤ u) and x = G u + H (q − q₀) + x₀
    g, h = pu - pv @ inverse @ qu, pv @ inverse
    to_u = np.linalg.inv(g)
    low, high = _range(surface, -(to_u @ h))
    middle = to_u @ (h @ surface.perp_start - surface.start)
    reach = np.abs(to_u) @ region.half
    first = np.ceil(middle + low - reach - 1e-9).astype(int)
    last = np.floor(middle + high + reach + 1e-9).astype(int)
    v_low, v_high = _range(surface, inverse)
    offsets = np.array(
        list(itertools.product(*[range(int(np.floor(w)) + 2) for w in v_high - v_low])), dtype=int
    )
    h_low, h_high = _range(surface, h)
    h_start = surface.start - h @ surface.perp_start

    shape = tuple(np.maximum(last - first + 1, 0))
    step = max(1, _CANDIDATES // len(offsets))
    for begin in range(0, math.prod(shape), step):
        numbers = np.arange(begin, min(begin + step, math.prod(shape)))
        u = first + np.stack(np.unravel_index(numbers, shape), axis=1)
        x = u @ g.T + h_start
        u = u[((x + h_high >= -region.half - 1e-9) & (x + h_low <= region.half + 1e-9)).all(1)]
        lowest = np.ceil(v_low - (u @ qu.T + surface.perp_start) @ inverse.T - 1e-9).astype(int)
        both = np.concatenate(
            [np.repeat(u, len(offsets), 0), (lowest[:, None] + offsets).reshape(-1, m)], axis=1
        )
        indices = np.empty_like(both)
        indices[:, order] = both
        indices = indices[surface.in_coset(indices)]
        indices = indices[surface.in_region(indices, region)]
        accepted, touched = surface.accepts(indices)
        yield indices[accepted], touched


def _range(surface: Placed, directions: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """The smallest and the largest value of d·q over the window with its margin, for each direction."""
    extra = surface.margin * np.linalg.norm(directions, axis=1)
    return -surface.window.support(-directions) - extra, surface.window.support(directions) + extra
