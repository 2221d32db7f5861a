"""What every encoder made of sines and cosines with fixed frequencies promises, and how a translation acts on it."""

import dataclasses
import math
from typing import Any

import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Float

from ..core import Property
from ._sine import TURN, cos_turns, sin_turns

_EPSILON = (1.2e-7, 2.3e-16)  # float32, float64
_SINE_ERROR = (5e-7, 1e-15)


@dataclasses.dataclass(frozen=True)
class Rotations:
    """ρ(t): what x ↦ x + t does to the codes (sin 2πf·u, cos 2πf·u), u = x / periods.

    Each pair turns by 2π f·t/periods. The matrices are orthogonal and ρ(s + t) = ρ(s) ρ(t).

    Args:
        periods: The period of each coordinate.
        frequencies: One row of whole numbers f for each pair.
    """

    periods: tuple[float, ...]
    frequencies: tuple[tuple[int, ...], ...]

    def __call__(self, shift: Float[Array, "*d"]) -> Float[Array, "n n"]:
        """Returns the matrix of a translation.

        Args:
            shift: The translation: one number, or one for each coordinate.
        """
        turns = jnp.ravel(shift) / jnp.asarray(self.periods, shift.dtype)
        angles = jnp.sum(jnp.asarray(self.frequencies, shift.dtype) * turns[None], axis=1)
        sine, cosine = sin_turns(angles), cos_turns(angles)
        first = 2 * np.arange(len(self.frequencies))
        matrix = jnp.zeros((2 * len(first), 2 * len(first)), shift.dtype)
        matrix = matrix.at[first, first].set(cosine).at[first + 1, first + 1].set(cosine)
        return matrix.at[first, first + 1].set(sine).at[first + 1, first].set(-sine)


def promises(
    lattice: Any,
    rotations: Rotations,
    amplitudes: tuple[float, ...],
    origins: tuple[float, ...],
    slope: float,
) -> tuple[Property, ...]:
    """The properties of an encoder with the codes aᵢ (sin 2πfᵢ·u, cos 2πfᵢ·u).

    The tolerances are those of positions within four periods of the origin, moved by at most five units: the rounding
    of x, of x + t and of the division, times the slope of a feature, and the error of the sines.

    Args:
        lattice: The period as `geoembed.check.periodic` takes it.
        rotations: The periods and the frequencies f.
        amplitudes: The amplitudes a, one for each row of frequencies.
        origins: Where u = 0, one for each period.
        slope: The Lipschitz constant; 0 when every feature is constant.
    """
    reach = max(
        8.0 + 4.0 * (abs(origin) + 5.0) / period
        for origin, period in zip(origins, rotations.periods, strict=True)
    )
    steepest = TURN * max(
        amplitude * sum(map(abs, row))
        for amplitude, row in zip(amplitudes, rotations.frequencies, strict=True)
    )
    sines = [4.0 * max(amplitudes) * error for error in _SINE_ERROR]
    exact = tuple(steepest * reach * e + sine for e, sine in zip(_EPSILON, sines, strict=True))
    near = "within four periods of the origin"
    kept = (
        Property("periodic", lattice, tol_f32=exact[0], tol_f64=exact[1], domain=near),
        Property("equivariant", "translations", rotations, tol_f32=exact[0], tol_f64=exact[1], domain=near),
        Property("smooth", constant=3),
    )
    if slope == 0:
        return kept
    # pairs of points that are a hundredth of a period apart round by this much more
    relative = tuple(200.0 * reach * e for e in _EPSILON)
    bound = Property(
        "lipschitz", exactness="bound", constant=slope, tol_f32=relative[0], tol_f64=relative[1], domain=near
    )
    noticed = Property(
        "sensitive",
        "translations",
        domain="shifts that are no whole number of periods",
        constant=min(1e-3, 1e-4 * slope),
    )
    return (*kept, bound, noticed)


def harmonic_slope(harmonics: int, weights: tuple[float, ...] | None = None) -> float:
    """2π √Σ k² w²: the length of the derivative of weighted harmonics, in output per turn."""
    weights = weights or (1.0,) * harmonics
    return TURN * math.sqrt(sum((k * w) ** 2 for k, w in enumerate(weights, start=1)))
