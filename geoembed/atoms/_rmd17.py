"""The molecular dynamics sets MD17 and rMD17 (npz)."""

import io
import math
import os
import zipfile
import zlib

import numpy as np

from ..core._files import Source, open_source
from ._frame import Frame, FramesFile
from ._labels import ENERGY_UNITS

_NAMES = {
    "numbers": ("nuclear_charges", "z"),
    "positions": ("coords", "R"),
    "energy": ("energies", "E"),
    "forces": ("forces", "F"),
}
_DAMAGED = (zipfile.BadZipFile, zlib.error, EOFError, NotImplementedError, OSError, RuntimeError)
_LIMIT = 4 << 30
_HINT = "download it again from the publication of the data set"


def read_rmd17(path: str | os.PathLike) -> list[Frame]:
    """Read the structures of one molecule from an rMD17 or MD17 file; kcal/mol becomes eV.

    Nothing is unpickled, and no array is made before its size is known to be what the file holds.

    Args:
        path: An npz file with nuclear_charges, coords (Å), energies (kcal/mol) and forces (kcal/mol/Å), as rMD17
            has them, or z, R, E and F, as MD17 has them. Whatever else it holds is left alone.

    Returns:
        The frames in the order of the file, with energy and forces, without a cell.

    Raises:
        InputError: The file cannot be used.

    References:
        Christensen, von Lilienfeld, "On the role of gradients for machine learning of molecular energies and
        forces", Mach. Learn.: Sci. Technol. 1, 045018 (2020).
    """
    return read_rmd17_file(path).frames


def read_rmd17_file(path: str | os.PathLike) -> FramesFile:
    """`read_rmd17` with the file's hash."""
    with open_source(path) as source:
        data = source.rest()
        try:
            with zipfile.ZipFile(io.BytesIO(data)) as archive:
                arrays = {name: _array(source, archive, names) for name, names in _NAMES.items()}
        except _DAMAGED as error:
            raise source.error("", f"the npz file cannot be read: {str(error)[:100]}", _HINT) from None
        return FramesFile(_frames(source, arrays), source.sha256, tuple(source.notes))


def _array(source: Source, archive: zipfile.ZipFile, names: tuple[str, ...]) -> np.ndarray:
    present = [name for name in names if archive.namelist().count(f"{name}.npy") == 1]
    if len(present) != 1:
        raise source.error(
            "", f"it must hold one array {' or '.join(names)}", "see whether it is an rMD17 file"
        )
    name = present[0]
    with archive.open(f"{name}.npy") as member:
        try:
            if np.lib.format.read_magic(member) != (1, 0):
                raise ValueError("not version 1.0 of the format")
            shape, fortran, dtype = np.lib.format.read_array_header_1_0(member)
        except ValueError as error:
            raise source.error(name, f"its header cannot be read: {str(error)[:100]}", _HINT) from None
        if dtype.kind not in "fiu" or dtype.hasobject:
            raise source.error(name, f"its dtype {dtype} is no number", _HINT)
        size = math.prod(shape) * dtype.itemsize
        if size > _LIMIT or archive.getinfo(f"{name}.npy").file_size != member.tell() + size:
            raise source.error(name, f"it is not as long as its shape {shape} says, or too long", _HINT)
        content = member.read(size)
    try:
        return np.frombuffer(content, dtype).reshape(shape, order="F" if fortran else "C")
    except ValueError:
        raise source.error(name, "it ends too early", _HINT) from None


def _frames(source: Source, arrays: dict[str, np.ndarray]) -> list[Frame]:
    numbers = arrays["numbers"].astype(np.int64)
    positions, forces = (arrays[name].astype(np.float64) for name in ("positions", "forces"))
    energy = arrays["energy"].astype(np.float64).ravel()
    count, atoms = len(energy), len(numbers) if numbers.ndim == 1 else -1
    if positions.shape != (count, atoms, 3) or forces.shape != positions.shape or count == 0:
        reason = (
            f"coordinates {positions.shape}, forces {forces.shape} and {count} energies do not fit together"
        )
        raise source.error("", reason, _HINT)
    if numbers.min() < 1 or numbers.max() > 118:
        raise source.error("nuclear_charges", "an atomic number is not between 1 and 118", _HINT)
    for name, values in (("coords", positions), ("energies", energy), ("forces", forces)):
        if not np.all(np.isfinite(values)):
            raise source.error(name, "a number is not finite", _HINT)
    unit = ENERGY_UNITS["kcal/mol"]
    none = np.zeros(3, bool)
    return [
        Frame(numbers, positions[k], None, none, energy=float(energy[k]) * unit, forces=forces[k] * unit)
        for k in range(count)
    ]
