"""OFF, the Object File Format, in its ASCII form."""

import numpy as np

from ...core._files import Source
from ...core._numbers import INTEGER, show
from ._rawmesh import Parsed
from ._rows import Rows, place, whole

# How many numbers a vertex line has: a position, then a normal, a colour (three or four), a texture point.
_COLUMNS = {
    b"OFF": (3,),
    b"NOFF": (6,),
    b"COFF": (6, 7),
    b"CNOFF": (9, 10),
    b"STOFF": (5,),
    b"STCOFF": (8, 9),
    b"STNOFF": (8,),
    b"STCNOFF": (11, 12),
}
_COLOUR = (0, 1, 3, 4)
_HEADER = "an OFF file starts with a line 'OFF' and a line with the numbers of vertices, faces and edges"
_DAMAGED = "the file is damaged; export it again"


def read_off(source: Source) -> Parsed:
    """Polygons of an ASCII OFF file; normals and colours are left out.

    Args:
        source: The open file.

    Returns:
        Polygons in float64.

    Raises:
        InputError: Counts that the file does not keep, or rows of the wrong form.
    """
    rows = Rows(source, comments=True)
    columns, vertices, faces = _header(source, rows)
    values, counts, lines = rows.take(vertices, "vertices")
    bad = np.flatnonzero((counts != counts[:1]) | ~np.isin(counts, columns))
    if bad.size:
        reason = f"the vertex has {int(counts[bad[0]])} numbers instead of {' or '.join(map(str, columns))}"
        raise source.error(
            f"line {int(lines[bad[0]])}", reason, "see that all vertex lines fit the OFF keyword"
        )
    points = np.ascontiguousarray(values.reshape(vertices, -1)[:, :3]) if vertices else np.zeros((0, 3))
    corners, number, face_lines = _faces(source, rows, faces)
    rows.end("faces")
    return Parsed(points, corners, number, place(face_lines), place(lines))


def _header(source: Source, rows: Rows) -> tuple[tuple[int, ...], int, int]:
    where, line = rows.line() or ("", b"")
    keyword, *words = line.split() or [b""]
    if keyword not in _COLUMNS or (words and not INTEGER.fullmatch(words[0])):
        raise source.error(where, f"{show(line.strip())} is not a supported OFF keyword", _HEADER)
    if not words:
        where, line = rows.line() or ("end of the file", b"")
        words = line.split()
    if len(words) not in (2, 3) or not all(map(INTEGER.fullmatch, words)) or min(map(int, words)) < 0:
        raise source.error(where, f"{show(b' '.join(words))} are not the counts of an OFF file", _HEADER)
    return _COLUMNS[keyword], int(words[0]), int(words[1])


def _faces(source: Source, rows: Rows, faces: int) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    values, counts, lines = rows.take(faces, "faces")
    starts = np.cumsum(counts) - counts
    number = whole(source, values[starts], lines, "the number of corners") if faces else np.zeros(0, np.int64)
    bad = np.flatnonzero((number < 0) | ~np.isin(counts - 1 - number, _COLOUR))
    if bad.size:
        given, promised = int(counts[bad[0]]) - 1, int(number[bad[0]])
        reason = f"the face promises {promised} corners and has {given} more numbers (corners, then a colour)"
        raise source.error(f"line {int(lines[bad[0]])}", reason, _DAMAGED)
    column = np.arange(len(values)) - np.repeat(starts, counts)
    row = np.repeat(np.arange(faces), counts)
    corner = (column >= 1) & (column <= number[row])
    return whole(source, values[corner], lines[row[corner]], "a vertex number"), number, lines
