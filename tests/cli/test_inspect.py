"""`geoembed inspect`: every file through one door."""

import hashlib
import json
import math

import numpy as np
import pytest

from geoembed import save
from tests import malformed_cases
from tests.atoms.toy_potential import morse
from tests.cli.conftest import write_box


def strict_json(text: str):
    def refuse(name: str):
        raise AssertionError(f"{name} is not JSON")

    return json.loads(text, parse_constant=refuse)


WATER = """\
3
Properties=species:S:1:pos:R:3 energy=-1.5 pbc="F F F"
O 0.0 0.0 0.0
H 0.96 0.0 0.0
H -0.24 0.93 0.0
"""


def test_a_mesh_as_text(tmp_path, geoembed):
    outcome = geoembed("inspect", write_box(tmp_path / "box.stl"), "--unit", "mm")
    assert outcome.code == 0
    assert outcome.err == ""
    lines = {line.split("  ")[0]: line for line in outcome.out.splitlines() if not line.startswith(" ")}
    assert lines["extents"].split()[1:] == ["30", "20", "10"]
    assert lines["volume"].split()[1:] == ["6000"]
    assert lines["area"].split()[1:] == ["2200"]
    assert lines["watertight"].split()[1:] == ["yes"]
    assert lines["components"].split()[1:] == ["1"]


def test_a_mesh_as_json(tmp_path, geoembed):
    outcome = geoembed("inspect", write_box(tmp_path / "box.stl"), "--unit", "mm", "--json")
    report = strict_json(outcome.out)
    assert (outcome.code, outcome.err) == (0, "")
    assert report["kind"] == "mesh"
    assert report["unit"] == "mm"
    assert report["faces"] == 12
    assert report["volume"] == pytest.approx(6000)
    assert report["sign_reliable"] is True
    assert report["flags"] == []


def test_frames_as_text_and_json(tmp_path, geoembed):
    path = tmp_path / "water.extxyz"
    path.write_text(WATER)
    report = strict_json(geoembed("inspect", path, "--json").out)
    assert report["kind"] == "atoms"
    assert report["frames"] == 1
    assert report["elements"] == {"H": 2, "O": 1}
    assert report["labels"] == {"energy": 1}
    assert report["minimum_distance"] == pytest.approx(0.96)
    text = geoembed("inspect", path).out
    assert "minimum distance" in text
    assert "0.96" in text


def test_an_npz_file_of_one_molecule(tmp_path, geoembed):
    coords = (
        np.array([[[0, 0, 0], [0.96, 0, 0], [-0.24, 0.93, 0]]] * 3) * np.array([1.0, 1.1, 1.0])[:, None, None]
    )
    np.savez(
        tmp_path / "water.npz",
        nuclear_charges=np.array([8, 1, 1]),
        coords=coords,
        energies=np.array([-10.0, -9.0, -10.0]),
        forces=np.ones((3, 3, 3)),
    )
    report = strict_json(geoembed("inspect", tmp_path / "water.npz", "--json").out)
    assert (report["kind"], report["frames"], report["atoms_max"]) == ("atoms", 3, 3)
    assert report["elements"] == {"H": 6, "O": 3}
    assert report["labels"] == {"energy": 3, "forces": 3}
    assert report["force_max"] == pytest.approx(math.sqrt(3) * 0.0433641, rel=1e-5), (
        "1 kcal/mol is 0.0433641 eV"
    )
    assert report["duplicates"] == 1
    assert report["sha256"] == hashlib.sha256((tmp_path / "water.npz").read_bytes()).hexdigest()
    (tmp_path / "broken.npz").write_bytes((tmp_path / "water.npz").read_bytes()[:-30])
    assert "broken.npz" in geoembed("inspect", tmp_path / "broken.npz").message


def test_a_potential(tmp_path, geoembed):
    save(tmp_path / "model", morse(), meta={"seed": 7})
    report = strict_json(geoembed("inspect", tmp_path / "model", "--json").out)
    assert (report["kind"], report["class"], report["cutoff"]) == ("potential", "Morse", 6.0)
    assert (report["parameters"], report["seed"]) == (6, 7)
    text = geoembed("inspect", tmp_path / "model").out
    assert "float32" in text
    assert "no other unit than Å" in geoembed("inspect", tmp_path / "model", "--unit", "mm").message
    save(tmp_path / "array", {"a": np.ones(2)})
    assert "no potential" in geoembed("inspect", tmp_path / "array").message
    (tmp_path / "model" / "arrays.npz").write_bytes(b"nothing")
    assert "arrays.npz" in geoembed("inspect", tmp_path / "model").message


def test_a_size_that_does_not_fit_the_unit_is_said(tmp_path, geoembed):
    path = write_box(tmp_path / "box.stl")
    report = strict_json(geoembed("inspect", path, "--unit", "ft", "--json").out)
    assert report["implausible_unit"] is None  # 30 ft = 9.1 m may be
    report = strict_json(geoembed("inspect", path, "--unit", "um", "--json").out)
    assert "3e-05 m" in report["implausible_unit"]
    assert report["implausible_unit"] in report["flags"]


def test_without_a_unit_the_size_is_given_in_all(tmp_path, geoembed):
    report = strict_json(geoembed("inspect", write_box(tmp_path / "box.stl"), "--json").out)
    assert report["unit"] is None
    assert report["size_in_metres"]["in"] == pytest.approx(30 * 0.0254)
    assert any("no unit given" in flag for flag in report["flags"])


def test_an_open_mesh_is_flagged(tmp_path, geoembed):
    path = write_box(tmp_path / "box.stl")
    whole = path.read_bytes()
    path.write_bytes(whole[:80] + (11).to_bytes(4, "little") + whole[84 : 84 + 50 * 11])
    report = strict_json(geoembed("inspect", path, "--unit", "mm", "--json").out)
    assert report["watertight"] is False
    assert report["sign_reliable"] is False
    assert len(report["actions"]) > 0


@pytest.mark.parametrize(
    ("name", "arguments", "words"),
    [
        ("box.stl", ["--unit", "mile"], "mile"),
        ("box.stl", ["--unit", ""], "unit"),
        ("water.extxyz", ["--unit", "mm"], "Å"),
        ("absent.stl", [], "no such file"),
        (".", [], "folder"),
        ("case.docx", [], "case.docx"),
    ],
)
def test_what_cannot_be_inspected(name, arguments, words, tmp_path, geoembed):
    write_box(tmp_path / "box.stl")
    (tmp_path / "water.extxyz").write_text(WATER)
    (tmp_path / "case.docx").write_text("")
    assert words in geoembed("inspect", tmp_path / name, *arguments).message


def test_all_malformed_files_go_through_this_door(tmp_path, geoembed):
    """Refused files end with code 2 and one message; what loads is JSON that a strict reader takes."""
    wrong = []
    for row in malformed_cases.write(tmp_path):
        unit = ["--unit", "m"] if row["kind"] == "mesh" else []
        outcome = geoembed("inspect", tmp_path / row["file"], "--json", *unit)
        if row["expect"] == "error":
            good = outcome.code == 2 and len(outcome.err.splitlines()) == 1 and outcome.out == ""
        else:
            report = strict_json(outcome.out)
            said = bool(report["notes"] or report["flags"])
            good = outcome.code == 0 and said == (row["expect"] == "flagged")
        if not good:
            wrong.append((row["name"], row["expect"], outcome))
    assert wrong == []


def test_text_is_written_for_everything_that_loads(tmp_path, geoembed):
    rows = [row for row in malformed_cases.write(tmp_path) if row["expect"] == "ok"]
    assert len(rows) > 20
    for row in rows[:: len(rows) // 20]:
        outcome = geoembed("inspect", tmp_path / row["file"])
        assert (outcome.code, outcome.err) == (0, ""), row["name"]
        assert "sha256" in outcome.out
