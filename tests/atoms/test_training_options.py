"""Options of a training: rates that fall on a plateau, structures that count more."""

from dataclasses import replace

import numpy as np
import pytest

from geoembed.atoms import Frame, Training, weighted
from geoembed.atoms._training._plateau import Plateau
from geoembed.core import InputError
from tests.atoms.test_fit import SETTINGS, StopAt, trained
from tests.atoms.toy_potential import clusters, labelled, leaves, morse

FALLING = replace(SETTINGS, schedule="plateau", plateau_factor=0.5, plateau_patience=0, epochs=12, rate=0.05)


@pytest.fixture(scope="module")
def frames():
    """Labelled structures: to train on, and to judge by."""
    found = labelled(clusters(18), morse())
    return found[:10], found[10:]


def test_the_rate_falls_as_torchs():
    """torch.optim.lr_scheduler.ReduceLROnPlateau(factor=0.5, patience=1) of torch 2.13, at rate 1."""
    scores = [3.0, 2.0, 2.5, 1.9999, 1.9998, 1.0, np.nan, 1.0, 1.0, 1.0, 0.5, 0.5, 0.5, 0.5, 0.5]
    there = [1.0, 1.0, 1.0, 0.5, 0.5, 0.5, 0.5, 0.25, 0.25, 0.125, 0.125, 0.125, 0.0625, 0.0625, 0.03125]
    at, here = Plateau(), []
    for score in scores:
        at = at.after(score, 0.5, 1)
        here.append(at.share)
    assert here == there


def test_a_plateau_is_resumed_with_the_same_bits(frames, tmp_path):
    whole = trained(frames, settings=FALLING)
    rates = [record["rate"] for record in whole.history]
    assert 0 < rates[-1] <= 0.25 * rates[0]  # it has fallen in each stage, whose own share is 0.5
    part = trained(frames, settings=FALLING, folder=tmp_path, should_stop=StopAt(21))
    assert part.status == "interrupted"
    assert part.history[-1]["rate"] < rates[0]
    again = trained(frames, settings=FALLING, folder=tmp_path, resume=True)
    assert [record["rate"] for record in again.history] == rates
    assert leaves(again.potential) == leaves(whole.potential)


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({"plateau_factor": 1.0}, "is not between 0 and 1"),
        ({"plateau_patience": -1}, "is negative"),
    ],
)
def test_options_that_make_no_sense(options, words):
    with pytest.raises(InputError, match=words):
        Training(**options)


def test_weights_come_from_groups_and_numbers():
    bare = Frame(np.array([18]), np.zeros((1, 3)), None, np.zeros(3, bool), energy=-0.5)
    some = [replace(bare, info=info) for info in ({"kind": "a"}, {"kind": "b", "w": 3}, {"w": 0.25}, {})]
    assert [f.weight for f in weighted(some, {"b": 0.5}, group="kind", key="w")] == [1.0, 1.5, 0.25, 1.0]
    assert [f.weight for f in weighted(some)] == [1.0] * 4
    with pytest.raises(InputError, match=r"no structure has kind=c.*a, b"):
        weighted(some, {"c": 2.0}, group="kind")
    for wrong in (-1.0, float("nan"), "much", True, np.ones(3)):
        with pytest.raises(InputError, match=r"frame 1: the weight .* is not a number from 0 on"):
            weighted([bare, replace(bare, info={"w": wrong})], key="w")


def test_a_weight_of_nothing_leaves_a_structure_out(frames):
    """Contradicting labels of half of the structures change nothing when these count nothing."""
    settings = replace(SETTINGS, epochs=2)
    wrong = [replace(frame, energy=frame.energy + 5.0, weight=0.0) for frame in frames[0][5:]]
    right = [replace(frame, weight=0.0) for frame in frames[0][5:]]
    one, two = (trained((frames[0][:5] + rest, frames[1]), settings=settings) for rest in (right, wrong))
    assert leaves(one.potential) == leaves(two.potential)
    counted = [replace(frame, weight=1.0) for frame in wrong]
    three = trained((frames[0][:5] + counted, frames[1]), settings=settings)
    assert leaves(one.potential) != leaves(three.potential)
