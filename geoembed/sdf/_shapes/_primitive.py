"""The base of the shapes that are not made of others."""

import abc
from typing import Any

from jaxtyping import Array, Float

from ._shape import Corners, Shape


class Primitive(Shape):
    """A shape with a box of its own. If it is bounded, its distance is exact outside."""

    @abc.abstractmethod
    def corners(self, dtype: Any) -> Corners:
        """The lower and upper corner of the smallest box, of an unbounded shape of a part worth showing."""

    def region(self, dtype: Any, grow: float | Float[Array, ""] = 0.0) -> Corners:
        lower, upper = self.corners(dtype)
        return lower - grow, upper + grow
