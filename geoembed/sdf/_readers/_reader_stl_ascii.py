"""ASCII STL."""

import re

import numpy as np

from ...core import InputError
from ...core._files import Source, text_chunks
from ...core._numbers import NUMBER, BadNumber, numbers, show
from ._rawmesh import Parsed
from ._stl_facets import against_order, parsed_facets

_POINT = rb"(\S++\s++\S++\s++\S++)\s++"
_FACET = re.compile(
    rb"\s*+facet\s++normal\s++"
    + _POINT
    + rb"outer\s++loop\s++"
    + (rb"vertex\s++" + _POINT) * 3
    + rb"endloop\s++"
    rb"endfacet(?=\s)",
    re.IGNORECASE,
)
_SOLID = re.compile(rb"\s*+solid(?:[ \t][^\n]*+)?\n", re.IGNORECASE)
_END = re.compile(rb"\s*+endsolid(?:[ \t][^\n]*+)?\n", re.IGNORECASE)
_NOT_FINITE = re.compile(
    rb"[-+]?(?:nan|inf|infinity)(?:\([a-z0-9]*\))?|[-+]?1\.#(?:qnan|ind|inf)\w*", re.IGNORECASE
)
_ORDER = (
    *(b"facet", b"normal", b"", b"", b"", b"outer", b"loop"),
    *(b"vertex", b"", b"", b"") * 3,
    *(b"endloop", b"endfacet"),
)
_STATEMENT = 1 << 21  # no facet needs as many characters
_CUT = "the file was probably cut while it was written or copied; export or copy it again"
_FORM = (
    "export the file again; ASCII STL has facets of the form 'facet normal … outer loop vertex … endfacet'"
)


def read_stl_ascii(source: Source) -> Parsed:
    """Triangles of an ASCII STL file; keywords in any case, any white space, several solids.

    Args:
        source: The open file.

    Returns:
        Unmerged triangles in float64.

    Raises:
        InputError: The text departs from the form, ends early, or holds something that is no finite number.
    """
    reader = _Reader(source)
    rest = b""
    for _, lines in text_chunks(source):
        rest = reader.feed(rest + lines)
    reader.finish(rest)
    corners = np.concatenate([np.zeros((0, 3, 3)), *reader.corners])
    against_order(np.concatenate([np.zeros((0, 3)), *reader.normals]), corners, source.notes)
    ends, lines = np.cumsum([len(part) for part in reader.corners]), reader.lines

    def place(facet: int) -> str:
        return f"facet {facet + 1}, after line {lines[int(np.searchsorted(ends, facet, side='right'))]}"

    return parsed_facets(corners, place)


class _Reader:
    """Reads statements from pieces of text; what is left of a piece goes in front of the next one."""

    def __init__(self, source: Source):
        self.source = source
        self.line = 1
        self.inside = False
        self.solids = self.empty = self.in_solid = self.odd_normals = 0
        self.corners: list[np.ndarray] = []
        self.normals: list[np.ndarray] = []
        self.lines: list[int] = []

    def feed(self, text: bytes) -> bytes:
        """Read all complete statements of a piece and return the rest."""
        position = 0
        while True:
            if self.inside:
                position = self._facets(text, position)
            match = (_END if self.inside else _SOLID).match(text, position)
            if not match:
                break
            position = match.end()
            self.solids += not self.inside
            self.empty += self.inside and self.in_solid == 0
            self.inside, self.in_solid = not self.inside, 0
        if len(text) - position > _STATEMENT and text[position:].strip():
            raise self._diagnose(text, position)
        rest = text[position:] if text[position:].strip() else b""
        self.line += text.count(b"\n", 0, len(text) - len(rest))
        return rest

    def finish(self, rest: bytes) -> None:
        """Make sure that nothing is left, and note what was odd."""
        if rest or self.inside:
            raise self._diagnose(rest, 0)
        notes = self.source.notes
        if self.solids > 1:
            notes.append(f"the file holds {self.solids} solids; they were read as one mesh")
        if self.empty:
            notes.append(f"{self.empty} of {self.solids} solids have no facets")
        if self.odd_normals:
            notes.append(
                f"{self.odd_normals} stored normals are not finite; normals come from the corners instead"
            )

    def _facets(self, text: bytes, begin: int) -> int:
        scan = _FACET.scanner(text, begin)  # pyright: ignore[reportAttributeAccessIssue]
        normals, corners, position = [], [], begin
        while match := scan.match():
            normals.append(match[1])
            corners.extend(match.group(2, 3, 4))
            position = match.end()
        if corners:
            line = self.line + text.count(b"\n", 0, begin)
            points = self._convert(b"\n".join(corners), text, begin, False)
            self.corners.append(points.reshape(-1, 3, 3))
            self.normals.append(self._convert(b"\n".join(normals), text, begin, True).reshape(-1, 3))
            self.lines.append(line)
            self.in_solid += len(normals)
        return position

    def _convert(self, block: bytes, text: bytes, begin: int, normal: bool) -> np.ndarray:
        try:
            values = numbers(block)
        except ValueError:
            values = None
        if values is not None and np.all(np.isfinite(values)):
            return values
        tokens = block.split()
        bad = next(
            (
                i
                for i, t in enumerate(tokens)
                if not (NUMBER.fullmatch(t) or (normal and _NOT_FINITE.fullmatch(t)))
            ),
            None,
        )
        if bad is None and normal:
            values = np.array([float(t) if NUMBER.fullmatch(t) else np.nan for t in tokens])
            self.odd_normals += int(np.sum(~np.all(np.isfinite(values.reshape(-1, 3)), axis=1)))
            return values
        if bad is None:
            bad = next(i for i, t in enumerate(tokens) if not np.isfinite(float(t)))
        facet, item = (bad // 3, 1) if normal else (bad // 9, 2 + bad % 9 // 3)
        raise self._bad_number(text, begin, facet, item, tokens[bad])

    def _bad_number(self, text: bytes, begin: int, facet: int, item: int, token: bytes) -> InputError:
        scan = _FACET.scanner(text, begin)  # pyright: ignore[reportAttributeAccessIssue]
        for _ in range(facet):
            scan.match()
        line = self.line + text.count(b"\n", 0, scan.match().start(item))
        finite = NUMBER.fullmatch(token) or _NOT_FINITE.fullmatch(token)
        error = BadNumber(0, token, f"{show(token)} is not a {'finite ' if finite else ''}number")
        return self.source.error(f"line {line}", error.reason, error.hint)

    def _diagnose(self, text: bytes, position: int) -> InputError:
        """Find the first word that is not what the form wants."""
        words = re.finditer(rb"\S++", text[position:])
        step = 0
        for word in words:
            wanted = b"solid" if not self.inside else _ORDER[step % len(_ORDER)]
            line = self.line + text.count(b"\n", 0, position + word.start())
            if wanted and word[0].lower() != wanted:
                return self.source.error(
                    f"line {line}", f"{show(word[0])} stands where '{wanted.decode()}' should", _FORM
                )
            if not wanted and not NUMBER.fullmatch(word[0]):
                error = BadNumber(0, word[0], f"{show(word[0])} is not a number")
                return self.source.error(f"line {line}", error.reason, error.hint)
            step += 1
        line = self.line + text.count(b"\n")
        missing = "a facet" if step else "a solid (no 'endsolid')"
        return self.source.error(f"line {line}", f"the file ends inside {missing}", _CUT)
