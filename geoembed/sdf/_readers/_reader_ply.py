"""PLY: what the ASCII and the two binary forms have in common."""

from typing import NamedTuple

import numpy as np

from ...core._files import Source
from ._ply_ascii import ascii_elements
from ._ply_binary import binary_elements
from ._ply_header import Element, Header, read_header
from ._ply_table import Table
from ._rawmesh import Parsed

_EXPORT = "export a plain triangle or polygon mesh"


class _Mesh(NamedTuple):
    vertex: Table
    face: Table


def read_ply(source: Source) -> Parsed:
    """Polygons of a PLY file; other properties are read over, other elements must be there in full.

    Args:
        source: The open file.

    Returns:
        Polygons in the precision of the file (float64 for ASCII).

    Raises:
        InputError: A header that is not understood, counts that the file does not keep, damaged rows.
    """
    header = read_header(source)
    _check_elements(source, header)
    tables = ascii_elements(source, header) if header.form == "ascii" else binary_elements(source, header)
    mesh = _Mesh(tables["vertex"], tables["face"])
    points = np.stack([mesh.vertex.scalars[axis] for axis in "xyz"], axis=1)
    points = points if points.dtype in (np.float32, np.float64) else points.astype(np.float64)
    corners, counts = mesh.face.lists[_corner_list(header.element("face"))]
    return Parsed(points, corners, counts, mesh.face.place, mesh.vertex.place)


def _corner_list(element: Element) -> str:
    return next(p.name for p in element.properties if p.name in ("vertex_indices", "vertex_index"))


def _check_elements(source: Source, header: Header) -> None:
    """Make sure that there are vertices with x, y, z and faces with a list of whole numbers."""
    for name in ("vertex", "face"):
        if header.element(name) is None:
            other = " (triangle strips are not supported)" if header.element("tristrips") else ""
            raise source.error("header", f"there is no element '{name}'{other}", _EXPORT)
    vertex, face = header.element("vertex"), header.element("face")
    assert vertex is not None  # the loop above refused the header otherwise
    assert face is not None
    scalars = {p.name for p in vertex.properties if p.count is None}
    if missing := [axis for axis in "xyz" if axis not in scalars]:
        raise source.error("header", f"vertices have no property {', '.join(missing)}", _EXPORT)
    lists = [p for p in face.properties if p.name in ("vertex_indices", "vertex_index")]
    if len(lists) != 1 or lists[0].count is None or lists[0].dtype.kind not in "iu":
        raise source.error("header", "faces need one list 'vertex_indices' of whole numbers", _EXPORT)
