"""Explicit repairs of a triangle mesh, each of which leaves a note (numpy, host)."""

from typing import NamedTuple

import numpy as np
from jaxtyping import Float, Int
from scipy.sparse import coo_array
from scipy.sparse.csgraph import connected_components

from ._flat import drop_flat, is_flat
from ._meshes._mesh_tables import Edges, mesh_edges
from ._overlap import parts_meet
from ._readers._rawmesh import merge_equal
from ._topology import NEAR, count_edges, join_near, nesting


class Mended(NamedTuple):
    """A mesh that every later step can trust, and what was done to get it."""

    vertices: Float[np.ndarray, "v 3"]
    faces: Int[np.ndarray, "f 3"]
    source: Int[np.ndarray, " f"]  # the face of the unmended mesh that each face comes from
    notes: tuple[str, ...]
    closed: bool  # each edge joins two faces of agreeing winding; bodies face outwards, cavities inwards


def mend(vertices: Float[np.ndarray, "v 3"], faces: Int[np.ndarray, "f 3"]) -> Mended:
    """Merges vertices, drops flat and duplicate faces, orients a closed surface consistently and outwards.

    Args:
        vertices: Vertices.
        faces: Vertex numbers.

    Returns:
        The mended mesh; with no face left when all were flat.
    """
    notes: list[str] = []
    source = np.arange(len(faces))
    merged, number = merge_equal(vertices)
    faces = number[faces]
    if np.any(mesh_edges(faces).count == 1):
        merged, faces = _merge_near(merged, faces, notes)
    faces, source = _drop_flat(merged, faces, source, notes)
    faces, source = _drop_duplicates(faces, source, notes)
    faces, closed = _orient(merged, faces, notes)
    used, faces = np.unique(faces, return_inverse=True)
    return Mended(merged[used], faces.reshape(-1, 3).astype(np.int32), source, tuple(notes), closed)


def signed_volume(vertices: Float[np.ndarray, "v 3"], faces: Int[np.ndarray, "f 3"]) -> float:
    """Returns the volume that the faces enclose, positive when they face outwards."""
    middle = 0.5 * (vertices.min(axis=0) + vertices.max(axis=0))
    size = float(np.ptp(vertices, axis=0).max()) or 1.0  # keeps products of huge coordinates finite
    a, b, c = np.moveaxis(((vertices - middle) / size)[faces], 1, 0)
    return float(np.sum(a * np.cross(b, c)) / 6 * size**3)


def _orient(vertices: np.ndarray, faces: np.ndarray, notes: list[str]) -> tuple[np.ndarray, bool]:
    """Makes a closed surface consistent and outward; returns whether its sign can be trusted afterwards."""
    edges = mesh_edges(faces)
    if len(faces) == 0 or np.any(edges.count != 2):
        return faces, False
    if not _consistent(edges):
        faces, edges = reorient(faces, edges, notes)
    volume = signed_volume(vertices, faces)
    if not _consistent(edges) or volume == 0:
        return faces, False
    if volume < 0:
        faces = faces[:, ::-1].copy()
        notes.append("flipped every face: the surface was inside out")
    parts = count_edges(faces.astype(np.int64)).components
    nested = nesting(vertices, faces.astype(np.int64), parts)
    if nested is not None and nested.misoriented > 0:
        notes.append("left the winding of whole parts that does not fit how deep they lie in others")
        return faces, False
    if parts_meet(vertices, faces.astype(np.int64), parts):
        notes.append("found closed parts that cut or touch each other: unite them where they come from")
        return faces, False
    return faces, True


def _merge_near(vertices: np.ndarray, faces: np.ndarray, notes: list[str]) -> tuple[np.ndarray, np.ndarray]:
    _, first, group = np.unique(join_near(vertices), return_index=True, return_inverse=True)
    if len(first) == len(vertices):
        return vertices, faces
    notes.append(
        f"merged {len(vertices) - len(first)} vertices nearer than {NEAR:g} of the box diagonal to another"
    )
    return vertices[first], group[faces]


def _drop_flat(vertices: np.ndarray, faces: np.ndarray, source: np.ndarray, notes: list[str]) -> tuple:
    flat = int(is_flat(vertices, faces).sum())
    if not flat:
        return faces, source
    notes.append(f"dropped {flat} faces without area, splitting neighbours where a hole would open")
    return drop_flat(vertices, faces, source)


def _drop_duplicates(faces: np.ndarray, source: np.ndarray, notes: list[str]) -> tuple:
    """Keeps the first of the faces with the same three corners."""
    _, first = np.unique(np.sort(faces, axis=1), axis=0, return_index=True)
    if len(first) == len(faces):
        return faces, source
    notes.append(f"dropped {len(faces) - len(first)} duplicate faces")
    kept = np.sort(first)
    return faces[kept], source[kept]


def _agreeing(edges: Edges) -> np.ndarray:
    """For each edge of two faces: whether they run along it in opposite directions, as they should."""
    forward = edges.forward.reshape(-1)
    return forward[edges.pairs[:, 0]] != forward[edges.pairs[:, 1]]


def _consistent(edges: Edges) -> bool:
    return bool(np.all(_agreeing(edges)))


def reorient(faces: np.ndarray, edges: Edges, notes: list[str]) -> tuple[np.ndarray, Edges]:
    """Flips the smaller part of each component so that all windings agree, if that is possible at all.

    Each face appears twice in a graph, as it is and flipped; an edge of the mesh joins the states that agree
    across it. A component of the surface then falls into two mirrored parts, or into one when it cannot be
    oriented; then it stays.
    """
    count = len(faces)
    left, right = edges.pairs[:, 0] // 3, edges.pairs[:, 1] // 3
    disagree = ~_agreeing(edges)
    a = np.concatenate([left, left + count])
    b = np.concatenate([right + count * disagree, right + count * ~disagree])
    graph = coo_array((np.ones(len(a), bool), (a, b)), shape=(2 * count, 2 * count))
    _, part = connected_components(graph, directed=False)
    as_is, flipped = part[:count], part[count:]
    stuck = int(np.sum(as_is == flipped))
    if stuck:
        notes.append(f"left the windings of {stuck} faces as they are: their part cannot be oriented")
    # A part that holds more faces as they are than flipped is the one that keeps the majority.
    kept = np.bincount(as_is, minlength=part.max() + 1)
    lost = np.bincount(flipped, minlength=part.max() + 1)
    flip = (kept[as_is] < lost[as_is]) | ((kept[as_is] == lost[as_is]) & (as_is > flipped))
    if np.any(flip):
        notes.append(
            f"flipped {int(flip.sum())} of {count} faces: their winding disagreed with their neighbours'"
        )
    faces = np.where(flip[:, None], faces[:, ::-1], faces)
    return faces, mesh_edges(faces)
