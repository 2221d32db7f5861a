"""What `fit` reports and returns."""

from dataclasses import dataclass
from typing import Any

from ._evaluate import Evaluation


@dataclass(frozen=True, eq=False)
class FitProgress:
    """One report of a running `fit`.

    Args:
        epoch: Epochs done; with a fraction inside one.
        epochs: Epochs in all.
        step: Steps done.
        loss: The mean loss of the epoch in work.
        record: The record of the validation that was just made, or None.
        seconds: Wall time since the start.
        potential: The one that was just judged, or None.
    """

    epoch: float
    epochs: int
    step: int
    loss: float
    record: dict[str, Any] | None
    seconds: float
    potential: Any = None


@dataclass(frozen=True, eq=False)
class FitResult:
    """What `fit` found.

    Args:
        potential: The best potential: the moving average with the lowest validation loss.
        status: "done"; "patience" when nothing better came for long; "interrupted" or "time limit"; "diverged" when
            losses were not finite again and again.
        best_epoch: The epoch of the best potential.
        steps: Steps done.
        seconds: Wall time.
        history: One record for each validation: epoch, step, loss (the mean over the epoch), score (the validation loss
            of squares with the weights of the last stage), rollbacks so far, rate, seconds; and energy_mae, energy_rmse
            (eV/atom), forces_mae, forces_rmse (eV/Å), stress_mae, stress_rmse (eV/Å³) where there are such labels.
        validation: The best potential beside the labels of the validation structures; None before the first validation
            and when interrupted.
    """

    potential: Any
    status: str
    best_epoch: int
    steps: int
    seconds: float
    history: tuple[dict[str, Any], ...]
    validation: Evaluation | None
