"""Gauss rules on intervals and their products."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
from jaxtyping import Bool, Float

_NODES = {1: 8, 2: 8, 3: 5, 4: 4}  # between two breaks, by the number of coordinates
_HALVINGS = 60

Breaks = Sequence[Float[np.ndarray, " _"]]


@dataclass(frozen=True, eq=False)
class Rule:
    """∫ f ≈ Σ weights · f(points).

    Args:
        points: Where f is evaluated.
        weights: The length, area … that each point stands for.
    """

    points: Float[np.ndarray, "n d"]
    weights: Float[np.ndarray, " n"]


def panels(
    breaks: Float[np.ndarray, " b"], coordinates: int
) -> tuple[Float[np.ndarray, " n"], Float[np.ndarray, " n"]]:
    """Gauss points between every two breaks and their weights.

    Args:
        breaks: Ascending places.
        coordinates: How many coordinates a point has; with more of them there are fewer points along each.
    """
    place, weight = np.polynomial.legendre.leggauss(_NODES[coordinates])
    width = np.diff(breaks)[:, None]
    return (breaks[:-1, None] + width * (place + 1) / 2).ravel(), (width * weight / 2).ravel()


def product(rules: Sequence[Rule]) -> Rule:
    """The rule for a product of sets."""
    found = rules[0]
    for other in rules[1:]:
        count, times = len(found.weights), len(other.weights)
        points = np.column_stack([np.repeat(found.points, times, axis=0), np.tile(other.points, (count, 1))])
        found = Rule(points, np.outer(found.weights, other.weights).ravel())
    return found


def together(rules: Sequence[Rule]) -> Rule:
    """The rule for a union of sets."""
    points = np.concatenate([rule.points for rule in rules])
    return Rule(points, np.concatenate([rule.weights for rule in rules]))


def bisected(
    holds: Callable[[Float[np.ndarray, " n"]], Bool[np.ndarray, " n"]],
    first: Float[np.ndarray, " n"],
    last: Float[np.ndarray, " n"],
) -> Float[np.ndarray, " n"]:
    """Where something that holds at the first places and not at the last ones ends."""
    for _ in range(_HALVINGS):
        middle = 0.5 * (first + last)
        still = holds(middle)
        first, last = np.where(still, middle, first), np.where(still, last, middle)
    return 0.5 * (first + last)
