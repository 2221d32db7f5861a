"""GLB files, each with what a strict reader must do about it."""

import json
import struct

import numpy as np

from .builders import F, V, glb, glb_pack, glb_tree, mesh, moved


def add_glb_cases() -> None:
    """Add the cases to `CASES`."""

    def put(*path, value):
        def change(tree):
            for key in path[:-1]:
                tree = tree[key]
            tree[path[-1]] = value

        return change

    primitive = ("meshes", 0, "primitives", 0)
    quarter = {
        "mesh": 0,
        "rotation": [0, 0, 0.5**0.5, 0.5**0.5],
        "translation": [1, 2, 3],
        "scale": [2, 2, 2],
    }
    mirror = {"mesh": 0, "matrix": [-1, 0, 0, 0, 0, 1, 0, 0, 0, 0, 1, 0, 0, 0, 0, 1]}
    mesh("good", "glb", glb(), "ok", "plain")
    mesh("transform", "glb", glb(put("nodes", 0, value=quarter)), "ok", "translation, rotation, scale")
    mesh("mirror", "glb", glb(put("nodes", 0, value=mirror)), "ok", "a mirror image keeps outward winding")
    mesh(
        "bad_length",
        "glb",
        b"glTF" + struct.pack("<IIII", 2, 0xFFFFFFF0, 0x7FFFFFF0, 0x4E4F534A) + b"{}  ",
        "error",
        "2 GB",
    )
    mesh("cut", "glb", glb()[:-8], "error", "cut at the end")
    mesh("more", "glb", glb() + b"\0\0\0\0", "error", "four bytes too many")
    mesh(
        "version_one",
        "glb",
        glb().replace(struct.pack("<4sI", b"glTF", 2), struct.pack("<4sI", b"glTF", 1)),
        "error",
        "1.0",
    )
    mesh("not_json", "glb", glb_pack(b"{no", b""), "error", "JSON damaged")
    mesh("json_list", "glb", glb_pack(b"[]", b""), "error", "JSON of another type")
    mesh("json_deep", "glb", glb_pack(b"[" * 500_000 + b"]" * 500_000, b""), "error", "deep nesting")
    mesh(
        "json_deep_object",
        "glb",
        glb_pack(b'{"a":' * 100_000 + b"1" + b"}" * 100_000, b""),
        "error",
        "deep nesting",
    )
    mesh(
        "json_nan",
        "glb",
        glb(put("nodes", 0, value={"mesh": 0, "scale": [float("nan"), 1, 1]})),
        "error",
        "NaN in JSON",
    )
    mesh(
        "json_giant",
        "glb",
        glb_pack(b'{"asset":{"version":"2.0"},"x":' + b"9" * 10_000 + b"}", b""),
        "error",
        "1e10000",
    )
    mesh(
        "json_twice", "glb", glb_pack(b'{"asset":{"version":"2.0"},"asset":{}}', b""), "error", "a name twice"
    )
    mesh("json_utf8", "glb", glb_pack(b'{"asset":"\xff\xfe"}', b""), "error", "not UTF-8")
    mesh(
        "json_large",
        "glb",
        glb_pack(b"[" + b"{}," * 3_000_000 + b"{}]", b""),
        "error",
        "nine megabytes of JSON",
    )
    mesh("empty_tree", "glb", glb_pack(b"{}", b""), "error", "nothing inside")
    mesh(
        "external",
        "glb",
        glb(put("buffers", 0, "uri", value="../../etc/passwd")),
        "error",
        "an external buffer",
    )
    mesh("data_uri", "glb", glb(put("buffers", 0, "uri", value="data:,AAAA")), "error", "a data URI")
    mesh(
        "sparse", "glb", glb(put("accessors", 0, "sparse", value={"count": 1})), "error", "a sparse accessor"
    )
    mesh(
        "no_view",
        "glb",
        glb(lambda t: t["accessors"][0].pop("bufferView") and None),
        "error",
        "an accessor without data",
    )
    mesh(
        "draco",
        "glb",
        glb(put("extensionsRequired", value=["KHR_draco_mesh_compression"])),
        "error",
        "compressed",
    )
    mesh(
        "draco_primitive",
        "glb",
        glb(put(*primitive, "extensions", value={"KHR_draco_mesh_compression": {}})),
        "error",
        "compressed",
    )
    mesh(
        "quantized",
        "glb",
        glb(put("accessors", 0, "componentType", value=5123)),
        "error",
        "positions are not float",
    )
    mesh(
        "count_too_large",
        "glb",
        glb(put("accessors", 0, "count", value=5)),
        "error",
        "an accessor past its view",
    )
    mesh("count_bomb", "glb", glb(put("accessors", 0, "count", value=2**31)), "error", "2e9 rows")
    mesh("count_zero", "glb", glb(put("accessors", 0, "count", value=0)), "error", "no rows")
    mesh(
        "count_true",
        "glb",
        glb(put("accessors", 0, "count", value=True)),
        "error",
        "a truth value for a count",
    )
    mesh("count_text", "glb", glb(put("accessors", 0, "count", value="4")), "error", "text for a count")
    mesh("accessor_range", "glb", glb(put(*primitive, "indices", value=7)), "error", "accessor 7 of 2")
    mesh("accessor_negative", "glb", glb(put(*primitive, "indices", value=-1)), "error", "accessor -1")
    mesh(
        "view_range",
        "glb",
        glb(put("bufferViews", 0, "byteLength", value=10**6)),
        "error",
        "a view past its buffer",
    )
    mesh(
        "view_offset",
        "glb",
        glb(put("bufferViews", 0, "byteOffset", value=10**6)),
        "error",
        "a view past its buffer",
    )
    mesh(
        "misaligned",
        "glb",
        glb(put("accessors", 0, "byteOffset", value=2)),
        "error",
        "a view past its end and misaligned",
    )
    mesh("stride_small", "glb", glb(put("bufferViews", 0, "byteStride", value=4)), "error", "rows overlap")
    mesh(
        "stride_large",
        "glb",
        glb(put("bufferViews", 0, "byteStride", value=252)),
        "error",
        "rows past the view",
    )
    mesh("strided", "glb", _strided(), "ok", "positions and normals interleaved")
    mesh(
        "buffer_short",
        "glb",
        glb(put("buffers", 0, "byteLength", value=10**6)),
        "error",
        "the chunk is shorter",
    )
    mesh("index_range", "glb", glb(f=np.vstack([F, [[0, 1, 9]]])), "error", "vertex 9 of 4")
    mesh("index_restart", "glb", glb(f=np.vstack([F, [[0, 1, 65535]]])), "error", "primitive restart")
    mesh(
        "index_float",
        "glb",
        glb(put("accessors", 1, "componentType", value=5126)),
        "error",
        "indices are float",
    )
    mesh("not_triples", "glb", glb(put("accessors", 1, "count", value=11)), "error", "eleven corners")
    mesh("lines", "glb", glb(put(*primitive, "mode", value=1)), "error", "lines")
    mesh("strip", "glb", glb(put(*primitive, "mode", value=5)), "error", "a triangle strip")
    mesh("mode_nine", "glb", glb(put(*primitive, "mode", value=9)), "error", "no such mode")
    mesh("morph", "glb", glb(put(*primitive, "targets", value=[{"POSITION": 0}])), "error", "a morph target")
    mesh("skin", "glb", glb(put("nodes", 0, value={"mesh": 0, "skin": 0})), "error", "a skin")
    mesh(
        "cycle",
        "glb",
        glb(put("nodes", value=[{"mesh": 0, "children": [1]}, {"children": [0]}])),
        "error",
        "a cycle",
    )
    mesh(
        "own_child", "glb", glb(put("nodes", value=[{"mesh": 0, "children": [0]}])), "error", "its own child"
    )
    mesh(
        "two_parents",
        "glb",
        glb(
            lambda t: t.update(
                scenes=[{"nodes": [0, 1]}], nodes=[{"children": [2]}, {"children": [2]}, {"mesh": 0}]
            )
        ),
        "error",
        "two parents",
    )
    mesh("child_range", "glb", glb(put("nodes", 0, "children", value=[9])), "error", "node 9 of 1")
    chain = [{"children": [i + 1]} for i in range(3000)] + [{"mesh": 0}]
    mesh("long_chain", "glb", glb(put("nodes", value=chain)), "ok", "three thousand nodes in a row")
    mesh(
        "matrix_and_scale",
        "glb",
        glb(put("nodes", 0, value={**mirror, "scale": [1, 1, 1]})),
        "error",
        "both given",
    )
    mesh("matrix_short", "glb", glb(put("nodes", 0, "matrix", value=[1, 0, 0])), "error", "three numbers")
    mesh(
        "matrix_projective",
        "glb",
        glb(put("nodes", 0, "matrix", value=[1, 0, 0, 1, 0, 1, 0, 0, 0, 0, 1, 0, 0, 0, 0, 1])),
        "error",
        "projective",
    )
    mesh("rotation_length", "glb", glb(put("nodes", 0, "rotation", value=[1, 1, 1, 1])), "error", "length 2")
    mesh("scale_zero", "glb", glb(put("nodes", 0, "scale", value=[0, 0, 0])), "error", "no face has area")
    mesh(
        "scale_infinite",
        "glb",
        glb(put("nodes", value=[{"children": [1], "scale": [1e300] * 3}, {"mesh": 0, "scale": [1e300] * 3}])),
        "error",
        "overflow",
    )
    copies = [{"mesh": 0, "translation": [3 * i, 0, 0]} for i in range(3)]
    mesh(
        "instances",
        "glb",
        glb(lambda t: t.update(scenes=[{"nodes": [0, 1, 2]}], nodes=copies)),
        "flagged",
        "three parts",
    )
    mesh(
        "unused_node",
        "glb",
        glb(put("nodes", value=[{"mesh": 0}, {"mesh": 0}])),
        "flagged",
        "a node outside the scene",
    )
    mesh("no_scene", "glb", glb(lambda t: t.pop("scenes") and None), "error", "no scene")
    mesh("scene_range", "glb", glb(put("scene", value=4)), "error", "scene 4 of 1")
    mesh("empty_scene", "glb", glb(put("scenes", value=[{}])), "error", "an empty scene")
    mesh(
        "wrong_bounds",
        "glb",
        glb(lambda t: t["accessors"][0].update(min=[0, 0, 0], max=[9, 9, 9])),
        "flagged",
        "stated bounds",
    )
    mesh(
        "right_bounds",
        "glb",
        glb(lambda t: t["accessors"][0].update(min=[0, 0, 0], max=[1, 1, 1])),
        "ok",
        "stated bounds",
    )
    mesh("nan", "glb", glb(v=moved(1, np.nan)), "error", "nan vertex")
    mesh(
        "gpu_instancing",
        "glb",
        glb(put("nodes", 0, "extensions", value={"EXT_mesh_gpu_instancing": {}})),
        "error",
        "instances",
    )
    mesh(
        "nodes_not_list", "glb", glb(put("nodes", value={"0": {"mesh": 0}})), "error", "an object for a list"
    )


def _strided() -> bytes:
    tree, _ = glb_tree()
    rows = np.concatenate([np.float32(V), np.float32(V)], axis=1).tobytes()
    tree["bufferViews"] = [
        {"buffer": 0, "byteLength": len(rows), "byteStride": 24},
        {"buffer": 0, "byteOffset": len(rows), "byteLength": 24},
    ]
    tree["buffers"] = [{"byteLength": len(rows) + 24}]
    return glb_pack(json.dumps(tree).encode(), rows + np.uint16(F).tobytes())
