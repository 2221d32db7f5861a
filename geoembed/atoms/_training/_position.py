"""Where a training stands, and its checkpoint."""

import hashlib
import json
import math
from collections.abc import Sequence
from dataclasses import dataclass, fields
from pathlib import Path
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import PRNGKeyArray

from ...core import InputError, load, load_meta, save
from ...train import Trainable
from .._frame import Frame
from ._plateau import Plateau
from ._settings import Training
from ._steps import Moving
from ._vectors import Vectors

TREES = ("moving", "good", "best")
_FORMAT = 3  # of the arrays in a checkpoint


@dataclass(frozen=True, eq=False)
class Position:
    """Where a run stands; everything that its future depends on.

    Args:
        moving: Parameters, optimiser and average.
        good: The last ones at which the loss is known to be finite.
        best: The parameters that are kept.
        epoch: Epochs done.
        batch: Batches done of the epoch in work.
        step: Steps done in all.
        loss: Σ of the losses of the batches of this epoch.
        factor: What rollbacks have left of the learning rate.
        rollbacks: How many there were.
        best_score: The validation loss of the best.
        best_epoch: Its epoch.
        stale: Validations since then.
        plateau: The fields of a `Plateau`.
        status: "running", or how the run ended.
        seconds: Wall time so far.
        history: The records so far.
    """

    moving: Moving
    good: Moving
    best: Vectors
    epoch: int = 0
    batch: int = 0
    step: int = 0
    loss: float = 0.0
    factor: float = 1.0
    rollbacks: int = 0
    best_score: float = math.inf
    best_epoch: int = 0
    stale: int = 0
    plateau: tuple[float, float, int] = Plateau()
    status: str = "running"
    seconds: float = 0.0
    history: tuple[dict[str, Any], ...] = ()


class Checkpoint:
    """A folder that holds the latest `Position` of one run.

    Args:
        path: The folder, or None to keep nothing.
        identity: What the run is; see `identity_of`.
    """

    def __init__(self, path: Path | None, identity: str):
        self.path, self.identity = path, identity

    def save(self, position: Position) -> None:
        """Replaces what the folder holds."""
        if self.path is None:
            return
        content = {field.name: getattr(position, field.name) for field in fields(position)}
        content["plateau"] = tuple(position.plateau)
        content |= {name: jax.tree.leaves(content[name]) for name in TREES}
        save(self.path, content, meta={"run": self.identity})

    def load(self, fresh: Position) -> Position:
        """Returns what the folder holds, or the fresh start when there is none.

        Raises:
            InputError: The checkpoint is of another run.
            ArtefactError: It is damaged.
        """
        if self.path is None or not self.path.exists():
            return fresh
        if load_meta(self.path).get("run") != self.identity:
            reason = "this checkpoint belongs to another potential, data set, option or seed"
            hint = "Resume with the same configuration, or start again in another folder"
            raise InputError(self.path, "", reason, hint)
        content = load(self.path)
        for name in TREES:
            form = jax.tree.structure(getattr(fresh, name))
            content[name] = jax.tree.unflatten(form, [jnp.asarray(leaf) for leaf in content[name]])
        return Position(**content)


def identity_of(
    potential: Any,
    trained: Trainable,
    train: Sequence[Frame],
    valid: Sequence[Frame],
    key: PRNGKeyArray,
    settings: Training,
) -> str:
    """The hash of everything that decides the course of a run."""
    plain = {
        "format": _FORMAT,
        "settings": settings.identity,
        "trained": [line.to_dict() for line in trained.table],
        "key": np.asarray(jax.random.key_data(key)).tolist(),
    }
    digest = hashlib.sha256(json.dumps(plain, sort_keys=True).encode())
    for path, leaf in jax.tree_util.tree_leaves_with_path(potential):
        digest.update(jax.tree_util.keystr(path).encode())
        digest.update(np.asarray(leaf).tobytes() if hasattr(leaf, "dtype") else repr(leaf).encode())
    for frame in (*train, None, *valid):
        if frame is None:
            digest.update(b"|")
            continue
        for values in (frame.numbers, frame.positions, frame.cell, frame.pbc, frame.forces, frame.stress):
            digest.update(b"-" if values is None else np.ascontiguousarray(values).tobytes())
        digest.update(repr((frame.energy, frame.weight)).encode())
    return digest.hexdigest()
