"""Structures and potentials that the command line is given."""

from pathlib import Path
from typing import Any

from ..atoms import Frame, LabelKeys, Potential, read_extxyz, read_rmd17
from ..atoms._training._evaluate import check_labels
from ..atoms._training._interaction import check_elements
from ..core import InputError, load


def read_structures(file: Path, potential: Any = None, labels: LabelKeys | None = None) -> list[Frame]:
    """The structures of a file; raises InputError when they have no labels, or a strange element."""
    frames = read_rmd17(file) if file.suffix == ".npz" else read_extxyz(file, labels=labels)
    check_labels(frames, str(file))
    if potential is not None:
        check_elements(potential, frames, str(file))
    return frames


def read_potential(folder: Path) -> Any:
    """The potential of a folder; raises InputError when there is none."""
    if not folder.is_dir():
        raise InputError(folder, "", "there is no such folder", "Give the folder of a potential")
    found = load(folder)
    if not isinstance(found, Potential):
        reason = f"the folder holds {type(found).__name__}, which is no potential"
        raise InputError(folder, "", reason, "Give the folder model of a training")
    return found
