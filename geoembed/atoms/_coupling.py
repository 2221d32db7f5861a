"""How angular momenta couple: real Clebsch–Gordan coefficients, computed once in float64."""

import functools
import math

import numpy as np
from jaxtyping import Complex128, Float64


@functools.cache
def clebsch_gordan(l1: int, l2: int, l3: int) -> Float64[np.ndarray, "m1 m2 m3"]:
    """The tensor C that couples l1 and l2 to l3: z_k = Σᵢⱼ C[i, j, k] xᵢ yⱼ turns as l3 when x and y turn as l1, l2.

    In the basis of real spherical harmonics of `spherical_harmonics`, with Σ C² = 1. Exact up to rounding.

    Args:
        l1: First degree.
        l2: Second degree.
        l3: Degree of the result.

    Returns:
        The coefficients.

    Raises:
        ValueError: The degrees violate |l1 − l2| ≤ l3 ≤ l1 + l2.

    References:
        Racah, Phys. Rev. 62, 438 (1942), eq. 16: the complex coefficients.

    Example:
        >>> abs(clebsch_gordan(1, 1, 0)[:, :, 0]).round(4).tolist()
        [[0.5774, 0.0, 0.0], [0.0, 0.5774, 0.0], [0.0, 0.0, 0.5774]]
    """
    if not abs(l1 - l2) <= l3 <= l1 + l2:
        raise ValueError(f"degrees {l1} and {l2} do not couple to {l3}")
    first, second, third = (_real_to_complex(degree) for degree in (l1, l2, l3))
    table = np.einsum("ai,bj,ck,abc->ijk", first, second, np.conj(third), _complex(l1, l2, l3)).real
    table = table / np.linalg.norm(table)
    table[np.abs(table) < 1e-14] = 0.0
    table.flags.writeable = False
    return table


def _complex(l1: int, l2: int, l3: int) -> Float64[np.ndarray, "m1 m2 m3"]:
    table = np.zeros((2 * l1 + 1, 2 * l2 + 1, 2 * l3 + 1))
    for m1 in range(-l1, l1 + 1):
        for m2 in range(-l2, l2 + 1):
            if abs(m1 + m2) <= l3:
                table[l1 + m1, l2 + m2, l3 + m1 + m2] = _racah(l1, m1, l2, m2, l3)
    return table


def _racah(l1: int, m1: int, l2: int, m2: int, l3: int) -> float:
    """⟨l1 m1 l2 m2 | l3 m1+m2⟩ with whole numbers up to the last square root."""
    m3, f = m1 + m2, math.factorial
    above = (2 * l3 + 1) * f(l3 + l1 - l2) * f(l3 - l1 + l2) * f(l1 + l2 - l3)
    above *= f(l3 + m3) * f(l3 - m3) * f(l1 - m1) * f(l1 + m1) * f(l2 - m2) * f(l2 + m2)
    total = 0.0
    for k in range(max(0, l2 - l3 - m1, l1 - l3 + m2), min(l1 + l2 - l3, l1 - m1, l2 + m2) + 1):
        below = f(k) * f(l1 + l2 - l3 - k) * f(l1 - m1 - k) * f(l2 + m2 - k)
        below *= f(l3 - l2 + m1 + k) * f(l3 - l1 - m2 + k)
        total += (-1) ** k / below
    return math.sqrt(above / f(l1 + l2 + l3 + 1)) * total


def _real_to_complex(degree: int) -> Complex128[np.ndarray, "m m"]:
    """The complex harmonics m = −l … l as combinations of the real ones, times a phase that makes C real."""
    table = np.zeros((2 * degree + 1, 2 * degree + 1), complex)
    table[degree, degree] = 1.0
    for m in range(1, degree + 1):
        table[degree - m, [degree + m, degree - m]] = 1 / math.sqrt(2), -1j / math.sqrt(2)
        table[degree + m, [degree + m, degree - m]] = (-1) ** m / math.sqrt(2), 1j * (-1) ** m / math.sqrt(2)
    return (-1j) ** degree * table
