"""The rows of a binary PLY file."""

from collections.abc import Callable

import numpy as np

from ...core._files import Source
from ._ply_header import Element, Header, Property
from ._ply_table import Table

_DAMAGED = "the file is damaged or was cut; export or copy it again"


def binary_elements(source: Source, header: Header) -> dict[str, Table]:
    """All elements of a binary file, either byte order.

    Args:
        source: The open file.
        header: Its header.

    Returns:
        A table for each element.

    Raises:
        InputError: Too few or too many bytes.
    """
    for element in header.elements:
        least = sum((p.count or p.dtype).itemsize for p in element.properties)
        if element.rows * least > source.size - header.size or (element.rows and not least):
            reason = (
                f"the header promises {element.rows} rows of '{element.name}', more than the file can hold"
            )
            raise source.error("header", reason, _DAMAGED)
    data = source.rest()
    offset, tables = header.size, {}
    for element in header.elements:
        tables[element.name], offset = _element(source, data, offset, element)
    if offset != len(data):
        reason = f"{len(data) - offset} bytes are left after the last row"
        raise source.error(
            f"byte {offset}", reason, "the header's counts and the data disagree; export it again"
        )
    return tables


def _element(source: Source, data: bytes, offset: int, element: Element) -> tuple[Table, int]:
    lists = [p for p in element.properties if p.count is not None]
    lengths = _lengths_of_first(data, offset, element)
    if lengths is not None:
        dtype = _row_type(element, lengths)
        end = offset + element.rows * dtype.itemsize
        if end <= len(data):
            rows = np.frombuffer(data, dtype, count=element.rows, offset=offset)
            if all(np.all(rows[_count(p)] == lengths[p.name]) for p in lists):
                return _uniform(rows, element, lengths, offset), end
    if not lists:
        reason = f"the file ends inside the {element.rows} rows of '{element.name}'"
        raise source.error("end of the file", reason, _DAMAGED)
    return _walk(source, data, offset, element)


def _count(item: Property) -> str:
    return "number of " + item.name


def _row_type(element: Element, lengths: dict[str, int]) -> np.dtype:
    """The layout of a row whose lists have the given lengths."""
    fields = []
    for item in element.properties:
        if item.count is None:
            fields.append((item.name, item.dtype))
        else:
            fields += [(_count(item), item.count), (item.name, item.dtype, (lengths[item.name],))]
    return np.dtype(fields)


def _lengths_of_first(data: bytes, offset: int, element: Element) -> dict[str, int] | None:
    """How long the lists of the first row are, or None when it does not fit in the file."""
    lengths = {}
    for item in element.properties if element.rows else ():
        kind = item.count or item.dtype
        if offset + kind.itemsize > len(data):
            return None
        if item.count is not None:
            lengths[item.name] = int(np.frombuffer(data, kind, 1, offset)[0])
            offset += max(lengths[item.name], 0) * item.dtype.itemsize
        offset += kind.itemsize
        if offset > len(data) or min(lengths.values(), default=0) < 0:
            return None
    return {p.name: lengths.get(p.name, 0) for p in element.properties if p.count is not None}


def _place(element: Element, byte: Callable[[int], int]) -> Callable[[int], str]:
    return lambda row: f"{element.name} {row} (byte {byte(row)})"


def _uniform(rows: np.ndarray, element: Element, lengths: dict[str, int], offset: int) -> Table:
    table = Table(_place(element, lambda row: offset + row * rows.dtype.itemsize))
    for item in element.properties:
        column = rows[item.name].astype(item.dtype.newbyteorder("="))
        if item.count is None:
            table.scalars[item.name] = column
        else:
            table.lists[item.name] = (column.ravel(), np.full(len(rows), lengths[item.name], np.int64))
    return table


def _walk(source: Source, data: bytes, offset: int, element: Element) -> tuple[Table, int]:
    """Read rows one by one, as lists of different lengths need."""
    values = {p.name: [] for p in element.properties}
    counts = {p.name: [] for p in element.properties}
    begins = np.zeros(element.rows, np.int64)
    for row in range(element.rows):
        begins[row] = offset
        for item in element.properties:
            number = 1
            if item.count is not None:
                head = data[offset : offset + item.count.itemsize]
                number = int(np.frombuffer(head, item.count)[0]) if len(head) == item.count.itemsize else -1
                offset += item.count.itemsize
            size = number * item.dtype.itemsize
            if number < 0 or offset + size > len(data):
                reason = f"a list of {number} values does not fit" if number >= 0 else "the file ends here"
                raise source.error(f"{element.name} {row} (byte {offset})", reason, _DAMAGED)
            values[item.name].append(data[offset : offset + size])
            counts[item.name].append(number)
            offset += size
    table = Table(_place(element, lambda row: int(begins[row])))
    for item in element.properties:
        column = np.frombuffer(b"".join(values[item.name]), item.dtype).astype(item.dtype.newbyteorder("="))
        if item.count is None:
            table.scalars[item.name] = column
        else:
            table.lists[item.name] = (column, np.array(counts[item.name], np.int64))
    return table, offset
