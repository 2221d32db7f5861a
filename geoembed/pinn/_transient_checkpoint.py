"""The state of a running march through time, on disk."""

import hashlib
import json
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import jax
import numpy as np
from jaxtyping import Float, PRNGKeyArray

from ..core import InputError, load, load_meta, save
from ..sdf import evaluate
from ._conditions import value_at
from ._march_heat import Trajectory
from ._problem import Problem
from ._scales import MOMENTS


@dataclass(frozen=True)
class MarchPosition:
    """Where a march stands.

    Args:
        found: The moments so far.
        step: The step that is tried next, s.
        inverse_step: The step of the approximate inverse in use, s; None if there is none.
    """

    found: Trajectory
    step: float
    inverse_step: float | None


@dataclass(frozen=True)
class TransientPosition:
    """Where a run stands; everything that its future depends on.

    Args:
        grid: The number of the grid in work.
        march: Where the march on it stands; None before it starts.
        best: The march on the last finished grid, whose number is one less; None before there is one.
        inside: The field of that grid at the held-out points and at the moments of comparison.
        estimated_error: The latest estimate.
        iterations: Steps of conjugate gradients on finished grids.
        seconds: Wall time so far.
        history: The records so far.
    """

    grid: int = 0
    march: MarchPosition | None = None
    best: Trajectory | None = None
    inside: Float[np.ndarray, "k n"] | None = None
    estimated_error: float = float("inf")
    iterations: int = 0
    seconds: float = 0.0
    history: list[dict[str, Any]] = field(default_factory=list)


class TransientCheckpoint:
    """A folder that holds the latest `TransientPosition` of one run.

    Args:
        path: The folder, or None to keep nothing.
        problem: The problem. Functions in it are compared at fixed points and moments.
        options: The options that decide the course of the run.
        key: Its random key.
    """

    def __init__(self, path: str | Path | None, problem: Problem, options: tuple, key: PRNGKeyArray):
        self.path = None if path is None else Path(path)
        self.identity = "" if path is None else _identity(problem, options, key)

    def save(self, at: TransientPosition) -> None:
        """Replaces what the folder holds."""
        if self.path is None:
            return
        content: dict[str, Any] = {name: getattr(at, name) for name in at.__dataclass_fields__}
        content["best"] = None if at.best is None else _packed(at.best)
        if at.march is not None:
            content["march"] = {
                "found": _packed(at.march.found),
                "step": at.march.step,
                "inverse_step": at.march.inverse_step,
            }
        save(self.path, content, meta={"run": self.identity})

    def load(self) -> TransientPosition:
        """Returns what the folder holds, or a fresh start when there is none.

        Raises:
            InputError: The checkpoint is of another problem, other options or another seed.
            ArtefactError: It is damaged.
        """
        if self.path is None or not self.path.exists():
            return TransientPosition()
        if load_meta(self.path).get("run") != self.identity:
            raise InputError(
                self.path,
                "",
                "this checkpoint belongs to another part, problem, option or seed",
                "Resume with the same configuration and seed, or delete the folder to start again",
            )
        content = load(self.path)
        march, best = content.pop("march"), content.pop("best")
        if march is not None:
            march = MarchPosition(**(march | {"found": _unpacked(march["found"])}))
        return TransientPosition(**content, march=march, best=None if best is None else _unpacked(best))


def _packed(found: Trajectory) -> dict[str, Any]:
    columns = {name: np.array(getattr(found, name)) for name in ("times", "values", "rates")}
    return columns | {"rejected": found.rejected, "iterations": found.iterations}


def _unpacked(content: dict[str, Any]) -> Trajectory:
    values, rates = (list(np.asarray(content[name])) for name in ("values", "rates"))
    times = np.asarray(content["times"]).tolist()
    return Trajectory(times, values, rates, content["rejected"], content["iterations"])


def _identity(problem: Problem, options: tuple, key: PRNGKeyArray) -> str:
    """The SHA-256 of all that decides the course of a run; a function is what it returns."""
    equation, conduction, moments = problem.equation, problem.conduction, problem.moments
    times, first = np.linspace(*moments, MOMENTS).tolist(), problem.initial.value

    def course(value: Any) -> list[float]:
        return [value_at(value, time) for time in times]

    def placed(value: Any) -> np.ndarray:
        if not callable(value):
            return np.array(float(value))
        points = np.pad(conduction.places, ((0, 0), (0, 1)), constant_values=moments[0])
        return np.asarray(evaluate(value, points))

    described = {
        "part": [problem.domain.fingerprint, problem.domain.unit],
        "patches": list(problem.resolved.names),
        "time": list(moments),
        "source": course(equation.source),
        "conditions": [
            [type(c).__name__, c.patch, getattr(c, "h", None), course(getattr(c, "ambient", getattr(c, "value", 0.0)))]
            for c in problem.heat_conditions
        ],
        "options": list(options),
        "key": np.asarray(jax.random.key_data(key)).tolist(),
    }  # fmt: skip
    digest = hashlib.sha256(json.dumps(described, sort_keys=True).encode())
    capacity = equation.capacity
    held = np.asarray(evaluate(capacity, conduction.places) if callable(capacity) else float(capacity))
    for column in (problem.resolved.face_patch, conduction.samples, held, placed(first)):
        digest.update(np.ascontiguousarray(column).tobytes())
    return digest.hexdigest()
