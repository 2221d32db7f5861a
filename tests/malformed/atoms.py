"""Files of structures, each with what a strict reader must do about it."""

import gzip

import numpy as np

from .builders import LATTICE, ROWS, atoms, xyz


def add_atoms_cases() -> None:
    """Add the cases to `CASES`."""
    one, two = ROWS
    plain = 'Properties=species:S:1:pos:R:3 energy=-1 pbc="F F F"'
    atoms("good", xyz(), "ok", "two atoms in a box")
    atoms("gz", gzip.compress(xyz().encode()), "ok", "compressed", "extxyz.gz")
    atoms("gz_cut", gzip.compress(xyz().encode() * 50)[:-9], "error", "compressed and cut", "extxyz.gz")
    broken = bytearray(gzip.compress(xyz().encode() * 50))
    broken[len(broken) // 2] ^= 0xFF
    atoms("gz_flip", bytes(broken), "error", "compressed, a byte flipped", "extxyz.gz")
    atoms(
        "gz_bomb",
        gzip.compress(b"1\n\nH 0 0 0\n" * 2_000_000, 9),
        "error",
        "expands several hundred-fold",
        "extxyz.gz",
    )
    atoms("gz_zeros", gzip.compress(bytes(30_000_000), 9), "error", "thirty million NUL bytes", "extxyz.gz")
    atoms("count_too_big", xyz(n=5), "error", "5 atoms promised, 2 given")
    atoms(
        "count_too_small", xyz([*ROWS, "O 1 1 1 0 0 0"], n=2), "error", "an atom line where a count should be"
    )
    atoms("count_bomb", xyz(n=10**12), "error", "1e12 atoms")
    atoms("count_giant", xyz(n=10**40), "error", "1e40 atoms")
    atoms("count_negative", xyz(n=-2), "error", "-2 atoms")
    atoms("count_float", xyz(n=2.0), "error", "2.0 atoms")
    atoms("count_zero", xyz([], n=0), "error", "a frame without atoms")
    atoms("count_word", xyz(n="two"), "error", "a word")
    atoms("only_count", "2\n", "error", "nothing behind the count")
    atoms("empty", b"", "error", "zero bytes")
    atoms("blank", "\n\n\n", "error", "blank lines only")
    atoms("unknown_element", xyz(["Xx 0 0 0 0 0 0", two]), "error", "element Xx")
    atoms("dummy_element", xyz(["X 0 0 0 0 0 0", two]), "error", "element X")
    atoms("capital_element", xyz(["CL 0 0 0 0 0 0", two]), "error", "CL for Cl")
    atoms("labelled_element", xyz(["H1 0 0 0 0 0 0", two]), "error", "H1")
    atoms("number_element", xyz(["1 0 0 0 0 0 0", two]), "error", "an atomic number in a symbol column")
    atoms(
        "atomic_numbers",
        xyz(["1 0 0 0", "1 0 0 0.74"], comment=plain.replace("species:S:1", "Z:I:1")),
        "ok",
        "Z:I:1",
    )
    atoms(
        "atomic_number_119",
        xyz(["119 0 0 0", "1 0 0 1"], comment=plain.replace("species:S:1", "Z:I:1")),
        "error",
        "119",
    )
    atoms("nan_position", xyz(["H nan 0 0 0 0 0", two]), "error", "nan position")
    atoms("inf_force", xyz(["H 0 0 0 inf 0 0", two]), "error", "inf force")
    atoms("overflow", xyz(["H 1e999 0 0 0 0 0", two]), "error", "overflows float64")
    atoms("giant", xyz(["H 1e200 0 0 0 0 0", two]), "error", "1e200 Å")
    atoms("missing_column", xyz(["H 0 0 0 0.1 0", two]), "error", "five numbers instead of six")
    atoms("extra_column", xyz([one + " 7", two]), "error", "seven numbers instead of six")
    atoms("shifted_columns", xyz([one + " 7", two[:-2]]), "error", "one line longer, one shorter")
    atoms("word_coordinate", xyz(["H 0 zero 0 0 0 0", two]), "error", "a word in a number column")
    atoms("comma", xyz(["H 0,5 0 0 0 0 0", two]), "error", "decimal comma")
    atoms("underscore", xyz(["H 1_0 0 0 0 0 0", two]), "error", "Python would take 1_0 for 10")
    atoms("fortran_exponent", xyz(["H 0.0D+00 0 0 0 0 0", two]), "error", "Fortran exponent")
    atoms("stars", xyz(["H ******** 0 0 0 0 0", two]), "error", "a Fortran field overflow")
    atoms("glued", xyz(["H 0.00000-1.00000 0 0 0 0", two]), "error", "two numbers without a blank")
    atoms(
        "lattice_singular",
        xyz(comment=LATTICE.replace("5 0 0 0 5 0", "5 0 0 5 0 0")),
        "error",
        "singular cell",
    )
    atoms(
        "lattice_nearly_singular",
        xyz(comment=LATTICE.replace("5 0 0 0 5 0", "5 0 0 5 1e-12 0")),
        "error",
        "nearly",
    )
    atoms(
        "lattice_zero",
        xyz(comment=LATTICE.replace("5 0 0 0 5 0 0 0 5", "0 0 0 0 0 0 0 0 0")),
        "error",
        "zero cell",
    )
    atoms("lattice_eight", xyz(comment=LATTICE.replace('0 0 5"', '0 5"')), "error", "eight numbers")
    atoms("lattice_nan", xyz(comment=LATTICE.replace("5 0 0 0", "nan 0 0 0")), "error", "nan cell")
    atoms(
        "lattice_word", xyz(comment=LATTICE.replace("5 0 0 0", "five 0 0 0")), "error", "a word in the cell"
    )
    atoms(
        "lattice_lower_case",
        xyz(comment=LATTICE.replace("Lattice", "lattice")),
        "error",
        "a cell under the wrong key",
    )
    atoms("lattice_twice", xyz(comment=LATTICE + ' Lattice="9 0 0 0 9 0 0 0 9"'), "error", "two cells")
    left = LATTICE.replace("5 0 0 0 5 0 0 0 5", "0 5 0 5 0 0 0 0 5")
    atoms("lattice_lefthanded", xyz(comment=left), "flagged", "negative volume")
    atoms("lattice_missing", xyz(comment=LATTICE.split('" ', 1)[1]), "error", "periodic without a cell")
    slab = LATTICE.replace('0 0 5"', '0 0 0"').replace("T T T", "T T F")
    atoms("lattice_slab", xyz(comment=slab), "flagged", "periodic in two directions, third vector zero")
    skew = LATTICE.replace("5 0 0 0 5 0 0 0 5", "5 0 0 5000.1 5 0 0 0 5")
    atoms("lattice_skewed", xyz(comment=skew), "ok", "a very skewed cell of a plain lattice")
    tiny = LATTICE.replace("5 0 0 0 5 0 0 0 5", "0.1 0 0 0 0.1 0 0 0 0.1")
    atoms("lattice_tiny", xyz(comment=tiny), "flagged", "images 0.1 Å apart")
    atoms("pbc_two", xyz(comment=LATTICE.replace("T T T", "T T")), "error", "two truth values")
    atoms("pbc_words", xyz(comment=LATTICE.replace("T T T", "yes yes yes")), "error", "words")
    atoms("pbc_mixed", xyz(comment=LATTICE.replace("T T T", "1 1 1")), "ok", "1 1 1")
    atoms("same_position", xyz([one, one]), "flagged", "two atoms at one place")
    atoms("image_on_atom", xyz([one, "H 5 5 5 0 0 0"]), "flagged", "an atom on the image of another")
    atoms(
        "unclosed_quote",
        xyz(comment=LATTICE.replace('5" P', "5 P").replace(' pbc="T T T"', "")),
        "error",
        "open quote",
    )
    atoms("unclosed_bracket", xyz(comment=LATTICE + " a=[1, 2"), "error", "open bracket")
    atoms("unclosed_brace", xyz(comment=LATTICE + " a={1 2"), "error", "open brace")
    atoms("json_broken", xyz(comment=LATTICE + ' a="_JSON [1, 2"'), "error", "broken JSON")
    atoms("json_deep", xyz(comment=LATTICE + f' a="_JSON {"[" * 100_000}"'), "error", "deep JSON")
    atoms("key_twice", xyz(comment=LATTICE + " energy=-2"), "error", "two energies")
    atoms("energy_word", xyz(comment=LATTICE.replace("-1.5", "low")), "error", "a word for an energy")
    atoms("energy_nan", xyz(comment=LATTICE.replace("-1.5", "nan")), "error", "nan energy")
    atoms("energy_two", xyz(comment=LATTICE.replace("-1.5", '"1 2"')), "error", "two numbers")
    atoms(
        "energy_flag",
        xyz(comment=LATTICE.replace("energy=-1.5", "energy")),
        "error",
        "energy without a value",
    )
    atoms("stress_five", xyz(comment=LATTICE + ' stress="1 2 3 4 5"'), "error", "five numbers")
    atoms("stress_asymmetric", xyz(comment=LATTICE + ' stress="1 2 3 4 5 6 7 8 9"'), "error", "not symmetric")
    atoms("stress_six", xyz(comment=LATTICE + ' stress="1 2 3 4 5 6"'), "ok", "Voigt")
    atoms("bad_properties", xyz(comment=LATTICE.replace("pos:R:3", "pos:R:three")), "error", "a word")
    atoms("properties_cut", xyz(comment=LATTICE.replace("forces:R:3", "forces:R")), "error", "incomplete")
    atoms(
        "properties_type", xyz(comment=LATTICE.replace("forces:R:3", "forces:Q:3")), "error", "unknown type"
    )
    atoms("properties_no_pos", xyz(comment=LATTICE.replace("pos:R", "position:R")), "error", "no positions")
    atoms(
        "properties_twice", xyz(comment=LATTICE.replace("forces:R:3", "pos:R:3")), "error", "positions twice"
    )
    atoms(
        "properties_bomb",
        xyz(comment=LATTICE.replace("forces:R:3", "forces:R:3000000000")),
        "error",
        "3e9 columns",
    )
    atoms("properties_zero", xyz(comment=LATTICE.replace("forces:R:3", "forces:R:0")), "error", "no columns")
    atoms(
        "properties_case", xyz(comment=LATTICE.replace("Properties", "properties")), "error", "the wrong key"
    )
    atoms(
        "forces_two",
        xyz([r[:-2] for r in ROWS], comment=LATTICE.replace("forces:R:3", "forces:R:2")),
        "error",
        "2-D forces",
    )
    atoms("second_frame_truncated", xyz() + xyz()[:60], "error", "frame 1 good, frame 2 cut")
    atoms("second_frame_one_line", xyz() + xyz()[:-22], "error", "frame 2 lacks its last atom")
    atoms("cut_in_number", xyz()[:-1], "flagged", "no line end: may be cut")
    atoms("blank_between", xyz() + "\n" + xyz(), "error", "a blank line between frames")
    atoms("blank_at_end", xyz() + "\n\n", "ok", "blank lines at the end")
    atoms(
        "label_missing",
        xyz() + xyz(comment=LATTICE.replace("energy=-1.5 ", "")),
        "flagged",
        "energy in 1 of 2 frames",
    )
    atoms("forces_missing", xyz() + xyz(["H 0 0 0"], comment=plain), "flagged", "forces in 1 of 2 frames")
    atoms("no_labels", xyz(["H 0 0 0"], comment=""), "flagged", "plain XYZ")
    atoms("free_text", xyz(["H 0 0 0", "H 0 0 1"], comment="water's"), "flagged", "plain XYZ with free text")
    atoms("tabs_crlf", xyz().replace(" 0", "\t0").replace("\n", "\r\n"), "ok", "tabs and DOS line ends")
    atoms("utf16", xyz().encode("utf-16"), "error", "UTF-16")
    atoms("bom", b"\xef\xbb\xbf" + xyz().encode(), "flagged", "UTF-8 byte order mark")
    atoms("nul", xyz().replace("H", "H\0", 1), "error", "a NUL byte")
    atoms(
        "latin1",
        xyz(comment=LATTICE + " name=caf\xe9").encode("latin-1"),
        "error",
        "a value that is not UTF-8",
    )
    atoms(
        "long_line", "1\n" + "x" * 3_000_000 + "\nH 0 0 0\n", "error", "a comment of three million characters"
    )
    atoms("html", "<html>404</html>", "error", "a web page")
    atoms("binary", np.random.default_rng(1).bytes(4000), "error", "random bytes")
