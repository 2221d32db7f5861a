"""How the displacement of an elastic body behaves at its edges."""

import numpy as np
from jaxtyping import Bool, Float

_ROUNDING = 1e-3  # rad: angles are rounded to this
_LAMBDA = np.linspace(0.2, 1.0, 3201)[1:-1]
_TANGENT = 0.15  # a minimum this near to zero is a pair of complex roots close to the real axis


def edge_exponents(
    angle: Float[np.ndarray, " e"],
    one_held: Bool[np.ndarray, " e"],
    other_held: Bool[np.ndarray, " e"],
    poisson: float,
) -> Float[np.ndarray, " e"]:
    """Returns the exponents λ of the displacement at edges: at distance r it behaves as r^λ.

    λ is the smallest of that of shear along the edge, π/ω between two free or two held faces and π/(2ω) between a
    free and a held one, and those of plane strain across it, the real parts of the roots of

        sin² λω = λ² sin² ω                                    two free faces
        sin² λω = λ² sin² ω / κ²                               two held faces
        sin² λω = ((1 + κ)² − 4 λ² sin² ω) / (4κ)              a free and a held one

    with κ = 3 − 4ν and the angle ω inside the body. Exponents above 1 are returned as 1: such edges are smooth
    enough.

    Args:
        angle: ω, rad.
        one_held: Whether the one face is held.
        other_held: Whether the other one is.
        poisson: ν.

    Returns:
        The exponents.

    References:
        M. L. Williams, J. Appl. Mech. 19 (1952) 526.
    """
    kind = one_held.astype(np.int64) + other_held
    keys = np.stack([np.rint(angle / _ROUNDING).astype(np.int64), kind], axis=1)
    different, which = np.unique(keys, axis=0, return_inverse=True)
    found = np.array(
        [_exponent(number * _ROUNDING, held, 3 - 4 * poisson) for number, held in different.tolist()]
    )
    return found[which.reshape(-1)] if len(angle) else np.zeros(0)


def _exponent(angle: float, held: int, kappa: float) -> float:
    angle = max(angle, 1e-9)
    along = np.pi / angle * (0.5 if held == 1 else 1.0)
    left, square = np.sin(_LAMBDA * angle) ** 2, (_LAMBDA * np.sin(angle)) ** 2
    if held == 1:
        gap = left - ((1 + kappa) ** 2 - 4 * square) / (4 * kappa)
    else:
        gap = left - (square if held == 0 else square / kappa**2)
    crossing = np.flatnonzero(gap[1:] * gap[:-1] <= 0)
    if len(crossing):
        across = float(_LAMBDA[crossing[0]])
    else:
        closest = int(np.argmin(np.abs(gap)))
        inside = 0 < closest < len(gap) - 1
        across = float(_LAMBDA[closest]) if inside and abs(gap[closest]) < _TANGENT else 1.0
    return float(min(along, across, 1.0))
