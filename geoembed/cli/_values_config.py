"""Numbers and formulas in a configuration, checked without knowing yet which names a formula may have."""

import math
from dataclasses import dataclass
from typing import Annotated, Any

from pydantic import PlainValidator

from ._parse_formula import LONGEST, FormulaError, parse


@dataclass(frozen=True)
class Said:
    """What the reference calls a type.

    Args:
        words: The words.
    """

    words: str


def _number(value: Any) -> float | None:
    """A finite number, None for anything else but a number that is not finite."""
    if isinstance(value, bool) or not isinstance(value, int | float):
        return None
    try:
        number = float(value)
    except OverflowError:
        number = math.inf
    if not math.isfinite(number):
        raise ValueError("input should be a finite number")
    return number


def checked_value(value: Any) -> float | str:
    """A number, or the text of a formula."""
    number = _number(value)
    if number is not None:
        return number
    if not isinstance(value, str):
        raise ValueError('a number or a formula in quotes is expected, such as 1.5 or "sin(pi*x)"')
    if not value.strip() or len(value) > LONGEST:
        raise ValueError(f"a formula has 1 to {LONGEST} characters")
    return value


def _constant(value: Any) -> float:
    """A number, or a formula without coordinates such as "2*pi"."""
    found = checked_value(value)
    if isinstance(found, float):
        return found
    parsed = parse(found, ())
    if parsed.constant is None:
        raise FormulaError(1, "this is true or false, no number", "Write a number")
    return parsed.constant


def _positive(value: Any) -> float:
    number = _constant(value)
    if number <= 0:
        raise ValueError("input should be greater than 0")
    return number


def _vector(value: Any) -> float | str | list[float | str]:
    """A value, or one for each component."""
    if not isinstance(value, list):
        return checked_value(value)
    if not 1 <= len(value) <= 3:
        raise ValueError("a vector has a number or a formula for each coordinate in space")
    return [checked_value(part) for part in value]


def _formulas(value: Any) -> float | str | list[float | str]:
    """A value, or several."""
    if not isinstance(value, list):
        return checked_value(value)
    if not value:
        raise ValueError("a formula is expected, or several in a list")
    return [checked_value(part) for part in value]


def _fluxes(value: Any) -> Any:
    """The components of a vector, or those of several vectors."""
    if isinstance(value, list) and value and all(isinstance(row, list) for row in value):
        return [_formulas(row) for row in value]
    return _formulas(value)


def _matrix(value: Any) -> float | str | list[list[float]]:
    """A value, or a square matrix of numbers."""
    if not isinstance(value, list):
        return checked_value(value)
    if not all(isinstance(row, list) and len(row) == len(value) for row in value) or not value:
        raise ValueError("a matrix has as many rows as columns: [[2, 0], [0, 1]]")
    return [[_constant(part) for part in row] for row in value]


def _values(value: Any) -> float | str | dict[str, float | str]:
    """A value, or one for each region of the domain by its name."""
    if not isinstance(value, dict):
        return checked_value(value)
    if not value:
        raise ValueError("a value for each region is expected, such as { brick = 20, rest = 15 }")
    return {name: checked_value(own) for name, own in value.items()}


def _two_names(value: Any) -> list[str]:
    """The names of two different things."""
    if not isinstance(value, list) or len(value) != 2 or not all(isinstance(name, str) for name in value):
        raise ValueError('two names are expected: ["brick", "wool"]')
    if value[0] == value[1]:
        raise ValueError("these are the same")
    return value


def _names(value: Any) -> list[str]:
    """A name, or several."""
    names = [value] if isinstance(value, str) else value
    if not isinstance(names, list) or not names or not all(isinstance(name, str) for name in names):
        raise ValueError('a name is expected, or several: "left" or ["left", "right"]')
    return names


Value = Annotated[Any, PlainValidator(checked_value), Said("number or formula")]
Values = Annotated[
    Any, PlainValidator(_values), Said("number or formula, or a table with one for each region")
]
Vector = Annotated[Any, PlainValidator(_vector), Said("number or formula, or one for each coordinate")]
Formulas = Annotated[Any, PlainValidator(_formulas), Said("formula, or a list of formulas")]
Fluxes = Annotated[Any, PlainValidator(_fluxes), Said("formula, or lists of formulas")]
Matrix = Annotated[Any, PlainValidator(_matrix), Said("number or formula, or a matrix of numbers")]
Constant = Annotated[float, PlainValidator(_constant), Said("number")]
Positive = Annotated[float, PlainValidator(_positive), Said("number > 0")]
Names = Annotated[Any, PlainValidator(_names), Said("name, or a list of names")]
RegionNames = Annotated[Any, PlainValidator(_two_names), Said("two names")]
