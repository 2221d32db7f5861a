"""GLB, binary glTF 2.0: the container and the scene."""

import json
import struct
from typing import Any

import numpy as np

from ...core._files import Source
from ._glb_accessors import Document, read_positions, read_triangles
from ._glb_nodes import world_matrices
from ._rawmesh import Parsed

MAX_JSON = 6 << 20
MAX_FACES = 20_000_000
_DAMAGED = "the file is damaged or was cut; export or copy it again"
_JSON, _BIN = 0x4E4F534A, 0x004E4942
# Extensions that change how things look, not where they are.
_HARMLESS = ("KHR_materials_", "KHR_texture_", "KHR_lights_", "EXT_texture_", "KHR_xmp")


def read_glb(source: Source) -> Parsed:
    """Triangles of a GLB file's scene, with the transforms of all nodes applied.

    Args:
        source: The open file.

    Returns:
        Triangles in the scene's coordinates.

    Raises:
        InputError: Lengths or references that do not fit, or features that would change the geometry and are
            not supported (external or compressed buffers, sparse accessors, strips, fans, skins, morph
            targets).
    """
    tree, binary = _chunks(source)
    document = Document(source.name, tree, binary)
    _check(document)
    meshes: dict[int, list[tuple[np.ndarray, np.ndarray, str]]] = {}
    vertices, faces, places, ends = [], [], [], []
    total = number = 0
    for where, mesh, matrix in world_matrices(document, source.notes):
        if mesh not in meshes:
            meshes[mesh] = _primitives(document, mesh, source.notes)
        for points, triangles, place in meshes[mesh]:
            number += len(triangles)
            if number > MAX_FACES:
                raise document.error(
                    where, f"the scene has more than {MAX_FACES} triangles", "export fewer copies"
                )
            flip = np.linalg.det(matrix[:3, :3]) < 0  # a mirror image changes the winding
            vertices.append(_transform(points, matrix))
            faces.append((triangles[:, ::-1] if flip else triangles) + total)
            total += len(points)
            places.append(f"{where}, {place}")
            ends.append(number)
    corners = np.concatenate([np.zeros(0, np.int64), *(part.ravel() for part in faces)])
    points = np.concatenate([np.zeros((0, 3), np.float32), *vertices])

    def face_place(face: int) -> str:
        return places[int(np.searchsorted(ends, face, side="right"))]

    def vertex_place(vertex: int) -> str:
        return face_place(int(np.argmax(corners == vertex)) // 3)

    return Parsed(points, corners, np.full(len(corners) // 3, 3, np.int64), face_place, vertex_place)


def _transform(points: np.ndarray, matrix: np.ndarray) -> np.ndarray:
    if np.array_equal(matrix, np.eye(4)):
        return points
    with np.errstate(over="ignore", invalid="ignore"):
        return points.astype(np.float64) @ matrix[:3, :3].T + matrix[:3, 3][None]


def _chunks(source: Source) -> tuple[dict[str, Any], bytes]:
    """The JSON tree and the binary chunk."""
    head = source.peek(20)
    if len(head) < 20 or head[:4] != b"glTF":
        raise source.error(
            "byte 0", "the file does not start with a GLB header", "export it again as binary glTF 2.0"
        )
    _, version, length, size, kind = struct.unpack("<4sIIII", head)
    if version != 2:
        raise source.error("byte 4", f"the version is {version}, not 2", "export it again as binary glTF 2.0")
    if length != source.size:
        raise source.error("byte 8", f"the header says {length} bytes, the file has {source.size}", _DAMAGED)
    if kind != _JSON or size % 4 or 20 + size > source.size:
        raise source.error("byte 12", f"the first chunk ({size} bytes) is not JSON or does not fit", _DAMAGED)
    if size > MAX_JSON:
        raise source.error("byte 12", f"the JSON chunk has more than {MAX_JSON} bytes", "split the scene")
    data = source.rest()
    binary, offset, seen = b"", 20 + size, False
    while offset < len(data):
        if offset + 8 > len(data):
            raise source.error(f"byte {offset}", "the file ends inside a chunk header", _DAMAGED)
        count, kind = struct.unpack_from("<II", data, offset)
        if count % 4 or offset + 8 + count > len(data):
            raise source.error(
                f"byte {offset}", f"a chunk of {count} bytes does not fit in the file", _DAMAGED
            )
        if kind == _BIN and seen:
            raise source.error(f"byte {offset}", "there is a second binary chunk", _DAMAGED)
        if kind == _BIN:
            binary, seen = data[offset + 8 : offset + 8 + count], True
        else:
            source.notes.append(f"a chunk of unknown kind 0x{kind:08x} was left out")
        offset += 8 + count
    return _json(source, data[20 : 20 + size]), binary


def _json(source: Source, text: bytes) -> dict[str, Any]:
    def refuse(word: str) -> None:
        raise ValueError(f"{word} is not JSON")

    def unique(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
        tree = dict(pairs)
        if len(tree) != len(pairs):
            raise ValueError("a name stands twice in one object")
        return tree

    try:
        tree = json.loads(text.decode("utf-8"), parse_constant=refuse, object_pairs_hook=unique)
    except RecursionError:
        raise source.error("JSON chunk", "it is nested too deeply", _DAMAGED) from None
    except ValueError as error:
        raise source.error("JSON chunk", f"it cannot be read: {str(error)[:200]}", _DAMAGED) from None
    if not isinstance(tree, dict):
        raise source.error("JSON chunk", "it is not an object", _DAMAGED)
    return tree


def _check(document: Document) -> None:
    asset = document.member(document.tree, "", "asset", dict)
    version = asset.get("version")
    if not isinstance(version, str) or not version.startswith("2."):
        raise document.error("asset", "the version is not 2.x", "export it again as binary glTF 2.0")
    for name in document.member(document.tree, "", "extensionsRequired", list, []):
        if not (isinstance(name, str) and name.startswith(_HARMLESS)):
            raise document.error(
                "extensionsRequired", f"the extension {name!r} is not supported", "export without it"
            )


def _primitives(document: Document, index: int, notes: list[str]) -> list[tuple[np.ndarray, np.ndarray, str]]:
    """Points and triangles of each primitive of a mesh."""
    mesh, where = document.item("meshes", index)
    result = []
    for number, primitive in enumerate(document.member(mesh, where, "primitives", list)):
        place = f"{where}.primitives[{number}]"
        if not isinstance(primitive, dict):
            raise document.error(place, "it is not an object", _DAMAGED)
        for name in document.member(primitive, place, "extensions", dict, {}):
            if not name.startswith(_HARMLESS):
                raise document.error(
                    place, f"the extension {name!r} is not supported", "export without compression"
                )
        if document.member(primitive, place, "targets", list, []):
            raise document.error(
                place, "morph targets are not supported", "export one shape without shape keys"
            )
        mode = document.index(primitive.get("mode", 4), 7, f"{place}.mode")
        if mode != 4:
            raise document.error(place, f"the mode is {mode}, not triangles (4)", "export triangles")
        points = read_positions(document, primitive, place, notes)
        result.append((points, read_triangles(document, primitive, place, len(points)), place))
    if not result:
        raise document.error(where, "the mesh has no primitives", _DAMAGED)
    return result
