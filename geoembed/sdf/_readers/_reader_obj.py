"""Wavefront OBJ."""

import re

import numpy as np

from ...core import InputError
from ...core._files import Source
from ...core._numbers import INTEGER, BadNumber, count_tokens, numbers, parse_rows, show
from ._obj_lines import OTHER, kinds, logical_lines, select
from ._rawmesh import Parsed

_IGNORED = {b"g", b"o", b"s", b"usemtl", b"mtllib", b"usemap", b"maplib", b"bevel", b"c_interp", b"d_interp"}
_IGNORED |= {b"lod", b"shadow_obj", b"trace_obj"}
_COUNTED = {b"l": "lines", b"p": "points"}
_CORNER = re.compile(rb"[-+]?\d{1,18}(?:/(?:[-+]?\d{1,18})?(?:/(?:[-+]?\d{1,18})?)?)?")
_WHOLE = rb"[-+]?\d{1,15}+"
_NUMBERS_3 = re.compile(rb"\s*+(?:" + _WHOLE + b"/" + _WHOLE + b"/" + _WHOLE + rb"\s++)*+")
_NUMBERS_N = re.compile(rb"\s*+(?:" + _WHOLE + b"//" + _WHOLE + rb"\s++)*+")
_NUMBERS_T = re.compile(rb"\s*+(?:" + _WHOLE + b"/" + _WHOLE + rb"\s++)*+")
_Columns = dict[int, tuple[np.ndarray, np.ndarray]]  # which corners have a number, and the numbers
_FACE = "a face line is 'f' and three or more corners, for example 'f 1 2 3' or 'f 1/1/1 2/2/1 3/3/1'"


def read_obj(source: Source) -> Parsed:
    """Polygons of an OBJ file: v and f statements; vt and vn are checked and left out, groups are joined.

    Args:
        source: The open file.

    Returns:
        Polygons in float64.

    Raises:
        InputError: A statement that is unknown or has the wrong form, or a number that refers to nothing.
    """
    reader = _Reader(source)
    for first, lines in logical_lines(source):
        reader.feed(first, lines)
    return reader.finish()


class _Reader:
    """Collects vertices and faces chunk by chunk."""

    def __init__(self, source: Source):
        self.source = source
        self.vertices: list[np.ndarray] = []
        self.vertex_lines: list[np.ndarray] = []
        self.corners: list[np.ndarray] = []
        self.counts: list[np.ndarray] = []
        self.face_lines: list[np.ndarray] = []
        self.number = {ord("v"): 0, ord("t"): 0, ord("n"): 0}
        self.largest = {ord("t"): (0, 0), ord("n"): (0, 0)}  # the largest number referred to, and its line
        self.relative = self.colours = 0
        self.ignored: dict[bytes, int] = {}

    def feed(self, first: int, lines: bytes) -> None:
        """Read the statements of some whole lines."""
        text = np.frombuffer(lines, np.uint8).copy()
        ends = np.flatnonzero(text == 10)
        begins = np.concatenate([[0], ends[:-1] + 1])
        kind = kinds(text, begins)
        number = np.arange(first, first + len(ends))
        for row in np.flatnonzero(kind == OTHER):
            self._other(lines[begins[row] : ends[row]], int(number[row]))
        for letter in b"vtn":
            self._points(
                letter, select(text, begins, ends, kind == letter, letter != ord("v")), number[kind == letter]
            )
        faces = kind == ord("f")
        before = {
            letter: (self.number[letter] - np.sum(kind == letter) + np.cumsum(kind == letter))[faces]
            for letter in b"vtn"
        }
        self._faces(select(text, begins, ends, faces, False), number[faces], before)

    def finish(self) -> Parsed:
        """All that was read, with references checked."""
        total = self.number[ord("v")]
        for letter, what in ((ord("t"), "texture point"), (ord("n"), "normal")):
            largest, line = self.largest[letter]
            if largest > self.number[letter]:
                raise self._no_such(line, what, largest, self.number[letter])
        corners = np.concatenate([np.zeros(0, np.int64), *self.corners])
        counts = np.concatenate([np.zeros(0, np.int64), *self.counts])
        lines = np.concatenate([np.zeros(0, np.int64), *self.face_lines])
        bad = np.flatnonzero(corners >= total)
        if bad.size:
            face = int(np.searchsorted(np.cumsum(counts), bad[0], side="right"))
            raise self._no_such(int(lines[face]), "vertex", int(corners[bad[0]]) + 1, total)
        if self.relative:
            self.source.notes.append(
                f"{self.relative} faces use relative (negative) numbers; they were resolved"
            )
        for word, count in self.ignored.items():
            self.source.notes.append(
                f"{count} '{word.decode()}' statements ({_COUNTED[word]}) are not surface; left out"
            )
        vertex_lines = np.concatenate([np.zeros(0, np.int64), *self.vertex_lines])
        return Parsed(
            np.concatenate([np.zeros((0, 3)), *self.vertices]),
            corners,
            counts,
            lambda face: f"line {int(lines[face])}",
            lambda vertex: f"line {int(vertex_lines[vertex])}",
        )

    def _no_such(self, line: int, what: str, number: int, total: int) -> InputError:
        reason = f"the face refers to {what} {number}, but the file has {total}"
        return self.source.error(f"line {line}", reason, "the file is damaged or incomplete; export it again")

    def _other(self, line: bytes, number: int) -> None:
        word = line.split(None, 1)[0]
        if word in _COUNTED:
            self.ignored[word] = self.ignored.get(word, 0) + 1
        elif word not in _IGNORED:
            reason = f"{show(word)} is not a statement of a polygon mesh in OBJ form"
            raise self.source.error(f"line {number}", reason, "export plain polygons (v and f statements)")

    def _points(self, letter: int, block: bytes, lines: np.ndarray) -> None:
        """Statements v, vt or vn."""
        if not len(lines):
            return
        try:
            values, counts = parse_rows(block)
        except BadNumber as error:
            raise self.source.error(f"line {int(lines[error.row])}", error.reason, error.hint) from None
        allowed = {ord("v"): (3, 4, 6, 7), ord("t"): (1, 2, 3), ord("n"): (3,)}[letter]
        bad = np.flatnonzero(~np.isin(counts, allowed))
        if bad.size:
            reason = (
                f"the statement has {int(counts[bad[0]])} numbers instead of {' or '.join(map(str, allowed))}"
            )
            raise self.source.error(
                f"line {int(lines[bad[0]])}", reason, "the file is damaged; export it again"
            )
        self.number[letter] += len(lines)
        if letter == ord("v"):
            self._vertices(values, counts, lines)

    def _vertices(self, values: np.ndarray, counts: np.ndarray, lines: np.ndarray) -> None:
        starts = np.cumsum(counts) - counts
        points = values[starts[:, None] + np.arange(3)]
        weighted = np.flatnonzero(counts == 4)
        wrong = weighted[values[starts[weighted] + 3] != 1.0]
        if wrong.size:
            reason = "the vertex has a weight w other than 1, as only rational curves and surfaces use"
            raise self.source.error(f"line {int(lines[wrong[0]])}", reason, "export plain polygons")
        self.vertices.append(points)
        self.vertex_lines.append(lines)

    def _faces(self, block: bytes, lines: np.ndarray, before: dict[int, np.ndarray]) -> None:
        if not len(lines):
            return
        plain = self._take_slashes(block, lines, before) if b"/" in block else block
        try:
            values, counts = parse_rows(plain)
            if b"." in plain or b"e" in plain or b"E" in plain or np.any(np.abs(values) >= 2**53):
                raise BadNumber(0, b"", "")
        except BadNumber:
            raise self._bad_corner(block, lines) from None
        if np.any(counts < 3):
            row = int(np.argmax(counts < 3))
            raise self.source.error(
                f"line {int(lines[row])}", f"the face has {int(counts[row])} corners", _FACE
            )
        corners, relative = self._resolve(values.astype(np.int64), counts, lines, before[ord("v")], "vertex")
        self.relative += relative
        self.corners.append(corners)
        self.counts.append(counts)
        self.face_lines.append(lines)

    def _resolve(self, corners, counts, lines, before, what) -> tuple[np.ndarray, int]:
        """Numbers from 0 instead of from 1 or relative, and how many faces had relative ones."""
        face = np.repeat(np.arange(len(counts)), counts)
        resolved = np.where(corners > 0, corners - 1, before[face] + corners)
        bad = np.flatnonzero((corners == 0) | (resolved < 0))
        if bad.size:
            value, line = int(corners[bad[0]]), int(lines[face[bad[0]]])
            if value == 0:
                raise self.source.error(
                    f"line {line}", f"a face refers to {what} 0, but OBJ counts from 1", _FACE
                )
            reason = f"a face refers to {what} {value}, but only {int(before[face[bad[0]]])} came before it"
            raise self.source.error(f"line {line}", reason, "the file is damaged; export it again")
        return resolved, len(np.unique(face[corners < 0]))

    def _take_slashes(self, block: bytes, lines: np.ndarray, before: dict[int, np.ndarray]) -> bytes:
        """The vertex numbers alone; texture and normal numbers are checked on the way."""
        tokens = block.split()
        face = np.repeat(np.arange(len(lines)), count_tokens(block))
        columns = _uniform(block) or _mixed(tokens)
        if columns is None:
            raise self._bad_corner(block, lines)
        for letter, what in ((ord("t"), "texture point"), (ord("n"), "normal")):
            at, values = columns[letter]
            if len(values) == 0:
                continue
            where = face[at]
            one = np.ones(len(values), np.int64)
            resolved, _ = self._resolve(values, one, lines[where], before[letter][where], what)
            top = int(np.argmax(resolved))
            if resolved[top] + 1 > self.largest[letter][0]:
                self.largest[letter] = (int(resolved[top]) + 1, int(lines[where[top]]))
        return re.sub(rb"/\S*+", b"", block)

    def _bad_corner(self, block: bytes, lines: np.ndarray) -> InputError:
        for row, line in enumerate(block.split(b"\n")):
            for token in line.split():
                if not _CORNER.fullmatch(token):
                    kind = (
                        "is not a corner" if b"/" in token or not INTEGER.fullmatch(token) else "is too large"
                    )
                    return self.source.error(f"line {int(lines[row])}", f"{show(token)} {kind}", _FACE)
        return self.source.error(f"line {int(lines[0])}", "a face cannot be read", _FACE)


def _uniform(block: bytes) -> _Columns | None:
    """Texture and normal numbers when all corners have the same of the three forms, read fast; else None."""
    for form, letters in ((_NUMBERS_3, "tn"), (_NUMBERS_N, "n"), (_NUMBERS_T, "t")):
        if not form.fullmatch(block):
            continue
        values = numbers(block.replace(b"/", b" ")).reshape(-1, 1 + len(letters)).astype(np.int64)
        every = np.arange(len(values))
        nothing = (every[:0], every[:0])
        return {ord(c): (every, values[:, 1 + letters.index(c)]) if c in letters else nothing for c in "tn"}
    return None


def _mixed(tokens: list[bytes]) -> _Columns | None:
    """Texture and normal numbers and which corners have them, or None when a corner has another form."""
    if not all(map(_CORNER.fullmatch, tokens)):
        return None
    parts = [token.split(b"/") for token in tokens]
    columns = {}
    for at, letter in ((1, ord("t")), (2, ord("n"))):
        chosen = [i for i, part in enumerate(parts) if len(part) > at and part[at]]
        columns[letter] = (
            np.array(chosen, np.int64),
            np.array([int(parts[i][at]) for i in chosen], np.int64),
        )
    return columns
