"""Numbers for people: with the prefix of their unit."""

_PREFIXES = ((1e9, "G"), (1e6, "M"), (1e3, "k"), (1.0, ""), (1e-3, "m"), (1e-6, "µ"), (1e-9, "n"))


def scaled(value: float, unit: str) -> tuple[float, str]:
    """Returns a value in the unit with the prefix that makes it read well, and that unit. Lengths end at m.

    Args:
        value: The value.
        unit: Its SI unit.

    Example:
        >>> scaled(0.25, "m")
        (250.0, 'mm')
    """
    for factor, prefix in _PREFIXES[3 if unit == "m" else 0 :]:
        if abs(value) >= factor:
            return value / factor, prefix + unit
    return value / _PREFIXES[-1][0] if value else 0.0, _PREFIXES[-1][1] + unit if value else unit
