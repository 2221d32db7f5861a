"""Approximants of quasicrystals in ASE and in CIF files."""

import ase.io
import numpy as np
import pytest

from geoembed.core import InputError
from geoembed.interop.ase import approximant_to_atoms, to_frame
from geoembed.quasicrystal import approximant, icosahedral_periods
from tests.quasicrystal.symmetry_cases import P, Q


@pytest.fixture(scope="module")
def cubic():
    return approximant(P, Q, icosahedral_periods(1, 1))


def test_atoms_and_cif(cubic, tmp_path):
    """A 1/1 approximant with the edge of Sc-Mg-Zn, 13.863 Å for the cubic cell."""
    atoms = approximant_to_atoms(cubic, "Zn", scale=13.863 / cubic.cell[0, 0])
    assert len(atoms) == 32
    np.testing.assert_allclose(atoms.cell.cellpar(), [13.863] * 3 + [90] * 3, rtol=1e-12)
    nearest = np.sort(atoms.get_all_distances(mic=True), axis=1)[:, 1].min()
    np.testing.assert_allclose(nearest, 0.562777 / 2.752763840942347 * 13.863, rtol=1e-6)
    np.testing.assert_allclose(to_frame(atoms).arrays["perp"], cubic.perp)
    ase.io.write(tmp_path / "one.cif", atoms)
    back = ase.io.read(tmp_path / "one.cif")
    assert back.get_chemical_formula() == "Zn32"
    apart = (back.get_scaled_positions()[:, None] - cubic.fractional[None] + 0.5) % 1 - 0.5
    assert np.abs(apart).max(axis=2).min(axis=1).max() < 1e-5


def test_symbols_of_every_site(cubic):
    inner = np.linalg.norm(cubic.perp, axis=1) < 0.6
    atoms = approximant_to_atoms(cubic, np.where(inner, "Sc", "Zn").tolist())
    assert atoms.get_chemical_symbols().count("Sc") == inner.sum()
    with pytest.raises(InputError, match="there are 2 for 32 sites"):
        approximant_to_atoms(cubic, ["Sc", "Zn"])


def test_a_plane_is_refused():
    flat = approximant(np.eye(2, 3), np.eye(3)[2:], np.eye(2, 3, dtype=int))
    with pytest.raises(InputError, match="it has 2 dimensions"):
        approximant_to_atoms(flat, "C")
