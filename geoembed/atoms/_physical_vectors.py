"""Vectors of length 1 for the elements, near each other where the elements are alike."""

import functools

import numpy as np
from jaxtyping import Float64

from ._element_properties import standardised

_SPREAD = (
    0.5  # root mean square distance from the middle before the projection to the sphere, whose radius is 1
)
SMALLEST = 3  # numbers in a vector: with two, elements that have little in common come together


@functools.cache
def physical_vectors(size: int) -> Float64[np.ndarray, "118 size"]:
    """The vectors of all elements, row Z − 1 for the atomic number Z; they do not depend on a data set.

    The principal components of the standardised properties, as many as `size` − 1 has room for, go to a sphere by
    the inverse of the stereographic projection, x ↦ (1 − |x|², 2x)/(1 + |x|²). So all lengths are 1, which random
    weights expect; no two elements come together; and |v − v′| = 2|x − x′|/√((1 + |x|²)(1 + |x′|²)).

    Args:
        size: Of a vector, at least 3. From 9 on nothing is lost, and what is over is 0.

    Returns:
        The vectors.

    Raises:
        ValueError: The size is too small.
    """
    if size < SMALLEST:
        raise ValueError(f"physical vectors need a size of at least {SMALLEST}, received {size}")
    table = standardised()
    _, spreads, axes = np.linalg.svd(table, full_matrices=False)
    axes = axes[spreads > 1e-9 * spreads[0]][: size - 1]
    axes = axes * np.sign(axes[np.arange(len(axes)), np.argmax(np.abs(axes), axis=1)])[:, None]
    points = table @ axes.T
    points = points * (_SPREAD / np.sqrt(np.mean(np.sum(points**2, axis=1))))
    squares = np.sum(points**2, axis=1, keepdims=True)
    vectors = np.zeros((len(table), size))
    vectors[:, : 1 + len(axes)] = np.concatenate([1 - squares, 2 * points], axis=1) / (1 + squares)
    vectors.flags.writeable = False
    return vectors
