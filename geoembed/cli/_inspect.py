"""`geoembed inspect`: what is in a file, before anything is done with it."""

from pathlib import Path
from typing import Any

from ..atoms import inspect_frames
from ..core import InputError
from ..sdf import inspect_mesh

_FRAMES = (".extxyz", ".xyz", ".extxyz.gz", ".xyz.gz")


def inspect_file(file: Path, unit: str | None) -> dict[str, Any]:
    """Returns the report about a mesh or about atomic frames, by the file's ending.

    Raises:
        InputError: The file is damaged, or a unit was given for frames (theirs is Å).
    """
    if file.name.lower().endswith(_FRAMES):
        if unit is not None:
            raise InputError(file, "--unit", "frames have no other unit than Å", "Leave --unit out")
        return inspect_frames(file)
    return inspect_mesh(file, unit)


def as_text(report: dict[str, Any], indent: int = 0) -> str:
    """Returns a report as aligned lines; lists of words become indented lines."""
    pad = " " * indent
    width = max((len(name) for name in report), default=0) + 2
    lines = []
    for name, value in report.items():
        shown = name.replace("_", " ")
        if isinstance(value, dict):
            lines += [f"{pad}{shown}", as_text(value, indent + 2)]
        elif (
            isinstance(value, list | tuple)
            and any(isinstance(item, str) for item in value)
            and len(value) > 0
        ):
            lines += [f"{pad}{shown}", *(f"{pad}  - {item}" for item in value)]
        else:
            lines.append(f"{pad}{shown:<{width}}{_plain(value)}")
    return "\n".join(lines)


def _plain(value: Any) -> str:
    if value is None:
        return "none"
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, float):
        return f"{value:.6g}"
    if isinstance(value, list | tuple):
        return " ".join(_plain(item) for item in value) if value else "none"
    return str(value)
