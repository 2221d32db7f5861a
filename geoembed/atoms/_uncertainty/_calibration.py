"""Whether standard deviations are true: beside the errors on labelled structures."""

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
from jaxtyping import Float64

from ...core import InputError
from .._committee import Committee
from .._frame import Frame
from .._training._evaluate import check_labels, evaluate
from .._training._interaction import check_elements, precision
from ._frames import directions
from ._posterior import Posterior

_NONE = 1e-9  # eV/atom or eV/Å: what symmetry forbids, but for rounding
_ROUNDING = 1e-6  # of the root mean square of all deviations


@dataclass(frozen=True)
class Reliability:
    """Standard deviations beside errors.

    Args:
        count: How many values were compared.
        error: The root mean square error.
        deviation: The root mean square of the standard deviations.
        standardised: The root mean square of error/deviation. 1 is right; above it, deviations are too small. It is
            also the factor by which they have to be multiplied.
        within: The share of values that are off by less than one deviation; 0.68 for normal errors.
        rank: Spearman's correlation of |error| with the deviation, −1 to 1; None where one of them is constant. Right
            deviations that do not vary have 0.
    """

    count: int
    error: float
    deviation: float
    standardised: float
    within: float
    rank: float | None


@dataclass(frozen=True)
class Calibration:
    """How far deviations are true; None where there are no labels.

    Args:
        energy: Of energies, eV/atom.
        forces: Of components of forces, eV/Å.
        structures: Of structures, eV/Å: root mean squares over the components of a structure's forces. Its `rank` says
            whether the structures with large errors are found.
    """

    energy: Reliability | None
    forces: Reliability | None
    structures: Reliability | None

    def to_dict(self) -> dict[str, Any]:
        """The numbers as what JSON can hold."""
        return asdict(self)


def calibration(model: Committee | Posterior, frames: Sequence[Frame], *, batch: int = 16) -> Calibration:
    """Compares the standard deviations of a committee or a posterior with its errors.

    The structures have to be others than those it was trained on: there, errors are smaller. To mend the size of a
    posterior's deviations take `posterior.scaled(energy=found.energy.standardised, forces=found.forces.standardised)`
    with a part of the structures, and measure again with the rest.

    Args:
        model: What has deviations.
        frames: Labelled structures; labels that are missing do not count.
        batch: Structures in a batch.

    Returns:
        What was found. Values whose deviation is 0 up to rounding, such as forces that symmetry forbids, do not count.

    Raises:
        InputError: There are no structures or no labels, or the potential does not know an element.

    References:
        Pernot, "The long road to calibrated prediction uncertainty in computational chemistry", J. Chem. Phys. 156,
        114109 (2022).
    """
    check_labels(frames, "frames")
    with precision(model):
        check_elements(model, frames, "frames")
        potential = model.potential if isinstance(model, Posterior) else model
        found = evaluate(potential, frames, batch=batch)
        each = list(directions(model, frames, batch))
    energy = np.array([np.sqrt(np.sum(one.energy**2)) for one in each])
    forces = [np.sqrt(np.sum(one.forces**2, axis=0)).ravel() for one in each]
    ends = np.cumsum([len(one) for one in forces])[:-1]
    errors = [pairs[:, 1] - pairs[:, 0] for pairs in np.split(found.forces, ends)]
    return Calibration(
        _reliability(found.energy[:, 1] - found.energy[:, 0], energy),
        _reliability(np.concatenate(errors), np.concatenate(forces)),
        _reliability(np.array([_size(one) for one in errors]), np.array([_size(one) for one in forces])),
    )


def _size(values: np.ndarray) -> float:
    return float(np.sqrt(np.mean(values**2)))


def _reliability(
    errors: Float64[np.ndarray, " n"], deviations: Float64[np.ndarray, " n"]
) -> Reliability | None:
    """NaN in `errors` is a label that is not known."""
    there = ~np.isnan(errors) & (deviations > max(_NONE, _ROUNDING * _size(deviations)))
    if not np.any(there):
        return None
    error, deviation = np.abs(errors[there]), deviations[there]
    ratio = error / deviation
    return Reliability(
        int(np.sum(there)),
        _size(error),
        _size(deviation),
        _size(ratio),
        float(np.mean(ratio < 1.0)),
        rank_correlation(error, deviation),
    )


def rank_correlation(x: Float64[np.ndarray, " n"], y: Float64[np.ndarray, " n"]) -> float | None:
    """Spearman's correlation, ties with their mean rank; None where one of them is constant."""
    first, second = (_ranks(values) for values in (x, y))
    if np.ptp(first) == 0 or np.ptp(second) == 0:
        return None
    return float(np.corrcoef(first, second)[0, 1])


def _ranks(values: np.ndarray) -> np.ndarray:
    _, place, often = np.unique(values, return_inverse=True, return_counts=True)
    return (np.cumsum(often) - 0.5 * (often - 1))[place]


def check_uncertain(model: Any, why: str) -> None:
    """Raises InputError when a potential has no deviations."""
    if not isinstance(model, Committee | Posterior):
        hint = "Make one: atoms.posterior(potential, labelled), or a Committee"
        raise InputError("<model>", "", f"{why} needs a Posterior or a Committee", hint)
