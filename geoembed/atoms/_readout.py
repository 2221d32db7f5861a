"""From the features of an atom to numbers."""

import math

import equinox as eqx
import jax
from jaxtyping import Array, Float, PRNGKeyArray

from ..core import register
from ._gain import SILU_GAIN, scaled_silu
from ._normals import normals


@register
class LinearReadout(eqx.Module):
    """A linear function of the invariant features.

    Args:
        channels: Channels.
        key: Random key of the weights, normal numbers.
    """

    weight: Float[Array, "channels 1"]

    def __init__(self, channels: int, *, key: PRNGKeyArray):
        self.weight = jax.random.normal(key, (channels, 1))

    def __call__(self, features: Float[Array, "atoms components channels"]) -> Float[Array, " atoms"]:
        """One number for each atom."""
        return (features[:, 0] @ (self.weight / math.sqrt(self.weight.shape[0])))[:, 0]


@register
class NonlinearReadout(eqx.Module):
    """Linear, SiLU, linear, of the invariant features.

    Args:
        channels: Channels.
        hidden: Hidden units.
        gain: By which the SiLU is multiplied.
        key: Random key of the weights, normal numbers.
    """

    first: Float[Array, "channels hidden"]
    second: Float[Array, "hidden 1"]
    gain: float = eqx.field(static=True)

    def __init__(self, channels: int, hidden: int = 16, *, gain: float = SILU_GAIN, key: PRNGKeyArray):
        ((self.first, self.second),) = normals(key, [(channels, hidden), (hidden, 1)])
        self.gain = gain

    def __call__(self, features: Float[Array, "atoms components channels"]) -> Float[Array, " atoms"]:
        """One number for each atom."""
        x = scaled_silu(features[:, 0] @ (self.first / math.sqrt(self.first.shape[0])), self.gain)
        return (x @ (self.second / math.sqrt(self.second.shape[0])))[:, 0]
