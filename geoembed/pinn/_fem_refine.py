"""Bisection of tetrahedra, and meshes that follow the borders between patches.

The mesher keeps sharp edges but cannot see where one patch ends and another begins inside a smooth piece of
surface. There the facets that straddle the border are bisected and their vertices moved onto it.
"""

import logging
from collections.abc import Iterator
from contextlib import contextmanager

import numpy as np
from jaxtyping import Float, Int

from ._fem_mesh import TetMesh, boundary_facets, fem_package, match_facets, move, tet_volumes
from ._fem_surface import face_normals, nearest_on_segments

# Facets along a smooth border are bisected until their edges are this share of the part's extent, ...
_BORDER_SIZE = 5e-3
# ... or for this many rounds; three bisections halve an edge.
_MOST_ROUNDS = 12
# Facets that meet at less than 40 degrees make a smooth piece of surface.
_SMOOTH_COSINE = 0.77


def refine(
    mesh: TetMesh,
    marked: Int[np.ndarray, "m"],
    vertices: Float[np.ndarray, "v 3"],
    faces: Int[np.ndarray, "f 3"],
) -> TetMesh:
    """Bisect the marked tetrahedra at their longest edges, and neighbours as far as conformity asks."""
    skfem = fem_package("skfem")
    centre, length = mesh.points.mean(0), float(np.ptp(mesh.points, axis=0).max())
    scaled = np.ascontiguousarray(((mesh.points - centre) / length).T)
    with unnoticed():
        finer = skfem.MeshTet(scaled, np.ascontiguousarray(mesh.tets.T)).refined(marked)
    points = np.concatenate([mesh.points, finer.p.T[len(mesh.points) :] * length + centre])
    tets = np.array(finer.t.T, np.int64)
    negative = tet_volumes(points, tets) < 0
    tets[negative] = tets[negative][:, [0, 1, 3, 2]]
    facets, owner = boundary_facets(tets)
    known = dict(zip(_keys(mesh.facets), mesh.facet_face.tolist(), strict=True))
    facet_face = np.array([known.get(key, -1) for key in _keys(facets)])
    new = facet_face < 0
    facet_face[new] = match_facets(points, facets[new], vertices, faces, 1e-3 * length)
    return TetMesh(points, tets, facets, facet_face, owner)


def _keys(facets: Int[np.ndarray, "b 3"]) -> list[tuple[int, ...]]:
    return [tuple(row) for row in np.sort(facets, axis=1).tolist()]


@contextmanager
def unnoticed() -> Iterator[None]:
    """Keep scikit-fem's refinement from reseeding numpy's global generator and from logging array layouts."""
    logger = logging.getLogger("skfem")
    state, level = np.random.get_state(), logger.level  # noqa: NPY002
    logger.setLevel(logging.ERROR)
    try:
        yield
    finally:
        np.random.set_state(state)  # noqa: NPY002
        logger.setLevel(level)


def resolve_borders(
    mesh: TetMesh,
    vertices: Float[np.ndarray, "v 3"],
    faces: Int[np.ndarray, "f 3"],
    group: Int[np.ndarray, "f"],
    *,
    tets: int,
) -> TetMesh:
    """Make a mesh follow the borders between groups of surface triangles, with up to `tets` tetrahedra."""
    segments = _border_segments(vertices, faces, group)
    if not len(segments):
        return mesh
    size = _BORDER_SIZE * float(np.ptp(vertices, axis=0).max())
    for _ in range(_MOST_ROUNDS):
        straddling, corners = _border_facets(mesh, vertices, faces, group)
        mesh = _onto_segments(mesh, corners, segments, vertices, faces)
        corner = mesh.points[mesh.facets[straddling]]
        longest = np.linalg.norm(corner - np.roll(corner, 1, axis=1), axis=2).max(1)
        marked = np.unique(mesh.facet_tet[straddling[longest > size]])
        if not len(marked) or len(mesh.tets) + 2 * len(marked) > tets:
            break
        mesh = refine(mesh, marked, vertices, faces)
    return mesh


def _edge_pairs(facets: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return the edges of a surface that two facets share [e, 2], and those facets [e, 2]."""
    edges = np.sort(facets[:, [[0, 1], [1, 2], [2, 0]]].reshape(-1, 2), axis=1)
    order = np.lexsort(edges.T)
    same = (edges[order[1:]] == edges[order[:-1]]).all(1)
    first, second = order[:-1][same], order[1:][same]
    return edges[first], np.stack([first, second], axis=1) // 3


def _smooth_borders(facets, normal, group) -> tuple[np.ndarray, np.ndarray]:
    """Keep the edges, with their two facets, that part two groups without a crease."""
    edges, pair = _edge_pairs(facets)
    smooth = np.einsum("ei,ei->e", normal[pair[:, 0]], normal[pair[:, 1]]) > _SMOOTH_COSINE
    kept = smooth & (group[pair[:, 0]] != group[pair[:, 1]])
    return edges[kept], pair[kept]


def _border_segments(vertices, faces, group) -> Float[np.ndarray, "s 2 3"]:
    return vertices[_smooth_borders(faces, face_normals(vertices, faces), group)[0]]


def _border_facets(mesh: TetMesh, vertices, faces, group) -> tuple[np.ndarray, np.ndarray]:
    """Return the mesh's facets along smooth borders and the vertices on them."""
    normal = face_normals(vertices, faces)[mesh.facet_face]
    edges, pair = _smooth_borders(mesh.facets, normal, group[mesh.facet_face])
    return np.unique(pair), np.unique(edges)


def _onto_segments(mesh: TetMesh, corners, segments, vertices, faces) -> TetMesh:
    """Move vertices onto the border, save those on a crease and those of tetrahedra that would collapse."""
    normal = face_normals(mesh.points, mesh.facets)
    total, count = np.zeros((len(mesh.points), 3)), np.zeros(len(mesh.points))
    for corner in mesh.facets.T:
        np.add.at(total, corner, normal)
        np.add.at(count, corner, 1.0)
    flat = np.linalg.norm(total[corners], axis=1) > 0.9 * count[corners]
    corners = corners[flat]
    target = mesh.points.copy()
    target[corners] = nearest_on_segments(segments, mesh.points[corners])
    points = move(mesh.points, mesh.tets, target)
    touched = (points != mesh.points).any(1)[mesh.facets].any(1)
    facet_face = mesh.facet_face.copy()
    reach = 1e-3 * float(np.ptp(vertices, axis=0).max())
    facet_face[touched] = match_facets(points, mesh.facets[touched], vertices, faces, reach)
    return TetMesh(points, mesh.tets, mesh.facets, facet_face, mesh.facet_tet)
