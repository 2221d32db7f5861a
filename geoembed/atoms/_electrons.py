"""Where the elements stand in the periodic table, and their electrons."""

from typing import Literal, NamedTuple

from ._elements import SYMBOLS

Block = Literal["s", "p", "d", "f"]
_NOBLE = (0, 2, 10, 18, 36, 54, 86, 118)
# Electrons in (n−2)f, (n−1)d, ns, np of the free atoms whose ground state is not what Madelung's rule says.
# Kramida et al., NIST Atomic Spectra Database, ground levels.
_EXCEPTIONS = {
    24: (0, 5, 1, 0), 29: (0, 10, 1, 0),
    41: (0, 4, 1, 0), 42: (0, 5, 1, 0), 44: (0, 7, 1, 0), 45: (0, 8, 1, 0), 46: (0, 10, 0, 0), 47: (0, 10, 1, 0),
    57: (0, 1, 2, 0), 58: (1, 1, 2, 0), 64: (7, 1, 2, 0), 78: (14, 9, 1, 0), 79: (14, 10, 1, 0),
    89: (0, 1, 2, 0), 90: (0, 2, 2, 0), 91: (2, 1, 2, 0), 92: (3, 1, 2, 0), 93: (4, 1, 2, 0), 96: (7, 1, 2, 0),
    103: (14, 0, 2, 1),
}  # fmt: skip


class Valence(NamedTuple):
    """Electrons outside closed shells. Filled d and f shells count as closed where a later shell has begun.

    Args:
        s: In ns, where n is the period.
        p: In np.
        d: In (n−1)d; 0 once np has begun.
        f: In (n−2)f; 0 once it is full and (n−1)d or np has begun.
    """

    s: int
    p: int
    d: int
    f: int


def period(number: int) -> int:
    """The row of the periodic table, 1 to 7, of an atomic number."""
    _require(number)
    return sum(number > noble for noble in _NOBLE[:-1])


def group(number: int) -> int | None:
    """The column of the periodic table, 1 to 18; None in the f block, La to Yb and Ac to No.

    Lutetium and lawrencium are in group 3.

    References:
        Scerri, "Provisional Report on Discussions on Group 3 of the Periodic Table", Chem. Int. 43, 31 (2021).
    """
    row = period(number)
    place, missing = number - _NOBLE[row - 1], _NOBLE[row] - number
    if place <= 2 and number != 2:
        return place
    return 18 - missing if missing < 16 else None


def block(number: int) -> Block:
    """The block of the periodic table."""
    column = group(number)
    if column is None:
        return "f"
    if column <= 2 or number == 2:
        return "s"
    return "d" if column <= 12 else "p"


def valence(number: int) -> Valence:
    """The valence electrons of the free atom in its ground state.

    Example:
        >>> valence(42), valence(74)
        (Valence(s=1, p=0, d=5, f=0), Valence(s=2, p=0, d=4, f=0))
    """
    return _open(number, *_subshells(number))


def regular_valence(number: int) -> Valence:
    """The valence electrons by Madelung's rule alone: equal down a group, as chemistry mostly is.

    That a free atom of molybdenum is 4d⁵5s¹ and one of tungsten 5d⁴6s² is a matter of an eV, less than their bonds.

    Example:
        >>> regular_valence(42) == regular_valence(74) == valence(74)
        True
    """
    return _open(number, *_madelung(number))


def unpaired(number: int) -> int:
    """How many electrons are unpaired if every subshell follows Hund's first rule."""
    capacities = (14, 10, 2, 6)
    return sum(min(n, full - n) for n, full in zip(_subshells(number), capacities, strict=True))


def _subshells(number: int) -> tuple[int, int, int, int]:
    """Electrons in (n−2)f, (n−1)d, ns and np, where n is the period."""
    return _EXCEPTIONS[number] if number in _EXCEPTIONS else _madelung(number)


def _madelung(number: int) -> tuple[int, int, int, int]:
    row = period(number)
    left = number - _NOBLE[row - 1]
    s = min(left, 2)
    f = min(left - s, 14) if row >= 6 else 0
    d = min(left - s - f, 10) if row >= 4 else 0
    return f, d, s, left - s - f - d


def _open(number: int, f: int, d: int, s: int, p: int) -> Valence:
    where = block(number)
    return Valence(s, p, d if where in "df" else 0, f if where == "f" else 0)


def _require(number: int) -> None:
    if not 1 <= number <= len(SYMBOLS):
        raise ValueError(f"expected an atomic number from 1 to {len(SYMBOLS)}, received {number}")
