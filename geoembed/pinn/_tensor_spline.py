"""A network of one layer of localised features: products of splines along the axes."""

from functools import cached_property
from typing import Any

import equinox as eqx
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Float

from ..core import register
from ..sdf._shapes._parameters import like
from ._along import Point
from ._spline_axis import SplineAxis


@register
class UnitCoordinates(eqx.Module):
    """The coordinates of a point from −1 to 1.

    Args:
        lower: The lower corner of the box around the domain, time last.
        upper: The upper corner.
        periodic: Which coordinates are periodic.
    """

    lower: Float[np.ndarray, " d"]
    upper: Float[np.ndarray, " d"]
    periodic: tuple[bool, ...] = eqx.field(static=True)

    def __call__(self, x: Point) -> Float[Array, " d"]:
        """Returns the coordinates of one point, in its dtype."""
        lower, upper = jnp.asarray(self.lower, x.dtype), jnp.asarray(self.upper, x.dtype)
        return 2 * (x - lower) / (upper - lower) - 1


class LocalSpline(eqx.Module):
    """The splines of one cell, as a network.

    Args:
        coefficients: Of the (p + 1)ᵈ splines there.
        tables: Their polynomials along each axis.
        lower: The lower corner of the cell.
        width: Its edges.
    """

    coefficients: Float[Array, "*c k m"]
    tables: Float[Array, "*c d p p"]
    lower: Float[Array, "*c d"]
    width: Float[Array, "*c d"]

    def __call__(self, unit: Float[Array, " d"]) -> Float[Array, " m"]:
        """Returns the values at one place, given by coordinates from −1 to 1."""
        place = (unit - self.lower) / self.width
        axes, size = self.tables.shape[0], self.tables.shape[1]
        left = self.coefficients.reshape((size,) * axes + (-1,))
        for axis in range(axes):
            powers = [jnp.ones((), place.dtype)]
            for _ in range(size - 1):
                powers.append(powers[-1] * place[axis])
            left = jnp.tensordot(self.tables[axis] @ jnp.stack(powers), left, 1)
        return left


@register
class TensorSpline(eqx.Module):
    """N(x) = Σ cᵢⱼ… Bᵢ(x₀) Bⱼ(x₁) …: a network of one layer whose features are products of B-splines.

    It is a polynomial in every cell of a grid and has `degree` − 1 continuous derivatives. Each coefficient matters in
    (degree + 1)ᵈ cells only, so least squares of its residuals have a band matrix.

    Args:
        coefficients: The trained numbers, for every spline along every axis and every output.
        breaks: Along each axis the ends of the intervals, from −1 to 1.
        degree: Of the polynomials.
        periodic: Along which axes the function is periodic.

    Example:
        >>> import jax.numpy as jnp
        >>> from geoembed.pinn import TensorSpline
        >>> line = TensorSpline(jnp.arange(4.0)[:, None], ((-1.0, 0.0, 1.0),), 2, (False,))
        >>> line(jnp.array([0.0]))
        Array([1.5], dtype=float32)

    References:
        C. de Boor, A Practical Guide to Splines, 2001, chapter XVII (tensor products).
    """

    coefficients: Float[Array | np.ndarray, "*grid m"]
    breaks: tuple[tuple[float, ...], ...] = eqx.field(static=True)
    degree: int = eqx.field(static=True)
    periodic: tuple[bool, ...] = eqx.field(static=True)

    def __check_init__(self) -> None:
        shape = getattr(self.coefficients, "shape", None)
        if isinstance(shape, tuple) and shape[:-1] != tuple(axis.count for axis in self.axes):
            raise ValueError(
                f"these breaks have {' by '.join(str(axis.count) for axis in self.axes)} splines, "
                f"received coefficients of shape {shape}: give one line for each of them"
            )

    @cached_property
    def axes(self) -> tuple[SplineAxis, ...]:
        """The splines along each axis."""
        both = zip(self.breaks, self.periodic, strict=True)
        return tuple(SplineAxis(np.array(breaks), self.degree, periodic) for breaks, periodic in both)

    def __call__(self, unit: Float[Array, " d"]) -> Float[Array, " m"]:
        """Returns the outputs at one place, given by coordinates from −1 to 1."""
        parts: list[tuple[Any, ...]] = []
        for axis, spline in enumerate(self.axes):
            breaks, x = like(spline.breaks, unit), unit[axis]
            if spline.periodic:
                x = breaks[0] + jnp.mod(x - breaks[0], breaks[-1] - breaks[0])
            cell = jnp.clip(jnp.searchsorted(breaks, x, side="right") - 1, 0, spline.intervals - 1)
            numbers = jnp.asarray(spline.numbers)[cell]
            width = like(spline.widths, unit)[cell]
            parts.append((x, numbers, like(spline.tables, unit)[cell], breaks[cell], width))
        x, numbers, tables, lower, width = zip(*parts, strict=True)
        local = like(self.coefficients, unit)[jnp.ix_(*numbers)]
        own = LocalSpline(
            local.reshape(-1, local.shape[-1]), jnp.stack(tables), jnp.stack(lower), jnp.stack(width)
        )
        return own(jnp.stack(x))
