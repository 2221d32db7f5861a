"""The header of a PLY file."""

import re
from dataclasses import dataclass

import numpy as np

from ...core._files import Source
from ...core._numbers import show

_LIMIT = 1 << 16
_TYPES = {
    "char": "i1", "uchar": "u1", "short": "i2", "ushort": "u2", "int": "i4", "uint": "u4",
    "int8": "i1", "uint8": "u1", "int16": "i2", "uint16": "u2", "int32": "i4", "uint32": "u4",
    "float": "f4", "double": "f8", "float32": "f4", "float64": "f8",
}  # fmt: skip
_FORMS = {"ascii": "", "binary_little_endian": "<", "binary_big_endian": ">"}
_HINT = "the file is damaged or not PLY; export it again"


@dataclass(frozen=True)
class Property:
    """One property: its name, the type of its values, and of the count when it is a list."""

    name: str
    dtype: np.dtype
    count: np.dtype | None = None


@dataclass(frozen=True)
class Element:
    """One element: its name, its number of rows, its properties."""

    name: str
    rows: int
    properties: tuple[Property, ...]


@dataclass(frozen=True)
class Header:
    """A header: `form` (ascii or binary_…), the elements, its length in bytes and in lines."""

    form: str
    elements: tuple[Element, ...]
    size: int
    lines: int

    def element(self, name: str) -> Element | None:
        """The element of that name, if there is one."""
        return next((e for e in self.elements if e.name == name), None)


def read_header(source: Source) -> Header:
    """Read the header without moving in the file.

    Args:
        source: The open file.

    Returns:
        The header.

    Raises:
        InputError: Any line of it that is not understood, or no end within 64 KiB.
    """
    head = source.peek(_LIMIT)
    mark = 3 if head.startswith(b"\xef\xbb\xbf") else 0
    match = re.search(rb"(?:^|[\r\n])end_header[ \t]*(\r\n|\r|\n)", head)
    if not match:
        raise source.error("header", f"there is no 'end_header' in the first {_LIMIT} bytes", _HINT)
    lines = re.split(rb"\r\n|\r|\n", head[mark : match.start(1)])
    form, elements = "", []
    for number, line in enumerate(lines[1:-1], start=2):
        try:
            words = line.decode("ascii", "replace").split()
            form = _statement(words, form, elements)
        except (ValueError, KeyError, IndexError):
            raise source.error(f"line {number}", f"{show(line)} is not understood", _HINT) from None
    if lines[0].strip() != b"ply" or not form:
        raise source.error("line 1", "the file does not start with 'ply' and 'format'", _HINT)
    if mark and form != "ascii":
        raise source.error("byte 0", "a binary file cannot start with a UTF-8 byte order mark", _HINT)
    return Header(form, tuple(elements), match.end(), len(lines))


def _statement(words: list[str], form: str, elements: list[Element]) -> str:
    """Apply one header line; returns the form. Raises ValueError, KeyError, IndexError for a bad line."""
    match words:
        case ["comment" | "obj_info", *_]:
            return form
        case ["format", name, "1.0"] if not form and name in _FORMS:
            return name
        case ["element", name, count] if form and re.fullmatch(r"\d{1,18}", count):
            if any(e.name == name for e in elements):
                raise ValueError(name)
            elements.append(Element(name, int(count), ()))
            return form
        case ["property", "list", count, kind, name]:
            added = Property(name, _dtype(form, kind), _dtype(form, count))
            if added.count is not None and added.count.kind not in "iu":
                raise ValueError(count)
        case ["property", kind, name]:
            added = Property(name, _dtype(form, kind))
        case _:
            raise ValueError(words)
    last = elements[-1]
    if any(p.name == added.name for p in last.properties):
        raise ValueError(added.name)
    elements[-1] = Element(last.name, last.rows, (*last.properties, added))
    return form


def _dtype(form: str, name: str) -> np.dtype:
    return np.dtype(_FORMS[form] + _TYPES[name])
