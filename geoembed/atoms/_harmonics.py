"""Real spherical harmonics as polynomials in the components of a vector."""

import functools
import math

import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Float, Float64

from ._coupling import clebsch_gordan


def spherical_harmonics(
    vectors: Float[Array, "*shape 3"], max_ell: int
) -> Float[Array, "*shape {(max_ell+1)**2}"]:
    """The harmonics of degree 0 to `max_ell` of unit vectors, each degree with squares that add up to 2l + 1.

    They are homogeneous polynomials of x, y, z; degree 1 is √3 (x, y, z), and Y(l+1) is the coupling of Y(l) and
    Y(1). Of other vectors they are the solid harmonics, multiplied by rˡ.

    Args:
        vectors: Unit vectors.
        max_ell: The largest degree.

    Returns:
        Their (max_ell + 1)² components, degree by degree.

    Example:
        >>> (spherical_harmonics(jnp.array([0.0, 0.0, 1.0]), 1) ** 2).round(4).tolist()
        [1.0, 0.0, 0.0, 3.0]
    """
    axes = [jnp.squeeze(x, -1) for x in jnp.split(vectors, 3, axis=-1)]
    powers = [[jnp.ones_like(axes[0])]]
    for degree in range(1, max_ell + 1):
        powers.append(
            [powers[-1][base] * axes[axis] for base, axis in zip(*_monomials(degree)[1], strict=True)]
        )
    table = np.zeros((sum(map(len, powers)), (max_ell + 1) ** 2))
    row = 0
    for degree, monomials in enumerate(powers):
        table[row : row + len(monomials), degree**2 : (degree + 1) ** 2] = _polynomials(degree)
        row += len(monomials)
    stacked = jnp.stack([monomial for monomials in powers for monomial in monomials], axis=-1)
    return stacked @ jnp.asarray(table, vectors.dtype)


@functools.cache
def _monomials(degree: int) -> tuple[list[tuple[int, int, int]], tuple[list[int], list[int]]]:
    """The exponents of each monomial, and how it is made: which one of one degree less, times which component."""
    powers = [(degree - b - c, b, c) for b in range(degree + 1) for c in range(degree + 1 - b)]
    if degree == 0:
        return powers, ([], [])
    lower = _monomials(degree - 1)[0]
    axes = [max(range(3), key=lambda i, p=p: p[i] > 0) for p in powers]
    bases = [lower.index(_changed(p, axis, -1)) for p, axis in zip(powers, axes, strict=True)]
    return powers, (bases, axes)


def _changed(powers: tuple[int, int, int], axis: int, by: int) -> tuple[int, int, int]:
    x, y, z = (p + by * (i == axis) for i, p in enumerate(powers))
    return x, y, z


@functools.cache
def _polynomials(degree: int) -> Float64[np.ndarray, "monomials components"]:
    """The coefficients of each monomial in each harmonic."""
    if degree == 0:
        return np.ones((1, 1))
    lower, powers = _monomials(degree - 1)[0], _monomials(degree)[0]
    table = np.zeros((len(powers), 2 * degree + 1))
    couple = clebsch_gordan(degree - 1, 1, degree)
    for row, p in enumerate(lower):
        for axis in range(3):
            table[powers.index(_changed(p, axis, 1))] += _polynomials(degree - 1)[row] @ couple[:, axis]
    size = np.linalg.norm(_values(powers) @ table)
    return table * math.sqrt(2 * degree + 1) / size


def _values(powers: list[tuple[int, int, int]]) -> Float64[np.ndarray, " monomials"]:
    point = np.array([2.0, 3.0, 6.0]) / 7.0
    return np.array([np.prod(point ** np.array(p)) for p in powers])
