"""Errors of predicted values in numbers."""

from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
from jaxtyping import Float64


@dataclass(frozen=True)
class Deviation:
    """How far values are from their labels.

    Args:
        count: How many values were compared.
        mae: The mean of |value − label|; None without any.
        rmse: The root of the mean of (value − label)²; None without any.
    """

    count: int
    mae: float | None
    rmse: float | None

    @property
    def mean_square(self) -> float:
        """The mean of (value − label)²; 0 without any."""
        return 0.0 if self.rmse is None else self.rmse**2


@dataclass(frozen=True)
class Errors:
    """Errors of a potential over some structures.

    Args:
        energy: Of the energies per atom, eV/atom; one value a structure.
        forces: Of the components of the forces, eV/Å.
        stress: Of the components of the stresses, eV/Å³.
    """

    energy: Deviation
    forces: Deviation
    stress: Deviation

    def to_dict(self) -> dict[str, Any]:
        """The numbers as what JSON can hold; without what was not compared."""
        return {name: values for name, values in asdict(self).items() if values["count"]}


def deviation(pairs: Float64[np.ndarray, "n 2"]) -> Deviation:
    """The deviation of pairs (label, value); pairs with a label that is NaN do not count."""
    known = pairs[~np.isnan(pairs[:, 0])]
    if len(known) == 0:
        return Deviation(0, None, None)
    errors = known[:, 1] - known[:, 0]
    return Deviation(len(known), float(np.abs(errors).mean()), float(np.sqrt((errors**2).mean())))
