"""Random Fourier features of a point."""

import math

import equinox as eqx
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Float, PRNGKeyArray

from .._properties import Property
from .._random import host_generator
from .._registry import register
from ._dense import draw, require_counts, require_positive, vector


@register
class FourierFeatures(eqx.Module):
    """γ(x) = (cos 2πBx, sin 2πBx) with a fixed random matrix B: a network behind it learns detail quickly.

    The rows of B are normal numbers with standard deviation `scale`: γ(x)·γ(y)/count estimates the kernel
    exp(−2π² scale² |x − y|²). A larger scale gives finer detail, and noise between the data. B is data, a numpy
    array that no optimiser moves. |γ(x)|² = count.

    Args:
        inputs: Numbers in.
        count: Frequencies; the features are twice as many.
        scale: Standard deviation of the frequencies, in cycles per unit of the input.
        key: Random key of the frequencies.

    Raises:
        ValueError: A size is below 1 or the scale not above 0.

    References:
        M. Tancik et al., Fourier features let networks learn high frequency functions in low dimensional domains,
        NeurIPS 2020, section 6.1 (Gaussian).

    Example:
        >>> import jax, jax.numpy as jnp
        >>> features = FourierFeatures(3, 8, scale=2.0, key=jax.random.key(0))
        >>> round(float(jnp.sum(features(jnp.ones(3)) ** 2)), 4)
        8.0
    """

    matrix: Float[Array | np.ndarray, "count inputs"]

    def __init__(self, inputs: int, count: int, *, scale: float, key: PRNGKeyArray):
        require_counts("FourierFeatures", inputs=inputs, count=count)
        require_positive("FourierFeatures", scale=scale)
        random = host_generator(key)
        self.matrix = scale * random.standard_normal((count, inputs))

    def __call__(self, x: Float[Array, " inputs"]) -> Float[Array, " features"]:
        """Returns the features of one point, in its dtype: all cosines, then all sines.

        Args:
            x: The point.

        Raises:
            ValueError: It is not one vector of as many floating-point numbers as there are inputs.
        """
        x = vector(x, self.matrix.shape[1], "FourierFeatures")
        rows = jnp.asarray(self.matrix, x.dtype)
        angles = 2 * math.pi * (x @ rows.T)
        return jnp.concatenate([jnp.cos(angles), jnp.sin(angles)])

    def examples(self, count: int, *, key: PRNGKeyArray) -> list[Float[Array, " inputs"]]:
        """Points of the unit cube."""
        return draw(self.matrix.shape[1], count, key, low=0.0)

    def __hash__(self) -> int:
        return hash(self.matrix.shape)  # lets `jax.jit(features)` find its cache

    @property
    def properties(self) -> tuple[Property, ...]:
        """What it promises; see `geoembed.check`."""
        # |J v|² = Σ (2π bᵢ·v)² (sin² + cos²): the Jacobian has the singular values of 2πB at every point.
        largest = float(2 * math.pi * np.linalg.norm(np.asarray(self.matrix, np.float64), ord=2))
        return (
            Property("lipschitz", constant=largest, tol_f32=1e-4),
            Property("smooth", constant=2, domain="for frequencies up to about 10"),
        )
