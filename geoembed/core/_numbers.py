"""Strict and fast reading of numbers from text."""

import re
import warnings

import numpy as np
from jaxtyping import Float64, Int64

NUMBER = re.compile(rb"[-+]?(?:\d+\.?\d*|\.\d+)(?:[eE][-+]?\d+)?")
INTEGER = re.compile(rb"[-+]?\d{1,18}")


class BadNumber(Exception):
    """A token that is not a finite decimal number.

    Args:
        row: The line of the block it stands in, counted from 0.
        token: The token.
        reason: What is wrong with it.
    """

    def __init__(self, row: int, token: bytes, reason: str):
        self.row, self.token, self.reason = row, token, reason
        super().__init__(row, token, reason)

    @property
    def hint(self) -> str:
        """How to mend this token."""
        if b"," in self.token:
            return "write a decimal point, not a comma, and separate numbers by blanks"
        if re.fullmatch(rb"[-+]?[\d.]+[dD][-+]?\d+", self.token):
            return "write the exponent with E instead of Fortran's D"
        return "correct the number or export the file again"


def show(token: bytes, limit: int = 40) -> str:
    """A token as it may stand in a message."""
    text = token[:limit].decode("utf-8", "replace")
    return repr(text if len(token) <= limit else text + "…")


def numbers(text: bytes) -> Float64[np.ndarray, " n"]:
    """All numbers of a text separated by white space.

    Raises:
        ValueError: Something in it is not a number. (`nan` and `inf` pass: look at the values.)
    """
    with warnings.catch_warnings():
        warnings.simplefilter("error")  # numpy before 2.4 warns where it should raise
        try:
            return np.fromstring(text, dtype=np.float64, sep=" ")
        except DeprecationWarning as error:
            raise ValueError(str(error)) from None


def count_tokens(lines: bytes) -> Int64[np.ndarray, " rows"]:
    r"""How many tokens each line has; every line ends with `\n`."""
    text = np.frombuffer(lines, np.uint8)
    begins = text > 32
    begins[1:] &= text[:-1] <= 32
    ends = np.flatnonzero(text == 10)
    if ends.size == 0:
        return np.zeros(0, np.int64)
    return np.diff(np.cumsum(begins, dtype=np.int64)[ends], prepend=0)


def parse_rows(lines: bytes) -> tuple[Float64[np.ndarray, " n"], Int64[np.ndarray, " rows"]]:
    r"""The finite numbers of whole lines, one after the other, and how many each line has.

    Args:
        lines: Text whose every line ends with `\n`.

    Returns:
        The numbers and the number of them on each line.

    Raises:
        BadNumber: A token is not a decimal number, is not finite, or overflows float64.
    """
    counts = count_tokens(lines)
    total = int(counts.sum())
    try:
        values = numbers(lines)
    except ValueError:
        values = None
    if values is None or values.size != total:
        raise first_bad(lines)
    wrong = np.flatnonzero(~np.isfinite(values))
    if wrong.size:
        row = int(np.searchsorted(np.cumsum(counts), wrong[0], side="right"))
        token = lines.split()[int(wrong[0])]
        raise BadNumber(row, token, f"{show(token)} is not a finite number")
    return values, counts


def first_bad(lines: bytes) -> BadNumber:
    """The first token of the lines that is not a decimal number."""
    for row, line in enumerate(lines.split(b"\n")):
        for token in line.split():
            if not NUMBER.fullmatch(token):
                return BadNumber(row, token, f"{show(token)} is not a number")
    return BadNumber(0, b"", "the numbers cannot be read")
