"""Units of length that meshes may be given in."""

from ..core import InputError

UNITS: dict[str, float] = {"m": 1.0, "cm": 1e-2, "mm": 1e-3, "um": 1e-6, "in": 0.0254, "ft": 0.3048}
"""Metres per unit."""

_ALIASES = {"inch": "in", "inches": "in", "µm": "um", "μm": "um", "foot": "ft", "feet": "ft"}


def canonical_unit(unit: str) -> str:
    """The unit's name as `UNITS` has it.

    Args:
        unit: A name of `UNITS` or an alias (inch, inches, foot, feet, µm).

    Returns:
        The name in `UNITS`.

    Raises:
        InputError: Nobody knows the unit.

    Example:
        >>> canonical_unit("inches")
        'in'
    """
    name = _ALIASES.get(unit, unit)
    if name not in UNITS:
        raise InputError(
            repr(unit), "unit", "is not a known unit of length", f"use one of {', '.join(UNITS)}"
        )
    return name
