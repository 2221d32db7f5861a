"""OBJ files, each with what a strict reader must do about it."""

import numpy as np

from .builders import GIANT, F, V, mesh, moved, obj, off


def add_obj_cases() -> None:
    """Add the cases to `CASES`."""
    concave = "v 0 0 0\nv 2 0 0\nv 2 2 0\nv 1 0.5 0\nv 0 2 0\nf 1 2 3 4 5\n"
    vt_vn = "vt 0 0\nvt 1 0\nvt 0 1\nvn 0 0 1\n"
    good = obj()
    mesh("good", "obj", good, "ok", "plain")
    mesh("slashes", "obj", vt_vn + obj(corner="{0}/1/1"), "ok", "v/vt/vn")
    mesh("slashes_no_vt", "obj", vt_vn + obj(corner="{0}//1"), "ok", "v//vn")
    mesh("slashes_vt", "obj", vt_vn + obj(corner="{0}/3"), "ok", "v/vt")
    mesh("slashes_bad_vt", "obj", vt_vn + obj(corner="{0}/9"), "error", "refers to texture point 9 of 3")
    mesh("slashes_bad_vn", "obj", vt_vn + obj(corner="{0}//2"), "error", "refers to normal 2 of 1")
    mesh("slashes_zero_vt", "obj", vt_vn + obj(corner="{0}/0"), "error", "refers to texture point 0")
    mesh("slashes_word", "obj", vt_vn + obj(corner="{0}/x"), "error", "a word for a texture point")
    mesh("slashes_four", "obj", vt_vn + obj(corner="{0}/1/1/1"), "error", "four numbers in a corner")
    mesh("index_zero", "obj", obj(offset=0), "error", "0-based indices")
    mesh("negative_index", "obj", obj(offset=-4), "flagged", "relative indices")
    mesh("negative_too_far", "obj", obj(offset=-5), "error", "relative indices before the first vertex")
    mesh("index_too_large", "obj", obj(offset=2), "error", "vertex 5 of 4")
    mesh("index_float", "obj", obj(corner="{0}.0"), "error", "1.0 for a vertex number")
    mesh("index_exponent", "obj", good + "f 1 2 3e0\n", "error", "3e0 for a vertex number")
    mesh("index_giant", "obj", good + "f 1 2 99999999999999999999999\n", "error", "1e23")
    mesh("index_word", "obj", good + "f 1 2 x\n", "error", "a word for a vertex number")
    mesh("two_coordinates", "obj", good.replace("v 1.0 0.0 0.0", "v 1.0 0.0"), "error", "two coordinates")
    mesh("five_numbers", "obj", good.replace("v 1.0 0.0 0.0", "v 1.0 0.0 0.0 1 1"), "error", "five numbers")
    mesh(
        "colours",
        "obj",
        "\n".join(s + " 1 0.5 0" if s[0] == "v" else s for s in good.split("\n")[:-1]) + "\n",
        "ok",
        "v x y z r g b",
    )
    mesh("weight_one", "obj", good.replace("v 1.0 0.0 0.0", "v 1.0 0.0 0.0 1.0"), "ok", "w = 1")
    mesh(
        "weight_two", "obj", good.replace("v 1.0 0.0 0.0", "v 1.0 0.0 0.0 2.0"), "error", "a rational vertex"
    )
    mesh("nan", "obj", obj(moved(1, np.nan)), "error", "nan vertex")
    mesh("inf", "obj", obj(moved(1, -np.inf)), "error", "-inf vertex")
    mesh("comma", "obj", good.replace("1.0", "1,0"), "error", "decimal comma")
    mesh("concave", "obj", concave, "flagged", "a concave pentagon")
    mesh(
        "concave_quad",
        "obj",
        "v 0 0 0\nv 2 0 0\nv 0.5 0.5 0\nv 0 2 0\nf 1 2 3 4\n",
        "flagged",
        "a concave quad",
    )
    mesh(
        "bow_tie",
        "obj",
        "v 0 0 0\nv 1 1 0\nv 1 0 0\nv 0 1 0\nf 1 2 3 4\n",
        "error",
        "a quad that crosses itself",
    )
    star = (
        "".join(f"v {np.cos(0.8 * np.pi * k)} {np.sin(0.8 * np.pi * k)} 0\n" for k in range(5))
        + "f 1 2 3 4 5\n"
    )
    mesh("pentagram", "obj", star, "error", "a pentagon that winds twice")
    mesh(
        "bent_quad",
        "obj",
        "v 0 0 0\nv 1 0 0\nv 1 1 1\nv 0 1 0\nf 1 2 3 4\n",
        "flagged",
        "a quad that is not flat",
    )
    mesh("two_corners", "obj", good + "f 1 2\n", "error", "a face with two corners")
    mesh("no_corners", "obj", good + "f\n", "error", "a face with no corners")
    mesh("repeated_corner", "obj", good + "f 1 1 2\n", "flagged", "a face with a corner twice")
    mesh(
        "repeated_in_quad",
        "obj",
        good.replace("f 1 3 2", "f 1 3 3 2"),
        "flagged",
        "a quad with a corner twice",
    )
    mesh("garbage", "obj", np.random.default_rng(0).bytes(4000), "error", "random bytes")
    mesh(
        "long_line",
        "obj",
        good + "f " + " ".join(["1"] * 2_000_000) + "\n",
        "error",
        "a face of two million corners",
    )
    many = "".join(f"f {' '.join(['1 2 3'] * 2000)}\n" for _ in range(1))
    mesh("many_corners", "obj", good + many, "error", "a face of six thousand corners")
    mesh(
        "many_equal_corners",
        "obj",
        good + f"f {' '.join(['1'] * 4000)}\n",
        "flagged",
        "one corner 4000 times",
    )
    mesh("unknown_word", "obj", good + "vertex 1 2 3\n", "error", "an unknown statement")
    mesh("keyword_joined", "obj", good + "v1 2 3\n", "error", "no blank after v")
    mesh("curves", "obj", good + "cstype bspline\n", "error", "free-form geometry")
    mesh("lines_and_points", "obj", good + "l 1 2\np 1\n", "flagged", "lines and points")
    mesh("groups", "obj", "# c\nmtllib a.mtl\no a\ng b\ns 1\nusemtl c\n" + good, "ok", "groups and materials")
    mesh("comments", "obj", good.replace("\n", " # c\n"), "ok", "comments behind statements")
    mesh("comment_backslash", "obj", "# C:\\models\\\n" + good, "ok", "a comment that ends in a backslash")
    mesh(
        "path_backslash",
        "obj",
        "mtllib C:\\models\\\n" + good,
        "error",
        "a path would swallow the next vertex",
    )
    mesh("continued", "obj", good.replace("f 2 3 4", "f 2 \\\n 3 \\\n 4"), "ok", "line continuation")
    mesh("continued_at_end", "obj", good + "f 1 2 \\\n", "error", "the file ends in a continued line")
    mesh("continued_bomb", "obj", good + "f 1 \\\n" * 500_000, "error", "half a million continued lines")
    mesh("indented", "obj", "  " + good[:-1].replace("\n", "\n\t ") + "\n", "ok", "blanks before statements")
    mesh("crlf", "obj", good.replace("\n", "\r\n"), "ok", "DOS line ends")
    mesh("no_last_line_end", "obj", good[:-1], "flagged", "may be cut")
    faces_first = sorted(good.splitlines(), key=lambda line: line[0])
    mesh("forward_reference", "obj", "\n".join(faces_first) + "\n", "ok", "faces before vertices")
    mesh("no_faces", "obj", obj(f=F[:0]), "error", "points only")
    mesh("no_vertices", "obj", "f 1 2 3\n", "error", "faces only")
    mesh("unused_vertex", "obj", good + "v 9 9 9\n", "flagged", "a vertex that no face has")
    mesh(
        "equal_vertices",
        "obj",
        obj(np.vstack([V, V[:1]]), np.vstack([F[:3], [[1, 2, 3]]])) + "f 5 2 2\n",
        "flagged",
        "merged",
    )
    mesh("utf16", "obj", good.encode("utf-16"), "error", "UTF-16")
    mesh("bom", "obj", b"\xef\xbb\xbf" + good.encode(), "flagged", "UTF-8 byte order mark")
    mesh("nul", "obj", good.replace("f 1", "f\0 1", 1), "error", "a NUL byte")
    mesh("is_off", "obj", off(), "error", "an OFF file")
    mesh("giant", "obj", obj(GIANT), "error", "1e200")
