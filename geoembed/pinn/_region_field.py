"""A field that is another smooth function in every region of the domain."""

from collections.abc import Callable
from typing import Any

import equinox as eqx
import jax.numpy as jnp
from jaxtyping import Array, Float

from ..core import Property, register
from ._along import Point
from ._regions import Regions
from ._trial import NetworkField


@register
class RegionField(eqx.Module):
    """u(x) = uᵣ(x) with the region r that x lies in; every uᵣ is a function on the whole domain.

    One point in, time last; a number out, or a vector for several unknowns. It is as smooth as `NetworkField` in every
    region; on an interface the value is that of the region whose shape comes first, and derivatives are one-sided.

    Args:
        copies: All uᵣ as one field: the unknowns of the first region, then those of the second one …
        regions: The regions.
        scalar: Whether there is one unknown, so that the value has no axis.
    """

    copies: NetworkField
    regions: Regions
    scalar: bool = eqx.field(static=True)

    def __call__(self, x: Point) -> Float[Array, "*m"]:
        """Returns the field at one point.

        Raises:
            ValueError: It is not one point of the domain's dimension (and time).
        """
        values = self.copies(x).reshape(self.regions.count, -1)[self.regions.number(jnp.asarray(x))]
        return values[0] if self.scalar else values

    def in_region(self, number: int) -> Callable[[Any], Any]:
        """uᵣ of one region as a field, on both sides of its interfaces."""

        def own(x: Any) -> Any:
            values = self.copies(x).reshape(self.regions.count, -1)[number]
            return values[0] if self.scalar else values

        return own

    @property
    def coordinates(self) -> Any:
        """What the network sees of a point."""
        return self.copies.coordinates

    @property
    def network(self) -> Any:
        """The network, with an output for each unknown of each region."""
        return self.copies.network

    @property
    def parameters(self) -> int:
        """How many numbers the network has."""
        return self.copies.parameters

    def examples(self, count: int, *, key: Any) -> list[Float[Array, " d"]]:
        """Random points of the box around the domain, away from its rim."""
        return self.copies.examples(count, key=key)

    def __hash__(self) -> int:
        return hash((self.copies, self.regions.names))  # lets `jax.jit(field)` find its cache

    @property
    def properties(self) -> tuple[Property, ...]:
        """What this field promises; see `geoembed.check`."""
        return (Property("smooth", domain="inside each region", constant=2),)


def all_copies(field: NetworkField | RegionField) -> NetworkField:
    """The functions that a solver looks for: those of every region."""
    return field.copies if isinstance(field, RegionField) else field


def of_region(u: Any, number: int) -> Any:
    """The field of one region, beyond its interfaces too where it is known there."""
    return u.in_region(number) if isinstance(u, RegionField) else u
