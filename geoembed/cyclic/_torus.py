"""Several cyclic quantities at once: a point on a torus."""

import equinox as eqx
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Float, PRNGKeyArray

from ..core import Property, host_generator, register, rows_on_device
from ._arguments import phase, plain, require_count, require_finite, require_period, vector
from ._harmonics import harmonics
from ._promises import Rotations, harmonic_slope, promises


@register
class Torus(eqx.Module):
    """Several numbers with a period each (hour and weekday, two dihedral angles) as a point on a product of circles.

    The code is that of `Cyclic` for one coordinate after the other, uᵢ = (xᵢ − originᵢ) / periodᵢ: a flat torus, on
    which the difference of two points, coordinate by coordinate, says how far they are apart.

    Args:
        periods: One turn of each coordinate, in the unit of that coordinate. Finite and above 0.
        harmonics: Number of harmonics of each coordinate, at least 1.
        origins: Where uᵢ = 0, one for each coordinate; None for zeros.

    Raises:
        ValueError: One of these is out of its range.

    Example:
        >>> import jax.numpy as jnp
        >>> hour_and_weekday = Torus((24.0, 7.0))
        >>> hour_and_weekday(jnp.array([6.0, 0.0])).tolist()
        [1.0, 0.0, 0.0, 1.0]
    """

    periods: tuple[float, ...] = eqx.field(static=True, converter=plain)
    harmonics: int = eqx.field(default=1, static=True)
    origins: tuple[float, ...] | None = eqx.field(default=None, static=True, converter=plain, kw_only=True)

    def __check_init__(self) -> None:
        if not isinstance(self.periods, tuple) or not self.periods:
            raise ValueError(f"Torus needs at least one period, received {self.periods!r}: pass a tuple")
        for period in self.periods:
            require_period("Torus", period)
        require_count("Torus", "harmonics", self.harmonics)
        if self.origins is None:
            return
        if not isinstance(self.origins, tuple) or len(self.origins) != len(self.periods):
            raise ValueError(
                f"Torus needs one origin for each of {len(self.periods)} periods, received {self.origins!r}"
            )
        for origin in self.origins:
            require_finite("Torus", "origin", origin)

    def __call__(self, x: Float[Array, " d"]) -> Float[Array, " n_features"]:
        """Returns the code of one point.

        Args:
            x: The coordinates, each in its own unit.

        Returns:
            2hd numbers in the dtype of x: sin 1, cos 1, sin 2, … of the first coordinate, then of the second.

        Raises:
            ValueError: It is not one floating-point vector with a number for each period.
        """
        x = vector(x, len(self.periods), "Torus")
        origins, periods = (jnp.asarray(row, x.dtype) for row in (self._origins, self.periods))
        return harmonics(phase(x, periods, origins), self.harmonics).reshape(-1)

    def metric(self, x: Float[Array, " d"]) -> Float[Array, "d d"]:
        """The pull-back metric Jᵀ J of the code's Jacobian J: diagonal, (2π/periodᵢ)² Σ k².

        Args:
            x: The coordinates.

        Returns:
            The metric, the same everywhere.

        Raises:
            ValueError: It is not one floating-point vector with a number for each period.
        """
        x = vector(x, len(self.periods), "Torus.metric")
        return jnp.diag(jnp.asarray([slope**2 for slope in self._slopes], x.dtype))

    def examples(self, count: int, *, key: PRNGKeyArray) -> list[Float[Array, " d"]]:
        """Points of one period in each coordinate.

        Args:
            count: How many.
            key: Random key.
        """
        turns = host_generator(key).uniform(size=(count, len(self.periods)))
        return rows_on_device(np.asarray(self._origins)[None] + np.asarray(self.periods)[None] * turns)

    @property
    def properties(self) -> tuple[Property, ...]:
        """What it promises; see `geoembed.check`."""
        axes = np.eye(len(self.periods), dtype=int).tolist()
        orders = range(1, self.harmonics + 1)
        rows = tuple(tuple(k * step for step in axis) for axis in axes for k in orders)
        return promises(
            diagonal(self.periods),
            Rotations(self.periods, rows),
            (1.0,) * len(rows),
            self._origins,
            max(self._slopes),
        )

    @property
    def _origins(self) -> tuple[float, ...]:
        return self.origins or (0.0,) * len(self.periods)

    @property
    def _slopes(self) -> list[float]:
        return [harmonic_slope(self.harmonics) / period for period in self.periods]


def diagonal(periods: tuple[float | None, ...]) -> tuple[tuple[float, ...], ...]:
    """The lattice vectors of independent periods as rows; a coordinate without a period (None) has none."""
    return tuple(
        tuple(period if i == j else 0.0 for j in range(len(periods)))
        for i, period in enumerate(periods)
        if period is not None
    )
