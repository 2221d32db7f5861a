"""Where in a configuration file something stands, for what is built from it."""

from pathlib import Path

from ..core import InputError
from ._formula import Formula, Formulas
from ._lines import Place
from ._parse_formula import FormulaError
from ._read_config import place_of


class Places:
    """Makes messages that name a place in one file.

    Args:
        file: The configuration file.
    """

    def __init__(self, file: Path):
        self.file = file

    def wrong(self, place: Place, reason: str, hint: str) -> InputError:
        """An error at a key.

        Args:
            place: The key.
            reason: What is wrong, in one sentence without a full stop.
            hint: How to mend it.
        """
        return InputError(self.file, place_of(self.file, place), reason, hint)

    def formula(
        self, value: float | str, place: Place, names: tuple[str, ...], unknowns: tuple[str, ...] = ()
    ) -> float | Formula:
        """A value of the configuration as a number or a function of a point.

        Args:
            value: A number, or the text of a formula.
            place: Where it stands.
            names: The coordinates that a formula may have.
            unknowns: The unknowns that it may have.
        """
        if not isinstance(value, str):
            return value
        try:
            found = Formula(value, names, unknowns)
            return found if found.constant is None else found.constant
        except FormulaError as error:
            raise self.in_formula(place, value, error) from error

    def in_formula(self, place: Place, text: str, error: FormulaError) -> InputError:
        """An error inside a formula, with its column and the text around it."""
        near = text[max(0, error.column - 16) : error.column + 14]
        reason = f"column {error.column} of the formula, near {near!r}: {error.reason}"
        return self.wrong(place, reason, error.hint)

    def vector(
        self,
        values: list[float | str],
        place: Place,
        names: tuple[str, ...],
        unknowns: tuple[str, ...],
    ) -> list[float] | Formulas:
        """Several values as a vector."""
        parts = [self.formula(value, (*place, i), names, unknowns) for i, value in enumerate(values)]
        numbers = [part for part in parts if isinstance(part, float)]
        if len(numbers) == len(parts):
            return numbers
        return Formulas(
            tuple(p if isinstance(p, Formula) else Formula(repr(p), names, unknowns) for p in parts)
        )
