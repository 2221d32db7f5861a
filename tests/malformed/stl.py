"""STL files, each with what a strict reader must do about it."""

import gzip
import json
import struct

import numpy as np

from .builders import DENORMAL, GIANT, HUGE, F, V, glb, glb_tree, mesh, moved, obj, ply, stl, stl_text


def add_stl_cases() -> None:
    """Add the cases to `CASES`."""
    from_text = stl_text()
    mesh("good", "stl", stl(), "ok", "binary")
    mesh("good_text", "stl", from_text, "ok", "ASCII")
    mesh("capital_ending", "STL", stl(), "ok", "the ending in capitals")
    mesh("empty", "stl", b"", "error", "zero bytes")
    mesh("header_only", "stl", stl()[:80], "error", "header without a count")
    mesh("short", "stl", b"solid", "error", "five bytes")
    mesh("truncated", "stl", stl()[:-37], "error", "cut in the last facet")
    mesh("truncated_at_facet", "stl", stl()[:-50], "error", "one facet less than promised")
    mesh("one_byte_more", "stl", stl() + b"\0", "error", "a byte too many")
    mesh("count_too_small", "stl", stl(count=2), "error", "count says 2, file holds 4")
    mesh("count_bomb", "stl", stl(count=0xFFFFFFFF), "error", "count says 4e9")
    mesh(
        "header_solid",
        "stl",
        stl(header=b"solid like ascii"),
        "flagged",
        "binary whose header starts with solid",
    )
    mesh("header_solid_cut", "stl", stl(header=b"solid like ascii")[:-9], "error", "the same, cut")
    mesh("inf", "stl", stl(moved(1, np.inf)), "error", "inf vertex")
    mesh("nan", "stl", stl(moved(1, np.nan), normal=(0, 0, 0)), "error", "nan vertex")
    signalling = stl().replace(struct.pack("<f", 1.0), b"\x01\x00\xa0\x7f", 1)
    mesh("nan_signalling", "stl", signalling, "error", "a signalling nan")
    mesh("nan_normal", "stl", stl(normal=(np.nan, 0, 0)), "flagged", "stored normals are nan")
    mesh("wrong_normal", "stl", stl(normal=(-1, -1, -1)), "flagged", "a stored normal points inwards")
    mesh("degenerate", "stl", stl(f=np.vstack([F, [[0, 0, 0]]])), "flagged", "zero-area facet")
    mesh("duplicate", "stl", stl(f=np.vstack([F, F[:1]])), "flagged", "a facet twice")
    mesh("all_degenerate", "stl", stl(f=np.array([[0, 0, 0], [1, 1, 1]])), "error", "no facet has area")
    mesh("all_zero", "stl", stl(v=V * 0), "error", "all coordinates are zero")
    mesh("zero_facets", "stl", stl(f=F[:0]), "error", "no facets")
    mesh("open", "stl", stl(f=F[:3]), "flagged", "one face missing")
    mesh("inside_out", "stl", stl(f=F[:, ::-1]), "flagged", "all normals inward")
    mesh("one_flipped", "stl", stl(f=np.vstack([F[:3], F[3:, ::-1]])), "flagged", "one facet reversed")
    mesh("huge", "stl", stl(HUGE), "flagged", "1e30: squares overflow float32")
    mesh("one_far_vertex", "stl", stl(moved(1, 1e30)), "flagged", "one vertex at 1e30")
    mesh("denormal", "stl", stl(DENORMAL), "flagged", "1e-40")
    mesh("far_away", "stl", stl(V + 1e6), "flagged", "a metre, a thousand kilometres from the origin")
    mesh("large_in_metres", "stl", stl(V * 400), "flagged", "400 m")
    mesh("minus_zero", "stl", stl(np.where(F[:1].T.size and V == 0, -0.0, V)), "ok", "-0.0 and 0.0 are equal")
    mesh("two_parts", "stl", stl(np.vstack([V, V + 5]), np.vstack([F, F + 4])), "flagged", "two parts")
    cavity = stl(np.vstack([V * 10, V + 1]), np.vstack([F, F[:, ::-1] + 4]))
    mesh("cavity", "stl", cavity, "flagged", "a hole inside")
    nested = stl(np.vstack([V * 10, V + 1]), np.vstack([F, F + 4]))
    mesh("nested", "stl", nested, "flagged", "a part inside a part")
    mesh("nul_bytes", "stl", b"\0" * 1000, "error", "only NUL bytes, the count does not fit")
    mesh("text_truncated", "stl", from_text[:260], "error", "cut inside a vertex line")
    mesh("text_no_end", "stl", from_text.replace("endsolid t\n", ""), "error", "no endsolid")
    mesh("text_word", "stl", from_text.replace("1.0", "one", 1), "error", "a word for a coordinate")
    mesh("text_comma", "stl", from_text.replace("1.0", "1,0"), "error", "decimal comma")
    mesh("text_fortran", "stl", from_text.replace("1.0", "1.0D+00"), "error", "Fortran exponent")
    mesh("text_underscore", "stl", from_text.replace("1.0", "1_0"), "error", "Python would take 1_0 for 10")
    mesh("text_hex", "stl", from_text.replace("1.0", "0x1p0"), "error", "hexadecimal float")
    mesh(
        "text_joined",
        "stl",
        from_text.replace("0.0 1.0", "0.0-1.0", 1),
        "error",
        "two numbers without a blank",
    )
    mesh("text_nan", "stl", stl_text(moved(1, np.nan)), "error", "nan vertex")
    mesh("text_overflow", "stl", from_text.replace("1.0", "1e999"), "error", "overflows float64")
    mesh("text_giant", "stl", stl_text(GIANT), "error", "1e200: its square overflows float64")
    mesh("text_nan_normal", "stl", stl_text(normal="nan -nan(ind) 0"), "flagged", "stored normals are nan")
    mesh("text_word_normal", "stl", stl_text(normal="a b c"), "error", "stored normals are words")
    four = from_text.replace("  endloop", "   vertex 0 0 0\n  endloop", 1)
    mesh("text_four_corners", "stl", four, "error", "a facet with four corners")
    mesh(
        "text_two_corners", "stl", from_text.replace("   vertex 0.0 0.0 0.0\n", "", 1), "error", "two corners"
    )
    mesh(
        "text_two_numbers", "stl", from_text.replace("1.0 0.0 0.0", "1.0 0.0", 1), "error", "two coordinates"
    )
    mesh("text_four_numbers", "stl", from_text.replace("1.0 0.0 0.0", "1.0 0.0 0.0 0.0", 1), "error", "four")
    mesh("text_no_facets", "stl", "solid t\nendsolid t\n", "error", "no facets")
    mesh("text_garbage_after", "stl", from_text + "garbage\n", "error", "text after endsolid")
    mesh(
        "text_garbage_inside", "stl", from_text.replace("endloop", "endlop", 1), "error", "a keyword misspelt"
    )
    mesh("text_upper", "stl", from_text.upper(), "ok", "capitals")
    mesh("text_crlf", "stl", from_text.replace("\n", "\r\n"), "ok", "DOS line ends")
    mesh("text_cr", "stl", from_text.replace("\n", "\r"), "ok", "old Macintosh line ends")
    mesh("text_tabs", "stl", from_text.replace("   ", "\t"), "ok", "tabs")
    mesh("text_no_name", "stl", stl_text(name=""), "ok", "a solid without a name")
    mesh("text_name_latin1", "stl", stl_text(name=" Gehäuse").encode("latin-1"), "ok", "a name in Latin-1")
    mesh("text_two_solids", "stl", stl_text(f=F[:2]) + stl_text(f=F[2:]), "flagged", "two solids")
    mesh("text_empty_solid", "stl", from_text + stl_text(f=F[:0]), "flagged", "an empty second solid")
    mesh("text_bom", "stl", b"\xef\xbb\xbf" + from_text.encode(), "flagged", "UTF-8 byte order mark")
    mesh("text_utf16", "stl", from_text.encode("utf-16"), "error", "UTF-16")
    mesh("text_utf16_no_bom", "stl", from_text.encode("utf-16-le"), "error", "UTF-16 without a mark")
    mesh("text_nul", "stl", from_text.replace("outer", "ou\0ter", 1), "error", "a NUL byte")
    mesh(
        "text_long_name",
        "stl",
        stl_text(name=" " + "x" * 2_000_000),
        "error",
        "a name of two million characters",
    )
    mesh("text_blank_run", "stl", "solid t\n" + "\n" * 3_000_000, "error", "three million blank lines")
    mesh("gzip", "stl", gzip.compress(stl()), "error", "compressed")
    mesh("zip", "stl", b"PK\x03\x04" + b"\0" * 100, "error", "a ZIP archive")
    mesh("html", "stl", "<!DOCTYPE html><html><body>404</body></html>", "error", "a web page")
    mesh(
        "lfs",
        "stl",
        "version https://git-lfs.github.com/spec/v1\noid sha256:0\n",
        "error",
        "a Git LFS pointer",
    )
    mesh("is_obj", "stl", obj(), "error", "an OBJ file")
    mesh("is_ply", "stl", ply(), "error", "a PLY file")
    mesh("is_glb", "stl", glb(), "error", "a GLB file")
    mesh("no_such_format", "step", "ISO-10303-21;\n", "error", "a STEP file")
    mesh("gltf", "gltf", json.dumps(glb_tree()[0]), "error", "glTF in JSON form")
