"""What malformed files are made of: valid files of every format, and the list of cases."""

import json
import struct
from typing import NamedTuple

import numpy as np


class Case(NamedTuple):
    name: str
    ending: str
    data: bytes
    kind: str
    expect: str
    why: str

    @property
    def file(self) -> str:
        return f"{self.name}.{self.ending}"


CASES: list[Case] = []
V = np.array([[0, 0, 0], [1, 0, 0], [0, 1, 0], [0, 0, 1]], float)
F = np.array([[0, 2, 1], [0, 1, 3], [0, 3, 2], [1, 2, 3]])
DENORMAL, HUGE, GIANT = V * 1e-40, V * 1e30, V * 1e200


def mesh(name: str, ending: str, data: bytes | str, expect: str, why: str) -> None:
    """Add a mesh case."""
    _add(name, ending, data, "mesh", expect, why)


def atoms(name: str, data: bytes | str, expect: str, why: str, ending: str = "extxyz") -> None:
    """Add a structure case."""
    _add(name, ending, data, "atoms", expect, why)


def _add(name: str, ending: str, data: bytes | str, kind: str, expect: str, why: str) -> None:
    data = data if isinstance(data, bytes) else data.encode()
    CASES.append(Case(f"{ending.split('.')[0].lower()}_{name}", ending, data, kind, expect, why))


def moved(index: int, value: float) -> np.ndarray:
    """The tetrahedron with one coordinate of one vertex replaced."""
    v = V.copy()
    v[index, 0] = value
    return v


def stl(v=V, f=F, count=None, header=b"", normal=None) -> bytes:
    """Binary STL."""
    out = header.ljust(80, b" ")[:80] + struct.pack("<I", len(f) if count is None else count)
    for t in f:
        p = np.asarray(v)[t]
        with np.errstate(all="ignore"):
            n = np.cross(p[1] - p[0], p[2] - p[0]) if np.nanmax(np.abs(p)) < 1e15 else np.zeros(3)
        with np.errstate(all="ignore"):
            out += np.float32([*(n if normal is None else normal), *p.ravel()]).tobytes() + b"\0\0"
    return out


def stl_text(v=V, f=F, name=" t", normal="0 0 0") -> str:
    """ASCII STL."""
    s = f"solid{name}\n"
    for t in f:
        rows = "".join("   vertex {!r} {!r} {!r}\n".format(*map(float, p)) for p in v[t])
        s += f" facet normal {normal}\n  outer loop\n{rows}  endloop\n endfacet\n"
    return s + f"endsolid{name}\n"


def obj(v=V, f=F, corner="{0}", offset=1) -> str:
    """OBJ; `corner` is formatted with each vertex number."""
    lines = ["v {!r} {!r} {!r}".format(*map(float, p)) for p in v]
    lines += ["f " + " ".join(corner.format(int(i) + offset) for i in t) for t in f]
    return "\n".join(lines) + "\n"


def ply_header(nv=4, nf=4, form="ascii", vertex="", index="int", number="uchar", tail="") -> str:
    """The header of a PLY file."""
    return (
        f"ply\nformat {form} 1.0\ncomment made for a test\nelement vertex {nv}\n"
        f"property float x\nproperty float y\nproperty float z\n{vertex}element face {nf}\n"
        f"property list {number} {index} vertex_indices\n{tail}end_header\n"
    )


def ply(v=V, f=F, rows=None, **header) -> str:
    """ASCII PLY."""
    body = "".join("{!r} {!r} {!r}\n".format(*map(float, p)) for p in v)
    body += rows if rows is not None else "".join("3 {} {} {}\n".format(*t) for t in f)
    return ply_header(**{"nv": len(v), "nf": len(f), **header}) + body


def ply_binary(v=V, f=F, order="<", **header) -> bytes:
    """Binary PLY of either byte order."""
    form = "binary_little_endian" if order == "<" else "binary_big_endian"
    head = ply_header(**{"nv": len(v), "nf": len(f), "form": form, **header}).encode()
    faces = b"".join(struct.pack(order + "B3i", 3, *map(int, t)) for t in f)
    return head + np.asarray(v, order + "f4").tobytes() + faces


def off(v=V, f=F, head="OFF\n", nv=None, nf=None) -> str:
    """OFF."""
    rows = "".join("{!r} {!r} {!r}\n".format(*map(float, p)) for p in v)
    faces = "".join("3 {} {} {}\n".format(*t) for t in f)
    return f"{head}{len(v) if nv is None else nv} {len(f) if nf is None else nf} 0\n{rows}{faces}"


def glb_tree(v=V, f=F) -> tuple[dict, bytes]:
    """The JSON tree and the binary chunk of a GLB file."""
    positions, indices = np.float32(v).tobytes(), np.uint16(f).tobytes()
    tree = {
        "asset": {"version": "2.0"},
        "scene": 0,
        "scenes": [{"nodes": [0]}],
        "nodes": [{"mesh": 0}],
        "meshes": [{"primitives": [{"attributes": {"POSITION": 0}, "indices": 1}]}],
        "buffers": [{"byteLength": len(positions) + len(indices)}],
        "bufferViews": [
            {"buffer": 0, "byteOffset": 0, "byteLength": len(positions)},
            {"buffer": 0, "byteOffset": len(positions), "byteLength": len(indices)},
        ],
        "accessors": [
            {"bufferView": 0, "componentType": 5126, "count": len(v), "type": "VEC3"},
            {"bufferView": 1, "componentType": 5123, "count": 3 * len(f), "type": "SCALAR"},
        ],
    }
    return tree, positions + indices


def glb_pack(text: bytes, binary: bytes, length: int | None = None) -> bytes:
    """The container of a GLB file."""
    text += b" " * (-len(text) % 4)
    binary += b"\0" * (-len(binary) % 4)
    chunks = struct.pack("<II", len(text), 0x4E4F534A) + text
    chunks += struct.pack("<II", len(binary), 0x004E4942) + binary if binary else b""
    return struct.pack("<4sII", b"glTF", 2, 12 + len(chunks) if length is None else length) + chunks


def glb(change=None, v=V, f=F, **pack) -> bytes:
    """GLB; `change(tree)` may alter the JSON tree in place or return another one."""
    tree, binary = glb_tree(v, f)
    tree = (change(tree) or tree) if change else tree
    return glb_pack(json.dumps(tree).encode(), binary, **pack)


LATTICE = 'Lattice="5 0 0 0 5 0 0 0 5" Properties=species:S:1:pos:R:3:forces:R:3 energy=-1.5 pbc="T T T"'
ROWS = ["H 0 0 0 0.1 0 0", "H 0 0 0.74 -0.1 0 0"]


def xyz(rows=ROWS, n=None, comment=LATTICE) -> str:
    """One extended XYZ frame."""
    return f"{len(rows) if n is None else n}\n{comment}\n" + "\n".join(rows) + "\n"
