"""Which numbers of a potential belong to one element."""

from collections.abc import Sequence
from typing import Any

import jax
import numpy as np

from ...core import InputError
from .._element_embedding import ElementEmbedding
from .._elements import SYMBOLS

VECTORS = ("elements", "vectors")
# The arrays that element vectors are multiplied with, and along which axis: ways as in `Train`, from their end.
_BY_ELEMENT = (
    (("embed",), 0),
    (("interactions", "*", "skip", "*"), 1),
    (("products", "*", "weights", "*", "*"), 0),
)


class ElementRows:
    """Finds the rows of elements in the arrays of a potential, for `geoembed.train.trainable`.

    In the table of element vectors they are its rows. In what these vectors are multiplied with they are the columns
    that belong to one element alone: the others have 0 there, as one-hot vectors do.

    Args:
        potential: Any pytree.
    """

    def __init__(self, potential: Any):
        self.table = table_of(potential)

    def check(self, rows: Sequence[str | int], where: str) -> None:
        """Raises InputError when one of them is no element of the table."""
        if self.table is None:
            raise InputError(
                "<training>", where, "the potential has no table of element vectors", "Leave rows out"
            )
        known = np.asarray(self.table.numbers).tolist()
        for row in rows:
            if row == 0 or _number(row) not in known:
                have = ", ".join(SYMBOLS[z - 1] for z in sorted(known) if z > 0)
                reason = f"the potential does not know the element {row}; it knows {have}"
                raise InputError("<training>", where, reason, "Add it first, or correct the symbol")

    def __call__(
        self, steps: tuple[str, ...], leaf: Any, rows: Sequence[str | int]
    ) -> tuple[int, list[int]] | None:
        """The axis of an array, and the places of elements along it; None where they have none."""
        assert self.table is not None
        known = np.asarray(self.table.numbers).tolist()
        places = [known.index(_number(row)) for row in rows]
        if steps[-2:] == VECTORS:
            return 0, places
        axis = element_axis(steps)
        if axis is None:
            return None
        vectors = np.asarray(self.table.vectors) != 0
        alone = [np.flatnonzero(vectors[place] & (vectors.sum(axis=0) == 1)).tolist() for place in places]
        return (axis, sorted(k for own in alone for k in own)) if all(alone) else None


def table_of(potential: Any) -> ElementEmbedding | None:
    """The only table of element vectors of a potential; None where there is none, or several."""
    found = jax.tree.leaves(potential, is_leaf=lambda part: isinstance(part, ElementEmbedding))
    tables = [leaf for leaf in found if isinstance(leaf, ElementEmbedding)]
    return tables[0] if len(tables) == 1 else None


def element_axis(steps: tuple[str, ...]) -> int | None:
    """Along which axis an array is multiplied with element vectors; None if it is not."""
    for way, axis in _BY_ELEMENT:
        own = steps[-len(way) :]
        if len(own) == len(way) and all(asked in ("*", step) for asked, step in zip(way, own, strict=True)):
            return axis
    return None


def _number(row: str | int) -> int:
    return SYMBOLS.index(row) + 1 if row in SYMBOLS else int(row) if isinstance(row, int) else -1
