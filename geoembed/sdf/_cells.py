"""The cells of a cubic grid that a part occupies, and which fraction of each."""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from jaxtyping import Array, Bool, Float, Int
from scipy import sparse
from scipy.sparse import csgraph

from ..core import InputError
from ._filled import MICRO, filled_fractions, lattice
from ._host import value_and_gradient

_BLOCK = 4  # cells along the edge of the blocks that are tested first
_LARGEST_GRID = 2_000_000_000  # cells in the box: flat cell numbers stay below 2³¹


@dataclass(frozen=True)
class OccupiedCells:
    """Cells of a cubic grid that touch a part.

    A cut cell carries a quadrature of its part inside: the filled fraction of each of its MICRO³ micro-cells,
    from the signed distance linearised in the eight octants of the cell, and more finely where the octants
    disagree. It is exact for planar faces up to the rounding of micro-cells at the surface; in cells that hold an
    edge of the part the error is O(spacing³).

    Args:
        origin: The corner of cell (0, 0, 0), in the part's unit.
        spacing: The edge length of a cell, in the part's unit.
        shape: Cells of the whole grid along x, y, z.
        index: Grid position of each occupied cell, in the order of the flat cell number.
        cut: The numbers of the occupied cells that the surface may cross; the others are wholly inside.
        filled: For each cut cell, the filled fraction of its micro-cells (0…1), x slowest.
        open_faces: Whether the part continues through the cell's face towards +x, +y, +z.
    """

    origin: Float[np.ndarray, "3"]
    spacing: float
    shape: tuple[int, int, int]
    index: Int[np.ndarray, "c 3"]
    cut: Int[np.ndarray, " k"]
    filled: Float[np.ndarray, "k micro"]
    open_faces: Bool[np.ndarray, "c 3"]

    @property
    def keys(self) -> Int[np.ndarray, " c"]:
        """The flat number of each occupied cell, ascending."""
        return flat(self.index, self.shape)

    @property
    def volume(self) -> float:
        """The volume that the quadrature sees, in the part's unit cubed."""
        whole = len(self.index) - len(self.cut)
        return float((whole + self.filled.mean(axis=1).sum()) * self.spacing**3)

    def locate(self, points: Float[np.ndarray, "n 3"]) -> Int[np.ndarray, " n"]:
        """Returns the number of the occupied cell that holds each point, -1 where there is none."""
        return self.find(np.floor((points - self.origin) / self.spacing).astype(np.int64))

    def find(self, index: Int[np.ndarray, "n 3"]) -> Int[np.ndarray, " n"]:
        """Returns the number of the occupied cell at each grid position, -1 where there is none."""
        return find(self.keys, self.shape, index)


def flat(index: Int[np.ndarray, "n 3"], shape: tuple[int, int, int]) -> Int[np.ndarray, " n"]:
    """Returns the flat (row-major) number of grid positions."""
    return (index[:, 0] * shape[1] + index[:, 1]) * shape[2] + index[:, 2]


def find(
    keys: Int[np.ndarray, " c"], shape: tuple[int, int, int], index: Int[np.ndarray, "n 3"]
) -> Int[np.ndarray, " n"]:
    """Returns where grid positions stand in the ascending `keys`, -1 where they do not."""
    inside = np.all((index >= 0) & (index < np.array(shape)), axis=1)
    wanted = flat(np.where(inside[:, None], index, 0), shape)
    row = np.minimum(np.searchsorted(keys, wanted), len(keys) - 1)
    return np.where(inside & (keys[row] == wanted), row, -1)


def occupied_cells(
    sdf: Callable[[Array], Array],
    bounds: tuple[np.ndarray, np.ndarray],
    spacing: float,
    *,
    offset: Float[np.ndarray, "3"],
    surface: Float[np.ndarray, "s 3"],
    tied: Bool[np.ndarray, " s"] | None = None,
) -> OccupiedCells:
    """Finds the cells that a part occupies.

    Args:
        sdf: The signed distance of the part (negative inside, 1-Lipschitz).
        bounds: The corners of its box, in its unit.
        spacing: Edge length of the cells, in its unit.
        offset: Where the box's lower corner lies inside its cell, in cells (0…1).
        surface: Points on the surface; the cells that hold them are kept however little of them is filled.
        tied: At which of them a condition fixes the level of a field. A connected piece without any hangs on the
            rest by a neck too thin for the grid, and is joined to it. None: no piece needs one.

    Returns:
        The occupied cells with the quadrature of the cut ones.

    Raises:
        InputError: The grid would have more than 2·10⁹ cells.
    """
    lower, upper = bounds
    origin = lower - (1 + offset) * spacing
    extent = np.ceil((upper - origin) / spacing).astype(np.int64) + 1
    extent = -(-extent // _BLOCK) * _BLOCK
    if np.prod(extent.astype(float)) > _LARGEST_GRID:
        raise InputError(
            "<grid>", f"spacing {spacing:g}", "the grid has too many cells", "Use a coarser spacing"
        )
    shape = (int(extent[0]), int(extent[1]), int(extent[2]))

    index = _near_cells(sdf, origin, spacing, shape)
    return _occupied_among(sdf, origin, spacing, shape, index, surface, tied)


def finer_cells(
    sdf: Callable[[Array], Array],
    coarse: OccupiedCells,
    refined: Bool[np.ndarray, " c"],
    *,
    surface: Float[np.ndarray, "s 3"],
) -> OccupiedCells:
    """Finds the cells of half the spacing that the part occupies in some cells of a grid.

    Args:
        sdf: The signed distance of the part.
        coarse: The grid.
        refined: In which of its cells to look.
        surface: Points on the surface; the cells that hold them are kept however little of them is filled.

    Returns:
        The occupied cells. Their grid has the corner of the coarse one: cell i lies in its cell i // 2.
    """
    shape = (2 * coarse.shape[0], 2 * coarse.shape[1], 2 * coarse.shape[2])
    index = (2 * coarse.index[refined][:, None] + lattice((2, 2, 2))[None]).reshape(-1, 3)
    index = index[np.argsort(flat(index, shape))]
    # A piece need not be tied here: it goes on in the cells that are not refined.
    return _occupied_among(sdf, coarse.origin, 0.5 * coarse.spacing, shape, index, surface, None)


def _occupied_among(
    sdf: Callable[[Array], Array],
    origin: Float[np.ndarray, "3"],
    spacing: float,
    shape: tuple[int, int, int],
    index: Int[np.ndarray, "n 3"],
    surface: Float[np.ndarray, "s 3"],
    tied: Bool[np.ndarray, " s"] | None,
) -> OccupiedCells:
    """Keeps the cells that the part occupies; None for `tied`: no piece of them needs to be tied."""
    distance, _ = value_and_gradient(sdf, origin + spacing * (index + 0.5))
    reach = 0.5 * np.sqrt(3) * spacing
    index, distance = index[distance <= reach], distance[distance <= reach]
    cut = np.flatnonzero(distance > -reach)
    filled = filled_fractions(sdf, origin + spacing * index[cut], spacing)

    keep = np.ones(len(index), bool)
    keep[cut] = filled.sum(axis=1) > 1e-9
    holding = _holding(index, shape, (surface - origin) / spacing)
    keep[holding[holding >= 0]] = True
    filled, index = filled[keep[cut]], index[keep]
    is_cut = np.zeros(len(keep), bool)
    is_cut[cut] = True
    cut = np.flatnonzero(is_cut[keep])
    is_tied = np.full(len(index), tied is None)
    if tied is not None:
        holding = _holding(index, shape, (surface[tied] - origin) / spacing)
        is_tied[holding[holding >= 0]] = True
    open_faces = _open_faces(sdf, origin, spacing, shape, index, cut, filled, is_tied)
    return OccupiedCells(origin, spacing, shape, index, cut, filled, open_faces)


def _holding(
    index: Int[np.ndarray, "c 3"], shape: tuple[int, int, int], position: Float[np.ndarray, "n 3"]
) -> Int[np.ndarray, " n"]:
    """Returns which of the cells `index` holds each position, in cells; -1: none."""
    return find(flat(index, shape), shape, np.floor(position).astype(np.int64))


def _near_cells(
    sdf: Callable[[Array], Array], origin: np.ndarray, spacing: float, shape: tuple[int, int, int]
) -> Int[np.ndarray, "n 3"]:
    """Returns the cells of all blocks that may hold some of the part, in the order of their flat number."""
    block = lattice((shape[0] // _BLOCK, shape[1] // _BLOCK, shape[2] // _BLOCK))
    distance, _ = value_and_gradient(sdf, origin + spacing * _BLOCK * (block + 0.5))
    block = block[distance <= 0.5 * np.sqrt(3) * spacing * _BLOCK]
    index = (_BLOCK * block[:, None] + lattice((_BLOCK, _BLOCK, _BLOCK))[None]).reshape(-1, 3)
    return index[np.argsort(flat(index, shape))]


def _open_faces(
    sdf: Callable[[Array], Array],
    origin: np.ndarray,
    spacing: float,
    shape: tuple[int, int, int],
    index: Int[np.ndarray, "c 3"],
    cut: Int[np.ndarray, " k"],
    filled: Float[np.ndarray, "k micro"],
    is_tied: Bool[np.ndarray, " c"],
) -> Bool[np.ndarray, "c 3"]:
    """Says through which faces the part continues: a face between two cut cells is tested on MICRO² points."""
    is_cut = np.zeros(len(index), bool)
    is_cut[cut] = True
    keys = flat(index, shape)
    beyond = np.stack([find(keys, shape, index + step) for step in np.eye(3, dtype=int)], axis=1)
    lowest = np.where(beyond >= 0, -np.inf, np.inf)  # the lowest signed distance seen on the face
    grid = 0.01 + 0.98 * lattice((MICRO + 1, MICRO + 1, 1))[:, :2] / MICRO
    for axis in range(3):
        doubtful = np.flatnonzero((beyond[:, axis] >= 0) & is_cut & is_cut[beyond[:, axis]])
        on_face = np.insert(grid, axis, 1.0, axis=1)
        points = origin + spacing * (index[doubtful][:, None] + on_face[None])
        distance, _ = value_and_gradient(sdf, points.reshape(-1, 3))
        lowest[doubtful, axis] = distance.reshape(len(doubtful), (MICRO + 1) ** 2).min(axis=1, initial=np.inf)
    volume = np.ones(len(index))
    volume[cut] = filled.mean(axis=1)
    return _without_islands(lowest < 0, lowest, beyond, volume, is_tied)


def _without_islands(
    is_open: Bool[np.ndarray, "c 3"],
    lowest: Float[np.ndarray, "c 3"],
    beyond: Int[np.ndarray, "c 3"],
    volume: Float[np.ndarray, " c"],
    is_tied: Bool[np.ndarray, " c"],
) -> Bool[np.ndarray, "c 3"]:
    """Joins crumbs to the rest of the part, through the face that comes nearest to it.

    A crumb is a connected piece smaller than one cell (a corner of the part whose faces to the neighbours are too
    small for the test points to hit) or without a tied cell. On its own, nothing would fix a field there.
    """
    is_open = is_open.copy()
    count = len(volume)
    from_cell, axis = np.nonzero(beyond >= 0)
    to_cell = beyond[from_cell, axis]
    while True:
        joined = is_open[from_cell, axis]
        links = (np.ones(joined.sum()), (from_cell[joined], to_cell[joined]))
        _, piece = csgraph.connected_components(sparse.coo_array(links, shape=(count, count)), directed=False)
        crumb = (np.bincount(piece, volume) < 1.0) | (np.bincount(piece, is_tied) == 0)
        between = piece[from_cell] != piece[to_cell]
        # Every crumb opens its nearest face; `best` keeps the last of a sorted list, so the nearest comes last.
        doors = np.flatnonzero(between & (crumb[piece[from_cell]] | crumb[piece[to_cell]]))
        doors = doors[np.argsort(-lowest[from_cell[doors], axis[doors]], kind="stable")]
        best = {}
        for door in doors:
            for side in (piece[from_cell[door]], piece[to_cell[door]]):
                if crumb[side]:
                    best[side] = door
        if not best:
            return is_open
        chosen = np.array(list(best.values()))
        is_open[from_cell[chosen], axis[chosen]] = True
