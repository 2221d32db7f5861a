"""The one door through which mesh files come in."""

import os
from pathlib import PurePath

from ...core import InputError
from ...core._files import Source, open_source, refuse_foreign
from ._rawmesh import RawMesh as RawMesh
from ._rawmesh import build
from ._reader_glb import read_glb
from ._reader_obj import read_obj
from ._reader_off import read_off
from ._reader_ply import read_ply
from ._reader_stl import read_stl

_READERS = {".stl": read_stl, ".obj": read_obj, ".ply": read_ply, ".off": read_off, ".glb": read_glb}
_FORMATS = "STL, OBJ, PLY, OFF or GLB"


def read_mesh(path: str | os.PathLike) -> RawMesh:
    """Read a triangle mesh, or say exactly why not.

    The file is never repaired and nothing in it is dropped without a note: a file that is cut, has counts
        that
    do not fit, numbers that are not finite, or references to nothing is refused. Equal vertices are merged
    when all their bits agree (−0.0 counts as 0.0), polygons are cut into triangles. O(n log n) in the file's
    size.

    Args:
        path: A file with the ending .stl (binary or ASCII), .obj, .ply (ASCII or binary), .off, or .glb.

    Returns:
        The mesh in float64, in the file's own unit.

    Raises:
        InputError: The file cannot be used; the error names the place, the reason, and what to do.

    Example:
        >>> import pathlib, tempfile
        >>> with tempfile.TemporaryDirectory() as folder:
        ...     file = pathlib.Path(folder, "triangle.off")
        ...     _ = file.write_text("OFF 3 1 0  0 0 0  1 0 0  0 1 0  3 0 1 2".replace("  ", chr(10)))
        ...     mesh = read_mesh(file)
        >>> mesh.faces.tolist()
        [[0, 1, 2]]
        >>> mesh.notes
        ('the last line has no line end: the file may have been cut there',)
    """
    name = os.fspath(path)
    ending = PurePath(name).suffix.lower()
    with open_source(name) as source:
        head = source.peek(4096)
        refuse_foreign(name, head)
        if ending not in _READERS:
            kind = f"the ending '{ending}' is not supported" if ending else "the file name has no ending"
            raise InputError(name, "", kind, f"use a file in the form {_FORMATS} with the usual ending")
        _refuse_wrong_ending(source, ending, head)
        parsed = _READERS[ending](source)
        return build(parsed, name, source.sha256, source.notes)


def _refuse_wrong_ending(source: Source, ending: str, head: bytes) -> None:
    """Raise when the content is plainly of another supported format than the name says."""
    text = head.removeprefix(b"\xef\xbb\xbf").lstrip()
    word = text.split(None, 1)[0] if text.split(None, 1) else b""
    actual = ""
    if head.startswith(b"glTF"):
        actual = ".glb"
    elif word == b"ply":
        actual = ".ply"
    elif word in (b"OFF", b"COFF", b"NOFF", b"CNOFF", b"STOFF"):
        actual = ".off"
    elif word.lower() == b"solid" and b"facet" in text.lower():
        actual = ".stl"
    if actual and actual != ending and not (ending == ".stl" and _is_binary_stl(source, head)):
        raise source.error(
            "byte 0", f"the content is {actual[1:].upper()}, the name says {ending}", "rename the file"
        )


def _is_binary_stl(source: Source, head: bytes) -> bool:
    return source.size >= 84 and source.size == 84 + 50 * int.from_bytes(head[80:84], "little")
