"""How much each structure counts in a training."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import replace

import numpy as np

from ..core import InputError
from ._frame import Frame


def weighted(
    frames: Sequence[Frame],
    weights: Mapping[str, float] | None = None,
    *,
    group: str = "config_type",
    key: str | None = None,
) -> list[Frame]:
    """Gives structures weights by their group, by a number of their own, or both, which are then multiplied.

    Args:
        frames: The structures.
        weights: The weight of each group; that of a group which is not named is 1.
        group: The value of the comment line that says to which group a structure belongs.
        key: The value of the comment line that is the weight of a structure; 1 where it is missing. None: no value.

    Returns:
        The structures with these weights.

    Raises:
        InputError: A weight is not a number from 0 on, or no structure belongs to a group that has a weight.

    Example:
        >>> import numpy as np
        >>> frame = Frame(np.array([18]), np.zeros((1, 3)), None, np.zeros(3, bool), info={"config_type": "liquid"})
        >>> [one.weight for one in weighted([frame], {"liquid": 0.5})]
        [0.5]
    """
    weights = {} if weights is None else weights
    names = [str(frame.info[group]) if group in frame.info else None for frame in frames]
    for name in weights:
        if name not in names:
            there = ", ".join(sorted({str(found) for found in names if found is not None})) or "none"
            reason = f"no structure has {group}={name}"
            raise InputError("<weights>", name, reason, f"Weigh groups that there are: {there}")
    found = []
    for place, (frame, name) in enumerate(zip(frames, names, strict=True)):
        own = 1.0 if key is None else frame.info.get(key, 1.0)
        values = (own, 1.0 if name is None else weights.get(name, 1.0))
        for value in values:
            number = isinstance(value, int | float | np.number) and not isinstance(value, bool)
            if not (number and math.isfinite(value) and value >= 0):
                where = f"frame {place}" if not frame.line else f"line {frame.line}"
                raise InputError(
                    "<weights>", where, f"the weight {value!r} is not a number from 0 on", "Correct it"
                )
        found.append(replace(frame, weight=float(values[0]) * float(values[1])))
    return found
