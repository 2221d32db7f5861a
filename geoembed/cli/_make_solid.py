"""From a configuration to the numbers of a solid and their courses in time."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
from jaxtyping import Float

from ._formula import Formula, FormulaMatrix, Formulas
from ._lines import Place
from ._places import Places

_PLACE, _TIME = ("x", "y", "z"), ("t",)


@dataclass(frozen=True)
class FormulaCourse:
    """A formula of the time.

    Args:
        formula: The formula, whose one coordinate is t.
    """

    formula: Formula

    def __call__(self, time: float) -> float:
        """Returns the value at a time in s."""
        return float(self.formula.at(np.array([[float(time)]]))[0])


@dataclass(frozen=True)
class TableCourse:
    """Values at moments, linear between them and constant beyond.

    Args:
        times: Moments, s, increasing.
        values: The values there.
    """

    times: tuple[float, ...]
    values: tuple[float, ...]

    def __call__(self, time: float) -> float:
        """Returns the value at a time in s."""
        return float(np.interp(float(time), self.times, self.values))


def make_conductivity(value: Any, places: Places, place: Place) -> Any:
    """A conductivity of the configuration as an equation takes it.

    Args:
        value: A number, a formula, three of them for the axes, or three rows of three.
        places: Makes the messages.
        place: Where it stands.

    Returns:
        A number, a matrix, or a function of the point that returns either.

    Raises:
        InputError: A formula is wrong.
    """
    if not isinstance(value, list):
        return places.formula(value, place, _PLACE)
    rows = value
    if not isinstance(value[0], list):
        rows = [[part if i == j else 0.0 for j in range(3)] for i, part in enumerate(value)]
    along = isinstance(value[0], list)
    made = [
        [places.formula(part, (*place, i, j) if along else (*place, i), _PLACE) for j, part in enumerate(row)]
        for i, row in enumerate(rows)
    ]
    if all(isinstance(part, float) for row in made for part in row):
        return made
    return FormulaMatrix(tuple(_row(row) for row in made))


def make_of_place(value: Any, places: Places, place: Place) -> float | Formula:
    """A number or formula of the point as a number or a function."""
    return places.formula(value, place, _PLACE)


def make_course(value: Any, places: Places, place: Place) -> float | Callable[[float], float]:
    """A course in time of the configuration as a number or a function of the time in s.

    Args:
        value: A number, a formula of t, or pairs of s and value.
        places: Makes the messages.
        place: Where it stands.

    Raises:
        InputError: The formula is wrong.
    """
    if isinstance(value, list):
        table: Float[np.ndarray, "n 2"] = np.array(value, np.float64)
        return TableCourse(*(tuple(column) for column in table.T.tolist()))
    found = places.formula(value, place, _TIME)
    return FormulaCourse(found) if isinstance(found, Formula) else found


def _row(parts: list[float | Formula]) -> Formulas:
    return Formulas(tuple(p if isinstance(p, Formula) else Formula(repr(p), _PLACE) for p in parts))
