"""Sites of quasicrystals for ASE."""

from collections.abc import Mapping, Sequence

import ase
import numpy as np
from ase.data import atomic_numbers
from jaxtyping import Float, Shaped

from ..core import InputError


def sites_to_atoms(
    points: Float[np.ndarray, "n d"],
    symbols: str | Sequence[str],
    columns: Mapping[str, Shaped[np.ndarray, "n ..."]] | None = None,
) -> ase.Atoms:
    """Sites in space, in a plane or on a line as a structure of ASE without a cell.

    Args:
        points: Å; what is missing to three coordinates is 0.
        symbols: The element of every site, or one symbol for all of them; "X" is nothing known.
        columns: What else is known of each site, such as its perpendicular coordinates.

    Returns:
        The atoms, in the order of the sites.

    Raises:
        InputError: The number of symbols is not that of the sites, or one is no element.

    Example:
        >>> chain = sites_to_atoms(np.array([[0.0], [1.6]]), "Al", {"perp": np.array([[0.1], [0.2]])})
        >>> chain.positions.tolist()
        [[0.0, 0.0, 0.0], [1.6, 0.0, 0.0]]
    """
    count = len(points)
    names = [symbols] * count if isinstance(symbols, str) else list(symbols)
    if len(names) != count:
        raise InputError(
            "sites",
            "symbols",
            f"there are {len(names)} for {count} sites",
            "give one symbol, or one for every site",
        )
    for name in set(names):
        if name not in atomic_numbers:
            raise InputError("sites", "symbols", f"{name!r} is no element", 'Give one such as "Zn", or "X"')
    places = np.pad(np.asarray(points, np.float64), ((0, 0), (0, 3 - points.shape[1])))
    atoms = ase.Atoms([atomic_numbers[name] for name in names], positions=places)
    for name, column in (columns or {}).items():
        atoms.set_array(name, np.asarray(column))
    return atoms
