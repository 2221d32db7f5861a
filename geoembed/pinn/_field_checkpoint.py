"""The state of a running solution by least squares, on disk."""

import hashlib
import json
from dataclasses import fields
from pathlib import Path
from typing import TYPE_CHECKING, Any

import equinox as eqx
import jax
import numpy as np
from jaxtyping import PRNGKeyArray

from ..core import InputError, load, load_meta, save
from ..train import LMState, QNState
from ._collocation import Sides
from ._field_problem import FieldProblem

if TYPE_CHECKING:
    from ._solve_field import FieldPosition


class FieldCheckpoint:
    """A folder that holds the latest position of one run.

    Args:
        path: The folder, or None to keep nothing.
        problem: The problem. Functions in it are not compared, only their number and place.
        options: The options that decide the course of the run.
        key: Its random key.
    """

    def __init__(self, path: str | Path | None, problem: FieldProblem, options: tuple, key: PRNGKeyArray):
        self.path = None if path is None else Path(path)
        self.identity = _identity(problem, options, key)

    def save(self, position: "FieldPosition") -> None:
        """Replaces what the folder holds."""
        content: dict[str, Any] = {field.name: getattr(position, field.name) for field in fields(position)}
        kept = vars(position.state)
        arrays = {name: np.asarray(value) for name, value in kept.items() if isinstance(value, jax.Array)}
        content["state"] = kept | arrays
        content["sides"] = [[side.points, side.normals] for side in position.sides]
        self.write(content)

    def write(self, content: dict[str, Any]) -> None:
        """Replaces what the folder holds by arrays and numbers."""
        if self.path is not None:
            save(self.path, content, meta={"run": self.identity})

    def load(self) -> "FieldPosition | None":
        """Returns the position that the folder holds, None when there is nothing; see `read`."""
        from ._solve_field import FieldPosition

        content = self.read()
        if content is None:
            return None
        kept = content.pop("state")
        state = QNState(**kept) if "inverse" in kept else LMState(**kept)
        sides = tuple(Sides(*side) for side in content.pop("sides"))
        return FieldPosition(**content, state=state, sides=sides)

    def check_size(self, best: np.ndarray, size: int) -> None:
        """Refuses the trained numbers of another network.

        Raises:
            InputError: There are more or fewer than `size`.
        """
        if best.shape != (size,):
            raise InputError(
                self.path or "<checkpoint>",
                "network",
                f"it has {best.size} trained numbers, this network has {size}",
                "Resume with the network that the run began with",
            )

    def read(self) -> dict[str, Any] | None:
        """Returns what the folder holds, None when there is nothing.

        Raises:
            InputError: The checkpoint is of another problem, other options or another seed.
            ArtefactError: It is damaged.
        """
        if self.path is None or not self.path.exists():
            return None
        if load_meta(self.path).get("run") != self.identity:
            raise InputError(
                self.path,
                "",
                "this checkpoint belongs to another problem, option or seed",
                "Resume with the same problem and seed, or delete the folder to start again",
            )
        return load(self.path)


def _identity(problem: FieldProblem, options: tuple, key: PRNGKeyArray) -> str:
    described = {
        "equation": [type(problem.equation).__name__, *map(_plain, jax.tree.leaves(problem.equation))],
        "domain": [type(problem.source).__name__, [piece.name for piece in problem.outline]],
        "box": [_plain(problem.domain.lower), _plain(problem.domain.upper)],
        "time": problem.time,
        "conditions": [
            [type(c).__name__, *(_plain(value) for value in vars(c).values())] for c in problem.conditions
        ],
        "options": list(options),
        "key": np.asarray(jax.random.key_data(key)).tolist(),
    }
    digest = hashlib.sha256(json.dumps(described, sort_keys=True).encode())
    for leaf in jax.tree.leaves(problem.source):
        digest.update(np.asarray(leaf).tobytes() if eqx.is_array_like(leaf) else repr(_plain(leaf)).encode())
    return digest.hexdigest()


def _plain(value: Any) -> Any:
    if callable(value):
        return "function"
    return np.asarray(value).tolist()
