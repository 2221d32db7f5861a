"""What a fine-tuning is told beside structures: new elements, recipes, replay."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np

from ...core import InputError
from .._elements import SYMBOLS
from .._frame import Frame

Recipe = Literal["rows", "low_rank", "rows+low_rank", "last_layer", "naive"]


@dataclass(frozen=True)
class NewElement:
    """An element that a potential does not know yet, and where its vector begins, see `add_element`.

    Args:
        symbol: Its symbol.
        like: The symbol of an element whose vector it takes.
        vector: The vector itself, or "properties": what the properties of the elements suggest. Without this and `like`
            the training structures choose the vector.
        e0: Energy of an isolated atom, eV; None: fitted to the training structures.

    Raises:
        InputError: The symbol is unknown, or there are two sources.
    """

    symbol: str
    like: str | None = None
    vector: tuple[float, ...] | Literal["properties"] | None = None
    e0: float | None = None

    def __post_init__(self) -> None:
        for symbol in (self.symbol, self.like):
            if symbol is not None and symbol not in SYMBOLS:
                reason = f"{symbol!r} is not a chemical element"
                raise InputError("new element", self.symbol, reason, "Give a symbol such as W")
        if self.like is not None and self.vector is not None:
            reason = "`like` and `vector` both say what its vector is"
            raise InputError("new element", self.symbol, reason, "Give one of them")

    @property
    def number(self) -> int:
        """Its atomic number."""
        return SYMBOLS.index(self.symbol) + 1


@dataclass(frozen=True, eq=False)
class Replay:
    """Structures of the old domain that are learned again beside the new ones.

    Args:
        frames: The structures.
        share: How many are taken for each training structure; all, if there are fewer.
        weight: How much they count in the loss.
        labels: "file", their own; or "potential", what the potential says before the fine-tuning: pseudo-labels.

    Raises:
        InputError: A number is not positive, there are no structures, or they lack labels.
    """

    frames: Sequence[Frame]
    share: float = 1.0
    weight: float = 1.0
    labels: Literal["file", "potential"] = "file"

    def __post_init__(self) -> None:
        for name in ("share", "weight"):
            value = getattr(self, name)
            if not (np.isfinite(value) and value > 0):
                raise InputError("replay", name, f"{value} is not positive", "Correct it")
        if len(self.frames) == 0:
            raise InputError("replay", "", "there are no structures", "Give at least one")
        if self.labels == "file" and all(f.energy is None and f.forces is None for f in self.frames):
            reason = "no structure has an energy or forces"
            raise InputError("replay", "", reason, 'Let the potential label them: labels = "potential"')
