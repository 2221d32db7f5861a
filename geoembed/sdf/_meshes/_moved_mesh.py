"""The signed distance of a mesh whose vertices are traced."""

from typing import NamedTuple

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Bool, Float, Int, PRNGKeyArray

from ...core import Property, one_point, register
from ._around import points_around
from ._device_mesh import DeviceMesh
from ._evaluate import Closest, closest_on, distance_to
from ._host_mesh import HostMesh
from ._mesh_tables import Topology, mesh_topology, tables_of, triangle_frames
from ._search import SearchTable, nearest_triangle, search_table
from ._triangle import Triangles, rounding
from ._winding import inside_by_winding
from ._winding_tables import WindingTable, winding_table


@register
class MovedMesh(eqx.Module):
    """The signed distance of a `MeshSDF` with its vertices in other places; `MeshSDF.with_vertices` makes one.

    The same faces between the given vertices: exact like the mesh, with the boxes, frames, pseudonormals and moments
    computed on the device for every call (O(faces), once for a batch of points). The clusters are those of the mesh as
    it was prepared, so the search slows down when vertices move far across each other.

    Differentiable in the point and in the vertices. With the nearest point c = Σ λᵢ vᵢ on the face of v₀, v₁, v₂ and
    the gradient g in the point, the derivative in vᵢ is −λᵢ g (the envelope theorem: c moves to first order along the
    surface only), and 0 in all other vertices. Where several faces are equally near, one of them counts. Second
    derivatives, also mixed ones, are those of the distance to the nearest face, edge or vertex.

    In float32 slivers are less exact than in a prepared mesh, whose frames come from float64: the height of a triangle
    is lost when it is below about 1e-6 of the size of the mesh. The sign is found as in the mesh, and is right while
    the surface does not cut itself.

    Args:
        vertices: The vertices, in the mesh's unit; the only leaf to train.
        device: The tables of the mesh as it was prepared.
        edge: The edge from corner k of each face to corner k + 1.
        fan: The fan of faces around corner k of each face.
        host: What the host knows of the mesh.
        sums: How many edges and fans there are.

    References:
        J. M. Danskin, The Theory of Max-Min (Springer, 1967): derivatives of minima.
    """

    vertices: Float[Array | np.ndarray, "v 3"]
    device: DeviceMesh
    edge: Int[Array | np.ndarray, "f 3"]
    fan: Int[Array | np.ndarray, "f 3"]
    host: HostMesh = eqx.field(static=True)
    sums: tuple[int, int] = eqx.field(static=True)

    def __call__(self, x: Float[Array, "3"]) -> Float[Array, ""]:
        """Returns the signed distance of one point, in the mesh's unit and the dtype of the point."""
        return _distance(self, one_point(x, "a MovedMesh"))

    def closest(self, x: Float[Array, "3"]) -> Closest:
        """Returns the nearest point of the surface and what is known about it."""
        return _closest(self, one_point(x, "a MovedMesh"))

    def examples(self, count: int, *, key: PRNGKeyArray) -> list[Float[Array, "3"]]:
        """Random points in and around the mesh, off its surface; see `MeshSDF.examples`. The vertices must be known."""
        vertices = np.asarray(self.vertices, np.float64)
        return points_around(self, vertices.min(axis=0), vertices.max(axis=0), count, key)

    @property
    def properties(self) -> tuple[Property, ...]:
        """What this encoder promises; see `geoembed.check`."""
        eikonal = Property("eikonal", tol_f32=1e-5, tol_f64=1e-12, domain="off the medial axis")
        if not self.host.closed:
            return (eikonal,)
        return (eikonal, Property("lipschitz", constant=1.0, tol_f32=1e-5, tol_f64=1e-12))


def moved_mesh(device: DeviceMesh, host: HostMesh, vertices: Float[Array | np.ndarray, "v 3"]) -> MovedMesh:
    """Returns the signed distance of the faces of a mesh between other vertices; see `MovedMesh`."""
    expected = host.vertices.shape
    if np.shape(vertices) != expected:
        raise ValueError(
            f"a place for each vertex of the mesh was expected, an array {expected}, received {np.shape(vertices)}: "
            "move the array `mesh.vertices`, in its order"
        )
    topology = mesh_topology(host.faces)
    edge, fan = topology.edge.astype(np.int32), topology.fan.astype(np.int32)
    return MovedMesh(vertices, device, edge, fan, host, (topology.edges, topology.fans))


class _Traced(NamedTuple):
    """The tables of traced vertices, in the dtype of the point; the corners alone carry derivatives."""

    device: DeviceMesh
    corners: Float[Array, "f 3 3"]
    triangles: Triangles
    search: SearchTable
    winding: WindingTable | None

    def enter(self, x: Float[Array, "3"]) -> tuple[Float[Array, "3"], Float[Array, ""]]:
        return self.device.enter(x)

    def nearest(self, point: Float[Array, "3"]) -> tuple[Int[Array, ""], Triangles]:
        face = nearest_triangle(self.search, point)
        frames = triangle_frames(self.corners[face][None], self.triangles.pseudonormals[face][None], jnp)
        return face, jax.tree.map(lambda table: table[0], frames)

    def turned(self, point: Float[Array, "3"], distance: Float[Array, ""]) -> Bool[Array, ""] | None:
        if self.winding is None:
            return None
        differ = inside_by_winding(self.winding, point) != (distance < 0)
        return differ & (jnp.abs(distance) > rounding(point.dtype))


def _traced(mesh: MovedMesh, dtype: np.dtype) -> _Traced:
    vertices = jnp.asarray(mesh.vertices).astype(dtype)
    scale = jnp.asarray(mesh.device.scale).astype(dtype)
    centre = jnp.asarray(mesh.device.centre).astype(dtype)
    corners = ((vertices - centre[None]) / scale)[mesh.host.faces]
    fixed = jax.lax.stop_gradient(corners)
    triangles = tables_of(fixed, Topology(mesh.edge, mesh.fan, *mesh.sums), jnp)
    prepared = mesh.device.tables
    members = jnp.asarray(prepared.search.faces)
    winding = None
    if prepared.winding is not None:
        present = jnp.any(jnp.asarray(prepared.winding.corners) != 0, axis=2)
        winding = winding_table(fixed, members, present, jnp)
    return _Traced(mesh.device, corners, triangles, search_table(triangles, members, jnp), winding)


@jax.jit
def _distance(mesh: MovedMesh, x: Float[Array, "3"]) -> Float[Array, ""]:
    return distance_to(_traced(mesh, x.dtype), x)


@jax.jit
def _closest(mesh: MovedMesh, x: Float[Array, "3"]) -> Closest:
    return closest_on(_traced(mesh, x.dtype), x)
