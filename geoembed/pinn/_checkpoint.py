"""The state of a running `solve`, on disk."""

import hashlib
import json
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import jax
import numpy as np
from jaxtyping import Float, PRNGKeyArray

from ..core import InputError, load, load_meta, save
from ..train import CGState
from ._field import SplineField
from ._problem import Problem


@dataclass(frozen=True)
class Position:
    """Where a run stands; everything that its future depends on.

    Args:
        grid: The number of the grid in work.
        solver: The linear solver's state on it, None before it starts.
        best: The iterate of this grid that is kept, and the lowest held-out energy seen on it.
        field: The best field of all grids so far, and its held-out energy.
        inside: The field of the last finished grid at the held-out points, dimensionless.
        spacing: The spacing of that grid.
        estimated_error: The latest estimate.
        iterations: Solver steps on finished grids.
        seconds: Wall time so far.
        history: The records so far.
    """

    grid: int = 0
    solver: CGState | None = None
    best: Float[np.ndarray, " d"] | None = None
    best_held_out: float = float("inf")
    field: SplineField | None = None
    field_held_out: float = float("inf")
    inside: Float[np.ndarray, "n *m"] | None = None
    spacing: float = float("nan")
    estimated_error: float = float("inf")
    iterations: int = 0
    seconds: float = 0.0
    history: tuple[dict[str, Any], ...] = ()


class Checkpoint:
    """A folder that holds the latest `Position` of one run.

    Args:
        path: The folder, or None to keep nothing.
        problem: The problem.
        options: The options that decide the course of the run.
        key: Its random key.
    """

    def __init__(self, path: str | Path | None, problem: Problem, options: tuple, key: PRNGKeyArray):
        self.path = None if path is None else Path(path)
        self.identity = _identity(problem, options, key)

    def save(self, position: Position) -> None:
        """Replaces what the folder holds."""
        if self.path is None:
            return
        content = {name: getattr(position, name) for name in position.__dataclass_fields__}
        content["solver"] = None if position.solver is None else vars(position.solver)
        save(self.path, content, meta={"run": self.identity})

    def load(self) -> Position:
        """Returns what the folder holds, or a fresh start when there is none.

        Raises:
            InputError: The checkpoint is of another problem, other options or another seed.
            ArtefactError: It is damaged.
        """
        if self.path is None or not self.path.exists():
            return Position()
        if load_meta(self.path).get("run") != self.identity:
            raise InputError(
                self.path,
                "",
                "this checkpoint belongs to another part, problem, option or seed",
                "Resume with the same configuration and seed, or delete the folder to start again",
            )
        content = load(self.path)
        solver = content.pop("solver")
        return Position(**content, solver=None if solver is None else CGState(**solver))


def _identity(problem: Problem, options: tuple, key: PRNGKeyArray) -> str:
    equation = asdict(problem.equation)
    if not problem.elastic and problem.conduction.placed:  # a function is what it returns
        equation["conductivity"] = hashlib.sha256(problem.conduction.samples.tobytes()).hexdigest()
    described = {
        "part": [problem.domain.fingerprint, problem.domain.unit],
        "equation": equation,
        "options": list(options),
        "key": np.asarray(jax.random.key_data(key)).tolist(),
    }
    digest = hashlib.sha256(json.dumps(described, sort_keys=True).encode())
    for column in problem.face_columns:
        digest.update(column.tobytes())
    return digest.hexdigest()
