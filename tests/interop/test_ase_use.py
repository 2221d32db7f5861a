"""What users do with a calculator, on a converted model of mace-torch: a rock-salt crystal of four atoms.

The weights are random: the crystal has a lattice constant at which its pressure vanishes, but it is no stable one.
"""

import ase.build
import ase.units
import jax
import numpy as np
import pytest
from ase.eos import EquationOfState
from ase.md.verlet import VelocityVerlet
from ase.optimize import BFGS, FIRE
from scipy.optimize import brentq

from geoembed.atoms import force_constants
from geoembed.interop.ase import Calculator, to_frame
from tests.atoms import mace_fixture

pytestmark = pytest.mark.slow
VOIGT = ((0, 0), (1, 1), (2, 2), (1, 2), (0, 2), (0, 1))
REPEATS = (2, 1, 1)


@pytest.fixture(scope="module")
def potential(data):
    with jax.enable_x64(True):
        return mace_fixture.potential(data)


@pytest.fixture(scope="module")
def calculator(potential, compiled_quickly) -> Calculator:
    return Calculator(potential, skin=0.3)


def salt(calculator, a, rattle=0.0):
    atoms = ase.build.bulk("NaCl", "rocksalt", a=a).repeat(REPEATS)
    atoms.calc = calculator
    if rattle:
        atoms.rattle(rattle, seed=1)
    return atoms


def strained(atoms, component, size):
    """Strained by a component in Voigt's notation; shears are γ."""
    strain = np.zeros((3, 3))
    strain[VOIGT[component]] += size / 2
    strain.T[VOIGT[component]] += size / 2
    moved = atoms.copy()
    moved.set_cell(atoms.cell @ (np.eye(3) + strain), scale_atoms=True)
    moved.calc = atoms.calc
    return moved


@pytest.fixture(scope="module")
def rest(calculator) -> float:
    """The lattice constant without pressure, Å."""
    return float(brentq(lambda a: salt(calculator, a).get_stress()[0], 5.8, 6.0, xtol=1e-12))


def test_equation_of_state(calculator, rest):
    """Energies alone lead to the lattice constant and the bulk modulus of the stresses."""
    edges = rest * np.linspace(0.99, 1.01, 7)
    crystals = [salt(calculator, a) for a in edges]
    volumes = [atoms.get_volume() for atoms in crystals]
    volume, _, bulk = EquationOfState(
        volumes, [atoms.get_potential_energy() for atoms in crystals], eos="birchmurnaghan"
    ).fit()
    assert (2 * volume) ** (1 / 3) == pytest.approx(rest, rel=1e-4)
    pressures = [-atoms.get_stress()[:3].mean() for atoms in crystals]
    slope = np.polyval(np.polyder(np.polyfit(volumes, pressures, 4)), volume)
    assert bulk == pytest.approx(-volume * slope, rel=0.02)


def test_elastic_constants(calculator, rest):
    """C11, C12 and C44 from stresses; symmetric; as second differences of the energy say."""
    atoms, h = salt(calculator, rest), 2e-4
    assert np.abs(atoms.get_forces()).max() < 1e-10, "at rest by symmetry, also when strained"
    stiffness = np.stack(
        [
            (strained(atoms, k, h).get_stress() - strained(atoms, k, -h).get_stress()) / (2 * h)
            for k in range(6)
        ]
    )
    c11, c12, c44 = stiffness[0, 0], stiffness[0, 1], stiffness[3, 3]
    expected = np.diag([c11 - c12] * 3 + [c44] * 3)
    expected[:3, :3] += c12
    np.testing.assert_allclose(stiffness, expected, rtol=0, atol=1e-8)
    assert min(abs(c11), abs(c12), abs(c44)) > 1e-3
    h, mid = 2e-3, atoms.get_potential_energy()
    for component, modulus in ((0, c11), (3, c44)):
        ends = [strained(atoms, component, s * h).get_potential_energy() for s in (-2, -1, 1, 2)]
        curvature = (-ends[0] + 16 * ends[1] - 30 * mid + 16 * ends[2] - ends[3]) / (12 * h**2)
        assert modulus == pytest.approx(curvature / atoms.get_volume(), abs=1e-6)


@pytest.mark.parametrize("optimizer", [BFGS, FIRE])
def test_relaxation(calculator, rest, optimizer):
    atoms = salt(calculator, rest, rattle=0.1)
    before = atoms.get_potential_energy()
    assert optimizer(atoms, logfile=None).run(fmax=1e-4, steps=200)
    assert np.linalg.norm(atoms.get_forces(), axis=1).max() < 1e-4
    assert atoms.get_potential_energy() < before - 1e-3


def test_energy_is_conserved(calculator, rest):
    """At 100 K, steps of 2 fs: fluctuations of second order in the step, no drift."""
    worst = {}
    for step, count in ((4.0, 25), (2.0, 50)):
        atoms = salt(calculator, rest)
        speeds = np.random.default_rng(0).normal(size=(4, 3)) * np.sqrt(100 * ase.units.kB)
        atoms.set_momenta((speeds - speeds.mean(axis=0)) * np.sqrt(29.0))
        start = atoms.get_total_energy()
        worst[step] = 0.0
        run = VelocityVerlet(atoms, step * ase.units.fs)
        for _ in range(count):
            run.run(1)
            worst[step] = max(worst[step], abs(atoms.get_total_energy() - start) / 4)
    assert worst[2.0] < 1e-5
    assert worst[4.0] > 3 * worst[2.0] > 0


def test_phonons_from_exact_and_from_finite_displacements(calculator, potential, rest):
    """At the wave vectors of the supercell; three modes at Γ move the whole crystal."""
    unit = ase.build.bulk("NaCl", "rocksalt", a=rest)
    masses, large, h = unit.get_masses(), salt(calculator, rest), 1e-4
    with jax.enable_x64(True):
        constants = force_constants(potential, to_frame(unit), REPEATS)
    np.testing.assert_allclose(
        large.positions, np.concatenate([unit.positions, unit.positions + unit.cell[0]])
    )
    rows = np.zeros((2, 3, 2, 2, 3))
    for atom, axis in np.ndindex(2, 3):
        ends = []
        for sign in (1, -1):
            moved = large.copy()
            moved.positions[atom, axis] += sign * h
            moved.calc = calculator
            ends.append(moved.get_forces())
        rows[atom, axis] = (-(ends[0] - ends[1]) / (2 * h)).reshape(2, 2, 3)
    np.testing.assert_allclose(constants.values, rows, rtol=0, atol=1e-7)
    assert np.abs(rows).max() > 0.05
    waves = np.array([[0.0, 0, 0], [0.5, 0, 0]])
    signs = np.exp(2j * np.pi * waves[:, :1] * np.arange(2)[None])
    matrix = np.einsum("qc,aicbj->qaibj", signs, rows).reshape(2, 6, 6)
    matrix = matrix / np.sqrt(np.outer(np.repeat(masses, 3), np.repeat(masses, 3)))[None]
    np.testing.assert_allclose(constants.dynamical(waves, masses), matrix, rtol=0, atol=1e-8)
    frequencies = constants.frequencies(waves, masses)
    assert np.sort(np.abs(frequencies[0]))[2] < 1e-5
    assert np.abs(frequencies[1]).min() > 0.1
    np.testing.assert_allclose(frequencies[0, 3:], np.full(3, frequencies[0, 3:].mean()), rtol=1e-6)
