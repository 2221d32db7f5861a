"""The encoder and its potential: parity with mace-torch, symmetries, derivatives."""

import dataclasses
import functools

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
import pytest
from scipy.spatial.transform import Rotation

import geoembed
from geoembed import InputError, atoms
from geoembed.atoms import BesselBasis, ElementEmbedding, Frame, Mace, MacePotential, pack, predict
from geoembed.atoms._expansion import expand
from geoembed.atoms._interaction import Species
from geoembed.core import is_parameter
from tests.atoms import mace_fixture

SIZES = {"atoms": 20, "slots": 48, "structures": 3, "kinds": 3}  # more than needed: padding must not matter


@pytest.fixture(scope="module")
def model(data):
    with jax.enable_x64(True):
        stored = mace_fixture.arrays(data)
        return stored, mace_fixture.frames(stored), mace_fixture.potential(data)


@pytest.fixture(scope="module")
def evaluate(model):
    """Energy, forces and stress of frames, in float64; compiled once for all tests."""
    parameters, static = eqx.partition(model[2], is_parameter)
    compiled = jax.jit(lambda p, batch: predict(eqx.combine(p, static), batch, stress=True))

    def run(frames, change=lambda p: p):
        with jax.enable_x64(True):
            out = compiled(change(parameters), pack(frames, model[2].cutoff, **SIZES))
            return jax.tree.map(np.asarray, out)

    return run


def test_it_computes_what_mace_torch_computes(model, evaluate):
    stored, frames, _ = model
    got = evaluate(frames)
    assert len({len(frame.numbers) for frame in frames}) == 2, "structures of different size"
    np.testing.assert_allclose(got.energy[:2], stored["E"], rtol=0, atol=1e-10)
    np.testing.assert_allclose(got.forces[:18], stored["F"], rtol=0, atol=1e-10)
    np.testing.assert_allclose(got.stress[:2], stored["stress"], rtol=0, atol=1e-10)
    np.testing.assert_allclose(got.atom_energies[:18], stored["node_energy"], rtol=0, atol=1e-10)
    assert np.abs(stored["F"]).max() > 1e-3, "there are forces to compare"
    assert got.energy[2] == 0
    assert not got.forces[18:].any()


def test_it_turns_and_is_mirrored_and_permuted_with_the_structure(model, evaluate):
    frames = model[1]
    base, random = evaluate(frames), np.random.default_rng(0)
    turn = -Rotation.random(random_state=1).as_matrix()
    orders = [random.permutation(len(frame.numbers)) for frame in frames]
    moved = [
        Frame(f.numbers[o], (f.positions @ turn.T + 3.0)[o], f.cell @ turn.T, f.pbc)
        for f, o in zip(frames, orders, strict=True)
    ]
    got = evaluate(moved)
    place = np.concatenate([orders[0], orders[1] + len(orders[0])])
    np.testing.assert_allclose(got.energy, base.energy, rtol=1e-12)
    np.testing.assert_allclose(got.forces[:18], base.forces[place] @ turn.T, rtol=0, atol=1e-12)
    np.testing.assert_allclose(got.stress, turn @ base.stress @ turn.T, rtol=0, atol=1e-12)


def test_forces_and_stress_are_derivatives_of_the_energy(model, evaluate):
    frames, h = model[1], 1e-4
    base, random = evaluate(frames), np.random.default_rng(1)
    steps = [random.normal(size=f.positions.shape) for f in frames]
    strain = random.normal(size=(3, 3))

    def energies(size, moves, strain):
        grown = np.eye(3) + size * strain
        moved = [
            Frame(f.numbers, (f.positions + size * m) @ grown, f.cell @ grown, f.pbc)
            for f, m in zip(frames, moves, strict=True)
        ]
        return evaluate(moved).energy[:2]

    along = (energies(h, steps, 0 * strain) - energies(-h, steps, 0 * strain)) / (2 * h)
    starts = np.cumsum([0] + [len(f.numbers) for f in frames])
    expected = [-np.sum(base.forces[starts[k] : starts[k + 1]] * steps[k]) for k in range(2)]
    np.testing.assert_allclose(along, expected, rtol=1e-6, atol=1e-7)
    still = [0 * step for step in steps]
    even = (strain + strain.T) / 2
    slope = (energies(h, still, even) - energies(-h, still, even)) / (2 * h)
    volumes = [abs(np.linalg.det(f.cell)) for f in frames]
    work = [np.sum(base.stress[k] * even) * volumes[k] for k in range(2)]
    np.testing.assert_allclose(slope, work, rtol=1e-6, atol=1e-7)


def test_the_energy_is_smooth_where_atoms_enter_the_cutoff(model, evaluate):
    """Value, slope and curvature of what a neighbour adds vanish there."""
    frames, cutoff = model[1], model[2].cutoff

    def pair(r):
        numbers = frames[0].numbers[:1].repeat(2)
        return Frame(numbers, np.array([[0.0, 0, 0], [r, 0, 0]]), np.eye(3) * 40, np.ones(3, bool))

    h = 1e-3 * cutoff
    far = evaluate([pair(cutoff + h)]).energy[0]
    near = [evaluate([pair(cutoff - k * h)]).energy[0] - far for k in (1, 2)]
    assert abs(near[0]) < 1e-7
    assert near[1] / near[0] == pytest.approx(2**4, rel=0.05), (
        "the polynomial's third power, a zero of the sine"
    )
    assert evaluate([pair(cutoff - 1e-9)]).forces[:2] == pytest.approx(np.zeros((2, 3)), abs=1e-12)


def test_reading_back_an_artefact(model, tmp_path):
    geoembed.save(tmp_path / "potential", model[2])
    loaded = geoembed.load(tmp_path / "potential")
    assert jax.tree.structure(loaded) == jax.tree.structure(model[2])
    assert all(map(np.array_equal, jax.tree.leaves(loaded), jax.tree.leaves(model[2])))


def test_what_is_missing_is_named(model, data):
    state = mace_fixture.state(model[0])
    options = mace_fixture.options(data)
    with pytest.raises(InputError, match=r"interactions\.1\.linear\.weight"):
        atoms.mace_from_state(
            {k: v for k, v in state.items() if k != "interactions.1.linear.weight"}, **options
        )
    with pytest.raises(InputError, match=r"interactions\.0\.linear\.weight.*256"):
        atoms.mace_from_state({**state, "interactions.0.linear.weight": np.zeros(9)}, **options)
    name = "products.0.symmetric_contractions.contractions.1.U_matrix_3"
    with pytest.raises(InputError, match="basis of products"):
        atoms.mace_from_state({**state, name: state[name] + 0.1}, **options)


def test_a_converted_table_with_all_its_directions_is_the_same(model, evaluate):
    base, (compressed, report) = evaluate(model[1]), atoms.compress(model[2])
    assert (report.rank, report.full, report.error) == (2, 2, 0.0)
    assert np.abs(compressed.encoder.embed - model[2].encoder.embed).max() > 0.1, "other numbers"
    got = evaluate(model[1], lambda _: eqx.filter(compressed, is_parameter))
    for one, other in zip(jax.tree.leaves(got), jax.tree.leaves(base), strict=True):
        np.testing.assert_allclose(one, other, rtol=0, atol=1e-12 * np.abs(other).max())


@pytest.mark.slow
def test_a_converted_model_learns_an_element(model, evaluate):
    """Potassium is sodium but for E0, and the model still says what it said."""
    _, frames, potential = model
    base, grown = evaluate(frames), atoms.add_element(potential, "K", like="Na", e0=-1.5)
    assert grown.numbers.tolist() == [11, 17, 19]
    with jax.enable_x64(True):
        run = eqx.filter_jit(lambda one, batch: predict(one, batch))
        old = run(grown, pack(frames, potential.cutoff, **SIZES))
        salty = [dataclasses.replace(f, numbers=np.where(f.numbers == 11, 19, f.numbers)) for f in frames]
        new = run(grown, pack(salty, potential.cutoff, **SIZES))
    scale = np.abs(base.forces).max()
    for got in (old, new):
        np.testing.assert_allclose(got.forces, base.forces, rtol=0, atol=1e-12 * scale)
    np.testing.assert_allclose(old.atom_energies[:18], base.atom_energies[:18], rtol=1e-12)
    e0 = np.where(np.concatenate([f.numbers for f in frames]) == 11, -1.5 - float(potential.energies[0]), 0.0)
    np.testing.assert_allclose(new.atom_energies[:18], base.atom_energies[:18] + e0, rtol=0, atol=1e-11)


def small(elements, precision="float32", **changes):
    settings = {
        "channels": 4,
        "hidden_ell": 1,
        "max_ell": 2,
        "radial_layers": (8,),
        "average_neighbours": 6.0,
    }
    encoder = Mace(elements, radial=BesselBasis(3.5, 4), **{**settings, **changes}, key=jax.random.key(1))
    return MacePotential(encoder, key=jax.random.key(2))


def crystal(seed=0, repeat=(1, 1, 1), numbers=(11, 17, 17)):
    random = np.random.default_rng(seed)
    cell = np.array([[3.1, 0, 0], [0.4, 3.3, 0], [0.2, -0.5, 3.0]])
    positions = random.random((3, 3)) @ np.diag([1, 1, 0.4]) @ cell
    corners = np.array(list(np.ndindex(repeat))) @ cell
    return Frame(
        np.tile(numbers, len(corners)),
        (corners[:, None] + positions[None]).reshape(-1, 3),
        np.diag(repeat) @ cell,
        np.ones(3, bool),
    )


@pytest.mark.slow
@pytest.mark.parametrize("first", [True, False])
@pytest.mark.parametrize("hidden_ell", [0, 1, 2])
def test_every_shape_of_the_network_has_the_symmetries(precision, first, hidden_ell):
    elements = ElementEmbedding.random([11, 17, 47], 5, capacity=6, key=jax.random.key(0))
    model = small(
        elements, hidden_ell=hidden_ell, residual_first=first, num_interactions=3 - (hidden_ell == 0)
    )
    run = jax.jit(lambda batch: predict(model, batch, stress=True))
    frame, turn = crystal(), -Rotation.random(random_state=5).as_matrix()
    order = np.array([2, 0, 1])
    moved = Frame(frame.numbers[order], (frame.positions @ turn.T)[order], frame.cell @ turn.T, frame.pbc)
    base, got = (run(pack([f], 3.5, slots=40, dtype=str(precision))) for f in (frame, moved))
    tolerance = 1e-5 if precision == np.float32 else 1e-12
    scale = float(np.abs(base.forces).max())
    np.testing.assert_allclose(got.energy, base.energy, rtol=tolerance, atol=tolerance * scale)
    np.testing.assert_allclose(got.forces, base.forces[order] @ turn.T, rtol=0, atol=tolerance * scale)
    assert scale > 1e-3
    assert got.energy.dtype == precision


@pytest.mark.slow
def test_a_supercell_has_as_many_times_the_energy():
    with jax.enable_x64(True):
        model = small(ElementEmbedding.one_hot([11, 17]))
        run = eqx.filter_jit(functools.partial(predict, stress=True))
        one, many = (run(model, pack([crystal(repeat=r)], 3.5)) for r in ((1, 1, 1), (2, 1, 3)))
        assert float(many.energy[0]) == pytest.approx(6 * float(one.energy[0]), rel=1e-12)
        np.testing.assert_allclose(many.forces, np.tile(one.forces, (6, 1)), rtol=0, atol=1e-12)
        np.testing.assert_allclose(many.stress, one.stress, rtol=0, atol=1e-12)


@pytest.mark.slow
def test_derivatives_without_scattering_are_those_with_it():
    with jax.enable_x64(True):
        model, batch = small(ElementEmbedding.one_hot([11, 17])), pack([crystal(), crystal(1)], 3.5, atoms=8)
        unknown = dataclasses.replace(batch.neighbours, reverse=None)
        plain = dataclasses.replace(batch, neighbours=unknown)
        parameters, static = eqx.partition(model, is_parameter)

        @jax.jit
        @functools.partial(jax.grad, has_aux=True)
        def slope(parameters, batch):
            got = predict(eqx.combine(parameters, static), batch, stress=True)
            return jnp.sum(got.forces**2) + jnp.sum(got.stress**2), (got.forces, got.stress)

        one, other = slope(parameters, batch), slope(parameters, plain)
        assert plain.neighbours.reverse is None
        jax.tree.map(lambda a, b: np.testing.assert_allclose(a, b, rtol=1e-9, atol=1e-9), one, other)


@pytest.mark.slow
def test_the_first_layer_by_kind_is_the_first_layer():
    with jax.enable_x64(True):
        batch = pack([crystal(), crystal(1)], 3.5, atoms=8)
        encoder = small(ElementEmbedding.random([11, 17], 3, key=jax.random.key(0)), channels=24).encoder
        species = Species(encoder.elements(batch.kinds), batch.kind)
        edges, layer = expand(batch, encoder.radial, encoder.max_ell), encoder.interactions[0]
        h = jax.random.normal(jax.random.key(1), (2, 24))
        assert layer._by_kind_is_cheaper(2, edges)
        one, other = jax.jit(
            lambda: (layer.first(h, species, edges), layer(h[batch.kind][:, None], species, edges))
        )()
        jax.tree.map(lambda a, b: np.testing.assert_allclose(a, b, rtol=1e-12, atol=1e-13), one, other)
        assert np.abs(one[0]).max() > 0.01


def test_elements_that_are_not_known():
    elements = ElementEmbedding.random([1, 8], 3, capacity=4, key=jax.random.key(0))
    assert np.isnan(elements(jnp.array([8, 7]))).tolist() == [[False] * 3, [True] * 3]
    assert not elements(jnp.array([0])).any()
    elements.require([8, 1, 0])
    with pytest.raises(InputError, match="does not know the element N; it knows H, O"):
        elements.require([1, 7])
    with pytest.raises(ValueError, match="capacity=1"):
        ElementEmbedding.one_hot([1, 8], capacity=1)
    with pytest.raises(ValueError, match="different atomic numbers"):
        ElementEmbedding.one_hot([1, 1])
