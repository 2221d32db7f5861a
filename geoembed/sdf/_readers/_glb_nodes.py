"""The node tree of a GLB file."""

from collections.abc import Iterator
from typing import Any

import numpy as np

from ._glb_accessors import Document

_DAMAGED = "the file is damaged; export it again"
_HARMLESS = ("KHR_lights_", "KHR_node_", "KHR_xmp")


def world_matrices(document: Document, notes: list[str]) -> Iterator[tuple[str, int, np.ndarray]]:
    """Every use of a mesh in the scene.

    Args:
        document: The file.
        notes: Appended to when meshes outside the scene are left out.

    Returns:
        An iterator over (place of the node, number of the mesh, its 4 × 4 matrix to the scene's coordinates).

    Raises:
        InputError: A node that is its own ancestor or has two parents, or a transform that is none.
    """
    count = len(document.member(document.tree, "", "nodes", list, []))
    stack = [(node, np.eye(4), "scene") for node in reversed(_roots(document, notes))]
    seen: set[int] = set()
    while stack:
        number, parent, where = stack.pop()
        number = document.index(number, max(count, 1), f"{where}.nodes")
        node, place = document.item("nodes", number)
        if number in seen:
            raise document.error(place, "the node is used twice or is its own ancestor", _DAMAGED)
        seen.add(number)
        for name in document.member(node, place, "extensions", dict, {}):
            if not name.startswith(_HARMLESS):
                raise document.error(place, f"the extension {name!r} is not supported", "export without it")
        with np.errstate(over="ignore", invalid="ignore"):
            matrix = parent @ _local(document, node, place)
        if not np.all(np.isfinite(matrix)):
            raise document.error(place, "the transforms multiply to numbers that are not finite", _DAMAGED)
        children = document.member(node, place, "children", list, [])
        stack += [(child, matrix, place) for child in reversed(children)]
        if "skin" in node:
            raise document.error(
                place, "skinned meshes are not supported", "apply the armature and export again"
            )
        if "mesh" in node:
            meshes = len(document.member(document.tree, "", "meshes", list))
            yield place, document.index(node["mesh"], max(meshes, 1), f"{place}.mesh"), matrix
    entries = document.member(document.tree, "", "nodes", list, [])
    unused = [
        i for i in range(count) if i not in seen and isinstance(entries[i], dict) and "mesh" in entries[i]
    ]
    if unused:
        notes.append(f"{len(unused)} nodes with a mesh are not in the scene and were left out")


def _roots(document: Document, notes: list[str]) -> list[Any]:
    scenes = document.member(document.tree, "", "scenes", list, [])
    if not scenes:
        raise document.error(
            "scenes", "the file has no scene, so nothing says which objects belong to it", _DAMAGED
        )
    if len(scenes) > 1:
        notes.append(f"the file has {len(scenes)} scenes; only the default one was read")
    scene, where = document.item("scenes", document.tree.get("scene", 0))
    return document.member(scene, where, "nodes", list, [])


def _local(document: Document, node: dict[str, Any], where: str) -> np.ndarray:
    """A node's own 4 × 4 matrix."""
    parts = [key for key in ("translation", "rotation", "scale") if key in node]
    if "matrix" in node:
        if parts:
            raise document.error(where, f"it has both a matrix and a {parts[0]}", _DAMAGED)
        matrix = document.numbers(node, where, "matrix", 16).reshape(4, 4).T
        if np.any(matrix[3] != [0, 0, 0, 1]):
            raise document.error(f"{where}.matrix", "the last row is not 0 0 0 1", _DAMAGED)
        return matrix
    matrix = np.eye(4)
    if "rotation" in node:
        matrix[:3, :3] = _rotation(document, document.numbers(node, where, "rotation", 4), where)
    if "scale" in node:
        matrix[:3, :3] = matrix[:3, :3] * document.numbers(node, where, "scale", 3)[None]
    if "translation" in node:
        matrix[:3, 3] = document.numbers(node, where, "translation", 3)
    return matrix


def _rotation(document: Document, quaternion: np.ndarray, where: str) -> np.ndarray:
    length = float(np.linalg.norm(quaternion))
    if not abs(length - 1) < 1e-3:
        raise document.error(f"{where}.rotation", "the quaternion does not have length 1", _DAMAGED)
    x, y, z, w = quaternion / length
    return np.array(
        [
            [1 - 2 * (y * y + z * z), 2 * (x * y - z * w), 2 * (x * z + y * w)],
            [2 * (x * y + z * w), 1 - 2 * (x * x + z * z), 2 * (y * z - x * w)],
            [2 * (x * z - y * w), 2 * (y * z + x * w), 1 - 2 * (x * x + y * y)],
        ]
    )
