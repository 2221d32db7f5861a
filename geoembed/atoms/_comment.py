"""The comment line of an extended XYZ frame."""

import json
import re
from typing import Any

import numpy as np

from ..core._numbers import NUMBER, show

# key, then = and a value: "…", '…', {…}, […] or a word; a key alone means true.
_KEY = re.compile(rb"""\s*+(?:"((?:[^"\\]|\\.)*+)"|'((?:[^'\\]|\\.)*+)'|([^\s="',{}\[\]]++))""")
_VALUE = re.compile(
    rb"""\s*+=\s*+(?:"((?:[^"\\]|\\.)*+)"|'((?:[^'\\]|\\.)*+)'|\{([^{}]*+)\}|(\[[^"']*?\])(?=\s|$)|([^\s="'{}\[\]]++))"""
)
_ESCAPE = re.compile(r"\\(.)")
_TRUE, _FALSE = {"T", "True", "true", "TRUE"}, {"F", "False", "false", "FALSE"}
_INTEGER = re.compile(r"[-+]?\d{1,18}")
_NOT_FINITE = re.compile(r"[-+]?(?:nan|inf|infinity)", re.IGNORECASE)
_SPECIAL = {"lattice": "Lattice", "properties": "Properties", "pbc": "pbc"}

Info = dict[str, Any]


def parse_comment(line: bytes) -> Info:
    """The pairs key=value of a comment line.

    Values become bool, int, float, arrays of them (numbers separated by blanks, or brackets), JSON after
    `_JSON`, or stay text.

    Args:
        line: The line.

    Returns:
        The values by key.

    Raises:
        ValueError: A quotation mark or bracket is not closed, a key stands twice or in the wrong case, or a
            number is not finite. The message says so.
    """
    info: Info = {}
    position = 0
    line = line.rstrip()
    while position < len(line):
        key = _KEY.match(line, position)
        if not key or (key.end() < len(line) and line[key.end() : key.end() + 1] not in (b" ", b"\t", b"=")):
            raise ValueError(
                f"the comment line cannot be read at {show(line[position:].strip())}; a quote may be open"
            )
        name = _text(key)
        position = key.end()
        value: Any = True
        if line[position:].lstrip().startswith(b"="):
            match = _VALUE.match(line, position)
            if not match or (
                match.end() < len(line) and line[match.end() : match.end() + 1] not in (b" ", b"\t")
            ):
                raise ValueError(
                    f"the value of {name!r} cannot be read; a quotation mark or bracket may be open"
                )
            position = match.end()
            value = _value(name, _text(match))
        if name in info:
            raise ValueError(f"the key {name!r} stands twice")
        wanted = _SPECIAL.get(name.lower())
        if wanted not in (None, name):
            raise ValueError(f"the key {name!r} must be written {wanted!r}")
        info[name] = value
    return info


def _text(match: re.Match[bytes]) -> str:
    found = next(group for group in match.groups() if group is not None)
    try:
        text = found.decode("utf-8")
    except UnicodeDecodeError:
        raise ValueError(f"{show(found)} is not UTF-8 text") from None
    return _ESCAPE.sub(r"\1", text) if match[1] is not None or match[2] is not None else text


def _value(name: str, text: str) -> Any:
    """A value in the most specific type that its text allows; Properties stays text."""
    if name == "Properties":
        return text
    if text.startswith("_JSON"):
        return _json(name, text.removeprefix("_JSON"))
    if text.startswith("[") and text.endswith("]"):
        words = re.split(r"[\s,]+", re.sub(r"[\[\]]", " ", text).strip())
        kind = _array(name, words)
        return text if kind is None else _shaped(name, text, kind)
    words = text.split()
    if len(words) == 1:
        array = _array(name, words)
        return text if array is None else array[0].item()
    if len(words) > 1:
        array = _array(name, words)
        return text if array is None else array
    return text


def _array(name: str, words: list[str]) -> np.ndarray | None:
    """The words as bools, integers or floats, or None when they are something else."""
    if all(w in _TRUE or w in _FALSE for w in words):
        return np.array([w in _TRUE for w in words])
    if all(_INTEGER.fullmatch(w) for w in words):
        return np.array([int(w) for w in words])
    numbers = [bool(NUMBER.fullmatch(w.encode())) for w in words]
    if all(n or _NOT_FINITE.fullmatch(w) for n, w in zip(numbers, words, strict=True)):
        array = np.array([float(w) for w in words])
        if not np.all(np.isfinite(array)):
            raise ValueError(f"the value of {name!r} is not finite")
        return array
    return None


def _shaped(name: str, text: str, flat: np.ndarray) -> np.ndarray:
    """Numbers in brackets, of one or two dimensions."""
    inner = text[1:-1].strip()
    if not inner.startswith("["):
        return flat
    rows = inner.count("[")
    if inner.count("]") != rows or len(flat) % rows:
        raise ValueError(f"the brackets of {name!r} do not fit")
    return flat.reshape(rows, -1)


def _json(name: str, text: str) -> Any:
    def refuse(word: str) -> None:
        raise ValueError(word)

    try:
        value = json.loads(text, parse_constant=refuse)
    except (ValueError, RecursionError):
        raise ValueError(f"the JSON value of {name!r} cannot be read or is not finite") from None
    return value
