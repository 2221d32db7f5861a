"""Values on several boundaries as one function, and trial functions that satisfy Neumann and Robin conditions."""

from collections.abc import Callable, Sequence
from typing import Any

import equinox as eqx
import jax
import jax.numpy as jnp
from jaxtyping import Array, Float, PRNGKeyArray

from ...core import Property, register
from .._shapes._parameters import Number, as_parameter, like
from ._boundary import Boundary, boundary_point, draw_around, hash_of
from ._boundary_join import JoinedBoundary, check_pieces, nearness, values_at

Field = Callable[[Float[Array, " d"]], Float[Array, ""]]


def _values(values: Sequence[Any]) -> tuple[Any, ...]:
    return tuple(value if callable(value) else as_parameter(value) for value in values)


@register
class Transfinite(eqx.Module):
    """One function that takes given values on several boundaries, by inverse-distance weights.

        g(x) = Σ wᵢ(x) gᵢ(x),   wᵢ = φᵢ^(−μ) / Σⱼ φⱼ^(−μ).

    The weights are positive and add up to 1. On boundary i, off the others, wᵢ = 1 exactly, so g = gᵢ exactly;
    constants are reproduced, and g lies between the smallest and the largest gᵢ(x). With μ = 2 the first derivatives
    of g on boundary i are those of gᵢ, which Neumann and Robin conditions need (`robin`).

    Where boundaries meet and their values agree, g is continuous with a bounded gradient. Where the values disagree no
    continuous function can take both: there g is the mean, and near it the gradient grows like jump/r. Second
    derivatives grow like 1/r where the values agree and like 1/r² where they do not. No 0/0 arises anywhere.

    Args:
        boundaries: The boundaries; they must not overlap in more than their rims.
        values: For each a number, or a function of one point that is given everywhere, not only on the boundary.
        power: μ, 1 or more.

    Example:
        >>> import jax.numpy as jnp
        >>> from geoembed.sdf import LineBoundary
        >>> walls = LineBoundary((0.0, 1.0), (0.0, 0.0)), LineBoundary((1.0, 0.0), (1.0, 1.0))
        >>> between = Transfinite(walls, [300.0, 400.0])
        >>> float(between(jnp.array([0.0, 0.3]))), float(between(jnp.array([0.5, 0.5])))
        (300.0, 350.0)

    References:
        V. L. Rvachev, T. I. Sheiko, V. Shapiro and I. Tsukanov, Comput. Aided Geom. Des. 18, 195 (2001).
        N. Sukumar and A. Srivastava, Comput. Methods Appl. Mech. Eng. 389, 114333 (2022): transfinite interpolation.
    """

    boundaries: tuple[Boundary, ...] = eqx.field(converter=tuple)
    values: tuple[Any, ...] = eqx.field(converter=_values)
    power: int = eqx.field(static=True, default=1)

    def __check_init__(self) -> None:
        check_pieces("Transfinite", self.boundaries)
        if len(self.values) != len(self.boundaries):
            wanted, received = len(self.boundaries), len(self.values)
            raise ValueError(f"Transfinite: {wanted} values expected, one a boundary; {received} received")
        if not isinstance(self.power, int) or self.power < 1:
            raise ValueError(
                f"Transfinite: power must be a whole number of at least 1, received {self.power!r}"
            )

    @property
    def dimension(self) -> int:
        """2 in the plane, 3 in space."""
        return self.boundaries[0].dimension

    def weights(self, x: Float[Array, " d"]) -> Float[Array, " n"]:
        """Returns the weights of the boundaries at one point, positive with sum 1."""
        x = boundary_point(x, self)
        ratios = nearness(values_at(self.boundaries, x))[1] ** self.power
        return ratios / jnp.sum(ratios)

    def __call__(self, x: Float[Array, " d"]) -> Float[Array, ""]:
        """Returns g at one point, in the dtype of the point."""
        x = boundary_point(x, self)
        weights = self.weights(x)
        values = jnp.stack([value(x) if callable(value) else like(value, x) for value in self.values])
        # Differences from one of them, so that a common part is not multiplied with the large ∇w near joins.
        base = jax.lax.stop_gradient(values[jnp.argmax(weights)])
        return base + jnp.sum(weights * (values - base))

    def boundary(self, order: int = 2) -> JoinedBoundary:
        """Returns φ of all the boundaries together, for u = g + φ N."""
        return JoinedBoundary(self.boundaries, order)

    @property
    def properties(self) -> tuple[Property, ...]:
        """What this function promises; see `geoembed.check`."""
        return (Property("smooth", constant=2, domain="off the boundaries"),)

    def examples(self, count: int, *, key: PRNGKeyArray) -> list[Float[Array, " d"]]:
        """Returns points in the domain of the properties."""
        return draw_around(self.boundary(), count, key)

    def __hash__(self) -> int:
        return hash_of(self)


def robin(
    boundary: Boundary,
    trial: Field,
    x: Float[Array, " d"],
    *,
    flux: Number = 0.0,
    coefficient: Number = 0.0,
) -> Float[Array, ""]:
    """A trial function changed near a boundary so that ∂u/∂n + c u = q there, n pointing out of the domain.

        u = Φ + φ (c Φ − q − ∇φ·∇Φ).

    On the boundary u = Φ and, since ∇φ = −n, ∂u/∂n = q − c Φ: exact at regular points for any Φ, and for φ of order 1.
    c and q may be numbers or values at x of functions of it. Together with other conditions, put it into a
    `Transfinite` with power 2. Its gradient costs second derivatives of Φ.

    Args:
        boundary: φ.
        trial: Φ, a function of one point, for instance a network.
        x: The point.
        flux: q, in units of Φ per length; c = 0 makes it a Neumann condition.
        coefficient: c, per length.

    Returns:
        u at the point.

    Example:
        >>> import jax, jax.numpy as jnp
        >>> from geoembed.sdf import LineBoundary
        >>> floor = LineBoundary((0.0, 0.0), (1.0, 0.0))
        >>> u = lambda x: robin(floor, lambda y: jnp.sin(3.0 * y[1]), x, flux=2.0)
        >>> jax.grad(u)(jnp.array([0.5, 0.0])).tolist()  # n = (0, -1)
        [0.0, -2.0]

    References:
        V. L. Rvachev and T. I. Sheiko, Appl. Mech. Rev. 48, 151 (1995).
        N. Sukumar and A. Srivastava, Comput. Methods Appl. Mech. Eng. 389, 114333 (2022): Robin conditions.
    """
    phi, inward = jax.value_and_grad(boundary)(x)
    value, slope = jax.jvp(trial, (x,), (inward,))
    c, q = (jnp.asarray(number, x.dtype) for number in (coefficient, flux))
    return value + phi * (c * value - q - slope)
