"""Arrays of a GLB file: buffers, views, accessors."""

from typing import Any

import numpy as np

from ...core import InputError

_REQUIRED = object()
_DAMAGED = "the file is damaged; export it again"
_TYPES = {5120: "<i1", 5121: "<u1", 5122: "<i2", 5123: "<u2", 5125: "<u4", 5126: "<f4"}


class Document:
    """The JSON tree and the binary chunk, read with checks.

    Args:
        name: The file's name.
        tree: The JSON chunk.
        binary: The binary chunk, empty when there is none.
    """

    def __init__(self, name: str, tree: dict[str, Any], binary: bytes):
        self.name, self.tree, self.binary = name, tree, binary

    def error(self, where: str, reason: str, hint: str) -> InputError:
        """An `InputError` about a place in the JSON chunk."""
        return InputError(self.name, where, reason, hint)

    def member(
        self, parent: dict[str, Any], where: str, key: str, kind: type, default: Any = _REQUIRED
    ) -> Any:
        """A member that must have the given JSON type."""
        value = parent.get(key, default)
        if value is _REQUIRED:
            raise self.error(where or "JSON chunk", f"'{key}' is missing", _DAMAGED)
        if not isinstance(value, kind):
            raise self.error(
                f"{where}.{key}".lstrip("."), f"it is not of the JSON type {kind.__name__}", _DAMAGED
            )
        return value

    def index(self, value: Any, limit: int, where: str) -> int:
        """A whole number in [0, limit)."""
        if isinstance(value, bool) or not isinstance(value, int) or not 0 <= value < limit:
            raise self.error(
                where, f"{str(value)[:40]} is not a whole number from 0 to {limit - 1}", _DAMAGED
            )
        return value

    def item(self, key: str, index: Any) -> tuple[dict[str, Any], str]:
        """An entry of a top-level list, and its place."""
        entries = self.member(self.tree, "", key, list)
        if not entries:
            raise self.error(key, "the list is empty", _DAMAGED)
        number = self.index(index, len(entries), key)
        if not isinstance(entries[number], dict):
            raise self.error(f"{key}[{number}]", "it is not an object", _DAMAGED)
        return entries[number], f"{key}[{number}]"

    def numbers(self, parent: dict[str, Any], where: str, key: str, size: int) -> np.ndarray:
        """A list of `size` finite numbers."""
        values = self.member(parent, where, key, list)
        if len(values) == size and all(
            isinstance(v, int | float) and not isinstance(v, bool) for v in values
        ):
            try:
                array = np.array([float(v) for v in values])
            except OverflowError:
                array = np.array([np.inf])
            if np.all(np.isfinite(array)):
                return array
        raise self.error(f"{where}.{key}", f"it is not a list of {size} finite numbers", _DAMAGED)


def read_positions(document: Document, primitive: dict[str, Any], where: str, notes: list[str]) -> np.ndarray:
    """The float32 positions of a primitive, [n, 3]."""
    attributes = document.member(primitive, where, "attributes", dict)
    if any(name.startswith(("JOINTS_", "WEIGHTS_")) for name in attributes):
        raise document.error(where, "skinned meshes are not supported", "apply the armature and export again")
    if "POSITION" not in attributes:
        raise document.error(where, "'POSITION' is missing", _DAMAGED)
    accessor, place = document.item("accessors", attributes["POSITION"])
    if accessor.get("componentType") != 5126 or accessor.get("type") != "VEC3":
        raise document.error(
            place, "positions are not float32 vectors of three", "export without quantisation"
        )
    points = _array(document, accessor, place, 3)
    for key, actual in (("min", np.min), ("max", np.max)):
        if key in accessor:
            stated = document.numbers(accessor, place, key, 3)
            finite = points[np.all(np.isfinite(points), axis=1)].astype(np.float64)
            size = np.abs(finite).max(initial=0)
            if len(finite) and np.any(np.abs(actual(finite, axis=0) - stated) > 1e-4 * size):
                notes.append(f"{place}: the positions do not agree with the '{key}' stated in the file")
    return points


def read_triangles(document: Document, primitive: dict[str, Any], where: str, points: int) -> np.ndarray:
    """The vertex numbers of a primitive's triangles, [f, 3]."""
    if "indices" not in primitive:
        indices = np.arange(points)
    else:
        accessor, place = document.item("accessors", primitive["indices"])
        if accessor.get("componentType") not in (5121, 5123, 5125) or accessor.get("type") != "SCALAR":
            raise document.error(place, "indices are not unsigned whole numbers", _DAMAGED)
        indices = _array(document, accessor, place, 1)[:, 0].astype(np.int64)
        if indices.max() >= points:
            reason = f"a triangle refers to vertex {int(indices.max())}, but there are {points}"
            raise document.error(place, reason, _DAMAGED)
    if len(indices) % 3:
        raise document.error(where, f"{len(indices)} corners are not a whole number of triangles", _DAMAGED)
    return indices.reshape(-1, 3)


def _array(document: Document, accessor: dict[str, Any], where: str, width: int) -> np.ndarray:
    """The rows of an accessor, [count, width]."""
    if "sparse" in accessor:
        raise document.error(where, "sparse accessors are not supported", "export without shape keys")
    if "bufferView" not in accessor:
        raise document.error(where, "it has no data (no bufferView)", "export without compression")
    view, view_where = document.item("bufferViews", accessor["bufferView"])
    if document.member(view, view_where, "extensions", dict, {}):
        raise document.error(view_where, "compressed buffers are not supported", "export without compression")
    start, length = _view(document, view, view_where)
    dtype = np.dtype(_TYPES[accessor["componentType"]])
    size = width * dtype.itemsize
    stride = document.index(view.get("byteStride", size), 253, f"{view_where}.byteStride")
    count = document.index(accessor.get("count"), 1 << 32, f"{where}.count")
    offset = document.index(accessor.get("byteOffset", 0), 1 << 32, f"{where}.byteOffset")
    if stride < size or ("byteStride" in view and (stride % 4 or width == 1)):
        raise document.error(
            view_where, f"a byteStride of {stride} does not fit rows of {size} bytes", _DAMAGED
        )
    if count == 0:
        raise document.error(where, "the count is 0", _DAMAGED)
    if (start + offset) % dtype.itemsize:
        raise document.error(where, "the data is not aligned to its type", _DAMAGED)
    if offset + (count - 1) * stride + size > length:
        reason = (
            f"{count} rows of {stride} bytes from byte {offset} do not fit in the {length} bytes of the view"
        )
        raise document.error(where, reason, _DAMAGED)
    first = start + offset
    return np.ndarray((count, width), dtype, document.binary, first, (stride, dtype.itemsize)).copy()


def _view(document: Document, view: dict[str, Any], where: str) -> tuple[int, int]:
    """Where a view starts in the binary chunk, and its length."""
    buffers = document.member(document.tree, "", "buffers", list)
    number = document.index(view.get("buffer"), max(len(buffers), 1), f"{where}.buffer")
    buffer, place = document.item("buffers", number)
    if "uri" in buffer or number != 0:
        raise document.error(place, "the buffer is outside the file", "export one self-contained GLB file")
    size = document.index(buffer.get("byteLength"), 1 << 32, f"{place}.byteLength")
    if not size <= len(document.binary) <= size + 3:
        reason = f"the buffer has {size} bytes, the binary chunk {len(document.binary)}"
        raise document.error(place, reason, _DAMAGED)
    offset = document.index(view.get("byteOffset", 0), 1 << 32, f"{where}.byteOffset")
    length = document.index(view.get("byteLength"), 1 << 32, f"{where}.byteLength")
    if offset + length > size:
        raise document.error(
            where, f"bytes {offset} to {offset + length} do not fit in the {size} bytes", _DAMAGED
        )
    return offset, length
