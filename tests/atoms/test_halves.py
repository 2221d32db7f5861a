"""What a pair shares is kept once; sums over terms keep their derivatives."""

import dataclasses

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from geoembed.atoms import ElementEmbedding, Frame, Mace, pack
from geoembed.atoms._contract import contract
from geoembed.atoms._halves import Halves


@pytest.fixture(scope="module")
def neighbours():
    """Of a chain that is periodic along x, where atoms neighbour their own images, and of a lone atom."""
    chain = Frame(
        np.array([11, 17]), np.array([[0.0, 0, 0], [1.1, 0.3, 0]]), np.eye(3) * 2.6, np.ones(3, bool)
    )
    lone = Frame(np.array([11]), np.zeros((1, 3)), np.eye(3) * 9, np.zeros(3, bool))
    return pack([chain, lone], 3.0, atoms=5, slots=33, dtype="float32").neighbours


@pytest.fixture(scope="module")
def halves(neighbours):
    return jax.jit(Halves.of)(neighbours)


def test_every_pair_has_one_row_that_both_its_slots_read(neighbours, halves):
    mask, row = np.asarray(neighbours.mask), np.asarray(halves.row)
    counts = np.bincount(row[mask], minlength=len(halves.slot))
    np.testing.assert_array_equal(counts, np.where(halves.taken, 2, 0))
    assert counts.sum() == mask.sum() > 0
    assert not np.asarray(halves.taken)[row[~mask]].any(), "empty slots read empty rows"
    np.testing.assert_array_equal(row[mask], row.reshape(-1)[np.asarray(neighbours.reverse)[mask]])
    assert len(halves.slot) == (mask.size + 1) // 2


def test_shared_values_come_back_to_their_slots(neighbours, halves):
    own, there = np.arange(neighbours.mask.size), np.asarray(neighbours.reverse).reshape(-1)
    shared = np.minimum(own, there).reshape(neighbours.mask.shape).astype(np.float32)
    back = halves.spread(halves.first(jnp.asarray(shared))[:, None])[..., 0]
    np.testing.assert_array_equal(back, np.where(neighbours.mask, shared, 0))


def test_derivatives_of_spreading_are_those_of_indexing(neighbours, halves, compiled_quickly):
    values = jax.random.normal(jax.random.key(0), (len(halves.slot), 2))
    values = jnp.where(halves.taken[:, None], values, 0.0)
    weight = jax.random.normal(jax.random.key(1), (*neighbours.mask.shape, 2))

    def plain(x):
        return jnp.where(neighbours.mask[..., None], x[halves.row], 0.0)

    def derivatives(spread):
        slope = jax.grad(lambda x: jnp.sum(weight * spread(x) ** 3))
        return slope(values), jax.grad(lambda x: jnp.sum(slope(x) ** 2))(values)

    one, other = jax.jit(lambda: (derivatives(halves.spread), derivatives(plain)))()
    jax.tree.map(lambda x, y: np.testing.assert_allclose(x, y, rtol=1e-4, atol=1e-4), one, other)
    assert min(np.abs(x).max() for x in other) > 0.1


def test_without_the_second_slots_there_are_no_rows(neighbours):
    assert Halves.of(dataclasses.replace(neighbours, reverse=None)) is None


def test_sums_over_terms_have_the_derivatives_of_an_einsum(compiled_quickly):
    keys = jax.random.split(jax.random.key(0), 2)
    small, large = jax.random.normal(keys[0], (3, 5, 2)), jax.random.normal(keys[1], (3, 5, 4))

    def derivatives(product):
        def energy(a, b):
            return jnp.sum(jnp.sin(product(a, b)))

        def work(a, b):
            return sum(jnp.sum(jnp.cos(slope)) for slope in jax.grad(energy, (0, 1))(a, b))

        return product(small, large), *(jax.grad(f, (0, 1))(small, large) for f in (energy, work))

    products = (
        lambda a, b: jnp.einsum("nkm,nkc->nmc", a, b),
        lambda a, b: contract(a, b, reverse_only=True),
        lambda a, b: contract(a, b, reverse_only=False),
    )
    expected, *found = jax.jit(lambda: [derivatives(product) for product in products])()
    for got in found:
        jax.tree.map(lambda x, y: np.testing.assert_allclose(x, y, rtol=2e-4, atol=2e-4), got, expected)
    assert min(np.abs(x).max() for x in jax.tree.leaves(expected)) > 0.1


def test_without_slots():
    lonely = Frame(np.array([1]), np.zeros((1, 3)), None, np.zeros(3, bool))
    encoder = Mace(
        ElementEmbedding.one_hot([1]),
        channels=4,
        max_ell=1,
        correlation=1,
        num_interactions=2,
        key=jax.random.key(0),
    )
    batches = [pack([lonely], 3.0, slots=slots) for slots in (0, 2)]
    assert batches[0].neighbours.mask.size == 0
    bare, padded = (encoder(batch) for batch in batches)
    jax.tree.map(lambda one, other: np.testing.assert_allclose(one, other, rtol=1e-5), bare, padded)
