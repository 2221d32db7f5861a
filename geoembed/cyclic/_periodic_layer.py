"""A first layer that makes a network periodic with all its derivatives."""

from typing import Any

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Float, PRNGKeyArray

from ..core import Property, host_generator, register, rows_on_device
from ._arguments import phase, plain, require_count, require_period, vector
from ._sine import cos_turns
from ._torus import diagonal


@register
class PeriodicLayer(eqx.Module):
    """The first layer of a network for periodic boundary conditions, after Dong & Ni.

    Each coordinate feeds `width` units of its own. With u = x / period,

        v = tanh(Σₖ Aₖ cos 2π(k u + φₖ) + c),  k = 1 … harmonics,  for a coordinate with a period,
        v = tanh(a x + c)                                            for one without,

    and the layer returns the linear map W v + b of all units, those of coordinates with a period first. Amplitudes A,
    phases φ, slopes a, shifts c, W and b are learned, the periods are not. So whatever smooth network follows, its
    value and all its derivatives agree at x and x + period to rounding, and no penalty for the boundary is needed.
    With one harmonic the units are those of the paper, whose tanh makes the higher ones.

    The last operation is linear: give it to a network that starts with an activation or with another linear map.

    Args:
        periods: One turn of each coordinate, in the unit of that coordinate, or None for one that is not periodic
            (time). At least one period.
        width: Number of outputs, and of units of each coordinate.
        key: Random key of the start.
        harmonics: Number of cosines in each unit, at least 1.

    Raises:
        ValueError: One of these is out of its range.

    Example:
        >>> import equinox as eqx, jax, jax.numpy as jnp
        >>> first, second = jax.random.split(jax.random.key(0))
        >>> layer = PeriodicLayer((2.0, None), 16, key=first)
        >>> network = eqx.nn.MLP(16, "scalar", 16, 2, jnp.tanh, key=second)
        >>> left, right = (network(layer(jnp.array([x, 0.3]))) for x in (-1.0, 1.0))
        >>> bool(left == right)
        True

    References:
        S. Dong, N. Ni, A method for representing periodic functions and enforcing exactly periodic boundary
        conditions with deep neural networks, J. Comput. Phys. 435, 110242, 2021 (the C∞ periodic layer).
    """

    amplitudes: Float[Array, "p width harmonics"]
    phases: Float[Array, "p width harmonics"]  # in turns
    slopes: Float[Array, "q width"]  # of the coordinates without a period, per unit
    shifts: Float[Array, "d width"]
    weight: Float[Array, "width n_units"]
    bias: Float[Array, " width"]
    periods: tuple[float | None, ...] = eqx.field(static=True)

    def __init__(self, periods: Any, width: int, *, key: PRNGKeyArray, harmonics: int = 1):
        self.periods = _checked(periods)
        require_count("PeriodicLayer", "width", width)
        require_count("PeriodicLayer", "harmonics", harmonics)
        keys = jax.random.split(key, 5)
        d, p = len(self.periods), len(self._cyclic)
        self.amplitudes = jax.random.normal(keys[0], (p, width, harmonics)) * harmonics**-0.5
        self.phases = jax.random.uniform(keys[1], (p, width, harmonics))
        self.slopes = jax.random.normal(keys[2], (d - p, width))
        self.shifts = 0.5 * jax.random.normal(keys[3], (d, width))
        self.weight = jax.random.normal(keys[4], (width, d * width)) * (d * width) ** -0.5
        self.bias = jnp.zeros(width)

    def __call__(self, x: Float[Array, " d"]) -> Float[Array, " width"]:
        """Returns the layer's output for one point.

        Args:
            x: The coordinates, each in its own unit.

        Returns:
            `width` numbers in the dtype of x.

        Raises:
            ValueError: It is not one floating-point vector with a number for each coordinate.
        """
        x = vector(x, len(self.periods), "PeriodicLayer")
        units = jnp.concatenate([self._waves(x), self._lines(x)]) + self.shifts.astype(x.dtype)
        terms = self.weight.astype(x.dtype) * jnp.tanh(units).reshape(1, -1)
        return jnp.sum(terms, axis=1) + self.bias.astype(x.dtype)

    def _waves(self, x: Float[Array, " d"]) -> Float[Array, "p width"]:
        """Sums of cosines for the coordinates with a period."""
        lengths = [period for period in self.periods if period is not None]
        turns = phase(x[self._cyclic], jnp.asarray(lengths, x.dtype))
        # equal numbers from here on: k·u + φ rounds the same way in every period
        orders = jnp.arange(1, self.amplitudes.shape[2] + 1, dtype=x.dtype)
        angles = orders[None, None] * turns[:, None, None] + self.phases.astype(x.dtype)
        return jnp.sum(self.amplitudes.astype(x.dtype) * cos_turns(angles), axis=2)

    def _lines(self, x: Float[Array, " d"]) -> Float[Array, "q width"]:
        """Linear functions of the coordinates without a period."""
        others = np.array([i for i, period in enumerate(self.periods) if period is None], int)
        return self.slopes.astype(x.dtype) * x[others][:, None]

    @property
    def _cyclic(self) -> np.ndarray:
        """The numbers of the coordinates with a period."""
        return np.array([i for i, period in enumerate(self.periods) if period is not None], int)

    def examples(self, count: int, *, key: PRNGKeyArray) -> list[Float[Array, " d"]]:
        """Points of one period in each coordinate, between 0 and 1 where there is none.

        Args:
            count: How many.
            key: Random key.
        """
        lengths = [period or 1.0 for period in self.periods]
        return rows_on_device(host_generator(key).uniform(0.0, lengths, (count, len(lengths))))

    def __hash__(self) -> int:
        return hash(self.periods)  # lets `jax.jit(layer)` find its cache

    @property
    def properties(self) -> tuple[Property, ...]:
        """What it promises whatever it has learned; see `geoembed.check`."""
        where = "within four periods of 0, for amplitudes and weights of order 1"
        return (
            Property("periodic", diagonal(self.periods), tol_f32=1e-4, tol_f64=1e-12, domain=where),
            Property("smooth", constant=3),
        )


def _checked(periods: Any) -> tuple[float | None, ...]:
    periods = plain(periods)
    if not isinstance(periods, tuple) or all(period is None for period in periods):
        raise ValueError(
            f"PeriodicLayer needs a tuple with at least one period, received {periods!r}: "
            "None stands for a coordinate that is not periodic"
        )
    for period in periods:
        if period is not None:
            require_period("PeriodicLayer", period)
    return periods
