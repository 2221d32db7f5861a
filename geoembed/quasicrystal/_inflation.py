"""Inflation: the quasicrystal scaled by a unit of its ring of integers is a part of the quasicrystal."""

import math
from typing import NamedTuple

import equinox as eqx
import numpy as np
from jaxtyping import Float64, Int64

from ._frames import frame, quadratic_coefficients
from ._lattice import Lattice, is_named
from ._model import Model

_UNITS = {  # a + b θ + c θ², with the θ of the frame: τ; 1 + √2 = 1 + 2θ; τ; 2 + √3 = 2 + θ; τ³ = 2τ + 1
    "fibonacci": (0, 1),
    "octagonal": (1, 2),
    "pentagonal": (0, 1),
    "dodecagonal": (2, 1),
    "icosahedral": (1, 2),
}
_MOST = 100_000  # of u in a unit (t + u√D)/2


class Inflation(NamedTuple):
    """A map of the lattice to itself that stretches parallel space and shrinks perpendicular space.

    P M n = λ P n and Q M n = λ′ Q n, exactly: M is a matrix of integers with determinant ±1.

    Args:
        matrix: M.
        factor: λ > 1.
        conjugate: λ′, with |λ′| < 1.
    """

    matrix: Int64[np.ndarray, "D D"]
    factor: float
    conjugate: float

    @property
    def inverse(self) -> Int64[np.ndarray, "D D"]:
        """The deflation M⁻¹, in integers."""
        return np.rint(np.linalg.inv(self.matrix)).astype(np.int64)

    def image(self, model: Model) -> Model:
        """The quasicrystal that has all points λ x of another among its own: its shift is λ′ times that one's.

        For windows of which λ′ times each lies in that of the coset where M takes its points, as those of all named
        models do. The inflated points n ↦ M n are those in the shrunk windows. Surfaces must sit at the origin.
        """
        return eqx.tree_at(lambda m: m.shift, model, self.conjugate * model.shift)


def inflation(lattice: Lattice) -> Inflation:
    """The inflation of a named lattice: by τ (Fibonacci, pentagonal), 1 + √2, 2 + √3, or τ³ (icosahedral).

    These are the smallest for which the matrix has integers in the basis of the lattice and stretches all directions
    alike. For `quadratic_chain` it is the fundamental unit of its module.

    Args:
        lattice: An unstrained lattice with a name.

    Raises:
        ValueError: It is another one, or the unit of a chain is out of reach.

    Example:
        >>> from geoembed.quasicrystal import fibonacci
        >>> inflation(fibonacci().lattice).matrix.tolist()  # long → long and short, short → long
        [[1, 1], [1, 0]]

    References:
        M. Baake, U. Grimm, Aperiodic Order, volume 1, 2013, sections 3.4 and 7.1 to 7.4; icosahedral: D. S. Rokhsar,
            N. D. Mermin, D. C. Wright, Phys. Rev. B 35, 5487 (1987).
    """
    name = lattice.name
    if name is None or not is_named(lattice):
        raise ValueError(f"inflation knows the named lattices without strain, received {name!r}")
    known = frame(name)
    a, b = _unit(name)
    factor, conjugate = float(a + b * known.theta), float(a + b * known.conjugate)
    both = np.concatenate([known.parallel, known.perpendicular]).astype(np.float64)
    d = len(known.parallel)
    scales = np.repeat([factor, conjugate], [d, len(both) - d])
    matrix: Float64[np.ndarray, "D D"] = np.linalg.solve(both, scales[:, None] * both)
    return Inflation(np.rint(matrix).astype(np.int64), factor, conjugate)


def _unit(name: str) -> tuple[int, int]:
    """a, b of the unit a + b θ.

    The numbers that multiply the module of θ and 1 into itself, where a θ² + b θ + c = 0 without a common divisor, are
    those of the quadratic order of the discriminant D = b² − 4ac. Its units are (t + u√D)/2 with t² − D u² = ±4.
    """
    coefficients = quadratic_coefficients(name)
    if coefficients is None:
        return _UNITS[name]
    a, b, c = coefficients
    discriminant = b * b - 4 * a * c
    for u in range(1, _MOST):
        for square in (discriminant * u * u - 4, discriminant * u * u + 4):
            t = math.isqrt(square)
            if t * t == square:
                return (t + u * b) // 2, u * a  # √D = 2 a θ + b
    raise ValueError(f"inflation found no unit of {name} with u < {_MOST}: it is too large to be of use")
