"""The report about structure files, and the minimum distance."""

import itertools

import numpy as np
import pytest

from geoembed.atoms import Frame, inspect_frames, minimum_distance
from geoembed.atoms._distance import reduced
from tests import malformed_cases as cases


def brute(frame: Frame, reach: int) -> float:
    """The minimum distance over all pairs and all images up to `reach` cells away."""
    axes = [range(-reach, reach + 1) if p else (0,) for p in frame.pbc]
    cell = np.zeros((3, 3)) if frame.cell is None else frame.cell
    shifts = np.array(list(itertools.product(*axes)), float) @ cell
    vectors = frame.positions[:, None, None] - frame.positions[None, :, None] + shifts[None, None]
    distance = np.linalg.norm(vectors, axis=-1)
    same = np.eye(len(frame.positions), dtype=bool)[:, :, None] & np.all(shifts == 0, axis=1)[None, None]
    return float(distance[~same].min())


def frame(positions, cell=None, pbc=(True, True, True)) -> Frame:
    positions = np.atleast_2d(np.asarray(positions, float))
    numbers = np.ones(len(positions), np.int64)
    return Frame(numbers, positions, None if cell is None else np.asarray(cell, float), np.array(pbc))


@pytest.mark.parametrize("pbc", list(itertools.product((True, False), repeat=3)))
@pytest.mark.parametrize("atoms", [1, 2, 9])
def test_minimum_distance_against_all_images(pbc, atoms):
    rng = np.random.default_rng(atoms)
    for _ in range(12):
        cell = rng.normal(size=(3, 3)) * rng.uniform(0.3, 4)
        if abs(np.linalg.det(cell)) < 0.15 * np.prod(np.linalg.norm(cell, axis=1)):
            continue
        positions = rng.uniform(-1, 2, (atoms, 3)) @ cell
        if atoms == 1 and not any(pbc):
            assert minimum_distance(frame(positions, cell, pbc)) == np.inf
            continue
        one = frame(positions, cell, pbc)
        assert minimum_distance(one) == pytest.approx(brute(one, 7), rel=1e-9)


def test_skewed_cells_describe_the_same_crystal():
    rng = np.random.default_rng(5)
    cell = np.diag([2.0, 3.0, 4.0]) + rng.normal(size=(3, 3)) * 0.2
    positions = rng.random((6, 3)) @ cell
    expected = minimum_distance(frame(positions, cell))
    for _ in range(20):
        change = np.eye(3)
        for _ in range(6):
            i, j = rng.permutation(3)[:2]
            change[i] += int(rng.integers(-4, 5)) * change[j]
        assert minimum_distance(frame(positions, change @ cell)) == pytest.approx(expected, rel=1e-6)
    volume = abs(np.linalg.det(reduced(change @ cell)))
    assert volume == pytest.approx(abs(np.linalg.det(cell)), rel=1e-6)


def test_known_distances():
    cubic = np.eye(3) * 4.05
    fcc = np.array([[0, 0, 0], [0, 0.5, 0.5], [0.5, 0, 0.5], [0.5, 0.5, 0]]) @ cubic
    assert minimum_distance(frame(fcc, cubic)) == pytest.approx(4.05 / np.sqrt(2))
    primitive = 4.05 / 2 * np.array([[0, 1, 1], [1, 0, 1], [1, 1, 0]])
    assert minimum_distance(frame([[0.3, 0.2, 0.1]], primitive)) == pytest.approx(4.05 / np.sqrt(2))
    assert minimum_distance(frame([[0, 0, 0], [0, 0, 0.74]], None, (False,) * 3)) == pytest.approx(0.74)
    wrapped = frame([[0.1, 0, 0], [9.9, 0, 0]], np.eye(3) * 10)
    assert minimum_distance(wrapped) == pytest.approx(0.2)
    assert minimum_distance(
        frame([[0.1, 0, 0], [9.9, 0, 0]], np.eye(3) * 10, (False, True, True))
    ) == pytest.approx(9.8)
    twins = frame([[1, 1, 1], [1, 1, 1], [2, 2, 2]], np.eye(3) * 10)
    assert minimum_distance(twins) == 0


def test_report(tmp_path):
    path = tmp_path / "a.xyz"
    no_energy = cases.LATTICE.replace("energy=-1.5 ", "")
    oxide = ["O 0 0 0 0 0 0", "H 0.96 0 0 0 0 0", "H 0 0.96 0 0 0 0"]
    path.write_text(cases.xyz() + cases.xyz(oxide, comment=no_energy) + cases.xyz(["H 0 0 0 0 0 0"]))
    report = inspect_frames(path)
    assert (report["frames"], report["atoms_min"], report["atoms_max"], report["atoms_total"]) == (3, 1, 3, 6)
    assert report["elements"] == {"H": 5, "O": 1}
    assert report["labels"] == {"energy": 2, "forces": 3}
    assert report["cells"] == 3
    assert report["periodic"] == [3, 3, 3]
    assert report["volume_min"] == report["volume_max"] == pytest.approx(125)
    assert report["minimum_distance"] == pytest.approx(0.74)
    assert report["minimum_distance_frame"] == 0
    assert report["flags"] == ["energy is given for 2 of 3 frames"]


def test_flags(tmp_path):
    path = tmp_path / "a.xyz"
    left = cases.LATTICE.replace("5 0 0 0 5 0 0 0 5", "0 5 0 5 0 0 0 0 5")
    path.write_text(cases.xyz() + cases.xyz(["H 0 0 0 0 0 0", "H 0 0 4.8 0 0 0"], comment=left))
    flags = inspect_frames(path)["flags"]
    assert len(flags) == 2
    assert "left-handed" in flags[0]
    assert "the first is frame 1" in flags[1]
    path.write_text(cases.xyz(comment=cases.LATTICE.replace("forces:R", "force:R")))
    assert any("'force'" in flag for flag in inspect_frames(path)["flags"])


def test_real_data(data):
    report = inspect_frames(data / "atoms" / "monbtaw" / "Mo_Surface.xyz.gz")
    assert report["frames"] == 11
    assert list(report["elements"]) == ["Mo"]
    assert report["labels"] == {"energy": 11, "forces": 11}
    assert 2.3 < report["minimum_distance"] < 2.8
    assert report["values"]["vasp_stress_kbar"] == 11
