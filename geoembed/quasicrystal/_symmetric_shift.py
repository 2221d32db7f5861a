"""Where to put the slice so that an approximant has as much symmetry as its lattice and its periods leave."""

import itertools

import numpy as np
from jaxtyping import Float64, Int64

from ..core import InputError
from ._approximant import approximant
from ._lattice_symmetry import lattice_point_group
from ._strip import in_shadow, shadow_radius

_RIM = 1e-6  # sites this near the rim of the window, relatively, make a shift singular


def symmetric_shift(
    parallel: Float64[np.ndarray, "d D"],
    perp: Float64[np.ndarray, "e D"],
    periods: Int64[np.ndarray, "d D"],
    *,
    open_window: bool = False,
) -> tuple[Float64[np.ndarray, " e"], int]:
    """The shift with which an approximant with the window of a tiling has the most symmetry.

    Half lattice vectors h/2 are tried: about the shift Q' h/2 the inversion is a symmetry, and so is every element M of
    the lattice's point group that keeps the periods and moves h by twice a lattice vector and periods. Shifts that put
    sites on the rim of the window are left out: there the cut is a matter of convention, and rounding would decide.
    For some approximants, 1/1 among the cubic ones, all do. Then leave the sites on the rim out, with `open_window`
    here and a window that is smaller by a millionth in `approximant`: what is left has the symmetry and is no tiling.

    Args:
        parallel: P, the projection of the lattice on physical space.
        perp: Q, the projection on perpendicular space.
        periods: The lattice vectors that become periods, as for `approximant`.
        open_window: Whether sites on the rim of the window are none, so that any shift will do. Of several with the
            most symmetry the one with the most sites is taken.

    Returns:
        The shift, and the order of the point group that it leaves: 24 are the most for cubic approximants of
        icosahedral lattices (m-3).

    Raises:
        InputError: Every such shift puts sites on the rim of the window, and it is not open.

    Example:
        >>> golden = (1 + 5**0.5) / 2
        >>> P, Q = np.array([[golden, 1.0]]), np.array([[-1.0, golden]])
        >>> symmetric_shift(P, Q, np.array([[3, 2]]))[1]  # a palindrome: the identity and the inversion
        2
    """
    strain = -np.linalg.solve(periods @ parallel.T, periods @ perp.T).T
    strained = perp + strain @ parallel
    kept = _kept(parallel, perp, periods)
    halves = _span(_even_saturated(periods))
    tried: set[tuple[int, ...]] = set()
    found: list[tuple[int, int, Float64[np.ndarray, " e"]]] = []
    for h in itertools.product((0, 1), repeat=parallel.shape[1]):
        if h in tried:
            continue
        tried |= {tuple(row) for row in ((np.array(h) + np.array(sorted(halves))) % 2).tolist()}
        order = sum(tuple(row) in halves for row in ((kept @ h - np.array(h)) % 2).tolist())
        shift = strained @ np.array(h) / 2
        sizes = [_sites(parallel, perp, strained, periods, shift, 1 + sign * _RIM) for sign in (-1, 1)]
        if open_window or sizes[0] == sizes[1]:
            found.append((order, sizes[0], shift))
    if not found:
        raise InputError(
            "approximant",
            "shift",
            "every symmetric one puts sites on the rim of the window",
            "Keep the generic shift, or leave these sites out (open_window)",
        )
    order, _, shift = max(found, key=lambda one: one[:2])
    return shift, order


def _sites(parallel, perp, strained, periods, shift, scale: float) -> int:
    """How many sites an approximant has with a window that is a little smaller or larger."""
    found = approximant(
        parallel,
        perp,
        periods,
        shift=shift,
        window=lambda points: in_shadow(strained, points / scale),
        window_radius=shadow_radius(strained) * scale,
    )
    return len(found.positions)


def _kept(
    parallel: Float64[np.ndarray, "d D"], perp: Float64[np.ndarray, "e D"], periods: Int64[np.ndarray, "d D"]
) -> Int64[np.ndarray, "order D D"]:
    """The elements of the lattice's point group, as integer matrices, that map the span of the periods on itself."""
    group = lattice_point_group(parallel, perp)
    both = np.concatenate([parallel, perp])
    size, d = len(both), len(parallel)
    blocks = np.zeros((len(group.parallel), size, size))
    blocks[:, :d, :d], blocks[:, d:, d:] = group
    matrices = np.rint(np.linalg.inv(both) @ blocks @ both).astype(np.int64)
    normal = np.eye(size) - np.linalg.pinv(periods.astype(float)) @ periods
    moved = np.einsum("mij,pj->mpi", matrices, periods) @ normal
    return matrices[np.abs(moved).max(axis=(1, 2)) < 1e-9]


def _even_saturated(periods: Int64[np.ndarray, "d D"]) -> Int64[np.ndarray, "d D"]:
    """Vectors of the same span such that no sum of some of them is twice a lattice vector."""
    rows = periods.copy()
    sums = [np.array(c) for c in itertools.product((0, 1), repeat=len(rows)) if any(c)]
    while True:
        even = [c for c in sums if np.all(c @ rows % 2 == 0)]
        if not even:
            return rows
        rows[np.argmax(even[0])] = even[0] @ rows // 2


def _span(rows: Int64[np.ndarray, "d D"]) -> set[tuple[int, ...]]:
    """All sums of some of the rows, modulo 2."""
    sums = np.array(list(itertools.product((0, 1), repeat=len(rows))))
    return {tuple(row) for row in (sums @ rows % 2).tolist()}
