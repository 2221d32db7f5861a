"""A row of the table of tests/test_conformance.py."""

import dataclasses
from collections.abc import Callable
from typing import Any

import jax

KEY = jax.random.key(2)


@dataclasses.dataclass(frozen=True)
class Encoder:
    """One row of the table.

    Args:
        name: Its public name.
        make: Builds it.
        examples: Items in the domain of its properties, as float64 numpy arrays of one shape.
        feared: Items where values or gradients might not be finite: 0, the surface, an edge, a cutoff.
        slow: It is measured with --slow only, because another row stands for its kind.
        slow_card: Only its card is; tests of its own hold its values and derivatives to formulas.
        card_only: Nothing but its card and its artefact is measured, the card in float64 and compiled quickly:
            another row stands for such programs, and tests of its own measure its symmetries in float32.
    """

    name: str
    make: Callable[[], Any]
    examples: Callable[[], list[Any]]
    feared: Callable[[], list[Any]]
    slow: bool = False
    slow_card: bool = False
    card_only: bool = False
