"""Cells and periodic directions from the values of a comment line."""

import numpy as np
from jaxtyping import Bool, Float64

from ._comment import Info

MAX_LENGTH = 1e12  # Å, that is 100 m
_SINGULAR = 1e-10


def read_cell(info: Info) -> Float64[np.ndarray, "3 3"] | None:
    """Take `Lattice` (nine numbers, the cell vectors one after the other) out of the values.

    Raises:
        ValueError: It has another form.
    """
    if "Lattice" not in info:
        return None
    cell = _matrix("Lattice", info.pop("Lattice"), (9,)).reshape(3, 3)
    if np.abs(cell).max() > MAX_LENGTH:
        raise ValueError(f"Lattice has a number larger than {MAX_LENGTH:g} Å")
    return cell


def read_pbc(info: Info, cell: Float64[np.ndarray, "3 3"] | None) -> Bool[np.ndarray, "3"]:
    """Take `pbc` out of the values; without one, structures with a cell are periodic.

    Raises:
        ValueError: It is not three truth values, or the periodic cell vectors are missing or not independent.
    """
    pbc = np.atleast_1d(np.asarray(info.pop("pbc", [cell is not None] * 3)))
    if pbc.shape != (3,) or not (
        pbc.dtype == bool or (pbc.dtype.kind == "i" and np.all((pbc == 0) | (pbc == 1)))
    ):
        raise ValueError('pbc is not three truth values, like pbc="T T F"')
    pbc = pbc.astype(bool)
    if not np.any(pbc):
        return pbc
    if cell is None:
        raise ValueError("pbc says periodic, but there is no Lattice")
    lengths = np.linalg.norm(cell, axis=1)
    if np.any(lengths[pbc] == 0) or _volume(cell[pbc] / lengths[pbc][:, None]) < _SINGULAR:
        raise ValueError("the periodic vectors of Lattice are zero or not independent")
    return pbc


def _volume(rows: np.ndarray) -> float:
    """The volume that unit vectors span in their own space, 1 when they are orthogonal."""
    return float(np.prod(np.linalg.svd(rows, compute_uv=False)))


def _matrix(name: str, value: object, sizes: tuple[int, ...]) -> Float64[np.ndarray, " n"]:
    array = np.asarray(value)
    if array.dtype.kind not in "if" or array.size not in sizes:
        raise ValueError(f"{name} is not {' or '.join(map(str, sizes))} numbers")
    if not np.all(np.isfinite(array)):
        raise ValueError(f"{name} is not finite")
    return array.astype(np.float64).ravel()
