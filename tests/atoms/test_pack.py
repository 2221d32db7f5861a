"""Batches, and what a potential says about them."""

import dataclasses

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
import pytest

from geoembed.atoms import Pairs, Potential, neighbour_pairs, pack, predict
from geoembed.core import InputError
from tests.atoms.structures import frame, random_frames
from tests.atoms.toy import morse_energy, toy

FRAMES = [*random_frames(0, (5, 9)), *random_frames(1, (3,), periodic=False)]
TINY = frame([[0.3, 0.2, 0.1]], [[1.8, 0, 0], [0.5, 2.0, 0], [-0.7, 0.3, 1.9]])
both_dtypes = pytest.mark.parametrize(
    "precision", [pytest.param("float32", marks=pytest.mark.slow), "float64"], indirect=True
)
ROOM = {"atoms": 29, "slots": 200, "structures": 6, "kinds": [1, 6, 8, 74]}
predicted = eqx.filter_jit(predict)
looked_at = jax.jit(lambda batch: (batch.counts, batch.numbers, batch.to_centre()))


def test_padding_and_labels(precision):
    batch = pack(FRAMES, 4.0, atoms=20, slots=120, structures=5, kinds=4)
    counts, numbers, _ = looked_at(batch)
    assert batch.positions.dtype == batch.cells.dtype == batch.neighbours.shift.dtype == precision
    assert batch.neighbours.index.shape == (20, 120)
    assert counts.tolist() == [5, 9, 3, 0, 0]
    assert batch.owner.tolist() == [0] * 5 + [1] * 9 + [2] * 3 + [5] * 3
    assert numbers.tolist() == [*np.concatenate([f.numbers for f in FRAMES]), 0, 0, 0]
    assert batch.kinds.tolist() == [1, 6, 8, 0]
    labels = jax.tree.map(np.asarray, batch.labels)
    np.testing.assert_allclose(labels.energy[:3], [f.energy for f in FRAMES], rtol=1e-6)
    np.testing.assert_allclose(labels.forces[:17], np.concatenate([f.forces for f in FRAMES]), rtol=1e-6)
    np.testing.assert_allclose(labels.stress[1], FRAMES[1].stress, rtol=1e-6)
    assert np.isnan(labels.energy[3:]).all()
    assert np.isnan(labels.forces[17:]).all()
    assert not np.asarray(batch.neighbours.mask)[17:].any()
    bare = pack([dataclasses.replace(FRAMES[0], energy=None, forces=None, stress=None)], 4.0).labels
    assert bare.weight is not None
    assert np.array_equal(bare.weight, [FRAMES[0].weight])
    assert all(np.isnan(np.asarray(value)).all() for value in (bare.energy, bare.forces, bare.stress))


def test_vectors_are_those_of_the_pairs():
    with jax.enable_x64(True):
        batch = pack([TINY, *FRAMES], 4.0, atoms=20, slots=120, structures=5, kinds=4)
        vectors, near = np.asarray(looked_at(batch)[2]), jax.tree.map(np.asarray, batch.neighbours)
        expected, start = [], 0
        for one in [TINY, *FRAMES]:
            pairs = neighbour_pairs(one, 4.0)
            cell = np.zeros((3, 3)) if one.cell is None else one.cell
            expected.append(one.positions[pairs.atom] - one.positions[pairs.neighbour] - pairs.shift @ cell)
            assert (near.mask[start : start + len(one.numbers)].sum(1) == np.bincount(pairs.atom)).all()
            start += len(one.numbers)
        np.testing.assert_allclose(vectors[near.mask], np.concatenate(expected), atol=1e-12)
        assert (vectors[~near.mask] == [1, 0, 0]).all()
        reverse = np.asarray(near.reverse).ravel()
        np.testing.assert_array_equal(vectors.reshape(-1, 3)[reverse][near.mask.ravel()], -vectors[near.mask])
        np.testing.assert_array_equal(reverse[reverse], np.arange(len(reverse)))
        lengths = np.linalg.norm(vectors, axis=-1)
        assert lengths[near.mask].max() < 4.0


@both_dtypes
def test_energy_of_each_structure_whatever_the_padding(precision):
    frames = [TINY, *FRAMES]
    value = predicted(toy(), pack(frames, 5.0, **ROOM), stress=True)
    expected = [morse_energy(one) for one in frames]
    np.testing.assert_allclose(value.energy[:4], expected, rtol=2e-5 if precision == jnp.float32 else 1e-12)
    assert value.forces.dtype == value.stress.dtype == precision
    padding = (value.energy[4:], value.forces[18:], value.stress[4:], value.atom_energies[18:])
    assert not any(np.asarray(part).any() for part in padding)
    assert not np.asarray(value.stress[3]).any(), "no volume, no stress"
    assert np.asarray(value.stress[:3]).any(axis=(1, 2)).all()


def test_forces_and_stress_are_derivatives():
    with jax.enable_x64(True):
        one, step = FRAMES[1], 1e-5
        value = predicted(toy(), pack([one], 5.0, **ROOM), stress=True)
        rng = np.random.default_rng(0)
        way = rng.normal(size=one.positions.shape)
        ends = [dataclasses.replace(one, positions=one.positions + s * step * way) for s in (1, -1)]
        slope = (morse_energy(ends[0]) - morse_energy(ends[1])) / (2 * step)
        assert slope == pytest.approx(-float(np.sum(np.asarray(value.forces)[:9] * way)), rel=1e-7)
        strain = rng.normal(size=(3, 3))
        strain += strain.T
        deformed = [np.eye(3) + s * step * strain for s in (1, -1)]
        ends = [dataclasses.replace(one, positions=one.positions @ d, cell=one.cell @ d) for d in deformed]
        slope = (morse_energy(ends[0]) - morse_energy(ends[1])) / (2 * step)
        volume = abs(np.linalg.det(one.cell))
        assert slope == pytest.approx(volume * float(np.sum(np.asarray(value.stress)[0] * strain)), rel=1e-7)


def test_pairs_that_are_known_and_a_potential():
    pairs = [neighbour_pairs(one, 4.0) for one in FRAMES]
    with jax.enable_x64(False):
        both = [jax.tree.leaves(pack(FRAMES, 4.0, pairs=known)) for known in (pairs, None)]
        assert all(np.array_equal(a, b, equal_nan=True) for a, b in zip(*both, strict=True))
        assert isinstance(toy(), Potential)
    assert isinstance(pairs[0], Pairs)


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({"atoms": 16}, "atoms=16 is too small: the frames need 17"),
        ({"slots": 3}, "slots=3 is too small"),
        ({"structures": 2}, "need 3"),
        ({"kinds": 2}, "need 3"),
        ({"kinds": [1, 6]}, r"lack the atomic numbers \[8\]"),
        ({"kinds": [6, 1, 8]}, "ascending"),
        ({"dtype": "float16"}, "unknown"),
        ({"dtype": "float64"}, "x64"),
        ({"cutoff": -1.0}, "positive"),
        ({"frames": []}, "there are none"),
        ({"atoms": 10**9}, "too many"),
    ],
)
def test_refusals(options, words):
    arguments = {"frames": FRAMES, "cutoff": 4.0} | options
    kind = InputError if "frames" in options or "cutoff" in options or words == "too many" else ValueError
    with jax.enable_x64(False), pytest.raises(kind, match=words):
        pack(**arguments)
