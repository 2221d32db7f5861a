"""What the device holds of a mesh: float64 tables as float32 numbers and their remainders.

JAX narrows a numpy float64 array to float32 as soon as it meets it with float64 off, and it keeps the
narrowed copy as long as any traced function holds it: the same array given to a function inside a scoped
`jax.enable_x64(True)` may then be taken for float32. Pairs of float32 arrays mean the same in both modes.
high + low carries 48 bits, a relative error below 2e-15.
"""

from functools import partial
from typing import TypeVar

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Bool, Float, Float32, Int

from ...core import register
from ._search import SearchTable, nearest_triangle
from ._triangle import Triangles, rounding
from ._winding import inside_by_winding
from ._winding_tables import WindingTable

T = TypeVar("T")


@register
class MeshTables(eqx.Module):
    """All that the device needs of a mesh."""

    triangles: Triangles
    search: SearchTable
    winding: WindingTable | None  # of a mesh whose sign is that of the winding number


def split(tables: T) -> tuple[T, T]:
    """Splits float64 leaves into float32 numbers and float32 remainders; integers have the remainder 0."""

    def high(leaf: np.ndarray) -> np.ndarray:
        return leaf.astype(np.float32) if leaf.dtype == np.float64 else leaf

    def low(leaf: np.ndarray) -> np.ndarray:
        if leaf.dtype == np.float64:
            return (leaf - leaf.astype(np.float32).astype(np.float64)).astype(np.float32)
        return np.zeros_like(leaf)

    return jax.tree.map(high, tables), jax.tree.map(low, tables)


def joined(dtype: np.dtype, high: Array | np.ndarray, low: Array | np.ndarray) -> Array:
    """Puts a number together in a dtype; float32 needs no remainder."""
    high = jnp.asarray(high)
    if not jnp.issubdtype(high.dtype, jnp.floating):
        return high
    if jnp.finfo(dtype).bits <= 32:
        return high.astype(dtype)
    return high.astype(dtype) + jnp.asarray(low).astype(dtype)


@register
class DeviceMesh(eqx.Module):
    """The tables of a mesh, in a frame in which it has size about 1.

    Args:
        tables: The tables, rounded to float32.
        remainders: What float32 left out of them.
        centre: The origin of the frame, in the mesh's unit; exact in float32.
        scale: The length of the frame, in the mesh's unit; a power of two.
    """

    tables: MeshTables
    remainders: MeshTables
    centre: Float32[Array | np.ndarray, "3"]
    scale: Float32[Array | np.ndarray, ""]

    def enter(self, x: Float[Array, "3"]) -> tuple[Float[Array, "3"], Float[Array, ""]]:
        """Returns a point in the frame, and the length of the frame."""
        scale = jnp.asarray(self.scale).astype(x.dtype)
        return (x - jnp.asarray(self.centre).astype(x.dtype)) / scale, scale

    def nearest(self, point: Float[Array, "3"]) -> tuple[Int[Array, ""], Triangles]:
        """Returns the number of the triangle nearest to a point of the frame, and the triangle."""
        join = partial(joined, point.dtype)
        face = nearest_triangle(jax.tree.map(join, self.tables.search, self.remainders.search), point)
        # Gather first, join after: one triangle is all that is needed.
        halves = (self.tables.triangles, self.remainders.triangles)
        return face, jax.tree.map(join, *jax.tree.map(lambda table: jnp.asarray(table)[face], halves))

    def turned(self, point: Float[Array, "3"], distance: Float[Array, ""]) -> Bool[Array, ""] | None:
        """Returns whether the winding number gives a distance the sign that the pseudonormal does not.

        Never on the surface, within rounding: there the pseudonormal stays the gradient.
        """
        if self.tables.winding is None:
            return None
        winding = jax.tree.map(partial(joined, point.dtype), self.tables.winding, self.remainders.winding)
        differ = inside_by_winding(winding, point) != (distance < 0)
        return differ & (jnp.abs(distance) > rounding(point.dtype))


def device_mesh(
    triangles: Triangles,
    search: SearchTable,
    winding: WindingTable | None,
    centre: Float32[np.ndarray, "3"],
    scale: float,
) -> DeviceMesh:
    """Splits the float64 tables of a mesh for the device, padded as the search is."""
    added = search.faces.size - len(triangles.normal)
    padded = jax.tree.map(lambda table: np.pad(table, [(0, added)] + [(0, 0)] * (table.ndim - 1)), triangles)
    tables, remainders = split(MeshTables(padded, search, winding))
    return DeviceMesh(tables, remainders, centre, np.asarray(scale, np.float32))
