"""Numbers of a solid and courses in time, as a configuration of heat in a part may write them."""

from itertools import pairwise
from typing import Annotated, Any

from pydantic import PlainValidator

from ._values_config import Said, checked_value

_THREE = "three numbers or formulas for the axes, or three rows of three"


def _positive(value: Any) -> float | str:
    """A number above 0, or the text of a formula, at which the problem looks later."""
    found = checked_value(value)
    if isinstance(found, float) and found <= 0:
        raise ValueError("input should be greater than 0")
    return found


def _conductivity(value: Any) -> float | str | list[float | str] | list[list[float | str]]:
    """A value, one for each axis of the part, or a matrix."""
    if not isinstance(value, list):
        return _positive(value)
    if len(value) == 6:
        raise ValueError("six numbers may be in any order: write the matrix as three rows of three")
    rows = [row for row in value if isinstance(row, list)]
    if len(value) != 3 or (rows and (len(rows) != 3 or any(len(row) != 3 for row in rows))):
        raise ValueError(f"a conductivity that depends on the direction is {_THREE}")
    if not rows:
        return [_positive(part) for part in value]
    return [[checked_value(part) for part in row] for row in rows]


def _course(value: Any) -> float | str | list[list[float]]:
    """A value, or pairs of a moment and the value there."""
    if not isinstance(value, list):
        return checked_value(value)
    pairs = [row for row in value if isinstance(row, list) and len(row) == 2]
    if len(pairs) < len(value) or len(pairs) < 2:
        raise ValueError("a table over the time has at least two pairs of s and value: [[0, 20], [60, 35]]")
    table = [[_plain(part) for part in row] for row in pairs]
    times = [time for time, _ in table]
    if any(after <= before for before, after in pairwise(times)):
        raise ValueError("the moments of a table over the time must increase from pair to pair")
    return table


def _plain(value: Any) -> float:
    found = checked_value(value)
    if isinstance(found, str):
        raise ValueError("the pairs of a table over the time are numbers")
    return found


def _temperatures(value: Any) -> float | str | list[list[float]]:
    """A course that is no temperature below 0 K, as far as that can be seen."""
    found = _course(value)
    lowest = min(level for _, level in found) if isinstance(found, list) else found
    if isinstance(lowest, float) and lowest < 0:
        raise ValueError("a temperature in K is at least 0")
    return found


Conductivity = Annotated[
    Any,
    PlainValidator(_conductivity),
    Said("number > 0 or formula, three of them for the axes, or a matrix of three rows"),
]
Capacity = Annotated[Any, PlainValidator(_positive), Said("number > 0 or formula")]
_OVER_TIME = "number, formula of `t`, or list of pairs of s and number"
Course = Annotated[Any, PlainValidator(_course), Said(_OVER_TIME)]
TemperatureCourse = Annotated[Any, PlainValidator(_temperatures), Said(_OVER_TIME)]
