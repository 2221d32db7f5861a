"""Where a first-order training stands, and what a checkpoint holds of it."""

import math
from dataclasses import dataclass, fields
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Float


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


def position(content: dict[str, Any], like: Any) -> FirstOrderPosition:
    """The position that a checkpoint holds; its state has the structure of another."""
    state = [jnp.asarray(leaf) for leaf in content["state"]]
    return FirstOrderPosition(**content | {"state": jax.tree.unflatten(jax.tree.structure(like), state)})
