"""Potentials with the numbers of a model of mace-torch, without torch: the numbers and its answers are in data/."""

import json
from pathlib import Path

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from geoembed import save
from geoembed.atoms import (
    AgnesiTransform,
    ChebyshevBasis,
    ElementEmbedding,
    Frame,
    HeadsPotential,
    Mace,
    MacePotential,
    Repulsion,
    SoftTransform,
    load_mace,
    pack,
    predict,
)
from geoembed.atoms._mace_couplings import rebased
from geoembed.atoms._mace_describe import describe
from geoembed.atoms._mace_description import MaceConfig, MaceDescription, MaceLayer
from geoembed.atoms._mace_from_description import potential_from
from geoembed.core import ArtefactError, InputError
from tests.interop.mace_variants import structures

DATA = Path(__file__).parent / "data" / "mace_description.npz"
PAIR = Frame(np.array([8, 14]), np.array([[0.0, 0.0, 0.0], [1.2, 0.5, -0.4]]), None, np.zeros(3, bool))
R = float(np.linalg.norm(PAIR.positions[1]))
RADII = {8: 0.66, 14: 1.11}  # Å


@pytest.fixture(autouse=True)
def double():
    with jax.enable_x64(True):
        yield


def tuples(value):
    return tuple(map(tuples, value)) if isinstance(value, list) else value


def read():
    """The description of a model with two heads, density, transform and repulsion, and what mace-torch says of it."""
    with np.load(DATA) as file:
        parts = dict(file)
    config = json.loads(str(parts.pop("config")))
    layers = tuple(MaceLayer(**{k: tuples(v) for k, v in layer.items()}) for layer in config.pop("layers"))
    shape = MaceConfig(layers=layers, **{k: tuples(v) for k, v in config.items()})
    arrays = {k.removeprefix("array/"): v for k, v in parts.items() if k.startswith("array/")}
    answers = {k.removeprefix("answer/"): v for k, v in parts.items() if k.startswith("answer/")}
    return MaceDescription(shape, arrays), answers


@pytest.fixture(scope="module")
def known():
    description, answers = read()
    with jax.enable_x64(True):
        return potential_from(description), description, answers


def test_energies_are_those_of_mace_torch(known):
    potential, _, answers = known
    batch, one = pack(structures(), potential.cutoff), potential.select("theirs")
    said = jax.jit(lambda b: predict(one, b, forces=False))(batch)
    np.testing.assert_allclose(said.energy, answers["energy"], rtol=0, atol=1e-10)
    np.testing.assert_allclose(said.atom_energies, answers["atom_energies"], rtol=0, atol=1e-10)


@pytest.mark.slow  # compiles a model
def test_forces_and_stress_are_those_of_mace_torch(known):
    potential, _, answers = known
    one = potential.select("theirs")
    said = jax.jit(lambda b: predict(one, b, stress=True))(pack(structures(), one.cutoff))
    np.testing.assert_allclose(said.forces, answers["forces"], rtol=0, atol=1e-10)
    np.testing.assert_allclose(said.stress, answers["stress"], rtol=0, atol=1e-10)


def test_a_description_comes_back(known):
    potential, description, _ = known
    again = potential_from(describe(potential))
    assert isinstance(again, HeadsPotential)
    for first, second in zip(jax.tree.leaves(potential), jax.tree.leaves(again), strict=True):
        np.testing.assert_allclose(first, second, rtol=1e-14, atol=1e-15)
    assert describe(potential).config.layers == description.config.layers


def test_it_is_loaded_by_its_head(known, tmp_path):
    potential, _, _ = known
    save(tmp_path / "heads", potential)
    with pytest.raises(InputError, match="ours, theirs"):
        load_mace(tmp_path / "heads")
    with pytest.raises(InputError, match="mine"):
        load_mace(tmp_path / "heads", head="mine")
    one = load_mace(tmp_path / "heads", head="theirs")
    assert one.energies.tolist() == potential.others[0].energies.tolist()
    save(tmp_path / "one", one)
    assert load_mace(tmp_path / "one").cutoff == potential.cutoff
    with pytest.raises(InputError, match="one head only"):
        load_mace(tmp_path / "one", head="theirs")
    save(tmp_path / "other", {"x": np.ones(2)})
    with pytest.raises(InputError, match="dict"):
        load_mace(tmp_path / "other")
    with pytest.raises(ArtefactError):
        load_mace(tmp_path / "none")


@pytest.mark.parametrize(
    ("change", "where"),
    [
        ({"layers.0.coupling.1.2": 0.0}, "couplings"),
        ({"basis.prefactor": 2.0}, r"basis\.prefactor"),
    ],
)
def test_other_conventions_are_refused(change, where):
    description, _ = read()
    assert set(change) <= set(description.arrays)
    for name, factor in change.items():
        noise = np.random.default_rng(0).normal(size=description.arrays[name].shape)
        description.arrays[name] = description.arrays[name] * factor + (noise if factor == 0 else 0)
    with pytest.raises(InputError, match=where):
        potential_from(description)


def test_weights_for_other_couplings_make_the_same_products():
    rng = np.random.default_rng(1)
    ours, weights = rng.normal(size=(3, 4, 4, 5)), rng.normal(size=(2, 5, 3))
    mixed = np.swapaxes(ours, 1, 2) @ rng.normal(
        size=(5, 7)
    )  # another order of the factors, dependent columns
    x = rng.normal(size=4)
    products = [
        np.einsum("mijk,zkc,i,j->zmc", table, w, x, x)
        for table, w in ((ours, weights), (mixed, rebased(weights, ours, mixed)))
    ]
    np.testing.assert_allclose(products[0], products[1], rtol=0, atol=1e-10)
    flipped = ours * np.array([1, -1, 1, 1, -1])
    assert rebased(weights, ours, flipped)[0, :, 0].tolist() == (
        (weights * np.array([1, -1, 1, 1, -1])[:, None])[0, :, 0].tolist()
    )
    with pytest.raises(InputError, match="span"):
        rebased(weights, ours, ours[..., :3])


def test_repulsion_is_half_the_screened_coulomb_energy_for_each_atom():
    a = 0.4543 * 0.529 / (8**0.3 + 14**0.3)
    screening = sum(
        c * np.exp(-d * R / a)
        for c, d in zip((0.1818, 0.5099, 0.2802, 0.02817), (3.2, 0.9423, 0.4028, 0.2016), strict=True)
    )
    u = R / (RADII[8] + RADII[14])
    end = 1 - 21 * u**5 + 35 * u**6 - 15 * u**7
    expected = 0.5 * 14.3996 * 8 * 14 / R * screening * end
    assert expected > 0.01
    batch = pack([PAIR], 5.0, atoms=3, slots=2, kinds=3)
    np.testing.assert_allclose(Repulsion()(batch), [expected, expected, 0.0], rtol=1e-12)
    apart = Frame(PAIR.numbers, PAIR.positions * 1.4, None, PAIR.pbc)
    assert Repulsion()(pack([apart], 5.0)).tolist() == [0.0, 0.0]


def test_transforms_are_their_formulas():
    batch, distance = pack([PAIR], 5.0), jnp.full((2, 1), R)
    total = RADII[8] + RADII[14]
    u = R / (total / 2)
    agnesi = 1 / (1 + 1.0805 * u**0.9183 / (1 + u ** (0.9183 - 4.5791)))
    np.testing.assert_allclose(AgnesiTransform()(distance, batch), np.full((2, 1), agnesi), rtol=1e-13)
    low, high = 0.75 * total, 4 / 3 * total
    soft = low + (R - low) * 0.5 * (1 + np.tanh(4 / (high - low) * (R - (low + high) / 2)))
    np.testing.assert_allclose(SoftTransform()(distance, batch), np.full((2, 1), soft), rtol=1e-13)


def test_chebyshev_polynomials_are_those_of_numpy():
    x = np.linspace(-1.0, 1.0, 7)
    values = ChebyshevBasis(5.0, 6)(jnp.zeros(7), jnp.asarray(x))
    for k in range(6):
        expected = np.polynomial.chebyshev.chebval(x, np.eye(8)[k + 1])
        np.testing.assert_allclose(values[:, k], expected, rtol=0, atol=1e-14)
    assert ChebyshevBasis(5.0, 6)(jnp.full(2, 5.0), jnp.zeros(2)).tolist() == [[0.0] * 6] * 2


@pytest.mark.slow
def test_products_of_four_stay_here():
    elements, keys = ElementEmbedding.one_hot([8]), jax.random.split(jax.random.key(0))
    shape = {"channels": 1, "max_ell": 0, "num_interactions": 1, "radial_layers": ()}
    potentials = [
        MacePotential(Mace(elements, correlation=most, **shape, key=keys[0]), key=keys[1]) for most in (3, 4)
    ]
    assert describe(potentials[0]).config.layers[0].correlation == 3
    with pytest.raises(InputError, match="products of four are not converted"):
        describe(potentials[1])
