"""Where in a TOML text a key stands. `tomllib` does not say."""

import re

Place = tuple[str | int, ...]

_PART = re.compile(r""""([^"]*)"|'([^']*)'|([A-Za-z0-9_-]+)""")
_NAME = r"""(?:"[^"]*"|'[^']*'|[A-Za-z0-9_-]+)"""
_HEADER = re.compile(rf"^\s*(\[\[?)\s*({_NAME}(?:\s*\.\s*{_NAME})*)\s*\]\]?\s*(#.*)?$")
_KEY = re.compile(rf"^\s*({_NAME}(?:\s*\.\s*{_NAME})*)\s*=")


def key_lines(text: str) -> dict[Place, int]:
    """Returns the line, from 1, of every table and key that starts a line of its own.

    Elements of an array of tables carry their number: ("conditions", 0, "patch"). Keys of inline tables are
    not listed; `line_of` falls back to the line they are part of.
    """
    lines: dict[Place, int] = {}
    counts: dict[Place, int] = {}
    table: Place = ()
    for number, line in enumerate(text.splitlines(), start=1):
        if header := _HEADER.match(line):
            table = _numbered(_parts(header[2]), counts)
            if header[1] == "[[":
                counts[table] = counts.get(table, -1) + 1
                table = (*table, counts[table])
            lines.setdefault(table, number)
        elif key := _KEY.match(line):
            lines.setdefault((*table, *_parts(key[1])), number)
    return lines


def line_of(lines: dict[Place, int], place: Place) -> int | None:
    """Returns the line of a key, else of the first key below it, else of the table it belongs to."""
    for length in range(len(place), 0, -1):
        if place[:length] in lines:
            return lines[place[:length]]
        below = [line for key, line in lines.items() if key[:length] == place[:length]]
        if below:
            return min(below)
    return None


def _numbered(parts: list[str], counts: dict[Place, int]) -> Place:
    """The place of a table; below an array of tables it belongs to the last one so far."""
    place: Place = ()
    for part in parts:
        if place in counts:
            place = (*place, counts[place])
        place = (*place, part)
    return place


def _parts(name: str) -> list[str]:
    return ["".join(part) for part in _PART.findall(name)]
