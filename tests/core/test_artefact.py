"""Artefacts: what was saved comes back, and nothing damaged, edited, foreign or oversized gets through."""

import dataclasses
import hashlib
import json
import math
import os
import signal
import subprocess
import sys
import tracemalloc
import zipfile
from pathlib import Path

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import geoembed
from geoembed import ArtefactError
from geoembed.core import load, load_meta, register, save


@register(name="test.Options")
@dataclasses.dataclass(frozen=True)
class Options:
    order: int
    scale: float
    names: tuple[str, ...] = ()

    def __post_init__(self):
        if self.order < 0:
            raise ValueError("order must be ≥ 0")


@register(name="test.Layer")
class Layer(eqx.Module):
    weight: jax.Array
    bias: jax.Array | None

    def __call__(self, x):
        return self.weight @ x


@register(name="test.Model")
class Model(eqx.Module):
    layers: tuple[Layer, ...]
    table: np.ndarray  # float64 on the host, whatever jax's mode
    by_name: dict[str, jax.Array]
    options: Options = eqx.field(static=True)
    unit: str = eqx.field(static=True)

    def __check_init__(self):
        if self.unit not in ("m", "mm"):
            raise ValueError(f"unknown unit {self.unit}")


class Stranger(eqx.Module):
    weight: jax.Array


def model(unit="mm"):
    layers = tuple(Layer(jnp.full((2, 3), float(i), jnp.float32), None) for i in range(2))
    table = np.random.default_rng(0).normal(size=(4, 3))
    by_name = {"a.b": jnp.arange(3), "a": jnp.ones((2,), jnp.bfloat16), "é/…": jnp.zeros((0, 2))}
    return Model(layers, table, by_name, Options(3, 0.1, ("x", "y")), unit)


def same_leaf(a, b):
    kinds = [isinstance(leaf, jax.Array) for leaf in (a, b)]
    return kinds[0] == kinds[1] and a.dtype == b.dtype and a.shape == b.shape and bool(np.array_equal(a, b))


def assert_same(a, b):
    assert jax.tree.structure(a) == jax.tree.structure(b)  # static fields are part of the structure
    assert all(map(same_leaf, jax.tree.leaves(a), jax.tree.leaves(b)))


@pytest.fixture
def saved(tmp_path) -> Path:
    save(tmp_path / "model", model())
    return tmp_path / "model"


# --- what was saved comes back


def test_a_nested_module_comes_back(saved):
    assert_same(load(saved), model())
    assert load(saved).options == Options(3, 0.1, ("x", "y"))


def test_the_top_level_functions_are_these():
    assert geoembed.save is save
    assert geoembed.load is load


@pytest.mark.parametrize("x64", [False, True])
def test_dtypes_survive_in_both_modes(tmp_path, x64):
    with jax.enable_x64(True):
        state = {"jax64": jnp.asarray([1 / 3]), "jax32": jnp.ones(2, jnp.float32), "host": np.array([1 / 3])}
    with jax.enable_x64(x64):
        save(tmp_path / "a", state)
        back = load(tmp_path / "a")
        assert jax.config.jax_enable_x64 == x64
    assert_same(back, state)
    assert back["jax64"].dtype == jnp.float64


@pytest.mark.parametrize(
    "dtype", ["bool", "int8", "uint64", "float16", "float64", "complex128", ">f8", ">i4"]
)
def test_numpy_dtypes(tmp_path, dtype):
    array = np.array([[0, 1], [2, 3]]).astype(dtype)
    save(tmp_path / "a", {"x": array, "t": array.T, "scalar": np.array(array[0, 0])})
    back = load(tmp_path / "a")
    assert back["x"].dtype == array.dtype.newbyteorder("=")
    assert np.array_equal(back["x"], array)
    assert np.array_equal(back["t"], array.T)
    assert back["scalar"].shape == ()
    back["x"][0, 0] = 1  # a loaded array belongs to the caller


def test_a_checkpoint_mixes_arrays_and_plain_values(tmp_path):
    state = {
        "w": np.arange(3.0),
        "step": 12,
        "log": [1.5, None, {"k": (True, "s", math.inf)}],
        "rng": {"a": np.ones(2)},
    }
    save(tmp_path / "run", state, meta={"seed": 7, "config": {"lr": 1e-3}})
    back = load(tmp_path / "run")
    assert np.array_equal(back.pop("w"), state.pop("w"))
    assert np.array_equal(back.pop("rng")["a"], state.pop("rng")["a"])
    assert back == state
    assert type(back["log"][2]["k"]) is tuple
    assert load_meta(tmp_path / "run") == {"seed": 7, "config": {"lr": 1e-3}}


plain = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.text(st.characters(exclude_categories=["Cs"]))
    | st.floats(),
    lambda inner: (
        st.lists(inner, max_size=3) | st.tuples(inner, inner) | st.dictionaries(st.text(max_size=5), inner)
    ),
    max_leaves=8,
)


@given(plain)
def test_plain_values_come_back_exactly(tmp_path_factory, value):
    folder = tmp_path_factory.mktemp("plain") / "a"
    save(folder, {"value": value})
    assert repr(load(folder)["value"]) == repr(
        value
    )  # repr tells −0.0, nan, tuple from list and int from bool


def test_arrays_open_with_numpy_and_equal_objects_give_equal_files(saved, tmp_path):
    with np.load(saved / "arrays.npz", allow_pickle=False) as arrays:
        assert np.array_equal(arrays["table"], model().table)
        assert arrays["layers.1.weight"].shape == (2, 3)
    save(tmp_path / "again", model())
    for name in ("arrays.npz", "manifest.json"):
        assert (tmp_path / "again" / name).read_bytes() == (saved / name).read_bytes()


def test_equinox_linear_and_functions_by_name(tmp_path):
    register(name="test.tanh")(jnp.tanh)
    linear = eqx.nn.Linear(2, 3, key=jax.random.key(0))
    save(tmp_path / "a", {"linear": linear, "activation": jnp.tanh})
    back = load(tmp_path / "a")
    assert_same(back["linear"], linear)
    assert back["activation"] is jnp.tanh
    assert np.array_equal(back["linear"](jnp.ones(2)), linear(jnp.ones(2)))


def test_saving_again_replaces_the_artefact(saved):
    save(saved, {"x": np.ones(2)})
    assert set(load(saved)) == {"x"}
    assert sorted(p.name for p in saved.parent.iterdir()) == ["model"]


# --- what cannot be saved


@pytest.mark.parametrize(
    ("value", "said"),
    [
        (Stranger(jnp.ones(2)), "is not registered"),
        (np.float64(1.0), "numpy.float64 cannot be saved"),
        (np.array(["a"]), "dtype <U1 cannot be saved"),
        (np.array([None]), "dtype object cannot be saved"),
        (np.ma.masked_array([1.0], [True]), "MaskedArray cannot be saved"),
        (jax.random.key(0), "random key cannot be saved"),
        ({1: 2}, "keys that are not strings"),
        (lambda: 0, "function cannot be saved"),
        ({1, 2}, "set cannot be saved"),
    ],
)
def test_unsuitable_values_are_named(tmp_path, value, said):
    with pytest.raises(ArtefactError, match=said) as caught:
        save(tmp_path / "a", {"outer": {"inner": value}})
    assert caught.value.where == "outer.inner"
    assert not list(tmp_path.iterdir())


def test_foreign_places_are_left_alone(tmp_path):
    (tmp_path / "notes.txt").write_text("mine")
    with pytest.raises(ArtefactError, match=r"notes\.txt: the folder holds other files"):
        save(tmp_path, {"x": np.ones(1)})
    with pytest.raises(ArtefactError, match="a file occupies the path"):
        save(tmp_path / "notes.txt", {"x": np.ones(1)})
    assert (tmp_path / "notes.txt").read_text() == "mine"


def test_a_name_belongs_to_one_class():
    with pytest.raises(ValueError, match=r"'test\.Model' belongs to"):
        register(name="test.Model")(Layer)
    with pytest.raises(ValueError, match="inside a function"):

        @register
        class Local(eqx.Module):
            pass


# --- damage


def rewrite(folder: Path, change, arrays: bytes | None = None) -> None:
    """Edit the manifest and give it valid hashes, as an attacker or a buggy writer would."""
    if arrays is not None:
        (folder / "arrays.npz").write_bytes(arrays)
    manifest = json.loads((folder / "manifest.json").read_text())
    data = (folder / "arrays.npz").read_bytes()
    manifest["files"]["arrays.npz"] = {"sha256": hashlib.sha256(data).hexdigest(), "bytes": len(data)}
    change(manifest)
    del manifest["sha256"]
    bare = json.dumps(manifest, indent=1)
    manifest["sha256"] = hashlib.sha256(bare.encode()).hexdigest()
    (folder / "manifest.json").write_text(json.dumps(manifest, indent=1) + "\n")


def refuses(folder: Path, said: str) -> None:
    with pytest.raises(ArtefactError, match=said) as caught:
        load(folder)
    error = caught.value
    assert error.file == str(folder)
    assert error.reason
    assert error.hint


def test_the_test_tool_itself_keeps_a_good_artefact_good(saved):
    rewrite(saved, lambda m: None)
    assert_same(load(saved), model())


def test_missing_things(tmp_path, saved):
    refuses(tmp_path / "nowhere", "there is no such folder")
    (saved / "arrays.npz").unlink()
    refuses(saved, r"arrays\.npz: the file is missing")
    (saved / "manifest.json").unlink()
    refuses(saved, r"manifest\.json: the file is missing")


def test_a_named_pipe_does_not_block(saved):
    (saved / "arrays.npz").unlink()
    os.mkfifo(saved / "arrays.npz")
    refuses(saved, r"arrays\.npz: the file is missing")


def test_every_flipped_bit_of_the_arrays_is_noticed(saved):
    data = (saved / "arrays.npz").read_bytes()
    for i in range(0, len(data), max(1, len(data) // 60)):
        damaged = bytearray(data)
        damaged[i] ^= 1 << (i % 8)
        (saved / "arrays.npz").write_bytes(damaged)
        refuses(saved, "does not match its SHA-256")


def test_every_changed_byte_of_the_manifest_is_noticed(saved):
    data = (saved / "manifest.json").read_bytes()
    for i in range(0, len(data), max(1, len(data) // 120)):
        damaged = bytearray(data)
        damaged[i] ^= 1
        (saved / "manifest.json").write_bytes(damaged)
        refuses(saved, r"manifest\.json")


@pytest.mark.parametrize("name", ["arrays.npz", "manifest.json"])
def test_every_truncation_is_noticed(saved, name):
    data = (saved / name).read_bytes()
    for length in [0, 1, 20, len(data) // 2, len(data) - 1]:
        (saved / name).write_bytes(data[:length])
        refuses(saved, "the manifest says" if name == "arrays.npz" else "manifest")


def test_an_edited_manifest(saved):
    text = (saved / "manifest.json").read_text()
    for old, new in [
        ('"mm"', '"m"'),
        ('"unit"', '"unit" '),
        ('"format": 1', '"format": 1, "format": 1'),
        ("{", '{"x": NaN, '),
    ]:
        (saved / "manifest.json").write_text(text.replace(old, new, 1))
        refuses(saved, "edited or damaged")
    (saved / "manifest.json").write_text("[" * 100_000)
    refuses(saved, "not JSON")
    with open(saved / "manifest.json", "wb") as file:
        file.truncate(2**40)  # sparse: no disk is used, and no memory may be
    refuses(saved, "the manifest is longer than")
    (saved / "manifest.json").write_text('{"format": "x"}')
    refuses(saved, "not the manifest of a geoembed artefact")


def edit(*keys, value):
    def change(manifest):
        for key in keys[:-1]:
            manifest = manifest[key]
        if value is None:
            del manifest[keys[-1]]
        else:
            manifest[keys[-1]] = value

    return change


FIELDS = ("tree", "fields")


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (edit("format", value=2), "the format version is 2"),
        (edit("tree", "$class", value="test.Unknown"), "'test.Unknown' is not a registered"),
        (edit("tree", "$class", value="os.system"), "'os.system' is not a registered"),
        (edit("tree", "$class", value="geoembed.no_such.Thing"), "is not a registered"),
        (edit("tree", "$class", value="test.tanh"), "is not a"),
        (edit(*FIELDS, "unit", value="furlong"), "refuses these fields: unknown unit furlong"),
        (edit(*FIELDS, "options", "fields", "order", value=-1), "refuses these fields: order must be"),
        (edit(*FIELDS, "unit", value=None), "the field 'unit' of test.Model is missing"),
        (edit(*FIELDS, "extra", value=1), "the field 'extra' of test.Model is unknown"),
        (edit(*FIELDS, "unit", value={"$array": "table"}), "missing or used twice|holds an array"),
        (edit(*FIELDS, "table", value=3), "no field holds the array 'table'"),
        (edit(*FIELDS, "table", value={"$what": 3}), "has an unknown form"),
        (
            edit("arrays", "table", "dtype", value="float32"),
            "arrays.npz, table: the dtype is float64, the manifest says float32",
        ),
        (edit("arrays", "table", "dtype", value="object"), "unusable entry"),
        (
            edit("arrays", "table", "shape", value=[3, 4]),
            r"the shape is \(4, 3\), the manifest says \(3, 4\)",
        ),
        (edit("arrays", "table", "shape", value=[-1, 3]), "unusable entry"),
        (edit("arrays", "table", "shape", value=[2**62, 2**62]), "the shape is"),
        (edit("arrays", "table", value=None), "the array 'table' is not in the manifest"),
        (
            edit("arrays", "ghost", value={"dtype": "bool", "shape": [], "kind": "jax"}),
            "the array 'ghost' is missing",
        ),
        (edit("files", "arrays.npz", value=None), "lacks its table of files"),
    ],
)
def test_a_wrong_manifest_with_right_hashes(saved, change, said):
    rewrite(saved, change)
    refuses(saved, said)


def test_a_field_that_came_later_has_its_default(saved):
    rewrite(saved, edit(*FIELDS, "options", "fields", "names", value=None))
    assert load(saved).options == Options(3, 0.1, ())


def archive(path: Path, members: dict[str, bytes], compression=zipfile.ZIP_STORED) -> bytes:
    with zipfile.ZipFile(path, "w", compression) as file:
        for name, data in members.items():
            file.writestr(name, data)
    return path.read_bytes()


def npy(header: str, payload: bytes = b"") -> bytes:
    text = header.encode().ljust(117) + b"\n"
    return b"\x93NUMPY\x01\x00" + len(text).to_bytes(2, "little") + text + payload


@pytest.fixture
def bomb(tmp_path) -> Path:
    save(tmp_path / "bomb", {"x": np.zeros(2**27, np.uint8)[:8]})
    return tmp_path / "bomb"


def test_a_zip_bomb_allocates_nothing(bomb, tmp_path):
    huge = 2**28
    header = npy(f"{{'descr': '|u1', 'fortran_order': False, 'shape': ({huge},), }}")
    data = archive(tmp_path / "z", {"x.npy": header + bytes(huge)}, zipfile.ZIP_DEFLATED)
    assert len(data) < huge / 500
    rewrite(bomb, edit("arrays", "x", "shape", value=[huge]), data)
    tracemalloc.start()
    refuses(bomb, "the member is compressed")
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < 10 * 2**20


@pytest.mark.parametrize(
    ("member", "said"),
    [
        (
            npy("{'descr': '|u1', 'fortran_order': False, 'shape': (1099511627776,), }", bytes(8)),
            "the shape is",
        ),
        (
            npy("{'descr': '|u1', 'fortran_order': False, 'shape': (8,), }", bytes(7)),
            "not as long as its shape",
        ),
        (
            npy("{'descr': '|u1', 'fortran_order': False, 'shape': (8,), }", bytes(9)),
            "not as long as its shape",
        ),
        (npy("{'descr': '|O', 'fortran_order': False, 'shape': (8,), }", bytes(64)), "the dtype is object"),
        (npy("{'descr': '|u1', 'fortran_order': True, 'shape': (8,), }", bytes(8)), "the shape is"),
        (npy("__import__('os')"), "header cannot be read"),
        (b"\x93NUMPY\x02\x00" + bytes(200), "header cannot be read"),
        (b"", "header cannot be read"),
    ],
)
def test_a_wrong_member_with_right_hashes(bomb, tmp_path, member, said):
    rewrite(bomb, lambda m: None, archive(tmp_path / "z", {"x.npy": member}))
    refuses(bomb, said)


def test_other_wrong_archives_with_right_hashes(bomb, tmp_path):
    good = npy("{'descr': '|u1', 'fortran_order': False, 'shape': (8,), }", bytes(8))
    with zipfile.ZipFile(tmp_path / "twice", "w") as file:
        file.writestr("x.npy", good)
        with pytest.warns(UserWarning, match="Duplicate name"):
            file.writestr("x.npy", good)
    rewrite(bomb, lambda m: None, (tmp_path / "twice").read_bytes())
    refuses(bomb, "a name appears twice")
    rewrite(bomb, lambda m: None, b"not a zip file")
    refuses(bomb, "cannot be read")
    data = bytearray(archive(tmp_path / "flag", {"x.npy": good}))
    data[data.index(b"PK\x01\x02") + 8] |= 1  # says it is encrypted
    rewrite(bomb, lambda m: None, bytes(data))
    refuses(bomb, "cannot be read")
    data = bytearray(archive(tmp_path / "crc", {"x.npy": good}))
    data[data.index(good) + len(good) - 1] ^= 1
    rewrite(bomb, lambda m: None, bytes(data))
    refuses(bomb, "cannot be read")


# --- kills and errors while saving


def test_an_error_while_writing_leaves_the_old_artefact(saved, monkeypatch):
    def full(*_):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("geoembed.core._artefact.write_arrays", full)
    with pytest.raises(OSError, match="No space"):
        save(saved, {"x": np.ones(2)})
    assert_same(load(saved), model())
    assert [p.name for p in saved.parent.iterdir()] == ["model"]


@pytest.mark.parametrize("step", [0, 1, 2])
def test_a_kill_between_the_renames_leaves_a_whole_artefact(saved, monkeypatch, step):
    """`step` renames happen, then the process is gone: nothing after it runs, not even clean-up."""
    rename, calls = os.rename, []

    class Killed(BaseException):
        pass

    def dying(source, target):
        if len(calls) == step:
            raise Killed
        calls.append(target)
        rename(source, target)
        if len(calls) == step == 2:
            raise Killed

    monkeypatch.setattr("geoembed.core._folder.os.rename", dying)
    with pytest.raises(Killed):
        save(saved, {"x": np.ones(2)})
    monkeypatch.undo()
    if step == 2:
        assert set(load(saved)) == {"x"}
    else:
        assert_same(load(saved), model())
    save(saved, {"y": np.ones(2)})
    assert set(load(saved)) == {"y"}
    assert [p.name for p in saved.parent.iterdir()] == ["model"]


KILLED = """
import sys, numpy as np
from geoembed.core._artefact import save
size, i = 200_000, 0
while True:
    save(sys.argv[1], {"x": np.full(size, i % 250, np.uint8), "i": i % 250})
    if i == 0:
        print("ready", flush=True)
    i += 1
"""


def test_kill_9_at_any_moment_leaves_a_whole_artefact(tmp_path):
    child = subprocess.Popen([sys.executable, "-c", KILLED, str(tmp_path / "a")], stdout=subprocess.PIPE)
    assert child.stdout is not None
    child.stdout.readline()
    delay = np.random.default_rng(0)
    for _ in range(12):
        # stop, look, go on: a stopped process is what a killed one would have left
        try:
            subprocess.run(["sleep", f"{delay.uniform(0.02, 0.06):.3f}"], check=True)
            child.send_signal(signal.SIGSTOP)
            state = load(tmp_path / "a")
            assert np.array_equal(state["x"], np.full(200_000, state["i"], np.uint8))
        finally:
            child.send_signal(signal.SIGCONT)
    child.kill()
    child.wait()
    child.stdout.close()
    state = load(tmp_path / "a")
    assert np.array_equal(state["x"], np.full(200_000, state["i"], np.uint8))
