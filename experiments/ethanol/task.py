"""What the two programs share: their task, their clock, their lines. Needs numpy only."""

import json
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np


class Clock:
    """CPU seconds of this process from its very start, imports and compilation included; it can be stopped."""

    def __init__(self) -> None:
        self._left_out = 0.0

    def now(self) -> float:
        """Seconds of all threads together, user and system."""
        return time.process_time() - self._left_out

    @contextmanager
    def stopped(self) -> Iterator[None]:
        """What happens inside does not count."""
        start = time.process_time()
        yield
        self._left_out += time.process_time() - start


def task_of(folder: Path) -> tuple[dict[str, Any], dict[str, np.ndarray]]:
    """The configuration, and the arrays of the structures: Å, eV, eV/Å; energies without those of the atoms."""
    with np.load(folder / "task.npz", allow_pickle=False) as file:
        return json.loads((folder / "task.json").read_text()), {name: file[name] for name in file}


def say(**values: Any) -> None:
    """One line of JSON."""
    print(
        json.dumps({name: float(f"{v:.6g}") if isinstance(v, float) else v for name, v in values.items()}),
        flush=True,
    )
