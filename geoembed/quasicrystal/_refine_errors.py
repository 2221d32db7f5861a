"""How well a refinement fits, and how well it determines its parameters."""

from typing import Any

import jax
import numpy as np
from jaxtyping import Array, Float

from ..train import LevenbergMarquardt, Rows

_LOST = 1e-12  # an eigenvalue of the scaled curvature below this share of the largest says nothing


def curvature(
    solver: LevenbergMarquardt, numbers: Float[Array, " p"], data: Rows
) -> tuple[Float[np.ndarray, "p p"], Float[np.ndarray, " p"]]:
    """The covariance (JᵀJ)⁻¹ of the numbers at a minimum and their standard deviations.

    Directions along which χ² is flat are left out of the covariance, and the numbers that they move have the error inf.
    """
    residuals = solver.residuals
    here = residuals.evaluated(numbers, residuals.cut([data]))
    matrix = np.asarray(residuals.normal(numbers, here.cut.pieces, here.rows)[0], np.float64)
    diagonal = np.diag(matrix)
    lengths = np.sqrt(np.where(diagonal > 0, diagonal, 1.0))
    values, vectors = np.linalg.eigh(matrix / np.outer(lengths, lengths))
    lost = values <= max(_LOST, len(values) * float(np.finfo(numbers.dtype).eps)) * values.max()
    inverse = (vectors[:, ~lost] / values[~lost]) @ vectors[:, ~lost].T
    covariance = inverse / np.outer(lengths, lengths)
    errors = np.sqrt(np.diag(covariance))
    free = np.abs(vectors[:, lost]).max(1, initial=0.0) > 1e-3
    return covariance, np.where(free, np.inf, errors)


def r_factors(
    intensities: Float[np.ndarray, " n"], sigmas: Float[np.ndarray, " n"], calculated: Float[np.ndarray, " n"]
) -> tuple[float, float]:
    """R of the amplitudes and the weighted R of the intensities."""
    measured = np.asarray(intensities, np.float64)
    weights = 1.0 / np.asarray(sigmas, np.float64) ** 2
    amplitudes = np.sqrt(np.maximum(measured, 0.0))
    r = np.abs(amplitudes - np.sqrt(calculated)).sum() / amplitudes.sum()
    weighted = np.sum(weights * (measured - calculated) ** 2) / np.sum(weights * measured**2)
    return float(r), float(np.sqrt(weighted))


def names_of(parameters: Any) -> tuple[str, ...]:
    """The place of every number of a pytree, in the order in which they are put into a vector."""
    found: list[str] = []
    for path, leaf in jax.tree_util.tree_leaves_with_path(parameters):
        place = jax.tree_util.keystr(path, simple=True, separator=".")
        found += [
            place + "".join(f"[{i}]" for i in index) if index else place for index in np.ndindex(leaf.shape)
        ]
    return tuple(found)
