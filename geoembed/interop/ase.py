"""ASE: structures both ways, and a calculator for any potential of `geoembed.atoms`.

Loads ase; import it as `geoembed.interop.ase`.
"""

import math
import os
from collections.abc import Sequence
from typing import Any, NamedTuple

import ase
import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
from ase.calculators.calculator import Calculator as _Calculator
from ase.calculators.calculator import all_changes
from ase.calculators.singlepoint import SinglePointCalculator
from jaxtyping import Array, Bool, Float64

from ..atoms import (
    SYMBOLS,
    Batch,
    Committee,
    Follower,
    Frame,
    Potential,
    Prediction,
    narrow,
    neighbour_pairs,
    predict,
)
from ..core import InputError, load
from ._approximant_atoms import approximant_to_atoms as approximant_to_atoms
from ._sites import sites_to_atoms as sites_to_atoms
from ._space_group import SpaceGroup as SpaceGroup
from ._space_group import space_group as space_group

_VOIGT = ((0, 0), (1, 1), (2, 2), (1, 2), (0, 2), (0, 1))


class Spread(NamedTuple):
    """The standard deviation (n − 1) over the models of a committee.

    Args:
        energy: eV.
        forces: Of each component, eV/Å.
        stress: Of each component in the order xx yy zz yz xz xy, eV/Å³; None without a volume.
        energies: The energy of each model, eV.
    """

    energy: float
    forces: Float64[np.ndarray, "atoms 3"]
    stress: Float64[np.ndarray, " 6"] | None
    energies: Float64[np.ndarray, " models"]


def to_frame(atoms: ase.Atoms) -> Frame:
    """A structure of ASE, with what its calculator has computed already.

    Args:
        atoms: The structure; a cell of zeros means none.

    Returns:
        The frame; energy, forces and stress are those in `atoms.calc.results`, nothing is computed.

    Example:
        >>> to_frame(ase.Atoms("NaCl", [[0, 0, 0], [0, 0, 2.4]])).symbols
        ('Na', 'Cl')
    """
    cell = np.array(atoms.cell, np.float64)
    results = {} if atoms.calc is None else dict(atoms.calc.results)
    energy, forces, stress = (results.get(name) for name in ("energy", "forces", "stress"))
    return Frame(
        numbers=np.array(atoms.numbers, np.int64),
        positions=np.array(atoms.positions, np.float64),
        cell=cell if np.any(cell) else None,
        pbc=np.array(atoms.pbc, bool),
        energy=None if energy is None else float(energy),
        forces=None if forces is None else np.array(forces, np.float64),
        stress=None if stress is None else _matrix(np.asarray(stress, np.float64)),
        arrays={k: np.array(v) for k, v in atoms.arrays.items() if k not in ("numbers", "positions")},
        info=dict(atoms.info),
    )


def to_atoms(frame: Frame) -> ase.Atoms:
    """A structure for ASE; its labels stand in a calculator that only repeats them.

    Args:
        frame: The structure.

    Returns:
        The atoms, with the frame's other columns and values in `arrays` and `info`.
    """
    atoms = ase.Atoms(
        numbers=frame.numbers,
        positions=frame.positions,
        cell=frame.cell,
        pbc=frame.pbc,
        info=dict(frame.info),
    )
    for name, column in frame.arrays.items():
        atoms.set_array(name, column)
    labels: dict[str, Any] = {"energy": frame.energy, "forces": frame.forces}
    labels["stress"] = None if frame.stress is None else _voigt(frame.stress)
    known = {name: value for name, value in labels.items() if value is not None}
    if known:
        atoms.calc = SinglePointCalculator(atoms, **known)
    return atoms


class Calculator(_Calculator):
    """An ASE calculator: energy, free_energy, energies of the atoms, forces, stress.

    Neighbours are looked for within cutoff + skin and kept while no atom has moved by more than skin/2. Shapes grow in
    geometric steps, so that the potential is compiled once for a number of atoms, seldom twice. Units are those of
    ASE: eV, eV/Å, and eV/Å³ in the order xx yy zz yz xz xy, tension positive. Structures whose cell has no volume have
    no stress.

    Energies of the atoms are added up in float64. Where a potential has `interaction(batch)`, the energies without
    those of free atoms, and `isolated(numbers)`, these, they too are added in float64: float32 cannot hold both.

    Args:
        model: A potential, or the folder of a saved one, or several of either, which makes an `atoms.Committee` of
            them: then results are means over its members, `spread` holds the standard deviation, and so do
            `energy_std`, `forces_std` and `stress_std` in `results`.
        skin: Å. A larger one searches less often.
        dtype: Of the structures, float32 or float64; None takes that of the potential's arrays.

    Attributes:
        spread: A `Spread` after a calculation with several models, else None.
        searches: How often neighbours were looked for.

    Raises:
        ValueError: There is no model, or they differ in more than their arrays.
        ArtefactError: A folder cannot be loaded.
        InputError: In a calculation, the potential lists its elements as `numbers` and one is missing.

    Example:
        >>> class Springs(eqx.Module):
        ...     cutoff: float = 3.0
        ...
        ...     def __call__(self, batch):
        ...         r2 = jnp.sum(batch.to_centre() ** 2, axis=-1)
        ...         return 0.5 * jnp.sum(jnp.where(batch.neighbours.mask, (9 - r2) ** 2, 0.0), axis=1)
        >>> pair = ase.Atoms("Ar2", [[0, 0, 0], [0, 0, 2.0]])
        >>> pair.calc = Calculator(Springs())
        >>> pair.get_potential_energy(), abs(pair.get_forces()[1])
        (25.0, array([ 0.,  0., 40.]))
    """

    implemented_properties = ["energy", "free_energy", "energies", "forces", "stress"]  # noqa: RUF012

    def __init__(
        self,
        model: Potential | str | os.PathLike | Sequence[Potential | str | os.PathLike],
        *,
        skin: float = 0.5,
        dtype: str | None = None,
    ):
        super().__init__()
        several = model if isinstance(model, Sequence) and not isinstance(model, str) else [model]
        models = [_loaded(one) for one in several]
        if not models:
            raise ValueError("there is no model; give a potential or the folder of one")
        self._model = Committee(models) if len(models) > 1 else models[0]
        self._stacked = isinstance(self._model, Committee)
        if len(models) == 1 and isinstance(self._model, Committee):
            with jax.enable_x64(True):  # only so that float64 stays float64
                models = [self._model.member(k) for k in range(self._model.count)]
        self._models = models
        self.spread: Spread | None = None
        self._dtype = _dtype_of(models[0]) if dtype is None else dtype
        self._cutoff = float(models[0].cutoff)
        with jax.enable_x64(self._dtype == "float64"):
            self._follow = Follower(self._cutoff, skin=skin, dtype=self._dtype)
        self._slots: dict[int, int] = {}

    @property
    def searches(self) -> int:
        """How often neighbours were looked for."""
        return self._follow.searches

    def calculate(
        self,
        atoms: ase.Atoms | None = None,
        properties: Sequence[str] = ("energy",),
        system_changes: Sequence[str] = tuple(all_changes),
    ) -> None:
        """Fills `results`; ASE calls it."""
        super().calculate(atoms, properties, system_changes)
        assert self.atoms is not None  # ASE has put a copy there
        frame = to_frame(self.atoms)
        self._require(frame)
        with jax.enable_x64(self._dtype == "float64"):
            value = jax.tree.map(lambda x: np.asarray(x, np.float64), self._predict(frame))
        energies = value.atom_energies + self._isolated(frame)
        totals, forces, stress = energies.sum(axis=-1), value.forces, value.stress[..., 0, :, :]
        self.spread = None
        solid = frame.cell is not None and np.linalg.det(frame.cell) != 0
        deviations: dict[str, Any] = {}
        if self._stacked:
            by_force, by_stress = forces.std(axis=0, ddof=1), stress.std(axis=0, ddof=1)
            shaken = _voigt(by_stress) if solid else None
            self.spread = Spread(float(totals.std(ddof=1)), by_force, shaken, totals)
            deviations = {
                f"{name}_std": getattr(self.spread, name) for name in ("energy", "forces", "stress")
            }
            energies, forces, stress = (x.mean(axis=0) for x in (energies, forces, stress))
        energy = float(np.mean(totals))
        self.results = {"energy": energy, "free_energy": energy, "energies": energies, "forces": forces}
        if solid:
            self.results["stress"] = _voigt(stress)
        self.results |= {name: value for name, value in deviations.items() if value is not None}

    def _require(self, frame: Frame) -> None:
        """Raises when a potential lists its elements as `numbers` and one of the structure's is not there."""
        known = getattr(self._models[0], "numbers", None)
        if known is not None and (
            missing := set(frame.symbols) - {SYMBOLS[z - 1] for z in np.asarray(known) if z > 0}
        ):
            reason = f"the potential does not know {' '.join(sorted(missing))}"
            raise InputError("atoms", "", reason, "use a potential that was trained with these elements")

    def _isolated(self, frame: Frame) -> Float64[np.ndarray, "*models atoms"]:
        """What `_evaluate` left out: the energies of free atoms, eV."""
        if not _parted(self._models[0]):
            return np.zeros(len(frame.numbers))
        free = np.array([model.isolated(frame.numbers) for model in self._models], np.float64)
        return free if self._stacked else free[0]

    def _predict(self, frame: Frame) -> Prediction:
        count = len(frame.numbers)
        while True:
            batch = self._follow(frame)
            if count not in self._slots:
                self._slots[count] = _room(frame, self._cutoff)
            value, overflow = _evaluate(self._model, batch, self._cutoff, self._slots[count])
            if not overflow:
                return value
            del self._slots[count]


@eqx.filter_jit
def _evaluate(model: Any, batch: Batch, cutoff: float, slots: int) -> tuple[Prediction, Bool[Array, ""]]:
    near, overflow = narrow(batch, cutoff, slots)

    def each(one: Any) -> Prediction:
        return predict(one.interaction if _parted(one) else one, near, stress=True)

    return (model.over_members(each) if isinstance(model, Committee) else each(model)), overflow


def _parted(model: Any) -> bool:
    """Whether a potential tells the energies of free atoms apart."""
    return hasattr(model, "interaction") and hasattr(model, "isolated")


def _room(frame: Frame, cutoff: float) -> int:
    """Slots for the neighbours of each atom within the cutoff now, and a tenth or two more."""
    near = np.bincount(neighbour_pairs(frame, cutoff).atom).max(initial=0)
    return math.ceil(1.1 * float(near)) + 2


def _loaded(model: Any) -> Any:
    if isinstance(model, str | os.PathLike):
        model = load(os.fspath(model))
    if not isinstance(model, Potential):
        raise ValueError(
            f"{type(model).__name__} is no potential: it needs a cutoff and to be called with a batch"
        )
    return model


def _dtype_of(model: Any) -> str:
    for leaf in jax.tree.leaves(eqx.filter(model, eqx.is_inexact_array)):
        return "float64" if leaf.dtype == jnp.float64 else "float32"
    return jax.dtypes.canonicalize_dtype("float64").name


def _voigt(stress: np.ndarray) -> Float64[np.ndarray, " 6"]:
    return np.array([stress[row, column] for row, column in _VOIGT])


def _matrix(stress: np.ndarray) -> Float64[np.ndarray, "3 3"]:
    if stress.shape == (3, 3):
        return stress
    matrix = np.zeros((3, 3))
    for value, (row, column) in zip(stress, _VOIGT, strict=True):
        matrix[row, column] = matrix[column, row] = value
    return matrix
