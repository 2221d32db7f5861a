"""`geoembed repair`: the repairs that are asked for, written as an STL file."""

from pathlib import Path
from typing import Any

from ..core import InputError
from ..sdf import inspect_mesh, mesh_quality, read_mesh, repair, write_stl


def repair_file(
    file: Path,
    out: Path,
    *,
    merge: float | None,
    drop: bool,
    fix_winding: bool,
    fill_holes: int,
    largest_hole: float,
) -> dict[str, Any]:
    """Repairs a mesh file, writes the result and returns what changed and what the written file is like.

    Raises:
        InputError: The file is damaged beyond reading, no repair was asked for, one cannot be done, or the result
            cannot be written there.
    """
    _require_place(file, out)
    raw = read_mesh(file)
    if not (merge is not None or drop or fix_winding or fill_holes):
        wanted = mesh_quality(raw, "m").repairs
        hint = f"For this file: {'; '.join(wanted)}" if wanted else "This file needs none"
        raise InputError(file, "", "no repair was asked for", hint)
    try:
        done = repair(
            raw,
            merge=merge,
            drop=drop,
            fix_winding=fix_winding,
            fill_holes=fill_holes,
            largest_hole=largest_hole,
        )
    except ValueError as error:
        raise InputError(file, "--merge", str(error), "Give another tolerance") from None
    if len(done.mesh.faces) == 0:
        raise InputError(
            file, "", "no face is left after the repair", "Repair less, or export the part again"
        )
    write_stl(out, done.mesh.vertices, done.mesh.faces)
    written = inspect_mesh(out)
    kept = ("faces", "watertight", "sign_reliable", "volume", "area", "repairs")
    return {
        "file": str(file),
        "sha256": raw.sha256,
        "done": list(done.changes.lines) or ["nothing had to be changed"],
        "changes": done.changes.as_dict(),
        "out": str(out),
        "written": {name: written[name] for name in kept},
    }


def _require_place(file: Path, out: Path) -> None:
    if out.suffix.lower() != ".stl":
        raise InputError(out, "", "the result is an STL file", "Give a name that ends in .stl")
    if not out.parent.is_dir():
        raise InputError(out, "", "its folder does not exist", "Make it first")
    if out.exists() and file.exists() and out.samefile(file):
        raise InputError(out, "", "the result would replace the file it is made from", "Give another name")
