"""Rows of numbers of a text file, taken a known number at a time."""

import re
from collections.abc import Callable, Iterator

import numpy as np
from jaxtyping import Float64, Int64

from ...core._files import Source, text_chunks
from ...core._numbers import BadNumber, parse_rows

_DAMAGED = "the file is damaged or was cut; export or copy it again"


class Rows:
    """The lines of a text file that are not empty, with their line numbers.

    Args:
        source: The open file.
        comments: Whether `#` starts a comment.
    """

    def __init__(self, source: Source, *, comments: bool):
        self._source = source
        self._comments = comments
        self._chunks = text_chunks(source)
        self._load(b"", np.zeros(0, np.int64))

    def _load(self, text: bytes, numbers: Int64[np.ndarray, " rows"]) -> None:
        self._text, self._numbers, self._row = text, numbers, 0
        self._ends = np.flatnonzero(np.frombuffer(text, np.uint8) == 10) + 1

    def _more(self) -> bool:
        while self._row >= len(self._numbers):
            first, lines = next(self._chunks, (0, b""))
            if not lines:
                return False
            if self._comments and b"#" in lines:
                lines = re.sub(rb"#[^\n]*", b"", lines)
            lines = re.sub(rb"(?m)^[ \t]+$", b"", lines) if re.search(rb"(?m)^[ \t]+$", lines) else lines
            text = np.frombuffer(lines, np.uint8)
            lengths = np.diff(np.flatnonzero(text == 10), prepend=-1)
            kept = lengths > 1
            self._load(text[np.repeat(kept, lengths)].tobytes(), first + np.flatnonzero(kept))
        return True

    def line(self) -> tuple[str, bytes] | None:
        """The next line and its place, or None at the end."""
        block = next(self._blocks(1), None)
        return None if block is None else (f"line {int(block[1][0])}", block[0])

    def _blocks(self, count: int) -> Iterator[tuple[bytes, Int64[np.ndarray, " rows"]]]:
        while count > 0 and self._more():
            last = min(self._row + count, len(self._numbers))
            begin = int(self._ends[self._row - 1]) if self._row else 0
            lines = self._text[begin : int(self._ends[last - 1])]
            numbers = self._numbers[self._row : last]
            count -= last - self._row
            self._row = last
            yield lines, numbers

    def take(
        self, count: int, what: str
    ) -> tuple[Float64[np.ndarray, " n"], Int64[np.ndarray, " rows"], Int64[np.ndarray, " rows"]]:
        """The numbers of the next rows.

        Args:
            count: How many rows.
            what: What they are, in the plural, for messages.

        Returns:
            The numbers, how many each row has, and the rows' line numbers.

        Raises:
            InputError: The file ends before, or something is not a finite number.
        """
        values, counts, lines = [np.zeros(0)], [np.zeros(0, np.int64)], [np.zeros(0, np.int64)]
        for block, numbers in self._blocks(count):
            try:
                some, per_row = parse_rows(block)
            except BadNumber as error:
                where = f"line {int(numbers[error.row])}"
                raise self._source.error(where, error.reason, error.hint) from None
            values.append(some)
            counts.append(per_row)
            lines.append(numbers)
        found = sum(map(len, lines))
        if found < count:
            reason = f"the header promises {count} {what}, but the file ends after {found}"
            raise self._source.error("end of the file", reason, _DAMAGED)
        return np.concatenate(values), np.concatenate(counts), np.concatenate(lines)

    def end(self, what: str) -> None:
        """Make sure that no row is left.

        Raises:
            InputError: There is one.
        """
        if (line := self.line()) is not None:
            raise self._source.error(
                line[0], f"there is more text after the last of the {what} promised", _DAMAGED
            )


def place(lines: Int64[np.ndarray, " rows"]) -> Callable[[int], str]:
    """The place of a row, for messages."""
    return lambda row: f"line {int(lines[row])}"


def whole(
    source: Source, values: Float64[np.ndarray, " n"], lines: Int64[np.ndarray, " n"], what: str
) -> Int64[np.ndarray, " n"]:
    """Values that must be whole numbers, as integers.

    Raises:
        InputError: One is not whole, or has more than 15 digits.
    """
    bad = np.flatnonzero((values != np.rint(values)) | (np.abs(values) > 1e15))
    if bad.size:
        reason = f"{float(values[bad[0]])!r} is not a whole number, as {what} must be"
        raise source.error(f"line {int(lines[bad[0]])}", reason, _DAMAGED)
    return values.astype(np.int64)
