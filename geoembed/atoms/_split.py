"""Training, validation and test sets."""

from collections.abc import Sequence
from typing import TypeVar

import numpy as np

from ..core import InputError

Item = TypeVar("Item")


def split(items: Sequence[Item], parts: Sequence[int | float], *, seed: int) -> list[list[Item]]:
    """Draws disjoint parts at random; the same seed and number of items give the same parts on every machine.

    Args:
        items: What is to be parted, for example frames.
        parts: The size of each part: whole numbers count items, fractions below 1 are parts of all items, rounded
            down; one −1 takes what is left.
        seed: Of the draw.

    Returns:
        The parts, each in the order of the draw.

    Raises:
        InputError: The parts are more than there is, or a size is neither of these.

    Example:
        >>> [len(part) for part in split(range(10), (0.5, 2, -1), seed=0)]
        [5, 2, 3]
    """
    sizes = [_size(part, len(items)) for part in parts]
    rest = len(items) - sum(size for size in sizes if size >= 0)
    if rest < 0 or sizes.count(-1) > 1:
        reason = f"{list(parts)} of {len(items)} items are more than there are, or -1 stands twice"
        raise InputError("split", "parts", reason, "take fewer")
    order = np.random.default_rng(seed).permutation(len(items)).tolist()
    ends = np.cumsum([rest if size < 0 else size for size in sizes]).tolist()
    return [[items[k] for k in order[start:end]] for start, end in zip([0, *ends], ends, strict=False)]


def _size(part: int | float, total: int) -> int:
    if isinstance(part, float) and 0 <= part < 1:
        return int(part * total + 1e-9)
    if isinstance(part, int) and not isinstance(part, bool) and part >= -1:
        return part
    reason = f"{part!r} is no number of items, no fraction below 1 and not -1"
    raise InputError("split", "parts", reason, "for example (0.8, 0.1, -1) or (950, 50, -1)")
