"""Tilings: the edges, the tiles and the types of vertices of a cut."""

import itertools
from typing import NamedTuple

import numpy as np
from jaxtyping import Bool, Int, Int64

from ._cut import Cut
from ._faces import faces
from ._frames import frame, matches
from ._model import Model, position_of
from ._region import placed
from ._stars import star_types

_UNITS = {"fibonacci": 2, "octagonal": 4, "pentagonal": 4, "dodecagonal": 4, "icosahedral": 6}
_MORE = {"pentagonal": [(-1, -1, -1, -1)], "dodecagonal": [(-1, 0, 1, 0), (0, -1, 0, 1)]}
_SHAPES = {1: "interval", 3: "parallelepiped"}
_POLYGONS = {3: "triangle", 4: "quadrilateral", 5: "pentagon", 6: "hexagon", 8: "octagon"}

_Part = tuple[np.ndarray, float, np.ndarray]  # the corners in space, the volume, the rows of the cut


class Tiles(NamedTuple):
    """Tiles of one shape and size.

    Args:
        shape: "interval", "triangle", "quadrilateral", "pentagon", "hexagon", "octagon", "polygon" or "parallelepiped".
        volume: The length, area or volume of one, without strain, in the unit of the lattice constant.
        corners: The rows of the cut at the corners. Those of a polygon follow its rim counter-clockwise; corner b of a
            parallelepiped is the first plus the edges to the corners 1, 2 and 4 whose bits b has. The first corner is
            the same one in all tiles of one orientation.
    """

    shape: str
    volume: float
    corners: Int64[np.ndarray, "tiles corners"]


class Tiling(NamedTuple):
    """The tiling whose vertices are the points of a cut.

    Args:
        steps: The index vectors of the edges, one for each pair of opposite directions.
        edges: The rows of the cut at both ends, the second one step farther.
        edge_steps: Which step.
        tiles: The tiles by shape, the smallest first. Those that reach out of the cut are left out.
        types: The type of each vertex. At the rim of the cut it counts the edges that leave it.
        stars: For each type, which of the directions (the steps, then their opposites) have an edge; one star stands
            for all that follow from it by the symmetry of the directions. Those with the fewest edges come first.
    """

    steps: Int64[np.ndarray, "k D"]
    edges: Int64[np.ndarray, "e 2"]
    edge_steps: Int64[np.ndarray, " e"]
    tiles: tuple[Tiles, ...]
    types: Int64[np.ndarray, " n"]
    stars: Bool[np.ndarray, "types s"]

    @property
    def coordination(self) -> Int64[np.ndarray, " n"]:
        """How many edges each vertex has."""
        return self.stars.sum(axis=1)[self.types]


def tiling(model: Model, cut: Cut, *, steps: Int[np.ndarray, "k D"] | None = None) -> Tiling:
    """The tiling whose vertices are a cut: its edges, tiles and vertex types. Exact, as the cut is.

    Two points are the ends of an edge if their indices differ by a step. In the plane tiles are the faces of the edges,
    which must not cross: rhombs, or the triangles, squares and shields of the dodecagonal tiling. On the line they are
    the edges, and in space the parallelepipeds of three steps that have all their corners, which fill it where the
    window is the projection of a cube. Which edges a vertex has is decided by its perpendicular coordinate, so that the
    types are right at the rim of the cut too.

    It runs on the host, in time O(n log n).

    Args:
        model: The quasicrystal, not traced.
        cut: Its points.
        steps: The index vectors of the edges; opposite ones count once. Known for the named models whose points have
            all indices, the unit vectors and what rotations make of them.

    Returns:
        The tiling; its numbers of vertices are rows of the cut.

    Raises:
        ValueError: No steps are known for the lattice, their number of components is not that of the indices, no two
            points differ by one, or the surfaces have different positions in the unit cell, so that indices do not tell
            the distances of points.

    Example:
        >>> from geoembed.quasicrystal import cut, fibonacci, tiling
        >>> chain = fibonacci()
        >>> short, long = tiling(chain, cut(chain, box=20.0)).tiles
        >>> len(long.corners), len(short.corners)
        (18, 10)

    References:
        C. Oguey, M. Duneau, A. Katz, Commun. Math. Phys. 118, 99–118 (1988): a face belongs to the tiling if all its
            corners lie in the strip; M. Baake, U. Grimm, Aperiodic Order, volume 1, 2013, chapters 6 and 7.
    """
    chosen = _steps(model, steps)
    indices = np.asarray(cut.indices, np.int64)
    along = chosen @ _parallel(model).T
    directions = np.concatenate([chosen, -chosen])
    present, vectors = _stars(model, indices, directions), np.concatenate([along, -along])
    if len(indices) and not present.any():
        raise ValueError(
            "tiling found no edge, because no two points differ by a step, as on the lattices F and I with the steps "
            "of P: give the index vectors of the edges"
        )
    types, stars = star_types(present, vectors)
    rows = _Rows(indices, int(np.abs(chosen).sum(axis=0).max()))
    every = np.arange(len(indices))
    ends = [rows.after(every, step) for step in chosen]
    edges = [np.stack([every, end], axis=1)[end >= 0] for end in ends]
    return Tiling(
        steps=chosen,
        edges=np.concatenate(edges),
        edge_steps=np.repeat(np.arange(len(chosen)), [len(e) for e in edges]),
        tiles=_by_shape(
            _polygons(rows, present, directions, vectors)
            if along.shape[1] == 2
            else _tiles(rows, every, chosen, along)
        ),
        types=types,
        stars=stars,
    )


def _steps(model: Model, steps: np.ndarray | None) -> np.ndarray:
    dimension = sum(model.lattice.dimensions)
    name = model.lattice.name
    places = [position_of(s, dimension) for s in model.surfaces]
    if any(not np.array_equal(place, places[0]) for place in places):
        raise ValueError(
            "tiling needs surfaces with one position in the unit cell: leave out the others, which are no vertices"
        )
    if steps is None:
        if name not in _UNITS:
            raise ValueError(
                f"tiling knows no steps for the lattice {name!r}: give the index vectors of the edges"
            )
        return np.array([*np.eye(_UNITS[name], dtype=int).tolist(), *_MORE.get(name, [])], np.int64)
    chosen = np.asarray(steps, np.int64)
    if chosen.ndim != 2 or chosen.shape[1] != dimension:
        raise ValueError(f"tiling needs steps [k, {dimension}], received {chosen.shape}")
    known: set[tuple[int, ...]] = set()
    kept = []
    for step in chosen:
        if any(step) and tuple(step.tolist()) not in known:
            known |= {tuple(step.tolist()), tuple((-step).tolist())}
            kept.append(step)
    return np.array(kept, np.int64).reshape(-1, dimension)


def _parallel(model: Model) -> np.ndarray:
    """The unstrained projection to parallel space: strain takes neither the shape of a tile nor its symmetry."""
    lattice = model.lattice
    known = lattice.name is not None and matches(np.asarray(lattice.parallel), frame(lattice.name).parallel)
    parallel = frame(lattice.name).parallel if known and lattice.name else np.asarray(lattice.parallel)
    return float(lattice.scale) * parallel.astype(np.float64)


def _stars(model: Model, indices: np.ndarray, directions: np.ndarray) -> np.ndarray:
    """Which directions lead to another point of the quasicrystal [n, s]."""
    stars = np.zeros((len(indices), len(directions)), bool)
    surfaces = [placed(model, surface, 0.0) for surface in model.surfaces]
    for s, direction in enumerate(directions):
        ends = indices + direction
        for surface in surfaces:
            mine = surface.in_coset(ends)
            mine[mine], _ = surface.accepts(ends[mine])
            stars[:, s] |= mine
    return stars


class _Rows:
    """Finds rows of integers: as one number each, with room for sums of steps."""

    def __init__(self, indices: np.ndarray, reach: int):
        low = indices.min(axis=0, initial=0) - reach
        sizes = indices.max(axis=0, initial=0) + reach + 1 - low
        self._strides = np.concatenate([[1], np.cumprod(sizes[:-1])])  # 10⁹ points of six indices still fit
        self._keys = (indices - low) @ self._strides
        self._order = np.argsort(self._keys, kind="stable")
        self._sorted = self._keys[self._order]

    def after(self, rows: np.ndarray, step: np.ndarray) -> np.ndarray:
        """The rows one step farther, −1 where there is none."""
        if len(rows) == 0:
            return rows
        wanted = self._keys[rows] + step @ self._strides
        place = np.minimum(np.searchsorted(self._sorted, wanted), len(self._sorted) - 1)
        return np.where(self._sorted[place] == wanted, self._order[place], -1)


def _tiles(rows: _Rows, every: np.ndarray, steps: np.ndarray, along: np.ndarray) -> list[_Part]:
    """The tiles of a chain or of rhombohedra: those of d steps with all their corners in the cut."""
    d = along.shape[1]
    found = []
    for chosen in itertools.combinations(range(len(steps)), d):
        volume = abs(float(np.linalg.det(along[list(chosen)])))
        if volume < 1e-9 * np.abs(along).max() ** d:
            continue
        bits = np.array(list(itertools.product((0, 1), repeat=d)))[:, ::-1]
        corners = np.stack([rows.after(every, step) for step in bits @ steps[list(chosen)]], axis=1)
        found.append((bits @ along[list(chosen)], volume, corners[(corners >= 0).all(axis=1)]))
    return found


def _polygons(rows: _Rows, stars: np.ndarray, directions: np.ndarray, along: np.ndarray) -> list[_Part]:
    """The faces of a planar tiling."""
    every = np.arange(len(stars))
    ends = np.stack([rows.after(every, direction) for direction in directions], axis=1)
    found = []
    for sides, corners in faces(stars, ends, along):
        outline = np.cumsum(along[list(sides)], axis=0)
        x, y = outline.T
        found.append((outline, 0.5 * float(np.sum(x * np.roll(y, -1) - y * np.roll(x, -1))), corners))
    return found


def _by_shape(found: list[_Part]) -> tuple[Tiles, ...]:
    """Congruent tiles together: those of one volume and the same distances between corners."""
    groups: dict[tuple[float, ...], list[_Part]] = {}
    size = max((np.abs(outline).max() for outline, _, _ in found), default=1.0)
    for outline, volume, corners in found:
        if len(corners):
            apart = np.sort(np.linalg.norm(outline[:, None] - outline, axis=2), axis=None)
            groups.setdefault(tuple(np.round(np.array([volume, *apart]) / size, 4).tolist()), []).append(
                (outline, volume, corners)
            )
    tiles = []
    for _, parts in sorted(groups.items()):
        outline, volume, corners = parts[0]
        shape = _POLYGONS.get(len(outline), "polygon") if outline.shape[1] == 2 else _SHAPES[outline.shape[1]]
        tiles.append(Tiles(shape, volume, np.concatenate([corners for _, _, corners in parts])))
    return tuple(tiles)
