"""One cyclic quantity: a point on a circle, with its harmonics."""

from typing import Any

import equinox as eqx
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Float, PRNGKeyArray

from ..core import Property, host_generator, register, rows_on_device
from ._arguments import numbers, phase, plain, require_count, require_finite, require_period
from ._circle import decode
from ._harmonics import harmonics
from ._promises import Rotations, harmonic_slope, promises


@register
class Cyclic(eqx.Module):
    """A number with a period as a point on a circle, (w₁ sin 2πu, w₁ cos 2πu, …, wₕ sin 2πhu, wₕ cos 2πhu).

    u = (x − origin) / period. Exactly periodic; a translation of x turns each pair, so a distance of codes depends on
    the difference of the numbers only: |e(x) − e(y)|² = 4 Σₖ wₖ² sin² πk(x − y)/period. Linear models of the code are
    Fourier series.

    The phase is as good as x itself: seconds since 1970 in float32 are 128 s apart and belong through `fold` first.

    Args:
        period: One turn, in the unit of x. Finite and above 0.
        harmonics: Number of harmonics h, at least 1.
        origin: The x at which u = 0.
        weights: Amplitudes w₁ … wₕ ≥ 0, not all 0; None for ones. With wₖ = √(2 pₖ) of a kernel's spectrum p,
            e(x)·e(y) + p₀ is the kernel up to its harmonics above h: the best approximation that 2h + 1 features can
            give in the mean square.

    Raises:
        ValueError: One of these is out of its range. There is no default period.

    Example:
        >>> import jax.numpy as jnp
        >>> hour = Cyclic(24.0)
        >>> late, early = hour(jnp.array([23.5, 0.5]))
        >>> print(f"{jnp.linalg.norm(late - early):.3f}")
        0.261
        >>> print("at {:.2f} h, confidence {:.3f}".format(*hour.decode(late)))
        at 23.50 h, confidence 1.000
    """

    period: float = eqx.field(static=True, converter=plain)
    harmonics: int = eqx.field(default=1, static=True)
    origin: float = eqx.field(default=0.0, static=True, converter=plain, kw_only=True)
    weights: tuple[float, ...] | None = eqx.field(default=None, static=True, converter=plain, kw_only=True)

    def __check_init__(self) -> None:
        require_period("Cyclic", self.period)
        require_count("Cyclic", "harmonics", self.harmonics)
        require_finite("Cyclic", "origin", self.origin)
        if self.weights is not None:
            _require_weights(self.weights, self.harmonics)

    def __call__(self, x: Float[Array, "*shape"]) -> Float[Array, "*shape n_features"]:
        """Returns the code.

        Args:
            x: Numbers in the unit of the period.

        Returns:
            w₁ sin, w₁ cos, w₂ sin, … on a new last axis of length 2h, in the dtype of x.

        Raises:
            ValueError: The numbers have an integer dtype.
        """
        x = numbers(x, "Cyclic")
        code = harmonics(phase(x, self.period, self.origin), self.harmonics)
        if self.weights is None:
            return code
        weights = np.repeat(self.weights, 2).reshape((1,) * x.ndim + (-1,))
        return code * jnp.asarray(weights, x.dtype)

    def metric(self, x: Float[Array, "*shape"]) -> Float[Array, "*shape"]:
        """The pull-back metric g(x) = |de/dx|² = (2π/period)² Σ k² wₖ²: ds² = g dx² is a length in the code.

        Args:
            x: Numbers in the unit of the period.

        Returns:
            g, the same everywhere, in 1 / unit².
        """
        return jnp.full_like(numbers(x, "Cyclic.metric"), self._slope**2)

    def decode(
        self, code: Float[Array, "*shape n_features"]
    ) -> tuple[Float[Array, "*shape"], Float[Array, "*shape"]]:
        """The number of a code, read from its first harmonic.

        Args:
            code: A code, or an average of several; only its first two numbers are used.

        Returns:
            x in [origin, origin + period), and the confidence: the radius of the first harmonic over w₁, 1 for the
            code of a number, less for an average of different ones.

        Raises:
            ValueError: The first weight is 0, or the last axis is too short.
        """
        first = 1.0 if self.weights is None else self.weights[0]
        if first == 0 or code.shape[-1] < 2:
            raise ValueError(
                f"decode needs the first harmonic, received codes of shape {code.shape} with w₁ = {first}"
            )
        turns, radius = decode(code[..., :2])
        x = self.origin + self.period * turns
        return jnp.where(x < self.origin + self.period, x, self.origin), radius / first

    def examples(self, count: int, *, key: PRNGKeyArray) -> list[Float[Array, ""]]:
        """Numbers of one period.

        Args:
            count: How many.
            key: Random key.
        """
        return rows_on_device(self.origin + self.period * host_generator(key).uniform(size=count))

    @property
    def properties(self) -> tuple[Property, ...]:
        """What it promises for one number; see `geoembed.check`."""
        orders = tuple((k,) for k in range(1, self.harmonics + 1))
        amplitudes = self.weights or (1.0,) * self.harmonics
        rotations = Rotations((self.period,), orders)
        return promises(self.period, rotations, amplitudes, (self.origin,), self._slope)

    @property
    def _slope(self) -> float:
        return harmonic_slope(self.harmonics, self.weights) / self.period


def _require_weights(weights: Any, harmonics: int) -> None:
    numbers = isinstance(weights, tuple) and all(type(w) is float and np.isfinite(w) for w in weights)
    if not numbers or len(weights) != harmonics or min(weights) < 0 or max(weights) == 0:
        raise ValueError(
            f"Cyclic needs one weight ≥ 0 for each of {harmonics} harmonics, not all 0, received {weights!r}: "
            "pass a tuple of numbers"
        )
