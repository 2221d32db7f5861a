"""How well a learned signed distance agrees with its data."""

from dataclasses import dataclass
from typing import Any

import jax
import numpy as np
from jaxtyping import Float

from ...core import is_parameter, register
from ...train import Descent


@register
@dataclass(frozen=True)
class Deviation:
    """The size of an error over many points.

    Args:
        median: Half of the points are better.
        p99: 99 % are.
        largest: All are.
    """

    median: float
    p99: float
    largest: float


@register
@dataclass(frozen=True)
class FitReport:
    """How a `NeuralSDF` came about. Lengths are in the unit of length of the shape.

    Args:
        status: "done", "interrupted" or "diverged" (the field is then that of the last finite loss).
        steps: Steps of the optimiser.
        loss: The last reported loss, dimensionless.
        band: Points with |d| up to this count as near the surface.
        value: |f − d| near the surface at points that were not trained on; for a point cloud |f| at its own points.
        eikonal: The deviation of |∇f| from 1 at the same points.
        parameters: How many numbers were trained.
    """

    status: str
    steps: int
    loss: float
    band: float
    value: Deviation
    eikonal: Deviation
    parameters: int


def deviation(errors: np.ndarray) -> Deviation:
    """Median, 99th percentile and maximum of absolute values; nan for none."""
    if len(errors) == 0:
        return Deviation(float("nan"), float("nan"), float("nan"))
    found = np.abs(np.asarray(errors, np.float64))
    return Deviation(float(np.median(found)), float(np.percentile(found, 99)), float(found.max()))


def fit_report(
    found: Descent,
    band: float,
    errors: Float[np.ndarray, " n"],
    slopes: Float[np.ndarray, "n 3"],
    trained: Any,
) -> FitReport:
    """The report of a fit.

    Args:
        found: How the training ended.
        band: See `FitReport`.
        errors: f − d at points near the surface.
        slopes: ∇f there.
        trained: A pytree of what was trained.
    """
    last = found.history[-1] if found.history else None
    return FitReport(
        found.status,
        last.step if last else 0,
        last.loss if last else float("nan"),
        band,
        deviation(errors),
        deviation(np.linalg.norm(slopes, axis=1) - 1.0),
        sum(leaf.size for leaf in jax.tree.leaves(trained) if is_parameter(leaf)),
    )


NO_REPORT = FitReport("untrained", 0, float("nan"), 0.0, deviation(np.zeros(0)), deviation(np.zeros(0)), 0)
