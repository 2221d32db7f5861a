"""Which numbers of a potential belong to one element."""

from collections.abc import Sequence
from typing import Any

import jax
import numpy as np

from ...core import InputError
from .._element_arrays import element_arrays
from .._element_embedding import ElementEmbedding
from .._elements import SYMBOLS
from .._mace import Encoder

VECTORS = "elements.vectors"


class RowsOfElements:
    """Finds the rows of elements in the arrays of a potential, for `geoembed.train.trainable`.

    In the table of element vectors they are its rows. In what these vectors are multiplied with they are the columns
    that belong to one element alone: the others have 0 there, as one-hot vectors do.

    Args:
        potential: Any pytree.
    """

    def __init__(self, potential: Any):
        self.table = table_of(potential)
        inside = jax.tree_util.tree_leaves_with_path(
            potential, is_leaf=lambda part: isinstance(part, Encoder)
        )
        self.axes = {
            ".".join([jax.tree_util.keystr(path, simple=True, separator="."), array.name]).lstrip(
                "."
            ): array.axis
            for path, part in inside
            if isinstance(part, Encoder)
            for array in element_arrays(part)
        }

    def check(self, rows: Sequence[str | int], where: str) -> None:
        """Raises InputError when one of them is no element of the table."""
        if self.table is None:
            reason = "the potential has no table of element vectors"
            raise InputError("<training>", where, reason, "Leave rows out")
        known = np.asarray(self.table.numbers).tolist()
        for row in rows:
            if row == 0 or _number(row) not in known:
                have = ", ".join(SYMBOLS[z - 1] for z in sorted(known) if z > 0)
                reason = f"the potential does not know the element {row}; it knows {have}"
                hint = "Add it first (atoms.add_element), or correct the symbol"
                raise InputError("<training>", where, reason, hint)

    def __call__(
        self, steps: tuple[str, ...], leaf: Any, rows: Sequence[str | int]
    ) -> tuple[int, list[int]] | None:
        """The axis of an array, and the places of elements along it; None where they have none."""
        assert self.table is not None
        known = np.asarray(self.table.numbers).tolist()
        places = [known.index(_number(row)) for row in rows]
        name = ".".join(steps)
        if is_table(name):
            return 0, places
        if name not in self.axes:
            return None
        used = np.asarray(self.table.vectors) != 0
        alone = [np.flatnonzero(used[place] & (used.sum(axis=0) == 1)).tolist() for place in places]
        return (self.axes[name], sorted(k for own in alone for k in own)) if all(alone) else None


def is_table(name: str) -> bool:
    """Whether this is the name of a table of element vectors."""
    return f".{name}".endswith(f".{VECTORS}")


def table_of(potential: Any) -> ElementEmbedding | None:
    """The only table of element vectors of a potential; None where there is none, or several."""
    found = jax.tree.leaves(potential, is_leaf=lambda part: isinstance(part, ElementEmbedding))
    tables = [leaf for leaf in found if isinstance(leaf, ElementEmbedding)]
    return tables[0] if len(tables) == 1 else None


def _number(row: str | int) -> int:
    if isinstance(row, int):
        return row
    return SYMBOLS.index(row) + 1 if row in SYMBOLS else -1
