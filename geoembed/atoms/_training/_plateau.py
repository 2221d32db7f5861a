"""A learning rate that falls when the validation loss does not."""

import math
from typing import NamedTuple

_LEAST = 1e-4  # relative; what is less is no progress


class Plateau(NamedTuple):
    """What the validations so far have left of the learning rate.

    Args:
        share: The rate is multiplied by this number.
        best: The lowest validation loss that counted as progress.
        stale: Validations since then, or since the rate last fell.
    """

    share: float = 1.0
    best: float = math.inf
    stale: int = 0

    def after(self, score: float, factor: float, patience: int) -> "Plateau":
        """The same after one more validation.

        Args:
            score: Its loss; one that is not a number is no progress.
            factor: By which the rate is multiplied when there were more than `patience` validations in a row that
                were less than 0.01 % better than the best.
            patience: How many such validations are put up with.
        """
        if score < self.best * (1.0 - _LEAST):
            return Plateau(self.share, score, 0)
        if self.stale < patience:
            return self._replace(stale=self.stale + 1)
        return Plateau(self.share * factor, self.best, 0)
