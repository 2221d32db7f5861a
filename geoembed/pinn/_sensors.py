"""Measured temperatures: where, how much, and how sure."""

import math
import os
from dataclasses import dataclass

import numpy as np
from jaxtyping import Float

from ..core import InputError
from ..core._files import open_source, refuse_foreign, text_chunks

_COLUMNS = ("x", "y", "z", "temperature")
_MAX_BYTES = 1 << 26


@dataclass(frozen=True, eq=False)
class Sensors:
    """Temperatures measured at points of a part.

    Args:
        points: Where, in the part's unit.
        temperature: Readings, K.
        sigma: Standard deviation of the noise, K, for all or for each; None: unknown, and the same for all. Noise
            is taken for independent and normal.
        source: Where the readings come from, for messages.

    Raises:
        InputError: The arrays do not fit together, a number is not finite, or a standard deviation is not positive.

    Example:
        >>> Sensors(np.array([[0.0, 0.0, 1.0], [5.0, 0.0, 1.0]]), np.array([351.2, 348.9]), sigma=0.5).count
        2
    """

    points: Float[np.ndarray, "n 3"]
    temperature: Float[np.ndarray, " n"]
    sigma: Float[np.ndarray, " n"] | float | None = None
    source: str = "sensors"

    def __post_init__(self) -> None:
        points, temperature = np.asarray(self.points, np.float64), np.asarray(self.temperature, np.float64)
        if points.ndim != 2 or points.shape[1] != 3 or temperature.shape != points.shape[:1]:
            shapes = f"points {points.shape} and temperatures {temperature.shape}"
            raise InputError(self.source, "", f"{shapes} do not fit together", "Give (n, 3) and (n,)")
        if not len(points):
            raise InputError(self.source, "", "there is no sensor", "Give one reading at least")
        self._check("point", np.asarray(np.isfinite(points).all(axis=1)), "is not finite")
        good = np.asarray(np.isfinite(temperature) & (temperature >= 0))
        self._check("temperature", good, "is not a temperature in K")
        object.__setattr__(self, "points", points)
        object.__setattr__(self, "temperature", temperature)
        if self.sigma is not None:
            sigma = np.asarray(self.sigma, np.float64)
            if sigma.shape not in ((), temperature.shape):
                reason = f"{sigma.shape} standard deviations for {len(points)} sensors"
                raise InputError(self.source, "sigma", reason, "Give one for all or one for each")
            good = np.broadcast_to(np.isfinite(sigma) & (sigma > 0), temperature.shape)
            self._check("sigma", good, "is not a positive number of K")
            object.__setattr__(self, "sigma", sigma if sigma.ndim else float(sigma))

    @property
    def deviations(self) -> Float[np.ndarray, " n"] | None:
        """The standard deviation of each, K; None: unknown."""
        return None if self.sigma is None else np.broadcast_to(self.sigma, self.temperature.shape)

    @property
    def count(self) -> int:
        """How many there are."""
        return len(self.points)

    def _check(self, what: str, good: np.ndarray, reason: str) -> None:
        if not good.all():
            number = int(np.flatnonzero(~good)[0]) + 1
            raise InputError(self.source, f"sensor {number}", f"the {what} {reason}", "Correct or remove it")

    @staticmethod
    def from_csv(path: str | os.PathLike) -> "Sensors":
        """Reads sensors from a file of comma-separated values.

        The first line names the columns, in any order: `x`, `y`, `z` (the part's unit), `temperature` (K) and, if
        known, `sigma` (K). Lines that are empty or begin with # are skipped.

        Args:
            path: The file.

        Returns:
            The sensors.

        Raises:
            InputError: The file cannot be read, a column is missing, unknown or there twice, or a line has a number
                too many or too few, or what is no finite number. The message says which line.
        """
        name = os.fspath(path)
        rows = _rows(name)
        if not rows:
            raise InputError(name, "", "there is no line with data", "Begin with x,y,z,temperature")
        columns = _columns(name, *rows[0])
        if len(rows) == 1:
            raise InputError(name, "", "there is no sensor below the names", "Write one line for each sensor")
        table = np.array([_numbers(name, line, cells, len(columns)) for line, cells in rows[1:]])
        by_name = {column: table[:, number] for number, column in enumerate(columns)}
        points = np.stack([by_name[axis] for axis in "xyz"], axis=1)
        return Sensors(points, by_name["temperature"], by_name.get("sigma"), source=name)


def _rows(name: str) -> list[tuple[int, list[str]]]:
    """The cells of each line with something in it, and the line's number."""
    rows = []
    with open_source(name, max_bytes=_MAX_BYTES) as source:
        refuse_foreign(name, source.peek(64))
        for first, chunk in text_chunks(source):
            for number, line in enumerate(chunk.decode("utf-8", "replace").splitlines(), first):
                if line.strip() and not line.lstrip().startswith("#"):
                    rows.append((number, [cell.strip() for cell in line.split(",")]))
    return rows


def _columns(name: str, line: int, cells: list[str]) -> list[str]:
    columns = [cell.strip('"').lower() for cell in cells]
    hint = "The first line must name the columns: x,y,z,temperature and, if known, sigma"
    missing = [column for column in _COLUMNS if column not in columns]
    if missing:
        raise InputError(name, f"line {line}", f"there is no column {missing[0]!r}", hint)
    for column in columns:
        if column not in (*_COLUMNS, "sigma"):
            raise InputError(name, f"line {line}", f"the column {column!r} is unknown", hint)
        if columns.count(column) > 1:
            raise InputError(name, f"line {line}", f"the column {column!r} is there twice", hint)
    return columns


def _numbers(name: str, line: int, cells: list[str], count: int) -> list[float]:
    if len(cells) != count:
        hint = "Separate numbers by commas and write decimals with a point"
        raise InputError(name, f"line {line}", f"has {len(cells)} values for {count} columns", hint)
    numbers = []
    for cell in cells:
        try:
            number = float(cell)
        except ValueError:
            number = math.nan
        if not math.isfinite(number):
            raise InputError(
                name, f"line {line}", f"{cell!r} is no finite number", "Correct the line or remove it"
            )
        numbers.append(number)
    return numbers
