"""Nested grids: the cells of a part, divided again and again where its field is singular."""

from dataclasses import dataclass

import numpy as np
from jaxtyping import Bool, Float, Int

from ..sdf import OccupiedCells, SurfaceRule, finer_cells, occupied_cells
from ._edges import points_along, singular_edges
from ._problem import Problem

# Each singular edge loses a factor 2^(2 · loss) of its error: 16 in heat conduction. Elasticity, with three numbers for
# each feature, spends its cells on bending instead: 6.
_LOSS, _ELASTIC_LOSS = 2.0, 4 / 3
_SURFACE_SPACING = 0.7  # of the triangles with a quadrature point each, in cells
_EDGE_STEP = 0.3  # between the points that stand for an edge, in cells
# The cells that are divided at a cell which an edge crosses: it and the 26 around it.
_NEIGHBOURS = np.stack(np.meshgrid(*[np.arange(-1, 2)] * 3, indexing="ij"), axis=-1).reshape(-1, 3)
_CORNERS = np.stack(np.meshgrid(*[np.arange(2)] * 3, indexing="ij"), axis=-1).reshape(-1, 3)


@dataclass(frozen=True)
class NestedCells:
    """Grids of which each but the first fills some cells of the one before.

    Args:
        grids: The cells of each grid; the spacing halves from one to the next.
        refined: For each grid, which of its cells the next one fills. The others are the leaves.
        rule: Quadrature points on the surface, of the leaves' size.
    """

    grids: tuple[OccupiedCells, ...]
    refined: tuple[Bool[np.ndarray, " _"], ...]
    rule: SurfaceRule

    @property
    def leaves(self) -> int:
        """How many cells are not divided."""
        return int(sum(np.sum(~refined) for refined in self.refined))

    def owner(self, points: Float[np.ndarray, "n 3"]) -> Int[np.ndarray, " n"]:
        """Returns the grid whose leaf holds each point."""
        level = np.zeros(len(points), np.int64)
        for number, cells in enumerate(self.grids[:-1]):
            here = np.flatnonzero(level == number)
            row = cells.locate(points[here])
            level[here[(row >= 0) & self.refined[number][row]]] = number + 1
        return level

    def children(self, number: int) -> Int[np.ndarray, "c 8"]:
        """Returns which cell of a grid lies in each eighth of each cell of the one before, -1 where there is none."""
        index = self.grids[number].index
        found = np.full((len(self.grids[number - 1].index), 8), -1, np.int32)
        found[self.grids[number - 1].find(index // 2), (index % 2) @ np.array([4, 2, 1])] = np.arange(
            len(index)
        )
        return found

    def filled_by(self, number: int, index: Int[np.ndarray, "n 3"]) -> Bool[np.ndarray, " n"]:
        """Says which positions of a grid lie in refined cells of the one before, or where nothing of the part is."""
        if number == 0:
            return np.ones(len(index), bool)
        parent = index // 2
        refined = self._is_refined(number - 1, parent)
        return refined | self._is_empty(number - 1, parent)

    def _is_refined(self, number: int, index: Int[np.ndarray, "n 3"]) -> Bool[np.ndarray, " n"]:
        row = self.grids[number].find(index)
        return (row >= 0) & self.refined[number][row]

    def _is_empty(self, number: int, index: Int[np.ndarray, "n 3"]) -> Bool[np.ndarray, " n"]:
        absent = self.grids[number].find(index) < 0
        if number == 0:
            return absent
        parent = index // 2
        return absent & (self._is_refined(number - 1, parent) | self._is_empty(number - 1, parent))


def depths(exponents: Float[np.ndarray, " e"], elastic: bool) -> Int[np.ndarray, " e"]:
    """Returns how often the cells at edges with these exponents are divided.

    The error of an edge is of the order spacing^(2λ): it falls by the same factor for all edges.
    """
    return np.rint((_ELASTIC_LOSS if elastic else _LOSS) / exponents).astype(np.int64)


def nested_cells(problem: Problem, spacing: float, offset: Float[np.ndarray, "3"]) -> NestedCells:
    """Divides a part into cells.

    Args:
        problem: The problem.
        spacing: Edge length of the largest cells, in the part's unit.
        offset: Where the part's box begins inside its cell, in cells (0…1).

    Returns:
        The nested grids.
    """
    domain = problem.domain
    edges, exponents = singular_edges(problem)
    depth = depths(exponents, problem.elastic)
    pieces, home = domain.vertices[domain.faces].astype(np.float64), np.arange(len(domain.faces))
    pieces, home = _split(pieces, home, _SURFACE_SPACING * spacing)
    tied = problem.tied_faces[home]
    grids = [
        occupied_cells(
            domain,
            domain.bounds,
            spacing,
            offset=offset,
            surface=np.concatenate([pieces.mean(axis=1), domain.vertices]),
            tied=np.concatenate([tied, np.zeros(len(domain.vertices), bool)]),
        )
    ]
    refined, done = [], []
    for number in range(int(depth.max(initial=0))):
        cells = grids[-1]
        marked = _beside(cells, points_along(edges[depth > number], _EDGE_STEP * cells.spacing))
        if not marked.any():
            break
        touching = _touch(pieces, cells, marked)
        done.append((pieces[~touching], home[~touching]))
        pieces, home = _split(pieces[touching], home[touching], 0.5 * _SURFACE_SPACING * cells.spacing)
        refined.append(marked)
        anchors = np.concatenate([pieces.mean(axis=1), domain.vertices])
        grids.append(finer_cells(domain, cells, marked, surface=anchors))
    refined.append(np.zeros(len(grids[-1].index), bool))
    done.append((pieces, home))
    all_pieces, all_homes = (np.concatenate([part[k] for part in done]) for k in range(2))
    return NestedCells(tuple(grids), tuple(refined), _rule(all_pieces, all_homes))


def _beside(cells: OccupiedCells, points: Float[np.ndarray, "n 3"]) -> Bool[np.ndarray, " c"]:
    """The cells that hold a point or are a neighbour of one that does."""
    holding = np.unique(np.floor((points - cells.origin) / cells.spacing).astype(np.int64), axis=0)
    marked = np.zeros(len(cells.index), bool)
    for step in _NEIGHBOURS:
        row = cells.find(holding + step)
        marked[row[row >= 0]] = True
    return marked


def _touch(
    pieces: Float[np.ndarray, "n 3 3"], cells: OccupiedCells, marked: Bool[np.ndarray, " c"]
) -> Bool[np.ndarray, " n"]:
    """The triangles whose box has a corner in a marked cell. They are so small that hardly any other reaches one."""
    ends = [
        np.floor((corner - cells.origin) / cells.spacing).astype(np.int64)
        for corner in (pieces.min(axis=1), pieces.max(axis=1))
    ]
    touching = np.zeros(len(pieces), bool)
    for corner in _CORNERS:
        row = cells.find(np.where(corner == 1, ends[1], ends[0]))
        touching |= (row >= 0) & marked[row]
    return touching


def _split(
    pieces: Float[np.ndarray, "n 3 3"], home: Int[np.ndarray, " n"], size: float
) -> tuple[Float[np.ndarray, "m 3 3"], Int[np.ndarray, " m"]]:
    """Halves triangles at their longest side until they are small, as `triangle_rule` does."""
    done = []
    while True:
        sides = np.linalg.norm(np.roll(pieces, -1, axis=1) - pieces, axis=2)
        long = (_area(pieces) > 0.5 * size**2) | (sides.max(axis=1, initial=0.0) > 2 * size)
        done.append((pieces[~long], home[~long]))
        if not long.any():
            return np.concatenate([part[0] for part in done]), np.concatenate([part[1] for part in done])
        pieces, home, first = pieces[long], home[long], sides[long].argmax(axis=1)
        row = np.arange(len(pieces))
        a, b, c = (pieces[row, (first + k) % 3] for k in range(3))
        middle = 0.5 * (a + b)
        pieces = np.concatenate([np.stack([a, middle, c], axis=1), np.stack([middle, b, c], axis=1)])
        home = np.concatenate([home, home])


def _rule(pieces: Float[np.ndarray, "n 3 3"], home: Int[np.ndarray, " n"]) -> SurfaceRule:
    return SurfaceRule(pieces.mean(axis=1), _area(pieces), home)


def _area(pieces: Float[np.ndarray, "n 3 3"]) -> Float[np.ndarray, " n"]:
    across = np.cross(pieces[:, 1] - pieces[:, 0], pieces[:, 2] - pieces[:, 0])
    return 0.5 * np.linalg.norm(across, axis=1)
