"""The strict reader of extended XYZ files."""

import contextlib
import gzip
import json
import os
import tracemalloc
from pathlib import Path

import numpy as np
import pytest

from geoembed.atoms import SYMBOLS, atomic_number, inspect_frames, read_extxyz
from geoembed.atoms._comment import parse_comment
from geoembed.core import InputError
from tests import malformed_cases as cases

ATOMS = [case for case in cases.CASES if case.kind == "atoms"]
BY_NAME = {case.name: case for case in ATOMS}


def put(folder: Path, name: str, data: bytes | str) -> Path:
    path = folder / name
    path.write_bytes(data if isinstance(data, bytes) else data.encode())
    return path


@pytest.mark.parametrize("case", ATOMS, ids=lambda case: case.name)
def test_case(case, tmp_path):
    path = put(tmp_path, case.file, case.data)
    if case.expect == "error":
        with pytest.raises(InputError) as caught:
            inspect_frames(path)
        error = caught.value
        assert error.file == str(path)
        assert error.reason
        assert error.hint
        assert len(str(error)) < 600
        return
    report = json.loads(json.dumps(inspect_frames(path), allow_nan=False))
    said = report["notes"] + report["flags"]
    assert bool(said) == (case.expect == "flagged"), said


@pytest.mark.parametrize(
    ("name", "where"),
    [
        ("extxyz_word_coordinate", "line 3"),
        ("extxyz_unknown_element", "line 3"),
        ("extxyz_unclosed_quote", "line 2"),
        ("extxyz_count_too_small", "line 5"),
        ("extxyz_second_frame_truncated", "line 6"),
        ("extxyz_blank_between", "line 5"),
    ],
)
def test_error_names_the_line(name, where, tmp_path):
    case = BY_NAME[name]
    with pytest.raises(InputError) as caught:
        read_extxyz(put(tmp_path, case.file, case.data))
    assert caught.value.where == where


def test_hints(tmp_path):
    for name, hint in [
        ("extxyz_capital_element", "write Cl"),
        ("extxyz_fortran_exponent", "exponent with E"),
    ]:
        case = BY_NAME[name]
        with pytest.raises(InputError, match=hint):
            read_extxyz(put(tmp_path, case.file, case.data))


def test_peak_memory_of_all_cases(tmp_path):
    worst = {}
    tracemalloc.start()
    try:
        for case in ATOMS:
            path = put(tmp_path, case.file, case.data)
            tracemalloc.reset_peak()
            before = tracemalloc.get_traced_memory()[0]
            with contextlib.suppress(InputError):
                inspect_frames(path)
            worst[case.name] = tracemalloc.get_traced_memory()[1] - before
    finally:
        tracemalloc.stop()
    assert max(worst.values()) < 200e6, max(worst, key=worst.get)


def test_values(tmp_path):
    text = (
        "2\n"
        'Lattice="4 0 0 0.5 5 0 0 0 6" Properties=species:S:1:pos:R:3:forces:R:3:tag:I:1:'
        'fixed:L:1:site:S:1:q:R:2 energy=-1.25e1 stress="1 2 3 4 5 6" pbc="T F T" config_type=bulk '
        'note="a \\"b\\" c" n=3 ok=F done '
        'a="1 2 3" b=[1.5, 2] m=[[1,2],[3,4]] j="_JSON {\\"k\\": [1, null]}" w={x y}\n'
        "Na 0.5 1 2 -1 0 1e-3 7 T top 0.5 1\n"
        "Cl 3 3.5 -4 1 0 -1e-3 -8 F low -0.5 2\n"
    )
    (frame,) = read_extxyz(put(tmp_path, "a.xyz", text))
    assert frame.symbols == ("Na", "Cl")
    assert frame.numbers.tolist() == [11, 17]
    assert frame.positions.tolist() == [[0.5, 1, 2], [3, 3.5, -4]]
    assert frame.forces.tolist() == [[-1, 0, 1e-3], [1, 0, -1e-3]]
    assert frame.cell.tolist() == [[4, 0, 0], [0.5, 5, 0], [0, 0, 6]]
    assert frame.pbc.tolist() == [True, False, True]
    assert frame.energy == -12.5
    assert frame.stress.tolist() == [[1, 6, 5], [6, 2, 4], [5, 4, 3]]
    assert frame.arrays["tag"].tolist() == [7, -8]
    assert frame.arrays["fixed"].tolist() == [True, False]
    assert frame.arrays["site"].tolist() == ["top", "low"]
    assert frame.arrays["q"].tolist() == [[0.5, 1], [-0.5, 2]]
    info = {k: v.tolist() if isinstance(v, np.ndarray) else v for k, v in frame.info.items()}
    assert info == {
        "config_type": "bulk", "note": 'a "b" c', "n": 3, "ok": False, "done": True,
        "a": [1, 2, 3], "b": [1.5, 2.0], "m": [[1, 2], [3, 4]], "j": {"k": [1, None]}, "w": "x y",
    }  # fmt: skip
    assert frame.line == 1


def test_defaults(tmp_path):
    plain, boxed = read_extxyz(
        put(tmp_path, "a.xyz", '1\nHello, world!\nH 1 2 3\n1\nLattice="9 0 0 0 9 0 0 0 9"\nH 0 0 0\n')
    )
    assert plain.cell is None
    assert not plain.pbc.any()
    assert plain.energy is plain.forces is plain.stress is None
    assert plain.info == {"comment": "Hello, world!"} or "Hello," in plain.info
    assert boxed.pbc.all()


def test_compressed_and_plain_agree(tmp_path):
    text = "".join(cases.xyz(comment=cases.LATTICE.replace("-1.5", str(-k))) for k in range(50))
    plain = read_extxyz(put(tmp_path, "a.extxyz", text))
    packed = read_extxyz(put(tmp_path, "a.extxyz.gz", gzip.compress(text.encode())))
    assert [f.energy for f in plain] == [f.energy for f in packed] == [float(-k) for k in range(50)]
    assert [f.line for f in packed] == [1 + 4 * k for k in range(50)]


@pytest.mark.parametrize(
    "line",
    [
        'a="b',
        "a='b",
        "a=[1",
        "a={1",
        'a="b"c=1',
        "=3",
        "a=",
        'a="1" a=2',
        "LATTICE=1",
        "x=nan",
        "x=-inf",
        '"a b" "a b"',
        "a==b",
    ],
)
def test_comment_lines_that_cannot_be_read(line):
    with pytest.raises(ValueError, match=r"."):
        parse_comment(line.encode())


def test_elements():
    assert len(SYMBOLS) == len(set(SYMBOLS)) == 118
    known = {
        "H": 1,
        "Ne": 10,
        "Ca": 20,
        "Zr": 40,
        "Ag": 47,
        "I": 53,
        "Ce": 58,
        "Lu": 71,
        "Hg": 80,
        "U": 92,
        "Og": 118,
    }
    assert {symbol: atomic_number(symbol) for symbol in known} == known
    with pytest.raises(KeyError):
        atomic_number("Xx")


def test_what_is_not_a_readable_file(tmp_path):
    os.mkfifo(tmp_path / "pipe.xyz")
    for name in ("pipe.xyz", "missing.xyz", "."):
        with pytest.raises(InputError):
            read_extxyz(tmp_path / name)


@pytest.mark.slow
def test_all_data_files_load(data):
    files = sorted((data / "atoms").glob("*/*xyz*"))
    assert len(files) >= 30
    for path in files:
        with gzip.open(path, "rt") if path.suffix == ".gz" else path.open() as file:
            lines = file.read().splitlines()
        frames = read_extxyz(path)
        assert sum(len(frame.numbers) + 2 for frame in frames) == len(lines), path
        last = lines[-1].split()
        assert SYMBOLS[frames[-1].numbers[-1] - 1] == last[0]
        assert frames[-1].positions[-1].tolist() == [float(word) for word in last[1:4]]


@pytest.mark.parametrize("name", ["extxyz_stress_six", "extxyz_gz", "extxyz_no_labels"])
def test_mutated_files_raise_nothing_but_input_errors(name, tmp_path):
    case = BY_NAME[name]
    rng = np.random.default_rng(7)
    for _ in range(150):
        data = bytearray(case.data)
        for _ in range(rng.integers(1, 4)):
            at = int(rng.integers(len(data)))
            kind = rng.integers(5)
            if kind == 0:
                data[at] ^= 1 << int(rng.integers(8))
            elif kind == 1:
                data[at : at + 1] = rng.choice(
                    [b'"', b"\n", b" ", b"9", b"-", b"e", b"=", b"[", b"\\", b"\xff"]
                )
            elif kind == 2:
                del data[at : at + int(rng.integers(1, 9))]
            elif kind == 3:
                data[at:at] = data[: int(rng.integers(1, 9))]
            else:
                del data[at + 1 :]
        path = put(tmp_path, case.file, bytes(data) or b"1")
        try:
            report = inspect_frames(path)
        except InputError:
            continue
        json.dumps(report, allow_nan=False)


def test_every_cut_is_noticed(tmp_path):
    text = cases.xyz() + cases.xyz()
    whole = {len(cases.xyz()), len(text)}
    for length in range(1, len(text)):
        path = put(tmp_path, "a.xyz", text[:length])
        try:
            report = inspect_frames(path)
        except InputError:
            continue
        assert length in whole or report["notes"], length
