"""Other libraries' signed distances on the CPU, each with the settings that its own documentation recommends."""

from collections.abc import Callable
from typing import NamedTuple

import igl
import numpy as np
import trimesh


class Peer(NamedTuple):
    """A library that is ready to answer: `run` returns the signed distances, negative inside."""

    name: str
    run: Callable[[], np.ndarray]


def peers(vertices: np.ndarray, faces: np.ndarray, points: np.ndarray) -> list[Peer]:
    """The libraries that can be imported here, with the mesh loaded."""
    found = [libigl(vertices, faces, points)]
    makers = [open3d, warp]
    if len(points) * len(faces) <= 10_000 * 10_000:  # it is some hundred times slower than the others
        makers.append(trimesh_proximity)
    for make in makers:
        try:
            found.append(make(vertices, faces, points))
        except ImportError:
            continue
    return found


def libigl(vertices: np.ndarray, faces: np.ndarray, points: np.ndarray) -> Peer:
    """Exact in float64, sign by the pseudonormal; builds its tree in each call, as the binding does."""
    kind, fine = igl.SIGNED_DISTANCE_TYPE_PSEUDONORMAL, points.astype(np.float64)
    return Peer("libigl", lambda: igl.signed_distance(fine, vertices, faces, sign_type=kind)[0])


def open3d(vertices: np.ndarray, faces: np.ndarray, points: np.ndarray) -> Peer:
    """Embree in float32, sign by one ray."""
    import open3d as o3d

    scene = o3d.t.geometry.RaycastingScene()
    scene.add_triangles(
        o3d.core.Tensor(vertices.astype(np.float32)), o3d.core.Tensor(faces.astype(np.uint32))
    )
    queries = o3d.core.Tensor(points)
    return Peer("open3d", lambda: scene.compute_signed_distance(queries).numpy())


def warp(vertices: np.ndarray, faces: np.ndarray, points: np.ndarray) -> Peer:
    """Its BVH in float32, sign by the pseudonormal; one thread."""
    import warp as wp

    wp.config.quiet = True
    wp.init()
    corners = wp.array(vertices.astype(np.float32), dtype=wp.vec3, device="cpu")
    mesh = wp.Mesh(points=corners, indices=wp.array(faces.astype(np.int32).ravel(), dtype=int, device="cpu"))
    queries = wp.array(points, dtype=wp.vec3, device="cpu")
    result = wp.zeros(len(points), dtype=float, device="cpu")
    kernel = _warp_kernel(wp)

    def run() -> np.ndarray:
        wp.launch(kernel, dim=len(points), inputs=[mesh.id, queries, result], device="cpu")
        return result.numpy().copy()

    return Peer("warp", run)


def _warp_kernel(wp):
    @wp.kernel
    def signed_distance(mesh: wp.uint64, points: wp.array(dtype=wp.vec3), result: wp.array(dtype=wp.float32)):
        i = wp.tid()
        found = wp.mesh_query_point_sign_normal(mesh, points[i], 10.0)
        nearest = wp.mesh_eval_position(mesh, found.face, found.u, found.v)
        result[i] = found.sign * wp.length(nearest - points[i])

    return signed_distance


def trimesh_proximity(vertices: np.ndarray, faces: np.ndarray, points: np.ndarray) -> Peer:
    """Its own signed distance (positive inside), which needs rtree."""
    import rtree  # noqa: F401

    mesh, fine = trimesh.Trimesh(vertices, faces, process=False), points.astype(np.float64)
    return Peer("trimesh", lambda: -trimesh.proximity.signed_distance(mesh, fine))
