"""Random Fourier features of a kernel on the torus."""

from typing import Any

import equinox as eqx
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Float, Float64, Int, Int32, PRNGKeyArray

from ..core import Property, host_generator, register, rows_on_device
from ._arguments import phase, plain, require_count, require_period, vector
from ._kernels import VonMises, WrappedGaussian
from ._promises import Rotations, promises
from ._sine import TURN, cos_turns, sin_turns
from ._torus import diagonal

Kernel = VonMises | WrappedGaussian

_CUT = 1e-9  # of the probability, at most, lies at frequencies that are never drawn
_HIGHEST = 2**22  # frequencies up to here are whole numbers in float32


@register
class CircleFeatures(eqx.Module):
    """Random features of a product kernel on the torus: E[f(x)·f(y)] = Πᵢ k(xᵢ/periodᵢ, yᵢ/periodᵢ).

    f(x) = √(1/count) (sin 2πn₁·u, cos 2πn₁·u, sin 2πn₂·u, …) with uᵢ = xᵢ/periodᵢ. The integers nⱼᵢ are drawn once
    from the kernel's Fourier coefficients, so f is exactly periodic, as no features with real frequencies are, and
    |f| = 1. The error of f(x)·f(y) is that of a mean of `count` numbers in [−1, 1]: at most √(1/count) in the root
    mean square.

    For one period the harmonics are better: `Cyclic` with the weights √(2 pₖ) has the smallest error that a number of
    features can reach. On a torus their number grows as a power of the dimension, that of random features does not.

    The frequencies are data, a numpy array that no optimiser moves.

    Args:
        periods: One turn of each coordinate, in the unit of that coordinate. Finite and above 0.
        kernel: One kernel for all coordinates, or one for each.
        count: Number of frequencies; the code has 2·count numbers.
        key: Random key of the frequencies.

    Raises:
        ValueError: One of these is out of its range, or a kernel is narrower than float32 can tell.

    Example:
        >>> import jax, jax.numpy as jnp
        >>> features = CircleFeatures((24.0, 7.0), VonMises(2.0), 256, key=jax.random.key(0))
        >>> code = features(jnp.array([23.0, 6.5]))
        >>> print(code.shape, f"{code @ code:.3f}")
        (512,) 1.000

    References:
        A. Rahimi, B. Recht, Random Features for Large-Scale Kernel Machines, NIPS 2007, algorithm 1.
    """

    frequencies: Int[Array | np.ndarray, "n_frequencies d"]
    periods: tuple[float, ...] = eqx.field(static=True)
    kernels: tuple[Kernel, ...] = eqx.field(static=True)

    def __init__(
        self,
        periods: Any,
        kernel: Kernel | tuple[Kernel, ...] | list[Kernel],
        count: int,
        *,
        key: PRNGKeyArray,
    ):
        periods = plain(periods)
        if not isinstance(periods, tuple) or not periods:
            raise ValueError(f"CircleFeatures needs at least one period, received {periods!r}: pass a tuple")
        for period in periods:
            require_period("CircleFeatures", period)
        require_count("CircleFeatures", "count", count)
        kernels = tuple(kernel) if isinstance(kernel, tuple | list) else (kernel,) * len(periods)
        if len(kernels) != len(periods):
            raise ValueError(
                f"CircleFeatures needs one kernel, or one for each of {len(periods)} periods, received {len(kernels)}"
            )
        self.periods, self.kernels = periods, kernels
        random = host_generator(key)
        columns = [_draw(probabilities(kernel), count, random) for kernel in kernels]
        self.frequencies = np.stack(columns, axis=1)

    def __call__(self, x: Float[Array, " d"]) -> Float[Array, " n_features"]:
        """Returns the features of one point.

        Args:
            x: The coordinates, each in its own unit.

        Returns:
            2·count numbers in the dtype of x: sine and cosine of one frequency after the other.

        Raises:
            ValueError: It is not one floating-point vector with a number for each period.
        """
        x = vector(x, len(self.periods), "CircleFeatures")
        turns = phase(x, jnp.asarray(self.periods, x.dtype))
        angles = jnp.sum(jnp.asarray(self.frequencies, x.dtype) * turns[None], axis=1)
        pairs = jnp.stack([sin_turns(angles), cos_turns(angles)], axis=1)
        return pairs.reshape(-1) * len(self.frequencies) ** -0.5

    def examples(self, count: int, *, key: PRNGKeyArray) -> list[Float[Array, " d"]]:
        """Points of one period in each coordinate.

        Args:
            count: How many.
            key: Random key.
        """
        return rows_on_device(host_generator(key).uniform(0.0, self.periods, (count, len(self.periods))))

    def __hash__(self) -> int:
        return hash((self.periods, self.kernels))  # lets `jax.jit(features)` find its cache

    @property
    def properties(self) -> tuple[Property, ...]:
        """What it promises; see `geoembed.check`."""
        rows = np.asarray(self.frequencies)
        speeds = TURN * rows / np.asarray(self.periods) / np.sqrt(len(rows))
        return promises(
            diagonal(self.periods),
            Rotations(self.periods, tuple(map(tuple, rows.tolist()))),
            (len(rows) ** -0.5,) * len(rows),
            (0.0,) * len(self.periods),
            float(np.linalg.norm(speeds, ord=2)),
        )


def probabilities(kernel: Kernel) -> Float64[np.ndarray, " n_coefficients"]:
    """A kernel's Fourier coefficients p₀, p₁, … up to where the rest is negligible.

    Raises:
        ValueError: They reach beyond the whole numbers of float32.
    """
    count = 8
    while count <= _HIGHEST:
        spectrum = kernel.spectrum(count)
        if spectrum[0] + 2 * spectrum[1:].sum() > 1 - _CUT:
            return spectrum
        count *= 2
    raise ValueError(f"{kernel} is too narrow: it needs frequencies above {_HIGHEST}, use a wider one")


def _draw(spectrum: np.ndarray, count: int, random: np.random.Generator) -> Int32[np.ndarray, " count"]:
    """Integers n with probabilities p₍|n|₎."""
    highest = len(spectrum) - 1
    both = np.concatenate([spectrum[:0:-1], spectrum])
    steps = np.cumsum(both)
    drawn = np.searchsorted(steps, steps[-1] * random.random(count), side="right")
    return (np.minimum(drawn, 2 * highest) - highest).astype(np.int32)
