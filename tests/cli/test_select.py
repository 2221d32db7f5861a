"""`geoembed select`: chosen frames as they stand in the file, reports, mistakes."""

import gzip
import json

import jax.numpy as jnp
import pytest

from geoembed import save
from geoembed.atoms import Committee, Posterior, posterior, read_extxyz, select
from tests.atoms.toy_potential import clusters, labelled, morse, write_xyz


@pytest.fixture(scope="module", autouse=True)
def quickly(compiled_quickly):
    """All programs here are formulas on few numbers."""


@pytest.fixture(scope="module")
def case(tmp_path_factory):
    """A potential, a posterior, a committee; training structures and a pool whose comment lines say more."""
    folder = tmp_path_factory.mktemp("select")
    train = labelled(clusters(3, cells=False, seed=8), morse())
    save(folder / "model", morse())
    over = ("depth", "distance")
    save(folder / "posterior", Posterior(morse(), 0.1 * jnp.eye(4), jnp.ones(2), jnp.ones(2), over))
    save(folder / "committee", Committee([morse(), morse(shift=0.1)]))
    write_xyz(folder / "train.xyz", train)
    write_xyz(folder / "pool.xyz", clusters(8, seed=9))
    text = (
        (folder / "pool.xyz")
        .read_text()
        .replace("config_type=", 'note="two  words"   made_by={x y} config_type=')
    )
    (folder / "pool.xyz").write_text(text.replace("\n", "\r\n"))
    return folder


def blocks(path):
    """The lines of each frame."""
    lines, found = path.read_text().splitlines(), []
    while lines:
        count = int(lines[0]) + 2
        found.append(lines[:count])
        lines = lines[count:]
    return found


def test_chosen_frames_are_copied_line_by_line(case, geoembed, tmp_path):
    out = tmp_path / "chosen.xyz"
    outcome = geoembed(
        "select", case / "model", case / "pool.xyz", "--count", "3", "--out", out,
        "--labelled", case / "train.xyz", "--over", "depth", "--over", "distance",
        "--method", "determinant", "--json",
    )  # fmt: skip
    assert outcome.code == 0, outcome.err
    report = json.loads(outcome.out)
    places = [row["frame"] for row in report["chosen"]]
    assert (report["method"], report["over"]) == ("determinant", ["depth", "distance"])
    model = posterior(morse(), read_extxyz(case / "train.xyz"), over=("depth", "distance"))
    expected = select(model, read_extxyz(case / "pool.xyz"), 3, method="determinant")
    assert places == expected.indices.tolist()
    assert report["chosen"][0]["gain"] == pytest.approx(expected.gains[0])
    assert report["deviation_eV_per_A"]["largest"] == pytest.approx(expected.deviation.max())
    pool = blocks(case / "pool.xyz")
    assert blocks(out) == [pool[place] for place in places]
    assert b"\r" not in out.read_bytes()
    assert 'note="two  words"   made_by={x y}' in out.read_text()
    again = read_extxyz(out)
    assert [len(frame.numbers) for frame in again] == [row["atoms"] for row in report["chosen"]]


def test_a_posterior_a_committee_and_a_packed_pool(case, geoembed, tmp_path):
    packed = tmp_path / "pool.xyz.gz"
    packed.write_bytes(gzip.compress((case / "pool.xyz").read_bytes()))
    for model, method in (("posterior", "uncertainty"), ("committee", "weighted")):
        out = tmp_path / f"{model}.xyz"
        options = ("--method", method) if model == "posterior" else ()
        outcome = geoembed("select", case / model, packed, "--count", "2", "--out", out, *options)
        assert outcome.code == 0, outcome.err
        assert f"2 of 8 structures by {method}" in outcome.out
        assert "largest" in outcome.out
        assert len(read_extxyz(out)) == 2
    arguments = ("--count", "4", "--method", "random", "--json", "--seed")
    found = [
        json.loads(geoembed("select", case / "model", packed, "--out", out, *arguments, seed).out)
        for seed in ("1", "1", "2")
    ]
    chosen = [[row["frame"] for row in report["chosen"]] for report in found]
    assert chosen[0] == chosen[1] != chosen[2]


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({}, ["does not know how sure it is", "--labelled", "--method farthest"]),
        ({"method": "best"}, ["no such method", "determinant"]),
        ({"method": "random", "count": "9"}, ["9 structures are asked for", "has 8"]),
        ({"method": "random", "out": "chosen.npz"}, ["ends in .xyz"]),
        ({"method": "random", "out": "none/chosen.xyz"}, ["there is no folder"]),
        ({"method": "random", "out": "../pool.xyz", "pool": "pool.xyz"}, ["would replace the pool"]),
        ({"model": "nowhere"}, ["there is no such folder"]),
        ({"model": "posterior", "pool": "no.xyz"}, ["no.xyz"]),
        ({"model": "posterior", "pool": "pool.npz"}, ["npz file has no comment lines"]),
        ({"labelled": "train.xyz", "over": "dept"}, ["no 'dept'", "depth"]),
        ({"labelled": "pool.xyz"}, ["pool.xyz", "no structure has an energy"]),
        ({"model": "committee", "method": "determinant"}, ["a committee of 2"]),
    ],
)
def test_a_mistake_is_one_message(case, geoembed, changes, words):
    (case / "sub").mkdir(exist_ok=True)
    given = {"model": "model", "pool": "pool.xyz", "count": "2", "out": "chosen.xyz"} | changes
    options = ["--count", given["count"], "--out", case / "sub" / given["out"]]
    for name in ("method", "over"):
        options += [f"--{name}", given[name]] if name in given else []
    options += ["--labelled", case / given["labelled"]] if "labelled" in given else []
    message = geoembed("select", case / given["model"], case / given["pool"], *options).message
    for word in words:
        assert word in message
    assert not (case / "sub" / "chosen.xyz").exists()
