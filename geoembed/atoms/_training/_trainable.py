"""Which numbers of a potential are trained."""

import functools
from collections.abc import Sequence
from typing import Any

import jax
import numpy as np

from ...train import Train, Trainable
from ...train import trainable as apply
from .._element_embedding import ElementEmbedding
from .._heads import Head
from .._mace import MacePotential
from .._radial import BesselBasis
from ._rows_of_elements import RowsOfElements, is_table, table_of

AS_IN_MACE = ("elements", "energies", "scale", "shift")
_FREE = "`fit` takes the energies of isolated atoms from the labels and does not train them, see `statistics`"
_FIXED = "the frequencies are fixed: BesselBasis(trainable=False)"


def trainable(potential: Any, rules: Sequence[Train] | None = None) -> Trainable:
    """Says what of a potential `fit` trains, and how.

    Args:
        potential: The potential.
        rules: See `geoembed.train.Train`; no two of them about one array. `rows` are symbols of elements or atomic
            numbers: rows of the table of element vectors ("elements"), and of what these vectors are multiplied with
            those that belong to one element alone, as in converted models. None: everything; in a potential whose
            element vectors are one-hot, as those of converted models are, everything but elements, scale and shift,
            which MACE does not train either. The energies of isolated atoms are never trained: `fit` takes them
            from the labels.

    Returns:
        What is trained; its text is a table.

    Raises:
        InputError: Nothing is left to train, a part does not exist or has nothing that can be trained as is asked, the
            potential does not know an element, or two rules are about one array.

    Example:
        >>> print(trainable({"pair": jax.numpy.ones(2), "scale": jax.numpy.ones(())}, [Train("*", but="scale")]))
        2 of 3 numbers are trained
        part  shape  trained  numbers  rate
        pair  2      all            2     1
    """
    rules = usual(potential) if rules is None else rules
    rows = RowsOfElements(potential)
    for number, rule in enumerate(rules):
        if rule.rows is not None:
            rows.check(rule.rows, f"trainable[{number}]")
    names = [_name(path) for path, _ in jax.tree_util.tree_leaves_with_path(potential)]
    tables = [name for name in names if is_table(name)]
    return apply(potential, rules, rows=rows, tables=tables, still=_still(potential))


def usual(potential: Any) -> tuple[Train, ...]:
    """The rules where none are given."""
    table = table_of(potential)
    if table is None or not _one_hot(table):
        return (Train("*"),)
    paths = [path for path, _ in jax.tree_util.tree_leaves_with_path(potential)]
    steps = {_name((step,)) for path in paths for step in path}
    return (Train("*", but=tuple(name for name in AS_IN_MACE if name in steps)),)


def _one_hot(table: ElementEmbedding) -> bool:
    """Whether every element has a number of its own, which is 1."""
    used = np.asarray(table.vectors)[np.asarray(table.numbers) > 0]
    return used.shape[0] == used.shape[1] and bool(np.array_equal(used, np.eye(len(used))))


def _still(potential: Any) -> dict[str, str]:
    """The arrays that are never trained, and why."""
    found = {}
    for path, _ in jax.tree_util.tree_leaves_with_path(potential):
        if (last := _name(path[-1:])) in ("energies", "frequencies"):
            owner = functools.reduce(_inside, path[:-1], potential)
            if last == "energies" and isinstance(owner, MacePotential | Head):
                found[_name(path)] = _FREE
            if last == "frequencies" and isinstance(owner, BesselBasis) and not owner.trainable:
                found[_name(path)] = _FIXED
    return found


def _inside(part: Any, step: Any) -> Any:
    if isinstance(step, jax.tree_util.GetAttrKey):
        return getattr(part, step.name)
    return part[step.idx if isinstance(step, jax.tree_util.SequenceKey) else step.key]


def _name(path: tuple[Any, ...]) -> str:
    return jax.tree_util.keystr(path, simple=True, separator=".")
