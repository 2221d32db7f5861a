"""A piece of the real line."""

import math
from dataclasses import dataclass


@dataclass(frozen=True)
class Interval:
    """A domain in one dimension: all x with lower < x < upper.

    Its boundary has the pieces "left" and "right". A point of it is an array of shape (1,), or (2,) with a time.

    Args:
        lower: The left end.
        upper: The right end, above the left one.

    Raises:
        ValueError: The ends are not finite, or not in order.

    Example:
        >>> Interval(-1.0, 1.0).length
        2.0
    """

    lower: float
    upper: float

    def __post_init__(self) -> None:
        if not (math.isfinite(self.lower) and math.isfinite(self.upper) and self.lower < self.upper):
            raise ValueError(
                f"Interval: two finite ends expected, the lower one first; received {self.lower} and {self.upper}"
            )

    @property
    def length(self) -> float:
        """upper − lower."""
        return float(self.upper - self.lower)
