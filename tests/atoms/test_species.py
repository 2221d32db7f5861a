"""Element vectors are all that a native model knows of the elements; free rows; new models start where E0 says."""

import dataclasses

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
import pytest

from geoembed.atoms import (
    BesselBasis,
    ElementEmbedding,
    Frame,
    Mace,
    MacePotential,
    Repulsion,
    element_weights,
    inspect_potential,
    nearest_elements,
    pack,
    predict,
    statistics,
    untrained_mace,
)
from geoembed.atoms._expansion import expand
from geoembed.atoms._interaction import Interaction, Species
from tests.atoms.toy_potential import morse

CUTOFF = 3.5
TRACES = [0]


@eqx.filter_jit
def bare(potential, batch):
    """Energies of the atoms without E0 and without the repulsion of nuclei; the latter; what E0 adds."""
    TRACES[0] += 1
    repulsion, interaction = potential.scale * potential.repulsion(batch), potential.interaction(batch)
    return interaction - repulsion, repulsion, potential(batch) - interaction


def model(elements, energies=None):
    encoder = Mace(
        elements,
        channels=4,
        hidden_ell=1,
        max_ell=1,
        correlation=2,
        radial=BesselBasis(CUTOFF, 4),
        radial_layers=(8,),
        average_neighbours=6.0,
        pair_weights=True,
        key=jax.random.key(1),
    )
    places = lambda e: [w for layer in e.interactions for w in (layer.sender, layer.receiver)]  # noqa: E731
    draw = np.random.default_rng(3)
    drawn = [jnp.asarray(draw.normal(size=w.shape), w.dtype) for w in places(encoder)]
    encoder = eqx.tree_at(places, encoder, drawn)
    energies = None if energies is None else jnp.asarray(energies)
    return MacePotential(encoder, energies=energies, repulsion=Repulsion(), key=jax.random.key(2))


def batch(numbers):
    positions = np.array([[0, 0, 0], [1.1, 0, 0], [0.2, 1.3, 0.1], [0.9, 1.0, 1.2]])
    frame = Frame(np.asarray(numbers), positions, None, np.zeros(3, bool))
    return pack([frame], CUTOFF, atoms=6, slots=6, kinds=4)


@pytest.fixture
def double(compiled_quickly):
    with jax.enable_x64(True):
        yield


def test_elements_with_the_same_vector_are_the_same(double):
    """Chlorine and silver, which differ in everything, at the same places."""
    table = ElementEmbedding.physical([11, 17, 47], 5, capacity=4)
    same = eqx.tree_at(lambda e: e.vectors, table, table.vectors.at[2].set(table.vectors[1]))
    potential = model(same, [-3.0, 5.0, 11.0, 0.0])
    cl, ag, both = ([11, z, 17, y] for z, y in ((17, 17), (47, 47), (47, 17)))
    (one, pushed, _), (_, harder, e0) = bare(potential, batch(cl)), bare(potential, batch(ag))
    assert np.abs(pushed - harder)[:4].max() > 0.1, "the repulsion knows the nuclei"
    for numbers in (ag, both):
        got, *_ = bare(potential, batch(numbers))
        np.testing.assert_allclose(got[:4], one[:4], rtol=1e-12, atol=1e-12)
    apart = eqx.tree_at(lambda m: m.encoder.elements, potential, table)
    assert np.abs(bare(apart, batch(ag))[0] - bare(apart, batch(cl))[0])[:4].max() > 1e-3
    np.testing.assert_allclose(e0[:4], [-3.0, 11.0, 5.0, 11.0], rtol=0, atol=1e-12)


def test_an_element_more_is_no_new_program_and_changes_nothing_old(double):
    filled = ElementEmbedding.physical([11, 17], 5, capacity=4)
    potential = model(filled)
    old, new = batch([11, 17, 17, 11]), batch([11, 47, 17, 47])
    before, *_ = bare(potential, old)
    traces = TRACES[0]
    added = ElementEmbedding.physical([11, 17, 47], 5, capacity=4)
    potential = eqx.tree_at(lambda m: m.encoder.elements, potential, added)
    after, *_ = bare(potential, old)
    assert np.array_equal(before, after), "bit for bit"
    assert np.all(np.isfinite(bare(potential, new)[0][:4]))
    assert TRACES[0] == traces
    # and a table without free rows says the same
    exact, *_ = bare(model(ElementEmbedding.physical([11, 17], 5)), old)
    np.testing.assert_allclose(before[:4], exact[:4], rtol=1e-13)


def test_weights_of_the_elements(double):
    """Elements with the same vector have the same weights; also where the table is one-hot."""
    table = ElementEmbedding.physical([11, 17, 47], 5, capacity=4)
    same = eqx.tree_at(lambda e: e.vectors, table, table.vectors.at[2].set(table.vectors[1]))
    made = element_weights(model(same))
    assert made.numbers.tolist() == [11, 17, 47, 0]
    lengths = np.linalg.norm(made.vectors, axis=1)
    assert np.sqrt(np.mean(lengths[:3] ** 2)) == pytest.approx(1.0)
    assert lengths[3] == 0
    found = nearest_elements(made)
    assert found["Cl"][0] == ("Ag", pytest.approx(0, abs=1e-12))
    assert found["Na"][0][1] > 0.01
    # one-hot vectors are all equally far apart; the weights are not
    encoder = model(ElementEmbedding.one_hot([11, 17, 47])).encoder
    rows = lambda m: jax.tree.leaves((  # noqa: E731
        m.embed, [product.weights for product in m.products], [[e.sender, e.receiver] for e in m.interactions]
    ))  # fmt: skip
    skips = lambda m: jax.tree.leaves([layer.skip for layer in m.interactions])  # noqa: E731
    alike = eqx.tree_at(rows, encoder, [w.at[2].set(w[1]) for w in rows(encoder)])
    alike = eqx.tree_at(skips, alike, [w.at[:, 2].set(w[:, 1]) for w in skips(encoder)])
    assert nearest_elements(element_weights(alike))["Ag"][0] == ("Cl", pytest.approx(0, abs=1e-12))


def test_the_report_about_a_potential():
    report = inspect_potential(
        model(ElementEmbedding.physical([11, 17, 47], 5, capacity=4), [-3.0, 5.0, 1.5, 0.0])
    )
    assert report["elements"] == ["Na", "Cl", "Ag"]
    assert (report["free_rows"], report["element_size"], report["cutoff"]) == (1, 5, 3.5)
    assert report["e0"] == {"Na": -3.0, "Cl": 5.0, "Ag": 1.5}
    assert report["network"]["channels"] == 4
    assert (
        report["network"]["layers"],
        report["network"]["hidden_ell"],
        report["network"]["correlation"],
    ) == (2, 1, 2)
    assert report["parameters_by_part"]["element_vectors"] == 4 * 5
    # embed 5·4; skips: first layer degree 0, second layer degree 0, each 4·5·4; products: 5·4 for each function:
    # degree 0: one of A, two of A⊗A; degree 1: one of A, one of A⊗A; the second layer has degree 0 only
    # pairs: two factors for each of the two paths of the first layer and the four of the second
    parameters = report["parameters_by_part"]["times_element_vectors"]
    assert parameters == 20 + 2 * 80 + 20 * (3 + 2 + 3) + 2 * 20 * (2 + 4)
    assert report["nearest_elements"]["Ag"].split()[0] in ("Na,", "Cl", "Na")
    assert report["flags"] == []
    plain = inspect_potential(morse())
    assert plain == {
        "kind": "potential", "class": "Morse", "cutoff": 6.0, "parameters": 6, "dtypes": ["float32"], "flags": [],
    }  # fmt: skip
    broken = dataclasses.replace(morse(), depth=jnp.array([jnp.nan, 1.0]))
    assert inspect_potential(broken)["flags"] == ["1 arrays hold numbers that are not finite"]


def test_radial_functions_depend_on_both_elements(double):
    """Of two atoms each has one neighbour: its message is multiplied by (1 + vⱼ·S)(1 + vᵢ·T), path by path."""
    layer = Interaction(
        4, input_ell=0, output_ell=0, max_ell=1, radial=4, radial_layers=(), size=2, average_neighbours=1.0,
        residual=True, pairs=True, key=jax.random.key(0),
    )  # fmt: skip
    layer = eqx.tree_at(lambda one: one.down, layer, (2 * jnp.eye(4),) * 2)  # divided by the root of 4
    draw = np.random.default_rng(0)
    vectors, h = draw.normal(size=(2, 2)), jnp.asarray(draw.normal(size=(2, 1, 4)))
    species = Species(jnp.asarray(vectors), jnp.arange(2))
    pair = Frame(np.array([11, 17]), np.array([[0, 0, 0], [1.0, 0.7, -0.4]]), None, np.zeros(3, bool))
    messages = eqx.filter_jit(lambda one, b: one(h, species, expand(b, BesselBasis(CUTOFF, 4), 1))[0])
    plain = np.asarray(messages(layer, pack([pair], CUTOFF)))
    factors = draw.normal(size=(2, 2, 8))
    layer = eqx.tree_at(lambda one: (one.sender, one.receiver), layer, tuple(jnp.asarray(factors)))
    found = np.asarray(messages(layer, pack([pair], CUTOFF)))
    of_path = np.repeat([0, 1], [1, 3])  # the components of degree 0, then those of degree 1
    for atom, other in ((0, 1), (1, 0)):
        both = (1 + vectors[other] @ factors[0]) * (1 + vectors[atom] @ factors[1])
        np.testing.assert_allclose(found[atom], plain[atom] * both.reshape(2, 4)[of_path], rtol=1e-12)
    assert np.abs(plain).min() > 1e-5


@pytest.mark.slow
def test_a_new_model_predicts_what_the_least_squares_say(compiled_quickly):
    """Energies of three compositions; numpy's least squares are the reference."""
    draw = np.random.default_rng(0)
    frames = []
    for numbers in ([8, 1, 1], [8, 8], [1, 1], [8, 1, 1, 1]):
        positions = np.arange(3.0 * len(numbers)).reshape(-1, 3) % 5 * 0.4 + draw.normal(
            0, 0.05, (len(numbers), 3)
        )
        energy = -430.0 * numbers.count(8) - 13.0 * numbers.count(1) + draw.normal(0, 0.3)
        forces = draw.normal(0, 2.0, (len(numbers), 3))
        frames.append(
            Frame(np.array(numbers), positions, None, np.zeros(3, bool), energy=energy, forces=forces)
        )
    counts = np.array([[list(f.numbers).count(1), list(f.numbers).count(8)] for f in frames], float)
    sizes = counts.sum(axis=1)
    labels = np.array([f.energy for f in frames])
    e0 = np.linalg.lstsq(counts / sizes[:, None], labels / sizes, rcond=None)[0]
    expected = counts @ e0 + sizes * np.mean(labels / sizes - counts @ e0 / sizes)
    options = {"cutoff": 3.0, "channels": 4, "max_ell": 1, "hidden_ell": 0, "correlation": 1}
    potential = untrained_mace(
        statistics(frames, 3.0), key=jax.random.key(0), elements="physical", free_elements=1, **options
    )
    got = eqx.filter_jit(predict)(potential, pack(frames, 3.0))
    np.testing.assert_allclose(got.energy[:4], expected, rtol=1e-6)
    assert not got.forces.any()
    slope = eqx.filter_jit(eqx.filter_grad(lambda m, b: jnp.sum(m.interaction(b))))(
        potential, pack(frames, 3.0)
    )
    assert np.abs(slope.readouts[0].weight).max() > 0, "but they learn"
    assert potential.numbers.tolist() == [1, 8, 0]
    with pytest.raises(ValueError, match="one-hot vectors have the size of the table"):
        untrained_mace(statistics(frames, 3.0), key=jax.random.key(0), element_size=4, **options)
