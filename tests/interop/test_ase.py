"""The ASE calculator and structures from and to ASE."""

import dataclasses
import itertools

import ase.build
import ase.io
import ase.md.verlet
import ase.units
import equinox as eqx
import jax
import numpy as np
import pytest
from ase.calculators.calculator import PropertyNotImplementedError

import geoembed
from geoembed.atoms import Committee, Frame
from geoembed.core import InputError
from geoembed.interop.ase import Calculator, to_atoms, to_frame
from tests.atoms.toy import Morse, morse_energy, toy

TRACES = []


class Traced(eqx.Module):
    """A potential that notes how often it is traced."""

    inner: Morse

    @property
    def cutoff(self) -> float:
        return self.inner.cutoff

    def __call__(self, batch):
        TRACES.append(batch.neighbours.index.shape)
        return self.inner(batch)


class Offset(eqx.Module):
    """A potential whose free atoms have energies that float32 cannot hold beside the rest."""

    inner: Morse

    @property
    def cutoff(self) -> float:
        return self.inner.cutoff

    def __call__(self, batch):
        return self.interaction(batch) - 2041.3

    def interaction(self, batch):
        return self.inner(batch)

    @property
    def numbers(self):
        return np.array([13, 18, 0])

    def isolated(self, numbers):
        return np.full(len(numbers), -2041.3)


def crystal(repeat=2, a=3.26):
    atoms = ase.build.bulk("Al", a=a, cubic=True).repeat(repeat)
    atoms.rattle(0.05, seed=1)
    return atoms


@pytest.fixture(scope="module")
def calculator() -> Calculator:
    with jax.enable_x64(True):
        return Calculator(Traced(toy(depth=0.4, dtype="float64", cutoff=4.0)))


def reference(atoms) -> float:
    return morse_energy(to_frame(atoms), cutoff=4.0)


def test_energy_forces_and_stress_outside_x64_mode(calculator):
    """float64 results whatever jax's mode is, against numpy and finite differences of it."""
    atoms = crystal()
    atoms.calc = calculator
    with jax.enable_x64(False):
        energy, forces, stress = atoms.get_potential_energy(), atoms.get_forces(), atoms.get_stress()
        energies = atoms.get_potential_energies()
    assert energy == pytest.approx(reference(atoms), rel=1e-12)
    assert energies.sum() == pytest.approx(energy)
    assert atoms.get_potential_energy(force_consistent=True) == energy
    step = 1e-5
    for atom, axis in ((0, 0), (17, 2)):
        ends = []
        for sign in (1, -1):
            moved = atoms.copy()
            moved.positions[atom, axis] += sign * step
            ends.append(reference(moved))
        assert forces[atom, axis] == pytest.approx((ends[1] - ends[0]) / (2 * step), abs=1e-7)
    for k, (i, j) in enumerate([(0, 0), (1, 1), (2, 2), (1, 2), (0, 2), (0, 1)]):
        ends = []
        for sign in (1, -1):
            strain = np.zeros((3, 3))
            strain[i, j] += sign * step / 2
            strain[j, i] += sign * step / 2
            moved = atoms.copy()
            moved.set_cell(atoms.cell @ (np.eye(3) + strain), scale_atoms=True)
            ends.append(reference(moved))
        assert stress[k] == pytest.approx((ends[0] - ends[1]) / (2 * step) / atoms.get_volume(), abs=1e-7)


def test_one_compilation_while_atoms_move(calculator):
    TRACES.clear()
    drift(calculator, 50)
    assert len(TRACES) <= 1


def drift(calculator, steps: int) -> float:
    """The largest change of the total energy in eV an atom, in steps of 2 fs at 300 K."""
    atoms = crystal()
    atoms.calc = calculator
    speeds = np.random.default_rng(0).normal(size=(len(atoms), 3)) * np.sqrt(300 * ase.units.kB / 26.98)
    atoms.set_velocities(speeds - speeds.mean(axis=0))
    start, before = atoms.get_total_energy(), calculator.searches
    run, worst = ase.md.verlet.VelocityVerlet(atoms, 2 * ase.units.fs), 0.0
    for _ in range(steps // 10):
        run.run(10)
        worst = max(worst, abs(atoms.get_total_energy() - start))
    assert calculator.searches - before < steps / 5
    assert atoms.get_potential_energy() == pytest.approx(reference(atoms), rel=1e-10)
    assert worst / len(atoms) < 2e-4
    return worst


@pytest.mark.slow
def test_energy_does_not_drift(calculator):
    TRACES.clear()
    drift(calculator, 1000)
    assert len(TRACES) <= 2


@pytest.mark.slow
def test_equation_of_state(calculator):
    """Lattice constant and bulk modulus of the perfect crystal against the same energies in numpy."""
    from ase.eos import EquationOfState

    edges, found = np.linspace(3.18, 3.34, 7), []
    for a in edges:
        atoms = ase.build.bulk("Al", a=a, cubic=True).repeat(2)
        atoms.calc = calculator
        found.append((atoms.get_volume(), atoms.get_potential_energy(), -atoms.get_stress()[:3].mean()))
        assert found[-1][1] == pytest.approx(reference(atoms), rel=1e-12)
    volume, energy, pressure = np.array(found).T
    v0, _, bulk = EquationOfState(volume, energy, eos="birchmurnaghan").fit()
    fit = np.polyfit(volume, pressure, 3)
    roots = np.roots(fit)
    root = float(roots[np.argmin(np.abs(roots - v0))].real)
    assert v0 == pytest.approx(root, rel=2e-3)
    assert bulk == pytest.approx(-root * np.polyval(np.polyder(fit), root), rel=0.05)


@pytest.mark.slow
def test_relaxation_of_atoms_and_cell(calculator):
    from ase.filters import FrechetCellFilter
    from ase.optimize import BFGS

    atoms = crystal(repeat=1, a=3.4)
    atoms.calc = calculator
    assert BFGS(FrechetCellFilter(atoms), logfile=None).run(fmax=1e-3, steps=60)
    assert np.abs(atoms.get_stress()).max() < 1e-3
    energies = []
    for a in np.linspace(0.995, 1.005, 3):
        moved = atoms.copy()
        moved.set_cell(atoms.cell * a, scale_atoms=True)
        energies.append(reference(moved))
    assert np.argmin(energies) == 1


@pytest.mark.slow
def test_molecules_have_no_stress_and_sizes_may_change():
    with jax.enable_x64(False):
        calc = Calculator(toy(), skin=0.3)
        for count in (2, 3, 2):
            atoms = ase.Atoms(f"Ar{count}", np.eye(3)[:count] * 2.6)
            atoms.calc = calc
            assert atoms.get_potential_energy() == pytest.approx(morse_energy(to_frame(atoms)), rel=1e-5)
            assert atoms.get_forces().dtype == np.float64
            with pytest.raises(PropertyNotImplementedError):
                atoms.get_stress()
        lonely = ase.Atoms("Ar")
        lonely.calc = calc
        assert lonely.get_potential_energy() == pytest.approx(1.8)


@pytest.mark.slow
def test_more_neighbours_than_slots():
    """A cluster that is compressed within one list: the slots run over, and the result is still right."""
    grid = np.array(list(itertools.product(range(3), repeat=3)), float)
    calc = Calculator(toy(dtype="float32", cutoff=4.0), skin=30.0)
    for distance in (3.9, 2.0):
        atoms = ase.Atoms("Ar27", grid * distance)
        atoms.calc = calc
        assert atoms.get_potential_energy() == pytest.approx(reference(atoms), rel=1e-4)
    assert calc.searches == 1


@pytest.mark.slow
def test_a_committee():
    models = [toy(depth, dtype="float32") for depth in (0.3, 0.4, 0.6)]
    atoms = ase.Atoms("Ar3", np.eye(3) * 2.6)
    atoms.calc = Calculator(models)
    each = np.array([morse_energy(to_frame(atoms), depth=d) for d in (0.3, 0.4, 0.6)])
    assert atoms.get_potential_energy() == pytest.approx(each.mean(), rel=1e-5)
    assert atoms.calc.spread.energy == pytest.approx(each.std(ddof=1), rel=1e-4)
    np.testing.assert_allclose(atoms.calc.spread.energies, each, rtol=1e-5)
    # Forces of this potential are proportional to the depth.
    scale = np.std([0.3, 0.4, 0.6], ddof=1) / np.mean([0.3, 0.4, 0.6])
    np.testing.assert_allclose(atoms.calc.spread.forces, np.abs(atoms.get_forces()) * scale, atol=1e-5)
    assert atoms.calc.spread.stress is None
    results = atoms.calc.results
    assert results["energy_std"] == atoms.calc.spread.energy
    np.testing.assert_array_equal(results["forces_std"], atoms.calc.spread.forces)
    assert "stress_std" not in results
    with pytest.raises(ValueError, match="differ"):
        Calculator([toy(), toy(cutoff=4.0)])
    with pytest.raises(ValueError, match="no model"):
        Calculator([])


@pytest.mark.slow
def test_a_committee_in_files_of_ase(tmp_path):
    """ASE does not know the names of the standard deviations: it writes the rest."""
    depths, atoms = (0.3, 0.5), crystal(repeat=1)
    atoms.calc = Calculator(Committee([toy(depth, dtype="float32", cutoff=4.0) for depth in depths]))
    energy, stress = atoms.get_potential_energy(), atoms.get_stress()
    each = [morse_energy(to_frame(atoms), depth=depth, cutoff=4.0) for depth in depths]
    assert energy == pytest.approx(np.mean(each), rel=1e-5)
    relative = np.std(depths, ddof=1) / np.mean(depths)
    np.testing.assert_allclose(atoms.calc.results["stress_std"], np.abs(stress) * relative, atol=1e-6)
    for name in ("run.xyz", "run.traj"):
        ase.io.write(tmp_path / name, atoms)
        assert ase.io.read(tmp_path / name).get_potential_energy() == pytest.approx(energy)


@pytest.mark.slow
def test_energies_of_free_atoms_are_added_in_float64():
    atoms = crystal()
    inner = toy(dtype="float32", cutoff=4.0)
    for model in (Offset(inner), [Offset(inner), Offset(inner)]):
        atoms.calc = Calculator(model)
        expected = reference(atoms) - 2041.3 * 32
        assert abs(atoms.get_potential_energy() - expected) < 2e-5 * 32
        assert atoms.get_potential_energies().sum() == pytest.approx(expected, abs=1e-3)


def test_elements_that_a_potential_does_not_know():
    atoms = ase.Atoms("AlU", np.eye(3)[:2])
    atoms.calc = Calculator(Offset(toy(dtype="float32")))
    with pytest.raises(InputError, match="does not know U"):
        atoms.get_potential_energy()


@pytest.mark.slow
def test_a_saved_model(tmp_path):
    geoembed.save(tmp_path / "model", toy(0.7, dtype="float32"))
    atoms = ase.Atoms("Ar2", np.eye(3)[:2] * 2.6)
    atoms.calc = Calculator(tmp_path / "model")
    assert atoms.get_potential_energy() == pytest.approx(morse_energy(to_frame(atoms), depth=0.7), rel=1e-5)
    geoembed.save(tmp_path / "shape", geoembed.sdf.Sphere(1.0))
    with pytest.raises(ValueError, match="Sphere is no potential"):
        Calculator(tmp_path / "shape")


def test_structures_both_ways():
    frame = Frame(
        np.array([11, 17]), np.array([[0.0, 0, 0], [1, 2, 3]]), np.diag([4.0, 5, 6]), np.array([True, False, True]),
        energy=-1.5, forces=np.arange(6.0).reshape(2, 3), stress=np.array([[1.0, 6, 5], [6, 2, 4], [5, 4, 3]]),
        arrays={"tag": np.array([7, 8])}, info={"name": "salt"},
    )  # fmt: skip
    atoms = to_atoms(frame)
    assert atoms.get_chemical_symbols() == ["Na", "Cl"]
    assert atoms.get_potential_energy() == -1.5
    assert atoms.get_stress().tolist() == [1, 2, 3, 4, 5, 6]
    assert atoms.get_stress(voigt=False).tolist() == frame.stress.tolist()
    back = to_frame(atoms)
    for name in (field.name for field in dataclasses.fields(Frame)):
        one, other = getattr(frame, name), getattr(back, name)
        if isinstance(one, np.ndarray):
            np.testing.assert_array_equal(one, other)
        elif name == "arrays":
            assert other["tag"].tolist() == [7, 8]
        else:
            assert one == other, name
    bare = to_frame(ase.Atoms("H"))
    assert bare.cell is None
    assert bare.energy is None
    assert to_atoms(bare).calc is None
