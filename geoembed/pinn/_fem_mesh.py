"""Tetrahedral mesh of the inside of a closed triangle surface, for the finite-element judge.

The mesher is fTetWild through pytetwild (MPL-2.0). It keeps its boundary within an envelope around the input
surface; afterwards the boundary vertices are moved onto the surface itself, and what deviation remains is
measured and reported.
"""

import contextlib
import tempfile
from dataclasses import dataclass
from types import ModuleType

import numpy as np
from jaxtyping import Float, Int

from ._fem_surface import enclosed_volume, face_areas, face_normals, nearest_face

# Half-width of the mesher's envelope over the bounding box diagonal. A third of it takes three to ten times
# as long, and moving the boundary vertices onto the surface gains more.
ENVELOPE = 1e-3
# A tetrahedron may lose this share of its volume when a boundary vertex is moved; else the vertex stays.
_MOST_VOLUME_LOST = 0.7
# Normals that differ by less than about ten degrees count as one smooth surface.
_LEAST_EIGENVALUE = 0.03
# The four faces of a tetrahedron of positive volume, seen from outside counter-clockwise.
_TET_FACES = np.array([[1, 2, 3], [0, 3, 2], [0, 1, 3], [0, 2, 1]])


@dataclass(frozen=True)
class TetMesh:
    """Tetrahedra inside a surface.

    Attributes:
        points: Coordinates of the vertices.
        tets: Corners of the tetrahedra, of positive volume.
        facets: Corners of the boundary facets, counter-clockwise from outside.
        facet_face: The surface triangle that each boundary facet stands for.
        facet_tet: The tetrahedron each boundary facet belongs to.
    """

    points: Float[np.ndarray, "p 3"]
    tets: Int[np.ndarray, "t 4"]
    facets: Int[np.ndarray, "b 3"]
    facet_face: Int[np.ndarray, "b"]
    facet_tet: Int[np.ndarray, "b"]


@dataclass(frozen=True)
class MeshDeviation:
    """How far a tetrahedral mesh is from the surface it was made of.

    Attributes:
        max_distance: Largest distance found from the mesh's boundary to the surface and back, in the unit of
            the coordinates; the boundary is probed at its vertices, edge middles and facet centres, the
            surface at its vertices and triangle centres.
        max_distance_relative: The same over the diagonal of the bounding box.
        volume_error: Volume of the mesh over the enclosed volume, minus one.
        area_error: Boundary area of the mesh over the area of the surface, minus one.
    """

    max_distance: float
    max_distance_relative: float
    volume_error: float
    area_error: float


def fem_package(name: str) -> ModuleType:
    """Import a package of the optional extra `fem`, or say how to install it."""
    import importlib

    try:
        return importlib.import_module(name)
    except ImportError as error:
        message = f"the finite-element certificate needs {name}: run  pip install 'geoembed[fem]'"
        raise ImportError(message, name=name) from error


def tetrahedralise(
    vertices: Float[np.ndarray, "v 3"],
    faces: Int[np.ndarray, "f 3"],
    *,
    tets: int,
    envelope: float = ENVELOPE,
) -> TetMesh:
    """Fill a closed surface with about `tets` tetrahedra (thin or curved parts get more).

    Args:
        vertices: Corners of the surface.
        faces: Triangles of the surface, counter-clockwise from outside.
        tets: Wanted number of tetrahedra; it sets the edge length, (8.5 V / tets)^(1/3) with the volume V.
        envelope: Half-width of the mesher's envelope over the bounding box diagonal.

    Returns:
        The mesh, in the unit of `vertices`. fTetWild is not deterministic: two calls give two meshes.

    Raises:
        ImportError: The extra `fem` is not installed.
        ValueError: The surface encloses no volume, or the mesher returns nothing.
    """
    mesher = fem_package("pytetwild")
    volume = enclosed_volume(vertices, faces)
    if not volume > 0:
        raise ValueError(
            f"the surface encloses a volume of {volume:g}; the certificate needs a closed surface whose"
            " normals point outwards: mend it with load_mesh"
        )
    edge = (8.5 * volume / tets) ** (1 / 3)
    with (
        tempfile.TemporaryDirectory() as scratch,
        contextlib.chdir(scratch),
    ):  # it leaves a file where it runs
        points, cells = mesher.tetrahedralize(
            np.array(vertices, np.float64, order="C"),  # copies: it refuses read-only arrays
            np.array(faces, np.int32, order="C"),
            edge_length_abs=edge,
            epsilon=envelope,
            stop_energy=20.0,
            num_threads=1,
        )
    if not len(cells):
        raise ValueError("the mesher found no inside: the surface is not closed; inspect it first")
    used, cells = np.unique(cells, return_inverse=True)
    points, cells = points[used], cells.reshape(-1, 4).astype(np.int64)
    return mesh_of_tets(points, cells, vertices, faces, reach=2 * envelope * _diagonal(vertices))


def mesh_of_tets(points, tets, vertices, faces, *, reach: float) -> TetMesh:
    """Orient tetrahedra, move their boundary onto the surface, and match its facets with triangles."""
    flipped = tet_volumes(points, tets) < 0
    tets = np.where(flipped[:, None], tets[:, [0, 1, 3, 2]], tets)
    facets, owner = boundary_facets(tets)
    boundary = np.unique(facets)
    target = points.copy()
    target[boundary] = nearest_face(vertices, faces, points[boundary], reach=reach).point
    points = move(points, tets, target)
    target = _onto_planes(points, facets, vertices, faces, reach)
    points = move(points, tets, target)
    return TetMesh(points, tets, facets, match_facets(points, facets, vertices, faces, reach), owner)


def match_facets(points, facets, vertices, faces, reach) -> np.ndarray:
    """Return the surface triangle of each facet: the nearest to its centre among those that face its way."""
    centres = points[facets].mean(1)
    face = nearest_face(vertices, faces, centres, reach=reach, normals=face_normals(points, facets)).face
    lost = face < 0
    if lost.any():
        face[lost] = nearest_face(vertices, faces, centres[lost], reach=reach).face
    return face


def _diagonal(vertices: np.ndarray) -> float:
    return float(np.linalg.norm(np.ptp(vertices, axis=0)))


def tet_volumes(points: np.ndarray, tets: np.ndarray) -> np.ndarray:
    """Return the signed volume of each tetrahedron."""
    corner = points[tets]
    return np.linalg.det(corner[:, 1:] - corner[:, :1]) / 6


def boundary_facets(tets: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return the facets that belong to one tetrahedron only, oriented outwards, and that tetrahedron."""
    facets = tets[:, _TET_FACES].reshape(-1, 3)
    _, first, count = np.unique(np.sort(facets, axis=1), axis=0, return_index=True, return_counts=True)
    single = first[count == 1]
    return facets[single], single // 4


def _onto_planes(points, facets, vertices, faces, reach) -> np.ndarray:
    """Move each boundary vertex to where the planes of its facets' surface triangles meet.

    On a sharp edge or corner this restores the edge that the mesher has rounded within its envelope. With the
    unit normals n_i and the distances d_i of those planes the least-norm displacement solves
    (Σ n_i n_iᵀ) s = Σ d_i n_i; directions whose eigenvalue is below a few percent (a smooth curved place)
    are left alone.
    """
    face = match_facets(points, facets, vertices, faces, reach)
    normal, anchor = face_normals(vertices, faces)[face], vertices[faces[face, 0]]
    matrix, right = np.zeros((len(points), 3, 3)), np.zeros((len(points), 3))
    for corner in facets.T:
        gap = np.einsum("bi,bi->b", normal, anchor - points[corner])
        np.add.at(matrix, corner, normal[:, :, None] * normal[:, None, :])
        np.add.at(right, corner, gap[:, None] * normal)
    value, vector = np.linalg.eigh(matrix)
    kept = value > np.maximum(_LEAST_EIGENVALUE * value[:, -1:], 1e-12)
    along = np.einsum("pij,pi->pj", vector, right) * kept / np.where(kept, value, 1.0)
    step = np.einsum("pij,pj->pi", vector, along)
    step[np.linalg.norm(step, axis=1) > reach] = 0.0
    return points + step


def move(points, tets, target) -> np.ndarray:
    """Move vertices to their targets, save those of tetrahedra that would collapse."""
    before = tet_volumes(points, tets)
    target = target.copy()
    for _ in range(20):
        crushed = tet_volumes(target, tets) < (1 - _MOST_VOLUME_LOST) * before
        if not crushed.any():
            return target
        stay = np.unique(tets[crushed])
        target[stay] = points[stay]
    return points


def mesh_deviation(
    mesh: TetMesh, vertices: Float[np.ndarray, "v 3"], faces: Int[np.ndarray, "f 3"]
) -> MeshDeviation:
    """Measure the distance, volume and area between a tetrahedral mesh and its surface."""
    diagonal = _diagonal(vertices)
    corner = mesh.points[mesh.facets]
    probes = np.concatenate([mesh.points[np.unique(mesh.facets)], corner.mean(1), *_edge_middles(corner)])
    there = nearest_face(vertices, faces, probes, reach=2 * ENVELOPE * diagonal).distance
    probes = np.concatenate([vertices[np.unique(faces)], vertices[faces].mean(1)])
    back = nearest_face(mesh.points, mesh.facets, probes, reach=2 * ENVELOPE * diagonal).distance
    distance = float(max(there.max(), back.max()))
    return MeshDeviation(
        max_distance=distance,
        max_distance_relative=distance / diagonal,
        volume_error=float(tet_volumes(mesh.points, mesh.tets).sum() / enclosed_volume(vertices, faces) - 1),
        area_error=float(face_areas(mesh.points, mesh.facets).sum() / face_areas(vertices, faces).sum() - 1),
    )


def _edge_middles(corner: np.ndarray) -> list[np.ndarray]:
    return [(corner[:, i] + corner[:, (i + 1) % 3]) / 2 for i in range(3)]


def sample_mesh(mesh: TetMesh, n: int, rng: np.random.Generator) -> Float[np.ndarray, "n 3"]:
    """Draw n points uniformly over the mesh's volume."""
    volume = tet_volumes(mesh.points, mesh.tets)
    tet = rng.choice(len(mesh.tets), n, p=volume / volume.sum())
    weight = rng.dirichlet(np.ones(4), n)
    return np.einsum("nk,nki->ni", weight, mesh.points[mesh.tets[tet]])


def locate(
    mesh: TetMesh, points: Float[np.ndarray, "n 3"]
) -> tuple[Int[np.ndarray, "n"], Float[np.ndarray, "n 4"]]:
    """Find the tetrahedron of each point and its barycentric coordinates there.

    Looks at the tetrahedra with the nearest centres, more of them for the points not found at first. For a
    point outside the mesh the tetrahedron with the largest smallest coordinate is returned.
    """
    from scipy.spatial import KDTree

    corner = mesh.points[mesh.tets]
    inverse = np.linalg.inv((corner[:, 1:] - corner[:, :1]).transpose(0, 2, 1))
    tree = KDTree(corner.mean(1))
    tet, best = np.zeros(len(points), np.int64), np.full((len(points), 4), -np.inf)
    left = np.arange(len(points))
    for neighbours in (8, 64, 512):
        for rows in np.array_split(left, max(1, len(left) * neighbours // 500_000)):
            near = tree.query(points[rows], k=min(neighbours, len(mesh.tets)))[1].reshape(len(rows), -1)
            rest = np.einsum("nkij,nkj->nki", inverse[near], points[rows][:, None] - corner[near, 0])
            barycentric = np.concatenate([1 - rest.sum(2, keepdims=True), rest], axis=2)
            pick = barycentric.min(2).argmax(1)
            tet[rows] = near[np.arange(len(rows)), pick]
            best[rows] = barycentric[np.arange(len(rows)), pick]
        left = np.flatnonzero(best.min(1) < -1e-9)
        if not len(left):
            break
    return tet, best
