"""Runs about the heat of a part in time."""

import csv
from pathlib import Path
from typing import Any

import numpy as np
from jaxtyping import PRNGKeyArray

from ..core import InputError
from ..pinn import Problem, Result, TemperatureHistory, temperature_history
from ._part_case import Verdict, mesh_notes
from ._problem import make_problem, mesh_path
from ._progress import SolveProgress
from ._read_config import place_in_file
from ._transient_config import TransientConfig
from ._transient_report import make_transient_report, transient_page


class TransientCase:
    """Heat in a part in time.

    Args:
        config: The configuration.
        file: Its file.
    """

    def __init__(self, config: TransientConfig, file: Path):
        self.config, self.file, self.title, self.seed = config, file, config.part.mesh, 0
        self.history: TemperatureHistory | None = None
        self.files: list[str] = []

    def problem(self) -> Problem:
        """Builds the problem."""
        return make_problem(self.config, self.file)

    def prepare(self, problem: Problem, seed: int, shown: SolveProgress) -> Problem:
        """Nothing comes before the solve."""
        shown.first, shown.last = problem.moments
        return problem

    def notes(self, problem: Problem) -> list[str]:
        """How the mesh was mended, and whether its unit can be right."""
        return mesh_notes(problem)

    def options(self, problem: Problem, key: PRNGKeyArray) -> dict[str, Any]:
        """The options of `solve`."""
        table = self.config.solve
        limit = table.time_limit or float("inf")
        return {"tolerance": table.tolerance, "cells": table.cells, "time_limit": limit}

    def placed(self, error: InputError) -> InputError:
        """An error of `solve` about a formula as one about its line."""
        return place_in_file(self.file, error)

    def identity(self) -> str | None:
        """Nothing: the solver compares all there is."""
        return None

    def report(self, problem: Problem, result: Result, seed: int) -> dict[str, Any]:
        """Collects what is known about the run."""
        self.history = temperature_history(problem, result)
        mesh = mesh_path(self.config, self.file)
        return make_transient_report(self.config, self.file, mesh, problem, result, seed, self.history)

    def draw(self, out: Path, problem: Problem, result: Result, report: dict[str, Any]) -> None:
        """Writes pictures, the table of temperatures and the series for ParaView."""
        from ..interop import write_field_series
        from ..plot import convergence_figure, history_figure, save_slices, shown_moments, transient_figure

        assert self.history is not None  # `report` comes first
        output, ended = self.config.output, float(self.history.times[-1])
        named = [moment for moment in output.times or [] if moment <= ended]
        moments = named or shown_moments(problem, result)
        transient_figure(problem, result, moments).savefig(out / "temperature.png")
        history_figure(problem, result, self.history, moments).savefig(out / "history.png")
        places = {axis: place for axis, place in output.slices if place is not None}
        save_slices(out / "slices.png", problem, result, places)
        convergence_figure(result, tolerance=self.config.solve.tolerance).savefig(out / "convergence.png")
        write_history(out / "history.csv", self.history)
        write_field_series(out / "temperature.pvd", problem, result, moments=output.moments)
        self.files = ["temperature.png", "history.png", "slices.png", "convergence.png", "history.csv"]
        self.files += ["temperature.pvd", "temperature/", "log.jsonl", "report.json", "solution/"]

    def page(self, out: Path, report: dict[str, Any]) -> None:
        """Writes the page about the run."""
        (out / "report.md").write_text(transient_page(report, self.files), encoding="utf-8")

    def require_judge(self) -> None:
        """Says at the start that there is no judge."""
        reason = "there are no finite elements for heat in a part in time"
        hint = "Leave --certify out: the report has an estimated error and a heat balance"
        raise InputError("--certify", "", reason, hint)

    def certificate(self, problem: Problem, result: Result, seed: int, out: Path) -> Verdict:
        """There is none; see `require_judge`."""
        raise RuntimeError("heat in time has no certificate")


def write_history(path: Path, history: TemperatureHistory) -> None:
    """Writes the temperatures as CSV: a row for each moment."""
    with path.open("w", newline="", encoding="utf-8") as file:
        writer = csv.writer(file)
        writer.writerow(["time_s", "lowest_K", "mean_K", "highest_K", "hottest_x", "hottest_y", "hottest_z"])
        columns = [history.times, history.lowest, history.mean, history.highest, *history.hottest.T]
        writer.writerows(np.stack(columns, axis=1).tolist())
