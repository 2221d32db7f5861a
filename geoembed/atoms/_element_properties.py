"""Physical properties of the elements, and how far elements are apart in them."""

import functools
import math
from typing import NamedTuple

import numpy as np
from jaxtyping import Float64

from ._electrons import Block, Valence, block, group, period, regular_valence, unpaired, valence
from ._elements import SYMBOLS
from ._radii import COVALENT_RADII

_MEASURED_RADII = 96  # the last element whose covalent radius was measured
_NAN = math.nan

# Pauling's scale, from hydrogen on, most common oxidation state; NaN where no value is given, as behind plutonium.
# CRC Handbook of Chemistry and Physics, 86th edition (2005), "Electronegativity", p. 9-77, from
# Pauling, The Nature of the Chemical Bond (1960), and Allred, J. Inorg. Nucl. Chem. 17, 215 (1961).
_ELECTRONEGATIVITY = (
    2.20, _NAN,
    0.98, 1.57, 2.04, 2.55, 3.04, 3.44, 3.98, _NAN,
    0.93, 1.31, 1.61, 1.90, 2.19, 2.58, 3.16, _NAN,
    0.82, 1.00, 1.36, 1.54, 1.63, 1.66, 1.55, 1.83, 1.88, 1.91, 1.90, 1.65, 1.81, 2.01, 2.18, 2.55, 2.96, _NAN,
    0.82, 0.95, 1.22, 1.33, 1.6, 2.16, 2.10, 2.2, 2.28, 2.20, 1.93, 1.69, 1.78, 1.96, 2.05, 2.1, 2.66, 2.60,
    0.79, 0.89, 1.10, 1.12, 1.13, 1.14, _NAN, 1.17, _NAN, 1.20, _NAN, 1.22, 1.23, 1.24, 1.25, _NAN,
    1.0, 1.3, 1.5, 1.7, 1.9, 2.2, 2.2, 2.2, 2.4, 1.9, 1.8, 1.8, 1.9, 2.0, 2.2, _NAN,
    0.7, 0.9, 1.1, 1.3, 1.5, 1.7, 1.3, 1.3,
)  # fmt: skip


class ElementProperties(NamedTuple):
    """What is known of an element; NaN where nothing was measured.

    Args:
        symbol: Its symbol.
        period: The row of the periodic table.
        group: The column; None in the f block.
        block: The block.
        valence: Electrons outside closed shells, in the ground state of the free atom.
        unpaired: Unpaired electrons by Hund's first rule.
        covalent_radius: Å; Cordero et al., Dalton Trans. 2832 (2008).
        van_der_waals_radius: Å; Alvarez, Dalton Trans. 42, 8617 (2013), as in ase.
        electronegativity: On Pauling's scale; CRC Handbook of Chemistry and Physics, 86th edition, p. 9-77.
    """

    symbol: str
    period: int
    group: int | None
    block: Block
    valence: Valence
    unpaired: int
    covalent_radius: float
    van_der_waals_radius: float
    electronegativity: float


def element_properties(number: int) -> ElementProperties:
    """The properties of an element.

    Args:
        number: Its atomic number.

    Raises:
        ValueError: There is no such element.

    Example:
        >>> w = element_properties(74)
        >>> w.symbol, w.period, w.group, w.covalent_radius
        ('W', 6, 6, 1.62)
    """
    row = period(number)
    measured = number <= _MEASURED_RADII
    return ElementProperties(
        symbol=SYMBOLS[number - 1],
        period=row,
        group=group(number),
        block=block(number),
        valence=valence(number),
        unpaired=unpaired(number),
        covalent_radius=float(COVALENT_RADII[number]) if measured else _NAN,
        van_der_waals_radius=_van_der_waals().get(number, _NAN),
        electronegativity=dict(enumerate(_ELECTRONEGATIVITY, start=1)).get(number, _NAN),
    )


@functools.cache
def standardised() -> Float64[np.ndarray, "118 properties"]:
    """Properties of all elements, each with mean 0 and variance 1; row Z − 1 is that of the atomic number Z.

    Period, valence electrons in all and in s, p, d and f by Madelung's rule, covalent radius, van der Waals radius,
    electronegativity. What was not measured is the mean of the element's group (in the f block, of its row of it),
    else of all elements.
    """
    known = [element_properties(number) for number in range(1, len(SYMBOLS) + 1)]
    table = np.array([_numbers(k, found) for k, found in enumerate(known, start=1)], np.float64)
    columns = np.array([found.group or 18 + found.period for found in known])
    for values in table.T:
        everywhere = np.nanmean(values)
        for row in np.flatnonzero(np.isnan(values)):
            near = values[columns == columns[row]]
            values[row] = np.mean(near[~np.isnan(near)]) if np.any(~np.isnan(near)) else everywhere
    table = (table - table.mean(axis=0)) / table.std(axis=0)
    table.flags.writeable = False
    return table


def _numbers(number: int, found: ElementProperties) -> list[float]:
    """An element as numbers. Not its mass: energies do not depend on it."""
    regular = regular_valence(number)
    sizes = (found.covalent_radius, found.van_der_waals_radius)
    return [float(found.period), float(sum(regular)), *map(float, regular), *sizes, found.electronegativity]


@functools.cache
def _van_der_waals() -> dict[int, float]:
    from ase.data.vdw_alvarez import vdw_radii  # slow to import, and only needed here

    return {
        number: float(radius) for number, radius in enumerate(vdw_radii) if np.isfinite(radius) and number
    }
