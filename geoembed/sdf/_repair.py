"""Repairs of a triangle mesh that are asked for one by one, with a report of what changed (numpy, host)."""

from dataclasses import asdict, dataclass, replace

import numpy as np
from jaxtyping import Bool, Int, Int64
from scipy.sparse import coo_array
from scipy.sparse.csgraph import connected_components
from scipy.spatial import KDTree

from ._flat import drop_flat, is_flat
from ._holes import boundary_loops, fill_loop
from ._mend import reorient
from ._meshes._mesh_tables import mesh_edges
from ._quality_words import counted
from ._readers._rawmesh import RawMesh
from ._topology import count_edges, repeated_corner, repeated_face, sides_and_depths

_CROWD = 64  # near vertices per vertex beyond which `merge` is no tolerance but a mistake


@dataclass(frozen=True)
class Changes:
    """What `repair` did, and what is left to do.

    Args:
        merged_vertices: Vertices replaced by another one nearby.
        largest_move: The farthest a corner of a face moved in that, in the mesh's unit.
        dropped_flat: Faces without area that were dropped; merging their corners may have made them so.
        dropped_duplicates: Faces dropped because an earlier one has the same corners.
        flipped_faces: Faces whose winding was turned to agree with their neighbours'.
        turned_parts: Closed parts that were turned as a whole, to face outwards (a cavity: inwards).
        filled_holes: Holes that were filled.
        added_faces: Faces that fill them.
        added_area: The area of those, in the mesh's unit squared.
        holes_left: Loops of open edges that are left.
        open_edges_left: Edges of one face that are left.
        crowded_edges_left: Edges of more than two faces that are left.
        disagreeing_edges_left: Edges whose two faces still disagree in winding.
    """

    merged_vertices: int = 0
    largest_move: float = 0.0
    dropped_flat: int = 0
    dropped_duplicates: int = 0
    flipped_faces: int = 0
    turned_parts: int = 0
    filled_holes: int = 0
    added_faces: int = 0
    added_area: float = 0.0
    holes_left: int = 0
    open_edges_left: int = 0
    crowded_edges_left: int = 0
    disagreeing_edges_left: int = 0

    @property
    def closed(self) -> bool:
        """Whether every edge of the repaired mesh joins two faces of agreeing winding."""
        return self.open_edges_left + self.crowded_edges_left + self.disagreeing_edges_left == 0

    @property
    def lines(self) -> tuple[str, ...]:
        """The changes in words, one line for each kind that occurred."""
        told = [
            (
                self.merged_vertices,
                f"merged {counted(self.merged_vertices, 'vertex')}, moved by {self.largest_move:.3g}",
            ),
            (self.dropped_flat, f"dropped {counted(self.dropped_flat, 'face')} without area"),
            (self.dropped_duplicates, f"dropped {counted(self.dropped_duplicates, 'duplicate face')}"),
            (self.flipped_faces, f"flipped {counted(self.flipped_faces, 'face')} to agree with neighbours"),
            (self.turned_parts, f"turned {counted(self.turned_parts, 'closed part')} as a whole"),
            (
                self.filled_holes,
                f"filled {counted(self.filled_holes, 'hole')} with {counted(self.added_faces, 'face')} "
                f"of area {self.added_area:.6g}",
            ),
            (
                self.open_edges_left,
                f"left {counted(self.open_edges_left, 'open edge')} in {counted(self.holes_left, 'loop')}",
            ),
            (
                self.crowded_edges_left,
                f"left {counted(self.crowded_edges_left, 'edge')} with more than two faces",
            ),
            (
                self.disagreeing_edges_left,
                f"left {counted(self.disagreeing_edges_left, 'edge')} at which the winding disagrees",
            ),
        ]
        return tuple(text for count, text in told if count)

    def as_dict(self) -> dict[str, int | float]:
        """The counts as JSON values."""
        return asdict(self)


@dataclass(frozen=True, eq=False)
class RepairedMesh:
    """A repaired mesh and what it took.

    Args:
        mesh: The mesh; its notes are the ones of the file and the lines of the changes, its SHA-256 is the file's.
        changes: What changed and what is left.
        origin: Which face of the mesh as given each face is, or is a piece of; −1 for one that fills a hole.
    """

    mesh: RawMesh
    changes: Changes
    origin: Int64[np.ndarray, " f"]


def repair(
    raw: RawMesh,
    *,
    merge: float | None = None,
    drop: bool = False,
    fix_winding: bool = False,
    fill_holes: int = 0,
    largest_hole: float = np.inf,
) -> RepairedMesh:
    """Repairs a triangle mesh. Nothing is done that was not asked for, and all that is done is reported.

    In this order: vertices nearer than `merge` to each other become one; faces without area and duplicates go
    (neighbours are split so that no hole opens); windings are made to agree across edges, the majority of each
    part deciding; holes are filled with the surface of least area over their edges; closed parts are turned to
    face outwards, inwards where they lie at odd depth inside others (a cavity). Self-intersections are neither
    looked for nor removed.

    Args:
        raw: The mesh, from `read_mesh`.
        merge: Vertices nearer than this become one, in the mesh's unit; None to merge none. Choose it well below
            the thinnest wall: chains of near vertices merge as a whole, `changes.largest_move` says how far.
        drop: Drop faces without area and faces with the corners of an earlier one.
        fix_winding: Make the windings agree, and closed parts face outwards.
        fill_holes: The most edges of a hole that is filled; 0 fills none. The time grows with its third power.
        largest_hole: The largest diagonal of the box around a hole that is filled, in the mesh's unit.

    Returns:
        The mesh with the changes. `mesh_sdf(result.mesh.vertices, result.mesh.faces, unit=…)` takes it further.

    Raises:
        ValueError: A tolerance or number that is negative or nan, or a `merge` so large that crowds would merge.

    Example:
        >>> import numpy as np
        >>> corners = np.array([[0, 0, 0], [1, 0, 0], [0, 1, 0], [0, 0, 1]], float)
        >>> faces = np.array([[0, 2, 1], [0, 3, 1], [0, 3, 2]])  # the second is wound wrongly, the fourth is missing
        >>> result = repair(RawMesh(corners, faces, "example", "", ()), fix_winding=True, fill_holes=3)
        >>> result.changes.lines
        ('flipped 1 face to agree with neighbours', 'filled 1 hole with 1 face of area 0.866025')
        >>> result.changes.closed
        True
    """
    if not (merge is None or merge >= 0) or not (fill_holes >= 0 and largest_hole >= 0):
        raise ValueError(
            "merge, fill_holes and largest_hole must not be negative or nan, "
            f"received {merge}, {fill_holes}, {largest_hole}"
        )
    vertices, faces, origin = raw.vertices, raw.faces, np.arange(len(raw.faces))
    done = Changes()
    if merge is not None:
        faces, origin, done = _merge(vertices, faces, origin, merge, done)
    if drop:
        faces, origin, done = _drop(vertices, faces, origin, done)
    if len(faces) == 0:
        fix_winding, fill_holes = False, 0
    if fix_winding:
        faces, done = _agree(faces, done)
    if fill_holes:
        added, filled = _fill(vertices, faces, fill_holes, largest_hole)
        faces, origin = np.concatenate([faces, added]), np.pad(origin, (0, len(added)), constant_values=-1)
        done = replace(done, filled_holes=filled, added_faces=len(added), added_area=_area(vertices, added))
    if fix_winding:
        faces, done = _turn_parts(vertices, faces, done)
    done = _count_rest(faces, done)
    used, numbers = np.unique(faces, return_inverse=True)
    mesh = RawMesh(vertices[used], numbers.reshape(-1, 3), raw.source, raw.sha256, raw.notes + done.lines)
    return RepairedMesh(mesh, done, origin)


def _merge(vertices: np.ndarray, faces: np.ndarray, origin: np.ndarray, near: float, done: Changes) -> tuple:
    """Replaces every vertex by the first of its group, and drops the faces that this folds to a line."""
    tree, count = KDTree(vertices), len(vertices)
    if tree.count_neighbors(tree, near) > _CROWD * count:
        raise ValueError(
            f"merge={near:g} is so large that vertices have more than {_CROWD} near ones: choose less"
        )
    pairs = tree.query_pairs(near, output_type="ndarray")
    graph = coo_array((np.ones(len(pairs), bool), (pairs[:, 0], pairs[:, 1])), shape=(count, count))
    _, first, group = np.unique(
        connected_components(graph, directed=False)[1], return_index=True, return_inverse=True
    )
    chosen = first[group]
    moved = np.linalg.norm(vertices[chosen] - vertices, axis=1).max(initial=0.0)
    whole = repeated_corner(faces)
    faces = chosen[faces]
    folded = repeated_corner(faces) & ~whole
    done = replace(
        done, merged_vertices=count - len(first), largest_move=float(moved), dropped_flat=int(folded.sum())
    )
    return faces[~folded], origin[~folded], done


def _drop(vertices: np.ndarray, faces: np.ndarray, origin: np.ndarray, done: Changes) -> tuple:
    flat = int(is_flat(vertices, faces).sum())
    if flat:
        faces, origin = drop_flat(vertices, faces, origin)
    copy = repeated_face(faces)
    done = replace(done, dropped_flat=done.dropped_flat + flat, dropped_duplicates=int(copy.sum()))
    return faces[~copy], origin[~copy], done


def _agree(faces: np.ndarray, done: Changes) -> tuple[np.ndarray, Changes]:
    """Makes the windings of faces agree across the edges of two faces; a part that cannot be oriented stays."""
    turned = reorient(faces, mesh_edges(faces), [])[0]
    return turned, replace(done, flipped_faces=int(np.any(turned != faces, axis=1).sum()))


def _fill(vertices: np.ndarray, faces: np.ndarray, most: int, largest: float) -> tuple[np.ndarray, int]:
    """The faces that fill the holes that are small enough, and how many holes that are."""
    loops = boundary_loops(faces)
    on_loop = np.zeros(len(vertices), bool)
    on_loop[np.concatenate([*loops, np.zeros(0, np.int64)])] = True
    sides = np.stack([faces, np.roll(faces, -1, axis=1)], axis=-1).reshape(-1, 2)
    sides = np.sort(sides[on_loop[sides].all(axis=1)], axis=1)  # only these could be a diagonal of a loop
    joined = set(map(tuple, sides.tolist()))
    added, filled = [np.zeros((0, 3), np.int64)], 0
    for loop in loops:
        points = vertices[loop]
        if not 3 <= len(loop) <= most or np.linalg.norm(np.ptp(points, axis=0)) > largest:
            continue
        triangles = fill_loop(points, _joined_pairs(loop, joined))
        if triangles is None:
            continue
        new = loop[triangles]
        joined.update(tuple(sorted(side)) for a, b, c in new.tolist() for side in ((a, b), (b, c), (c, a)))
        added.append(new)
        filled += 1
    return np.concatenate(added), filled


def _joined_pairs(loop: Int[np.ndarray, " k"], joined: set) -> Bool[np.ndarray, "k k"]:
    taken = np.zeros((len(loop), len(loop)), bool)
    for i, a in enumerate(loop.tolist()):
        for j, b in enumerate(loop.tolist()[:i]):
            taken[i, j] = taken[j, i] = (min(a, b), max(a, b)) in joined
    return taken


def _turn_parts(vertices: np.ndarray, faces: np.ndarray, done: Changes) -> tuple[np.ndarray, Changes]:
    """Turns closed parts outwards at even depth inside other closed parts and inwards at odd depth."""
    part, edges = count_edges(faces).components, mesh_edges(faces)
    forward = edges.forward.reshape(-1)
    disagree = edges.pairs[forward[edges.pairs[:, 0]] == forward[edges.pairs[:, 1]]] // 3
    sound = np.ones(int(part.max()) + 1, bool)
    sound[part[np.any(edges.count[edges.index] != 2, axis=1)]] = False
    sound[part[disagree.reshape(-1)]] = False
    closed = np.flatnonzero(sound[part])
    if len(closed) == 0:
        return faces, done
    number = np.unique(part[closed], return_inverse=True)[1]
    found = sides_and_depths(vertices, faces[closed], number)
    if found is None:
        return faces, done
    inward, depth = found
    wrong = inward != (depth % 2 == 1)
    turned = closed[wrong[number]]
    faces = faces.copy()
    faces[turned] = faces[turned][:, ::-1]
    return faces, replace(done, turned_parts=int(wrong.sum()))


def _count_rest(faces: np.ndarray, done: Changes) -> Changes:
    rest = count_edges(faces[~repeated_corner(faces)])
    return replace(
        done,
        holes_left=rest.holes,
        open_edges_left=rest.open_edges,
        crowded_edges_left=rest.nonmanifold,
        disagreeing_edges_left=rest.disagreeing,
    )


def _area(vertices: np.ndarray, faces: np.ndarray) -> float:
    a, b, c = np.moveaxis(vertices[faces], 1, 0)
    return 0.5 * float(np.linalg.norm(np.cross(b - a, c - a), axis=1).sum())
