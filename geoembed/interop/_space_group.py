"""Space groups of periodic structures; needs the extra `spglib`."""

import importlib
import warnings
from typing import Any, NamedTuple

import ase
import numpy as np

from ..core import InputError


class SpaceGroup(NamedTuple):
    """The symmetry of a periodic structure.

    Args:
        number: In the International Tables, 1 to 230.
        symbol: The short Hermann–Mauguin symbol, such as "Im-3".
        point_group: The symbol of the point group.
        operations: How many symmetry operations the given cell has, those that are only translations included.
        orbits: How many sites are not images of each other.
        tolerance: Å within which sites count as images.
    """

    number: int
    symbol: str
    point_group: str
    operations: int
    orbits: int
    tolerance: float


def space_group(atoms: ase.Atoms, *, tolerance: float = 1e-4) -> SpaceGroup:
    """The space group of a periodic structure, found by spglib.

    Args:
        atoms: A structure with a cell, periodic in three directions.
        tolerance: How far a site may be from the image of another, Å.

    Returns:
        The group and its size.

    Raises:
        InputError: spglib is not installed, the structure is not periodic, or spglib finds no group.

    Example:
        >>> import ase
        >>> space_group(ase.Atoms("Po", cell=[3.34] * 3, pbc=True)).symbol  # doctest: +SKIP
        'Pm-3m'

    References:
        A. Togo, K. Shinohara, I. Tanaka, Sci. Technol. Adv. Mater. Methods 4, 2384822 (2024).
    """
    if not (np.all(atoms.pbc) and abs(atoms.cell.volume) > 0):
        raise InputError(
            "space group",
            "atoms",
            "the structure is not periodic in three directions",
            "Give it a cell and pbc",
        )
    spglib = _imported()
    cell = (np.array(atoms.cell), atoms.get_scaled_positions(), np.array(atoms.numbers))
    reason = "spglib finds none"
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", DeprecationWarning)  # of its own two ways to fail
            found = spglib.get_symmetry_dataset(cell, symprec=tolerance)
    except Exception as error:  # the newer way; the older one is None
        found, reason = None, f"{reason}: {error}"
    if found is None:
        raise InputError(
            "space group", "atoms", reason, "Sites may be on top of each other: see their smallest distance"
        )
    return SpaceGroup(
        number=int(found.number),
        symbol=str(found.international),
        point_group=str(found.pointgroup),
        operations=len(found.rotations),
        orbits=len(np.unique(found.equivalent_atoms)),
        tolerance=float(tolerance),
    )


def _imported() -> Any:
    try:
        return importlib.import_module("spglib")
    except ImportError as error:
        raise InputError(
            "space group", "", "spglib is not installed", "Install it: pip install 'geoembed[spglib]'"
        ) from error
