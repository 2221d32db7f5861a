"""PLY files, each with what a strict reader must do about it."""

import struct

import numpy as np

from .builders import F, V, mesh, moved, ply, ply_binary, ply_header


def add_ply_cases() -> None:
    """Add the cases to `CASES`."""
    good, binary = ply(), ply_binary()
    colour = "property uchar red\nproperty uchar green\nproperty uchar blue\n"
    extra = ply_header(vertex=colour).encode()
    rows = "".join("{!r} {!r} {!r} 9 9 9\n".format(*map(float, p)) for p in V)
    faces = "".join("3 {} {} {}\n".format(*t) for t in F)
    mesh("good", "ply", good, "ok", "ASCII")
    mesh("binary", "ply", binary, "ok", "little endian")
    mesh("big_endian", "ply", ply_binary(order=">"), "ok", "big endian")
    mesh(
        "big_says_little",
        "ply",
        ply_binary(order=">").replace(b"binary_big", b"binary_little"),
        "error",
        "wrong order",
    )
    mesh("colours", "ply", extra + (rows + faces).encode(), "ok", "extra properties")
    mesh(
        "colour_missing",
        "ply",
        extra + (rows + faces).replace(" 9 9 9", " 9 9", 1).encode(),
        "error",
        "a short row",
    )
    mesh(
        "colour_word",
        "ply",
        extra + (rows + faces).replace(" 9 9 9", " 9 x 9", 1).encode(),
        "error",
        "a word",
    )
    mesh(
        "colour_half",
        "ply",
        extra + (rows + faces).replace(" 9 9 9", " 9 9.5 9", 1).encode(),
        "error",
        "half a uchar",
    )
    mesh("count_mismatch", "ply", ply(nv=10), "error", "10 vertices promised, 4 given")
    mesh("count_too_small", "ply", ply(nf=3), "error", "3 faces promised, 4 given")
    mesh("count_bomb", "ply", ply(nv=10**15), "error", "1e15 vertices")
    mesh("count_giant", "ply", ply(nv=10**30), "error", "1e30 vertices")
    mesh("count_negative", "ply", ply(nv=-4), "error", "-4 vertices")
    mesh("no_end_header", "ply", good.replace("end_header\n", ""), "error", "no end_header")
    mesh("index_out_of_range", "ply", ply(f=np.vstack([F, [[0, 1, 50]]])), "error", "vertex 50 of 4")
    mesh("index_negative", "ply", ply(f=np.vstack([F, [[0, 1, -1]]])), "error", "vertex -1")
    mesh("index_half", "ply", good.replace("3 0 2 1", "3 0 2.5 1"), "error", "vertex 2.5")
    mesh("index_is_float", "ply", ply(index="float"), "error", "indices declared as float")
    mesh("list_count_float", "ply", ply(number="float"), "error", "list length declared as float")
    mesh("nan", "ply", ply(moved(1, np.nan)), "error", "nan vertex")
    mesh("binary_nan", "ply", ply_binary(moved(1, np.nan)), "error", "nan vertex")
    mesh("binary_cut", "ply", binary[:-3], "error", "cut in the last face")
    mesh("binary_more", "ply", binary + b"\0", "error", "a byte too many")
    mesh("binary_count_bomb", "ply", ply_binary(nv=2**40), "error", "1e12 vertices")
    mesh(
        "binary_text_mode",
        "ply",
        binary.replace(b"\n", b"\r\n") + b"\r\n",
        "error",
        "went through a text-mode copy",
    )
    mesh("binary_index", "ply", ply_binary(f=np.vstack([F, [[0, 1, 77]]])), "error", "vertex 77 of 4")
    big = binary.split(b"end_header\n")[0] + b"end_header\n" + np.float32(V).tobytes()
    big_list = struct.pack("<B", 255) + struct.pack("<255i", *[0] * 255)
    mesh(
        "binary_mixed",
        "ply",
        _mixed_ply(),
        "flagged",
        "triangles and quads; the vertex lists differ in length",
    )
    mesh("binary_long_list", "ply", big + big_list, "error", "a list of 255 where 4 faces are promised")
    long_list = (
        ply_header(nf=1, form="binary_little_endian", number="uint").encode() + np.float32(V).tobytes()
    )
    long_list += struct.pack("<I", 2_000_000) + b"\0" * 8_000_000
    mesh("binary_two_million", "ply", long_list, "error", "a face of two million corners")
    mesh("binary_list_bomb", "ply", long_list[:-7_999_000], "error", "a list longer than the file")
    signed = ply_header(nf=1, form="binary_little_endian", number="char").encode() + np.float32(V).tobytes()
    mesh("binary_list_negative", "ply", signed + b"\xff" + b"\0" * 12, "error", "a list of -1 corners")
    mesh(
        "two_corners", "ply", ply(rows=faces.replace("3 0 2 1", "2 0 2")), "error", "a face with two corners"
    )
    mesh(
        "row_too_long", "ply", good.replace("3 0 2 1", "3 0 2 1 3"), "error", "one number too many in a face"
    )
    mesh("row_too_short", "ply", good.replace("3 0 2 1", "4 0 2 1"), "error", "one number too few in a face")
    mesh("no_faces", "ply", ply(f=F[:0]), "error", "a point cloud")
    mesh(
        "no_face_element",
        "ply",
        good.split("element face")[0].replace("vertex 4", "vertex 1") + "end_header\n0 0 0\n",
        "error",
        "no faces",
    )
    mesh("no_z", "ply", good.replace("property float z\n", ""), "error", "vertices without z")
    mesh("unknown_type", "ply", good.replace("float x", "quad x"), "error", "an unknown type")
    mesh("unknown_format", "ply", good.replace("ascii 1.0", "ascii 2.0"), "error", "an unknown version")
    mesh("no_format", "ply", good.replace("format ascii 1.0\n", ""), "error", "no format line")
    mesh("property_twice", "ply", good.replace("property float y", "property float x"), "error", "x twice")
    mesh(
        "element_twice", "ply", good.replace("element face 4", "element vertex 4"), "error", "vertices twice"
    )
    mesh(
        "property_first",
        "ply",
        good.replace("element vertex 4\n", ""),
        "error",
        "a property before an element",
    )
    mesh(
        "header_garbage", "ply", good.replace("comment made", "comet made"), "error", "an unknown header line"
    )
    mesh("strips", "ply", good.replace("element face", "element tristrips"), "error", "triangle strips")
    mesh("crlf", "ply", good.replace("\n", "\r\n"), "ok", "DOS line ends")
    mesh("trailing_blank", "ply", good + "\n\n", "ok", "blank lines at the end")
    mesh(
        "vertex_index",
        "ply",
        good.replace("vertex_indices", "vertex_index"),
        "ok",
        "the other name of the list",
    )
    edge = good.replace(
        "end_header", "element edge 1\nproperty int vertex1\nproperty int vertex2\nend_header"
    )
    mesh("edges", "ply", edge + "0 1\n", "ok", "another element")
    mesh("edges_missing", "ply", edge, "error", "another element is missing")
    mesh("magic", "ply", good.replace("ply", "plx", 1), "error", "does not start with ply")
    mesh(
        "header_bomb",
        "ply",
        "ply\nformat ascii 1.0\n" + "comment x\n" * 200_000,
        "error",
        "an endless header",
    )
    mesh("bom", "ply", b"\xef\xbb\xbf" + good.encode(), "flagged", "UTF-8 byte order mark")
    mesh("bom_binary", "ply", b"\xef\xbb\xbf" + binary, "error", "a byte order mark before binary data")


def _mixed_ply() -> bytes:
    """A pyramid with a square base that is concave nowhere, and an unused vertex."""
    v = np.array([[0, 0, 0], [1, 0, 0], [1, 1, 0], [0, 1, 0], [0.5, 0.5, 1], [7, 7, 7]], "<f4")
    head = ply_header(nv=6, nf=5, form="binary_little_endian").encode() + v.tobytes()
    faces = [(0, 3, 2, 1), (0, 1, 4), (1, 2, 4), (2, 3, 4), (3, 0, 4)]
    return head + b"".join(struct.pack(f"<B{len(t)}i", len(t), *t) for t in faces)
