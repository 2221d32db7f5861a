"""Choosing structures: greedy steps against plain searches, methods, mistakes, posteriors of a network."""

from dataclasses import replace

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
import pytest

from geoembed.atoms import (
    BesselBasis,
    Committee,
    ElementEmbedding,
    Mace,
    MacePotential,
    Posterior,
    pack,
    posterior,
    predict,
    select,
)
from geoembed.atoms._uncertainty import _numbers
from geoembed.atoms._uncertainty._greedy import by_determinant, farthest
from geoembed.core import InputError
from tests.atoms.structures import random_frames
from tests.atoms.toy_potential import clusters, labelled, morse

POOL = clusters(10, cells=False, seed=7)


@pytest.fixture(scope="module", autouse=True)
def quickly(compiled_quickly):
    """All programs here are formulas on few numbers."""


@pytest.fixture(scope="module")
def sure():
    """A posterior over two of a toy's parameters for each of two elements."""
    train = labelled(clusters(3, cells=False, seed=8), morse())
    return posterior(morse(), train, over=("depth", "distance"), noise=(0.01, 0.02), prior=1.0)


def test_the_determinant_is_searched_as_plainly_written():
    draw = np.random.default_rng(1)
    rows = draw.normal(size=(30, 5, 2)) * draw.uniform(0.2, 3.0, (30, 1, 1))
    rows[7] = rows[3] = 4.0 * rows[3]  # a second copy of the best tells less than anything new
    told = rows @ rows.transpose(0, 2, 1)
    total, expected, gains = np.eye(5), [], []
    for _ in range(6):
        logs = [-np.inf if k in expected else np.linalg.slogdet(total + g)[1] for k, g in enumerate(told)]
        expected.append(int(np.argmax(logs)))
        gains.append(0.5 * (max(logs) - np.linalg.slogdet(total)[1]))
        total = total + told[expected[-1]]
    order, found = by_determinant(told, 6)
    assert order.tolist() == expected
    assert expected[0] == 3
    assert expected.index(7) == 3, "all five directions are known by then"
    np.testing.assert_allclose(found, gains, rtol=1e-9)
    assert len(set(by_determinant(told, 30)[0].tolist())) == 30


@pytest.mark.parametrize("weighted", [False, True])
@pytest.mark.parametrize("known", [0, 2])
def test_the_farthest_is_searched_as_plainly_written(weighted, known):
    draw = np.random.default_rng(2)
    rows, have = draw.normal(size=(20, 3)), draw.normal(size=(known, 3))
    weights = draw.uniform(0.1, 2.0, 20) if weighted else np.ones(20)
    expected = []
    if not known:
        off = np.linalg.norm(rows - rows.mean(axis=0), axis=1)
        expected.append(int(np.argmax(weights) if weighted else np.argmin(off)))
    while len(expected) < 5:
        near = [min(np.linalg.norm(row - o) for o in [*have, *rows[expected]]) for row in rows]
        near = [-1.0 if k in expected else weights[k] * d for k, d in enumerate(near)]
        expected.append(int(np.argmax(near)))
    order, _ = farthest(rows, 5, known=have if known else None, weights=weights if weighted else None)
    assert order.tolist() == expected
    assert sorted(farthest(np.zeros((4, 2)), 4)[0].tolist()) == [0, 1, 2, 3], "even where all are alike"


def test_uncertain_structures_come_first(sure):
    found = select(sure, POOL, 3, method="uncertainty")
    batch = pack(POOL, sure.cutoff, dtype="float32")
    forces = np.asarray(eqx.filter_jit(type(sure).spread)(sure, batch).deviation.forces)
    size = np.array([np.sqrt(np.mean(forces[np.asarray(batch.owner) == k] ** 2)) for k in range(len(POOL))])
    np.testing.assert_allclose(found.deviation, size, rtol=1e-4)
    assert found.indices.tolist() == np.argsort(-size)[:3].tolist()
    np.testing.assert_allclose(found.gains, np.sort(size)[::-1][:3], rtol=1e-4)
    best = int(found.indices[0])
    twice = [POOL[best], *POOL]
    assert select(sure, twice, 2, method="uncertainty").indices.tolist() == [0, best + 1]
    chosen = select(sure, POOL, 3, method="determinant")
    np.testing.assert_allclose(chosen.deviation, size, rtol=1e-4)
    assert len(set(chosen.indices.tolist())) == 3
    assert np.all(np.diff(chosen.gains) < 0)


def test_atoms_on_top_of_each_other_are_refused(sure):
    with pytest.raises(InputError, match=r"frame 1.*not finite"):
        select(sure, [POOL[0], replace(POOL[1], positions=0 * POOL[1].positions), *POOL[2:]], 1)


def test_diverse_choices(sure):
    committee = Committee([morse(), morse(shift=0.05), morse(shift=0.1)])
    for model in (committee, sure):
        weighted = select(model, POOL, 4)
        assert weighted.method == "weighted"
        assert weighted.indices[0] == int(np.argmax(weighted.deviation))
    far = select(morse(), POOL, 3)
    assert (far.method, far.deviation) == ("farthest", None)
    away = select(sure, POOL[5:], 1, method="farthest", labelled=[*POOL[5:9], POOL[0]])
    assert away.indices.tolist() == [4], "all others are labelled"
    drawn = [
        select(morse(), POOL, 5, method="random", key=jax.random.key(k)).indices.tolist() for k in (0, 0, 1)
    ]
    assert drawn[0] == drawn[1] != drawn[2]
    assert len(set(drawn[2])) == 5


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({"count": 11}, ["11 structures are asked for", "the pool has 10"]),
        ({"count": 0}, ["0 structures"]),
        ({"method": "best"}, ["no 'best'", "determinant"]),
        ({"method": "determinant"}, ["needs a Posterior or a Committee", "atoms.posterior"]),
        (
            {"model": Committee([morse(), morse(shift=0.1)]), "method": "determinant"},
            ["a committee of 2", "weighted"],
        ),
    ],
)
def test_mistakes(options, words):
    given = {"model": morse(), "pool": POOL, "count": 2} | options
    with pytest.raises(InputError) as refused:
        select(given.pop("model"), given.pop("pool"), given.pop("count"), **given)
    for word in words:
        assert word in str(refused.value)
    with pytest.raises(ValueError, match="needs a key"):
        select(morse(), POOL, 2, method="random")


@pytest.mark.slow
def test_last_layer_and_element_of_a_network():
    """Steps in the numbers are predicted: exactly by the last layer, to second order by an element's vector and E0."""

    @jax.jit
    def made():
        elements = ElementEmbedding.random([1, 6, 8], 3, capacity=4, key=jax.random.key(0))
        encoder = Mace(
            elements, cutoff=3.0, channels=2, max_ell=1, hidden_ell=0, correlation=1, num_interactions=2,
            radial=BesselBasis(3.0, 4), radial_layers=(), key=jax.random.key(1),
        )  # fmt: skip
        return MacePotential(encoder, energies=jnp.arange(4.0), hidden=4, scale=0.5, key=jax.random.key(2))

    with jax.enable_x64(True):
        potential = made()
        frames = [*random_frames(3, (4, 5)), *random_frames(4, (4,), elements=(1, 6))]
        batch = pack(frames, 3.0)
        run = eqx.filter_jit(lambda one, b: predict(one, b, stress=True))
        told = eqx.filter_jit(lambda one, b: one.directions(b, stress=True))
        before = run(potential, batch)
        for over, count, size, near in (("last layer", 6, 1.0, 1e-11), ("O", 4, 1e-6, 1e-5)):
            _numbers.check(potential, (over,))
            values = _numbers.take(potential, (over,))
            assert values.shape == (count,)
            found = Posterior(potential, jnp.eye(count), jnp.ones(2), jnp.ones(2), (over,))
            along = told(found, batch)
            step = size * np.linspace(-1, 1, count)
            after = run(_numbers.put(potential, (over,), values + step), batch)
            for name in ("energy", "forces", "stress", "atom_energies"):
                change = np.tensordot(step, np.asarray(getattr(along, name)), 1)
                expected = np.asarray(getattr(after, name)) - np.asarray(getattr(before, name))
                np.testing.assert_allclose(expected, change, rtol=0, atol=near * np.abs(change).max() + 1e-13)
                assert np.abs(change).max() > 1e-5 * size
        assert _numbers.isolated(potential, ("O",)).tolist() == [False, False, False, True]
        assert not np.any(along.energy[:, 2]), "no oxygen there"
        assert not np.any(along.forces[:, 9:])
        np.testing.assert_array_equal(
            along.energy[3, :2], [np.sum(frame.numbers == 8) for frame in frames[:2]]
        )
    with pytest.raises(InputError, match="does not know the element W"):
        posterior(potential, frames, over="W")
