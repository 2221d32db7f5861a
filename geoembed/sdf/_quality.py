"""What is good and bad about a mesh, and what loading it will do about that."""

from dataclasses import asdict, dataclass, replace
from typing import Any

import numpy as np
from jaxtyping import Float64, Int64

from ._mend import signed_volume
from ._quality_words import Facts, actions, flags, repairs, unit_warning
from ._readers._rawmesh import RawMesh
from ._topology import EdgeCounts, count_edges, join_near, nesting, repeated_corner, repeated_face
from ._units import canonical_unit

DEGENERATE = 1e-14
SLIVER = 1e-3


@dataclass(frozen=True)
class MeshQuality:
    """Measures of a mesh as the file gives it. Lengths, areas and volumes are in `unit`, `unit`², `unit`³.

    Edges, components and watertightness are those of the faces without repeated corners and without
    duplicates; when edges would be open, vertices nearer than 1e-9 of the box diagonal count as one
    (`near_vertices` says how many that concerns). Self-intersections are not looked for.

    Args:
        unit: The unit of the coordinates.
        faces: Number of triangles.
        vertices: Number of different points.
        extents: Size of the bounding box along x, y, z.
        lower: Its lowest corner.
        area: Sum of the triangles' areas.
        volume: Signed volume Σ a·(b×c)/6 about the box centre, positive when the winding is outwards; only a
            volume when `watertight`.
        watertight: Every edge joins exactly two triangles that run along it in opposite directions.
        winding_consistent: No edge has two triangles that run along it in the same direction.
        inside_out: The mesh is watertight and its volume is negative.
        open_edges: Edges with one triangle.
        holes: Connected groups of open edges.
        largest_hole: The number of edges of the largest of them.
        nonmanifold_edges: Edges with more than two triangles.
        degenerate_faces: Triangles with a repeated corner, or whose height over the longest edge is not more
            than 1e-14 of that edge.
        sliver_faces: Other triangles whose height is less than 1e-3 of the longest edge.
        near_vertices: Vertices joined with another one that is nearer than 1e-9 of the box diagonal.
        duplicate_faces: Triangles with the same corners as an earlier one.
        components: Parts connected across edges.
        cavities: Closed parts with inward winding inside another part; None when that was not worked out.
        misoriented_components: Closed parts whose winding does not fit how deep they lie; None likewise.
        implausible_unit: Why the size is unusual for a part, or None.
        flags: In words, what a user should know.
        actions: In words, what `load_mesh` does about each.
        repairs: In words, which options of `geoembed repair` (arguments of `repair`) can do something about them.
    """

    unit: str
    faces: int
    vertices: int
    extents: tuple[float, float, float]
    lower: tuple[float, float, float]
    area: float
    volume: float
    watertight: bool
    winding_consistent: bool
    inside_out: bool
    open_edges: int
    holes: int
    largest_hole: int
    nonmanifold_edges: int
    degenerate_faces: int
    sliver_faces: int
    near_vertices: int
    duplicate_faces: int
    components: int
    cavities: int | None
    misoriented_components: int | None
    implausible_unit: str | None
    flags: tuple[str, ...] = ()
    actions: tuple[str, ...] = ()
    repairs: tuple[str, ...] = ()

    def as_dict(self) -> dict[str, Any]:
        """The measures as JSON values."""
        return {key: list(v) if isinstance(v, tuple) else v for key, v in asdict(self).items()}


def mesh_quality(raw: RawMesh, unit: str) -> MeshQuality:
    """Measure a mesh. O(f log f) for f triangles.

    Args:
        raw: The mesh.
        unit: The unit of its coordinates, one of `UNITS`.

    Returns:
        The measures.

    Raises:
        InputError: The unit is unknown.
    """
    unit = canonical_unit(unit)
    lower, upper = raw.vertices.min(axis=0), raw.vertices.max(axis=0)
    twice_area, height = _shape(raw.vertices, raw.faces)
    degenerate = repeated_corner(raw.faces) | (height <= DEGENERATE)
    duplicate = repeated_face(raw.faces)
    sound, edges, near = _edges(raw)
    watertight = len(sound) > 0 and edges.open_edges + edges.nonmanifold + edges.disagreeing == 0
    volume = signed_volume(raw.vertices, raw.faces)
    nested = nesting(raw.vertices, sound, edges.components) if watertight else None
    extents = upper - lower
    warning = unit_warning(float(extents.max()), unit)
    measured = MeshQuality(
        unit=unit,
        faces=len(raw.faces),
        vertices=len(raw.vertices),
        extents=tuple(extents.tolist()),
        lower=tuple(lower.tolist()),
        area=float(np.sum(twice_area) / 2),
        volume=volume,
        watertight=watertight,
        winding_consistent=edges.disagreeing == 0,
        inside_out=watertight and volume < 0,
        open_edges=edges.open_edges,
        holes=edges.holes,
        largest_hole=edges.largest_hole,
        nonmanifold_edges=edges.nonmanifold,
        degenerate_faces=int(np.sum(degenerate)),
        sliver_faces=int(np.sum(~degenerate & (height < SLIVER))),
        near_vertices=near,
        duplicate_faces=int(np.sum(duplicate & ~repeated_corner(raw.faces))),
        components=int(edges.components.max(initial=-1)) + 1,
        cavities=nested.cavities if nested else None,
        misoriented_components=nested.misoriented if nested else None,
        implausible_unit=warning,
    )
    facts = Facts(**{name: getattr(measured, name) for name in Facts._fields})
    return replace(measured, flags=flags(facts), actions=actions(facts), repairs=repairs(facts))


def _edges(raw: RawMesh) -> tuple[Int64[np.ndarray, "s 3"], EdgeCounts, int]:
    """The faces that count, their edges, and how many near vertices were taken as one."""
    faces = raw.faces
    sound = faces[~repeated_corner(faces) & ~repeated_face(faces)]
    edges = count_edges(sound)
    if edges.open_edges == 0:
        return sound, edges, 0
    group = join_near(raw.vertices)
    if len(np.unique(group)) == len(group):
        return sound, edges, 0
    first = np.unique(group, return_index=True)[1]
    faces = first[group][faces]
    sound = faces[~repeated_corner(faces) & ~repeated_face(faces)]
    return sound, count_edges(sound), len(group) - len(first)


def _shape(
    vertices: Float64[np.ndarray, "v 3"], faces: Int64[np.ndarray, "f 3"]
) -> tuple[Float64[np.ndarray, " f"], Float64[np.ndarray, " f"]]:
    """Twice the area of each triangle, and its height over its longest edge as a part of that edge."""
    corners = vertices[faces]
    sides = np.roll(corners, -1, axis=1) - corners
    longest = np.sqrt(np.max(np.sum(sides**2, axis=2), axis=1))
    unit = sides / np.where(longest > 0, longest, 1.0)[:, None, None]
    height = np.linalg.norm(np.cross(unit[:, 0], unit[:, 1]), axis=1)
    return height * longest**2, height
