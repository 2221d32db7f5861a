"""The exact signed distance of a triangle mesh."""

from typing import NamedTuple

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Float, Float64, Int, Int32, PRNGKeyArray

from ..core import Property, one_point, register
from ._device_mesh import DeviceMesh
from ._host_mesh import HostMesh
from ._quality import MeshQuality
from ._triangle import direction, foot, signed_distance
from ._units import UNITS


class Closest(NamedTuple):
    """The point of a surface that is nearest to a given point.

    Args:
        point: The nearest point, in the mesh's unit.
        distance: The signed distance to it, negative inside.
        normal: The gradient of the signed distance: (x − point)/distance, and on the surface the
            pseudonormal.
        face: The face it lies on (of several that share it: any one).
        feature: 0 on the face; 1, 2, 3 on its edge v₀v₁, v₁v₂, v₂v₀; 4, 5, 6 at its vertex v₀, v₁, v₂.
        barycentric: The weights of the three corners; `point = Σ weight · corner`.
    """

    point: Float[Array, "3"]
    distance: Float[Array, ""]
    normal: Float[Array, "3"]
    face: Int[Array, ""]
    feature: Int[Array, ""]
    barycentric: Float[Array, "3"]


@register
class MeshSDF(eqx.Module):
    """The exact signed distance to a triangle mesh, negative inside.

    d(x) = ±min |x − c| over the points c of all faces; the sign is that of (x − c)·n with the angle-weighted
    pseudonormal n of the face, edge or vertex on which c lies. Make one with `load_mesh` or `mesh_sdf`.

    One point in, one scalar out; `jax.vmap` for many points reaches a search that treats them in blocks, in
    memory that does not grow with the number of faces. The value is exact up to rounding: the error is below
    2e-7 of the box diagonal in float32 and 1e-12 in float64. The sign is right wherever `sign_reliable`;
    otherwise the absolute value still is.

    Differentiable in the point: the gradient is the unit vector of `direction` everywhere, on the surface the
    pseudonormal, on the medial axis that of one of the nearest faces. The second derivative is that of the
    distance to the nearest face, edge or vertex; it does not see the jumps of the gradient across the medial
    axis.

    What the host keeps (`vertices`, `faces`, `normals`, ...) is numpy float64 and static. What the device
    needs is held as float32 numbers and their float32 remainders, which together carry 48 bits, and is put
    together in the dtype of the point. So a mesh made while float64 is off serves float64 points in a scoped
    `jax.enable_x64(True)`, and every way through jit works: closed over (the tables become constants), passed
    as an argument (they become traced), `jax.jit(sdf)`, moved with `jax.device_put`. No array is a trainable
    parameter; wrap the mesh in `jax.lax.stop_gradient` when a whole model is differentiated.
    """

    device: DeviceMesh
    host: HostMesh = eqx.field(static=True)

    def __call__(self, x: Float[Array, "3"]) -> Float[Array, ""]:
        """Returns the signed distance of one point, in the mesh's unit and the dtype of the point.

        Args:
            x: The point, in the mesh's unit.

        Returns:
            The distance to the surface, negative inside.

        Raises:
            ValueError: The argument is not one point of three floating-point coordinates.
        """
        return _distance(self.device, one_point(x, "a MeshSDF"))

    def closest(self, x: Float[Array, "3"]) -> Closest:
        """Returns the nearest point of the surface and what is known about it.

        Args:
            x: The point, in the mesh's unit.

        Returns:
            The nearest point, signed distance, normal, face, feature and barycentric coordinates.

        Raises:
            ValueError: The argument is not one point of three floating-point coordinates.
        """
        return _closest(self.device, one_point(x, "a MeshSDF"))

    def __hash__(self) -> int:
        return hash(self.host)  # lets `jax.jit(sdf)` find its cache

    @property
    def vertices(self) -> Float64[np.ndarray, "v 3"]:
        """The vertices, in the mesh's unit."""
        return self.host.vertices

    @property
    def faces(self) -> Int32[np.ndarray, "f 3"]:
        """The vertex numbers of each face."""
        return self.host.faces

    @property
    def origin(self) -> Int32[np.ndarray, " f"]:
        """Which face of the mesh as given each face is, or is a piece of."""
        return self.host.origin

    @property
    def normals(self) -> Float64[np.ndarray, "f 3"]:
        """The outward unit normal of each face."""
        return self.host.normals

    @property
    def areas(self) -> Float64[np.ndarray, " f"]:
        """The area of each face, in the mesh's unit squared."""
        return self.host.areas

    @property
    def unit(self) -> str:
        """The unit of length."""
        return self.host.unit

    @property
    def source(self) -> str:
        """The file the mesh came from."""
        return self.host.source

    @property
    def quality(self) -> MeshQuality:
        """The report on the mesh as it was given."""
        return self.host.quality

    @property
    def notes(self) -> tuple[str, ...]:
        """What the reader noticed and what was mended."""
        return self.host.notes

    @property
    def sign_reliable(self) -> bool:
        """Whether the mended surface is closed and well oriented; if not, only |distance| is right."""
        return self.host.closed

    @property
    def fingerprint(self) -> str:
        """The SHA-256 of the mended mesh."""
        return self.host.fingerprint

    @property
    def bounds(self) -> tuple[Float64[np.ndarray, "3"], Float64[np.ndarray, "3"]]:
        """The lowest and the highest corner of the box around the mesh, in its unit."""
        return self.vertices.min(axis=0), self.vertices.max(axis=0)

    @property
    def metres_per_unit(self) -> float:
        """How many metres one unit of the mesh is."""
        return UNITS[self.unit]

    def examples(self, count: int, *, key: PRNGKeyArray) -> list[Float[Array, "3"]]:
        """Random points in and around the part, off its surface: items for `geoembed.check.card`.

        They are uniform in the box around the mesh, enlarged by a quarter of its diagonal on every side, and at least
        1e-3 of the diagonal from the surface, near which float32 does not hold the direction.

        Args:
            count: How many points.
            key: Random key.

        Returns:
            The points, in the mesh's unit.
        """
        lower, upper = self.bounds
        margin = 0.25 * float(np.linalg.norm(upper - lower))
        size = jnp.asarray(upper - lower + 2 * margin)
        turns = jax.random.uniform(key, (4 * count + 16, 3), size.dtype)
        points = jnp.asarray(lower - margin, size.dtype)[None] + turns * size[None]
        distances = jnp.abs(jax.vmap(self)(points))
        far_enough = jnp.argsort(distances < 4e-3 * margin, stable=True)  # those on the surface come last
        return list(points[far_enough[:count]])

    @property
    def properties(self) -> tuple[Property, ...]:
        """What this encoder promises; see `geoembed.check`."""
        eikonal = Property("eikonal", tol_f32=1e-5, tol_f64=1e-12, domain="off the medial axis")
        if not self.sign_reliable:  # where the sign jumps the function is not continuous
            return (eikonal,)
        return (eikonal, Property("lipschitz", constant=1.0, tol_f32=1e-5, tol_f64=1e-12))


# The jitted functions take the tables only: meshes of equal size share one compilation.
@jax.jit
def _distance(mesh: DeviceMesh, x: Float[Array, "3"]) -> Float[Array, ""]:
    point, scale = mesh.enter(x)
    _, triangle = mesh.nearest(point)
    return scale * signed_distance(point, triangle.corners, triangle)


@jax.jit
def _closest(mesh: DeviceMesh, x: Float[Array, "3"]) -> Closest:
    point, scale = mesh.enter(x)
    face, triangle = mesh.nearest(point)
    there = foot(point, triangle.corners, triangle)
    return Closest(
        point=x - scale * there.offset,
        distance=scale * signed_distance(point, triangle.corners, triangle),
        normal=direction(there, triangle),
        face=face,
        feature=there.feature,
        barycentric=there.weights,
    )
