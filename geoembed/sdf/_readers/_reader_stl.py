"""STL: which kind it is, and the binary kind."""

import struct

import numpy as np

from ...core import InputError
from ...core._files import Source
from ._rawmesh import Parsed
from ._reader_stl_ascii import read_stl_ascii
from ._stl_facets import against_order, parsed_facets

_RECORD = np.dtype([("normal", "<f4", 3), ("corners", "<f4", (3, 3)), ("attribute", "<u2")])
_HEADER = 84

_CUT = "the file was probably cut while it was written or copied; export or copy it again"


def read_stl(source: Source) -> Parsed:
    """Triangles of a binary or ASCII STL file; the length rule 84 + 50 n decides which it is.

    Args:
        source: The open file.

    Returns:
        Unmerged triangles: float32 from a binary file, float64 from an ASCII file.

    Raises:
        InputError: The file's length does not fit its facet count, or the text departs from the ASCII form.
    """
    head = source.peek(_HEADER)
    if len(head) == _HEADER:
        (count,) = struct.unpack("<I", head[80:])
        if source.size == _HEADER + 50 * count:
            return _read_binary(source, count, head)
    if head.removeprefix(b"\xef\xbb\xbf").lstrip()[:5].lower() == b"solid" and b"\0" not in source.peek(1024):
        return read_stl_ascii(source)
    raise _not_stl(source, head)


def _not_stl(source: Source, head: bytes) -> InputError:
    if len(head) < _HEADER:
        return source.error("", f"{source.size} bytes are too few for an STL file", _CUT)
    (count,) = struct.unpack("<I", head[80:])
    promised = _HEADER + 50 * count
    reason = f"the header promises {count} facets, that is {promised} bytes, but the file has {source.size}"
    return source.error("byte 80", reason, "export or copy the file again; it is damaged or not an STL file")


def _read_binary(source: Source, count: int, head: bytes) -> Parsed:
    if head[:5].lower() == b"solid":
        source.notes.append("binary STL whose header starts with 'solid', which some programs take for ASCII")
    facets = np.frombuffer(source.rest(), _RECORD, count=count, offset=_HEADER)
    odd = int(np.sum(~np.all(np.isfinite(facets["normal"]), axis=1)))
    if odd:
        source.notes.append(f"{odd} stored normals are not finite; normals come from the corners instead")
    against_order(facets["normal"], facets["corners"], source.notes)
    return parsed_facets(facets["corners"], lambda facet: f"facet {facet + 1} (byte {_HEADER + 50 * facet})")
