"""Phonons against the lattice sum of a pair potential, written down in numpy."""

import jax
import numpy as np
import pytest
import scipy.constants as si

from geoembed import InputError
from geoembed.atoms import force_constants, neighbour_pairs
from tests.atoms.structures import frame
from tests.atoms.toy import toy

CUTOFF = 4.0
CELL = 1.75 * np.array([[0.0, 1, 1], [1, 0, 1], [1, 1, 0]])
BASIS = np.array([[0.0, 0, 0], [1.4, 1.6, 1.9]])
MASSES = np.array([26.98, 12.01])
WAVES = np.array([[0.0, 0, 0], [0.5, 0, 0], [0.13, -0.27, 0.41]])


@pytest.fixture(scope="module", autouse=True)
def quickly(compiled_quickly):
    """All programs here are formulas on few numbers."""


def pair_energy(r):
    return 0.4 * ((1 - np.exp(-1.5 * (r - 2.5))) ** 2 - 1) * np.maximum(1 - (r / CUTOFF) ** 2, 0) ** 3


def lattice_sum(one, wave):
    """Σ over pairs of φ''r̂r̂ᵀ + φ'/r (1 − r̂r̂ᵀ), against exp(2πi q·shift)."""
    pairs, h = neighbour_pairs(one, CUTOFF), 1e-4
    vectors = one.positions[pairs.neighbour] + pairs.shift @ one.cell - one.positions[pairs.atom]
    r = np.linalg.norm(vectors, axis=1)
    low, mid, high = (pair_energy(r + k * h) for k in (-1, 0, 1))
    unit = vectors / r[:, None]
    along = unit[:, :, None] * unit[:, None]
    bond = ((low - 2 * mid + high) / h**2)[:, None, None] * along
    bond = bond + ((high - low) / (2 * h) / r)[:, None, None] * (np.eye(3)[None] - along)
    size = len(one.numbers)
    total = np.zeros((size, 3, size, 3), complex)
    for i, j, shift, k in zip(*pairs[:2], pairs.shift, bond, strict=True):
        total[i, :, i] += k
        total[i, :, j] -= k * np.exp(2j * np.pi * wave @ shift)
    root = np.sqrt(np.repeat(MASSES[:size], 3))
    return total.reshape(3 * size, 3 * size) / root[:, None] / root[None]


@pytest.mark.parametrize("basis", [1, 2])
def test_frequencies(basis):
    one = frame(BASIS[:basis], CELL, numbers=[13, 6][:basis])
    with jax.enable_x64(True):
        found = force_constants(toy(dtype="float64", cutoff=CUTOFF), one, (4, 4, 4), chunk=4)
    assert found.values.shape == (basis, 3, 64, basis, 3)
    assert np.abs(found.values.sum(axis=(2, 3))).max() < 1e-13 * np.abs(found.values).max()
    got = found.frequencies(WAVES, MASSES[:basis])
    per_square = si.e / si.angstrom**2 / si.atomic_mass
    for wave, frequencies in zip(WAVES, got, strict=True):
        expected = np.linalg.eigvalsh(lattice_sum(one, wave)) * per_square / (2 * np.pi * 1e12) ** 2
        np.testing.assert_allclose(
            np.sign(frequencies) * frequencies**2, expected, rtol=0, atol=1e-6 * np.abs(expected).max() + 1e-9
        )
    assert np.sort(np.abs(got[0]))[2] < 1e-5, "three modes move the whole crystal"
    assert np.abs(got[1:]).max() > 3


def test_what_has_no_cell_is_refused():
    with pytest.raises(InputError, match="no cell"):
        force_constants(toy(), frame([[0, 0, 0], [0, 0, 2]]), (1, 1, 1))
