"""What the quasicrystal commands are told, read strictly: models, lists of numbers, files, axes of view."""

import difflib
import math
from fractions import Fraction
from pathlib import Path

import jax.numpy as jnp
import numpy as np

from ..core import InputError
from ..quasicrystal import Model, ammann_beenker, dodecagonal, fibonacci, icosahedral, penrose

MODELS = {
    "fibonacci": fibonacci,
    "ammann_beenker": ammann_beenker,
    "penrose": penrose,
    "dodecagonal": dodecagonal,
    "icosahedral": icosahedral,
}
# in the lattice of `icosahedral`: what they project on in both spaces are axes of symmetry
_AXES = {2: (0, 0, 0, 0, 1, -1), 3: (1, 0, 1, 0, 1, 0), 5: (1, 0, 0, 0, 0, 0)}


def model_named(name: str, scale: float, centering: str, shift: str | None) -> Model:
    """The model that a command is about.

    Raises:
        InputError: There is none of this name, or a number does not fit it.
    """
    known = name.replace("-", "_").lower()
    if known not in MODELS:
        close = difflib.get_close_matches(known, MODELS, n=1, cutoff=0.4)
        hint = f"Did you mean {close[0]}? " if close else ""
        raise InputError("MODEL", name, "there is no such model", f"{hint}There are: {', '.join(MODELS)}")
    positive("--scale", scale)
    if known != "icosahedral" and centering != "P":
        raise InputError("--centering", centering, f"{known} has no other lattice", "Leave --centering out")
    m = MODELS[known]().lattice.dimensions[1]
    moved = None if shift is None else jnp.asarray(numbers("--shift", shift, m))
    if known != "icosahedral":
        return MODELS[known](scale, shift=moved)
    if centering not in ("P", "F", "I"):
        raise InputError("--centering", centering, "there is no such lattice", "Choose P, F or I")
    return icosahedral(scale, centering, moved)


def numbers(option: str, text: str, count: int | None = None) -> np.ndarray:
    """Numbers with commas between them; fractions such as 1/2 are numbers.

    Args:
        option: The option they are given to.
        text: What was given.
        count: How many there must be; any number by default.

    Raises:
        InputError: One is no finite number, or there are more or fewer.
    """
    values = []
    for part in text.split(","):
        try:
            values.append(float(Fraction(part.strip())) if "/" in part else float(part))
        except (ValueError, ZeroDivisionError):
            raise InputError(
                option,
                text,
                f"{part.strip()!r} is no number",
                "Give numbers with commas between them: 1,0,0.5",
            ) from None
    if not all(math.isfinite(value) for value in values):
        raise InputError(option, text, "a number is not finite", "Give finite numbers")
    if count is not None and len(values) != count:
        raise InputError(
            option,
            text,
            f"there are {len(values)} numbers, {count} are needed",
            f"Give {count} with commas between",
        )
    return np.array(values)


def positive(option: str, value: float) -> float:
    """A number that must be positive and finite."""
    if not (math.isfinite(value) and value > 0):
        raise InputError(option, f"{value:g}", "it is not positive and finite", "Give a positive number")
    return value


def check_files(files: list[Path], endings: tuple[str, ...]) -> None:
    """Refuses files before anything is computed.

    Raises:
        InputError: An ending is none of those that can be written, a folder is missing, or a file is named twice.
    """
    for file in files:
        if file.suffix.lower() not in endings:
            ending = f"the ending {file.suffix!r}" if file.suffix else "no ending"
            raise InputError(
                file,
                "",
                f"a file with {ending} is not written here",
                f"Give a name that ends in {_listed(endings)}",
            )
        if not file.parent.is_dir():
            raise InputError(
                file, "", f"there is no folder {file.parent}", "Make it first, or write elsewhere"
            )
        if file.is_dir():
            raise InputError(file, "", "it is a folder", "Give the name of a file")
    if len({file.resolve() for file in files}) < len(files):
        raise InputError(files[0], "", "a file is named twice", "Name every file once")


def symbols_of(element: str, kinds: np.ndarray) -> list[str]:
    """An element for each site.

    Args:
        element: One symbol, or one for each kind of site in rising order.
        kinds: The kind of each site.

    Raises:
        InputError: There are neither one nor as many symbols as kinds.
    """
    names = [name.strip() for name in element.split(",")]
    present, which = np.unique(kinds, return_inverse=True)
    if len(names) not in (1, len(present)):
        raise InputError(
            "--element",
            element,
            f"there are {len(names)} symbols for {len(present)} kinds of sites",
            "Give one symbol, or one for each kind",
        )
    return [names[k if len(names) > 1 else 0] for k in which.tolist()]


def views(model: Model, axis: int) -> tuple[np.ndarray, np.ndarray]:
    """Two vectors in each space that span a picture: those normal to an axis of an icosahedral model, else x and y.

    Raises:
        InputError: The model has no such axis.
    """
    d, m = model.lattice.dimensions
    if model.lattice.name != "icosahedral":
        return np.eye(2, d), np.eye(2, m)
    if axis not in _AXES:
        raise InputError("--axis", str(axis), "an icosahedron has no such axis", "Choose 2, 3 or 5")
    along, across = (
        np.asarray(part, np.float64) @ np.array(_AXES[axis]) for part in model.lattice.projections()
    )
    return _normal_plane(along), _normal_plane(across)


def tile_edge(model: Model) -> float:
    """The length of the shortest basis vector: the edge of the tiles."""
    return float(np.linalg.norm(np.asarray(model.lattice.projections()[0], np.float64), axis=0).min())


def _normal_plane(axis: np.ndarray) -> np.ndarray:
    """Two orthonormal vectors normal to an axis; a 2-fold axis of the other kind is horizontal where there is one."""
    unit = axis / np.linalg.norm(axis)
    first = np.eye(3)[np.argmin(np.abs(unit))]
    first = first - (first @ unit) * unit
    first = first / np.linalg.norm(first)
    return np.stack([first, np.cross(unit, first)])


def _listed(names: tuple[str, ...]) -> str:
    return f"{', '.join(names[:-1])} or {names[-1]}"
