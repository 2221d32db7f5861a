"""Making a MeshSDF from a file or from arrays."""

from pathlib import Path
from typing import Literal, get_args

import numpy as np
from jaxtyping import Float, Int

from ..core import InputError
from ._mend import mend
from ._meshes._clusters import grouped_clusters
from ._meshes._device_mesh import device_mesh
from ._meshes._host_mesh import HostMesh, fingerprint
from ._meshes._mesh import MeshSDF
from ._meshes._mesh_tables import triangle_areas, triangle_tables
from ._meshes._search import search_table
from ._meshes._winding_tables import counted_once, winding_table
from ._quality import mesh_quality
from ._readers._rawmesh import RawMesh
from ._readers._reader import read_mesh
from ._units import canonical_unit

Sign = Literal["auto", "pseudonormal", "winding"]

_LARGEST = 1e36  # float32 ends at 3.4e38, and a point may lie some way outside the part


def load_mesh(path: str | Path, *, unit: str, sign: Sign = "auto") -> MeshSDF:
    """Reads a triangle mesh and prepares its signed distance.

    Equal vertices are merged, faces without area and duplicate faces dropped, a closed surface is oriented
    consistently and outwards; `notes` says what was done. A surface with holes loads too, and so do closed parts that
    cut or touch each other, with `sign_reliable = False`: the absolute distance to the faces is exact, the sign is
    that of the generalised winding number, not to be trusted near holes, but right for parts that overlap.

    Args:
        path: An STL, OBJ, PLY, OFF or GLB file.
        unit: The unit of its coordinates: "m", "cm", "mm", "um", "in" or "ft".
        sign: "auto" takes the pseudonormal when the mended surface is closed and well oriented and the generalised
            winding number when not; "pseudonormal" and "winding" insist on one of them. The winding number costs about
            as much again as the search.

    Returns:
        The signed distance of the mesh, in that unit.

    Raises:
        InputError: The file cannot be read, the unit is unknown, or no face has an area.
        ValueError: The sign is none of the three.
    """
    unit = canonical_unit(unit)
    return _build(read_mesh(path), unit, sign)


def mesh_sdf(
    vertices: Float[np.ndarray, "v 3"], faces: Int[np.ndarray, "f 3"], *, unit: str, sign: Sign = "auto"
) -> MeshSDF:
    """Prepares the signed distance of a triangle mesh given as arrays; see `load_mesh`.

    Args:
        vertices: Vertices, in `unit`.
        faces: The three vertex numbers of each face, counter-clockwise seen from outside.
        unit: The unit of the vertices: "m", "cm", "mm", "um", "in" or "ft".
        sign: "auto", "pseudonormal" or "winding"; see `load_mesh`.

    Returns:
        The signed distance of the mesh.

    Raises:
        InputError: A shape, a number or a vertex number is wrong, the unit is unknown, or no face has an
            area.
        ValueError: The sign is none of the three.

    Example:
        >>> import jax.numpy as jnp, numpy as np
        >>> corners = np.array([[0, 0, 0], [1, 0, 0], [0, 1, 0], [0, 0, 1]], float)
        >>> sdf = mesh_sdf(corners, np.array([[0, 2, 1], [0, 1, 3], [0, 3, 2], [1, 2, 3]]), unit="m")
        >>> float(sdf(jnp.array([0.25, 0.25, -2.0])))
        2.0
    """
    unit = canonical_unit(unit)
    vertices = np.asarray(vertices, np.float64)
    faces = np.asarray(faces)
    _check_arrays(vertices, faces)
    faces = faces.astype(np.int64)
    return _build(RawMesh(vertices, faces, "<arrays>", fingerprint(vertices, faces), ()), unit, sign)


def _build(raw: RawMesh, unit: str, sign: Sign) -> MeshSDF:
    if sign not in get_args(Sign):
        raise ValueError(f"sign is one of {', '.join(get_args(Sign))}, received {sign!r}")
    mended = mend(raw.vertices, raw.faces)
    if len(mended.faces) == 0:
        raise InputError(
            raw.source, "", "no face has an area", "Export the part again as a surface of triangles"
        )
    if np.abs(mended.vertices).max() > _LARGEST:
        reason = f"coordinates beyond {_LARGEST:g} do not fit in float32"
        raise InputError(raw.source, "", reason, "Give the part in a larger unit")
    lower, upper = mended.vertices.min(axis=0), mended.vertices.max(axis=0)
    # Both are exact in float32 (a rounded centre, a power of two), so moving a point into the frame of the
    # tables costs no more than the rounding of the subtraction.
    centre = (0.5 * lower + 0.5 * upper).astype(np.float32)
    scale = float(2.0 ** np.ceil(np.log2(np.max(upper - lower))))
    corners = ((mended.vertices - centre.astype(np.float64)) / scale)[mended.faces]
    triangles = triangle_tables(corners, mended.faces)
    by_winding = sign == "winding" or (sign == "auto" and not mended.closed)
    host = HostMesh(
        vertices=mended.vertices,
        faces=mended.faces,
        origin=mended.source.astype(np.int32),
        normals=triangles.normal,
        areas=triangle_areas(triangles) * scale**2,
        unit=unit,
        source=raw.source,
        quality=mesh_quality(raw, unit),
        notes=raw.notes + mended.notes + _sign_notes(by_winding, mended.closed),
        closed=mended.closed,
    )
    members = grouped_clusters(corners.min(axis=1), corners.max(axis=1))
    winding = winding_table(corners, members, counted_once(members)) if by_winding else None
    return MeshSDF(device_mesh(triangles, search_table(triangles, members), winding, centre, scale), host)


def _sign_notes(by_winding: bool, closed: bool) -> tuple[str, ...]:
    if by_winding and closed:
        return ("the sign is that of the winding number, as asked",)
    if by_winding:
        return (
            "the sign is that of the winding number: the surface is not closed, not well oriented, or parts of it meet",
        )
    return () if closed else ("the sign is that of the pseudonormal, as asked: wrong near holes",)


def _check_arrays(vertices: np.ndarray, faces: np.ndarray) -> None:
    def wrong(where: str, reason: str, hint: str) -> InputError:
        return InputError("<arrays>", where, reason, hint)

    if vertices.ndim != 2 or vertices.shape[1] != 3:
        raise wrong(
            "vertices", f"shape [v, 3] expected, {vertices.shape} received", "Give three coordinates a vertex"
        )
    if faces.ndim != 2 or faces.shape[1] != 3 or len(faces) == 0:
        raise wrong("faces", f"shape [f, 3] expected, {faces.shape} received", "Give triangles, at least one")
    if not np.issubdtype(faces.dtype, np.integer):
        raise wrong("faces", f"vertex numbers expected, {faces.dtype} received", "Convert them to integers")
    if not np.isfinite(vertices).all():
        row = int(np.flatnonzero(~np.isfinite(vertices).all(axis=1))[0])
        raise wrong(f"vertex {row}", "a coordinate is not finite", "Remove nan and inf")
    outside = np.flatnonzero(np.any((faces < 0) | (faces >= len(vertices)), axis=1))
    if len(outside):
        reason = f"refers to a vertex outside 0 … {len(vertices) - 1}"
        raise wrong(f"face {int(outside[0])}", reason, "Vertex numbers start at 0")
