"""`geoembed repair`: what was asked for, and nothing else."""

import json

import numpy as np
import pytest
import trimesh

from geoembed.sdf import read_mesh, write_stl
from tests.cli.conftest import write_box


@pytest.fixture
def damaged(tmp_path):
    """A box of 1 × 2 × 3 without one triangle, with another one turned over and a third one twice."""
    box = trimesh.creation.box((1, 2, 3))
    faces = np.array(box.faces)[1:]
    faces[4] = faces[4, ::-1]
    write_stl(tmp_path / "damaged.stl", np.array(box.vertices), np.vstack([faces, faces[:1]]))
    return tmp_path / "damaged.stl"


ALL = ("--drop", "--fix-winding", "--fill-holes", "3")


def test_a_damaged_part_is_closed(damaged, geoembed, tmp_path):
    out = tmp_path / "whole.stl"
    outcome = geoembed("repair", damaged, out, *ALL, "--json")
    assert (outcome.code, outcome.err) == (0, "")
    report = json.loads(outcome.out)
    counts = {name: count for name, count in report["changes"].items() if count}
    assert counts == {
        "dropped_duplicates": 1, "flipped_faces": 1, "filled_holes": 1, "added_faces": 1,
        "added_area": counts["added_area"],
    }  # fmt: skip
    assert len(report["done"]) == 3
    written = report["written"]
    assert (written["faces"], written["watertight"], written["sign_reliable"]) == (12, True, True)
    assert written["repairs"] == []
    mesh = read_mesh(out)
    assert trimesh.Trimesh(mesh.vertices, mesh.faces).volume == pytest.approx(6)


def test_what_is_left_is_said(damaged, geoembed, tmp_path):
    outcome = geoembed("repair", damaged, tmp_path / "half.stl", "--drop", "--fix-winding")
    assert outcome.code == 1
    assert "left 3 open edges in 1 loop" in outcome.out
    assert "--fill-holes 3" in outcome.out
    assert (tmp_path / "half.stl").exists()


def test_inspect_names_the_repairs_that_help(damaged, geoembed, tmp_path):
    report = json.loads(geoembed("inspect", damaged, "--unit", "m", "--json").out)
    options = [word for line in report["repairs"] for word in line.split() if word.startswith("--")]
    assert options == ["--merge", "--drop", "--fix-winding", "--fill-holes"]
    assert report["largest_hole"] == 3
    write_box(tmp_path / "box.stl")
    assert (
        json.loads(geoembed("inspect", tmp_path / "box.stl", "--unit", "mm", "--json").out)["repairs"] == []
    )


@pytest.mark.parametrize(
    ("out", "options", "words"),
    [
        ("new.stl", [], "--fill-holes 3"),
        ("damaged.stl", ALL, "replace"),
        ("new.obj", ALL, ".stl"),
        ("absent/new.stl", ALL, "folder"),
        ("new.stl", ["--merge", "100"], "no face is left"),
    ],
)
def test_what_is_refused(out, options, words, damaged, geoembed, tmp_path):
    before = damaged.read_bytes()
    assert words in geoembed("repair", damaged, tmp_path / out, *options).message
    assert damaged.read_bytes() == before
    assert not (tmp_path / "new.stl").exists()


def test_a_tolerance_that_would_swallow_the_part(geoembed, tmp_path):
    ball = trimesh.creation.icosphere(subdivisions=3)
    write_stl(tmp_path / "ball.stl", np.array(ball.vertices), np.array(ball.faces))
    refused = geoembed("repair", tmp_path / "ball.stl", tmp_path / "new.stl", "--merge", "0.9")
    assert "so large" in refused.message


def test_a_file_that_cannot_be_read(geoembed, tmp_path):
    (tmp_path / "cut.stl").write_bytes(b"solid cut\nfacet normal 0 0")
    assert "cut.stl" in geoembed("repair", tmp_path / "cut.stl", tmp_path / "new.stl", "--drop").message
