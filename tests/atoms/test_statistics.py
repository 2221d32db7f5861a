"""What a potential is initialised from."""

import dataclasses

import numpy as np
import pytest

from geoembed.atoms import neighbour_pairs, read_extxyz, read_rmd17, statistics
from geoembed.core import InputError
from tests.atoms.structures import frame, random_frames

E0 = {1: -13.6, 6: -1030.5, 8: -2042.0}


def with_energy(one, noise=0.0):
    return dataclasses.replace(one, energy=sum(E0[int(z)] for z in one.numbers) + noise * len(one.numbers))


def test_compositions_give_the_elements():
    frames = [with_energy(one) for one in random_frames(0, (5, 8, 11, 6, 9))]
    found = statistics(frames, 3.0)
    np.testing.assert_allclose(found.e0, [E0[1], E0[6], E0[8]], rtol=1e-10)
    assert found.numbers.tolist() == [1, 6, 8]
    assert found.counts.sum() == 39
    assert found.determined.all()
    assert found.notes == ()
    assert abs(found.shift) < 1e-9
    assert found.spread < 1e-9
    pairs = sum(len(neighbour_pairs(one, 3.0).atom) for one in frames)
    assert found.neighbours == pytest.approx(pairs / 39)
    forces = np.concatenate([one.forces for one in frames])
    assert found.force_scale == pytest.approx(np.sqrt(np.mean(forces**2)))


def test_noise_is_the_spread():
    rng = np.random.default_rng(0)
    frames = [with_energy(one, 0.1 * rng.normal()) for one in random_frames(1, [12] * 200)]
    found = statistics(frames, 2.0)
    assert found.spread == pytest.approx(0.1, rel=0.15)
    np.testing.assert_allclose(found.e0, list(E0.values()), atol=0.5)


def test_one_composition_leaves_a_freedom_that_the_prior_takes():
    water = [with_energy(frame(np.eye(3), numbers=[8, 1, 1]), 0.02 * k) for k in range(-2, 3)]
    plain, guided = statistics(water, 2.0), statistics(water, 2.0, prior={1: -13.0, 8: -2040.0})
    for found in (plain, guided):
        assert found.e0 @ [2, 1] == pytest.approx(2 * E0[1] + E0[8], abs=1e-9)
        assert not found.determined.any()
        assert "H O" in found.notes[0]
    # The minimum norm correction is along the composition (2, 1).
    missing = 2 * E0[1] + E0[8] + 2 * 13 + 2040
    np.testing.assert_allclose(guided.e0, np.array([-13.0, -2040.0]) + missing * np.array([2, 1]) / 5)
    assert np.ptp(plain.e0 - (2 * E0[1] + E0[8]) / 3) < 1e-9, "without a prior every atom has the mean energy"


def test_isolated_and_known_atoms_are_taken_as_they_are():
    water = with_energy(frame(np.eye(3), numbers=[8, 1, 1]), -0.7)
    hydrogen = frame([[0, 0, 0]], numbers=[1], energy=E0[1])
    found = statistics([hydrogen, water], 2.0)
    np.testing.assert_allclose(found.e0, [E0[1], E0[8] - 2.1])
    assert found.determined.all()
    found = statistics([hydrogen, water], 2.0, known={8: E0[8]})
    np.testing.assert_allclose(found.e0, [E0[1], E0[8]])
    assert found.shift == pytest.approx(-0.7)
    assert found.neighbours == 2.0, "isolated atoms do not count"


def test_no_energies_and_outliers():
    bare = [dataclasses.replace(one, energy=None, forces=None) for one in random_frames(2, (4, 5))]
    found = statistics(bare, 3.0, prior={6: -5.0})
    assert found.e0.tolist() == [0, -5, 0]
    assert found.force_scale == 1
    assert "no frame has an energy" in found.notes[0]
    rng = np.random.default_rng(0)
    frames = [with_energy(one, 0.01 * rng.normal()) for one in random_frames(1, [12] * 30)]
    frames[7] = dataclasses.replace(frames[7], energy=frames[7].energy + 50)
    assert any("the farthest is frame 7" in note for note in statistics(frames, 2.0).notes)
    with pytest.raises(InputError, match="none"):
        statistics([], 3.0)
    with pytest.raises(InputError, match="positive"):
        statistics(frames, -3.0)


@pytest.mark.slow
def test_real_sets(data):
    ethanol = statistics(read_rmd17(data / "atoms" / "rmd17" / "rmd17_ethanol_train_01.npz")[:50], 5.0)
    assert ethanol.neighbours > 7
    assert not ethanol.determined.any()
    assert ethanol.force_scale == pytest.approx(1.2, abs=0.2)
    folder = data / "atoms" / "3bpa"
    isolated = read_extxyz(folder / "iso_atoms.xyz.gz")
    found = statistics([*isolated, *read_extxyz(folder / "train_300K.xyz.gz")[:20]], 5.0)
    assert found.determined.all()
    assert dict(zip(found.numbers.tolist(), found.e0, strict=True))[1] == pytest.approx(-13.587222780835477)
    assert -6 < found.shift < -4, "the cohesive energy of an atom"
