"""Rules of `fit`: rows of elements, changes of low rank, gains and rates; all else stays, bit for bit."""

from dataclasses import replace

import equinox as eqx
import jax
import numpy as np
import pytest
from scipy.spatial.transform import Rotation

from geoembed.atoms import (
    ElementEmbedding,
    Frame,
    HeadsPotential,
    Mace,
    MacePotential,
    Training,
    evaluate,
    fit,
    statistics,
    trainable,
    untrained_mace,
)
from geoembed.atoms._mace_describe import describe
from geoembed.atoms._mace_from_description import potential_from
from geoembed.core import InputError, is_parameter
from geoembed.train import Train
from geoembed.train._rule import Parts
from tests.atoms.test_fit import KEY, SETTINGS, StopAt, trained
from tests.atoms.test_mace_description import read
from tests.atoms.toy_potential import Morse, clusters, labelled, leaves, morse
from tests.interop.mace_variants import structures

pytestmark = pytest.mark.usefixtures("compiled_quickly")

SHAPE = {"channels": 2, "max_ell": 1, "hidden_ell": 0, "layers": 1, "cutoff": 3.0, "correlation": 1}
FROZEN = Training(epochs=3, batch=2, decay=0.1, rate=0.1, warm_up=0.0, average=0.5)


@pytest.fixture(scope="module")
def frames():
    """Labelled structures: to train on, and to judge by."""
    found = labelled(clusters(9), morse())
    return found[:5], found[5:]


@pytest.fixture(scope="module")
def converted():
    """A potential with the numbers of a model of mace-torch: two layers, degrees 0 to 2, three elements; float64."""
    with jax.enable_x64(True):
        return potential_from(read()[0]).select("theirs")


@pytest.fixture(scope="module")
def learned(converted):
    """The same with element vectors that share their numbers, as in potentials made here."""
    vectors = np.random.default_rng(0).normal(size=(3, 3))
    with jax.enable_x64(True):
        return eqx.tree_at(lambda p: p.encoder.elements.vectors, converted, jax.device_put(vectors))


def parts(potential, *rules):
    return {line.part: line.how for line in trainable(potential, rules or None).table}


def moved(old, new):
    """The names of the arrays of a potential that have other bits than before."""
    old, new = Parts(old), Parts(new)
    assert old.steps == new.steps
    return {
        old.name(k)
        for k, (one, two) in enumerate(zip(old.leaves, new.leaves, strict=True))
        if eqx.is_array_like(one) and np.asarray(one).tobytes() != np.asarray(two).tobytes()
    }


def test_what_mace_does_not_train_is_not_trained(converted):
    still = {"elements.vectors", "radial.frequencies"}
    for potential, prefix in (
        (converted, ""),
        (HeadsPotential(converted, (), ("a",)), "potential."),
    ):
        names = Parts(potential)
        every = {names.name(k) for k, leaf in enumerate(names.leaves) if is_parameter(leaf)}
        out = {f"{prefix}encoder.{name}" for name in still}
        out |= {f"{prefix}{name}" for name in ("energies", "scale", "shift")}
        assert out < every
        assert set(parts(potential)) == every - out


def test_vectors_that_are_learned_are_trained(learned, converted):
    every = set(parts(learned))
    assert {"encoder.elements.vectors", "scale", "shift"} < every
    assert set(parts(learned, Train("*"))) == set(parts(converted, Train("*"))) == every
    assert parts(morse()) == {"depth": "all", "stiffness": "all", "distance": "all"}


def test_rows_of_elements(learned, converted):
    """In tables of vectors the row; in what vectors are multiplied with what belongs to one element alone."""
    rule = Train("*", rows=("O",))
    assert parts(learned, rule) == {"encoder.elements.vectors": "rows O"}
    found = trainable(converted, [rule])
    assert {line.how for line in found.table} == {"rows O"}
    shapes = {line.part: (line.shape, line.numbers) for line in found.table}
    assert shapes.pop("encoder.elements.vectors") == ((3, 3), 3)
    assert shapes["encoder.embed"] == ((3, 2), 2)
    assert shapes["encoder.interactions.1.skip.0"] == ((2, 3, 2), 4)
    assert shapes["encoder.products.0.weights.1.1"] == ((3, 4, 2), 8)
    assert len(shapes) == len(converted.encoder.by_element)


def test_element_vectors_have_no_change_of_low_rank(converted):
    found = parts(converted, Train("encoder", rank=1))
    assert "encoder.elements.vectors" not in found
    assert found["encoder.interactions.1.down.2"] == "rank 1"
    assert found["encoder.interactions.1.up.1"] == "all", "2 x 2: the matrix has no more numbers"


@pytest.mark.parametrize(
    ("rule", "words"),
    [
        (Train("readout"), "no part 'readout'.*readouts"),
        (Train("energies"), "takes the energies of isolated atoms from the labels"),
        (Train("frequencies"), "the frequencies are fixed"),
        (
            Train("elements", rows=("Xe",)),
            r"trainable\[0\]: the potential does not know the element Xe; it knows H, O, Si",
        ),
        (Train("elements", rows=("Argon",)), "does not know the element Argon"),
        (Train("elements", rows=(0,)), "does not know the element 0"),
        (Train("embed", rows=("O",)), "encoder.embed has no rows O"),
        (Train("elements", rank=1), "is a table of vectors"),
    ],
)
def test_rules_that_do_not_suit_the_potential(rule, words, learned):
    with pytest.raises(InputError, match=words):
        trainable(learned, [rule])


def test_a_potential_without_elements_has_no_rows_of_them():
    with pytest.raises(InputError, match="has no table of element vectors"):
        trainable(morse(), [Train("depth", rows=("Ar",))])


COUNT = []


class Counted(Morse):
    """Notes when it is traced."""

    def __call__(self, batch):
        COUNT.append(1)
        return super().__call__(batch)


def test_rates_are_for_parts_and_compile_nothing(frames):
    """The first step of Adam is the rate itself, whatever the gradient, so that shares of it can be seen."""
    plain = morse(shift=0.15)
    start = Counted(plain.depth, plain.stiffness, plain.distance, plain.numbers, plain.cutoff)
    settings = Training(
        epochs=1, batch=5, rate=0.001, warm_up=0.0, average=None, clip=None, schedule="constant"
    )

    def steps(*rates):
        names = ("depth", "stiffness")
        rules = [Train(name, rate=rate) for name, rate in zip(names, rates, strict=True)]
        found = fit(start, *frames, key=KEY, settings=settings, trainable=rules).potential
        assert leaves(found.distance) == leaves(start.distance)
        return [np.abs(np.asarray(getattr(found, n) - getattr(start, n))) for n in names]

    for got, rate in zip(steps(1.0, 0.25), (0.001, 0.00025), strict=True):
        np.testing.assert_allclose(got, rate, rtol=2e-3)
    traced = len(COUNT)
    assert traced > 0
    for got, rate in zip(steps(0.5, 4.0), (0.0005, 0.004), strict=True):
        np.testing.assert_allclose(got, rate, rtol=2e-3)
    assert len(COUNT) == traced


def test_a_run_with_rules_is_resumed_with_the_same_bits(frames, tmp_path):
    settings = replace(SETTINGS, epochs=4)
    rules = [Train("depth", gains=True, rate=0.5), Train("stiffness")]

    def run(rules=rules, **options):
        return trained(frames, settings=settings, trainable=rules, **options)

    whole = run()
    part = run(folder=tmp_path, should_stop=StopAt(3))
    assert part.status == "interrupted"
    assert part.steps > 0
    for other in (
        [Train("depth", gains=True), Train("stiffness")],
        [Train("depth"), Train("stiffness")],
        None,
    ):
        with pytest.raises(InputError, match="another potential, data set, option or seed"):
            run(other, folder=tmp_path, resume=True)
    again = run(folder=tmp_path, resume=True)
    assert leaves(again.potential) == leaves(whole.potential)
    assert leaves(again.potential.distance) == leaves(morse(shift=0.15).distance)
    assert moved(morse(shift=0.15), again.potential) == {"depth", "stiffness"}


@pytest.mark.slow
def test_only_the_row_of_an_element_learns():
    """The other rows and all else keep their bits, in spite of weight decay and the moving average, and so do the
    energies and forces of structures without the element.
    """
    pair = Frame(np.array([18, 36]), np.array([[0, 0, 0], [2.3, 0, 0.4]]), None, np.zeros(3, bool))
    push = np.array([[0.3, 0, 0], [-0.3, 0, 0]])
    pairs = [
        replace(pair, positions=pair.positions * s, energy=-7.0 + s, forces=s * push) for s in (0.9, 1.0)
    ]
    vectors = {"elements": "random", "element_size": 3, "free_elements": 1}
    made = untrained_mace(statistics(pairs, 3.0), key=KEY, **SHAPE, **vectors)
    rules = [Train("elements", rows=("Kr",))]
    settings = replace(FROZEN, stages=SETTINGS.stages[:1])
    start = eqx.tree_at(lambda p: p.readouts[0].weight, made, 1.0 + made.readouts[0].weight)
    argon = [replace(one, numbers=np.array([18, 18])) for one in pairs]
    result = fit(start, pairs, argon, key=KEY, settings=settings, trainable=rules)
    found, before = result.potential, evaluate(start, argon, batch=2)
    assert moved(start, found) == {"encoder.elements.vectors"}
    assert np.abs(before.forces[:, 1]).max() > 1e-3
    assert np.array_equal(result.validation.forces, before.forces)
    assert np.array_equal(result.validation.energy, before.energy)
    old, new = (np.asarray(p.encoder.elements.vectors) for p in (start, found))
    assert np.array_equal(new[[0, 2]], old[[0, 2]])
    assert (new[1] != old[1]).all()


@pytest.mark.slow
def test_a_converted_model_with_changes_of_low_rank(converted):
    """It stays equivariant and plain, goes back to mace-torch's form, and what is frozen keeps its bits."""
    turn = -Rotation.random(random_state=1).as_matrix()
    molecule, box = structures()[0], structures()[3]
    train = [replace(f, energy=-1.0, forces=np.full((len(f.numbers), 3), 0.1)) for f in (molecule, box)]
    turned = replace(train[0], positions=molecule.positions @ turn.T)
    rules = [
        Train(("up", "down", "interactions.*.skip"), rank=1),
        Train("encoder.products.*.weights", rows=("Si",), rate=2.0),
        Train("readouts.-1.second", gains=True),
    ]
    found = fit(converted, train, [train[0], turned], key=KEY, settings=FROZEN, trainable=rules)
    potential = found.potential
    assert isinstance(potential, MacePotential)
    assert jax.tree.structure(potential) == jax.tree.structure(converted)
    assert moved(converted, potential) == set(parts(converted, *rules))
    silicon = converted.encoder.elements.numbers.tolist().index(14)
    for old, new in zip(
        *(jax.tree.leaves(p.encoder.products[0].weights) for p in (converted, potential)), strict=True
    ):
        keep = np.delete(np.arange(3), silicon)
        assert np.array_equal(np.asarray(new)[keep], np.asarray(old)[keep])
    for degree in (1, 2):  # each has a matrix of its own
        old, new = (np.asarray(p.encoder.interactions[1].down[degree]) for p in (converted, potential))
        assert np.linalg.matrix_rank(new - old, tol=1e-9) == 1
    judged = found.validation
    assert judged.energy[1, 1] == pytest.approx(judged.energy[0, 1], rel=1e-12)
    first, second = judged.forces[:, 1].reshape(2, -1, 3)
    np.testing.assert_allclose(second, first @ turn.T, rtol=0, atol=1e-11)
    assert np.abs(first).max() > 1e-3
    back = potential_from(describe(potential))
    for one, two in zip(jax.tree.leaves(back), jax.tree.leaves(potential), strict=True):
        np.testing.assert_allclose(one, two, rtol=1e-14, atol=1e-15)


def test_columns_that_two_elements_use_belong_to_neither(converted):
    vectors = jax.device_put(np.array([[1, 0, 0], [0, 1, 0], [0.5, 0, 1]], np.float32))
    shared = eqx.tree_at(lambda p: p.encoder.elements.vectors, converted, vectors)
    every = len(converted.encoder.by_element) + 1
    assert (
        len(parts(shared, Train("*", rows=("Si",))))
        == len(parts(shared, Train("*", rows=("O", 14))))
        == every
    )
    assert parts(shared, Train("*", rows=("H",))) == {"encoder.elements.vectors": "rows H"}


def test_factors_of_messages_belong_to_elements_too(converted):
    """Also those of an encoder that is a part of something else, or stands alone."""
    encoder = Mace(
        ElementEmbedding(converted.encoder.elements.numbers, jax.device_put(np.eye(3, dtype=np.float32))),
        channels=1,
        max_ell=0,
        correlation=1,
        num_interactions=1,
        radial_layers=(),
        pair_weights=True,
        key=KEY,
    )
    found = parts(encoder, Train("*", rows=("O",)))
    assert {"elements.vectors", "interactions.0.sender", "interactions.0.receiver"} < set(found)
    assert set(parts({"inside": encoder}, Train("*", rows=("O",)))) == {f"inside.{name}" for name in found}
