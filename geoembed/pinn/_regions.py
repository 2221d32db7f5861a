"""Regions of a domain with an equation of their own."""

from typing import Any

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Float, Int

from ..core import register
from ..sdf import evaluate
from ._along import Point
from ._domains._domain import Domain
from ._domains._interval import Interval

REST = "rest"  # the region that no shape takes
_MARGIN = 1e-9  # of the size of the domain


@register
class Segment(eqx.Module):
    """The signed distance of a piece of the real line.

    Args:
        lower: The left end.
        upper: The right end.
    """

    lower: float = eqx.field(static=True, converter=float)
    upper: float = eqx.field(static=True, converter=float)

    @property
    def dimension(self) -> int:
        """1."""
        return 1

    @property
    def interval(self) -> Interval:
        """The same as a domain."""
        return Interval(self.lower, self.upper)

    def __call__(self, x: Point) -> Float[Array, ""]:
        return jnp.maximum(self.lower - x[0], x[0] - self.upper)


@register
class Regions(eqx.Module):
    """A division of space: each point belongs to the first shape that it lies in or on, else to the rest.

    Args:
        shapes: Signed distances, negative inside.
        names: The names of the regions, that of the rest last.
        transient: Whether points end with time, which the shapes do not see.
    """

    shapes: tuple[Any, ...]
    names: tuple[str, ...] = eqx.field(static=True)
    transient: bool = eqx.field(static=True, default=False)

    @property
    def count(self) -> int:
        """How many regions there are, the rest included."""
        return len(self.names)

    def number(self, x: Point) -> Int[Array, ""]:
        """Returns the number of the region that a point lies in. It has no gradient."""
        place = jax.lax.stop_gradient(x[:-1] if self.transient else x)
        found = jnp.asarray(self.count - 1)
        for number, shape in reversed(list(enumerate(self.shapes))):
            found = jnp.where(shape(place) <= 0, number, found)
        return found

    def numbers(self, places: Float[np.ndarray, "n d"]) -> Int[np.ndarray, " n"]:
        """The numbers of many places in space, on the host."""
        found = np.full(len(places), self.count - 1)
        for number, shape in reversed(list(enumerate(self.shapes))):
            found[evaluate(shape, np.asarray(places, np.float64)) <= 0] = number
        return found


def in_box(
    points: Float[np.ndarray, "n d"], domain: Domain, regions: Regions | None
) -> Float[np.ndarray, "n d"]:
    """The nearest points of the box around a domain; with regions a little inside it, where there is no doubt about
    the region that a point of the rim belongs to.

    Args:
        points: The points, in space.
        domain: The domain.
        regions: Its regions; None if there is one equation.
    """
    lower, upper = domain.bounds
    margin = 0.0 if regions is None else _MARGIN * float(np.max(upper - lower))
    return np.clip(points, lower + margin, upper - margin)
