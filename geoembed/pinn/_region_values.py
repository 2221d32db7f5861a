"""Values of conditions that differ from region to region."""

from collections.abc import Iterable, Mapping
from dataclasses import replace
from typing import Any

import equinox as eqx
import jax.numpy as jnp
from jaxtyping import Array, Float

from ..core import InputError, register
from ._along import Point
from ._field_conditions import FieldCondition
from ._regions import Regions
from ._values import Constant, Known, as_function

_VALUES = ("value", "coefficient")  # of a condition that may differ


@register
class PerRegion(eqx.Module):
    """A value for each region, as one function of the point.

    Args:
        regions: The regions.
        values: The value in each.
    """

    regions: Regions
    values: tuple[Known, ...]

    def __call__(self, x: Point) -> Float[Array, ""]:
        return jnp.stack([value(x) for value in self.values])[self.regions.number(x)]

    def inside(self, number: int) -> Any:
        """The value in one region, as a condition takes it."""
        value = self.values[number]
        return value.value if isinstance(value, Constant) else value


def by_region(conditions: Iterable[FieldCondition], regions: Regions | None) -> tuple[FieldCondition, ...]:
    """The conditions with functions of the point for values given by region.

    Raises:
        InputError: A region has no value, or a name is no region.
    """
    found = []
    for condition in conditions:
        given = {name: value for name, value in vars(condition).items() if name in _VALUES}
        named = {name: value for name, value in given.items() if isinstance(value, Mapping)}
        made: Any = {name: _function(value, regions, condition) for name, value in named.items()}
        found.append(replace(condition, **made) if made else condition)
    return tuple(found)


def within(condition: FieldCondition, region: int) -> FieldCondition:
    """A condition with the values of one region, which are smooth where those of all regions together are not."""
    given = {name: value for name, value in vars(condition).items() if isinstance(value, PerRegion)}
    made: Any = {name: value.inside(region) for name, value in given.items()}
    return replace(condition, **made) if made else condition


def _function(values: Mapping[str, Any], regions: Regions | None, condition: FieldCondition) -> PerRegion:
    names = () if regions is None else regions.names
    if regions is None or set(values) != set(names):
        raise InputError(
            "conditions",
            type(condition).__name__,
            f"values for {', '.join(values)}, but the regions are {', '.join(names) or 'none'}",
            "Give one value, or one for each region of Materials",
        )
    return PerRegion(regions, tuple(as_function(values[name]) for name in names))
