"""Training: its loss against numpy, parameters that are found again, interruptions, runs that go wrong."""

import json
import os
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import equinox as eqx
import jax
import numpy as np
import pytest

from geoembed.atoms import Buckets, Frame, Stage, Training, evaluate, fit, pack
from geoembed.atoms._training._loader import Loader
from geoembed.atoms._training._loss import Form, known, sums
from geoembed.core import InputError
from tests.atoms.toy_potential import clusters, labelled, leaves, morse, said

ROOT = Path(__file__).resolve().parents[2]
KEY = jax.random.key(3)
SETTINGS = Training(
    epochs=18,
    batch=5,
    rate=0.02,
    average=0.8,
    check=1,
    stages=(Stage(stress=10.0), Stage(0.5, 100.0, 100.0, 10.0, 0.5)),
)


@pytest.fixture(scope="module")
def frames():
    """Labelled structures: to train on, and to judge by."""
    found = labelled(clusters(18), morse())
    found[1] = replace(found[1], energy=None)
    found[2] = replace(found[2], forces=None)
    return found[:10], found[10:]


def trained(frames, **options):
    settings = options.pop("settings", SETTINGS)
    start = options.pop("start", morse(shift=0.15))
    return fit(start, *frames, key=KEY, settings=settings, **options)


@pytest.fixture(scope="module")
def finished(frames, tmp_path_factory):
    """A run from its start to its end, and its folder."""
    folder = tmp_path_factory.mktemp("run")
    return trained(frames, folder=folder), folder


class StopAt:
    """Asks a run to stop at the n-th question."""

    def __init__(self, number):
        self.left = number

    def __call__(self):
        self.left -= 1
        return self.left <= 0


@pytest.mark.parametrize("kind", ["squares", "huber"])
def test_the_loss_is_numpys(frames, kind):
    potential = morse(shift=0.15)
    some = [replace(frame, weight=w) for frame, w in zip(frames[0], (1.0, 0.5, 3.0, 2.0), strict=False)]
    batch = pack(some, potential.cutoff, atoms=24, structures=6, dtype="float32")
    found = eqx.filter_jit(sums)(potential, batch, Form(kind, 0.01, True, True))

    def ell(errors):
        size = np.abs(errors)
        square = errors**2 if kind == "squares" else np.where(size < 0.01, size**2 / 2, 0.01 * (size - 0.005))
        return float(square.sum())

    expected = np.zeros(3)
    for frame in some:
        energy, forces, stress = said(frame, potential)
        if frame.energy is not None:
            expected[0] += frame.weight * ell((energy - frame.energy) / len(frame.numbers))
        if frame.forces is not None:
            expected[1] += frame.weight * ell(forces - frame.forces)
        if frame.stress is not None:
            expected[2] += frame.weight * ell(stress - frame.stress)
    assert np.allclose(found, expected, rtol=1e-4)
    atoms = [len(frame.numbers) for frame in some]
    assert [float(count) for count in known(batch)] == [3, 3 * (sum(atoms) - atoms[2]), 18]


def test_parameters_are_found_again(finished):
    found = finished[0]
    assert found.status == "done"
    assert found.steps == 18 * 2
    first, last = found.history[0], min(found.history, key=lambda record: record["score"])
    assert last["score"] < 0.05 * first["score"]
    assert last["epoch"] == found.best_epoch
    assert last["forces_rmse"] == pytest.approx(found.validation.errors.forces.rmse, rel=1e-12)


def test_interrupted_and_resumed_gives_the_same_bits(frames, finished, tmp_path):
    whole, folder = finished
    part = trained(frames, folder=tmp_path, should_stop=StopAt(5))  # in an epoch of two steps
    assert part.status == "interrupted"
    assert part.steps % 2
    again = trained(frames, folder=tmp_path, resume=True)
    assert leaves(again.potential) == leaves(whole.potential)
    logs = []
    for place in (folder, tmp_path):
        lines = [json.loads(line) for line in (place / "log.jsonl").read_text().splitlines()]
        logs.append([{k: v for k, v in line.items() if k != "seconds"} for line in lines])
    assert logs[0] == logs[1]
    assert len(logs[0]) == SETTINGS.epochs


def test_a_finished_run_is_not_begun_again(frames, finished):
    whole, folder = finished
    again = trained(frames, folder=folder, resume=True)
    assert again.steps == whole.steps
    assert leaves(again.potential) == leaves(whole.potential)
    with pytest.raises(InputError, match="another potential, data set, option or seed"):
        trained(frames, folder=folder, resume=True, settings=replace(SETTINGS, rate=0.04))


def test_a_rate_that_explodes_is_halved(frames):
    found = trained(
        frames, settings=replace(SETTINGS, rate=200.0, check=1, epochs=3, stages=SETTINGS.stages[:1])
    )
    assert found.status == "done"
    assert found.history[-1]["rollbacks"] >= 1
    assert np.isfinite(found.history[-1]["score"])


def test_labels_that_cannot_be_reached_end_the_run(frames):
    train = [
        replace(frame, forces=None if frame.forces is None else frame.forces + 1e30) for frame in frames[0]
    ]
    found = trained((train, frames[1]), settings=replace(SETTINGS, rollbacks=2))
    assert found.status == "diverged"
    assert leaves(found.potential) == leaves(morse(shift=0.15))


class Alone(eqx.Module):
    """A potential with energies of isolated atoms that float32 cannot hold beside the rest."""

    inner: eqx.Module
    energy: float = eqx.field(static=True)

    @property
    def cutoff(self):
        return self.inner.cutoff

    def interaction(self, batch):
        return self.inner(batch)

    def isolated(self, numbers):
        return np.full(len(numbers), self.energy)


def test_runs_that_share_buckets_share_shapes(frames):
    settings = replace(SETTINGS, epochs=2)
    buckets = Buckets(((24, 12),), 5, (2,), 0.0)
    loaders = [Loader(some, 6.0, 5, 1, "float32", buckets) for some in (frames[0][:5], frames[0][4:])]
    shapes = [loader.batch(np.arange(5), 0).neighbours.mask.shape for loader in loaders]
    assert shapes == [(1, 24, 12)] * 2
    own, shared = (trained(frames, settings=settings, buckets=b) for b in (None, buckets))
    for one, two in zip(*(jax.tree.leaves(run.potential) for run in (own, shared)), strict=True):
        np.testing.assert_allclose(one, two, rtol=1e-5)


def test_buckets_for_smaller_batches_are_refused(frames):
    with pytest.raises(InputError, match="batches of 5 structures do not fit into buckets of 4"):
        trained(frames, buckets=Buckets(((24, 12),), 4, (2,), 0.0))


def test_large_energies_of_isolated_atoms_cost_no_digits(frames):
    shifted = [
        replace(f, energy=None if f.energy is None else f.energy - 16384.0 * len(f.numbers))
        for f in frames[0]
    ]
    plain = evaluate(morse(shift=0.15), frames[0], batch=5)
    large = evaluate(Alone(morse(shift=0.15), -16384.0), shifted, batch=5)
    assert large.errors.energy.mae == pytest.approx(plain.errors.energy.mae, rel=1e-9)


@pytest.mark.slow
def test_float64_is_kept():
    """Also from outside jax's x64 mode; labels of a float64 potential are met to their last digits."""
    with jax.enable_x64(True):
        truth, start = morse("float64"), morse("float64", shift=0.02)
    frames = labelled(clusters(8), truth)
    assert evaluate(truth, frames, batch=5).errors.forces.rmse < 1e-14
    found = fit(start, frames, frames, key=KEY, settings=replace(SETTINGS, epochs=6, rate=0.005))
    assert found.potential.depth.dtype == "float64"
    assert min(record["score"] for record in found.history) < 0.3 * found.history[0]["score"]


def test_errors_are_numpys(frames):
    potential, some = morse(shift=0.15), frames[0]
    found = evaluate(potential, some, batch=5)
    energy, forces, kinds, boxed = [], [], [], []
    for frame in some:
        one, three, _ = said(frame, potential)
        if frame.energy is not None:
            energy.append((one - frame.energy) / len(frame.numbers))
            boxed.append(frame.cell is not None)
        if frame.forces is not None:
            forces.append(three - frame.forces)
            kinds.append(frame.numbers)
    energy, forces, kinds = np.array(energy), np.concatenate(forces), np.concatenate(kinds)
    assert found.errors.energy.rmse == pytest.approx(np.sqrt((energy**2).mean()), rel=1e-4)
    assert found.errors.forces.mae == pytest.approx(np.abs(forces).mean(), rel=1e-4)
    assert found.by_element["Ar"].mae == pytest.approx(np.abs(forces[kinds == 18]).mean(), rel=1e-4)
    assert found.by_group["box"].energy.mae == pytest.approx(np.abs(energy[boxed]).mean(), rel=1e-4)
    assert found.to_dict()["groups"].keys() == {"box", "free"}
    assert json.loads(json.dumps(found.to_dict(), allow_nan=False)) == found.to_dict()


def test_bad_input_is_refused(frames):
    bare = Frame(np.array([18]), np.zeros((1, 3)), None, np.zeros(3, bool))
    with pytest.raises(InputError, match="no structure has an energy"):
        evaluate(morse(), [bare])
    with pytest.raises(InputError, match="there are no structures"):
        trained((frames[0], []))
    with pytest.raises(InputError, match="there are only"):
        evaluate(morse(), frames[0], devices=10_000)
    with pytest.raises(InputError, match="does not know the element Xe"):
        evaluate(morse(), [replace(bare, numbers=np.array([54]), energy=0.0)])


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({"rate": 0.0}, "is not positive"),
        ({"epochs": 0}, "is below 1"),
        ({"stages": (Stage(0.5),)}, "they start at"),
        ({"average": 1.0}, "no share below 1"),
    ],
)
def test_options_that_make_no_sense(options, words):
    with pytest.raises(InputError, match=words):
        Training(**options)


DEVICES = """
import jax, numpy as np
from geoembed.atoms import evaluate, fit
from tests.atoms.test_fit import KEY, SETTINGS
from tests.atoms.toy_potential import clusters, labelled, morse
from dataclasses import replace

assert jax.device_count() == 8
frames = labelled(clusters(13), morse())
settings = replace(SETTINGS, epochs=2, batch=8)
one, many = (fit(morse(shift=0.15), frames, frames[:3], key=KEY, settings=settings, devices=n) for n in (1, 8))
for a, b in zip(jax.tree.leaves(one.potential), jax.tree.leaves(many.potential), strict=True):
    assert np.allclose(a, b, rtol=1e-5), (a, b)
first, second = (evaluate(morse(shift=0.15), frames, devices=n).forces for n in (1, 8))
assert np.allclose(first, second, atol=1e-5)
print("equal")
"""


@pytest.mark.slow
def test_eight_devices_are_one():
    flags = "--xla_force_host_platform_device_count=8 --xla_cpu_multi_thread_eigen=false"
    done = subprocess.run(
        [sys.executable, "-c", DEVICES], capture_output=True, text=True, timeout=280, cwd=ROOT,
        env={**os.environ, "PYTHONPATH": str(ROOT), "XLA_FLAGS": flags},
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    assert done.stdout.strip() == "equal"
