"""An encoder's card: everything it declares and everything every encoder owes, as it was measured."""

import dataclasses
from collections.abc import Iterator
from typing import Any

from geoembed.core import Property

from ._check import Check


@dataclasses.dataclass(frozen=True, eq=False)
class Row:
    """One line of a card.

    Args:
        check: The measurement.
        dtype: The precision it was made in.
        declared: The property it measures; None for what every encoder owes.
    """

    check: Check
    dtype: str
    declared: Property | None = None


@dataclasses.dataclass(frozen=True, eq=False)
class Card:
    """What an encoder declares and what was measured. It is true when every row passed.

    Args:
        name: The encoder's class.
        rows: The measurements, declared properties first.
    """

    name: str
    rows: tuple[Row, ...]

    @property
    def passed(self) -> bool:
        """Whether every row passed."""
        return bool(self.rows) and all(row.check.passed for row in self.rows)

    def __bool__(self) -> bool:
        return self.passed

    def __str__(self) -> str:
        return self.to_text()

    def to_text(self) -> str:
        """The card as an aligned table."""
        head = ("property", "dtype", "measured", "tolerance", "verdict", "promise")
        lines = [head, *(_cells(row) for row in self.rows)]
        widths = [max(len(line[i]) for line in lines) for i in range(len(head))]
        table = [
            "  ".join(cell.ljust(w) for cell, w in zip(line, widths, strict=True)).rstrip() for line in lines
        ]
        return "\n".join([self.name, *table, *(note for row in self.rows for note in _notes(row))])

    def to_dict(self) -> dict[str, Any]:
        """The card as plain values for JSON."""
        rows = [
            row.check.to_dict()
            | {"dtype": row.dtype, "declared": row.declared is not None}
            | ({"exactness": row.declared.exactness, "domain": row.declared.domain} if row.declared else {})
            for row in self.rows
        ]
        return {"name": self.name, "passed": self.passed, "rows": rows}


def _notes(row: Row) -> Iterator[str]:
    """What a reader of the table needs besides; of a failure the input too, when it is short."""
    check = row.check
    if check.detail:
        yield f"  {check.name} ({row.dtype}): {check.detail}"
    worst_input = " ".join(repr(check.worst_input).split())
    if not check.passed and check.worst_input is not None and len(worst_input) <= 200:
        yield f"  {check.name} ({row.dtype}): worst input {worst_input}"


def _cells(row: Row) -> tuple[str, ...]:
    verdict = "passed" if row.check.passed else "FAILED"
    promise = f"{row.declared.exactness}, {row.declared.domain}" if row.declared else ""
    return (row.check.name, row.dtype, *figures(row.check), verdict, promise)


def figures(check: Check) -> tuple[str, str]:
    """The measured figure and the tolerance, with as many digits as it takes to tell a failed one from it."""
    digits = 2 if check.passed or f"{check.value:.2g}" != f"{check.tolerance:.2g}" else 9
    return f"{check.value:.{digits}g}", f"{check.tolerance:.{digits}g}"
