"""All pairs of near atoms, periodic images included, found on the host."""

import itertools
import math
from typing import NamedTuple

import numpy as np
from jaxtyping import Float64, Int64
from scipy.spatial import KDTree
from vesin import NeighborList

from ..core import InputError
from ._distance import reduced
from ._frame import Frame
from ._neighbours import pair_order

MAX_PAIRS = 100_000_000  # 4 GB
_FLAT = 1e-10  # the volume that unit vectors along the periodic directions must span
_BALL = (1.0, 2.0, math.pi, 4 / 3 * math.pi)  # of radius 1 in 0, 1, 2, 3 dimensions
_BOXES, _LONG = 50_000, 20.0


class Pairs(NamedTuple):
    """Pairs of near atoms, sorted by the atom; every pair comes in both orders.

    Args:
        atom: The atom.
        neighbour: Its neighbour.
        shift: How many of each cell vector are added to the neighbour's position, whole numbers.
    """

    atom: Int64[np.ndarray, " pairs"]
    neighbour: Int64[np.ndarray, " pairs"]
    shift: Float64[np.ndarray, "pairs 3"]


class _Lattice(NamedTuple):
    """The periodic directions: short vectors of the lattice and what makes them from the frame's."""

    axes: Int64[np.ndarray, " d"]
    vectors: Float64[np.ndarray, "d 3"]
    change: Float64[np.ndarray, "d d"]


def neighbour_pairs(frame: Frame, cutoff: float) -> Pairs:
    """All pairs of atoms and periodic images that are nearer than the cutoff. Exact; O(atoms).

    Positions may lie anywhere, cells may be smaller than the cutoff, skewed or left-handed. Directions that are not
    periodic have shift 0, whatever the cell says there.

    Args:
        frame: The structure.
        cutoff: Å.

    Returns:
        The pairs: x[neighbour] + shift·cell is nearer than the cutoff to x[atom]. No atom is its own neighbour
        without a shift; two atoms at the same place are neighbours.

    Raises:
        InputError: The cutoff is not positive, a position is not finite, the periodic cell vectors are not
            independent, or there are more than 10⁸ pairs.

    Example:
        >>> chain = Frame(np.array([18]), np.zeros((1, 3)), np.diag([2.0, 9.0, 9.0]), np.array([True, False, False]))
        >>> neighbour_pairs(chain, 4.5).shift[:, 0]
        array([-2., -1.,  1.,  2.])
    """
    check_cutoff(cutoff)
    if not np.all(np.isfinite(frame.positions)):
        raise InputError("frame", "positions", "a position is not finite", "remove or repair the structure")
    lattice = _lattice(frame)
    _check_number(frame.positions, lattice, cutoff)
    atom, other, shift = _search(frame.positions, lattice, float(cutoff))
    whole = np.zeros((len(atom), 3))
    whole[:, lattice.axes] = shift.astype(np.float64) @ lattice.change
    order = pair_order(atom, other, whole)
    return Pairs(atom[order].astype(np.int64), other[order].astype(np.int64), whole[order] + 0.0)


def check_cutoff(cutoff: float) -> None:
    """Raises `InputError` unless the cutoff is a positive, finite number."""
    if not (0 < cutoff < math.inf):
        reason = f"{cutoff} is not a positive number of Å"
        raise InputError("cutoff", "", reason, "give the distance up to which atoms are neighbours")


def _lattice(frame: Frame) -> _Lattice:
    axes = np.flatnonzero(frame.pbc)
    if len(axes) == 0:
        return _Lattice(axes, np.zeros((0, 3)), np.zeros((0, 0)))
    if frame.cell is None:
        raise InputError("frame", "pbc", "the structure is periodic but has no cell", "give its cell")
    rows = frame.cell[axes]
    lengths = np.linalg.norm(rows, axis=1)
    if not (np.all(np.isfinite(rows)) and lengths.min() > 0 and _spanned(rows / lengths[:, None]) > _FLAT):
        reason = "the periodic cell vectors are zero, not finite or not independent"
        raise InputError("frame", "cell", reason, "correct the cell, or pbc")
    change = np.rint(reduced(rows) @ np.linalg.pinv(rows))
    if abs(abs(np.linalg.det(change)) - 1) > 1e-3:
        reason = "the cell is too skewed to be worked with in double precision"
        raise InputError("frame", "cell", reason, "describe the crystal by shorter cell vectors")
    return _Lattice(axes, change @ rows, change)


def _spanned(rows: np.ndarray) -> float:
    return float(np.prod(np.linalg.svd(rows, compute_uv=False)))


def _check_number(positions: np.ndarray, lattice: _Lattice, cutoff: float) -> None:
    """Raises when there are certainly too many pairs: atoms in one box of diagonal `cutoff` are all near each other."""
    dimensions = len(lattice.axes)
    volume = _spanned(lattice.vectors) if dimensions else 1.0
    images = max(1.0, _BALL[dimensions] * cutoff**dimensions / volume)
    inside = _wrapped(positions, lattice)[0]
    boxes = np.unique(np.floor(inside * (math.sqrt(3) / cutoff)), axis=0, return_counts=True)[1]
    estimate = images * float(np.sum(boxes.astype(np.float64) ** 2))
    if estimate > MAX_PAIRS:
        reason = f"about {estimate:.1g} pairs of atoms are nearer than {cutoff} Å"
        raise InputError("frame", "cell", reason, "see whether cell, positions and cutoff are in Å")


def _wrapped(positions: np.ndarray, lattice: _Lattice) -> tuple[np.ndarray, np.ndarray]:
    """Positions inside the cell, and how many vectors of the lattice were taken away."""
    inverse = _inverse(lattice)
    away = np.floor(positions @ inverse)
    inside = positions - away @ lattice.vectors
    again = np.floor(inside @ inverse)  # what rounding of large coordinates left outside
    return inside - again @ lattice.vectors, away + again


def _inverse(lattice: _Lattice) -> Float64[np.ndarray, "3 d"]:
    """From positions to fractions of the lattice's vectors; its columns are as long as 1/height."""
    return np.linalg.pinv(lattice.vectors) if len(lattice.axes) else np.zeros((3, 0))


def _search(
    positions: Float64[np.ndarray, "n 3"], lattice: _Lattice, cutoff: float
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Atom, neighbour and shift along the lattice's vectors, in any order."""
    inside, away = _wrapped(positions, lattice)
    dimensions = len(lattice.axes)
    # Unit vectors at right angles to the lattice stand for what is not periodic.
    others = np.linalg.svd(lattice.vectors)[2][dimensions:] if dimensions else np.eye(3)
    heights = 1 / np.linalg.norm(_inverse(lattice), axis=0)
    widths = np.ptp(inside @ others.T, axis=0) if len(inside) else np.zeros(3 - dimensions)
    if _fits_boxes(np.concatenate([heights, widths]) / cutoff):
        finder = NeighborList(cutoff=cutoff, full_list=True, sorted=False)
        box, periodic = np.concatenate([lattice.vectors, others]), [k < dimensions for k in range(3)]
        found = finder.compute(points=inside, box=box, periodic=periodic, quantities="ijS")
        atom, other = found[0].astype(np.int64), found[1].astype(np.int64)
        shift = found[2][:, :dimensions].astype(np.float64)
    else:
        atom, other, shift = _search_tree(inside, lattice, cutoff)
    return atom, other, shift + away[atom] - away[other]


def _fits_boxes(boxes: Float64[np.ndarray, " 3"]) -> bool:
    """Whether a grid suits, given its boxes along three directions.

    vesin 0.6 divides by zero, and ends the process, where a long and thin region needs very many.
    """
    boxes = np.maximum(1.0, boxes)
    return bool(np.prod(boxes) <= _BOXES or boxes.max() / boxes.min() <= _LONG)


def _search_tree(
    inside: np.ndarray, lattice: _Lattice, cutoff: float
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """The same by a tree over the atoms and the images around the cell; for regions of any shape."""
    inverse = _inverse(lattice)
    reach = cutoff * np.linalg.norm(inverse, axis=0) * (1 + 1e-9)  # in fractions of the cell
    fraction = inside @ inverse
    points, atoms, shifts = [], [], []
    for steps in itertools.product(*(range(-math.ceil(r), math.ceil(r) + 1) for r in reach)):
        shift = np.array(steps, np.float64)
        kept = np.flatnonzero(
            np.all(
                (fraction + shift[None] >= -reach[None]) & (fraction + shift[None] <= 1 + reach[None]), axis=1
            )
        )
        points.append(inside[kept] + (shift @ lattice.vectors)[None])
        atoms.append(kept)
        shifts.append(np.broadcast_to(shift, (len(kept), len(shift))))
    images, owner, shift = (np.concatenate(part) for part in (points, atoms, shifts))
    near = KDTree(inside).sparse_distance_matrix(KDTree(images), cutoff, output_type="ndarray")
    found = near[
        (near["v"] < cutoff) & ((near["i"] != owner[near["j"]]) | np.any(shift[near["j"]] != 0, axis=1))
    ]
    return found["i"].astype(np.int64), owner[found["j"]], shift[found["j"]]
