"""The rows of an ASCII PLY file."""

import numpy as np

from ...core._files import Source
from ._ply_header import Element, Header
from ._ply_table import Table
from ._rows import Rows, place, whole

_DAMAGED = "the file is damaged; export it again"


def ascii_elements(source: Source, header: Header) -> dict[str, Table]:
    """All elements, one line a row.

    Args:
        source: The open file.
        header: Its header.

    Returns:
        A table for each element.

    Raises:
        InputError: Too few or too many rows, or a row that does not fit the properties.
    """
    rows = Rows(source, comments=False)
    for _ in range(header.lines):
        rows.line()
    tables = {element.name: _element(source, rows, element) for element in header.elements}
    rows.end("rows")
    return tables


def _element(source: Source, rows: Rows, element: Element) -> Table:
    values, counts, lines = rows.take(element.rows, f"rows of '{element.name}'")
    table = Table(place(lines))
    starts = np.cumsum(counts) - counts
    done = np.zeros(element.rows, np.int64)  # how many numbers of each row are used up
    for item in element.properties:
        _enough(source, done + 1, counts, lines)
        column = values[starts + done]
        done = done + 1
        if item.count is None:
            whole_type = item.dtype.kind in "iu"
            table.scalars[item.name] = (
                whole(source, column, lines, f"'{item.name}'") if whole_type else column
            )
            continue
        number = whole(source, column, lines, f"the length of '{item.name}'")
        _enough(source, np.where(number < 0, counts + 1, done + number), counts, lines)
        position = np.arange(len(values)) - np.repeat(starts + done, counts)
        row = np.repeat(np.arange(element.rows), counts)
        chosen = (position >= 0) & (position < number[row])
        content = values[chosen]
        if item.dtype.kind in "iu":
            content = whole(source, content, lines[row[chosen]], f"'{item.name}'")
        table.lists[item.name] = (content, number)
        done = done + number
    _enough(source, done, counts, lines, exactly=True)
    return table


def _enough(source: Source, needed, counts, lines, *, exactly: bool = False) -> None:
    bad = np.flatnonzero((needed != counts) if exactly else (needed > counts))
    if bad.size:
        kind = "more" if counts[bad[0]] > needed[bad[0]] else "fewer"
        reason = f"the row has {kind} numbers ({int(counts[bad[0]])}) than its properties need"
        raise source.error(f"line {int(lines[bad[0]])}", reason, _DAMAGED)
