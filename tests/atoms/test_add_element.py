"""Elements added to potentials made here: what is known already stays, and the new one is what it was said to be."""

import dataclasses
import logging

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
import pytest

from geoembed.atoms import (
    AgnesiTransform,
    BesselBasis,
    ElementEmbedding,
    Frame,
    HeadsPotential,
    Mace,
    MacePotential,
    Nequip,
    Repulsion,
    add_element,
    element_mixture,
    pack,
    predict,
)
from geoembed.atoms._element_mixture import mixture_by_properties
from geoembed.atoms._heads import Head
from geoembed.core import InputError

CUTOFF, OLD, NEW = 3.5, [41, 42, 73, 42], [74, 42, 73, 74]
POSITIONS = np.array([[0, 0, 0], [1.9, 0, 0], [0.3, 2.1, 0.1], [1.6, 1.7, 1.4]])
ENERGIES = [-10.0, -11.0, -12.0]
TRACES = [0]


@eqx.filter_jit
def said(potential, batch):
    TRACES[0] += 1
    found = predict(potential, batch)
    return found.atom_energies, found.forces


@eqx.filter_jit
def repelled(potential, batch):
    return potential.scale * potential.repulsion(batch)


@pytest.fixture(autouse=True)
def double(compiled_quickly):
    with jax.enable_x64(True):
        yield


def frame(numbers, **labels):
    return Frame(np.asarray(numbers), POSITIONS[: len(numbers)], None, np.zeros(3, bool), **labels)


def batch(numbers):
    return pack([frame(numbers)], CUTOFF, atoms=5, slots=4, kinds=4)


def model(elements=None, energies=ENERGIES, **changes):
    if elements is None:
        elements = ElementEmbedding.physical([41, 42, 73], 4, capacity=len(energies))
    options = {
        "channels": 4,
        "hidden_ell": 0,
        "max_ell": 1,
        "radial_layers": (8,),
        "radial": BesselBasis(CUTOFF, 4),
    }
    options |= {"correlation": 2, "num_interactions": 1, "average_neighbours": 3.0} | changes
    encoder = Mace(elements, **options, key=jax.random.key(1))
    return MacePotential(
        encoder, energies=jnp.asarray(energies), repulsion=Repulsion(), key=jax.random.key(2)
    )


@pytest.fixture(scope="module")
def roomy():
    """A potential with a free row."""
    with jax.enable_x64(True):
        return model(energies=[*ENERGIES, 0.0])


@pytest.fixture(scope="module")
def full():
    with jax.enable_x64(True):
        return model()


def vector(potential, symbol="W"):
    table = potential.encoder.elements
    return np.asarray(table.vectors)[np.asarray(table.numbers).tolist().index({"W": 74, "Mo": 42}[symbol])]


def test_a_free_row_is_no_new_program_and_no_other_number(roomy):
    before = said(roomy, batch(OLD))
    traces = TRACES[0]
    grown = add_element(roomy, "W", like="Mo", e0=-13.0)
    assert grown.numbers.tolist() == [41, 42, 73, 74]
    assert np.array_equal(vector(grown), vector(grown, "Mo"))
    after, new = said(grown, batch(OLD)), said(grown, batch(NEW))
    assert TRACES[0] == traces, "one program for all"
    assert all(map(np.array_equal, before, after)), "bit for bit"
    # the new element is molybdenum but for E0 and the repulsion of nuclei
    twin = said(grown, batch([42, 42, 73, 42]))
    e0 = np.where(np.asarray(NEW) == 74, -2.0, 0.0)
    pushed = [repelled(grown, batch(numbers))[:4] for numbers in (NEW, [42, 42, 73, 42])]
    np.testing.assert_allclose(new[0][:4] - e0 - pushed[0], twin[0][:4] - pushed[1], rtol=0, atol=1e-11)
    assert roomy.numbers.tolist() == [41, 42, 73, 0], "the old potential is as it was"
    assert jax.tree.structure(grown) == jax.tree.structure(roomy)


def test_without_a_free_row_the_table_grows(full, roomy):
    before = said(full, batch(OLD))
    for grown in (
        add_element(full, "W", like="Mo", e0=-13.0),
        add_element(full, "W", like="Mo", e0=-13.0, wide=True),
        add_element(full, "W", key=jax.random.key(5), e0=-13.0, wide=True),
    ):
        assert grown.numbers.tolist() == [41, 42, 73, 74]
        after = said(grown, batch(OLD))
        for one, other in zip(before, after, strict=True):
            np.testing.assert_allclose(one, other, rtol=0, atol=1e-12)
        assert grown.encoder.elements.vectors.dtype == np.float64
        assert grown.energies.tolist() == [*ENERGIES, -13.0]


def test_weights_of_its_own_start_as_those_that_the_vector_makes(full):
    plain, wide = (add_element(full, "W", vector="properties", e0=-13.0, wide=w) for w in (False, True))
    assert wide.encoder.embed.shape == (5, 4)
    assert vector(wide).tolist() == [0, 0, 0, 0, 1]
    for one, other in zip(said(plain, batch(NEW)), said(wide, batch(NEW)), strict=True):
        np.testing.assert_allclose(one, other, rtol=0, atol=1e-11)
    # one-hot tables stay one-hot, and random weights are as large as the others
    table = model(ElementEmbedding.one_hot([41, 42, 73]), channels=16)
    drawn = add_element(table, "W", key=jax.random.key(5), wide=True)
    assert np.array_equal(drawn.encoder.elements.vectors, np.eye(4))
    assert np.array_equal(drawn.encoder.embed[:3], table.encoder.embed)
    sizes = np.sqrt(np.mean(np.asarray(drawn.encoder.embed) ** 2, axis=1))
    assert 0.5 < sizes[3] / np.sqrt(np.mean(sizes[:3] ** 2)) < 1.6


def test_the_mixture_that_properties_suggest(full):
    mixed = add_element(full, "W", vector="properties")
    parts = element_mixture(full, "W")
    assert set(parts) == {"Nb", "Mo", "Ta"}
    assert sum(parts.values()) == pytest.approx(1.0)
    assert parts["Ta"] > parts["Mo"] > 0.3 > 0 > parts["Nb"], "right of Ta and below Mo, so not like Nb"
    table = np.asarray(full.encoder.elements.vectors)
    np.testing.assert_allclose(
        vector(mixed), parts["Nb"] * table[0] + parts["Mo"] * table[1] + parts["Ta"] * table[2], rtol=1e-12
    )
    assert float(mixed.energies[3]) == pytest.approx(-10 * parts["Nb"] - 11 * parts["Mo"] - 12 * parts["Ta"])
    # with all other elements around, what is alike comes first
    known = [z for z in range(1, 95) if z != 17]
    found = mixture_by_properties(17, known)
    assert {known[k] for k in np.argsort(-found)[:3]} & {9, 35, 53}
    assert mixture_by_properties(17, [1]).tolist() == pytest.approx([1.0])


def test_a_vector_of_ones_own(full):
    table = np.asarray(full.encoder.elements.vectors)
    between = 0.25 * table[0] + 0.75 * table[1]
    grown = add_element(full, "W", vector=between)
    assert np.array_equal(vector(grown), between)
    assert float(grown.energies[3]) == pytest.approx(0.25 * -10 + 0.75 * -11), "the same mixture"
    drawn = add_element(full, "W", key=jax.random.key(0))
    assert np.linalg.norm(vector(drawn)) == pytest.approx(1.0), "as long as the others"
    assert np.array_equal(vector(drawn), vector(add_element(full, "W", key=jax.random.key(0))))


def test_every_head_learns_the_element(roomy, caplog):
    other = Head(roomy.readouts, jnp.asarray([1.0, 2.0, 3.0, 0.0]), roomy.scale, roomy.shift)
    heads = HeadsPotential(roomy, (other,), ("pbe", "scan"))
    with caplog.at_level(logging.INFO, "geoembed.atoms"):
        grown = add_element(heads, "W", like="Ta", e0={"scan": 7.0})
    assert grown.select("pbe").energies.tolist() == [*ENERGIES, -12.0]
    assert grown.select("scan").energies.tolist() == [1.0, 2.0, 3.0, 7.0]
    assert "E0 of W (pbe): -12 eV, a mixture" in caplog.text
    assert "E0 of W (scan): 7 eV, given" in caplog.text
    assert add_element(heads, "W", like="Ta", e0=5.0).others[0].energies[3] == 5.0
    with pytest.raises(InputError, match=r"e0\['rpbe'\].*no such head.*pbe, scan"):
        add_element(heads, "W", like="Ta", e0={"rpbe": 1.0})


def test_nequip_and_single_precision():
    with jax.enable_x64(False):
        encoder = Nequip(
            ElementEmbedding.random([41, 42], 3, key=jax.random.key(0)), channels=2, num_interactions=1, max_ell=1,
            radial=BesselBasis(CUTOFF, 4), radial_layers=(4,), key=jax.random.key(1),
        )  # fmt: skip
        potential = MacePotential(encoder, key=jax.random.key(2))
        grown = add_element(potential, "W", like="Mo", wide=True)
        assert {
            leaf.dtype.name
            for leaf in jax.tree.leaves(eqx.filter(grown, eqx.is_inexact_array))
            if isinstance(leaf, jax.Array)
        } == {"float32"}
        assert grown.encoder.by_element[0].shape == (4, 2)


def drawn_frames(count):
    """Clusters with tungsten."""
    draw = np.random.default_rng(7)
    return [
        Frame(np.array(NEW), POSITIONS + draw.normal(0, 0.15, POSITIONS.shape), None, np.zeros(3, bool))
        for _ in range(count)
    ]


def labelled(potential, frames):
    """The frames with what a potential says about them."""
    found = []
    for one in frames:
        energies, forces = said(potential, pack([one], CUTOFF, atoms=5, slots=4, kinds=4))
        forces = np.asarray(forces, np.float64)[:4]
        found.append(dataclasses.replace(one, energy=float(jnp.sum(energies[:4])), forces=forces))
    return found


@pytest.mark.slow
def test_frames_find_the_vector_with_which_they_were_made(full):
    """The vector of the truth is neither that of a known element nor the mixture by properties."""
    table = np.asarray(full.encoder.elements.vectors)
    truth = add_element(full, "W", vector=np.array([0.5, 0.2, -0.3, 0.1]) + 0.5 * table[1], e0=-13.0)
    *train, test = labelled(truth, drawn_frames(4))
    without = dataclasses.replace(train[0], numbers=np.array([41, 42, 41, 42]), energy=7.0)
    found = add_element(full, "W", frames=[*train, without])
    (again,) = labelled(found, [test])
    copy = labelled(add_element(full, "W", like="Mo", e0=-13.0), [test])[0]
    np.testing.assert_allclose(again.forces, test.forces, rtol=0, atol=1e-4)
    assert again.energy == pytest.approx(test.energy, abs=1e-3)
    assert np.abs(copy.forces - test.forces).max() > 0.02, "a copy of molybdenum would not do"
    assert np.array_equal(found.encoder.elements.vectors[:3], table)
    assert found.energies[:3].tolist() == ENERGIES
    known = add_element(full, "W", frames=train, e0=-12.0)
    assert float(known.energies[3]) == -12.0, "a given energy stays"


@pytest.mark.slow
def test_energies_of_frames_give_e0(full):
    grown = add_element(full, "W", like="Mo", e0=-13.0)
    frames = labelled(grown, drawn_frames(3))
    moved = [dataclasses.replace(f, energy=f.energy + 0.3 * 2, forces=None) for f in frames]  # two atoms of W
    again = add_element(full, "W", like="Mo", frames=moved)
    assert float(again.energies[3]) == pytest.approx(-12.7, abs=1e-9)
    alone = Frame(np.array([74]), np.zeros((1, 3)), None, np.zeros(3, bool), energy=-4.5)
    assert float(add_element(full, "W", like="Mo", frames=[*moved, alone]).energies[3]) == -4.5


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        ({"symbol": "Xx", "like": "Mo"}, "Xx.*no element with this symbol"),
        ({"symbol": "Mo", "like": "Nb"}, "Mo.*knows this element"),
        ({"like": "O"}, "like='O'.*does not know it.*Nb, Mo, Ta"),
        ({}, "expected one of like=, vector= and key=, or frames="),
        ({"like": "Mo", "vector": "properties"}, "expected one of"),
        ({"vector": "chemistry"}, "no such vectors"),
        ({"vector": np.zeros(3)}, r"expected 4 finite numbers, received the shape \(3,\)"),
        ({"vector": np.full(4, np.nan)}, "expected 4 finite numbers"),
        ({"like": "Mo", "e0": np.inf}, "inf is not a number of eV"),
        ({"frames": [frame([42, 42])]}, "frames: W: no structure has this element"),
        ({"frames": [frame([74, 42])]}, "no structure with this element has an energy or forces"),
    ],
)
def test_wrong_questions_get_clear_answers(arguments, words, full):
    with pytest.raises(InputError, match=words):
        add_element(full, **{"symbol": "W", **arguments})


def test_a_radius_that_is_missing_is_no_last_radius_of_the_table():
    short = model(transform=AgnesiTransform(radii=np.ones(74)))
    with pytest.raises(InputError, match="AgnesiTransform has no radius"):
        add_element(short, "W", like="Mo")
    assert add_element(model(transform=AgnesiTransform(radii=np.ones(75))), "W", like="Mo")
