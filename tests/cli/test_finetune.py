"""`geoembed finetune` from the configuration to its files."""

import functools
import json
import runpy
from dataclasses import replace
from pathlib import Path

import equinox as eqx
import jax
import numpy as np
import pytest

from geoembed import load, save
from geoembed.atoms import read_extxyz, statistics, untrained_mace
from geoembed.cli import _atoms_finetune
from geoembed.cli._recipe_evidence import evidence, recommendation
from geoembed.train import StopRequest
from tests.atoms.toy_potential import clusters, labelled, leaves, morse, write_xyz

pytestmark = pytest.mark.usefixtures("compiled_quickly")

XENON = 54
CONFIG = """\
[tuning]
start = "start"
recipe = "rows"

[new.Xe]
like = "Kr"

[data]
train = "train.xyz"
valid = "valid.xyz"

[old]
test = "old.xyz"
replay = "old.xyz"
labels = "potential"
share = 1.0

[training]
epochs = 3
batch = 4
average = 0.5
"""


def structures():
    """Structures of argon and krypton, and some in which krypton is called xenon and has 2 eV more."""
    frames = [frame for frame in labelled(clusters(24, cells=False), morse()) if len(frame.numbers) == 4]
    new = []
    for frame in frames[:8]:
        krypton = frame.numbers == 36
        energy = float(frame.energy + 2.0 * krypton.sum())
        new.append(replace(frame, numbers=np.where(krypton, XENON, frame.numbers), energy=energy))
    return frames[8:], new


@functools.cache
def potential():
    """A potential of argon and krypton whose readouts are not zero, so that its forces are not."""
    options = {"channels": 2, "max_ell": 1, "hidden_ell": 0, "correlation": 1, "layers": 1, "cutoff": 4.0}
    made = untrained_mace(
        statistics(structures()[0], 4.0), key=jax.random.key(0), elements="random", element_size=3,
        free_elements=1, **options,
    )  # fmt: skip
    weight = jax.device_put(np.array([[0.7], [-0.4]], np.float32))
    return eqx.tree_at(lambda p: p.readouts[0].weight, made, weight)


def write_case(folder, *changes):
    """A configuration with its structures and potential."""
    old, new = structures()
    for name, frames in (("old", old), ("train", new[:4]), ("valid", new[4:])):
        write_xyz(folder / f"{name}.xyz", frames)
    save(folder / "start", potential())
    text = CONFIG
    for before, after in changes:
        assert text.count(before) == 1, before
        text = text.replace(before, after)
    (folder / "case.toml").write_text(text, encoding="utf-8")
    return folder / "case.toml"


@pytest.fixture(scope="module")
def finished(tmp_path_factory):
    """A fine-tuning from its start to its end: configuration, folder, report."""
    folder = tmp_path_factory.mktemp("finetune")
    config = write_case(folder)
    report = _atoms_finetune.run_finetuning(config, folder / "out", seed=3, resume=False, quiet=True)
    return config, folder / "out", report


def test_the_row_of_the_new_element_is_all_that_changes(finished):
    config, out, report = finished
    before, after = load(config.parent / "start"), load(out / "model")
    assert report == json.loads((out / "report.json").read_text())
    assert report["trained"] == 3
    assert report["structures"] == {"train": 4, "valid": 4, "test": 0, "old": 4, "replayed": 4}
    assert after.numbers.tolist() == [18, 36, XENON]
    vectors = [np.asarray(p.encoder.elements.vectors) for p in (before, after)]
    assert vectors[0][:2].tobytes() == vectors[1][:2].tobytes()
    assert not np.array_equal(vectors[1][2], vectors[1][1]), "it began as krypton and was trained"
    assert leaves(before.readouts) == leaves(after.readouts)
    assert leaves(before.encoder.interactions) == leaves(after.encoder.interactions)
    assert np.array_equal(before.energies[:2], after.energies[:2])


def test_the_report_says_what_was_learned_and_forgotten(finished):
    _, out, report = finished
    assert report["old"]["before"] == report["old"]["after"], "nothing without xenon changes, bit for bit"
    assert report["forgetting"] == 0.0
    assert report["new"]["before"]["forces"]["count"] == report["new"]["after"]["forces"]["count"] > 0
    change = report["new"]["after"]["forces"]["rmse"] / report["new"]["before"]["forces"]["rmse"] - 1
    assert report["new"]["relative_change_rmse"]["forces"] == pytest.approx(change)
    assert report["energies"]["Xe"]["source"] == "least squares"
    assert report["energies"].keys() == {"Xe"}
    page = (out / "report.md").read_text(encoding="utf-8")
    assert "| `encoder.elements.vectors` | 3 by 3 | rows Xe | 3 | 1 |" in page
    assert "Errors (RMSE): old domain" in page
    for name in ("learning.png", "parity.png"):
        assert (out / name).stat().st_size > 1000


@pytest.mark.slow
def test_interrupted_and_resumed(finished, geoembed, tmp_path, monkeypatch):
    _, out, _ = finished
    config = write_case(tmp_path)

    class Asked(StopRequest):
        """Stops at the second question."""

        left = 2

        def __bool__(self):
            Asked.left -= 1
            return Asked.left == 0

    monkeypatch.setattr(_atoms_finetune, "StopRequest", Asked)
    outcome = geoembed("finetune", config, "--seed", "3", "--quiet", "--out", tmp_path / "out")
    assert outcome.code == 130
    assert "--resume" in outcome.err
    assert not (tmp_path / "out" / "model").exists()
    outcome = geoembed("finetune", config, "--seed", "3", "--resume", "--out", tmp_path / "out")
    assert outcome.code == 0, outcome.err
    assert "what trains:" in outcome.err
    assert "forgetting: +0 %" in outcome.out
    assert leaves(load(tmp_path / "out" / "model")) == leaves(load(out / "model"))
    (tmp_path / "case.toml").write_text(config.read_text().replace("average = 0.5", "average = 0.6"))
    other = geoembed("finetune", config, "--seed", "3", "--resume", "--quiet", "--out", tmp_path / "out")
    assert "belongs to another potential, data set, option or seed" in other.message


@pytest.mark.parametrize(
    ("old", "new", "words"),
    [
        ("[new.Xe]", "[new.Xx]", ["'Xx' is not a chemical element"]),
        ("[new.Xe]", "[new.Kr]", ["line 5", "knows Kr already"]),
        ("[new.Xe]", "[new.Rn]", ["train.xyz", "does not know the element Xe", "[new.Xe]"]),
        ('like = "Kr"', 'like = "He"', ["like='He'", "It knows Ar, Kr"]),
        ('like = "Kr"', 'like = "Kr"\nvector = "properties"', ["`like` and `vector`"]),
        ('like = "Kr"', "vector = [1.0, 2.0]", ["expected 3 finite numbers"]),
        ('start = "start"', 'start = "stert"', ["tuning.start", "there is no"]),
        ('recipe = "rows"', 'recipe = "row"', ["tuning.recipe", "Did you mean 'rows'"]),
        ('recipe = "rows"', 'energies = "keep"', ["needs its e0"]),
        ("share = 1.0", "share = 0.0", ["old.share"]),
        ("share = 1.0", "share = 1.0\n[[trainable]]\nparts = ['readouts']", ["give one of them"]),
        (
            'recipe = "rows"',
            "trainable = 1",
            ["no key 'trainable' here"],
        ),
        ("[training]", "[[trainable]]\nparts = ['readers']\n[training]", ["both say what trains"]),
    ],
)
def test_a_mistake_is_one_message(old, new, words, tmp_path, geoembed):
    message = geoembed("finetune", write_case(tmp_path, (old, new)), "--quiet").message
    for word in words:
        assert word in message


def test_a_rule_that_names_nothing(tmp_path, geoembed):
    changes = ('recipe = "rows"', ""), ("[training]", "[[trainable]]\nparts = ['readers']\n[training]")
    message = geoembed("finetune", write_case(tmp_path, *changes), "--quiet").message
    assert "there is no part 'readers'" in message
    assert "line 18: trainable[0]" in message


def test_structures_that_cannot_be_used(tmp_path, geoembed):
    config = write_case(tmp_path)
    frames = read_extxyz(tmp_path / "train.xyz")
    write_xyz(tmp_path / "train.xyz", [replace(frame, energy=None) for frame in frames])
    assert "nothing says E0, the energy of an isolated atom of Xe" in geoembed("finetune", config).message
    write_xyz(tmp_path / "train.xyz", [replace(frame, energy=None, forces=None) for frame in frames])
    assert "train.xyz: no structure has an energy, forces" in geoembed("finetune", config).message
    old = read_extxyz(tmp_path / "old.xyz")
    write_xyz(tmp_path / "train.xyz", old)
    assert "no training structure contains Xe" in geoembed("finetune", config).message


def row(recipe, forces, forgetting, frames=25, **other):
    about = {"task": "new element", "case": "W into Mo", "seeds": 3, "source": "x.jsonl", "replay": False}
    return (
        about
        | {"recipe": recipe, "forces": forces, "energy": 7.0, "forgetting": forgetting, "frames": frames}
        | other
    )


def test_a_recommendation_rests_on_what_was_measured():
    rows = [
        row("naive", 90.0, 0.9),
        row("rows", 150.0, 0.0),
        row("rows+low_rank", 95.0, 0.3),
        row("rows+low_rank", 97.0, 0.04, replay=True),
        row("naive", 10.0, 0.0, frames=500),
        row("last_layer", 1.0, 0.0, task="new domain"),
    ]
    found = recommendation(rows, frames=30, new=True, recipe="rows")
    assert (found["best"], found["gentle"]) == ("naive", "rows+low_rank with replay")
    assert [one["forces"] for one in found["rows"]] == [90.0, 95.0, 97.0, 150.0]
    assert "this run uses rows" in found["text"]
    for frames, new in ((3, True), (500, True), (30, False)):
        nothing = recommendation(rows, frames=frames, new=new, recipe="rows")
        assert nothing["best"] is None
        assert "no recommendation" in nothing["text"]


def test_the_evidence_is_complete():
    for one in evidence():
        assert set(one) == set(row("rows", 1.0, 0.0))
        assert one["task"] in ("new element", "new domain")
        assert one["forces"] > 0


def test_evidence_is_made_of_rows_of_the_benchmarks():
    """Seeds are averaged; of two rates the one with the lower validation error counts, not the lower test error."""
    tool = runpy.run_path(str(Path(__file__).parents[2] / "tools" / "write_recipe_evidence.py"))
    old = {"Mo_Test": {"forces": 100.0}, "Nb_Test": {"forces": 50.0}, "Ta_Test": {"forces": 80.0}}
    before = {"case": "before", "family": "vectors", "errors": old}

    def measured(seed, rate, score, forces, old_forces):
        errors = old | {"W_Test": {"forces": forces, "energy": 12.0}, "Nb_Test": {"forces": old_forces}}
        return {
            "case": "geoembed", "arm": "replay", "frames": 25, "seed": seed, "seconds": 60.0, "rate": rate,
            "score": score, "errors": errors,
        }  # fmt: skip

    rows = [before, measured(0, 0.005, 2.0, 300.0, 51.0), measured(1, 0.005, 2.0, 320.0, 53.0)]
    rows += [measured(0, 0.02, 3.0, 200.0, 50.0)]
    rows += [rows[1] | {"case": "mace-torch"}, rows[1] | {"arm": "scratch"}]
    (found,) = tool["of_element"](rows)
    expected = {
        "recipe": "rows+low_rank",
        "replay": True,
        "frames": 25,
        "seeds": 2,
        "forces": 310.0,
        "energy": 12.0,
    }
    assert expected.items() <= found.items()
    assert found["forgetting"] == pytest.approx(0.04)
    assert set(found) == set(row("rows", 1.0, 0.0))
    domain = {"recipe": "naive", "replay": None, "frames": 10, "new_after": {"forces": 60.0, "energy": 4.5}}
    (found,) = tool["of_domain"]([domain | {"old_change": {"forces": 0.25}}])
    assert (found["forces"], found["forgetting"], found["task"]) == (60.0, 0.25, "new domain")
