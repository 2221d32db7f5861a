"""Learned frequencies: one linear and several sinusoidal features of a number."""

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Float, PRNGKeyArray

from ..core import Property, host_generator, register, rows_on_device
from ._arguments import numbers, plain, require_count
from ._sine import sin_turns


@register
class Time2Vec(eqx.Module):
    """Time2Vec: (f₀x + φ₀, sin 2π(f₁x + φ₁), …) with learned frequencies f and phases φ.

    It has no exact period. A frequency that is learned is never exactly 1/period, its error grows with the distance
    from the data, and training moves it on: the feature of 24 h becomes one of 24.1 h. Use `Cyclic` for a period that
    is known, and Time2Vec beside it for periods that are not.

    Frequencies start normally distributed, phases evenly over a turn; all are trained.

    Args:
        width: Number of features, at least 2.
        key: Random key of the start.
        scale: Standard deviation of the frequencies at the start, in turns per unit of x. Choose 1 over the shortest
            period to be found.

    Raises:
        ValueError: The width is below 2 or the scale is not positive.

    Example:
        >>> import jax, jax.numpy as jnp
        >>> encoder = Time2Vec(8, key=jax.random.key(0), scale=1 / 24)
        >>> encoder(jnp.array(5.5)).shape
        (8,)

    References:
        S. M. Kazemi et al., Time2Vec: Learning a Vector Representation of Time, arXiv:1907.05321, 2019, eq. (1), here
        with 2π in front of frequencies and phases.
    """

    frequencies: Float[Array, " width"]
    phases: Float[Array, " width"]

    def __init__(self, width: int, *, key: PRNGKeyArray, scale: float = 1.0):
        require_count("Time2Vec", "width", width, 2)
        scale = plain(scale)
        if not 0 < scale < float("inf"):
            raise ValueError(f"Time2Vec needs a finite scale above 0, received {scale!r}: pass 1 / period")
        first, second = jax.random.split(key)
        self.frequencies = scale * jax.random.normal(first, (width,))
        self.phases = jax.random.uniform(second, (width,))

    def __call__(self, x: Float[Array, "*shape"]) -> Float[Array, "*shape width"]:
        """Returns the features.

        Args:
            x: Numbers, in the unit of 1 / scale.

        Returns:
            The linear feature and the sines on a new last axis, in the dtype of x.

        Raises:
            ValueError: The numbers have an integer dtype.
        """
        x = numbers(x, "Time2Vec")
        row = (1,) * x.ndim + (-1,)
        frequencies, phases = (leaf.astype(x.dtype).reshape(row) for leaf in (self.frequencies, self.phases))
        angles = frequencies * x[..., None] + phases
        return jnp.concatenate([angles[..., :1], sin_turns(angles[..., 1:])], axis=-1)

    def examples(self, count: int, *, key: PRNGKeyArray) -> list[Float[Array, ""]]:
        """Numbers over four turns of a typical frequency.

        Args:
            count: How many.
            key: Random key.
        """
        typical = float(np.sqrt(np.mean(np.asarray(self.frequencies) ** 2))) or 1.0
        return rows_on_device(4.0 / typical * host_generator(key).uniform(size=count))

    def __hash__(self) -> int:
        return hash(self.frequencies.shape)  # lets `jax.jit(encoder)` find its cache

    @property
    def properties(self) -> tuple[Property, ...]:
        """What it promises whatever it has learned; see `geoembed.check`. No period is among it."""
        return (Property("smooth", constant=3),)
