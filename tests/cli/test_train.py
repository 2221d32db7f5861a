"""`geoembed train` and `geoembed evaluate` from the configuration to their files."""

import inspect
import json
from dataclasses import replace

import numpy as np
import pytest
from ase import Atoms
from matplotlib import image

from geoembed import load, save
from geoembed.atoms import (
    ElementEmbedding,
    Nequip,
    Training,
    read_extxyz,
    untrained_mace,
    untrained_nequip,
)
from geoembed.cli import _atoms_train
from geoembed.cli._atoms_config import PotentialTable, StageTable, TrainConfig, TrainingTable
from geoembed.cli._atoms_describe import read_descriptor
from geoembed.cli._atoms_progress import FitShown
from geoembed.cli._atoms_report import error_lines, finite
from geoembed.cli._read_config import read_toml
from geoembed.interop.ase import Calculator
from geoembed.train import StopRequest
from tests.atoms.toy_potential import clusters, labelled, leaves, morse, write_xyz

CONFIG = """\
[data]
train = "train.xyz"
valid_share = 0.4
test = "test.xyz"
weights = { box = 2.0 }

[potential]
start = "start"

[training]
epochs = 4
batch = 5
rate = 0.02
average = 0.5

[[training.stages]]
stress = 10.0

[[training.stages]]
start = 0.5
energy = 100.0
stress = 10.0

[[trainable]]
parts = ["depth"]

[[trainable]]
parts = ["*"]
but = ["depth", "distance"]
rate = 0.5
"""
RULES = CONFIG[CONFIG.index("[[trainable]]") :]


def write_case(folder, *changes):
    """A configuration with its structures and potential."""
    frames = labelled(clusters(18), morse())
    write_xyz(folder / "train.xyz", frames[:13])
    write_xyz(folder / "test.xyz", frames[13:])
    save(folder / "start", morse(shift=0.15))
    text = CONFIG
    for old, new in changes:
        assert text.count(old) == 1, old
        text = text.replace(old, new)
    (folder / "case.toml").write_text(text, encoding="utf-8")
    return folder / "case.toml"


@pytest.fixture(scope="module")
def finished(tmp_path_factory):
    """A training from its start to its end: configuration, folder, report."""
    folder = tmp_path_factory.mktemp("train")
    config = write_case(folder)
    report = _atoms_train.run_training(config, folder / "out", seed=3, resume=False, quiet=True)
    return config, folder / "out", report


def test_everything_is_written(finished):
    _, out, report = finished
    assert json.loads((out / "report.json").read_text()) == report
    assert report["status"] == "done"
    assert report["structures"] == {"train": 8, "valid": 5, "test": 5}
    assert report["parameters"] == 6
    assert report["trained"]["numbers"] == 4
    assert [(line["part"], line["rate"]) for line in report["trained"]["parts"]] == [
        ("depth", 1.0),
        ("stiffness", 0.5),
    ]
    assert "4 of 6 parameters were trained" in (out / "report.md").read_text()
    assert report["epochs"] == 4
    assert len((out / "log.jsonl").read_text().splitlines()) == 4
    assert report["test"]["energy"]["count"] == 5
    assert report["test"]["groups"].keys() == {"box", "free"}
    assert report["config"]["training"]["rate"] == 0.02
    found, start = load(out / "model"), load(out.parent / "start")
    assert leaves(found.distance) == leaves(start.distance)
    assert leaves(found.depth) != leaves(start.depth)
    assert {"geoembed", "jax"} <= report["versions"].keys()
    assert "| forces, meV/Å | " in (out / "report.md").read_text()
    for name in ("learning.png", "parity.png"):
        picture = image.imread(out / name)
        assert picture.shape[0] > 500
        assert picture[..., :3].std() > 0.05


def test_evaluate_says_what_the_training_said(finished, geoembed, tmp_path):
    config, out, report = finished
    outcome = geoembed("evaluate", out / "model", config.parent / "test.xyz", "--json", "--out", tmp_path)
    assert outcome.code == 0, outcome.err
    found = json.loads(outcome.out)
    assert found == json.loads((tmp_path / "report.json").read_text())
    assert found["errors"]["forces"]["rmse"] == pytest.approx(report["test"]["forces"]["rmse"], rel=1e-3)
    text = geoembed("evaluate", out / "model", config.parent / "test.xyz").out
    assert "forces on Kr" in text
    assert f"{1e3 * found['errors']['energy']['mae']:.4g}" in text


@pytest.mark.slow
def test_interrupted_and_resumed(finished, geoembed, tmp_path, monkeypatch):
    _, out, _ = finished
    config = write_case(tmp_path)

    class Asked(StopRequest):
        """Stops at the third question."""

        left = 3

        def __bool__(self):
            Asked.left -= 1
            return Asked.left == 0

    monkeypatch.setattr(_atoms_train, "StopRequest", Asked)
    outcome = geoembed("train", config, "--seed", "3", "--quiet", "--out", tmp_path / "out")
    assert outcome.code == 130
    assert "--resume" in outcome.err
    assert not (tmp_path / "out" / "model").exists()
    outcome = geoembed("train", config, "--seed", "3", "--resume", "--out", tmp_path / "out")
    assert outcome.code == 0, outcome.err
    assert "done after" in outcome.out
    assert "epoch 4/4" in outcome.err
    assert "4 of 6 numbers are trained" in outcome.err
    assert "stiffness  2      all            2   0.5" in outcome.err
    assert leaves(load(tmp_path / "out" / "model")) == leaves(load(out / "model"))


@pytest.mark.parametrize(
    ("old", "new", "words"),
    [
        ("epochs = 4", "epocs = 4", ["'epocs'", "Did you mean 'epochs'", "line 11"]),
        ("box = 2.0", "bax = 2.0", ["no structure has config_type=bax", "box, free"]),
        ('"distance"', '"distances"', ["line 27", "no part 'distances'", "depth, distance, stiffness"]),
        ('but = ["depth", "distance"]', "", ["line 27: trainable[1]", "rules 0 and 1 are both about depth"]),
        ('parts = ["*"]', 'parts = ["*"]\nrows = ["Ar"]', ["line 27", "no table of element vectors"]),
        ("rate = 0.5", "rank = 2\ngains = true", ["trainable", "more than one of rows, rank and gains"]),
        ("rate = 0.5", "rank = 1", ["trainable[1]", "stiffness is no matrix"]),
        ("batch = 5", "batch = 0", ["training.batch", "greater than or equal to 1"]),
        ('"train.xyz"', '"trian.xyz"', ["there is no", "trian.xyz", "data.train"]),
        ("valid_share = 0.4", "", ["valid_share"]),
        ("start = 0.5", "start = 0.0", ["stages", "they start at"]),
        (
            'test = "test.xyz"',
            'test = "test.xyz"\nlabels = { energy = "E" }',
            ["no frame has E", "train.xyz"],
        ),
        ('start = "start"', "cutoff = 5.0\nisolated = { Xx = 1.0 }", ["'Xx' is not a chemical element"]),
        ('start = "start"', 'start = "start"\nchannels = 8', ["'channels' is for a new potential"]),
        ('start = "start"', "element_size = 4", ["element_size", "random", "physical"]),
        ('start = "start"', 'elements = "fysical"', ["potential.elements", "'physical'"]),
        ('start = "start"', 'elements = "physical"\nelement_size = 2', ["at least 3, not 2"]),
        ('start = "start"', "odd = true", ["'odd'", 'encoder = "nequip"', 'not "mace"']),
        ('start = "start"', 'encoder = "nequip"\ncorrelation = 2', ["'correlation'", 'encoder = "mace"']),
        ('start = "start"', 'start = "train.xyz"', ["train.xyz", "there is no such folder"]),
    ],
)
def test_a_mistake_is_one_message(old, new, words, tmp_path, geoembed):
    message = geoembed("train", write_case(tmp_path, (old, new)), "--out", tmp_path / "out").message
    for word in words:
        assert word in message


def test_structures_that_cannot_be_used_are_refused(tmp_path, geoembed):
    config = write_case(tmp_path)
    frames = read_extxyz(tmp_path / "train.xyz")
    bare = [replace(frame, energy=None, forces=None, stress=None) for frame in frames]
    write_xyz(tmp_path / "train.xyz", bare)
    message = geoembed("train", config).message
    assert "train.xyz: no structure has an energy, forces or a stress" in message
    strange = [replace(frames[0], numbers=np.full(len(frames[0].numbers), 54))]
    write_xyz(tmp_path / "test.xyz", strange)
    message = geoembed("evaluate", tmp_path / "start", tmp_path / "test.xyz").message
    assert "frame 0: the potential does not know the element Xe" in message
    save(tmp_path / "none", {"a": np.ones(3)})
    assert "no potential" in geoembed("evaluate", tmp_path / "none", tmp_path / "test.xyz").message


def test_a_new_potential_has_the_vectors_that_are_asked_for(tmp_path):
    table = (
        'elements = "physical"\nelement_size = 4\nfree_elements = 2\nchannels = 2\nlayers = 1\nmax_ell = 1\n'
    )
    config = read_toml(write_case(tmp_path, ('start = "start"', table)), TrainConfig)
    frames = read_extxyz(tmp_path / "train.xyz")
    potential = _atoms_train._potential(tmp_path, config, frames, 0, FitShown("case", quiet=True))
    elements = potential.encoder.elements
    assert elements.numbers.tolist() == [18, 36, 0, 0]
    expected = ElementEmbedding.physical([18, 36], 4, capacity=4).vectors
    assert np.array_equal(elements.vectors, expected)


@pytest.mark.slow
def test_a_potential_with_gates_is_trained_and_used(tmp_path):
    table = 'encoder = "nequip"\nodd = true\ncutoff = 4.0\nchannels = 1\nlayers = 2\nmax_ell = 1'
    changes = [('start = "start"', table), ("epochs = 4", "epochs = 1"), (RULES, "")]
    config, out = write_case(tmp_path, *changes), tmp_path / "out"
    report = _atoms_train.run_training(config, out, seed=1, resume=False, quiet=True)
    assert report["status"] == "done"
    assert report["steps"] > 0
    trained = load(out / "model")
    assert trained.encoder.irreps == (((0, 1), (1, -1)), ((0, 1),))
    assert isinstance(read_descriptor(out / "model").encoder, Nequip)
    assert all(np.asarray(readout.weight).any() for readout in trained.readouts[:1]), "they started at zero"
    frame = read_extxyz(tmp_path / "test.xyz")[0]
    atoms = Atoms(frame.symbols, frame.positions, cell=frame.cell, pbc=frame.pbc)
    atoms.calc = Calculator(trained)
    assert np.abs(atoms.get_forces()).max() > 0
    assert report["test"]["energy"]["count"] == 5


def test_defaults_are_those_of_the_library():
    assert TrainingTable().made() == Training()
    for encoder, make in (("mace", untrained_mace), ("nequip", untrained_nequip)):
        expected = {name: p.default for name, p in inspect.signature(make).parameters.items()}
        options = PotentialTable(encoder=encoder).options()
        assert options == {name: expected[name] for name in options}
        assert set(expected) - set(options) <= {"found", "key", "layers"}
    assert TrainingTable(stages=[StageTable()]).made() == Training()


def test_a_report_has_no_numbers_that_json_lacks():
    errors = {"energy": {"count": 1, "mae": float("nan"), "rmse": 1.0}, "history": [float("inf")]}
    clean = finite(errors | {"forces_by_element": {}, "groups": {}})
    assert clean["energy"] == {"count": 1, "mae": None, "rmse": 1.0}
    assert clean["history"] == [None]
    assert "—" in error_lines(clean)[1]
