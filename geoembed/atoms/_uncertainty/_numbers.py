"""The few numbers of a potential about which a posterior speaks, as one vector."""

from collections.abc import Sequence
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Bool, Float

from ...core import InputError, is_parameter
from .._elements import SYMBOLS, atomic_number

LAST_LAYER = "last layer"
MOST = 4096  # numbers; their covariance has so many rows
_LAST = ("weight", "second")  # the last matrix of a linear readout, and of one with a hidden layer


class _Place(NamedTuple):
    """An array of a potential, or the row of a table that belongs to one element.

    Args:
        leaf: Its number among the leaves.
        table: Which leaf holds the atomic numbers of the rows; None for a whole array.
        number: The atomic number of the row.
        isolated: Whether it is an energy of isolated atoms.
    """

    leaf: int
    table: int | None = None
    number: int = 0
    isolated: bool = False


def take(potential: Any, over: Sequence[str]) -> Float[Array, " count"]:
    """The numbers.

    Args:
        potential: The potential.
        over: "last layer": the last matrix of every readout. A symbol, such as "W": the vector of this element and
            its energy E0. Else the name of a part, or the way to one, as `trainable` has them.
    """
    leaves = jax.tree.leaves(potential)
    parts = [_part(leaves, place) for place in _places(potential, over)]
    return jnp.concatenate([part.reshape(-1) for part in parts])


def put(potential: Any, over: Sequence[str], values: Float[Array, " count"]) -> Any:
    """The potential with other numbers."""
    leaves, form = jax.tree.flatten(potential)
    at = 0
    for place in _places(potential, over):
        part = _part(leaves, place)
        new = values[at : at + part.size].reshape(part.shape).astype(part.dtype)
        at += part.size
        leaf = leaves[place.leaf]
        leaves[place.leaf] = new if place.table is None else leaf.at[_row(leaves, place)].set(new)
    return jax.tree.unflatten(form, leaves)


def isolated(potential: Any, over: Sequence[str]) -> Bool[np.ndarray, " count"]:
    """Which of the numbers are energies of isolated atoms, eV."""
    leaves = jax.tree.leaves(potential)
    flags = [np.full(_part(leaves, place).size, place.isolated, bool) for place in _places(potential, over)]
    return np.concatenate(flags)


def check(potential: Any, over: Sequence[str]) -> None:
    """Raises InputError where there are no such numbers, or too many."""
    places = _places(potential, over)
    if len(set(places)) < len(places):
        raise InputError(
            "<posterior>", "over", f"{' and '.join(over)} name one array twice", "Name each once"
        )
    leaves = jax.tree.leaves(potential)
    for place in places:
        if place.table is not None and place.number not in np.asarray(leaves[place.table]):
            known = np.asarray(leaves[place.table])
            listed = ", ".join(SYMBOLS[z - 1] for z in sorted(known[known > 0].tolist()))
            reason = f"the potential does not know the element {SYMBOLS[place.number - 1]}"
            raise InputError("<posterior>", "over", reason, f"It knows {listed}")
    count = sum(_part(leaves, place).size for place in places)
    if count > MOST:
        reason = f"{' and '.join(over)} have {count} numbers, more than the {MOST} whose covariance is held"
        raise InputError("<posterior>", "over", reason, f"Name fewer, for example {LAST_LAYER!r}")


def _places(potential: Any, over: Sequence[str]) -> list[_Place]:
    paths, _ = jax.tree_util.tree_flatten_with_path(potential)
    names = [jax.tree_util.keystr(path, simple=True, separator=".").split(".") for path, _ in paths]
    leaves = [leaf for _, leaf in paths]
    found = []
    for word in over:
        some = _of_word(word, names, leaves)
        if not some:
            parts = sorted({step for own in names for step in own if step and not step.isdecimal()})
            hint = f"Take {LAST_LAYER!r}, the symbol of an element, or one of {', '.join(parts)}"
            raise InputError("<posterior>", "over", f"the potential has no {word!r}", hint)
        found += some
    if not found:
        raise InputError("<posterior>", "over", "nothing is named", f"Take {LAST_LAYER!r}, for example")
    return found


def _of_word(word: str, names: list[list[str]], leaves: list[Any]) -> list[_Place]:
    own = [(k, name) for k, name in enumerate(names) if "others" not in name and is_parameter(leaves[k])]
    if word == LAST_LAYER:
        return [_Place(k) for k, name in own if "readouts" in name and name[-1] in _LAST]
    if word in SYMBOLS:
        tables = [k for k, name in enumerate(names) if name[-2:] == ["elements", "numbers"]]
        rows = [
            (k, name) for k, name in own if name[-2:] == ["elements", "vectors"] or name[-1] == "energies"
        ]
        number = atomic_number(word)
        return [_Place(k, tables[0], number, name[-1] == "energies") for k, name in rows] if tables else []
    way = word.split(".")
    inside = [
        (k, name)
        for k, name in own
        if any(name[at : at + len(way)] == way for at in range(len(name) - len(way) + 1))
    ]
    return [_Place(k, isolated=name[-1] == "energies") for k, name in inside]


def _part(leaves: Sequence[Any], place: _Place) -> Any:
    leaf = leaves[place.leaf]
    return leaf if place.table is None else leaf[_row(leaves, place)]


def _row(leaves: Sequence[Any], place: _Place) -> Any:
    return jnp.argmax(jnp.asarray(leaves[place.table or 0]) == place.number)
