"""Damaged, odd and merely unusual files, each with what a strict reader must do about it.

`error`: refused with an `InputError`. `flagged`: loads, and the report says what is odd.
`ok`: loads, nothing to say.
"""

import json
from pathlib import Path

from tests.malformed.atoms import add_atoms_cases
from tests.malformed.builders import CASES, LATTICE, F, V, glb, obj, off, ply, stl, stl_text, xyz
from tests.malformed.glb import add_glb_cases
from tests.malformed.obj import add_obj_cases
from tests.malformed.off import add_off_cases
from tests.malformed.ply import add_ply_cases
from tests.malformed.stl import add_stl_cases

__all__ = ["CASES", "LATTICE", "F", "V", "glb", "obj", "off", "ply", "stl", "stl_text", "write", "xyz"]

add_stl_cases()
add_obj_cases()
add_ply_cases()
add_off_cases()
add_glb_cases()
add_atoms_cases()


def write(folder: Path) -> list[dict]:
    """Write all files and `cases.json` into a folder and return what is in the latter."""
    folder.mkdir(parents=True, exist_ok=True)
    rows = []
    for case in CASES:
        (folder / case.file).write_bytes(case.data)
        rows.append({k: getattr(case, k) for k in ("name", "file", "kind", "why", "expect")})
    (folder / "cases.json").write_text(json.dumps(rows, indent=1))
    return rows
