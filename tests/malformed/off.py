"""OFF files, each with what a strict reader must do about it."""

import struct

import numpy as np

from .builders import F, V, mesh, moved, off


def add_off_cases() -> None:
    """Add the cases to `CASES`."""
    good = off()
    coloured = "COFF\n4 4 0\n" + "".join("{} {} {} 255 0 0 255\n".format(*p) for p in V)
    faces = "".join("3 {} {} {}\n".format(*t) for t in F)
    mesh("good", "off", good, "ok", "plain")
    mesh("same_line", "off", off(head="OFF "), "ok", "counts behind the keyword")
    mesh("comments", "off", off(head="# c\nOFF # d\n\n# e\n"), "ok", "comments and blank lines")
    mesh("coff", "off", coloured + faces, "ok", "vertex colours")
    mesh(
        "noff",
        "off",
        "NOFF\n4 4 0\n" + "".join("{} {} {} 0 0 1\n".format(*p) for p in V) + faces,
        "ok",
        "normals",
    )
    mesh("coff_says_off", "off", (coloured + faces)[1:], "error", "colours without the keyword")
    mesh("face_colours", "off", good.replace("3 0 2 1", "3 0 2 1 255 0 0"), "ok", "a face colour")
    mesh("two_more", "off", good.replace("3 0 2 1", "3 0 2 1 255 0"), "error", "two numbers behind a face")
    mesh("two_less", "off", good.replace("3 0 2 1", "3 0"), "error", "a face with a corner missing")
    mesh("count_mismatch", "off", off(nv=9), "error", "9 vertices promised")
    mesh("count_small", "off", off(nf=3), "error", "3 faces promised, 4 given")
    mesh("count_bomb", "off", off(nv=10**14), "error", "1e14 vertices")
    mesh("count_negative", "off", off(nv=-4), "error", "-4 vertices")
    mesh("count_word", "off", good.replace("4 4 0", "4 four 0"), "error", "a word for a count")
    mesh("corner_bomb", "off", good.replace("3 0 2 1", "999999999999 0 2 1"), "error", "1e12 corners")
    mesh("corner_negative", "off", good.replace("3 0 2 1", "-3 0 2 1"), "error", "-3 corners")
    mesh("corner_half", "off", good.replace("3 0 2 1", "2.5 0 2 1"), "error", "2.5 corners")
    mesh("index_range", "off", good.replace("3 0 2 1", "3 0 2 4"), "error", "vertex 4 of 4")
    mesh("index_negative", "off", good.replace("3 0 2 1", "3 0 2 -1"), "error", "vertex -1")
    mesh("nan", "off", off(moved(1, np.nan)), "error", "nan vertex")
    mesh("no_keyword", "off", good.replace("OFF\n", ""), "error", "no keyword")
    mesh("glued", "off", good.replace("OFF\n", "OFF"), "error", "counts glued to the keyword")
    mesh("binary", "off", b"OFF BINARY\n" + struct.pack(">3i", 4, 4, 0), "error", "binary OFF")
    mesh("four_d", "off", off(head="4OFF\n"), "error", "four-dimensional")
    mesh("only_keyword", "off", "OFF\n", "error", "nothing behind the keyword")
    mesh("cut", "off", good[: len(good) // 2], "error", "cut in the middle")
    mesh("garbage_after", "off", good + "more\n", "error", "text after the faces")
    mesh("row_split", "off", good.replace("1.0 0.0 0.0", "1.0 0.0\n0.0", 1), "error", "a vertex on two lines")
    mesh("zero_faces", "off", off(f=F[:0]), "error", "no faces")
