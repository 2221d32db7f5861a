"""The boundary function of a patch of a triangle mesh."""

from functools import partial
from typing import ClassVar

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Bool, Float, Float32

from ...core import norm, one_point, register
from .._meshes._device_mesh import joined, split
from .._meshes._mesh import MeshSDF
from .._meshes._mesh_tables import triangle_areas, triangle_tables
from .._meshes._triangle import Triangles, foot
from .._patches import Patches
from ._boundary import Boundary, Corners, check_order
from ._boundary_potential import beside, distance_from, power_for
from ._boundary_triangle import triangle_share

_BLOCK = 64  # triangles treated at once: memory does not grow with their number
# Units of rounding within which a point counts as on the patch, in parts of the mesh's size; in float64 at least the
# second, because the tables carry 48 bits.
_ROUNDING = 32.0
_TABLES = 2.0**-40


def boundary_function(mesh: MeshSDF, patches: Patches, name: str, *, order: int = 2) -> "MeshBoundary":
    """Makes a function that is 0 on a patch of a mesh and positive elsewhere, for exact boundary conditions.

    u = g + φ N satisfies u = g on the patch exactly, whatever N is.

    Args:
        mesh: The mesh.
        patches: Its patches; see `resolve_patches`.
        name: The name of the patch, or "rest".
        order: The order to which φ is normalised, 1, 2 or 3; see `MeshBoundary`.

    Returns:
        φ, in the mesh's unit.

    Raises:
        InputError: No patch has this name, or it is "rest" and empty.
        ValueError: The order is not 1, 2 or 3.

    Example:
        >>> import jax.numpy as jnp
        >>> from geoembed.sdf import facing, mesh_sdf, resolve_patches
        >>> corners = np.array([[0, 0, 0], [1, 0, 0], [0, 1, 0], [0, 0, 1]], float)
        >>> part = mesh_sdf(corners, np.array([[0, 2, 1], [0, 1, 3], [0, 3, 2], [1, 2, 3]]), unit="mm")
        >>> base = boundary_function(part, resolve_patches(part, {"base": facing((0, 0, -1))}), "base")
        >>> round(float(base(jnp.array([0.3, 0.3, 0.01]))), 5)
        0.01
    """
    chosen = patches.mask(name)
    if len(chosen) != len(mesh.faces):
        raise ValueError(f"the patches are those of {len(chosen)} faces, the mesh has {len(mesh.faces)}")
    lower, upper = mesh.bounds
    # Both are exact in float32 (a rounded centre, a power of two): entering the frame costs no more than a rounding.
    centre = (0.5 * lower + 0.5 * upper).astype(np.float32)
    scale = float(2.0 ** np.ceil(np.log2(np.max(upper - lower))))
    corners = ((mesh.vertices - centre.astype(np.float64)) / scale)[mesh.faces]
    triangles = jax.tree.map(lambda table: table[chosen], triangle_tables(corners, mesh.faces))
    return _mesh_boundary(triangles, centre, scale, order)


def _mesh_boundary(
    triangles: Triangles, centre: Float32[np.ndarray, "3"], scale: float, order: int
) -> "MeshBoundary":
    middle, radius = _middle(triangles)
    faces = len(triangles.normal)
    blocks = -(-faces // _BLOCK)
    place = np.minimum(np.arange(blocks * _BLOCK), faces - 1).reshape(blocks, -1)  # the last one is repeated
    present = (np.arange(blocks * _BLOCK) < faces).reshape(blocks, -1)
    tables, remainders = split(jax.tree.map(lambda table: table[place], triangles))
    frame = [np.asarray(value, np.float32) for value in (centre, scale, middle, radius)]
    return MeshBoundary(tables, remainders, present, *frame, order=order)  # pyright: ignore[reportCallIssue]


def _middle(triangles: Triangles) -> tuple[np.ndarray, float]:
    """The centroid of the patch, and the root of the mean square distance from it."""
    corners = triangles.corners
    share_of_area = triangle_areas(triangles) / triangle_areas(triangles).sum()
    middle = share_of_area @ corners.mean(axis=1)
    from_middle = corners - middle
    mean = from_middle.mean(axis=1)
    squares = 0.75 * np.sum(mean**2, axis=1) + np.sum(from_middle**2, axis=(1, 2)) / 12
    return middle, float(np.sqrt(share_of_area @ squares))


@register
class MeshBoundary(Boundary):
    """A patch of a triangle mesh; make one with `boundary_function`.

    φ is the power mean of the distances to all points of the patch, joined to the distance from its middle:

        φ = (p/2π ∫ |x − y|^(−2−p) dA + (|x − ȳ|² + ρ²)^(−p/2))^(−1/p),   p = 1 for order 1, p = 3 for orders 2 and 3,

    with ȳ the centroid of the patch and ρ the root of the mean square distance from it. The integral over each
    triangle is taken in closed form. It does not depend on how a flat face is cut into triangles; a finely tessellated
    curved patch is as good as the curved one. On flat parts φ is normalised to the order within a fraction of the
    distance to the nearest edge of the part; on curved ones φ = d + O(d²/radius), whatever the order.

    Smooth everywhere off the patch; no kinks on the medial axis, where |SDF| has them. At edges and corners of the
    patch, and at its rim, φ is continuous with a bounded gradient that depends on the direction of approach; second
    derivatives grow like 1/r. Values and derivatives are finite on the patch too.

    Every triangle is looked at: the cost is O(n). In memory the triangles count only in blocks. Derivatives in the
    point only; the tables are those of the mesh, like its own not meant to be trained.

    References:
        A. Belyaev, P.-A. Fayolle and A. Pasko, Comput.-Aided Des. 45, 523 (2013).
        A. Van Oosterom and J. Strackee, IEEE Trans. Biomed. Eng. BME-30, 125 (1983).
    """

    tables: Triangles  # in blocks, in the frame of the mesh, rounded to float32
    remainders: Triangles  # what float32 left out
    present: Bool[Array | np.ndarray, "b k"]
    centre: Float32[Array | np.ndarray, "3"]
    scale: Float32[Array | np.ndarray, ""]
    middle: Float32[Array | np.ndarray, "3"]
    radius: Float32[Array | np.ndarray, ""]
    order: int = eqx.field(static=True, default=2)

    dimension: ClassVar[int] = 3

    def __check_init__(self) -> None:
        check_order("MeshBoundary", self.order, 3)

    def __call__(self, x: Float[Array, "3"]) -> Float[Array, ""]:
        x = one_point(x, "a MeshBoundary")
        return _value(self, x)

    def region(self, dtype: np.dtype) -> Corners:
        scale, centre, corners = (
            jnp.asarray(part).astype(dtype) for part in (self.scale, self.centre, self.tables.corners)
        )
        points = scale * corners.reshape(-1, 3) + centre[None]
        return jnp.min(points, axis=0), jnp.max(points, axis=0)


@jax.jit
def _value(boundary: MeshBoundary, x: Float[Array, "3"]) -> Float[Array, ""]:
    centre, scale, middle, radius = (
        jnp.asarray(number).astype(x.dtype)
        for number in (boundary.centre, boundary.scale, boundary.middle, boundary.radius)
    )
    power = power_for(boundary.order)
    point = (x - centre) / scale
    coordinates = jnp.max(jnp.abs(jax.lax.stop_gradient(jnp.concatenate([x / scale, point]))))
    slack = max(_ROUNDING * float(jnp.finfo(x.dtype).eps), _TABLES) * jnp.maximum(1.0, coordinates)
    distance, inward = _nearest(boundary, jax.lax.stop_gradient(point))
    inside = point + jnp.where(distance <= slack, 4.0 * slack, 0.0) * inward
    size = jnp.maximum(distance, slack)
    total = _total(boundary, inside, power, size)
    reach = norm(jnp.append(inside - middle, radius))
    return scale * beside(distance_from(total, reach, power, size), distance, slack)


def _total(
    boundary: MeshBoundary, point: Float[Array, "3"], power: int, size: Float[Array, ""]
) -> Float[Array, ""]:
    """size^p Σ K over all triangles, block by block."""

    @partial(jax.checkpoint, prevent_cse=False)  # reverse mode keeps no intermediates; scan needs no barrier
    def add(total: Float[Array, ""], block: tuple) -> tuple[Float[Array, ""], None]:
        high, low, present = block
        triangles = jax.tree.map(partial(joined, point.dtype), high, low)
        shares = jax.vmap(lambda triangle: triangle_share(point, triangle, power))(triangles)
        return total + size**power * jnp.sum(jnp.where(present, shares, 0.0)), None

    blocks = (boundary.tables, boundary.remainders, boundary.present)
    blocks = jax.tree.map(jnp.asarray, blocks)
    return jax.lax.scan(add, jnp.zeros((), point.dtype), blocks)[0]


def _nearest(boundary: MeshBoundary, point: Float[Array, "3"]) -> tuple[Float[Array, ""], Float[Array, "3"]]:
    """The distance to the patch and the inward pseudonormal of the mesh at its nearest point."""

    def look(best: tuple, block: tuple) -> tuple[tuple, None]:
        triangles = jax.tree.map(partial(joined, point.dtype), *block)
        feet = jax.vmap(lambda triangle: foot(point, triangle.corners, triangle))(triangles)
        away = norm(feet.offset)
        first = jnp.argmin(away)  # a repeated triangle does no harm
        inward = -triangles.pseudonormals[first, feet.touched[first]]
        nearer = away[first] < best[0]
        return jax.tree.map(partial(jnp.where, nearer), (away[first], inward), best), None

    start = (jnp.full((), jnp.inf, point.dtype), jnp.zeros_like(point))
    blocks = jax.tree.map(jnp.asarray, (boundary.tables, boundary.remainders))
    return jax.lax.scan(look, start, blocks)[0]
