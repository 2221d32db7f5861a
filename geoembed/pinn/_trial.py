"""The form of the network: conditions that hold exactly, coordinates that know the corners and periods."""

from typing import Any

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Float

from ..core import Property, host_generator, register, rows_on_device
from ..sdf._shapes._parameters import like
from ._along import Point
from ._domains._factor import HardFactor
from ._domains._singular import CornerFunctions
from ._tensor_spline import UnitCoordinates
from ._values import Between, Blend, Ends, Known


@register
class Coordinates(eqx.Module):
    """What a network sees of a point: coordinates from −1 to 1, the circle of a periodic one, functions of corners.

    Args:
        lower: The lower corner of the box around the domain, time last.
        upper: The upper corner.
        periodic: Which coordinates are periodic; they become cos and sin of the angle, so every smooth function of
            them has that period with all its derivatives.
        corners: Features of the corners where solutions are singular.
    """

    lower: Float[np.ndarray, " d"]
    upper: Float[np.ndarray, " d"]
    periodic: tuple[bool, ...] = eqx.field(static=True)
    corners: CornerFunctions | None = None

    @property
    def size(self) -> int:
        """How many numbers it returns."""
        return len(self.periodic) + sum(self.periodic) + (0 if self.corners is None else self.corners.size)

    def __call__(self, x: Point) -> Float[Array, " f"]:
        """Returns the features of one point, in its dtype."""
        lower, upper = jnp.asarray(self.lower, x.dtype), jnp.asarray(self.upper, x.dtype)
        unit = 2 * (x - lower) / (upper - lower) - 1
        circle = np.array(self.periodic)
        angle = np.pi * unit[np.flatnonzero(circle)]
        parts = [jnp.cos(angle), jnp.sin(angle), unit[np.flatnonzero(~circle)]]
        if self.corners is not None:
            parts.append(self.corners(x))
        return jnp.concatenate(parts)


@register
class Shaping(eqx.Module):
    """u = g + m N of one unknown: what makes its conditions hold exactly.

    Without time g is the value on the boundary and m the factor that vanishes there. With time, τ = t − t₀ and
    T = t₁ − t₀,

        g(x, t) = u₀(x) + τ u₁(x) + b(x, t) − b(x, t₀) [− τ ∂b/∂t(x, t₀)],     m = (τ/T)ᵏ m(x),

    with b the value on the boundary, u₀ and u₁ the initial value and rate, k how many of these are given.

    Args:
        factor: m(x); None where no value is given on the boundary.
        boundary: b; None for zeros.
        initial: u₀ and u₁, as far as given.
        start: t₀.
        span: T; None without time.
        settled: Whether the network itself is 0 at the first moment, and its rate if that is given: no power of time
            is needed then.
    """

    factor: HardFactor | Ends | None
    boundary: Known | Between | Blend | None
    initial: tuple[Known, ...]
    start: float = eqx.field(static=True, default=0.0)
    span: float | None = eqx.field(static=True, default=None)
    settled: bool = eqx.field(static=True, default=False)

    def __call__(self, x: Point, raw: Float[Array, ""]) -> Float[Array, ""]:
        """Returns g(x) + m(x) raw."""
        given = jnp.zeros((), x.dtype) if self.boundary is None else self.boundary(x)
        if self.span is None:
            return given + raw if self.factor is None else given + self.factor(x) * raw
        place, elapsed = x[:-1], x[-1] - self.start
        first = x.at[-1].set(self.start)
        if self.initial:
            given = given + self.initial[0](first)
        if len(self.initial) == 2:
            given = given + elapsed * self.initial[1](first)
        if self.initial and self.boundary is not None:
            now = jnp.zeros_like(x).at[-1].set(1.0)
            before, rate = jax.jvp(self.boundary, (first,), (now,))
            given = given - before - (elapsed * rate if len(self.initial) == 2 else 0.0)
        scaled = raw if self.settled else raw * (elapsed / self.span) ** len(self.initial)
        return given + scaled if self.factor is None else given + self.factor(place) * scaled


@register
class NetworkField(eqx.Module):
    """A field as a network: uᵢ(x) = gᵢ(x) + mᵢ(x) N(features(x))ᵢ.

    One point in, time last; a number out, or a vector for several unknowns. The value is computed in the dtype of the
    point. It is as smooth as the network wherever the boundary functions are: everywhere but at corners.

    Args:
        network: N, with an output for each unknown.
        coordinates: The features.
        shapings: g and m of each unknown.
        scalar: Whether there is one unknown, so that the value has no axis.
    """

    network: Any
    coordinates: Coordinates | UnitCoordinates
    shapings: tuple[Shaping, ...]
    scalar: bool = eqx.field(static=True)

    def __call__(self, x: Point) -> Float[Array, "*m"]:
        """Returns the field at one point.

        Raises:
            ValueError: It is not one point of the domain's dimension (and time).
        """
        x = jnp.asarray(x)
        size = len(self.coordinates.periodic)
        if x.shape != (size,) or not jnp.issubdtype(x.dtype, jnp.floating):
            raise ValueError(
                f"this field takes one point of {size} floating-point coordinates, received {x.dtype} of shape "
                f"{x.shape}: use jax.vmap for many"
            )
        network = jax.tree.map(lambda leaf: in_dtype(leaf, x), self.network)
        raw = network(self.coordinates(x))
        values = [shaping(x, raw[i]) for i, shaping in enumerate(self.shapings)]
        return values[0] if self.scalar else jnp.stack(values)

    @property
    def parameters(self) -> int:
        """How many numbers the network has."""
        leaves = jax.tree.leaves(self.network)
        return sum(leaf.size for leaf in leaves if isinstance(leaf, jax.Array | np.ndarray))

    def examples(self, count: int, *, key: Any) -> list[Float[Array, " d"]]:
        """Random points of the box around the domain, away from its rim."""
        inside = host_generator(key).uniform(0.05, 0.95, (count, len(self.coordinates.periodic)))
        ends = (self.coordinates.lower, self.coordinates.upper)
        lower, upper = (np.asarray(end, np.float64)[None] for end in ends)
        return rows_on_device(lower + inside * (upper - lower))

    def __hash__(self) -> int:
        return hash((self.scalar, self.coordinates.periodic))  # lets `jax.jit(field)` find its cache

    @property
    def properties(self) -> tuple[Property, ...]:
        """What this field promises; see `geoembed.check`."""
        return (Property("smooth", domain="inside the domain", constant=2),)


def in_dtype(leaf: Any, x: Point) -> Any:
    """A leaf of a network; floating-point numbers as a jax array in the dtype of the point."""
    is_array = isinstance(leaf, jax.Array | np.ndarray)
    return like(leaf, x) if is_array and jnp.issubdtype(leaf.dtype, jnp.floating) else leaf
