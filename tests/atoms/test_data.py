"""Data sets: names, units and signs of labels, rMD17, splits, and what a report notices."""

import io
import zipfile

import numpy as np
import pytest

from geoembed.atoms import (
    VASP,
    LabelKeys,
    inspect_frames,
    neighbour_pairs,
    read_extxyz,
    read_rmd17,
    split,
)
from geoembed.core import InputError
from tests import malformed_cases as cases

BOX = 'Lattice="2 0 0 0 2 0 0 0 2"'


def put(folder, text, name="a.xyz"):
    path = folder / name
    path.write_text(text)
    return path


def one(comment: str, columns: str = "species:S:1:pos:R:3:f:R:3") -> str:
    return f"1\n{BOX} Properties={columns} {comment}\nH 0 0 0 1 2 3\n"


def test_other_names_and_units(tmp_path):
    path = put(tmp_path, one('REF_energy=2 energy=7 s="1 2 3 4 5 6"'))
    keys = LabelKeys(
        energy="REF_energy", forces="f", stress="s", energy_unit="Ha", length_unit="Bohr", stress_unit="GPa"
    )
    (frame,) = read_extxyz(path, labels=keys)
    assert frame.energy == pytest.approx(2 * 27.2113862)
    np.testing.assert_allclose(frame.forces, [51.4220675 * np.array([1, 2, 3])], rtol=1e-8)
    np.testing.assert_allclose(
        frame.stress, np.array([[1, 6, 5], [6, 2, 4], [5, 4, 3]]) / 160.2176634, rtol=1e-7
    )
    assert frame.info == {"energy": 7}
    assert not frame.arrays
    (plain,) = read_extxyz(path)
    assert (plain.energy, plain.forces, plain.stress) == (7, None, None)


def test_signs_and_orders(tmp_path):
    (frame,) = read_extxyz(put(tmp_path, one('vasp_stress_kbar="1 2 3 4 5 6"')), labels=VASP)
    expected = -6.241509e-4 * np.array([[1, 4, 6], [4, 2, 5], [6, 5, 3]])
    np.testing.assert_allclose(frame.stress, expected, rtol=1e-6)
    keys = LabelKeys(virial="virial", stress=None)
    (frame,) = read_extxyz(put(tmp_path, one('virial="8 0 0 0 16 4 0 4 24" stress=1')), labels=keys)
    np.testing.assert_allclose(frame.stress, -np.array([[1, 0, 0], [0, 2, 0.5], [0, 0.5, 3]]))
    assert frame.info == {"stress": 1}


def test_vasp_stress_is_the_derivative_of_the_energy(data):
    """Uniaxial strain of bcc Mo: dE/da over the other two edges; the file's stress by VASP's sign and unit."""
    frames = read_extxyz(data / "atoms" / "monbtaw" / "Mo_Elastic.xyz.gz", labels=VASP)
    found = {}
    for frame in frames:
        edges = np.diag(frame.cell)
        if np.allclose(frame.cell, np.diag(edges)) and np.allclose(edges[[0, 2]], 3.169, atol=1e-3):
            found[edges[1]] = (frame.energy, frame.stress[1, 1])
    edge = np.array(sorted(found))
    energy, stress = np.array([found[a] for a in edge]).T
    slope = np.diff(energy) / np.diff(edge) / 3.169**2
    middle = 0.5 * (stress[1:] + stress[:-1])
    assert len(edge) > 5
    assert np.abs(slope - middle).max() < 0.04 * np.abs(stress).max()


@pytest.mark.parametrize(
    ("comment", "keys", "words"),
    [
        ("energy=1", LabelKeys(energy="REF"), "no frame has REF"),
        ("energy=1", LabelKeys(forces="F"), "no frame has F"),
        ("w=x", LabelKeys(energy="w"), "not a number"),
        ("w=T", LabelKeys(energy="w"), "not a number"),
        ('w="1 2 3"', LabelKeys(virial="w"), "6 or 9"),
        ('w="1 2 3 4 5 6" stress="1 2 3 4 5 6"', LabelKeys(virial="w"), "only one"),
    ],
)
def test_labels_that_are_refused(comment, keys, words, tmp_path):
    with pytest.raises(InputError, match=words):
        read_extxyz(put(tmp_path, one(comment)), labels=keys)


def test_virial_without_a_volume(tmp_path):
    text = '1\nw="1 2 3 4 5 6"\nH 0 0 0\n'
    with pytest.raises(InputError, match="volume"):
        read_extxyz(put(tmp_path, text), labels=LabelKeys(virial="w"))


@pytest.mark.parametrize(
    "options",
    [{"energy_unit": "J"}, {"length_unit": "m"}, {"stress_unit": "bar"}, {"order": "xx yy zz xy yx xz"}, {"energy": ""},
     {"virial": "stress"}, {"forces": "pos"}],
)  # fmt: skip
def test_keys_that_are_refused(options):
    with pytest.raises(ValueError, match=r"unknown|order|names"):
        LabelKeys(**options)


def npz(folder, compress=False, **changes):
    rng = np.random.default_rng(0)
    arrays = {
        "nuclear_charges": np.array([6, 1], np.uint8),
        "coords": rng.normal(size=(3, 2, 3)),
        "energies": np.array([1.0, 2.0, 3.0]),
        "forces": rng.normal(size=(3, 2, 3)),
        "old_indices": np.arange(3),
    } | changes
    path = folder / "m.npz"
    (np.savez_compressed if compress else np.savez)(
        path, **{k: v for k, v in arrays.items() if v is not None}
    )
    return path, arrays


def test_rmd17(tmp_path):
    for compress in (False, True):
        path, arrays = npz(tmp_path, compress)
        frames = read_rmd17(path)
        assert [frame.energy for frame in frames] == pytest.approx(
            [0.0433641, 0.0867282, 0.1300923], rel=1e-6
        )
        np.testing.assert_allclose(frames[1].forces, arrays["forces"][1] * 0.0433641, rtol=1e-6)
        np.testing.assert_array_equal(frames[2].positions, arrays["coords"][2])
        assert frames[0].symbols == ("C", "H")
        assert frames[0].cell is None
    old = {"nuclear_charges": None, "coords": None, "energies": None, "forces": None}
    new = {"z": arrays["nuclear_charges"], "R": arrays["coords"], "E": np.ones((3, 1)), "F": arrays["forces"]}
    assert len(read_rmd17(npz(tmp_path, **old, **new)[0])) == 3


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"coords": None}, "coords or R"),
        ({"coords": np.zeros((3, 3, 3))}, "fit together"),
        ({"energies": np.zeros(0)}, "fit together"),
        ({"nuclear_charges": np.array([0, 1])}, "between 1 and 118"),
        ({"forces": np.full((3, 2, 3), np.nan)}, "not finite"),
        ({"forces": np.array([{"a": 1}])}, "no number|header"),
        ({"energies": np.array(["a", "b", "c"])}, "no number"),
        ({"R": np.zeros((3, 2, 3))}, "one array"),
    ],
)
def test_rmd17_files_that_are_refused(changes, words, tmp_path):
    with pytest.raises(InputError, match=words):
        read_rmd17(npz(tmp_path, **changes)[0])


def test_damaged_rmd17_files_raise_nothing_but_input_errors(tmp_path):
    path, _ = npz(tmp_path, True)
    whole, rng = path.read_bytes(), np.random.default_rng(1)
    for k in range(200):
        data = bytearray(whole)
        if k % 2:
            data = data[: rng.integers(1, len(data))]
        else:
            data[rng.integers(len(data))] ^= 1 << int(rng.integers(8))
        path.write_bytes(bytes(data))
        try:
            read_rmd17(path)
        except InputError:
            continue
    # a header that promises more than the file holds
    header = io.BytesIO()
    np.lib.format.write_array_header_1_0(
        header, {"descr": "<f8", "fortran_order": False, "shape": (10**9, 2, 3)}
    )
    with zipfile.ZipFile(path, "w") as archive:
        for name in ("nuclear_charges", "coords", "energies", "forces"):
            archive.writestr(f"{name}.npy", header.getvalue())
    with pytest.raises(InputError, match="shape"):
        read_rmd17(path)


def test_real_rmd17(data):
    frames = read_rmd17(data / "atoms" / "rmd17" / "rmd17_ethanol_train_01.npz")
    assert len(frames) == 1000
    assert sorted(frames[0].symbols) == sorted("CCOHHHHHH")
    assert frames[0].energy == pytest.approx(-97079.92222179 * 0.0433641042, rel=1e-9)
    assert np.sqrt(np.mean([f.forces**2 for f in frames])) == pytest.approx(1.2, abs=0.2)
    assert np.abs(np.sum(frames[5].forces, axis=0)).max() < 1e-3


def test_split():
    parts = split(range(100), (0.8, 0.1, -1), seed=3)
    assert [len(part) for part in parts] == [80, 10, 10]
    assert sorted(k for part in parts for k in part) == list(range(100))
    assert parts == split(range(100), (80, 10, -1), seed=3) != split(range(100), (80, 10, -1), seed=4)
    assert split("abc", (0, 1), seed=0)[0] == []
    for bad in ((60, 41), (-1, -1), (1.5,), (-2,), (True,)):
        with pytest.raises(InputError):
            split(range(100), bad, seed=0)


def test_what_a_report_notices(tmp_path):
    lines = ["H 0 0 0 0 0 0", "H 0.96 0 0 0 60 0"]
    far = ["H 0 0 0 0 0 0", "H 0.96 0 0 0 0 0", "O 2.5 22.5 2.5 0 0 0"]
    wide = cases.LATTICE.replace("5 0 0 0 5 0 0 0 5", "50 0 0 0 50 0 0 0 50")
    other = cases.LATTICE.replace("-1.5", "-1.6")
    text = (
        cases.xyz(lines) + cases.xyz(far, comment=wide) + cases.xyz(lines) + cases.xyz(lines, comment=other)
    )
    report = inspect_frames(put(tmp_path, text))
    assert report["duplicates"] == 2
    assert report["force_max"] == pytest.approx(60)
    assert report["force_rms"] == pytest.approx(np.sqrt(3 * 60**2 / 27))
    flags = report["flags"]
    assert len(flags) == 4, flags
    assert "1 of 4 frames have an atom without another within 6.0 Å; the first is frame 1" in flags
    assert "3 of 4 frames have forces above 50.0 eV/Å; the first is frame 0" in flags
    assert "2 of 4 frames repeat an earlier one; the first is frame 2, as frame 0" in flags
    assert "1 repeated frames have other labels; the first is frame 3, as frame 0" in flags


def test_every_file_that_is_read_has_neighbours_or_a_typed_error(tmp_path):
    for case in cases.CASES:
        if case.kind != "atoms" or case.expect == "error":
            continue
        path = tmp_path / case.file
        path.write_bytes(case.data)
        for frame in read_extxyz(path):
            try:
                neighbour_pairs(frame, 3.0)
            except InputError:
                assert case.expect == "flagged"
