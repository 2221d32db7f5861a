"""Under which names, in which units and with which signs a file holds energies, forces and stresses."""

from dataclasses import dataclass
from typing import Any

import numpy as np
from jaxtyping import Float64

_FARADAY = 96485.33212  # J/mol in 1 eV
ENERGY_UNITS = {
    "eV": 1.0,
    "meV": 1e-3,
    "Ha": 27.211386245988,
    "kcal/mol": 4184 / _FARADAY,
    "kJ/mol": 1000 / _FARADAY,
}
LENGTH_UNITS = {"Å": 1.0, "Bohr": 0.529177210903}
STRESS_UNITS = {"eV/Å³": 1.0, "GPa": 1 / 160.21766208, "kbar": 1 / 1602.1766208}
_AXES = {
    **{"xx": (0, 0), "yy": (1, 1), "zz": (2, 2), "yz": (1, 2), "xz": (0, 2), "xy": (0, 1)},
    **{"zy": (1, 2), "zx": (0, 2), "yx": (0, 1)},
}
_VOIGT = "xx yy zz yz xz xy"


@dataclass(frozen=True)
class LabelKeys:
    """Where the labels of an extended XYZ file stand and what their numbers mean.

    Labels are converted to eV, eV/Å and eV/Å³ with tension positive. A virial W becomes the stress −W/V, as in
    QUIP's files.

    Args:
        energy: The key of the energy in the comment line; None leaves it alone. So for the others.
        forces: The column of the forces.
        stress: The key of the stress, nine numbers or six.
        virial: The key of the virial, nine numbers or six.
        energy_unit: eV, meV, Ha, kcal/mol or kJ/mol; of energy, forces and virial.
        length_unit: Å or Bohr; of the forces only, positions are always Å.
        stress_unit: eV/Å³, GPa or kbar.
        compression_positive: Whether positive numbers mean compression, as VASP writes them.
        order: What six numbers are; VASP writes xx yy zz xy yz zx.

    Raises:
        ValueError: A unit or an order is unknown, or a name stands twice or means something else.

    Example:
        >>> keys = LabelKeys(energy="REF_energy", stress_unit="GPa")
        >>> VASP.order, VASP.compression_positive
        ('xx yy zz xy yz zx', True)
    """

    energy: str | None = "energy"
    forces: str | None = "forces"
    stress: str | None = "stress"
    virial: str | None = None
    energy_unit: str = "eV"
    length_unit: str = "Å"
    stress_unit: str = "eV/Å³"
    compression_positive: bool = False
    order: str = _VOIGT

    def __post_init__(self):
        for unit, table in (
            (self.energy_unit, ENERGY_UNITS),
            (self.length_unit, LENGTH_UNITS),
            (self.stress_unit, STRESS_UNITS),
        ):
            if unit not in table:
                raise ValueError(f"the unit {unit!r} is unknown; expected one of {', '.join(table)}")
        axes = [_AXES.get(word) for word in self.order.split()]
        if len(axes) != 6 or set(axes) != set(_AXES.values()):
            raise ValueError(f"order={self.order!r} does not name six components, like {_VOIGT!r}")
        names = [name for name in (self.energy, self.stress, self.virial) if name is not None]
        taken = ("", "pos", "species", "Z", "numbers")
        if len(set(names)) != len(names) or "" in names or self.forces in taken:
            raise ValueError(
                f"the names {[*names, self.forces]} are empty, stand twice or mean something else"
            )

    def asked(self) -> list[str]:
        """The names that are not those of the format, so that a file without any of them is a mistake."""
        names = (self.energy, self.forces, self.stress, self.virial)
        return [name for name in names if name not in (None, "energy", "forces", "stress")]


VASP = LabelKeys(
    stress="vasp_stress_kbar", stress_unit="kbar", compression_positive=True, order="xx yy zz xy yz zx"
)
"""The numbers of VASP's "in kB" line under the key `vasp_stress_kbar`; energies and forces under their usual names."""


def take_labels(
    table: dict[str, np.ndarray], info: dict[str, Any], keys: LabelKeys, volume: float
) -> tuple[float | None, Float64[np.ndarray, "n 3"] | None, Float64[np.ndarray, "3 3"] | None]:
    """Takes energy (eV), forces (eV/Å) and stress (eV/Å³) out of the columns and values of a frame.

    Raises:
        ValueError: A label has another form, or the frame has a stress and a virial, or a virial and no volume.
    """
    energy_unit = ENERGY_UNITS[keys.energy_unit]
    forces = _forces(table, keys.forces)
    if forces is not None:
        forces = forces * (energy_unit / LENGTH_UNITS[keys.length_unit])
    energy = None if keys.energy is None else info.pop(keys.energy, None)
    if energy is not None:
        if isinstance(energy, bool) or not isinstance(energy, int | float):
            raise ValueError(f"{keys.energy} {str(energy)[:40]!r} is not a number")
        energy = float(energy) * energy_unit
    return energy, forces, _stress(info, keys, volume)


def _forces(table: dict[str, np.ndarray], name: str | None) -> np.ndarray | None:
    forces = None if name is None else table.pop(name, None)
    if forces is not None and (forces.dtype.kind != "f" or forces.ndim != 2 or forces.shape[1] != 3):
        raise ValueError(f"the column {name} is not of the form {name}:R:3")
    return forces


def _stress(info: dict[str, Any], keys: LabelKeys, volume: float) -> np.ndarray | None:
    sign = -1.0 if keys.compression_positive else 1.0
    stress = _symmetric(info, keys.stress, keys.order)
    virial = _symmetric(info, keys.virial, keys.order)
    if stress is not None and virial is not None:
        raise ValueError(f"the frame has {keys.stress} and {keys.virial}; name only one of them")
    if virial is not None:
        if volume == 0:
            raise ValueError(f"{keys.virial} needs a cell with a volume")
        return virial * (-ENERGY_UNITS[keys.energy_unit] / volume)
    return None if stress is None else stress * (sign * STRESS_UNITS[keys.stress_unit])


def _symmetric(info: dict[str, Any], name: str | None, order: str) -> np.ndarray | None:
    if name is None or name not in info:
        return None
    values = np.asarray(info.pop(name))
    if values.dtype.kind not in "if" or values.size not in (6, 9):
        raise ValueError(f"{name} is not 6 or 9 numbers")
    if not np.all(np.isfinite(values)):
        raise ValueError(f"{name} is not finite")
    values = values.astype(np.float64).ravel()
    if len(values) == 9:
        matrix = values.reshape(3, 3)
        if np.abs(matrix - matrix.T).max() > 1e-3 * max(np.abs(matrix).max(), 1e-12):
            raise ValueError(f"the {name} is not symmetric")
        return matrix
    matrix = np.zeros((3, 3))
    for value, word in zip(values, order.split(), strict=True):
        row, column = _AXES[word]
        matrix[row, column] = matrix[column, row] = value
    return matrix
