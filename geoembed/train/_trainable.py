"""Rules, applied to the arrays of a model."""

import math
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from ..core import is_parameter
from ._change import Change, Changes, low_rank, of_rows
from ._rule import Parts, Train, wrong
from ._trained import Trainable, Trained

Rows = Callable[[tuple[str, ...], Any, Sequence[str | int]], tuple[int, list[int]] | None]
"""Steps and array to the axis and the places of rows; None where the array has no such rows."""


def trainable(
    model: Any,
    rules: Sequence[Train],
    *,
    rows: Rows | None = None,
    tables: Collection[str] = (),
    still: Mapping[str, str] | None = None,
) -> Trainable:
    """Applies rules to the arrays of a model: which are trained, and how. All others stay as they are.

    Args:
        model: Any pytree.
        rules: The rules; no two of them for one array.
        rows: Says which rows of an array are meant; None: numbers, along the first axis.
        tables: Names of arrays whose rows are vectors of things; changes of low rank and gains pass over them.
        still: Names of arrays that are never trained, and why.

    Returns:
        What is trained. Its text is a table.

    Raises:
        InputError: There is no rule, a part does not exist or has nothing that can be trained in the way that is asked
            for, or two rules are about one array.

    Example:
        >>> import jax, jax.numpy as jnp
        >>> model = {"first": jnp.ones((8, 8)), "last": jnp.ones((8, 1))}
        >>> chosen = trainable(model, [Train("last"), Train("first", rank=2, rate=0.1)])
        >>> print(chosen)
        40 of 72 numbers are trained
        part   shape  trained  numbers  rate
        first  8 x 8  rank 2        32   0.1
        last   8 x 1  all            8     1
        >>> numbers = chosen.start(model, key=jax.random.key(0))
        >>> chosen(model, numbers)["last"].shape
        (8, 1)
    """
    if not rules:
        raise wrong("trainable[0]", "there is no rule, so nothing would be trained", 'Give one: Train("*")')
    choice = _Choice(Parts(model), rows or _numbered, frozenset(tables), dict(still or {}))
    found: dict[int, tuple[int, Change]] = {}
    for number, rule in enumerate(rules):
        for place, change in choice.of(rule, f"trainable[{number}]").items():
            if place in found:
                reason = f"the rules {found[place][0]} and {number} are both about {choice.parts.name(place)}"
                hint = "Let each array have one rule: `but` takes parts out of a rule"
                raise wrong(f"trainable[{number}]", reason, hint)
            found[place] = number, change
    leaves = choice.parts.leaves
    lines = []
    for place in sorted(found):
        number, change = found[place]
        leaf, rule = leaves[place], rules[number]
        count = sum(math.prod(shape) for shape in change.shapes(leaf))
        name, how = choice.parts.name(place), _how(change, rule)
        lines.append(Trained(number, name, tuple(leaf.shape), how, count, float(rule.rate)))
    total = sum(math.prod(leaf.shape) for leaf in leaves if is_parameter(leaf))
    return Trainable(Changes(tuple(found[place][1] for place in sorted(found))), tuple(lines), total)


@dataclass(frozen=True)
class _Choice:
    """What rules are applied to."""

    parts: Parts
    rows: Rows
    tables: frozenset[str]
    still: dict[str, str]

    def of(self, rule: Train, where: str) -> dict[int, Change]:
        """The changes that a rule asks for, by the place of their arrays."""
        out = {place for part in rule.but for place in self._named(part, where)}
        found: dict[int, Change] = {}
        for part in rule.parts:
            named = [place for place in self._named(part, where) if is_parameter(self.parts.leaves[place])]
            if not named:
                raise wrong(where, f"{part!r} has no array of real jax numbers", "Name another part")
            left = [place for place in named if place not in out]
            said = {place: self._change(rule, place) for place in left}
            changes = {place: change for place, change in said.items() if isinstance(change, Change)}
            if not changes:
                why = next(
                    (text for text in said.values() if isinstance(text, str)), "`but` takes all of it out"
                )
                raise wrong(where, f"nothing of {part!r} can be trained: {why}", "Name another part")
            found |= changes
        return found

    def _named(self, part: str, where: str) -> list[int]:
        places = self.parts.named(part)
        if not places:
            raise wrong(where, f"there is no part {part!r}", f"It has {self.parts.known()}")
        return places

    def _change(self, rule: Train, place: int) -> Change | str:
        """The change of one array, or why there is none."""
        leaf, name = self.parts.leaves[place], self.parts.name(place)
        if name in self.still:
            return self.still[name]
        if rule.rows is not None:
            found = self.rows(self.parts.steps[place], leaf, rule.rows)
            if found is None:
                return f"{name} has no rows {', '.join(map(str, rule.rows))}"
            return of_rows(place, *found)
        if (rule.rank is not None or rule.gains) and name in self.tables:
            return f"{name} is a table of vectors, for which `rows` are meant"
        if rule.rank is not None:
            return low_rank(place, leaf, rule.rank) if leaf.ndim > 1 else f"{name} is no matrix"
        if rule.gains:
            return Change(place, "gains") if leaf.ndim > 0 else f"{name} has no columns"
        return Change(place, "all")


def _numbered(steps: tuple[str, ...], leaf: Any, rows: Sequence[str | int]) -> tuple[int, list[int]] | None:
    numbers = [row for row in rows if isinstance(row, int) and leaf.ndim > 0 and 0 <= row < leaf.shape[0]]
    return (0, numbers) if len(numbers) == len(rows) else None


def _how(change: Change, rule: Train) -> str:
    if change.kind == "rows":
        return f"rows {', '.join(map(str, rule.rows or ()))}"
    return f"rank {change.rank}" if change.kind == "rank" else change.kind
