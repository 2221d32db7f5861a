"""The error of a network, estimated from fields between which the held-out residual has halved."""

from collections.abc import Callable
from dataclasses import replace
from typing import Any, TypeVar

import numpy as np

_HALVED = 0.5  # fall of the held-out residual between two fields that are compared
_LEAST_FALL = 0.2  # of the residual that the estimate may count on: errors fall later than residuals

At = TypeVar("At")


def estimated(at: At, values: Callable[[], np.ndarray]) -> At:
    """Estimates the error of the best field when the held-out residual has halved since the last comparison.

    If the error falls as the residual does, by q, then e_then − e_now has the size (1/q − 1) e_now.

    Args:
        at: Where a run stands: a dataclass with best_held_out, compared, compared_held_out and estimated_error.
        values: Returns the best field at the held-out points.

    Returns:
        Where it stands with the new estimate.
    """
    run: Any = at
    if run.best_held_out > _HALVED * run.compared_held_out:
        return at
    found, error = values(), run.estimated_error
    found = found.reshape(len(found), -1)
    if run.compared is not None:
        ratio = max(run.best_held_out / run.compared_held_out, _LEAST_FALL)
        change = np.linalg.norm(found - run.compared) / np.linalg.norm(found)
        error = float(change * ratio / (1 - ratio))
    return replace(run, compared=found, compared_held_out=run.best_held_out, estimated_error=error)
