"""NequIP's encoder: against sums in numpy, and its symmetries, odd scalars included."""

import math

import equinox as eqx
import jax
import numpy as np
import pytest
from scipy.spatial.transform import Rotation

from geoembed import InputError
from geoembed.atoms import (
    BesselBasis,
    ElementEmbedding,
    Frame,
    MacePotential,
    Nequip,
    Pseudoscalars,
    clebsch_gordan,
    element_weights,
    inspect_potential,
    pack,
    predict,
    spherical_harmonics,
)
from geoembed.atoms._mace_describe import describe
from tests.atoms.structures import frame, random_frames

pytestmark = pytest.mark.usefixtures("compiled_quickly")

CUTOFF, STEP = 4.0, 1e-4
TURN = Rotation.from_quat([0.3, -0.5, 0.7, 0.4]).as_matrix()


def encoder(*, key=None, **changes) -> Nequip:
    elements = ElementEmbedding.random([1, 6, 8, 9], 3, capacity=5, key=jax.random.key(0))
    settings = {"channels": 2, "hidden_ell": 1, "max_ell": 2, "num_interactions": 3, "odd": True}
    settings |= {"radial": BesselBasis(CUTOFF, 3), "radial_layers": (4,), "average_neighbours": 0.5}
    return Nequip(elements, **{**settings, **changes}, key=jax.random.key(1) if key is None else key)


def shaped(**changes) -> Nequip:
    """The encoder without numbers."""
    return eqx.filter_eval_shape(lambda: encoder(**changes))


def changed(one: Frame, matrix: np.ndarray, order=None) -> Frame:
    order = np.arange(len(one.numbers)) if order is None else order
    cell = None if one.cell is None else one.cell @ matrix.T
    return Frame(one.numbers[order], (one.positions @ matrix.T)[order], cell, one.pbc)


def moved(one: Frame, by: np.ndarray) -> Frame:
    return Frame(one.numbers, one.positions + by, one.cell, one.pbc)


def strained(one: Frame, by: np.ndarray) -> Frame:
    grown = np.eye(3) + by
    return Frame(one.numbers, one.positions @ grown, one.cell @ grown, one.pbc)


CORNERS = np.array([[0.8, 0.7, 0.9], [0.6, -0.8, -0.7], [-0.9, 0.6, -0.6], [-0.7, -0.9, 0.8]])
MOLECULE = frame(CORNERS, numbers=[8, 1, 6, 9])
CRYSTAL = random_frames(3, [3])[0]
PLANAR = frame(CORNERS @ np.diag([1, 1, 0]) @ TURN.T, numbers=[8, 1, 6, 9])
SYMMETRIC = frame(  # three atoms on a mirror plane, two beside it
    np.array([[0, 0, 0], [1.1, 0.3, 0], [-0.4, 1.2, 0], [0.3, -0.5, 0.9], [0.3, -0.5, -0.9]]) @ TURN.T,
    numbers=[8, 9, 6, 1, 1],
)
ALONG = np.random.default_rng(5).normal(size=(4, 3))
ORDER = np.array([2, 0, 3, 1])
STRAIN = np.array([[0.3, 0.1, -0.2], [0.1, -0.4, 0.5], [-0.2, 0.5, 0.2]])
FRAMES = {
    "molecule": MOLECULE,
    "molecule turned": changed(MOLECULE, TURN),
    "molecule mirrored": changed(MOLECULE, -TURN),
    "molecule permuted": changed(MOLECULE, np.eye(3), ORDER),
    "molecule ahead": moved(MOLECULE, STEP * ALONG),
    "molecule behind": moved(MOLECULE, -STEP * ALONG),
    "molecule shifted": moved(MOLECULE, np.array([3.0, -2.0, 1.0])),
    "crystal": CRYSTAL,
    "crystal turned": changed(CRYSTAL, TURN),
    "crystal mirrored": changed(CRYSTAL, -TURN),
    "crystal ahead": strained(CRYSTAL, STEP * STRAIN),
    "crystal behind": strained(CRYSTAL, -STEP * STRAIN),
    "planar": PLANAR,
    "symmetric": SYMMETRIC,
    **{f"pair {k}": frame([[0, 0, 0], [CUTOFF * (1 - 1e-3 * k), 0, 0]], numbers=[1, 8]) for k in (-1, 1, 2)},
}
STARTS = dict(zip(FRAMES, np.cumsum([0, *(len(f.numbers) for f in FRAMES.values())]), strict=False))


class Said:
    """What was computed for all frames at once, and the rounding that is allowed; forces in float64 only."""

    def __init__(self, model: MacePotential, dtype: str):
        double = dtype == "float64"
        with jax.enable_x64(double):
            batch = pack(list(FRAMES.values()), CUTOFF, dtype=dtype)
            run = jax.jit(lambda b: (predict(model, b, forces=double, stress=double), model.encoder(b)))
            out = run(batch)
        assert {str(leaf.dtype) for leaf in jax.tree.leaves(out)} == {dtype}
        self.prediction, self.features = jax.tree.map(lambda x: np.asarray(x, np.float64), out)
        self.irreps, self.rounding = model.encoder.irreps, 1e-12 if double else 1e-5

    def atoms(self, values: np.ndarray, name: str) -> np.ndarray:
        return values[STARTS[name] :][: len(FRAMES[name].numbers)]

    def energy(self, name: str) -> float:
        return self.prediction.energy[list(FRAMES).index(name)]

    def stress(self, name: str) -> np.ndarray:
        return self.prediction.stress[list(FRAMES).index(name)]

    def odd(self, name: str) -> np.ndarray:
        return self.atoms(self.features[-1][:, 1], name)


@pytest.fixture(scope="module")
def model(compiled_quickly):
    """Three layers, degrees to 1, both parities."""
    make = eqx.filter_jit(lambda one, two: MacePotential(encoder(key=one), key=two))
    return make(jax.random.key(1), jax.random.key(2))


@pytest.fixture(scope="module")
def exact(model):
    return Said(model, "float64")


@pytest.fixture(scope="module", params=["float32", "float64"])
def said(request, model):
    return request.getfixturevalue("exact") if request.param == "float64" else Said(model, "float32")


def matrix_of(irreps, matrix):
    """How features of these irreps are transformed: by the values of the harmonics, and by the parity."""
    points = np.random.default_rng(1).normal(size=(20, 3))
    points /= np.linalg.norm(points, axis=1)[:, None]
    improper = np.linalg.det(matrix) < 0
    rotation = -matrix if improper else matrix
    with jax.enable_x64(True):
        before, after = (
            np.asarray(spherical_harmonics(jax.device_put(p), 2)) for p in (points, points @ rotation.T)
        )
    size = sum(2 * ell + 1 for ell, _ in irreps)
    block, row = np.zeros((size, size)), 0
    for ell, parity in irreps:
        part, own = slice(ell**2, (ell + 1) ** 2), slice(row, row + 2 * ell + 1)
        block[own, own] = np.linalg.lstsq(before[:, part], after[:, part], rcond=None)[0].T
        block[own, own] *= parity if improper else 1
        row += 2 * ell + 1
    return block


def close(got, expected, rounding):
    np.testing.assert_allclose(got, expected, rtol=0, atol=rounding * np.abs(expected).max())


@pytest.mark.parametrize("how", ["turned", "mirrored"])
@pytest.mark.parametrize("what", ["molecule", "crystal"])
def test_features_turn_and_are_mirrored_as_their_irreps_say(said, what, how):
    matrix = TURN if how == "turned" else -TURN
    assert said.irreps[1] == ((0, 1), (1, -1), (1, 1)), "axial vectors among them"
    for irreps, layer in zip(said.irreps, said.features, strict=True):
        base, after = said.atoms(layer, what), said.atoms(layer, f"{what} {how}")
        expected = np.einsum("ij,njc->nic", matrix_of(irreps, matrix), base)
        row = 0
        for ell, _ in irreps:
            own = slice(row, row + 2 * ell + 1)
            size = np.abs(base[:, own]).max()
            assert size > 1e-3
            if (
                said.rounding > 1e-6
            ):  # the odd scalars are small differences of numbers as large as the others
                size = np.abs(base).max()
            np.testing.assert_allclose(after[:, own], expected[:, own], rtol=0, atol=said.rounding * size)
            row += 2 * ell + 1


@pytest.mark.parametrize("what", ["molecule", "crystal"])
def test_energies_stay(said, what):
    assert abs(said.energy(what)) > 0.1
    for how in ("turned", "mirrored"):
        assert said.energy(f"{what} {how}") == pytest.approx(said.energy(what), rel=said.rounding)


@pytest.mark.parametrize("what", ["molecule", "crystal"])
def test_forces_and_stress_turn(exact, what):
    forces = exact.prediction.forces
    for how, matrix in (("turned", TURN), ("mirrored", -TURN)):
        close(exact.atoms(forces, f"{what} {how}"), exact.atoms(forces, what) @ matrix.T, 1e-12)
        if what == "crystal":
            close(exact.stress(f"{what} {how}"), matrix @ exact.stress(what) @ matrix.T, 1e-12)
    assert np.abs(exact.atoms(forces, what)).max() > 1e-2


def test_moving_and_renumbering(said):
    for name, order in (("molecule shifted", np.arange(4)), ("molecule permuted", ORDER)):
        assert said.energy(name) == pytest.approx(said.energy("molecule"), rel=said.rounding)
        for values in said.features:
            close(said.atoms(values, name), said.atoms(values, "molecule")[order], said.rounding)


def test_odd_scalars_vanish_where_the_mirror_leaves_an_atom(said):
    size = np.abs(said.odd("molecule")).max()
    assert np.abs(said.odd("molecule")).min() > 1e-3 * size
    np.testing.assert_allclose(said.odd("planar"), 0, atol=said.rounding * size)
    beside = said.odd("symmetric")
    np.testing.assert_allclose(beside[:3], 0, atol=said.rounding * size)
    np.testing.assert_allclose(beside[3], -beside[4], atol=said.rounding * size)
    assert np.abs(beside[3:]).min() > 1e-3 * size, "beside the plane they see a hand"


def test_forces_and_stress_are_derivatives_of_the_energy(exact):
    slope = (exact.energy("molecule ahead") - exact.energy("molecule behind")) / (2 * STEP)
    work = -np.sum(exact.atoms(exact.prediction.forces, "molecule") * ALONG)
    assert slope == pytest.approx(work, rel=1e-6)
    slope = (exact.energy("crystal ahead") - exact.energy("crystal behind")) / (2 * STEP)
    volume = abs(np.linalg.det(CRYSTAL.cell))
    assert slope == pytest.approx(np.sum(exact.stress("crystal") * STRAIN) * volume, rel=1e-6)


def test_the_energy_is_smooth_where_atoms_enter_the_cutoff(exact):
    """Value, slope and curvature of what a neighbour adds vanish there."""
    beyond = exact.energy("pair -1")
    one, two = (exact.energy(f"pair {k}") - beyond for k in (1, 2))
    assert 0 < abs(one) < 1e-6
    assert two / one == pytest.approx(2**4, rel=0.05), "the polynomial's third power, a zero of the sine"


def in_numpy(model: Nequip, one: Frame) -> list[np.ndarray]:
    """The features behind each layer by sums over pairs, paths and components."""
    rows = [np.asarray(model.elements.numbers).tolist().index(z) for z in one.numbers.tolist()]
    vectors = np.asarray(model.elements.vectors, np.float64)[rows]
    away = one.positions[:, None] - one.positions[None]
    distance = np.linalg.norm(away, axis=-1) + np.eye(len(rows))
    with jax.enable_x64(True):
        radial = np.asarray(jax.vmap(jax.vmap(model.radial))(jax.device_put(distance)))
        harmonics = np.asarray(spherical_harmonics(jax.device_put(away / distance[..., None]), model.max_ell))
    radial = radial * (1 - np.eye(len(rows)))[..., None]

    def silu(x):
        return model.interactions[0].gain * x / (1 + np.exp(-x))

    def weight(w):
        return np.asarray(w, np.float64)

    h, out = {(0, 1): (vectors @ weight(model.embed))[:, None]}, []
    for layer in model.interactions:
        r = silu(radial @ weight(layer.radial[0]) / math.sqrt(radial.shape[-1]))
        r = r @ weight(layer.radial[1]) / math.sqrt(r.shape[-1])
        columns, sums = iter(np.split(r, r.shape[-1] // model.channels, axis=-1)), {}
        for down, (l3, p3) in zip(layer.down, layer.outputs, strict=True):
            parts = []
            for up, ((l1, p1), x) in zip(layer.up, h.items(), strict=True):
                for l2 in range(model.max_ell + 1):
                    if abs(l1 - l3) <= l2 <= l1 + l3 and p1 * (-1) ** l2 == p3:
                        near = x @ weight(up) / math.sqrt(model.channels)
                        y = harmonics[..., l2**2 : (l2 + 1) ** 2]
                        table = math.sqrt(2 * l3 + 1) * clebsch_gordan(l1, l2, l3)
                        parts.append(np.einsum("abc,bic,abj,ijk->akc", next(columns), near, y, table))
            joined = np.concatenate(parts, axis=-1)
            share = math.sqrt(layer.average_neighbours * joined.shape[-1])
            sums[l3, p3] = joined @ weight(down) / share
        for irrep, skip in zip(layer.outputs, layer.skip, strict=True):
            if irrep in h:
                mixed = np.einsum("amc,ad,cdk->amk", h[irrep], vectors, weight(skip))
                sums[irrep] += mixed / math.sqrt(model.channels)
        assert next(columns, None) is None, "every path has its radial functions"
        gates = iter(np.split(silu(sums[0, 1]), sums[0, 1].shape[-1] // model.channels, axis=-1))
        h = {(0, 1): next(gates)}
        for (ell, parity), block in list(sums.items())[1:]:
            h[ell, parity] = block * next(gates) if ell else 1.5925374197228312 * np.tanh(block)
        out.append(np.concatenate(list(h.values()), axis=1))
    return out


def test_features_are_the_sums_over_pairs_and_paths(model, exact):
    for got, wanted in zip(exact.features, in_numpy(model.encoder, MOLECULE), strict=True):
        np.testing.assert_allclose(exact.atoms(got, "molecule"), wanted, rtol=0, atol=1e-12)
        assert np.abs(wanted).max(axis=(0, 2)).min() > 1e-3, "every component is something"


@pytest.mark.slow
def test_features_of_higher_degree_are_those_sums():
    larger = encoder(hidden_ell=2)
    assert larger.irreps[1] == ((0, 1), (1, -1), (2, 1), (1, 1), (2, -1))
    with jax.enable_x64(True):
        found = eqx.filter_jit(larger)(pack([MOLECULE], CUTOFF))
    for got, wanted in zip(found, in_numpy(larger, MOLECULE), strict=True):
        np.testing.assert_allclose(got, wanted, rtol=0, atol=1e-12)
        assert np.abs(wanted).max(axis=(0, 2)).min() > 1e-3, "every component is something"


def test_which_features_there_are():
    plain = shaped(odd=False, hidden_ell=2, max_ell=3)
    assert plain.irreps == (((0, 1), (1, -1), (2, 1)), ((0, 1), (1, -1), (2, 1)), ((0, 1),))
    assert plain.max_ell == 3
    assert shaped(hidden_ell=1, max_ell=6).max_ell == 2, "more cannot be coupled"
    assert shaped(num_interactions=4).irreps[2] == ((0, 1), (1, -1), (0, -1), (1, 1))
    for without in ({"odd": False}, {"num_interactions": 2}, {"hidden_ell": 0}):
        with pytest.raises(ValueError, match="no layer of the encoder has odd scalars: give it odd=True"):
            Pseudoscalars(shaped(**without))


def test_what_is_known_about_elements(model):
    """All that depends on the species is linear in the vectors: alike elements have alike weights."""
    vectors = np.array(model.encoder.elements.vectors)
    vectors[1] = vectors[0]
    same = eqx.tree_at(lambda p: p.encoder.elements.vectors, model, jax.device_put(vectors))
    table = np.asarray(element_weights(same).vectors)
    np.testing.assert_array_equal(table[0], table[1])
    assert np.abs(table[0] - table[2]).max() > 0.01
    report = inspect_potential(model)
    assert report["network"]["encoder"] == "Nequip"
    assert report["network"]["irreps"] == "0e+1o, 0e+1o+1e, 0e+0o"
    layers = model.encoder.interactions
    parts = [model.encoder.embed, *[w for layer in layers for w in layer.skip if w is not None]]
    assert report["parameters_by_part"]["times_element_vectors"] == sum(w.size for w in parts)


def test_mace_torch_has_no_such_model(model):
    with pytest.raises(InputError, match="its encoder is Nequip"):
        describe(model)
