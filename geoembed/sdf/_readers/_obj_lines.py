"""The lines of an OBJ file: continued lines joined, comments taken off, statements sorted by kind."""

import re
from collections.abc import Iterator

import numpy as np

from ...core._files import MAX_LINE, Source, text_chunks

OTHER = ord("?")
_CONTINUED = re.compile(rb"(?m)^[ \t]*+[vf](?:[^\n]*\\\n)+[^\n]*\n")
_CUT = "the file was probably cut; export or copy it again"


def logical_lines(source: Source) -> Iterator[tuple[int, bytes]]:
    """Pieces of the file without comments and leading blanks, with continued lines joined.

    Joining leaves empty lines behind, so that line numbers stay true.

    Args:
        source: The open file.

    Returns:
        An iterator over (number of the first line, lines).

    Raises:
        InputError: A continued line at the file's end, of more than `MAX_LINE` characters, or of a statement
            other than v, vt, vn and f (a path that ends in a backslash would swallow the next statement).
    """
    carry, start = b"", 1
    for _, lines in text_chunks(source):
        # First the comments: one that ends in a backslash must not swallow the next line.
        lines = carry + (re.sub(rb"#[^\n]*", b"", lines) if b"#" in lines else lines)
        carry = b""
        if lines.endswith(b"\\\n"):
            cut = _start_of_last(lines)
            lines, carry = lines[:cut], lines[cut:]
            if len(carry) > MAX_LINE:
                row = lines.count(b"\n")
                raise source.error(
                    f"line {start + row}", f"a continued line is longer than {MAX_LINE} characters", _CUT
                )
        if b"\\\n" in lines:
            lines = _CONTINUED.sub(_join, lines)
            if (at := lines.find(b"\\\n")) >= 0:
                row = lines.count(b"\n", 0, at)
                hint = "take the backslash away from the line's end"
                raise source.error(
                    f"line {start + row}", "only v, vt, vn and f statements may be continued", hint
                )
        if lines:
            yield start, re.sub(rb"(?m)^[ \t]+", b"", lines) if re.search(rb"(?m)^[ \t]", lines) else lines
        start += lines.count(b"\n")
    if carry:
        raise source.error(f"line {start}", "the file ends in a continued line", _CUT)


def kinds(text: np.ndarray, begins: np.ndarray) -> np.ndarray:
    """For every line: v, t (for vt), n (for vn), f, 10 (empty), or `OTHER`."""
    padded = np.concatenate([text, np.full(3, 10, np.uint8)])
    one, two, three = padded[begins], padded[begins + 1], padded[begins + 2]
    kind = np.full(len(begins), OTHER, np.uint8)
    kind[one == 10] = 10
    for letter in b"vf":
        kind[(one == letter) & (two <= 32)] = letter
    for letter in b"tn":
        kind[(one == ord("v")) & (two == letter) & (three <= 32)] = letter
    return kind


def select(
    text: np.ndarray, begins: np.ndarray, ends: np.ndarray, rows: np.ndarray, two_letters: bool
) -> bytes:
    """The chosen lines without their keyword."""
    chosen = np.repeat(rows, ends - begins + 1)
    chosen[begins[rows]] = False
    if two_letters:
        chosen[begins[rows] + 1] = False
    return text[chosen].tobytes()


def _start_of_last(lines: bytes) -> int:
    """Where the logical line begins that the last physical line belongs to."""
    end = len(lines) - 1
    while (before := lines.rfind(b"\n", 0, end)) > 0 and lines[before - 1 : before] == b"\\":
        end = before
    return before + 1


def _join(match: re.Match[bytes]) -> bytes:
    text = match[0]
    return text.replace(b"\\\n", b"  ").rstrip(b"\n") + b"\n" * text.count(b"\n")
