"""`geoembed card`: artefacts and meshes in, a card out."""

import struct
from functools import partial

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
import pytest

from geoembed import check, core, cyclic
from geoembed.core import Property
from tests.cli.conftest import write_box
from tests.cli.test_inspect import strict_json


@core.register(name="tests.Fading")
class Fading(eqx.Module):
    """An encoder that breaks its promise, and takes one number."""

    weight: jnp.ndarray

    def __call__(self, x):
        if x.shape != ():
            raise ValueError(f"takes one number, received shape {x.shape}")
        return jnp.sin(2 * np.pi * x) * jnp.exp(-self.weight * x)

    @property
    def properties(self):
        return (Property("periodic", group=1.0),)


@pytest.fixture
def day(tmp_path):
    core.save(tmp_path / "day", cyclic.Cyclic(24.0))
    return tmp_path / "day"


@pytest.fixture
def fading(tmp_path):
    core.save(tmp_path / "fading", Fading(jnp.asarray(0.1, jnp.float32)))
    return tmp_path / "fading"


def items(folder, array, name="items.npy"):
    np.save(folder / name, array, allow_pickle=True)
    return folder / name


@pytest.fixture
def short(monkeypatch):
    """A card in one precision and for one platform; a broken promise below takes the whole one."""
    monkeypatch.setattr(
        "geoembed.cli._card.card", partial(check.card, dtypes=("float32",), platforms=("cpu",))
    )


def test_an_artefact_as_text(day, geoembed, short):
    outcome = geoembed("card", day)
    assert (outcome.code, outcome.err) == (0, "")
    lines = outcome.out.splitlines()
    assert lines[0] == "Cyclic"
    assert "periodic in lattice 24.0" in outcome.out
    assert "FAILED" not in outcome.out
    assert sum("passed" in line for line in lines) == len(lines) - 2


@pytest.mark.slow
def test_a_mesh_as_json(tmp_path, geoembed, short):
    outcome = geoembed("card", write_box(tmp_path / "box.stl"), "--unit", "mm", "--json", "--seed", 3)
    report = strict_json(outcome.out)
    assert (outcome.code, outcome.err) == (0, "")
    assert (report["name"], report["passed"], report["seed"]) == ("MeshSDF", True, 3)
    assert report["file"].endswith("box.stl")
    assert {row["name"] for row in report["rows"] if row["declared"]} == {"eikonal", "lipschitz 1"}


def test_a_mesh_is_measured_on_examples_of_its_own(tmp_path, geoembed, monkeypatch):
    """One row of its card; tests/test_conformance.py has the whole one, the slow test above all of it together."""

    def eikonal_only(encoder, example, *, key, callback):
        assert example is None
        (declared,) = [promise for promise in encoder.properties if promise.kind == "eikonal"]
        row = check.Row(check.eikonal(encoder, encoder.examples(4, key=key)), "float32", declared)
        return check.Card(type(encoder).__name__, (row,))

    monkeypatch.setattr("geoembed.cli._card.card", eikonal_only)
    outcome = geoembed("card", write_box(tmp_path / "box.stl"), "--unit", "mm", "--json", "--seed", 3)
    report = strict_json(outcome.out)
    assert (outcome.code, outcome.err) == (0, "")
    assert (report["name"], report["passed"], report["seed"]) == ("MeshSDF", True, 3)
    assert report["file"].endswith("box.stl")
    assert [(row["name"], row["declared"]) for row in report["rows"]] == [("eikonal", True)]


def test_a_broken_promise_gives_exit_code_1(fading, tmp_path, geoembed):
    file = items(tmp_path, np.linspace(0.1, 0.9, 5))
    outcome = geoembed("card", fading, "--items", file, "--json")
    report = strict_json(outcome.out)
    assert (outcome.code, outcome.err, report["passed"]) == (1, "", False)
    failed = [row for row in report["rows"] if not row["passed"]]
    assert {row["name"] for row in failed} == {"periodic in lattice 1.0"}
    assert isinstance(failed[0]["worst_input"], float)


def test_what_is_handed_on(fading, tmp_path, geoembed, monkeypatch):
    """The items as they are in the file, the seed as a key; a failure as text."""
    taken = {}

    def record(encoder, example, *, key, callback):
        taken.update(encoder=encoder, example=example, key=key)
        return check.Card("Fading", (check.Row(check.Check("row", 2.0, 1.0, None, False), "float32"),))

    monkeypatch.setattr("geoembed.cli._card.card", record)
    outcome = geoembed("card", fading, "--items", items(tmp_path, np.linspace(0.1, 0.9, 5)), "--seed", 7)
    assert outcome.code == 1
    assert outcome.out.splitlines()[0] == "Fading"
    assert "FAILED" in outcome.out
    assert isinstance(taken["encoder"], Fading)
    assert np.array_equal(taken["example"], np.linspace(0.1, 0.9, 5))
    assert taken["key"] == jax.random.key(7)


def test_items_of_any_layout(tmp_path):
    from geoembed.cli._card import read_items

    rows = np.arange(12.0).reshape(4, 3)
    for array in (
        rows,
        rows.astype(">f8"),
        np.asfortranarray(rows),
        rows.astype(np.float32),
        rows.astype(int),
    ):
        read = read_items(items(tmp_path, array))
        assert len(read) == 4
        assert np.array_equal(read, rows)
        assert read[0].dtype == array.dtype.newbyteorder("=")


BROKEN_ITEMS = {
    "Python objects": (np.array([{}], dtype=object), "never unpickled"),
    "text": (np.array(["a"]), "<U1"),
    "no rows": (np.ones((0, 3)), "no items"),
    "one number": (np.asarray(3.0), "no items"),
    "nan": (np.asarray([1.0, np.nan]), "item 1: a number is not finite"),
    "huge numbers": (np.asarray([1e300]), "too large for float32"),
    "rows of another shape": (np.ones((4, 3)), "shape (3,)"),
    "more digits than anyone computes with": (np.ones(3, np.longdouble), "dtype"),
}


@pytest.mark.parametrize("name", BROKEN_ITEMS)
def test_items_that_cannot_be_used(name, fading, tmp_path, geoembed):
    array, words = BROKEN_ITEMS[name]
    assert words in geoembed("card", fading, "--items", items(tmp_path, array)).message


def test_files_that_hold_no_items(fading, tmp_path, geoembed, monkeypatch):
    whole = items(tmp_path, np.ones(8)).read_bytes()
    claim = whole.replace(b"(8,)", b"(10000000000000,)").replace(b" " * 13, b"", 1)
    assert len(claim) == len(whole)
    cases = {
        "cut.npy": (whole[:-3], "bytes follow the header"),
        "claim.npy": (claim, "bytes follow the header"),
        "long.npy": (whole + b"\0", "bytes follow the header"),
        "text.npy": (b"1 2 3", "not a .npy file"),
        "header.npy": (b"\x93NUMPY\x01\x00" + struct.pack("<H", 4) + b"{'x'", "not a .npy file"),
        "version.npy": (b"\x93NUMPY\x09\x00" + whole[8:], "not a .npy file"),
        "empty.npy": (b"", "empty"),
    }
    for name, (content, words) in cases.items():
        (tmp_path / name).write_bytes(content)
        assert words in geoembed("card", fading, "--items", tmp_path / name).message, name
    assert "no such file" in geoembed("card", fading, "--items", tmp_path / "absent.npy").message
    assert "folder" in geoembed("card", fading, "--items", tmp_path).message
    monkeypatch.setattr("geoembed.cli._card._ITEMS_BYTES", 100)
    assert "more than the limit" in geoembed("card", fading, "--items", tmp_path / "items.npy").message


@pytest.mark.parametrize(
    ("path", "options", "words"),
    [
        ("absent", [], "no such file or folder"),
        ("fading", [], "no examples of its own"),
        ("fading", ["--unit", "mm"], "knows its own unit"),
        ("checkpoint", [], "a dictionary, which is no encoder"),
        ("box.stl", [], "--unit: a mesh needs the unit"),
        ("box.stl", ["--unit", "mile"], "mile"),
        ("notes.txt", ["--unit", "mm"], "'.txt' is not supported"),
        ("", [], "manifest.json: the file is missing"),
    ],
)
def test_what_has_no_card(path, options, words, fading, tmp_path, geoembed):
    core.save(tmp_path / "checkpoint", {"weights": np.ones(3), "step": 12})
    write_box(tmp_path / "box.stl")
    (tmp_path / "notes.txt").write_text("hello")
    assert words in geoembed("card", tmp_path / path, *options).message


def test_a_damaged_artefact_is_refused(day, geoembed):
    file = day / "arrays.npz"
    file.write_bytes(file.read_bytes() + b"x")
    assert "bytes" in geoembed("card", day).message


def test_a_person_at_a_terminal_sees_the_rows_come(monkeypatch, capsys):
    from geoembed.cli._card import progress

    row = check.Row(check.Check("eikonal", 0.1, 0.2, None, True), "float32")
    assert progress() is None
    monkeypatch.setattr("sys.stderr.isatty", lambda: True)
    tell = progress()
    assert tell is not None
    tell(row)
    assert capsys.readouterr().err == "eikonal in float32: passed\n"
