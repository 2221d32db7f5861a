"""The exact signed distance of a triangle mesh."""

from typing import Any, ClassVar

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Float, Float64, Int32, PRNGKeyArray

from ...core import Property, one_point, register
from .._quality import MeshQuality
from .._shapes._exactness import EXACT, IMPLICIT, Exactness
from .._shapes._parameters import like
from .._shapes._shape import Corners, Shape
from .._units import UNITS
from ._around import points_around
from ._device_mesh import DeviceMesh
from ._evaluate import Closest, closest_on, distance_to
from ._host_mesh import HostMesh
from ._moved_mesh import MovedMesh, moved_mesh


@register
class MeshSDF(Shape):
    """The exact signed distance to a triangle mesh, negative inside.

    d(x) = ±min |x − c| over the points c of all faces. Where `sign` is "pseudonormal" the sign is that of (x − c)·n
    with the angle-weighted pseudonormal n of the face, edge or vertex on which c lies: right everywhere on a
    closed surface that does not cut itself. Where it is "winding" the sign is negative for |w(x)| > ½ with the
    generalised winding number w: right away from holes and flipped faces, and inside parts that overlap. Make one with
    `load_mesh` or `mesh_sdf`: they take the pseudonormal when the mended surface is closed and well oriented and the
    winding number when not, and `sign=` overrules that. |d| is the distance to the nearest face, also to one that lies
    inside another part.

    One point in, one scalar out; `jax.vmap` for many points reaches a search that treats them in blocks, in
    memory that does not grow with the number of faces. The value is exact up to rounding: the error is below
    1e-7 of the box diagonal in float32 and 1e-12 in float64. The sign is right wherever `sign_reliable`;
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
    parameter; wrap the mesh in `jax.lax.stop_gradient` when a whole model is differentiated. For derivatives in the
    vertices see `with_vertices`.

    It is a `Shape`: `load_mesh(path, unit="mm") - Sphere(2.0)` takes a ball out of it, and all other operators work
    too. It is exact on both sides where `sign_reliable`; otherwise the sign jumps and it is implicit.

    References:
        J. A. Bærentzen and H. Aanæs, IEEE Trans. Vis. Comput. Graph. 11(3), 243 (2005): the pseudonormal.
        A. Jacobson, L. Kavan and O. Sorkine-Hornung, ACM Trans. Graph. 32(4), 33 (2013): the winding number.
    """

    device: DeviceMesh
    host: HostMesh = eqx.field(static=True)

    dimension: ClassVar[int] = 3
    bounded: ClassVar[bool] = True

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

    def with_vertices(self, vertices: Float[Array | np.ndarray, "v 3"]) -> MovedMesh:
        """Returns the signed distance of the same faces between other vertices, which may be traced.

        Args:
            vertices: A place for each of `self.vertices`, in the mesh's unit.

        Returns:
            The signed distance, differentiable in the vertices and the point.

        Raises:
            ValueError: There is not one place for each vertex.
        """
        return moved_mesh(self.device, self.host, vertices)

    @property
    def exactness(self) -> Exactness:
        """Exact on both sides where the sign is reliable, else implicit."""
        return EXACT if self.sign_reliable else IMPLICIT

    def region(self, dtype: Any, grow: Float[Array, ""] | float = 0.0) -> Corners:
        """The lower and upper corner of a box that contains every x with f(x) < grow."""
        lower, upper = self.bounds
        return like(lower, jnp.zeros((), dtype)) - grow, like(upper, jnp.zeros((), dtype)) + grow

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
    def sign(self) -> str:
        """What gives the sign: "pseudonormal" or "winding"."""
        return "pseudonormal" if self.device.tables.winding is None else "winding"

    @property
    def sign_reliable(self) -> bool:
        """Whether the mended surface is closed and well oriented, and no part of it cuts or touches another one.

        If not, |distance| to the faces is right everywhere, and the sign of the winding number away from holes and
        wrong windings; of parts that overlap it is right everywhere. A single part that cuts itself is not looked for.
        """
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
        return points_around(self, *self.bounds, count, key)

    @property
    def properties(self) -> tuple[Property, ...]:
        """What this encoder promises; see `geoembed.check`."""
        eikonal = Property("eikonal", tol_f32=1e-5, tol_f64=1e-12, domain="off the medial axis")
        if not self.sign_reliable:  # where the sign jumps the function is not continuous
            return (eikonal,)
        return (eikonal, Property("lipschitz", constant=1.0, tol_f32=1e-5, tol_f64=1e-12))


# The jitted functions take the tables only: meshes of equal size share one compilation.
_distance = jax.jit(distance_to)
_closest = jax.jit(closest_on)
