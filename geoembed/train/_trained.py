"""What of a model is trained, as a table and as what computes."""

from dataclasses import asdict, dataclass
from typing import Any

import jax
import numpy as np
from jaxtyping import PRNGKeyArray

from ..core import host_generator, on_device
from ._change import Changes, Numbers


@dataclass(frozen=True)
class Trained:
    """One line of the table of what is trained.

    Args:
        rule: The number of the rule, from 0 on.
        part: The name of the array.
        shape: Its shape.
        how: "all", "rows W", "rank 4" or "gains".
        numbers: How many numbers are trained.
        rate: By which the learning rate is multiplied.
    """

    rule: int
    part: str
    shape: tuple[int, ...]
    how: str
    numbers: int
    rate: float

    def to_dict(self) -> dict[str, Any]:
        """The same as what JSON can hold."""
        return {**asdict(self), "shape": list(self.shape)}


@dataclass(frozen=True, eq=False)
class Trainable:
    """What of a model is trained, and how; see `trainable`.

    Args:
        changes: Makes the model of the trained numbers.
        table: One line for each array that is trained.
        total: How many numbers the model has in arrays that can be trained.
    """

    changes: Changes
    table: tuple[Trained, ...]
    total: int

    @property
    def count(self) -> int:
        """How many numbers are trained."""
        return sum(line.numbers for line in self.table)

    def each_rate(self, numbers: Numbers) -> tuple[tuple[np.ndarray, ...], ...]:
        """For each of these numbers, by what the learning rate is multiplied."""
        pairs = zip(self.table, numbers, strict=True)
        return tuple(tuple(np.full(x.shape, line.rate, x.dtype) for x in own) for line, own in pairs)

    def start(self, model: Any, *, key: PRNGKeyArray | None = None) -> Numbers:
        """The numbers with which the model is what it was.

        Args:
            model: The model.
            key: Random key; needed for changes of low rank only.

        Raises:
            ValueError: It is missing, and there are such changes.
        """
        draw = None if key is None else host_generator(key)
        if draw is None and any(change.kind == "rank" for change in self.changes.each):
            raise ValueError("changes of low rank start from random numbers: give key=jax.random.key(...)")
        leaves = jax.tree.leaves(model)
        return tuple(on_device(one.start(np.asarray(leaves[one.place]), draw)) for one in self.changes.each)

    def __call__(self, model: Any, numbers: Numbers) -> Any:
        """The model with trained numbers in it, a plain one; differentiable in them, and works under `jit`."""
        return self.changes(model, numbers)

    def __str__(self) -> str:
        head = ("part", "shape", "trained", "numbers", "rate")
        cells = [
            (
                line.part,
                " x ".join(map(str, line.shape)) or "1",
                line.how,
                str(line.numbers),
                f"{line.rate:g}",
            )
            for line in self.table
        ]
        widths = [max(len(row[k]) for row in (head, *cells)) for k in range(len(head))]
        aligned = "<<<>>"
        rows = [
            "  ".join(f"{cell:{side}{width}}" for cell, side, width in zip(row, aligned, widths, strict=True))
            for row in (head, *cells)
        ]
        return "\n".join([f"{self.count} of {self.total} numbers are trained", *rows])
