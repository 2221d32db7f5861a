"""Unknown numbers of a configuration, found from its sensors before the temperature is solved for."""

import csv
import math
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from jaxtyping import PRNGKeyArray

from ..core import InputError
from ..pinn import Identified, InverseProblem, Problem, Sensors
from ._config import Config
from ._inverse_report import LEVEL, advice_on, inverse_lines
from ._mistakes import nearest
from ._read_config import place_of
from ._report import sha256


@dataclass(frozen=True)
class Findings:
    """What the sensors say.

    Args:
        sensors: The readings.
        found: The numbers with their uncertainty.
        about: The same for report.json.
    """

    sensors: Sensors
    found: Identified
    about: dict[str, Any]

    @property
    def lines(self) -> list[str]:
        """The same for a person."""
        return [line.strip() for line in inverse_lines(self.about)]

    def added_to(self, report: dict[str, Any]) -> dict[str, Any]:
        """The report of the temperature together with that of the numbers."""
        hashes = report["input_sha256"] | {"sensors": sha256(Path(self.sensors.source))}
        return report | {"input_sha256": hashes, "identified": self.about}

    def write(self, out: Path) -> list[str]:
        """Writes the picture and the table of residuals; returns their names."""
        from ..plot import identified_figure

        bounds = {name: row["bounds"] for name, row in self.about["numbers"].items() if row["bounds"]}
        identified_figure(self.found, self.sensors, level=LEVEL, bounds=bounds).savefig(out / "sensors.png")
        with (out / "residuals.csv").open("w", newline="", encoding="utf-8") as file:
            writer = csv.writer(file)
            writer.writerow(["x", "y", "z", "temperature", "sigma", "model", "residual"])
            read, off = self.sensors.temperature, self.found.residuals
            columns = [
                *self.sensors.points.T,
                read,
                np.broadcast_to(self.found.sigma, read.shape),
                read - off,
                off,
            ]
            writer.writerows(np.stack(columns, axis=1).tolist())
        return ["sensors.png", "residuals.csv"]


def read_sensors(config: Config, file: Path) -> Sensors:
    """Reads the sensors of a configuration.

    Raises:
        InputError: The file is not there or damaged, or the noise is given twice.
    """
    table = config.sensors
    assert table is not None
    path = file.parent / table.file
    try:
        missing = not path.exists()
        beside = sorted(p.name for p in path.parent.iterdir() if p.suffix.lower() == ".csv")
    except OSError:  # a name too long, a folder that is not there or may not be read
        missing, beside = True, []
    if missing:
        hint = nearest(table.file, beside) if beside else "A relative path starts at the configuration file"
        where = place_of(file, ("sensors", "file"))
        raise InputError(file, where, f"there is no file {table.file!r}", hint)
    sensors = Sensors.from_csv(path)
    if table.sigma is None:
        return sensors
    if sensors.sigma is not None:
        where = place_of(file, ("sensors", "sigma"))
        raise InputError(file, where, "the file of the sensors has a column sigma too", "Keep one of the two")
    return Sensors(sensors.points, sensors.temperature, table.sigma, sensors.source)


def find_numbers(
    config: Config, file: Path, problem: Problem, sensors: Sensors, key: PRNGKeyArray
) -> Findings:
    """Finds the unknown numbers.

    Args:
        config: The configuration.
        file: Its file.
        problem: The problem with the first guesses.
        sensors: The readings.
        key: A random key: places the grids.

    Raises:
        InputError: A number is none of the problem's, or a sensor lies outside the part.
    """
    tables = config.unknown
    known = {table.name: (table.prior.value, table.prior.sigma) for table in tables if table.prior}
    try:
        inverse = InverseProblem(problem, [t.name for t in tables], key=key, cells=config.solve.cells)
        found = inverse.identify(sensors, known)
    except InputError as error:
        raise _placed(config, file, error) from error
    return Findings(sensors, found, _about(config, problem, sensors, found))


def _placed(config: Config, file: Path, error: InputError) -> InputError:
    """An error about a number as one about its line in the configuration."""
    if error.file == "problem":
        return InputError(file, place_of(file, ("unknown",)), f"the problem {error.reason}", error.hint)
    if error.file not in ("unknown", "known"):
        return error
    same = [n for n, t in enumerate(config.unknown) if t.name == error.where.strip("'")]
    key = "name" if error.file == "unknown" else "prior"
    where = place_of(file, ("unknown", same[-1] if same else 0, key))
    hint = error.hint
    if "first guess" in error.reason:
        hint = "Write a positive first guess in [physics] or [[conditions]]"
    return InputError(file, where, f"{error.where}: {error.reason}" if key == "name" else error.reason, hint)


def _about(config: Config, problem: Problem, sensors: Sensors, found: Identified) -> dict[str, Any]:
    """The findings for report.json."""
    report = found.report(LEVEL)
    guess = _guesses(problem, found)
    for table in config.unknown:
        row = report["numbers"][table.name]
        low, high = table.bounds or (-math.inf, math.inf)
        row |= {
            "first_guess": guess[table.name],
            "prior": table.prior.model_dump() if table.prior else None,
            "bounds": table.bounds,
            "within_bounds": low <= row["value"] <= high,
        }
    report["sensors"] = sensors.count
    report["consistent"] = found.consistent
    report["advice"] = advice_on(report)
    return report


def _guesses(problem: Problem, found: Identified) -> dict[str, float]:
    from ..pinn._heat_terms import numbers_of

    numbers = numbers_of(problem)
    return {name: float(numbers[name]) for name in found.names}
