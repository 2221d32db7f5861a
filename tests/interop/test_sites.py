"""Sites of quasicrystals in files of other programs, and space groups."""

import sys

import ase
import ase.build
import ase.io
import meshio
import numpy as np
import pytest

from geoembed.core import InputError
from geoembed.interop import write_sites_vtu
from geoembed.interop.ase import approximant_to_atoms, sites_to_atoms, space_group
from geoembed.quasicrystal import approximant, icosahedral_periods, in_shadow, shadow_radius, symmetric_shift
from tests.quasicrystal.symmetry_cases import P, Q


def test_sites_of_a_plane(tmp_path):
    points, perp = np.array([[0.0, 1.0], [2.5, -1.0]]), np.array([[0.1, 0.2], [0.3, 0.4]])
    atoms = sites_to_atoms(points, ["Al", "Mn"], {"perp": perp, "lattice": np.array([[1, 0], [2, 3]])})
    atoms.write(tmp_path / "plane.extxyz")
    back = ase.io.read(tmp_path / "plane.extxyz")
    np.testing.assert_allclose(back.positions, [[0, 1, 0], [2.5, -1, 0]])
    assert back.get_chemical_symbols() == ["Al", "Mn"]
    np.testing.assert_allclose(back.arrays["perp"], perp)
    assert back.arrays["lattice"].tolist() == [[1, 0], [2, 3]]
    with pytest.raises(InputError, match="there are 1 for 2 sites"):
        sites_to_atoms(points, ["Al"])
    with pytest.raises(InputError, match="'Zz' is no element"):
        sites_to_atoms(points, "Zz")


def test_sites_for_paraview(tmp_path):
    points = np.array([[0.0, 0], [1, 0], [1, 1]])
    columns = {"species": np.array([0, 1, 1]), "perp": np.array([[0.1, 0.2], [0.3, 0.4], [0.5, 0.6]])}
    write_sites_vtu(tmp_path / "a.vtu", points, columns, np.array([[0, 1], [1, 2]]))
    back = meshio.read(tmp_path / "a.vtu")
    np.testing.assert_allclose(back.points, [[0, 0, 0], [1, 0, 0], [1, 1, 0]])
    assert back.cells_dict["vertex"].ravel().tolist() == [0, 1, 2]
    assert back.cells_dict["line"].tolist() == [[0, 1], [1, 2]]
    np.testing.assert_allclose(back.point_data["perp"], [[0.1, 0.2, 0], [0.3, 0.4, 0], [0.5, 0.6, 0]])
    assert back.point_data["species"].tolist() == [0, 1, 1]


def test_space_groups_of_known_crystals():
    pytest.importorskip("spglib", reason="needs spglib: install geoembed[spglib]")
    diamond = space_group(ase.build.bulk("C", "diamond", 3.57, cubic=True))
    assert (diamond.number, diamond.symbol, diamond.point_group) == (227, "Fd-3m", "m-3m")
    assert (diamond.operations, diamond.orbits) == (192, 1)
    wurtzite = space_group(ase.build.bulk("ZnO", "wurtzite", 3.25, 5.2))
    assert (wurtzite.symbol, wurtzite.orbits) == ("P6_3mc", 2)
    with pytest.raises(InputError, match="not periodic"):
        space_group(ase.build.molecule("H2O"))
    with pytest.raises(InputError, match="spglib finds none"):
        space_group(ase.Atoms("H2", [[0, 0, 0], [0, 0, 1e-9]], cell=[3, 3, 3], pbc=True))


def test_a_missing_package_is_named(monkeypatch):
    monkeypatch.setitem(sys.modules, "spglib", None)
    with pytest.raises(InputError, match=r"pip install 'geoembed\[spglib\]'"):
        space_group(ase.build.bulk("Cu"))


def test_space_groups_of_approximants():
    """1/1 is Im-3 (without the sites on the rim) and 2/1 Pa-3, as the crystals of Sc-Mg-Zn (Lin, Corbett 2006)."""
    pytest.importorskip("spglib", reason="needs spglib: install geoembed[spglib]")
    periods = icosahedral_periods(2, 1)
    shift, order = symmetric_shift(P, Q, periods)
    found = approximant(P, Q, periods, shift=shift)
    assert (len(found.positions), order) == (136, 24)
    assert space_group(approximant_to_atoms(found, "Zn", scale=5.0))[:4] == (205, "Pa-3", "m-3", 24)
    periods = icosahedral_periods(1, 1)
    shift, order = symmetric_shift(P, Q, periods, open_window=True)
    strained = Q + approximant(P, Q, periods).phason_strain @ P
    window = {
        "window": lambda q: in_shadow(strained, q * (1 + 1e-6)),
        "window_radius": shadow_radius(strained),
    }
    found = approximant(P, Q, periods, shift=shift, **window)
    group = space_group(approximant_to_atoms(found, "Zn", scale=5.0))
    assert group[:4] == (204, "Im-3", "m-3", order * found.lattice_points)
