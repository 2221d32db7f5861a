"""The kinds of runs: a part, also in time, and an equation in a domain. What belongs to the last is here."""

import hashlib
import json
from pathlib import Path
from typing import Any

from jaxtyping import PRNGKeyArray

from ..core import InputError
from ..pinn import Problem, Result
from ._domain_config import MeshTable
from ._field_config import FieldConfig
from ._field_problem import free_pieces, make_field_problem
from ._make_training import option_error, training_options
from ._part_case import PartCase, Verdict, mesh_notes, require_judge, verdict
from ._places import Places
from ._progress import SolveProgress
from ._read_config import read_case
from ._transient_case import TransientCase
from ._transient_config import TransientConfig


class FieldCase:
    """An equation in a domain.

    Args:
        config: The configuration.
        file: Its file.
    """

    def __init__(self, config: FieldConfig, file: Path):
        self.config, self.file, self.title = config, file, config.physics.kind
        self.seed = config.solve.seed or 0
        self.grid: Any = None
        self.files: list[str] = []

    def problem(self) -> Problem:
        """Builds the problem."""
        return make_field_problem(self.config, self.file)

    def prepare(self, problem: Problem, seed: int, shown: SolveProgress) -> Problem:
        """Nothing comes before the solve."""
        return problem

    def notes(self, problem: Problem) -> list[str]:
        """Pieces of the boundary without a condition; how a mesh was mended."""
        mesh = mesh_notes(problem) if isinstance(self.config.domain, MeshTable) else []
        return [*mesh, *(f"note: {said}" for said in self._free(problem))]

    def options(self, problem: Problem, key: PRNGKeyArray) -> dict[str, Any]:
        """The options of `solve`; what belongs to a network only if it was asked for: else the solver chooses."""
        table = self.config.solve
        options: dict[str, Any] = {
            "tolerance": table.tolerance,
            "form": table.form,
            "cells": table.cells,
            "time_limit": table.time_limit or float("inf"),
        }
        return options | training_options(self.config, problem, key)

    def placed(self, error: InputError) -> InputError:
        """An error of `solve` as one about a key of the configuration."""
        return option_error(error, Places(self.file))

    def identity(self) -> str | None:
        """The SHA-256 of all that decides the solution: the solver cannot compare formulas."""
        content = self.config.model_dump(
            mode="json", exclude={"output": True, "solve": {"time_limit", "seed"}}
        )
        return hashlib.sha256(json.dumps(content, sort_keys=True).encode()).hexdigest()

    def report(self, problem: Problem, result: Result, seed: int) -> dict[str, Any]:
        """Collects what is known about the run."""
        from ..plot import field_grid
        from ._field_report import make_field_report

        output = self.config.output
        self.grid = field_grid(problem, result, cells=output.cells, moments=output.moments)
        free = self._free(problem)
        return make_field_report(self.config, self.file, problem, result, self.grid, seed, free)

    def draw(self, out: Path, problem: Problem, result: Result, report: dict[str, Any]) -> None:
        """Writes pictures, values and files for ParaView."""
        from ._field_output import write_field_files

        self.files = write_field_files(out, self.config, problem, result, self.grid)

    def page(self, out: Path, report: dict[str, Any]) -> None:
        """Writes the page about the run, with the certificate if there is one."""
        from ._field_report import field_page

        (out / "report.md").write_text(field_page(report, self.files), encoding="utf-8")

    def require_judge(self) -> None:
        """Says at the start, not after the solve, that the judge is missing."""
        require_judge()

    def certificate(self, problem: Problem, result: Result, seed: int, out: Path) -> Verdict:
        """The verdict of finite elements, or what is known without them."""
        return verdict(problem, result, seed, out)

    def _free(self, problem: Problem) -> list[str]:
        return [] if self.config.physics.kind == "eikonal" else free_pieces(problem)


Case = PartCase | TransientCase | FieldCase


def make_case(file: Path) -> Case:
    """Reads a configuration file."""
    config = read_case(file)
    if isinstance(config, FieldConfig):
        return FieldCase(config, file)
    return TransientCase(config, file) if isinstance(config, TransientConfig) else PartCase(config, file)
