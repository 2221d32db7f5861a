"""The surface f = 0 as a triangle mesh, and a mesh as an STL file (host)."""

import hashlib
from pathlib import Path
from typing import Any

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Float, Int

from ..core import InputError
from ._bounds import corners_of
from ._curvature import Field
from ._readers._rawmesh import RawMesh, merge_equal
from ._topology import repeated_corner

_PLANES = 16_384  # points of the grid evaluated at once, rounded to whole planes: one compilation


def march(
    f: Field,
    lower: Float[np.ndarray, "3"] | None = None,
    upper: Float[np.ndarray, "3"] | None = None,
    *,
    cells: int | tuple[int, int, int] = 64,
) -> RawMesh:
    """Turns the surface f = 0 into triangles by marching cubes on a grid, in float64.

    Vertices lie on the edges of the grid where the linear interpolant of f is 0, so that on a smooth surface they
    are O(h²) off for cells of size h; edges and corners of the surface are cut off within a cell. The triangles
    face outwards. The mesh is closed where the surface does not leave the box.

    Args:
        f: A function of a point, negative inside, such as a shape.
        lower: The lower corner of the box, in the length unit of f; None for that of `f.bounds`, a cell farther.
        upper: The upper corner.
        cells: How many cells along each axis; one number for the longest side of the box, the others having
            cells of about that size.

    Returns:
        The mesh. `mesh_sdf(mesh.vertices, mesh.faces, unit=…)` gives its signed distance, `write_stl` a file.

    Raises:
        ValueError: `f` has no bounds and none are given, or a number of cells is below one.
        InputError: No part of the surface lies in the box, or f is not finite.
        ModuleNotFoundError: scikit-image is not installed; `pip install 'geoembed[march]'` brings it.

    References:
        T. Lewiner et al., J. Graphics Tools 8 (2003) 1, the variant that scikit-image computes.

    Example:
        >>> from geoembed.sdf import Sphere, signed_volume
        >>> ball = march(Sphere(1.0), cells=20)
        >>> 0.98 < signed_volume(ball.vertices, ball.faces) / (4 / 3 * np.pi) < 1
        True
    """
    measure = _marching_cubes()
    low, high, counts = _grid(f, lower, upper, cells)
    values = _grid_values(f, low, high, counts)
    if not np.all(np.isfinite(values)):
        raise InputError("march", "", "f is not finite on the grid", "Choose another box, or mend f")
    if not values.min() < 0 < values.max():
        side = "outside" if values.min() >= 0 else "inside"
        reason = f"every point of the grid is {side}: no surface lies in the box"
        raise InputError("march", "", reason, "Choose a larger box or more cells")
    step = (high - low) / counts
    # scikit-image computes in float32: unit steps keep all its digits, and the exact position is put back here.
    corners, faces, _, _ = measure(values, 0.0, gradient_direction="descent", allow_degenerate=True)
    vertices, number = merge_equal(_sharpen(values, corners.astype(np.float64)))
    faces = number[faces]
    faces = faces[~repeated_corner(faces)]
    used, faces = np.unique(faces, return_inverse=True)
    vertices, faces = low + step * vertices[used], faces.reshape(-1, 3).astype(np.int64)
    digest = hashlib.sha256(vertices.tobytes() + faces.tobytes()).hexdigest()
    return RawMesh(
        vertices, faces, "march", digest, (f"marching cubes on {', '.join(map(str, counts))} cells",)
    )


def write_stl(path: str | Path, vertices: Float[np.ndarray, "v 3"], faces: Int[np.ndarray, "f 3"]) -> None:
    """Writes a binary STL file. STL holds float32: coordinates are rounded to seven digits; it names no unit.

    Args:
        path: The file; its folder must exist.
        vertices: Vertices.
        faces: The vertex numbers of each face, counter-clockwise seen from outside.

    Raises:
        InputError: A coordinate does not fit in float32.
    """
    import trimesh  # takes a second to import

    if not np.all(np.abs(vertices) <= np.finfo(np.float32).max):
        reason = "a coordinate is not finite or does not fit in float32"
        raise InputError(str(path), "", reason, "Give the part in a larger unit")

    trimesh.Trimesh(vertices, faces, process=False).export(str(path), file_type="stl")


def _marching_cubes() -> Any:
    try:
        from skimage.measure import marching_cubes
    except ModuleNotFoundError as error:
        raise ModuleNotFoundError(
            "turning a shape into triangles needs scikit-image: pip install 'geoembed[march]'",
            name=error.name,
        ) from error
    return marching_cubes


def _grid(f: Field, lower: Any, upper: Any, cells: int | tuple[int, int, int]) -> tuple:
    low, high = (np.asarray(corner, np.float64) for corner in corners_of(f, lower, upper))
    if np.min(cells) < 1:
        raise ValueError(f"cells must be at least 1 along each axis, received {cells}")
    if isinstance(cells, int):
        counts = np.ceil((high - low) / (high - low).max() * cells - 1e-9).astype(np.int64).clip(1)
    else:
        counts = np.array(cells, np.int64)
    if lower is None:  # a cell farther on each side; the surface must not touch the end of the grid
        step = (high - low) / counts
        low, high, counts = low - step, high + step, counts + 2
    return low, high, counts


def _grid_values(
    f: Field, low: np.ndarray, high: np.ndarray, counts: np.ndarray
) -> Float[np.ndarray, "a b c"]:
    """f at the grid points, in float64 whatever the caller's setting is."""
    axes = [np.linspace(low[k], high[k], counts[k] + 1) for k in range(3)]
    plane = np.stack(np.meshgrid(*axes[1:], indexing="ij"), axis=-1).reshape(-1, 2)
    values = np.empty((len(axes[0]), len(plane)))
    layers = max(1, _PLANES // len(plane))
    # A plain function is no pytree; as a Partial without arguments it is one, without leaves.
    traced = f if isinstance(f, eqx.Module) else jax.tree_util.Partial(f)
    with jax.enable_x64(True):
        for start in range(0, len(axes[0]), layers):
            x = axes[0][start : start + layers]
            padded = np.pad(x, (0, layers - len(x)), mode="edge")
            points = np.concatenate(
                [np.repeat(padded, len(plane))[:, None], np.tile(plane, (layers, 1))], axis=1
            )
            block = np.asarray(_evaluate(traced, jnp.asarray(points))).reshape(layers, -1)
            values[start : start + layers] = block[: len(x)]
    return values.reshape([len(axis) for axis in axes])


@jax.jit
def _evaluate(f: Field, points: jax.Array) -> jax.Array:
    return jax.vmap(lambda x: f(x))(points)


def _sharpen(values: np.ndarray, corners: Float[np.ndarray, "v 3"]) -> Float[np.ndarray, "v 3"]:
    """Computes again in float64 where the interpolant vanishes on the grid edge that each vertex lies on."""
    rows = np.arange(len(corners))
    axis = np.argmax(np.abs(corners - np.rint(corners)), axis=1)
    start = np.rint(corners).astype(np.int64)
    start[rows, axis] = np.floor(corners[rows, axis]).astype(np.int64)
    end = start.copy()
    end[rows, axis] += 1
    end = np.minimum(end, np.array(values.shape) - 1)
    a, b = values[tuple(start.T)], values[tuple(end.T)]
    crosses = (a < 0) != (b < 0)
    share = np.where(crosses, a / np.where(crosses, a - b, 1.0), 0.0)
    exact = start.astype(np.float64)
    exact[rows, axis] += share
    return np.where(crosses[:, None], exact, corners)
