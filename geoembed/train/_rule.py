"""Rules that say what of a model is trained, and the names of its parts."""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import jax

from ..core import InputError

_ANY = "*"


@dataclass(frozen=True)
class Train:
    """A rule: these arrays of a model are trained, and in this way. What no rule names stays as it is, bit for bit.

    Args:
        parts: The parts whose arrays are trained. A part is the name of a field, as "readouts", or steps that follow
            each other somewhere on the way to an array: "encoder.interactions.0", "layers.*.weight". `*` is any one
            step, so that "*" is everything; -1 is the last of a tuple or list: "readouts.-1".
        but: Parts of these that are not.
        rows: Only these rows of tables are trained, the others stay, bit for bit: numbers from 0 on, or, in potentials,
            symbols of elements. Arrays that are no tables are passed over.
        rank: Arrays W with two and more axes get a change of this rank, W + A B/√rank with A of normal numbers and
            B = 0 at the start; only A and B are trained. All axes but the last are the rows of the matrix. Where A and
            B would have no fewer numbers than W, W itself is trained. Vectors and tables of vectors are passed over.
        gains: The columns of arrays, which are their last axis, are multiplied by 1 + g; only g is trained, 0 at the
            start. Tables of vectors are passed over.
        rate: The learning rate is multiplied by this number.

    Raises:
        InputError: No part is named, two ways are asked for at once, or a number makes no sense.

    Example:
        >>> Train("readouts", rate=0.1).parts
        ('readouts',)

    References:
        `rank`: Hu et al., "LoRA: Low-Rank Adaptation of Large Language Models", ICLR 2022, eq. 3. Where each array
        mixes channels of one degree, as in geoembed's equivariant networks, the changed network is equivariant too.
        `gains`: Liu et al., "Few-Shot Parameter-Efficient Fine-Tuning is Better and Cheaper than In-Context
        Learning", NeurIPS 2022, section 3.3, (IA)³.
    """

    parts: str | Sequence[str]
    but: str | Sequence[str] = ()
    rows: Sequence[str | int] | None = None
    rank: int | None = None
    gains: bool = False
    rate: float = 1.0

    def __post_init__(self) -> None:
        for name in ("parts", "but"):
            given = getattr(self, name)
            object.__setattr__(self, name, (given,) if isinstance(given, str) else tuple(given))
        if self.rows is not None:
            rows = (self.rows,) if isinstance(self.rows, str) else tuple(dict.fromkeys(self.rows))
            object.__setattr__(self, "rows", rows)
        if not self.parts:
            raise wrong("trainable", "a rule names no part", 'Name what it trains: Train("readouts")')
        if not (math.isfinite(self.rate) and self.rate > 0):
            hint = "Give a positive number, or no rule: what no rule names stays as it is"
            raise wrong("trainable", f"the rate {self.rate} is not positive", hint)
        if self.rank is not None and self.rank < 1:
            raise wrong("trainable", f"the rank {self.rank} is below 1", "Give 1 or more")
        if self.rows is not None and not self.rows:
            raise wrong("trainable", "a rule has an empty list of rows", "Name rows, or leave rows out")
        if (self.rows is not None) + (self.rank is not None) + self.gains > 1:
            reason = "a rule has more than one of rows, rank and gains"
            raise wrong("trainable", reason, "Give each a rule of its own, for arrays of its own")


class Parts:
    """The leaves of a pytree by name.

    Args:
        tree: The pytree.
    """

    def __init__(self, tree: Any):
        found, self.structure = jax.tree.flatten_with_path(tree)
        self.leaves = [leaf for _, leaf in found]
        self.steps = [tuple(jax.tree_util.keystr((step,), simple=True) for step in path) for path, _ in found]
        self._counts: dict[tuple[str, ...], int] = {}
        for steps in self.steps:
            for k, step in enumerate(steps):
                if step.isdecimal():
                    self._counts[steps[:k]] = max(self._counts.get(steps[:k], 0), int(step) + 1)

    def name(self, place: int) -> str:
        """The name of a leaf: its steps, with dots between them."""
        return ".".join(self.steps[place])

    def named(self, part: str) -> list[int]:
        """The leaves that belong to a part."""
        way = part.split(".")
        return [place for place, steps in enumerate(self.steps) if self._passes(steps, way)]

    def known(self) -> str:
        """The names of all parts, in words."""
        return ", ".join(sorted({step for steps in self.steps for step in steps if not step.isdecimal()}))

    def _passes(self, steps: tuple[str, ...], way: list[str]) -> bool:
        """Whether a path has these steps somewhere, one after the other."""
        starts = range(len(steps) - len(way) + 1)
        return any(all(self._same(steps, k + j, step) for j, step in enumerate(way)) for k in starts)

    def _same(self, steps: tuple[str, ...], k: int, asked: str) -> bool:
        if asked in (_ANY, steps[k]):
            return True
        from_the_end = asked.startswith("-") and asked[1:].isdecimal() and steps[k].isdecimal()
        return from_the_end and int(steps[k]) - self._counts[steps[:k]] == int(asked)


def wrong(where: str, reason: str, hint: str) -> InputError:
    """The error about a rule."""
    return InputError("<training>", where, reason, hint)
