"""Positive definite kernels on the circle and their Fourier coefficients."""

import dataclasses
import math
from collections.abc import Sequence
from typing import Any

import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Float, Float64
from scipy import special

from ..core import register
from ._arguments import plain
from ._sine import TURN, as_turns, cos_turns, sin_turns

_SWITCH = 0.4  # width in turns; both series of the wrapped Gaussian converge equally fast near 1/√(2π)
_IMAGES = np.arange(-3.0, 4.0)  # the next one is below exp(−3.5² / 0.32) = 3e-17
_WAVES = np.arange(1.0, 4.0)  # the next one is below 2 exp(−2π² · 0.16 · 16) = 3e-22


def von_mises(
    a: Float[Array, "*#shape"], b: Float[Array, "*#shape"], concentration: Float[Array, ""] | float
) -> Float[Array, "*#shape"]:
    """The von Mises kernel exp(κ (cos 2π(a − b) − 1)), 1 at equal angles.

    Positive definite and smooth; for large κ a Gaussian of width 1/(2π√κ) turns. Computed as exp(−2κ sin² π(a − b)),
    which does not cancel where the angles are close.

    Args:
        a: Angles in turns.
        b: Angles in turns, of the same shape or broadcasting with a.
        concentration: κ ≥ 0; may be traced and trained.

    Returns:
        Values in (0, 1], in the dtype of the angles.

    Raises:
        ValueError: The angles have an integer dtype.

    Example:
        >>> import jax.numpy as jnp
        >>> print(f"{von_mises(jnp.array(0.9), jnp.array(0.1), 2.0):.3f}")
        0.251

    References:
        K. V. Mardia, P. E. Jupp, Directional Statistics, 2000, section 3.5.4.
    """
    half = 0.5 * _apart(a, b)
    return jnp.exp(-2.0 * jnp.asarray(concentration, half.dtype) * sin_turns(half) ** 2)


def wrapped_gaussian(
    a: Float[Array, "*#shape"], b: Float[Array, "*#shape"], width: Float[Array, ""] | float
) -> Float[Array, "*#shape"]:
    """The wrapped Gaussian Σₙ exp(−(a − b + n)² / 2σ²) over all integers n, divided by its value at a = b.

    Positive definite and smooth. With q = exp(−2π²σ²) it equals Σₙ q^(n²) cos 2πn(a − b) / Σₙ q^(n²), the quotient
    θ₃(π(a − b), q) / θ₃(0, q). The first sum serves widths below 0.4 turns and the second those above; the terms left
    out are below 1e-16, so the error is that of rounding for every width.

    Args:
        a: Angles in turns.
        b: Angles in turns, of the same shape or broadcasting with a.
        width: σ > 0 in turns; may be traced and trained.

    Returns:
        Values in [0, 1], in the dtype of the angles.

    Raises:
        ValueError: The angles have an integer dtype.

    Example:
        >>> import jax.numpy as jnp
        >>> print(f"{wrapped_gaussian(jnp.array(0.95), jnp.array(0.05), 0.1):.3f}")
        0.607

    References:
        K. V. Mardia, P. E. Jupp, Directional Statistics, 2000, section 3.5.7.
    """
    apart = _apart(a, b)
    apart = apart - jnp.round(apart)
    width = jnp.asarray(width, apart.dtype)
    narrow = width < _SWITCH
    few_images = _images(
        apart, jnp.where(narrow, width, _SWITCH)
    )  # no overflow on the side that is not taken
    few_waves = _waves(apart, jnp.where(narrow, _SWITCH, width))
    return jnp.where(narrow, few_images, few_waves)


def _images(apart: Array, width: Array) -> Array:
    shifts = jnp.asarray(_IMAGES, apart.dtype)

    def total(distances: Array) -> Array:
        return jnp.sum(jnp.exp(-0.5 * (distances / width) ** 2), axis=-1)

    moved = apart[..., None] + shifts.reshape((1,) * apart.ndim + (-1,))
    return total(moved) / total(shifts)


def _waves(apart: Array, width: Array) -> Array:
    orders = jnp.asarray(_WAVES, apart.dtype)
    powers = jnp.exp(-0.5 * (TURN * width * orders) ** 2)
    rows = (1,) * apart.ndim + (-1,)
    waves = powers.reshape(rows) * cos_turns(orders.reshape(rows) * apart[..., None])
    return (1.0 + 2.0 * jnp.sum(waves, axis=-1)) / (1.0 + 2.0 * jnp.sum(powers))


def _apart(a: Any, b: Any) -> Array:
    """a − b without the whole turns of each, so that large angles keep their digits."""
    a, b = as_turns(a, "a kernel on the circle"), as_turns(b, "a kernel on the circle")
    return (a - jnp.round(a)) - (b - jnp.round(b))


@register
@dataclasses.dataclass(frozen=True)
class VonMises:
    """The kernel `von_mises` with a fixed concentration.

    Args:
        concentration: κ ≥ 0.

    Raises:
        ValueError: It is negative or not finite.

    Example:
        >>> VonMises(2.0).spectrum(2).round(3).tolist()
        [0.309, 0.215, 0.093]
    """

    concentration: float

    def __post_init__(self) -> None:
        object.__setattr__(self, "concentration", plain(self.concentration))
        if not (math.isfinite(self.concentration) and self.concentration >= 0):
            raise ValueError(f"VonMises needs a concentration ≥ 0, received {self.concentration!r}")

    def __call__(self, a: Float[Array, "*#shape"], b: Float[Array, "*#shape"]) -> Float[Array, "*#shape"]:
        """The kernel of two angles in turns."""
        return von_mises(a, b, self.concentration)

    def spectrum(self, count: int) -> Float64[np.ndarray, " n_coefficients"]:
        """The Fourier coefficients p₀ … p_count: k(a, b) = Σₙ p₍|n|₎ cos 2πn(a − b) over all integers n.

        pₙ = exp(−κ) Iₙ(κ). They are a probability: p₀ + 2 Σ pₙ = 1.

        Args:
            count: The last order.
        """
        return special.ive(np.arange(count + 1), self.concentration)


@register
@dataclasses.dataclass(frozen=True)
class WrappedGaussian:
    """The kernel `wrapped_gaussian` with a fixed width.

    Args:
        width: σ > 0, in turns.

    Raises:
        ValueError: It is not positive or not finite.

    Example:
        >>> WrappedGaussian(0.1).spectrum(2).round(3).tolist()
        [0.251, 0.206, 0.114]
    """

    width: float

    def __post_init__(self) -> None:
        object.__setattr__(self, "width", plain(self.width))
        if not (math.isfinite(self.width) and self.width > 0):
            raise ValueError(f"WrappedGaussian needs a width above 0, received {self.width!r}")

    def __call__(self, a: Float[Array, "*#shape"], b: Float[Array, "*#shape"]) -> Float[Array, "*#shape"]:
        """The kernel of two angles in turns."""
        return wrapped_gaussian(a, b, self.width)

    def spectrum(self, count: int) -> Float64[np.ndarray, " n_coefficients"]:
        """The Fourier coefficients p₀ … p_count: k(a, b) = Σₙ p₍|n|₎ cos 2πn(a − b) over all integers n.

        pₙ = q^(n²) / θ₃(0, q) with q = exp(−2π²σ²). They are a probability: p₀ + 2 Σ pₙ = 1.

        Args:
            count: The last order.
        """
        powers = np.exp(-0.5 * (TURN * self.width * np.arange(count + 1)) ** 2)
        if self.width < _SWITCH:  # θ₃(0, q) by Poisson's summation
            return powers * math.sqrt(TURN) * self.width / _gaussian_total(_IMAGES / self.width)
        return powers / _gaussian_total(TURN * self.width * _IMAGES)


def _gaussian_total(points: np.ndarray | Sequence[float]) -> float:
    return float(np.sum(np.exp(-0.5 * np.asarray(points) ** 2)))
