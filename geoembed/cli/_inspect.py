"""`geoembed inspect`: what is in a file, before anything is done with it."""

from pathlib import Path
from typing import Any

from ..atoms import Potential, inspect_frames, inspect_potential
from ..core import InputError, load, load_meta
from ..core._folder import current
from ..sdf import inspect_mesh

_FRAMES = (".extxyz", ".xyz", ".extxyz.gz", ".xyz.gz", ".npz")


def inspect_file(file: Path, unit: str | None) -> dict[str, Any]:
    """Returns the report about a mesh, atomic frames or a potential, by the file's ending.

    Raises:
        InputError: The file is damaged, or a unit was given for frames or a potential (theirs is Å).
        ArtefactError: The potential's folder is damaged.
    """
    artefact = (current(file) / "manifest.json").is_file()
    if unit is not None and (artefact or file.name.lower().endswith(_FRAMES)):
        what = "a potential has" if artefact else "frames have"
        raise InputError(file, "--unit", f"{what} no other unit than Å", "Leave --unit out")
    if artefact:
        return _inspect_artefact(file)
    return inspect_frames(file) if file.name.lower().endswith(_FRAMES) else inspect_mesh(file, unit)


def _inspect_artefact(folder: Path) -> dict[str, Any]:
    held = load(folder)
    if not isinstance(held, Potential):
        reason = f"the folder holds {type(held).__name__}, which is no potential"
        raise InputError(folder, "", reason, "For an encoder see `geoembed card`")
    seed = load_meta(folder).get("seed")
    return {"file": str(folder)} | inspect_potential(held) | ({} if seed is None else {"seed": seed})


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
