"""An element that is not known as a mixture of those that are."""

from collections.abc import Sequence

import numpy as np
from jaxtyping import Float64

from ._element_properties import standardised

_NOISE = 0.01  # by how much known elements may be missed, as a part of the variance of a property


def mixture_by_properties(number: int, known: Sequence[int]) -> Float64[np.ndarray, " known"]:
    """How much of each known element there is in another one, by its physical properties.

    The best linear unbiased prediction (universal kriging) of an unknown function of the standardised properties x that
    is a constant, a linear function and a smooth one: its covariance is x·x′/p + exp(−|x − x′|²/2p) for p properties.
    With few elements it extrapolates (W is 0.8 Ta + 0.4 Mo − 0.2 Nb), with many it leans on those that are alike.

    Args:
        number: The atomic number of the other one.
        known: Those of the known ones, one or more, all different.

    Returns:
        The parts; they add up to 1, and some may be negative.

    References:
        Cressie, "Statistics for Spatial Data", Wiley 1993, section 3.4.
    """
    points = standardised()[np.array([number, *known]) - 1]
    count, size = len(known), points.shape[1]
    squares = np.sum((points[:, None] - points) ** 2, axis=-1)
    covariance = points @ points.T / size + np.exp(-squares / (2 * size))
    system = np.zeros((count + 1, count + 1))
    system[:count, :count] = covariance[1:, 1:] + _NOISE * np.eye(count)
    system[count, :count] = system[:count, count] = 1.0
    return np.linalg.solve(system, np.append(covariance[0, 1:], 1.0))[:count]


def mixture_by_vector(
    vector: Float64[np.ndarray, " size"], vectors: Float64[np.ndarray, "known size"]
) -> Float64[np.ndarray, " known"]:
    """The smallest parts, adding up to 1, with which known vectors come nearest to another one."""
    rows = np.concatenate([vectors.T, np.ones((1, len(vectors)))])
    return np.linalg.lstsq(rows, np.append(vector, 1.0), rcond=1e-9)[0]
