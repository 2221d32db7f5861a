"""Where a first-order training stands, and what a checkpoint holds of it."""

import math
from dataclasses import dataclass, fields, replace
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Float

_HALVED = 0.5  # fall of the held-out residual between two fields that are compared for the estimate
_LEAST_FALL = 0.2  # of the residual that the estimate may count on


@dataclass(frozen=True, eq=False)
class FirstOrderPosition:
    """Where a run stands; everything that its future depends on."""

    state: Any  # trained numbers and the state of the optimiser
    weights: Float[np.ndarray, " terms"]
    judged: Float[np.ndarray, " terms"]  # the weights of the held-out residual: those at the window's start
    strictness: float
    scale: float | None  # the loss of the first field
    best: Float[np.ndarray, " p"]
    iteration: int = 0  # of this window
    before: int = 0  # steps of the windows before
    best_held_out: float = math.inf
    best_iteration: int = 0
    compared: Float[np.ndarray, "held m"] | None = None
    compared_held_out: float = math.inf
    estimated_error: float = math.inf
    solved: tuple[Float[np.ndarray, " p"], ...] = ()  # the best numbers of the windows before,
    ended: tuple[
        tuple[str, float, float], ...
    ] = ()  # and their status, held-out residual and estimated error
    seconds: float = 0.0
    history: tuple[dict[str, Any], ...] = ()

    @property
    def content(self) -> dict[str, Any]:
        """What a checkpoint holds: arrays and numbers."""
        content = {field.name: getattr(self, field.name) for field in fields(self)}
        return content | {"state": [np.asarray(leaf) for leaf in jax.tree.leaves(self.state)]}

    def estimated(self, values: Float[np.ndarray, "held *m"]) -> "FirstOrderPosition":
        """Estimates the error of the best field when the held-out residual has halved since the last comparison.

        If the error falls as the residual does, by q, then e_then − e_now has the size (1/q − 1) e_now.

        Args:
            values: The best field at the held-out points.
        """
        if self.best_held_out > _HALVED * self.compared_held_out:
            return self
        values, error = values.reshape(len(values), -1), self.estimated_error
        if self.compared is not None:
            ratio = max(self.best_held_out / self.compared_held_out, _LEAST_FALL)
            change = np.linalg.norm(values - self.compared) / np.linalg.norm(values)
            error = float(change * ratio / (1 - ratio))
        return replace(self, compared=values, compared_held_out=self.best_held_out, estimated_error=error)


def position(content: dict[str, Any], like: Any) -> FirstOrderPosition:
    """The position that a checkpoint holds; its state has the structure of another."""
    state = [jnp.asarray(leaf) for leaf in content["state"]]
    return FirstOrderPosition(**content | {"state": jax.tree.unflatten(jax.tree.structure(like), state)})
