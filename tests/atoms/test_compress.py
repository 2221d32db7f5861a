"""Tables of elements as vectors and generators: exact where they can be, and as wrong as the report says elsewhere."""

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
import pytest

from geoembed.atoms import (
    BesselBasis,
    ElementEmbedding,
    Frame,
    HeadsPotential,
    Mace,
    MacePotential,
    add_element,
    compress,
    pack,
    predict,
)
from geoembed.atoms._heads import Head
from geoembed.atoms._mace_describe import describe
from geoembed.atoms._mace_from_description import potential_from
from geoembed.core import InputError

NUMBERS, CUTOFF = [1, 6, 7, 8], 3.5
POSITIONS = np.array([[0, 0, 0], [1.1, 0, 0], [0.3, 1.2, 0.1], [1.6, 1.7, 1.4]])
FRAME = Frame(np.array([6, 8, 1, 7]), POSITIONS, None, np.zeros(3, bool))


@pytest.fixture(scope="module", autouse=True)
def double(compiled_quickly):
    with jax.enable_x64(True):
        yield


def native(size):
    """Four elements that differ in so many numbers."""
    elements = ElementEmbedding.random(NUMBERS, size, capacity=5, key=jax.random.key(0))
    encoder = Mace(
        elements, radial=BesselBasis(CUTOFF, 4), channels=3, hidden_ell=0, max_ell=1, correlation=2,
        num_interactions=1, radial_layers=(), key=jax.random.key(1),
    )  # fmt: skip
    return MacePotential(encoder, energies=jnp.array([-1.0, -2, -3, -4, 0]), key=jax.random.key(2))


@pytest.fixture(scope="module")
def table():
    """A potential with a table of elements, as converted ones have, that two numbers for each could replace."""
    with jax.enable_x64(True):
        return potential_from(describe(native(2)))


@eqx.filter_jit
def said(potential, batch):
    found = predict(potential, batch)
    return found.atom_energies, found.forces


def batch(frame=FRAME):
    return pack([frame], CUTOFF, kinds=5)


def weights(potential):
    """The weights of each element by mace-torch's conventions: elements, then all others."""
    arrays = describe(potential).arrays
    skips = {name: np.moveaxis(a, 1, 0) for name, a in arrays.items() if ".skip." in name}
    return {"embedding": arrays["embedding"], **skips} | {n: a for n, a in arrays.items() if ".product." in n}


def test_what_two_numbers_can_say_two_numbers_say(table):
    assert table.encoder.elements.vectors.shape == (4, 4)
    small, report = compress(table, 2, free_elements=1)
    assert small.encoder.elements.vectors.shape == (5, 2)
    assert small.numbers.tolist() == [*NUMBERS, 0]
    assert (report.rank, report.full) == (2, 4)
    assert report.error < 1e-12
    assert max(report.by_array.values()) < 1e-12
    np.testing.assert_allclose(report.spectrum[2:], 0, atol=1e-13)
    assert np.sqrt(np.mean(np.sum(small.encoder.elements.vectors[:4] ** 2, axis=1))) == pytest.approx(1.0)
    for one, other in zip(said(table, batch()), said(small, batch()), strict=True):
        np.testing.assert_allclose(one, other, rtol=0, atol=1e-12)
    belong = sum(a.size for a in weights(table).values())
    assert report.parameters == (16 + belong, 10 + belong // 2)


def test_the_report_says_by_how_much_tables_are_wrong(table):
    """Against the weights as mace-torch would get them."""
    small, report = compress(table, 1)
    before, after = weights(table), weights(small)
    names = {"embedding": "embed"} | {
        name: name.replace("layers", "interactions") for name in before if ".skip." in name
    }
    apart = {name: before[name] - after[name] for name in before}
    norms = {name: np.linalg.norm(a) for name, a in before.items()}
    for name, ours in names.items():
        assert report.by_array[ours] == pytest.approx(np.linalg.norm(apart[name]) / norms[name], rel=1e-9)
    squares = [np.sum((apart[n] / norms[n]) ** 2) for n in before]
    assert len(report.by_array) == len(before)
    assert report.error == pytest.approx(np.sqrt(np.mean(squares)), rel=1e-9)
    assert report.error == pytest.approx(report.spectrum[1], rel=1e-9)
    assert 0.1 < report.error < 1
    of_carbon = [sum(np.sum((a[n][1] / norms[n]) ** 2) for n in before) for a in (apart, before)]
    assert report.by_element["C"] == pytest.approx(np.sqrt(of_carbon[0] / of_carbon[1]), rel=1e-9)
    assert (report.energy, report.forces) == (None, None)


@pytest.mark.slow
def test_structures_are_compared(table):
    small, report = compress(table, 1, frames=[FRAME])
    one, other = said(table, batch()), said(small, batch())
    assert report.forces == pytest.approx(np.sqrt(np.mean((one[1] - other[1]) ** 2)), rel=1e-6)
    assert report.energy == pytest.approx(abs(float(jnp.sum(one[0] - other[0]))) / 4, rel=1e-6)
    assert report.forces > 1e-3


def test_another_element_after_compression(table):
    small, _ = compress(table, 2, free_elements=1)
    before = said(small, batch())
    grown = add_element(small, "F", like="O", e0=-5.0)
    assert all(map(np.array_equal, before, said(grown, batch()))), "bit for bit"
    fluoride = said(grown, batch(Frame(np.array([6, 9, 1, 7]), POSITIONS, None, FRAME.pbc)))
    np.testing.assert_allclose(fluoride[1], before[1], rtol=0, atol=1e-13)
    np.testing.assert_allclose(fluoride[0], before[0] - jnp.array([0, 1.0, 0, 0]), rtol=0, atol=1e-13)
    there = describe(grown)
    assert there.config.numbers == (*NUMBERS, 9)
    assert all(
        np.array_equal(there.arrays[n][4], there.arrays[n][3]) for n in ("embedding", "layers.0.product.0.1")
    )


def test_native_potentials_and_heads():
    first = native(3)
    heads = HeadsPotential(
        first, (Head(first.readouts, 2 * first.energies, first.scale, first.shift),), ("a", "b")
    )
    small, report = compress(heads)
    assert (report.rank, report.full) == (3, 3)
    assert report.error < 1e-12
    assert small.numbers.tolist() == NUMBERS, "free rows are dropped"
    assert small.select("b").energies.tolist() == [-2, -4, -6, -8]
    before, after = weights(first), weights(small.potential)
    for name in before:
        np.testing.assert_allclose(after[name], before[name], rtol=0, atol=1e-14)


@pytest.mark.parametrize("rank", [0, 5])
def test_a_rank_that_cannot_be(table, rank):
    with pytest.raises(InputError, match="expected a rank of 1 to 4"):
        compress(table, rank)
