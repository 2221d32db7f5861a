"""A report about a mesh file."""

import os
from pathlib import PurePath
from typing import Any

from ._mend import mend
from ._quality import mesh_quality
from ._readers._reader import read_mesh
from ._units import UNITS, canonical_unit


def inspect_mesh(path: str | os.PathLike, unit: str | None = None) -> dict[str, Any]:
    """Read a mesh file and say what is in it and what loading it would do.

    Args:
        path: An STL, OBJ, PLY, OFF or GLB file.
        unit: The unit of its coordinates. Without one the report is in metres for GLB, whose specification
            says so, and otherwise in the file's own numbers, with the size in every unit beside it.

    Returns:
        JSON values: file, format, sha256, unit, notes (what the reader noticed), all of `MeshQuality`, mending (what
        was changed when tried), sign_reliable, and size_in_metres (the largest extent, for every unit).

    Raises:
        InputError: The file cannot be used, or the unit is unknown.
    """
    kind = PurePath(os.fspath(path)).suffix[1:].lower()
    given = canonical_unit(unit) if unit is not None else ("m" if kind == "glb" else None)
    raw = read_mesh(path)
    quality = mesh_quality(raw, given or "m").as_dict()
    if given is None:
        quality["unit"] = None
        warning = quality.pop("implausible_unit")
        quality["flags"] = [f for f in quality["flags"] if f != warning]
        quality["actions"] = [a for a in quality["actions"] if a != "the unit is used as given"]
        quality |= {"implausible_unit": None}
        quality["flags"].append("no unit given: name one of " + ", ".join(UNITS))
    elif kind == "glb" and given != "m":
        quality["flags"].append(f"glTF stores metres; this file is read in '{given}'")
    mended = mend(raw.vertices, raw.faces)
    size = max(quality["extents"])
    return {
        "kind": "mesh",
        "file": os.fspath(path),
        "format": kind,
        "sha256": raw.sha256,
        "notes": list(raw.notes),
        **quality,
        "mending": list(mended.notes),
        "sign_reliable": bool(mended.closed),
        "self_intersections": "not looked for",
        "size_in_metres": {name: size * metres for name, metres in UNITS.items()},
    }
