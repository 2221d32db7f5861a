"""Fine-tuning: energies of isolated atoms, replay, recipes, and what is forgotten, beside numpy."""

from dataclasses import replace

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
import pytest
from jaxtyping import Array, Float

from geoembed.atoms import (
    Comparison,
    Evaluation,
    Frame,
    HeadsPotential,
    NewElement,
    Replay,
    Training,
    finetune,
    pseudo_labelled,
    recipe_rules,
    refit_energies,
    trainable,
)
from geoembed.atoms._mace_from_description import potential_from
from geoembed.atoms._training._deviation import Deviation, Errors
from geoembed.atoms._tuning._energies import EnergyChange
from geoembed.atoms._tuning._replay import moved, replayed
from geoembed.core import InputError
from geoembed.train import Train
from tests.atoms.test_mace_description import read
from tests.atoms.toy_potential import clusters, labelled, leaves, morse, said

pytestmark = pytest.mark.usefixtures("compiled_quickly")
KEY = jax.random.key(0)


class Counting(eqx.Module):
    """0.3 eV for each atom besides E0: a potential whose energies are counted by hand."""

    energies: Float[Array, " elements"]
    gain: Float[Array, ""]
    rows: tuple[int, ...] = eqx.field(static=True)
    cutoff: float = eqx.field(static=True, default=3.0)

    @property
    def numbers(self):
        return np.array(self.rows)

    def interaction(self, batch):
        return 0.3 * self.gain + 0.0 * batch.positions[:, 0]

    def isolated(self, numbers):
        return np.asarray(self.energies, np.float64)[[self.rows.index(z) for z in numbers.tolist()]]

    def __call__(self, batch):
        raise NotImplementedError


def counting():
    return Counting(jnp.asarray([-1.0, -2.0, 5.0, 0.0]), jnp.ones(()), (1, 6, 8, 0))


def frame(numbers, energy):
    positions = 1.1 * np.arange(len(numbers))[:, None] * np.array([1.0, 0.0, 0.0])
    return Frame(np.array(numbers), positions, None, np.zeros(3, bool), energy=energy)


def per_atom(frames):
    """Energies of atoms, eV."""
    return np.array([f.energy for f in frames], float) / 4


MOLECULES = [
    frame([1, 1, 8, 8], -3.1), frame([1, 6, 6, 8], 2.3), frame([6, 8, 8, 8], 1.7), frame([1, 1, 1, 6], -9.0),
    frame([8, 8, 1, 6], 0.4),
]  # fmt: skip


def test_energies_of_all_elements_are_the_least_squares():
    after, change = refit_energies(counting(), MOLECULES)
    shares = np.array([[np.mean(f.numbers == z) for z in (1, 6, 8)] for f in MOLECULES])
    expected = np.linalg.lstsq(shares, per_atom(MOLECULES) - 0.3, rcond=None)[0]
    np.testing.assert_allclose(change.after, expected, rtol=1e-6)
    np.testing.assert_allclose(np.asarray(after.energies)[:3], expected, rtol=1e-6)
    assert change.before.tolist() == [-1.0, -2.0, 5.0]
    assert change.determined.all()
    assert set(change.source) == {"least squares"}


def test_energies_of_one_element_leave_the_others_their_bits():
    after, change = refit_energies(counting(), MOLECULES, elements=[8])
    own = np.array([np.mean(f.numbers == 8) for f in MOLECULES])
    known = np.array([np.mean(f.numbers == 6) * -2.0 + np.mean(f.numbers == 1) * -1.0 for f in MOLECULES])
    left = per_atom(MOLECULES) - 0.3 - known
    assert change.after == pytest.approx([own @ left / (own @ own)], rel=1e-6)
    assert (
        np.asarray(after.energies)[[0, 1, 3]].tobytes()
        == np.asarray(counting().energies)[[0, 1, 3]].tobytes()
    )


def test_known_energies_and_isolated_atoms_are_taken_as_they_are():
    frames = [*MOLECULES, frame([6], -4.5)]
    _, change = refit_energies(counting(), frames, known={1: -0.25})
    assert change.to_dict()["H"] == {"before": -1.0, "after": -0.25, "determined": True, "source": "given"}
    assert change.to_dict()["C"]["after"] == -4.5
    assert change.source == ("given", "isolated atom", "least squares")


def test_where_compositions_leave_a_freedom_energies_move_least():
    """Of the energies that fit, those nearest to what they were."""
    frames = [frame([1, 1, 8, 8], 4.0), frame([1, 1, 8, 8], 4.0)]
    _, change = refit_energies(counting(), frames)
    assert not change.determined.any()
    missing = 1.0 - 0.3 - 0.5 * (-1.0 + 5.0)  # of the energy of an atom, half of which are of each element
    np.testing.assert_allclose(change.after - change.before, [missing, missing], rtol=1e-6)


@pytest.mark.parametrize(
    ("frames", "options", "words"),
    [
        (MOLECULES, {"elements": [7]}, "N: the potential does not know the element N"),
        (MOLECULES[3:4], {"elements": [8]}, "nothing says E0, the energy of an isolated atom of O"),
        ([replace(f, energy=None) for f in MOLECULES], {"elements": [8]}, "nothing says E0"),
        (MOLECULES, {"known": {1: np.nan}}, "nan is not a number"),
    ],
)
def test_energies_that_nothing_says(frames, options, words):
    with pytest.raises(InputError, match=words):
        refit_energies(counting(), frames, **options)
    with pytest.raises(InputError, match="Morse has no table"):
        refit_energies(morse(), clusters(1))


@pytest.fixture(scope="module")
def domains():
    """Structures of the old domain with labels of one potential, and of the new one with labels of another."""
    frames = [f for f in clusters(20) if len(f.numbers) == 4]
    return labelled(frames[:5], morse()), labelled(frames[5:], morse(shift=0.1))


def test_pseudo_labels_are_what_the_potential_says(domains):
    bare = [replace(f, energy=1e3, forces=None, stress=None) for f in domains[0]]
    for found in pseudo_labelled(morse(), bare):
        energy, forces, stress = said(found, morse())
        assert found.energy == pytest.approx(energy, rel=2e-6)
        np.testing.assert_allclose(np.array(found.forces), forces, rtol=1e-4, atol=2e-6)
        assert (found.stress is None) == (stress is None)
        if stress is not None:
            np.testing.assert_allclose(np.array(found.stress), stress, rtol=1e-4, atol=1e-8)
    assert any(f.stress is not None for f in pseudo_labelled(morse(), bare))


def test_replayed_structures_are_drawn_once_each_and_weighted(domains):
    old = [replace(f, weight=float(k + 1)) for k, f in enumerate(domains[0])]
    drawn = replayed(old, 3, weight=0.5, seed=1)
    assert sorted(f.weight for f in drawn) == sorted({f.weight for f in drawn})
    assert {f.weight for f in drawn} < {0.5 * (k + 1) for k in range(5)}
    assert [f.weight for f in replayed(old, 3, weight=0.5, seed=1)] == [f.weight for f in drawn]
    assert len(replayed(old, 9, seed=1)) == 5
    with pytest.raises(InputError, match="nothing to replay"):
        replayed(old, 0, seed=1)


def test_old_labels_move_with_the_energies_of_isolated_atoms():
    change = EnergyChange(
        np.array([1, 8]), np.array([0.0, 1.0]), np.array([0.5, 0.0]), np.ones(2, bool), ("", "")
    )
    assert [f.energy for f in moved(MOLECULES[:2], change)] == [-3.1 + 2 * 0.5 - 2.0, 2.3 + 0.5 - 1.0]
    assert moved([frame([1], None)], change)[0].energy is None


def evaluation(energy, forces):
    errors = Errors(Deviation(2, 0.0, energy), Deviation(6, 0.0, forces), Deviation(0, None, None))
    pairs = np.zeros((0, 2))
    return Evaluation(errors, {}, {"a": errors}, pairs, pairs, pairs)


def test_forgetting_is_the_largest_growth_of_an_error():
    found = Comparison(evaluation(0.010, 0.2), evaluation(0.012, 0.3))
    assert found.change("energy") == pytest.approx(0.2)
    assert found.forgetting == found.change("forces", "a") == pytest.approx(0.5)
    assert found.change("stress") is None
    assert Comparison(evaluation(0.010, 0.2), evaluation(0.005, 0.1)).forgetting == 0.0
    assert Comparison(evaluation(0.0, None), evaluation(0.1, None)).forgetting is None
    assert found.to_dict()["relative_change_rmse"] == {
        "energy": pytest.approx(0.2),
        "forces": pytest.approx(0.5),
    }


def test_recipes_of_a_converted_potential():
    """What each of them trains in a potential with the numbers of a model of mace-torch."""
    with jax.enable_x64(True):
        heads = potential_from(read()[0])
        assert isinstance(heads, HeadsPotential)
        potential = heads.select("theirs")
    found = {
        recipe: trainable(potential, recipe_rules(recipe, rows=["O"], rank=1)).table
        for recipe in ("rows", "low_rank", "rows+low_rank", "last_layer", "naive")
    }
    assert [(line.part, line.how) for line in found["rows"]] == [("encoder.elements.vectors", "rows O")]
    low_rank = {line.part for line in found["low_rank"]}
    assert {line.how for line in found["low_rank"]} == {"rank 1", "all"}
    assert "encoder.elements.vectors" not in low_rank
    assert {line.part for line in found["rows+low_rank"]} == low_rank | {"encoder.elements.vectors"}
    assert {line.part.split(".")[0] for line in found["last_layer"]} == {"readouts"}
    assert {line.how for line in found["naive"]} == {"all"}
    numbers = {recipe: sum(line.numbers for line in lines) for recipe, lines in found.items()}
    assert numbers["rows"] < numbers["low_rank"] < numbers["naive"]


def test_a_run_with_rules_learns_and_says_what_it_forgot(domains):
    old, new = domains
    settings = Training(epochs=8, batch=4, rate=0.05, average=None, warm_up=0.0)
    starts = []
    found = finetune(
        morse(), new[:3], new[3:], key=KEY, recipe=None, rules=[Train("distance")], energies="keep", old=old,
        replay=Replay(old, share=0.5, weight=2.0), settings=settings, on_start=starts.append,
    )  # fmt: skip
    (start,) = starts
    assert (len(start.train), start.replayed, start.energies) == (5, 2, None)
    assert [f.weight for f in start.train] == [1.0] * 3 + [2.0] * 2
    assert leaves(found.potential.depth) == leaves(morse().depth)
    assert found.new is not None
    assert found.old is not None
    assert (found.new.change("forces") or 0.0) < 0.0
    assert (found.old.forgetting or 0.0) > 0.0
    right = [said(f, found.potential)[1] - f.forces for f in old]
    rmse = np.sqrt(np.mean(np.concatenate(right) ** 2))
    assert found.old.after.errors.forces.rmse == pytest.approx(rmse, rel=1e-3)
    assert found.old.before.errors.forces.mean_square < 1e-10


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({"new": [NewElement("Xe")]}, "no training structure contains Xe"),
        ({"rules": [Train("width")], "recipe": None}, "there is no part 'width'"),
        ({"recipe": "last_layer", "energies": "keep"}, "there is no part 'readouts'"),
        ({"energies": "all"}, "Morse has no table of the energies"),
    ],
)
def test_what_cannot_be_done(options, words, domains):
    with pytest.raises(InputError, match=words):
        finetune(morse(), domains[1][:3], domains[1][3:], key=KEY, **options)


@pytest.mark.parametrize(
    ("make", "words"),
    [
        (lambda: NewElement("Xx"), "'Xx' is not a chemical element"),
        (lambda: NewElement("W", like="Mo", vector="properties"), "both say what its vector is"),
        (lambda: Replay([]), "there are no structures"),
        (lambda: Replay(clusters(1)), "no structure has an energy or forces"),
        (lambda: Replay(clusters(1), share=0.0, labels="potential"), "0.0 is not positive"),
    ],
)
def test_settings_that_make_no_sense(make, words):
    with pytest.raises(InputError, match=words):
        make()
