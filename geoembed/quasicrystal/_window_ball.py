"""Balls as windows."""

import math
from typing import Any

import equinox as eqx
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Float

from ..core import norm, register, sinc
from ._complex import as_complex
from ._frames import decimals, exactly
from ._window import Points, Window

_NODES = 64  # enough for |k| r up to 90


@register
class Ball(Window):
    """A ball |q| ≤ r, of 1, 2 or 3 dimensions.

    Args:
        radius: r, in units of the lattice constant.
        dimension: m.

    Example:
        >>> import jax.numpy as jnp
        >>> print(f"{Ball(jnp.asarray(1.0), 2).volume():.4f}")
        3.1416
    """

    radius: Float[Array, ""]
    dimension: int = eqx.field(static=True)

    def margin(self, q: Points) -> Any:
        if isinstance(q, np.ndarray):
            return np.asarray(self.radius, q.dtype) - np.linalg.norm(q, axis=-1)
        return self.radius - norm(q)

    def volume(self) -> Float[Array, ""]:
        return {1: 2.0, 2: math.pi, 3: 4.0 * math.pi / 3.0}[self.dimension] * self.radius**self.dimension

    def transform(self, k: Float[Array, "*n m"]) -> Array:
        x = self.radius * norm(k)
        if self.dimension == 1:
            return as_complex(self.volume() * sinc(x / math.pi))
        if self.dimension == 2:
            # J₁(x)/x = (1/π) ∫ cos(x cos t) sin² t dt over a half turn: the trapezoidal rule converges geometrically
            # once its points are more than |x|, and the integrand is entire.
            angles = (np.arange(_NODES) + 0.5) * (math.pi / _NODES)
            cosines = jnp.asarray(np.cos(angles), x.dtype)
            squares = jnp.asarray(np.sin(angles) ** 2, x.dtype)
            waves = jnp.cos(x[..., None] * cosines.reshape((1,) * x.ndim + (-1,)))
            return as_complex(self.volume() * (2.0 / _NODES) * (waves @ squares))
        return as_complex(self.volume() * _sphere(x))

    def support(self, directions: Points) -> Any:
        lengths = (
            np.linalg.norm(directions, axis=-1) if isinstance(directions, np.ndarray) else norm(directions)
        )
        return self.radius * lengths

    @exactly
    def exact_depth(self, q: np.ndarray) -> np.ndarray:
        return decimals(self.radius) ** 2 - (q**2).sum(-1)


# 3 (sin x − x cos x) / x³ = Σ (−1)ᵏ 6 (k + 1) x²ᵏ / (2k + 3)!
_SPHERE = tuple((-1) ** k * 6 * (k + 1) / math.factorial(2 * k + 3) for k in range(12))


def _sphere(x: Float[Array, "*n"]) -> Float[Array, "*n"]:
    """The transform of the ball divided by its volume; a series where the closed form cancels."""
    near = x < 2.0
    squares = jnp.square(jnp.where(near, x, 0.0))
    series = jnp.zeros_like(squares)
    for coefficient in reversed(_SPHERE):
        series = series * squares + coefficient
    far = jnp.where(near, 2.0, x)
    return jnp.where(near, series, 3.0 * (jnp.sin(far) - far * jnp.cos(far)) / far**3)
