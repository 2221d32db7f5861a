"""The power spectrum against explicit sums over pairs of neighbours."""

import jax
import numpy as np
import pytest
from scipy.special import eval_legendre

from geoembed.atoms import GaussianBasis, SoapPowerSpectrum, pack
from tests.atoms.structures import brute_pairs, frame, random_frames

CUTOFF, SPECIES, MAX_ELL = 3.0, (1, 6, 8), 2
SOAP = SoapPowerSpectrum(SPECIES, GaussianBasis(CUTOFF, 2), max_ell=MAX_ELL)


def radial(r):
    """Two Gaussian functions with centres 0 and the cutoff, times the cutoff polynomial of power 5."""
    u = r / CUTOFF
    envelope = 1 - 21 * u**5 + 35 * u**6 - 15 * u**7
    return [np.exp(-0.5 * ((r - centre) / CUTOFF) ** 2) * envelope for centre in (0.0, CUTOFF)]


def explicit(one):
    """Σ_jk gₙ(r_ij) gₙ'(r_ik) √((2l+1)/2) P_l(cos θ), channel pairs with √2 where they differ."""
    rows = np.zeros((len(one.numbers), (MAX_ELL + 1) * 21))
    cell = np.zeros((3, 3)) if one.cell is None else one.cell
    pairs = np.array(sorted(brute_pairs(one, CUTOFF, 2)), np.int64).reshape(-1, 5)
    for i in range(len(one.numbers)):
        mine = pairs[pairs[:, 0] == i]
        vectors = one.positions[mine[:, 1]] + mine[:, 2:] @ cell - one.positions[i]
        lengths = np.linalg.norm(vectors, axis=1)
        values = np.zeros((len(mine), 6))
        for k, (j, r) in enumerate(zip(mine[:, 1], lengths, strict=True)):
            first = 2 * SPECIES.index(one.numbers[j])
            values[k, first : first + 2] = radial(r)
        cosines = (vectors @ vectors.T) / np.outer(lengths, lengths)
        row = []
        for ell in range(MAX_ELL + 1):
            every = values.T @ (np.sqrt((2 * ell + 1) / 2) * eval_legendre(ell, cosines)) @ values
            row += [every[a, b] * (1 if a == b else np.sqrt(2)) for a in range(6) for b in range(a, 6)]
        rows[i] = row
    return rows


@pytest.fixture(scope="module")
def case():
    """A small crystal, a molecule and a lonely atom, their spectra, and the two reductions; the molecule alone."""
    frames = [*random_frames(3, [4]), *random_frames(4, [3], periodic=False), frame([0, 0, 0], numbers=[6])]
    with jax.enable_x64(True):
        batch = pack(frames, CUTOFF, atoms=10, slots=60, structures=4)
        run = jax.jit(
            lambda b: (SOAP.of_atoms(b), SOAP.of_structures(b), SOAP.of_structures(b, reduce="sum"))
        )
        alone = frames[1].positions, frames[1].numbers.astype(np.int32)
        molecule = jax.jit(SOAP)(*map(jax.device_put, alone))
        return frames, [np.asarray(x) for x in (*run(batch), molecule)]


def test_it_is_the_sum_over_pairs_of_neighbours(case):
    frames, (rows, mean, total, _) = case
    expected = [explicit(one) for one in frames]
    assert np.abs(expected[0]).min(axis=0).max() > 0.1, "there is something to compare"
    np.testing.assert_allclose(rows[:8], np.concatenate(expected), rtol=0, atol=1e-12)
    np.testing.assert_allclose(total[:3], [x.sum(axis=0) for x in expected], rtol=0, atol=1e-12)
    np.testing.assert_allclose(mean[:3], [x.mean(axis=0) for x in expected], rtol=0, atol=1e-12)
    assert not total[2:].any(), "an atom without neighbours, and padding"
    assert not mean[3].any()


def test_a_molecule_by_itself_is_what_it_is_in_a_batch(case):
    _, (rows, _, _, molecule) = case
    np.testing.assert_allclose(molecule, rows[4:7], rtol=0, atol=1e-13)


def test_a_strange_species_is_nan_within_reach(compiled_quickly):
    points = jax.device_put(np.array([[0.0, 0, 0], [1, 0, 0], [9, 0, 0], [10, 0, 0]], np.float32))
    got = jax.jit(SOAP)(points, jax.device_put(np.array([1, 7, 1, 8], np.int32)))
    assert np.isnan(got).any(axis=1).tolist() == [True, False, False, False]


@pytest.mark.parametrize("numbers", [(), (8, 1), (1, 1), (0, 1), (119,)])
def test_wrong_species_are_refused(numbers):
    with pytest.raises(ValueError, match="atomic numbers in ascending order"):
        SoapPowerSpectrum(numbers)
    with pytest.raises(ValueError, match="max_ell"):
        SoapPowerSpectrum((1,), max_ell=-1)


def test_an_unknown_reduction_is_refused():
    batch = pack([frame([0, 0, 0])], CUTOFF)
    with pytest.raises(ValueError, match="'median' is unknown: use one of mean, sum"):
        jax.eval_shape(lambda b: SOAP.of_structures(b, reduce="median"), batch)
