"""Approximants of quasicrystals as structures of ASE."""

from collections.abc import Sequence

import ase
import numpy as np

from ..core import InputError
from ..quasicrystal import Approximant


def approximant_to_atoms(
    approximant: Approximant, symbols: str | Sequence[str], *, scale: float = 1.0
) -> ase.Atoms:
    """A periodic approximant for ASE; `ase.io.write` makes CIF, extended XYZ and other files of it.

    Args:
        approximant: One cell, in three dimensions.
        symbols: The element of every site, or one symbol for all of them.
        scale: Å per unit of the approximant's lengths: the lattice constant of the lattice in higher dimensions.

    Returns:
        The atoms, in the order of the sites, with the columns `perp` (perpendicular coordinates, in the
        approximant's unit) and `lattice` (the lattice vectors of the sites).

    Raises:
        InputError: The approximant is not three-dimensional, or the number of symbols is not that of the sites.

    Example:
        >>> import numpy as np
        >>> from geoembed.quasicrystal import approximant
        >>> cubic = approximant(np.eye(3, 4), np.eye(4)[3:], np.eye(3, 4, dtype=int))
        >>> approximant_to_atoms(cubic, "Po", scale=3.34).get_volume().round(2)
        np.float64(37.26)
    """
    if approximant.cell.shape != (3, 3):
        raise InputError(
            "approximant",
            "cell",
            f"it has {len(approximant.cell)} dimensions",
            "give an approximant of a quasicrystal in space",
        )
    count = len(approximant.positions)
    names = [symbols] * count if isinstance(symbols, str) else list(symbols)
    if len(names) != count:
        raise InputError(
            "approximant",
            "symbols",
            f"there are {len(names)} for {count} sites",
            "give one symbol, or one for every site",
        )
    atoms = ase.Atoms(
        names, scaled_positions=approximant.fractional, cell=approximant.cell * scale, pbc=np.ones(3, bool)
    )
    atoms.set_array("perp", approximant.perp)
    atoms.set_array("lattice", approximant.indices)
    return atoms
