"""One element of a PLY file after reading."""

from collections.abc import Callable
from dataclasses import dataclass, field

import numpy as np


@dataclass(frozen=True, eq=False)
class Table:
    """The rows of one element, column by column.

    Args:
        place: The place of a row in the file, for messages.
        scalars: One value a row for each scalar property.
        lists: For each list property all values, one row after the other, and how many each row has.
    """

    place: Callable[[int], str]
    scalars: dict[str, np.ndarray] = field(default_factory=dict)
    lists: dict[str, tuple[np.ndarray, np.ndarray]] = field(default_factory=dict)
